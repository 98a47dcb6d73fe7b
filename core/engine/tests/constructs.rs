//! Timers, signals, rests, instances and subnets in a running engine, and over restarts.

use std::collections::BTreeMap;
use std::path::Path;

use actum::{
    ActorId, CaseEvent, CaseId, CaseStatus, CommandError, Engine, ExceptionKind, ItemId, Limits, NetHash, Phase,
    RestEnd, Time, Timer, Value, VirtualClock,
};

const HOUR: u64 = 3_600_000_000_000;
/// Where simulated time begins in these tests.
const START: Time = Time(1_000 * HOUR);

const WAIT: &str = "actum: 1\nnet: wait\nstart: a\ntasks:\n  a: { wait: { for: PT1H }, flow: end }\n";

/// A signal and a timer for the same token.
const RACE: &str = "
actum: 1
net: race
data: { outcome: { type: string } }
conditions: { open: { flow: [come, lapse] } }
start: begin
tasks:
  begin: { flow: open }
  come: { trigger: { signal: papers }, output: { outcome: came }, flow: end }
  lapse: { wait: { for: PT1H }, output: { outcome: lapsed }, flow: end }
";

/// Work first, then a signal: one that comes early is kept.
const KEEPS: &str = "
actum: 1
net: keeps
roles: { clerk: {} }
start: look
tasks:
  look: { role: clerk, flow: come }
  come: { trigger: { signal: papers, persistent: true }, flow: end }
";

const FOUND: &str = "
actum: 1
net: found
data: { votes: { type: list } }
roles: { clerk: {} }
start: vote
tasks:
  vote:
    role: clerk
    instances: { count: 1, max: 4, add: true }
    form: { yes: { type: bool, required: true } }
    output: { votes: '{{ results }}' }
    flow: end
";

const NESTED: &str = "
actum: 1
net: nested
data: { things: { type: list, default: [a, b] }, notes: { type: list } }
roles: { clerk: {} }
start: each
tasks:
  each: { net: inner, instances: { each: '{{ things }}', max: 5 }, params: { thing: '{{ each }}' }, output: { notes: '{{ results.map(r, r.note) }}' }, flow: end }
nets:
  inner:
    data: { thing: { type: string, input: true }, note: { type: string } }
    start: look
    tasks:
      look: { role: clerk, form: { note: { type: string, required: true } }, output: { note: '{{ thing + result.note }}' }, flow: pause }
      pause: { wait: { for: PT1H }, flow: end }
";

fn none() -> BTreeMap<String, Value> {
    BTreeMap::new()
}

fn map(name: &str, value: Value) -> Value {
    Value::Map(BTreeMap::from([(name.to_owned(), value)]))
}

#[track_caller]
fn code<T: std::fmt::Debug>(answer: Result<T, CommandError>) -> &'static str {
    match answer {
        Err(CommandError::Rejected(rejection)) => rejection.code,
        other => panic!("not a rejection: {other:?}"),
    }
}

async fn open(directory: &Path, clock: &VirtualClock) -> Engine {
    Engine::at(directory).clock(clock.clone()).open().await.unwrap()
}

async fn in_memory(clock: &VirtualClock) -> Engine {
    Engine::in_memory().clock(clock.clone()).open().await.unwrap()
}

async fn start(engine: &Engine, source: &str) -> (NetHash, CaseId) {
    let net = engine.deploy(source).await.unwrap_or_else(|error| panic!("{error}")).0.hash;
    (net, engine.start_case(net, None, none()).await.unwrap().case)
}

fn status(engine: &Engine, case: CaseId) -> CaseStatus {
    engine.row(case).unwrap().status
}

fn events(engine: &Engine, case: CaseId, wanted: impl Fn(&CaseEvent) -> bool) -> Vec<Time> {
    let history = engine.history(case).unwrap();
    history.into_iter().filter(|logged| wanted(&logged.event)).map(|logged| logged.meta.time).collect()
}

fn begins(event: &CaseEvent) -> bool {
    matches!(event, CaseEvent::WorkStarted { .. })
}

async fn move_to(engine: &Engine, clock: &VirtualClock, time: u64) {
    clock.advance_to(Time(START.0 + time));
    engine.settled().await;
}

#[tokio::test]
async fn a_timer_fires_when_simulated_time_reaches_it_and_not_before() {
    let clock = VirtualClock::new(START);
    let engine = in_memory(&clock).await;
    let (_, case) = start(&engine, WAIT).await;
    let due = Timer { at: Time(START.0 + HOUR), case, item: ItemId(0) };
    assert_eq!(engine.timers(10).await.unwrap(), [due]);
    let waits = engine.waits().of_case(case);
    assert_eq!((waits.len(), waits[0].until, waits[0].since), (1, Some(due.at), START));
    move_to(&engine, &clock, HOUR - 1).await;
    assert_eq!(status(&engine, case), CaseStatus::Open);
    move_to(&engine, &clock, HOUR).await;
    assert_eq!(status(&engine, case), CaseStatus::Completed);
    assert_eq!(events(&engine, case, begins), [due.at]);
    assert!(engine.timers(10).await.unwrap().is_empty() && engine.waits().cases().is_empty());
}

#[tokio::test]
async fn a_timer_fires_in_real_time() {
    let engine = Engine::in_memory().open().await.unwrap();
    let (_, case) = start(&engine, &WAIT.replace("PT1H", "PT0.05S")).await;
    assert_eq!(engine.ended(case).await.unwrap().status, CaseStatus::Completed);
    let waited = events(&engine, case, begins)[0].0 - events(&engine, case, |_| true)[0].0;
    assert!(waited >= 50_000_000, "{waited} ns");
}

#[tokio::test]
async fn timers_survive_a_restart_and_what_was_due_meanwhile_fires_once_and_late() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let engine = open(directory.path(), &clock).await;
    let (net, early) = start(&engine, WAIT).await;
    move_to(&engine, &clock, HOUR / 2).await;
    let later = engine.start_case(net, None, none()).await.unwrap().case;
    engine.close().await.unwrap();

    clock.advance_to(Time(START.0 + HOUR + 7));
    let engine = open(directory.path(), &clock).await;
    engine.settled().await;
    assert_eq!(engine.ended(early).await.unwrap().status, CaseStatus::Completed);
    assert_eq!(events(&engine, early, begins), [Time(START.0 + HOUR + 7)], "late, and once");
    assert_eq!(status(&engine, later), CaseStatus::Open);
    move_to(&engine, &clock, 2 * HOUR).await;
    assert_eq!(status(&engine, later), CaseStatus::Completed);
    engine.close().await.unwrap();

    let engine = open(directory.path(), &clock).await;
    engine.settled().await;
    assert_eq!(events(&engine, early, begins).len(), 1);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn many_timers_that_are_due_at_once_all_fire_once() {
    let clock = VirtualClock::new(START);
    let engine = in_memory(&clock).await;
    let (net, first) = start(&engine, WAIT).await;
    let cases = 3_000;
    for _ in 1..cases {
        engine.start_case(net, None, none()).await.unwrap();
    }
    assert_eq!(engine.timers(usize::MAX).await.unwrap().len(), cases);
    move_to(&engine, &clock, 5 * HOUR).await;
    assert_eq!(engine.cases().count(CaseStatus::Completed), cases);
    assert_eq!(events(&engine, first, begins).len(), 1);
}

#[tokio::test]
async fn the_timer_of_an_item_that_ended_does_nothing() {
    let clock = VirtualClock::new(START);
    let engine = in_memory(&clock).await;
    let (net, came) = start(&engine, RACE).await;
    let lapsed = engine.start_case(net, None, none()).await.unwrap().case;
    let cancelled = engine.start_case(net, None, none()).await.unwrap().case;
    engine.signal(came, ActorId::ENGINE, "papers", Value::Null).await.unwrap();
    assert_eq!(status(&engine, came), CaseStatus::Completed);
    let item = engine.timers(10).await.unwrap().iter().find(|timer| timer.case == cancelled).unwrap().item;
    engine.cancel_work(cancelled, item, ActorId::ENGINE).await.unwrap();
    assert_eq!(engine.timers(10).await.unwrap().len(), 1);
    let version = engine.row(came).unwrap().version;
    move_to(&engine, &clock, 2 * HOUR).await;
    assert_eq!(engine.row(came).unwrap().version, version);
    assert_eq!(status(&engine, lapsed), CaseStatus::Completed);
    assert_eq!(status(&engine, cancelled), CaseStatus::Deadlocked, "its only token went with the item");
    assert_eq!(code(engine.signal(lapsed, ActorId::ENGINE, "papers", Value::Null).await), "case/ended");
    assert_eq!(code(engine.signal(CaseId(99), ActorId::ENGINE, "papers", Value::Null).await), "case/not-found");
}

#[tokio::test]
async fn an_early_signal_is_kept_over_a_restart_or_lost_as_the_net_says() {
    for (net, kept) in [(KEEPS.to_owned(), true), (KEEPS.replace(", persistent: true", ""), false)] {
        let directory = tempfile::tempdir().unwrap();
        let clock = VirtualClock::new(START);
        let engine = open(directory.path(), &clock).await;
        let clerk = engine.register("ana", &["clerk"]).await.unwrap();
        let (_, case) = start(&engine, &net).await;
        assert_eq!(code(engine.signal(case, clerk, "paper", Value::Null).await), "case/unknown-signal");
        engine.signal(case, clerk, "papers", Value::Int(7)).await.unwrap();
        let recorded = engine.history(case).unwrap().into_iter().any(|logged| {
            logged.event == CaseEvent::SignalReceived { name: "papers".into(), data: Value::Int(7), kept, item: None }
        });
        assert!(recorded, "also one that is lost");
        engine.close().await.unwrap();

        let engine = open(directory.path(), &clock).await;
        engine.take(case, ItemId(0), clerk).await.unwrap();
        engine.start(case, ItemId(0), clerk).await.unwrap();
        engine.complete(case, ItemId(0), clerk, map("", Value::Null)).await.unwrap_err();
        engine.complete(case, ItemId(0), clerk, Value::Map(none())).await.unwrap();
        assert_eq!(status(&engine, case) == CaseStatus::Completed, kept);
        if !kept {
            let waits = engine.waits().of_case(case);
            assert_eq!((waits.len(), waits[0].signalled, waits[0].until), (1, false, None));
            engine.signal(case, clerk, "papers", Value::Null).await.unwrap();
            assert_eq!(status(&engine, case), CaseStatus::Completed);
        }
        engine.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_case_at_rest_refuses_work_and_goes_on_when_it_is_resumed_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let engine = open(directory.path(), &clock).await;
    let clerk = engine.register("ana", &["clerk"]).await.unwrap();
    let (_, works) = start(&engine, KEEPS).await;
    let (_, waits) = start(&engine, WAIT).await;
    for case in [works, waits] {
        engine.suspend_case(case, clerk).await.unwrap();
        assert_eq!(code(engine.suspend_case(case, clerk).await), "case/suspended");
    }
    assert_eq!(code(engine.take(works, ItemId(0), clerk).await), "case/suspended");
    assert_eq!(code(engine.signal(works, clerk, "papers", Value::Null).await), "case/suspended");
    assert!(engine.offered_to(clerk).is_empty(), "nobody is offered what would be refused");
    let row = engine.row(works).unwrap();
    assert_eq!((row.status, row.suspended), (CaseStatus::Open, true));
    move_to(&engine, &clock, 2 * HOUR).await;
    assert!(engine.timers(10).await.unwrap().is_empty());
    engine.close().await.unwrap();

    let engine = open(directory.path(), &clock).await;
    engine.settled().await;
    assert_eq!(engine.row(waits).unwrap().status, CaseStatus::Open, "its timer stands still");
    assert!(engine.offered_to(clerk).is_empty());
    for case in [works, waits] {
        engine.resume_case(case, clerk).await.unwrap();
    }
    engine.settled().await;
    assert_eq!(status(&engine, waits), CaseStatus::Completed, "what was due meanwhile fires");
    assert_eq!(events(&engine, waits, begins).len(), 1);
    assert_eq!(code(engine.resume_case(works, clerk).await), "case/not-suspended");
    assert_eq!(engine.offered_to(clerk).len(), 1);
    engine.take(works, ItemId(0), clerk).await.unwrap();
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_timer_that_is_still_to_come_is_not_lost_over_a_rest() {
    let clock = VirtualClock::new(START);
    let engine = in_memory(&clock).await;
    let (_, case) = start(&engine, WAIT).await;
    engine.suspend_case(case, ActorId::ENGINE).await.unwrap();
    engine.resume_case(case, ActorId::ENGINE).await.unwrap();
    engine.suspend_work(case, ItemId(0), ActorId::ENGINE).await.unwrap();
    assert!(engine.waits().of_case(case)[0].suspended);
    move_to(&engine, &clock, HOUR / 2).await;
    engine.resume_work(case, ItemId(0), ActorId::ENGINE).await.unwrap();
    assert_eq!(engine.timers(10).await.unwrap().len(), 1);
    move_to(&engine, &clock, HOUR).await;
    assert_eq!(status(&engine, case), CaseStatus::Completed);
}

#[tokio::test]
async fn work_that_takes_too_long_is_answered_as_the_net_says_once() {
    let net = "actum: 1\nnet: late\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { role: clerk, exceptions: { timeout: { after: PT1H, from: enabled, do: continue } }, flow: end }\n";
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let engine = open(directory.path(), &clock).await;
    let (_, case) = start(&engine, net).await;
    move_to(&engine, &clock, HOUR).await;
    let timed_out = |event: &CaseEvent| matches!(event, CaseEvent::WorkTimedOut { .. });
    assert_eq!(events(&engine, case, timed_out), [Time(START.0 + HOUR)]);
    engine.close().await.unwrap();
    let engine = open(directory.path(), &clock).await;
    move_to(&engine, &clock, 9 * HOUR).await;
    assert_eq!(events(&engine, case, timed_out).len(), 1);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn instances_are_added_and_the_rest_is_stopped() {
    let clock = VirtualClock::new(START);
    let engine = in_memory(&clock).await;
    let clerk = engine.register("ana", &["clerk"]).await.unwrap();
    let (net, case) = start(&engine, FOUND).await;
    let family = ItemId(0);
    engine.add_instance(case, family, clerk, None).await.unwrap();
    engine.add_instance(case, ItemId(1), clerk, None).await.unwrap();
    assert_eq!(engine.offered_to(clerk).len(), 3);
    assert_eq!(code(engine.add_instance(case, family, clerk, Some(Value::Int(1))).await), "work/instances");
    engine.add_instance(case, family, clerk, None).await.unwrap();
    assert_eq!(code(engine.add_instance(case, family, clerk, None).await), "work/instances");
    for row in engine.offered_to(clerk).iter().take(2) {
        engine.take(case, row.item, clerk).await.unwrap();
        engine.start(case, row.item, clerk).await.unwrap();
        engine.complete(case, row.item, clerk, map("yes", Value::Bool(true))).await.unwrap();
    }
    engine.complete_instances(case, family, clerk).await.unwrap();
    assert_eq!(status(&engine, case), CaseStatus::Completed);
    let results = engine.history(case).unwrap().into_iter().rev().find_map(|logged| match logged.event {
        CaseEvent::WorkCompleted { item, result: Value::List(list), .. } if item == family => Some(list.len()),
        _ => None,
    });
    assert_eq!(results, Some(2));
    assert!(engine.worklist().is_empty());
    let other = engine.start_case(net, None, none()).await.unwrap().case;
    assert_eq!(code(engine.complete_instances(other, ItemId(9), clerk).await), "work/not-found");
}

#[tokio::test]
async fn subnets_go_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let mut case = None;
    for opening in 0..3 {
        let engine = open(directory.path(), &clock).await;
        let clerk = engine.register("ana", &["clerk"]).await.unwrap();
        let case = match case {
            Some(case) => case,
            None => *case.insert(start(&engine, NESTED).await.1),
        };
        let before = engine.case(case).await.unwrap().unwrap();
        assert_eq!(before.control.frames().len(), 2, "opening {opening}");
        if opening < 2 {
            let item = engine.offered_to(clerk)[0].item;
            engine.take(case, item, clerk).await.unwrap();
            engine.start(case, item, clerk).await.unwrap();
            engine.complete(case, item, clerk, map("note", Value::String("!".into()))).await.unwrap();
        } else {
            move_to(&engine, &clock, HOUR).await;
            assert_eq!(status(&engine, case), CaseStatus::Completed);
            let history = format!("{:?}", engine.history(case).unwrap());
            assert!(history.contains("a!") && history.contains("b!"), "{history}");
        }
        engine.close().await.unwrap();
    }
}

#[tokio::test]
async fn an_exception_from_outside_does_what_the_net_says() {
    let net = "actum: 1\nnet: n\nroles: { clerk: {} }\nexceptions: { external: { recall: complete } }\nstart: a\ntasks:\n  a: { role: clerk, exceptions: { external: { broken: suspend } }, flow: end }\n";
    let clock = VirtualClock::new(START);
    let engine = in_memory(&clock).await;
    let clerk = engine.register("ana", &["clerk"]).await.unwrap();
    let (_, case) = start(&engine, net).await;
    let kind = ExceptionKind::External;
    let item = Some(ItemId(0));
    assert_eq!(code(engine.raise(case, item, clerk, kind, "unheard", "").await), "case/no-rule");
    engine.raise(case, item, clerk, kind, "broken", "the press stands still").await.unwrap();
    let state = engine.case(case).await.unwrap().unwrap();
    assert_eq!(state.control.items[0].phase, Phase::Suspended);
    assert!(engine.worklist().of_case(case)[0].suspended && engine.offered_to(clerk).is_empty());
    engine.raise(case, None, clerk, kind, "recall", "all of them").await.unwrap();
    assert_eq!(status(&engine, case), CaseStatus::Completed);
}

#[tokio::test]
async fn deadlocked_cases_do_not_keep_others_from_starting() {
    let net = "actum: 1\nnet: d\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { role: clerk, flow: end }\n";
    let mut limits = Limits::default();
    (limits.cases_open_max, limits.cases_kept_max) = (1, 3);
    let engine = Engine::in_memory().limits(limits).open().await.unwrap();
    let net = engine.deploy(net).await.unwrap().0.hash;
    let mut deadlocked = Vec::new();
    for _ in 0..3 {
        let case = engine.start_case(net, None, none()).await.unwrap().case;
        assert!(matches!(engine.start_case(net, None, none()).await, Err(CommandError::Busy { .. })));
        engine.cancel_work(case, ItemId(0), ActorId::ENGINE).await.unwrap();
        assert_eq!(engine.row(case).unwrap().status, CaseStatus::Deadlocked);
        deadlocked.push(case);
    }
    assert!(matches!(engine.start_case(net, None, none()).await, Err(CommandError::Busy { .. })), "memory is bounded");
    engine.cancel_case(deadlocked[0], ActorId::ENGINE, "of no use").await.unwrap();
    engine.start_case(net, None, none()).await.unwrap();
}

/// A rest for a time ends by itself: also when nobody ran at that time, and then the log says that it is late.
#[tokio::test]
async fn a_rest_for_a_time_ends_by_itself_also_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let engine = open(directory.path(), &clock).await;
    let (_, case) = start(&engine, RACE).await;
    let item = engine.waits().of_case(case)[1].item;
    let past = engine.suspend_case_for(case, ActorId::ENGINE, RestEnd::At(START)).await;
    assert_eq!(code(past), "case/rest");
    engine.suspend_case_for(case, ActorId::ENGINE, RestEnd::After { ns: HOUR / 2 }).await.unwrap();
    assert_eq!(code(engine.signal(case, ActorId::ENGINE, "papers", Value::Null).await), "case/suspended");
    assert_eq!(engine.timers(9).await.unwrap().len(), 1, "only the rest has a timer that goes");
    move_to(&engine, &clock, HOUR / 2).await;
    assert!(!engine.row(case).unwrap().suspended);
    let resumed = |event: &CaseEvent| matches!(event, CaseEvent::CaseResumed);
    assert_eq!(events(&engine, case, resumed), [Time(START.0 + HOUR / 2)]);

    engine.suspend_work_for(case, item, ActorId::ENGINE, RestEnd::After { ns: HOUR }).await.unwrap();
    engine.close().await.unwrap();
    clock.advance_to(Time(START.0 + 9 * HOUR));
    let engine = open(directory.path(), &clock).await;
    engine.settled().await;
    assert_eq!(status(&engine, case), CaseStatus::Completed);
    assert_eq!(events(&engine, case, |event| matches!(event, CaseEvent::WorkResumed { .. })).len(), 1);
    assert!(!events(&engine, case, |event| matches!(event, CaseEvent::TimerFiredLate { .. })).is_empty());
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_case_is_completed_by_force_and_says_who_and_why() {
    let clock = VirtualClock::new(START);
    let engine = in_memory(&clock).await;
    let (_, case) = start(&engine, RACE).await;
    let ana = engine.register("ana", &[]).await.unwrap();
    let output = |value: Value| BTreeMap::from([("outcome".to_owned(), value)]);
    let before = engine.history(case).unwrap().len();
    assert_eq!(code(engine.force_case(case, ana, output(Value::Int(1)), "").await), "case/output-type");
    assert_eq!(engine.history(case).unwrap().len(), before);
    engine.force_case(case, ana, output(Value::String("by hand".to_owned())), "the office burnt down").await.unwrap();
    let row = engine.row(case).unwrap();
    assert_eq!((row.status, row.forced), (CaseStatus::Completed, true));
    let history = engine.history(case).unwrap();
    let forced = history.iter().find(|logged| matches!(logged.event, CaseEvent::CaseForced { .. })).unwrap();
    assert_eq!(forced.meta.actor, ana);
    assert!(matches!(&forced.event, CaseEvent::CaseForced { reason, .. } if reason == "the office burnt down"));
    assert!(engine.timers(9).await.unwrap().is_empty() && engine.waits().cases().is_empty());
    assert_eq!(code(engine.force_case(case, ana, none(), "").await), "case/ended");
}
