//! Undoing, savepoints, deadlines and messages: what happens, event by event.

use std::fmt::Write;

use actum_kernel::{Context, RESTARTS_MAX, decide};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, CaseStatus, Directory, ExceptionKind, Extent, FrameId, Goal, ItemId,
    Meta, OrganisationEvent, Seq, Shift, SystemEvent, Time, Value, payload, snapshot,
};
use actum_net::Net;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;

/// A case that is driven by commands of the engine; what happened is text: kinds of events with tasks.
struct World {
    net: Net,
    case: Case,
    directory: Directory,
    seq: u64,
    now: Time,
}

impl World {
    #[track_caller]
    fn of(net: &str) -> Self {
        let net = format!("actum: 1\nnet: test\n{net}");
        let net = actum_net::compile(&net).unwrap_or_else(|found| panic!("{found:#?}")).net;
        World { net, case: Case::unborn(CaseId(1)), directory: Directory::default(), seq: 0, now: Time(10 * SECOND) }
    }

    #[track_caller]
    fn started(net: &str) -> Self {
        let mut world = World::of(net);
        world.ask(&CaseCommand::StartCase { input: [].into() }).expect("it starts");
        world
    }

    fn ask(&mut self, command: &CaseCommand) -> Result<String, &'static str> {
        let context = Context::new(self.now, ActorId::ENGINE, &self.directory);
        let decided = decide(&self.net, &self.case, command, &context).map_err(|rejection| rejection.code)?;
        let mut text = String::new();
        for one in &decided {
            self.seq += 1;
            let (seq, version) = (Seq(self.seq), self.case.version + 1);
            assert!(actum_kernel::fits(&self.net, &one.event), "{one:?}");
            // What is stored is what was decided.
            let stored = payload::encode_case(&one.event);
            assert_eq!(payload::decode(stored.kind, stored.schema, &stored.bytes), Ok(one.event.clone().into()));
            self.case.apply(&Meta { seq, version, time: self.now, actor: one.actor, cause: None }, &one.event);
            let mut saved = Vec::new();
            snapshot::encode_case(&self.case, &mut saved);
            assert_eq!(snapshot::decode_case(&saved).as_ref(), Ok(&self.case));
            let task = one.event.work().map(|(_, task)| format!(" {}", self.net.task_label(task))).unwrap_or_default();
            let more = match &one.event {
                CaseEvent::CompensationBegun { goal: Goal::Savepoint(name), .. }
                | CaseEvent::SavepointReached { name, .. }
                | CaseEvent::SavepointRestored { name, .. } => format!(" {name}"),
                CaseEvent::CaseCancelled { reason } => format!(" {reason}"),
                CaseEvent::ExceptionRaised { answer, .. } => format!(" {answer}"),
                _ => String::new(),
            };
            let name = payload::name_of(stored.kind).expect("a known kind");
            write!(text, "{}{name}{task}{more}", if text.is_empty() { "" } else { ", " }).unwrap();
        }
        Ok(text)
    }

    #[track_caller]
    fn does(&mut self, command: &CaseCommand, then: &str) {
        assert_eq!(self.ask(command).as_deref(), Ok(then));
    }

    #[track_caller]
    fn refuses(&mut self, command: &CaseCommand, code: &str) {
        let before = self.case.clone();
        assert_eq!(self.ask(command).expect_err("a rejection"), code);
        assert_eq!(self.case, before, "a rejection must leave the case as it was");
    }

    /// The live item of a task, in whatever frame.
    #[track_caller]
    fn item(&self, task: &str) -> ItemId {
        let task = self.net.task_labelled(task).expect("a task");
        let found = self.case.control.items.iter().find(|item| item.task == task && item.instance.is_none());
        found.unwrap_or_else(|| panic!("no item of {}", self.net.task_label(task))).id
    }

    #[track_caller]
    fn complete(&mut self, task: &str, then: &str) {
        let item = self.item(task);
        self.does(&CaseCommand::CompleteWork { item, result: Value::Null }, then);
    }

    #[track_caller]
    fn completes(&mut self, tasks: &[&str]) {
        for task in tasks {
            let item = self.item(task);
            self.ask(&CaseCommand::CompleteWork { item, result: Value::Null }).expect("it completes");
        }
    }

    #[track_caller]
    fn fail(&mut self, task: &str, then: &str) {
        let item = self.item(task);
        self.does(&CaseCommand::FailWork { item, code: "x".to_owned(), message: "no".to_owned() }, then);
    }

    #[track_caller]
    fn variable(&self, name: &str) -> Option<&Value> {
        self.case.variable(self.net.variable(name).expect("a variable"))
    }

    fn tokens(&self) -> Vec<String> {
        let marked = self.case.control.marking.of(FrameId::ROOT);
        let named = |(condition, count): (actum_net::ConditionIx, u32)| {
            format!("{}{}", self.net.conditions[condition.index()].name, if count > 1 { "+" } else { "" })
        };
        marked.map(named).collect()
    }
}

fn undo(extent: Extent) -> CaseCommand {
    CaseCommand::Compensate { extent, reason: "asked".to_owned() }
}

const TRIP: &str = "
exceptions: { external: { stop: compensate } }
start: flight
tasks:
  flight: { handler: h, compensation: unflight, flow: hotel }
  hotel: { handler: h, compensation: unhotel, flow: pay }
  pay: { handler: h, exceptions: { abort: { do: compensate, scope: case } }, flow: end }
  unflight: { compensates: true, handler: h }
  unhotel: { compensates: true, handler: h }
";

#[test]
fn a_failure_undoes_what_was_done_the_last_first_and_cancels_the_case() {
    let mut world = World::started(TRIP);
    world.complete("flight", "WorkCompleted flight, CompensationNoted flight, WorkEnabled hotel, WorkStarted hotel");
    world.completes(&["hotel"]);
    world.fail(
        "pay",
        "WorkFailed pay, ExceptionRaised case: compensate, WorkCancelled pay, CompensationBegun, WorkEnabled unhotel, WorkCompensating unhotel, WorkStarted unhotel",
    );
    world.refuses(&undo(Extent::All), "case/compensating");
    // What undoes may fail, and be tried again.
    world.fail("unhotel", "WorkFailed unhotel");
    let item = world.item("unhotel");
    world.does(&CaseCommand::RetryWork { item }, "WorkRetried unhotel");
    world.complete(
        "unhotel",
        "WorkCompleted unhotel, WorkEnabled unflight, WorkCompensating unflight, WorkStarted unflight",
    );
    world.complete("unflight", "WorkCompleted unflight, CaseCancelled compensated");
    assert_eq!(world.case.control.status, CaseStatus::Cancelled);
}

#[test]
fn all_is_undone_on_request_and_nothing_twice() {
    let mut world = World::started(TRIP);
    world.completes(&["flight", "hotel"]);
    world.does(
        &undo(Extent::All),
        "ExceptionRaised case: compensate, WorkCancelled pay, CompensationBegun, WorkEnabled unhotel, WorkCompensating unhotel, WorkStarted unhotel",
    );
    // It rests, and goes on where it was.
    world.ask(&CaseCommand::SuspendCase { until: None }).unwrap();
    world.complete("unhotel", "WorkCompleted unhotel");
    world.does(
        &CaseCommand::ResumeCase,
        "CaseResumed, WorkEnabled unflight, WorkCompensating unflight, WorkStarted unflight",
    );
    // What undoes is passed over if somebody takes it away.
    let item = world.item("unflight");
    world.does(&CaseCommand::CancelWork { item }, "WorkSkipped unflight, CaseCancelled compensated");
    let mut nothing = World::started(TRIP);
    nothing.does(
        &undo(Extent::All),
        "ExceptionRaised case: compensate, WorkCancelled flight, CompensationBegun, CaseCancelled compensated",
    );
}

#[test]
fn a_branch_is_undone_and_the_other_goes_on() {
    let mut world = World::started(
        "
start: plan
tasks:
  plan: { handler: h, split: and, flow: [a1, b1] }
  a1: { handler: h, compensation: una, flow: a2 }
  a2: { handler: h, exceptions: { abort: compensate }, flow: out }
  b1: { handler: h, compensation: unb, flow: b2 }
  b2: { handler: h, flow: out }
  out: { join: xor, flow: end }
  una: { compensates: true, handler: h }
  unb: { compensates: true, handler: h }
",
    );
    world.completes(&["plan", "a1", "b1"]);
    world.fail(
        "a2",
        "WorkFailed a2, ExceptionRaised compensate, CompensationBegun, WorkEnabled una, WorkCompensating una, WorkStarted una",
    );
    world.refuses(&undo(Extent::Branch(world.item("a2"))), "case/compensating");
    // The case does not end before all is undone.
    world.complete("b2", "WorkCompleted b2, WorkEnabled out, WorkStarted out, WorkCompleted out");
    world.complete("una", "WorkCompleted una, WorkCancelled a2, CaseCompleted");
}

#[test]
fn what_was_done_inside_of_a_subnet_is_undone_with_its_data() {
    let mut world = World::started(
        "
start: trip
tasks:
  trip: { net: inner, params: { n: 4 }, exceptions: { external: { off: compensate } }, flow: end }
nets:
  inner:
    data: { n: { type: int, input: true } }
    start: book
    tasks:
      book: { handler: h, compensation: unbook, flow: rest }
      rest: { handler: h, flow: end }
      unbook: { compensates: true, handler: h, params: { n: '{{ n }}' } }
",
    );
    world.completes(&["inner/book"]);
    let item = world.item("trip");
    let off = CaseCommand::RaiseException {
        item: Some(item),
        kind: ExceptionKind::External,
        name: "off".to_owned(),
        message: String::new(),
    };
    world.does(
        &off,
        "ExceptionRaised compensate, WorkCancelled inner/rest, CompensationBegun, WorkEnabled inner/unbook, WorkCompensating inner/unbook, WorkStarted inner/unbook",
    );
    let unbook = world.item("inner/unbook");
    let asked = actum_kernel::pending_effects(&world.net, &world.case).find_map(|effect| match effect {
        actum_kernel::Effect::Invoke { item, input, .. } if item == unbook => input.ok(),
        _ => None,
    });
    assert_eq!(asked, Some(Value::Map([("n".to_owned(), Value::Int(4))].into())));
    world.complete(
        "inner/unbook",
        "WorkCompleted inner/unbook, SubnetEnded, WorkCancelled trip, CaseCancelled compensated",
    );
}

const SAVED: &str = "
data: { n: { type: int, default: 1 }, later: { type: int } }
mutexes: oven
start: a
tasks:
  a: { handler: h, savepoint: warm, compensation: una, output: { n: 2 }, split: and, flow: [b, side] }
  b: { handler: h, mutex: oven, compensation: unb, output: { n: 3, later: 9 }, flow: c }
  side: { handler: h, flow: join }
  c: { handler: h, exceptions: { abort: { rollback: warm } }, flow: join }
  join: { join: and, flow: end }
  una: { compensates: true, handler: h }
  unb: { compensates: true, handler: h }
";

#[test]
fn one_goes_back_to_a_savepoint_with_tokens_and_data() {
    let mut world = World::started(SAVED);
    world.refuses(&undo(Extent::Savepoint("warm".to_owned())), "case/no-savepoint");
    world.complete(
        "a",
        "WorkCompleted a, CompensationNoted a, SavepointReached warm, WorkEnabled b, WorkStarted b, WorkEnabled side, WorkStarted side",
    );
    for round in 0..2 {
        world.completes(&["b"]);
        assert_eq!((world.variable("n"), world.variable("later")), (Some(&Value::Int(3)), Some(&Value::Int(9))));
        world.fail(
            "c",
            "WorkFailed c, ExceptionRaised rollback warm, WorkCancelled c, WorkCancelled side, CompensationBegun warm, WorkEnabled unb, WorkCompensating unb, WorkStarted unb",
        );
        assert!(world.tokens().is_empty(), "nothing else can begin meanwhile");
        world.complete(
            "unb",
            "WorkCompleted unb, SavepointRestored warm, WorkEnabled b, WorkStarted b, WorkEnabled side, WorkStarted side",
        );
        assert_eq!((world.variable("n"), world.variable("later")), (Some(&Value::Int(2)), Some(&Value::Null)));
        assert_eq!(world.case.control.saga().map(|saga| saga.done.len()), Some(1), "round {round}: a is done");
    }
    world.completes(&["b", "c", "side"]);
    assert_eq!(world.case.control.status, CaseStatus::Completed);
}

#[test]
fn an_old_answer_gives_mutexes_back_and_joins_are_as_new() {
    let mut world = World::started(
        "
mutexes: m
exceptions: { abort: { compensate: undo } }
start: s
tasks:
  s: { handler: h, split: and, flow: [x, y] }
  x: { handler: h, mutex: m, flow: j }
  y: { handler: h, flow: j }
  j: { join: { of: 1 }, handler: h, flow: end }
  undo: { compensates: true, handler: h }
",
    );
    world.completes(&["s", "y"]);
    world.fail(
        "j",
        "WorkFailed j, ExceptionRaised case: compensate undo, WorkCancelled x, WorkCancelled j, JoinAdvanced, WorkEnabled undo, WorkStarted undo",
    );
    assert_eq!(world.tokens(), ["m"], "the mutex is free");
    world.complete("undo", "WorkCompleted undo, CaseCancelled compensated");
}

#[test]
fn work_that_always_fails_is_not_begun_anew_for_ever() {
    let mut world =
        World::started("start: a\ntasks: { a: { handler: h, exceptions: { abort: restart }, flow: end } }\n");
    for _ in 0..RESTARTS_MAX {
        world.fail("a", "WorkFailed a, ExceptionRaised restart, WorkCancelled a, WorkEnabled a, WorkStarted a");
    }
    world.fail("a", "WorkFailed a, ExceptionRaised continue");
    let item = world.item("a");
    world.does(&CaseCommand::RetryWork { item }, "WorkRetried a");
    world.complete("a", "WorkCompleted a, CaseCompleted");
}

#[test]
fn what_is_offered_begins_anew_with_another_timer() {
    let mut world = World::started(
        "roles: { r: }\nstart: a\ntasks: { a: { role: r, exceptions: { timeout: { after: PT1H, do: restart } }, flow: end } }\n",
    );
    let (item, now) = (world.item("a"), world.now);
    world.now = Time(now.0 + HOUR);
    world.does(
        &CaseCommand::TimerFired { item },
        "WorkTimedOut a, ExceptionRaised restart, WorkWithdrawn a, WorkEnabled a, WorkWaiting a, WorkOffered a",
    );
    assert_eq!(world.case.control.item(world.item("a")).unwrap().timer, Some(Time(now.0 + 2 * HOUR)));
}

#[test]
fn a_case_has_a_deadline_of_its_own_and_a_late_timer_says_so() {
    let net =
        "exceptions: { timeout: { after: PT1H, do: suspend } }\nstart: a\ntasks: { a: { handler: h, flow: end } }\n";
    let mut world = World::of(net);
    world.does(&CaseCommand::StartCase { input: [].into() }, "CaseStarted, CaseWaiting, WorkEnabled a, WorkStarted a");
    world.refuses(&CaseCommand::CaseTimerFired, "case/too-early");
    let mut late = World::started(net);
    world.now = Time(world.now.0 + HOUR);
    world.does(&CaseCommand::CaseTimerFired, "CaseTimedOut, ExceptionRaised case: suspend, CaseSuspended");
    world.ask(&CaseCommand::ResumeCase).unwrap();
    world.refuses(&CaseCommand::CaseTimerFired, "case/no-timer");
    late.now = Time(late.now.0 + 3 * HOUR);
    late.does(
        &CaseCommand::CaseTimerFired,
        "TimerFiredLate, CaseTimedOut, ExceptionRaised case: suspend, CaseSuspended",
    );
}

#[test]
fn deadlines_count_time_on_duty_and_from_when_work_is_somebodys() {
    let mut world = World::of(
        "roles: { r: }\nstart: a\ntasks: { a: { role: r, exceptions: { timeout: { after: PT2H, calendar: office, from: allocated, do: escalate } }, flow: end } }\n",
    );
    let shifts = (0..7).map(|day| Shift { day, from_minute: 9 * 60, until_minute: 17 * 60 }).collect();
    let ana = ActorId(1);
    world.directory.apply(&SystemEvent::ActorRegistered { actor: ana, name: "ana".into(), roles: vec!["r".into()] });
    world.directory.apply(&SystemEvent::Organisation(OrganisationEvent::CalendarDefined {
        name: "office".into(),
        zone: "UTC".into(),
        shifts,
        closed: Vec::new(),
    }));
    world.now = Time(16 * HOUR);
    world.ask(&CaseCommand::StartCase { input: [].into() }).unwrap();
    let item = world.item("a");
    assert_eq!(world.case.control.item(item).unwrap().timer, None, "nobody has it yet");
    let context = Context::new(world.now, ana, &world.directory);
    let decided = decide(&world.net, &world.case, &CaseCommand::TakeWork { item }, &context).unwrap();
    assert!(matches!(decided.last().unwrap().event, CaseEvent::WorkWaiting { until, .. } if until == Time(34 * HOUR)));
    for one in &decided {
        let meta = Meta { seq: Seq(99), version: 9, time: world.now, actor: one.actor, cause: None };
        world.case.apply(&meta, &one.event);
    }
    world.now = Time(34 * HOUR);
    // Nobody is above ana: that is on record too.
    world.does(
        &CaseCommand::TimerFired { item },
        "WorkTimedOut a, ExceptionRaised escalate, AllocationDecided a, WorkEscalated a",
    );
}

#[test]
fn a_task_waits_for_its_message_and_gives_what_came() {
    let mut world = World::started(
        "
data: { order: { type: int, default: 7 }, paid: { type: int } }
start: pay
tasks:
  pay: { receive: { message: payment, key: '{{ order }}' }, output: { paid: '{{ result.amount }}' }, flow: end }
",
    );
    let item = world.item("pay");
    assert_eq!(
        world.case.control.awaited_by(item).map(|one| (one.name.as_str(), one.key.as_str())),
        Some(("payment", "7"))
    );
    let message =
        |name: &str, data| CaseCommand::ReceiveMessage { item, message: Seq(77), name: name.to_owned(), data };
    world.refuses(&message("refund", Value::Null), "work/no-message");
    let data = Value::Map([("amount".to_owned(), Value::Int(12))].into());
    world.does(
        &message("payment", data.clone()),
        "MessageReceived pay, WorkStarted pay, WorkCompleted pay, CaseCompleted",
    );
    assert_eq!(world.variable("paid"), Some(&Value::Int(12)));
    world.refuses(&message("payment", data), "case/ended");
}

#[test]
fn a_key_that_is_none_fails_the_work() {
    let mut world = World::of(
        "data: { l: { type: any } }\nstart: a\ntasks: { a: { receive: { message: m, key: '{{ l }}' }, flow: end } }\n",
    );
    world.does(&CaseCommand::StartCase { input: [].into() }, "CaseStarted, WorkEnabled a, WorkStarted a, WorkFailed a");
}

#[test]
fn how_cases_start_is_the_nets_to_say() {
    let mut world = World::of("starts: { s: { every: PT1H } }\nstart: a\ntasks: { a: { handler: h, flow: end } }\n");
    world.refuses(&CaseCommand::StartCase { input: [].into() }, "case/not-by-hand");
    let triggered = CaseCommand::TriggerCase { input: [].into(), start: "s".into(), due: Some(Time(5)), message: None };
    world.does(&triggered, "CaseStarted, CaseTriggered, WorkEnabled a, WorkStarted a");
}

#[test]
fn an_answer_sends_a_signal_that_another_task_waits_for() {
    let mut world = World::started(
        "
start: [s]
tasks:
  s: { split: and, flow: [work, chief] }
  work: { handler: h, exceptions: { timeout: { after: PT1H, do: { signal: late } } }, flow: out }
  chief: { trigger: { signal: late }, handler: h, flow: out }
  out: { join: xor, flow: end }
",
    );
    let item = world.item("work");
    world.now = Time(world.now.0 + HOUR);
    world.does(
        &CaseCommand::TimerFired { item },
        "WorkTimedOut work, ExceptionRaised signal late, SignalReceived, WorkStarted chief",
    );
}
