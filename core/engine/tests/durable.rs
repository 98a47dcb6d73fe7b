//! Messages, starts by the clock and by messages, deadlines and undoing in a running engine, and over restarts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actum::{
    ActorId, CaseEvent, CaseId, CaseStatus, CommandError, Engine, Extent, HandlerError, Message, NetHash, Seq, Time,
    Value, VirtualClock,
};
use actum_model::{Event, MessageEvent, StartEvent, SystemEvent, payload};

const MINUTE: u64 = 60_000_000_000;
const HOUR: u64 = 60 * MINUTE;
/// Where simulated time begins in these tests: 1970-02-11 16:00 UTC.
const START: Time = Time(1_000 * HOUR);

const PAY: &str = "
actum: 1
net: pay
data: { order: { type: string, input: true, required: true }, paid: { type: int } }
start: pay
tasks:
  pay: { receive: { message: payment, key: '{{ order }}' }, output: { paid: '{{ result.amount }}' }, flow: end }
";

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn map(name: &str, value: Value) -> Value {
    Value::Map(BTreeMap::from([(name.to_owned(), value)]))
}

fn order(order: &str) -> BTreeMap<String, Value> {
    BTreeMap::from([("order".to_owned(), text(order))])
}

fn payment(key: &str, amount: i64) -> Message {
    Message::new("payment", key, map("amount", Value::Int(amount)))
}

async fn open(directory: &Path, clock: &VirtualClock) -> Engine {
    let engine = Engine::at(directory).clock(clock.clone()).open().await.unwrap();
    engine.settled().await;
    engine
}

async fn deploy(engine: &Engine, source: &str) -> NetHash {
    engine.deploy(source).await.unwrap_or_else(|error| panic!("{error}")).0.hash
}

async fn pay(engine: &Engine, net: NetHash, key: &str) -> CaseId {
    engine.start_case(net, None, order(key)).await.unwrap().case
}

async fn send(engine: &Engine, message: Message) -> actum::Sent {
    let sent = engine.message(message, ActorId::ENGINE).await.unwrap();
    engine.settled().await;
    sent
}

async fn move_to(engine: &Engine, clock: &VirtualClock, after: u64) {
    clock.advance_to(Time(START.0 + after));
    engine.settled().await;
}

fn status(engine: &Engine, case: CaseId) -> CaseStatus {
    engine.row(case).unwrap().status
}

fn open_of(engine: &Engine, cases: &[CaseId]) -> usize {
    cases.iter().filter(|case| status(engine, **case) == CaseStatus::Open).count()
}

fn events(engine: &Engine, case: CaseId) -> Vec<CaseEvent> {
    engine.history(case).unwrap().into_iter().map(|logged| logged.event).collect()
}

fn code<T: std::fmt::Debug>(answer: Result<T, CommandError>) -> &'static str {
    match answer {
        Err(CommandError::Rejected(rejection)) => rejection.code,
        other => panic!("not a rejection: {other:?}"),
    }
}

/// All events of the system so far.
async fn system_events(engine: &Engine) -> Vec<SystemEvent> {
    let last = engine.head().unwrap().unwrap().size;
    let mut subscription = engine.subscribe(Seq(0));
    let mut found = Vec::new();
    while let Ok(Some(logged)) = subscription.next().await {
        let header = logged.header();
        let is_last = header.seq + 1 >= last;
        if let Ok(Event::System(event)) = payload::decode(header.kind, header.schema, logged.payload()) {
            found.push(event);
        }
        if is_last {
            break;
        }
    }
    found
}

#[tokio::test]
async fn a_message_meets_the_one_who_waits_for_its_name_and_key() {
    let clock = VirtualClock::new(START);
    let engine = Engine::in_memory().clock(clock.clone()).open().await.unwrap();
    let net = deploy(&engine, PAY).await;
    let (first, other) = (pay(&engine, net, "a").await, pay(&engine, net, "b").await);
    let lost = send(&engine, payment("c", 1)).await;
    assert!(lost.is_new && !lost.is_pending, "nobody waits for it");
    let sent = send(&engine, payment("a", 12).id("m1")).await;
    assert!(sent.is_new && sent.is_pending);
    assert_eq!((status(&engine, first), status(&engine, other)), (CaseStatus::Completed, CaseStatus::Open));
    let received = events(&engine, first).into_iter().find_map(|event| match event {
        CaseEvent::MessageReceived { message, data, .. } => Some((message, data)),
        _ => None,
    });
    assert_eq!(received, Some((sent.message, map("amount", Value::Int(12)))));
    // The same message again is known by its id, also for others that wait now.
    let again = pay(&engine, net, "a").await;
    let twice = send(&engine, payment("a", 12).id("m1")).await;
    assert_eq!((twice.message, twice.is_new), (sent.message, false));
    assert_eq!(status(&engine, again), CaseStatus::Open);
}

#[tokio::test]
async fn one_waiting_case_gets_a_message_or_all_do() {
    let clock = VirtualClock::new(START);
    let engine = Engine::in_memory().clock(clock.clone()).open().await.unwrap();
    let net = deploy(&engine, PAY).await;
    let mut cases = Vec::new();
    for _ in 0..5 {
        cases.push(pay(&engine, net, "a").await);
    }
    // Who rests is passed over.
    engine.suspend_case(cases[0], ActorId::ENGINE).await.unwrap();
    send(&engine, payment("a", 1)).await;
    assert_eq!(open_of(&engine, &cases), 4);
    assert_eq!(status(&engine, cases[1]), CaseStatus::Completed, "the oldest that does not rest");
    send(&engine, payment("a", 1).to_all().keep_for(Duration::from_mins(1))).await;
    assert_eq!(open_of(&engine, &cases), 1);
    // It is kept: who goes on receives it, once.
    engine.resume_case(cases[0], ActorId::ENGINE).await.unwrap();
    engine.settled().await;
    assert_eq!(open_of(&engine, &cases), 0);
    let late = pay(&engine, net, "a").await;
    engine.settled().await;
    assert_eq!(status(&engine, late), CaseStatus::Completed);
    clock.advance_to(Time(START.0 + 2 * MINUTE));
    engine.settled().await;
    let after = pay(&engine, net, "a").await;
    engine.settled().await;
    assert_eq!(status(&engine, after), CaseStatus::Open, "its time is over");
    let dropped =
        |event: &SystemEvent| matches!(event, SystemEvent::Message(MessageEvent::Dropped { expired: true, .. }));
    assert_eq!(system_events(&engine).await.iter().filter(|event| dropped(event)).count(), 1);
}

#[tokio::test]
async fn a_kept_message_survives_a_restart_and_is_received_once() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let engine = open(directory.path(), &clock).await;
    let net = deploy(&engine, PAY).await;
    let waits = pay(&engine, net, "w").await;
    assert!(send(&engine, payment("a", 7).id("m").keep_for(Duration::from_hours(1))).await.is_pending);
    engine.close().await.unwrap();
    let engine = open(directory.path(), &clock).await;
    assert!(!send(&engine, payment("a", 7).id("m")).await.is_new, "its id is known over restarts");
    let first = pay(&engine, net, "a").await;
    engine.settled().await;
    assert_eq!(status(&engine, first), CaseStatus::Completed);
    let second = pay(&engine, net, "a").await;
    engine.settled().await;
    engine.close().await.unwrap();
    let engine = open(directory.path(), &clock).await;
    assert_eq!((status(&engine, second), status(&engine, waits)), (CaseStatus::Open, CaseStatus::Open));
    // Who waits is known over restarts too.
    send(&engine, payment("w", 1)).await;
    assert_eq!(status(&engine, waits), CaseStatus::Completed);
}

#[tokio::test]
async fn messages_that_cannot_be_stored_are_refused() {
    let engine = Engine::in_memory().clock(VirtualClock::new(START)).open().await.unwrap();
    let refused = |message| async { code(engine.message(message, ActorId::ENGINE).await) };
    assert_eq!(refused(Message::new("", "k", Value::Null)).await, "message/name");
    assert_eq!(refused(Message::new("m", "k".repeat(257), Value::Null)).await, "message/key");
    assert_eq!(refused(Message::new("m", "k", Value::Null).id("")).await, "message/id");
    let deep = (0..70).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    assert_eq!(refused(Message::new("m", "k", deep)).await, "message/data");
}

fn ticking(catch_up: &str) -> String {
    format!(
        "
actum: 1
net: tick
data: {{ at: {{ type: time, input: true }} }}
starts: {{ hourly: {{ cron: '0 * * * *', catch_up: {catch_up}, input: {{ at: '{{{{ due }}}}' }} }} }}
start: a
tasks: {{ a: {{ flow: end }} }}
"
    )
}

/// The due times for which cases were started, in hours after the start.
fn started(engine: &Engine) -> Vec<u64> {
    let mut cases: Vec<CaseId> = engine.cases().select(|_| true).into_iter().map(|(case, _)| case).collect();
    cases.sort_unstable();
    let due = |case: &CaseId| {
        events(engine, *case).into_iter().find_map(|event| match event {
            CaseEvent::CaseTriggered { due: Some(due), .. } => Some((due.0 - START.0) / HOUR),
            _ => None,
        })
    };
    cases.iter().filter_map(due).collect()
}

#[tokio::test]
async fn the_clock_starts_cases_once_for_each_time_also_over_restarts() {
    for (catch_up, wanted, left_out) in
        [("all", vec![1, 2, 3, 4, 5, 6], 0), ("last", vec![1, 2, 5, 6], 2), ("none", vec![1, 2, 6], 3)]
    {
        let directory = tempfile::tempdir().unwrap();
        let clock = VirtualClock::new(START);
        let engine = open(directory.path(), &clock).await;
        let net = deploy(&engine, &ticking(catch_up)).await;
        assert_eq!(code(engine.start_case(net, None, BTreeMap::new()).await), "case/not-by-hand");
        move_to(&engine, &clock, HOUR).await;
        move_to(&engine, &clock, HOUR + 1).await;
        engine.close().await.unwrap();
        let engine = open(directory.path(), &clock).await;
        move_to(&engine, &clock, 2 * HOUR).await;
        engine.close().await.unwrap();
        // Nobody listens at 3, 4 and 5.
        clock.advance_to(Time(START.0 + 5 * HOUR + 10 * MINUTE));
        let engine = open(directory.path(), &clock).await;
        engine.settled().await;
        move_to(&engine, &clock, 6 * HOUR).await;
        assert_eq!(started(&engine), wanted, "{catch_up}");
        let all = system_events(&engine).await;
        let skipped = all.iter().map(|event| match event {
            SystemEvent::Start(StartEvent::Skipped { count, .. }) => *count,
            _ => 0,
        });
        assert_eq!(skipped.sum::<u64>(), left_out, "{catch_up}");
        engine.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_start_that_is_refused_is_on_record_and_not_tried_again() {
    let clock = VirtualClock::new(START);
    let engine = Engine::in_memory().clock(clock.clone()).open().await.unwrap();
    let net = ticking("all").replace("{{ due }}", "{{ 1 / (int(due) * 0) }}");
    deploy(&engine, &net.replace("type: time", "type: any")).await;
    move_to(&engine, &clock, 2 * HOUR).await;
    let refused = system_events(&engine).await;
    let refused = refused.iter().filter(|event| matches!(event, SystemEvent::Start(StartEvent::Refused { .. })));
    assert_eq!((refused.count(), started(&engine).len()), (2, 0));
}

#[tokio::test]
async fn a_message_starts_a_case_unless_one_waits_for_it() {
    let clock = VirtualClock::new(START);
    let engine = Engine::in_memory().clock(clock.clone()).open().await.unwrap();
    let net = deploy(
        &engine,
        "
actum: 1
net: orders
data: { order: { type: string, input: true, required: true }, more: { type: string } }
starts:
  placed: { message: order, key: '{{ message.id }}', input: { order: '{{ message.id }}' } }
start: more
tasks:
  more: { receive: { message: order, key: '{{ order }}' }, output: { more: '{{ result.id }}' }, flow: end }
",
    )
    .await;
    let placed = |id: &str, key: &str| Message::new("order", key, map("id", text(id)));
    send(&engine, placed("o1", "o1")).await;
    let cases = engine.cases().select(|row| row.net == net);
    assert_eq!(cases.len(), 1);
    let case = cases[0].0;
    assert_eq!(cases[0].1.key.as_deref(), Some("o1"));
    // Now a case waits for that key.
    send(&engine, placed("o2", "o1")).await;
    assert_eq!((status(&engine, case), engine.cases().select(|_| true).len()), (CaseStatus::Completed, 1));
    // The business key has started its case: another message of it starts none, which is on record.
    send(&engine, placed("o1", "x")).await;
    assert_eq!(engine.cases().select(|_| true).len(), 1);
    let refused = system_events(&engine).await.into_iter().find_map(|event| match event {
        SystemEvent::Start(StartEvent::Refused { code, .. }) => Some(code),
        _ => None,
    });
    assert_eq!(refused.as_deref(), Some("case/exists"));
}

#[tokio::test]
async fn what_was_due_while_nobody_listened_fires_once_late_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let engine = open(directory.path(), &clock).await;
    let net = deploy(
        &engine,
        "
actum: 1
net: late
exceptions: { timeout: { after: PT3H, do: suspend } }
start: a
tasks: { a: { wait: { for: PT1H }, flow: b }, b: { wait: { for: P1D }, flow: end } }
",
    )
    .await;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.close().await.unwrap();
    clock.advance_to(Time(START.0 + 5 * HOUR));
    for _ in 0..2 {
        let engine = open(directory.path(), &clock).await;
        engine.settled().await;
        let late: Vec<u64> = events(&engine, case)
            .into_iter()
            .filter_map(|event| match event {
                CaseEvent::TimerFiredLate { due, .. } => Some((due.0 - START.0) / HOUR),
                _ => None,
            })
            .collect();
        assert_eq!(late, [1, 3], "the wait and the case's deadline, once each");
        assert!(engine.case(case).await.unwrap().unwrap().control.suspended);
        engine.close().await.unwrap();
    }
}

const TRIP: &str = "
actum: 1
net: trip
data: { seat: { type: int } }
exceptions: { external: { stop: compensate } }
start: flight
tasks:
  flight: { handler: book, params: { what: flight }, compensation: unflight, flow: hotel }
  hotel: { handler: book, params: { what: hotel }, compensation: unhotel, flow: car }
  car: { handler: book, params: { what: car }, exceptions: { abort: { do: compensate, scope: case } }, flow: end }
  unflight: { compensates: true, handler: undo, params: { what: flight } }
  unhotel: { compensates: true, handler: undo, params: { what: hotel } }
";

/// A handler that cancels bookings; it hangs in its `hangs`-th call of this process, and says what it cancelled.
async fn trip_engine(directory: &Path, hangs: u32, undone: &Arc<Mutex<Vec<String>>>) -> Engine {
    let (calls, undone) = (Arc::new(AtomicU32::new(0)), undone.clone());
    let what = |call: &actum::Call| match &call.input {
        Value::Map(map) => format!("{:?}", map["what"]),
        other => format!("{other:?}"),
    };
    Engine::at(directory)
        .clock(VirtualClock::new(START))
        .handler_fn("book", move |call| {
            if what(&call).contains("car") { Err(HandlerError::new("car/none", "no car")) } else { Ok(Value::Null) }
        })
        .handler("undo", Undo { calls, hangs, undone })
        .open()
        .await
        .unwrap()
}

struct Undo {
    calls: Arc<AtomicU32>,
    hangs: u32,
    undone: Arc<Mutex<Vec<String>>>,
}

#[actum::async_trait]
impl actum::Handler for Undo {
    async fn handle(&self, call: actum::Call) -> Result<Value, HandlerError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.hangs {
            std::future::pending::<()>().await;
        }
        self.undone.lock().unwrap().push(call.task.to_string());
        Ok(Value::Null)
    }
}

#[tokio::test]
async fn undoing_goes_on_where_it_was_after_a_crash_in_the_middle() {
    let directory = tempfile::tempdir().unwrap();
    let undone = Arc::new(Mutex::new(Vec::new()));
    let engine = trip_engine(directory.path(), 2, &undone).await;
    let net = deploy(&engine, TRIP).await;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    // The first is undone; the second hangs while the engine goes down.
    while engine
        .case(case)
        .await
        .unwrap()
        .is_none_or(|case| case.control.saga().is_none_or(|saga| saga.done.len() != 1))
        || undone.lock().unwrap().len() != 1
    {
        tokio::task::yield_now().await;
    }
    engine.close().await.unwrap();
    assert_eq!(*undone.lock().unwrap(), ["unhotel"]);
    let engine = trip_engine(directory.path(), 0, &undone).await;
    engine.settled().await;
    assert_eq!(*undone.lock().unwrap(), ["unhotel", "unflight"], "in reverse order, nothing twice");
    assert_eq!(status(&engine, case), CaseStatus::Cancelled);
    let of: Vec<u32> = events(&engine, case)
        .into_iter()
        .filter_map(|event| match event {
            CaseEvent::WorkCompensating { of, .. } => Some(of.0),
            _ => None,
        })
        .collect();
    assert_eq!(of, [1, 0], "the events say which item is being undone");
    let again = engine.compensate(case, ActorId::ENGINE, Extent::All, "again").await;
    assert_eq!(code(again), "case/ended");
}
