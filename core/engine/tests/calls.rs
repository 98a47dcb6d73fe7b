//! Handlers' calls: limits before them, time limits and cancellation while they run, breakers after them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use actum::{
    BatchHandler, BatchOptions, BreakerState, Call, CaseEvent, CaseId, CaseStatus, DeployError, Engine, EngineBuilder,
    Handler, HandlerError, ItemId, Time, Value, VirtualClock,
};
use tokio::sync::{Semaphore, mpsc};

const SECOND: u64 = 1_000_000_000;
/// Where simulated time begins in these tests.
const START: Time = Time(1_000_000 * SECOND);

fn none() -> BTreeMap<String, Value> {
    BTreeMap::new()
}

fn net(name: &str, policies: &str) -> String {
    format!("actum: 1\nnet: {name}\nstart: a\ntasks:\n  a: {{ handler: h, policies: {policies}, flow: end }}\n")
}

/// Waits for leave, and tells of every call that came in.
#[derive(Clone)]
struct Gated {
    came: mpsc::UnboundedSender<(CaseId, u32)>,
    leave: Arc<Semaphore>,
    /// Cancellations that were seen.
    cancelled: Arc<AtomicU32>,
    beats: bool,
}

impl Gated {
    fn new() -> (Self, mpsc::UnboundedReceiver<(CaseId, u32)>) {
        let (came, seen) = mpsc::unbounded_channel();
        let gated = Gated { came, leave: Arc::new(Semaphore::new(0)), cancelled: Arc::default(), beats: false };
        (gated, seen)
    }
}

#[actum::async_trait]
impl Handler for Gated {
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        call.report(0.5, "half");
        self.came.send((call.case, call.attempt)).unwrap();
        tokio::select! {
            leave = self.leave.acquire() => leave.unwrap().forget(),
            () = call.cancelled() => {
                self.cancelled.fetch_add(1, Ordering::SeqCst);
                return Err(HandlerError::new("test/cancelled", ""));
            }
        }
        if self.beats {
            call.heartbeat();
        }
        Ok(Value::Int(i64::from(call.attempt)))
    }
}

fn engine(clock: &VirtualClock) -> EngineBuilder {
    Engine::in_memory().clock(clock.clone())
}

async fn case_of(engine: &Engine, source: &str) -> CaseId {
    let net = engine.deploy(source).await.unwrap_or_else(|error| panic!("{error:?}")).0.hash;
    engine.start_case(net, None, none()).await.unwrap().case
}

fn history(engine: &Engine, case: CaseId) -> Vec<CaseEvent> {
    engine.history(case).unwrap().into_iter().map(|logged| logged.event).collect()
}

fn failures(engine: &Engine, case: CaseId) -> Vec<String> {
    let code = |event: CaseEvent| match event {
        CaseEvent::WorkFailed { code, .. } => Some(code),
        _ => None,
    };
    history(engine, case).into_iter().filter_map(code).collect()
}

fn status(engine: &Engine, case: CaseId) -> CaseStatus {
    engine.row(case).unwrap().status
}

fn after(seconds: u64) -> Time {
    Time(START.0 + seconds * SECOND)
}

/// Until something is so that other threads bring about.
async fn until(what: impl AsyncFn() -> bool) {
    for _ in 0..1_000_000 {
        if what().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came about");
}

#[tokio::test]
async fn a_handler_that_hangs_is_cancelled_and_its_item_tried_again() {
    let clock = VirtualClock::new(START);
    let (gated, mut came) = Gated::new();
    let engine = engine(&clock).handler("h", gated.clone()).open().await.unwrap();
    let policies = "[{ retry: { attempts: 2, delay: PT5S, jitter: false } }, { timeout: PT10S }]";
    let case = case_of(&engine, &net("hangs", policies)).await;
    assert_eq!(came.recv().await, Some((case, 1)));
    let calls = engine.calls(Some(case)).await.unwrap();
    assert_eq!((calls.len(), calls[0].attempt, calls[0].waits), (1, 1, false));
    assert_eq!((calls[0].progress.fraction, &*calls[0].progress.message), (0.5, "half"));
    clock.advance_to(after(10));
    engine.settled().await;
    assert_eq!(failures(&engine, case), ["handler/timeout"]);
    until(async || gated.cancelled.load(Ordering::SeqCst) == 1).await;
    clock.advance_to(after(15));
    assert_eq!(came.recv().await, Some((case, 2)));
    gated.leave.add_permits(1);
    engine.settled().await;
    assert_eq!(status(&engine, case), CaseStatus::Completed);
    assert!(engine.calls(None).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_result_of_an_old_attempt_is_refused() {
    let clock = VirtualClock::new(START);
    let (came, mut seen) = mpsc::unbounded_channel();
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    // It blocks its thread in the first attempt, so that nobody can stop it.
    let stubborn = move |call: Call| {
        came.send(call.attempt).unwrap();
        if call.attempt == 1 {
            gone.lock().unwrap().recv().unwrap();
        }
        Ok(Value::Int(i64::from(call.attempt)))
    };
    let engine = engine(&clock).handler_fn("h", stubborn).open().await.unwrap();
    let source = "
actum: 1
net: late
data: { got: { type: int } }
roles: { clerk: {} }
start: a
tasks:
  a:
    handler: h
    policies: [{ retry: { attempts: 2, delay: PT1S, jitter: false } }, { timeout: PT10S }]
    output: { got: '{{ result }}' }
    flow: b
  b: { role: clerk, flow: end }
";
    let case = case_of(&engine, source).await;
    assert_eq!(seen.recv().await, Some(1));
    clock.advance_to(after(10));
    until(async || failures(&engine, case).len() == 1).await;
    clock.advance_to(after(11));
    assert_eq!(seen.recv().await, Some(2));
    until(async || history(&engine, case).iter().any(|event| matches!(event, CaseEvent::WorkCompleted { .. }))).await;
    let before = history(&engine, case);
    go.send(()).unwrap();
    engine.settled().await;
    assert_eq!(history(&engine, case), before, "the late result changed nothing");
    let got = before.iter().find_map(|event| match event {
        CaseEvent::WorkCompleted { result, .. } => Some(result.clone()),
        _ => None,
    });
    assert_eq!(got, Some(Value::Int(2)));
}

#[tokio::test]
async fn a_handler_without_a_heartbeat_loses_its_lease_and_is_replaced_at_once() {
    let clock = VirtualClock::new(START);
    let (gated, mut came) = Gated::new();
    let engine = engine(&clock).handler("h", gated.clone()).open().await.unwrap();
    let case = case_of(&engine, &net("dies", "[{ lease: PT10S }]")).await;
    for attempt in 1..=3 {
        assert_eq!(came.recv().await, Some((case, attempt)));
        // The report of a call is a sign of life: the lease counts from there.
        clock.advance_to(after(u64::from(attempt) * 10));
    }
    engine.settled().await;
    assert_eq!(failures(&engine, case), ["handler/lease"; 3]);
    assert_eq!(engine.dead_letters(None, 9)[0].reason, "attempts");
    engine.cancel_case(case, actum::ActorId::ENGINE, "").await.unwrap();
}

#[tokio::test]
async fn a_panic_under_a_lease_is_a_death_and_not_a_verdict() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let panics = move |_: Call| {
        assert!(counted.fetch_add(1, Ordering::SeqCst) > 0, "the first one dies");
        Ok(Value::Null)
    };
    let engine = Engine::in_memory().handler_fn("h", panics).open().await.unwrap();
    let case = case_of(&engine, &net("panics", "[{ lease: PT10S }]")).await;
    assert_eq!(engine.ended(case).await.unwrap().status, CaseStatus::Completed);
    assert_eq!((failures(&engine, case), calls.load(Ordering::SeqCst)), (vec!["handler/panicked".to_owned()], 2));
}

#[tokio::test]
async fn a_call_hears_when_its_item_is_cancelled() {
    let clock = VirtualClock::new(START);
    let (gated, mut came) = Gated::new();
    let engine = engine(&clock).handler("h", gated.clone()).open().await.unwrap();
    let case = case_of(&engine, &net("cancelled", "[]")).await;
    came.recv().await.unwrap();
    engine.cancel_case(case, actum::ActorId::ENGINE, "enough").await.unwrap();
    engine.settled().await;
    until(async || gated.cancelled.load(Ordering::SeqCst) == 1).await;
}

/// Somebody else's result counts; the handler is told, and what it gives after all does not.
#[tokio::test]
async fn a_call_hears_when_its_item_is_completed_by_force() {
    let clock = VirtualClock::new(START);
    let (gated, mut came) = Gated::new();
    let engine = engine(&clock).handler("h", gated.clone()).open().await.unwrap();
    let case = case_of(&engine, &net("forced", "[]")).await;
    came.recv().await.unwrap();
    let ana = engine.register("ana", &[]).await.unwrap();
    engine.force_work(case, ItemId(0), ana, Value::Int(7), "the bank is down").await.unwrap();
    assert_eq!(engine.ended(case).await.unwrap().status, CaseStatus::Completed);
    engine.settled().await;
    until(async || gated.cancelled.load(Ordering::SeqCst) == 1).await;
    let results: Vec<Value> = history(&engine, case)
        .into_iter()
        .filter_map(|event| match event {
            CaseEvent::WorkCompleted { result, .. } => Some(result),
            _ => None,
        })
        .collect();
    assert_eq!(results, [Value::Int(7)]);
}

#[tokio::test]
async fn no_more_calls_run_at_once_than_a_limit_lets() {
    for policies in ["[{ concurrency: 2 }]", "[{ pool: gateway }]", "[{ pool: { name: large, units: 3 } }]"] {
        let clock = VirtualClock::new(START);
        let (gated, mut came) = Gated::new();
        let engine = engine(&clock).handler("h", gated.clone()).pool("large", 7).open().await.unwrap();
        let source = net("limited", policies)
            .replace("start: a", "policies: { pools: { gateway: 2, large: engine } }\nstart: a");
        let net = engine.deploy(&source).await.unwrap().0.hash;
        let mut cases = Vec::new();
        for _ in 0..5 {
            cases.push(engine.start_case(net, None, none()).await.unwrap().case);
        }
        for done in 0..5_usize {
            let running = (5 - done).min(2);
            until(async || {
                let calls = engine.calls(None).await.unwrap();
                calls.len() == 5 - done && calls.iter().filter(|call| !call.waits).count() == running
            })
            .await;
            gated.leave.add_permits(1);
        }
        engine.settled().await;
        let mut seen = Vec::new();
        while let Ok((case, _)) = came.try_recv() {
            seen.push(case);
        }
        assert_eq!(seen, cases, "first come, first served: {policies}");
        assert!(cases.iter().all(|case| status(&engine, *case) == CaseStatus::Completed));
    }
}

#[tokio::test]
async fn a_net_limits_all_its_calls_together_and_a_pool_must_be_there() {
    let clock = VirtualClock::new(START);
    let (gated, _came) = Gated::new();
    let engine = engine(&clock).handler("h", gated.clone()).open().await.unwrap();
    let source = "
actum: 1
net: both
policies: { concurrency: 1 }
start: s
tasks:
  s: { split: and, flow: [a, b] }
  a: { handler: h, flow: j }
  b: { handler: h, flow: j }
  j: { join: and, flow: end }
";
    let case = case_of(&engine, source).await;
    let calls = engine.calls(None).await.unwrap();
    assert_eq!(calls.iter().map(|call| call.waits).collect::<Vec<_>>(), [false, true]);
    gated.leave.add_permits(2);
    engine.settled().await;
    assert_eq!(status(&engine, case), CaseStatus::Completed);
    let lacking = net("pool", "[{ pool: big }]").replace("start: a", "policies: { pools: { big: engine } }\nstart: a");
    assert!(matches!(engine.deploy(&lacking).await, Err(DeployError::UnknownPools(pools)) if pools == ["big"]));
}

#[tokio::test]
async fn a_rate_spreads_calls_over_time() {
    let clock = VirtualClock::new(START);
    let times = Arc::new(Mutex::new(Vec::new()));
    let (noted, seen) = (times.clone(), clock.clone());
    let notes = move |_: Call| {
        noted.lock().unwrap().push((actum::Clock::now(&seen).0 - START.0) / SECOND);
        Ok(Value::Null)
    };
    let engine = engine(&clock).handler_fn("h", notes).open().await.unwrap();
    let net = engine.deploy(&net("rate", "[{ rate: { calls: 1, per: PT10S, burst: 2 } }]")).await.unwrap().0.hash;
    for _ in 0..5 {
        engine.start_case(net, None, none()).await.unwrap();
    }
    for second in 0..40 {
        clock.advance_to(after(second));
        engine.settled().await;
    }
    assert_eq!(*times.lock().unwrap(), [0, 0, 10, 20, 30]);
}

#[tokio::test]
async fn the_most_urgent_go_first_and_none_waits_for_ever() {
    let clock = VirtualClock::new(START);
    let (gated, mut came) = Gated::new();
    let engine = engine(&clock).handler("h", gated.clone()).pool("one", 1).open().await.unwrap();
    let of = |name: &str, priority: u8| {
        net(name, &format!("[{{ priority: {priority} }}, {{ pool: one }}]"))
            .replace("start: a", "policies: { pools: { one: engine } }\nstart: a")
    };
    let low = engine.deploy(&of("low", 0)).await.unwrap().0.hash;
    let high = engine.deploy(&of("high", 9)).await.unwrap().0.hash;
    let mut lows = Vec::new();
    for _ in 0..3 {
        lows.push(engine.start_case(low, None, none()).await.unwrap().case);
    }
    for _ in 0..20 {
        engine.start_case(high, None, none()).await.unwrap();
    }
    gated.leave.add_permits(23);
    engine.settled().await;
    let order: Vec<CaseId> = std::iter::from_fn(|| came.try_recv().ok().map(|(case, _)| case)).collect();
    let place = |case: &CaseId| order.iter().position(|other| other == case).unwrap();
    assert_eq!(order.len(), 23);
    assert_eq!(lows.iter().map(place).collect::<Vec<_>>(), [0, 7, 15], "every eighth is the oldest");
}

#[tokio::test]
async fn calls_beyond_the_queue_are_shed() {
    let clock = VirtualClock::new(START);
    let (gated, _came) = Gated::new();
    let engine = engine(&clock).handler("h", gated.clone()).open().await.unwrap();
    let net = engine.deploy(&net("queue", "[{ concurrency: 1 }, { queue: 1 }]")).await.unwrap().0.hash;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(engine.start_case(net, None, none()).await.unwrap().case);
    }
    until(async || !engine.dead_letters(None, 9).is_empty()).await;
    let dead = &engine.dead_letters(None, 9)[0];
    assert_eq!((dead.case, &*dead.code, &*dead.reason), (cases[2], "policy/queue", "no-retry"));
    assert!(history(&engine, cases[2]).iter().any(|event| matches!(event, CaseEvent::WorkShed { .. })));
    gated.leave.add_permits(2);
    engine.settled().await;
}

/// A handler that does what it is told.
fn told(fails: Arc<AtomicU32>, calls: Arc<AtomicU32>) -> impl Fn(Call) -> Result<Value, HandlerError> + Send + Sync {
    move |_: Call| {
        calls.fetch_add(1, Ordering::SeqCst);
        if fails.load(Ordering::SeqCst) == 0 {
            return Ok(Value::Null);
        }
        Err(HandlerError::new("bank/down", ""))
    }
}

#[tokio::test]
async fn a_breaker_opens_sheds_probes_and_closes_also_over_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let (fails, calls) = (Arc::new(AtomicU32::new(1)), Arc::new(AtomicU32::new(0)));
    let open = async || {
        let handler = told(fails.clone(), calls.clone());
        Engine::at(directory.path()).clock(clock.clone()).handler_fn("h", handler).open().await.unwrap()
    };
    let engine = open().await;
    let net = engine.deploy(&net("breaks", "[{ breaker: { threshold: 3, open: PT60S } }]")).await.unwrap().0.hash;
    let begin = async |engine: &Engine| {
        let case = engine.start_case(net, None, none()).await.unwrap().case;
        engine.settled().await;
        case
    };
    for _ in 0..2 {
        begin(&engine).await;
    }
    assert_eq!(engine.breakers().await.unwrap(), [("h".to_owned(), BreakerState::Closed { failures: 2 })]);
    engine.close().await.unwrap();

    let engine = open().await;
    begin(&engine).await;
    let open_until = |engine: &Engine| {
        let engine = engine.clone();
        async move { engine.breakers().await.unwrap() }
    };
    let opened = [("h".to_owned(), BreakerState::Open { until: after(60) })];
    assert_eq!(open_until(&engine).await, opened, "the two failures before the restart counted");
    let shed = begin(&engine).await;
    assert_eq!((failures(&engine, shed), calls.load(Ordering::SeqCst)), (vec!["policy/breaker".to_owned()], 3));
    engine.close().await.unwrap();

    let engine = open().await;
    assert_eq!(open_until(&engine).await, opened, "a restart knows that it is open");
    begin(&engine).await;
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    clock.advance_to(after(60));
    begin(&engine).await;
    assert_eq!(calls.load(Ordering::SeqCst), 4, "one tries it out");
    assert_eq!(open_until(&engine).await, [("h".to_owned(), BreakerState::Open { until: after(120) })]);
    fails.store(0, Ordering::SeqCst);
    clock.advance_to(after(120));
    let good = begin(&engine).await;
    assert_eq!(status(&engine, good), CaseStatus::Completed);
    assert_eq!(open_until(&engine).await, [("h".to_owned(), BreakerState::Closed { failures: 0 })]);
    let good = begin(&engine).await;
    assert_eq!(status(&engine, good), CaseStatus::Completed);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn what_a_breaker_refuses_has_a_fallback_or_is_tried_when_it_closes() {
    let clock = VirtualClock::new(START);
    let (fails, calls) = (Arc::new(AtomicU32::new(1)), Arc::new(AtomicU32::new(0)));
    let handler = told(fails.clone(), calls.clone());
    let engine = engine(&clock).handler_fn("h", handler).open().await.unwrap();
    let with = net("with", "[{ breaker: { threshold: 1, open: PT60S, fallback: { result: cached } } }]");
    let first = case_of(&engine, &with).await;
    engine.settled().await;
    assert_eq!(failures(&engine, first), ["bank/down"]);
    let second = case_of(&engine, &with).await;
    engine.settled().await;
    assert_eq!(status(&engine, second), CaseStatus::Completed);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let again = "[{ retry: { delay: PT1S, jitter: false, attempts: 2 } }, { breaker: { threshold: 1 } }]";
    let third = case_of(&engine, &net("again", again)).await;
    engine.settled().await;
    let planned = history(&engine, third).into_iter().find_map(|event| match event {
        CaseEvent::WorkRetryScheduled { at, .. } => Some(at),
        _ => None,
    });
    assert_eq!(planned, Some(after(60)), "there is no point in coming before the breaker lets through");
    fails.store(0, Ordering::SeqCst);
    clock.advance_to(after(60));
    engine.settled().await;
    assert_eq!(status(&engine, third), CaseStatus::Completed);
}

#[derive(Clone, Default)]
struct Phases(Arc<Mutex<Vec<&'static str>>>, Arc<AtomicU32>);

#[actum::async_trait]
impl Handler for Phases {
    async fn setup(&self) -> Result<(), HandlerError> {
        self.0.lock().unwrap().push("setup");
        if self.1.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(HandlerError::new("test/none", "no connection"));
        }
        Ok(())
    }

    async fn handle(&self, _: Call) -> Result<Value, HandlerError> {
        self.0.lock().unwrap().push("handle");
        Ok(Value::Null)
    }

    async fn cleanup(&self) {
        self.0.lock().unwrap().push("cleanup");
    }
}

#[tokio::test]
async fn a_handler_has_three_phases_in_their_order() {
    let phases = Phases::default();
    let engine = Engine::in_memory().handler("h", phases.clone()).open().await.unwrap();
    let source = net("phases", "[]");
    let first = case_of(&engine, &source).await;
    engine.settled().await;
    assert_eq!(failures(&engine, first), ["handler/setup"]);
    for _ in 0..2 {
        case_of(&engine, &source).await;
        engine.settled().await;
    }
    engine.clone().close().await.unwrap();
    engine.close().await.unwrap();
    assert_eq!(*phases.0.lock().unwrap(), ["setup", "setup", "handle", "handle", "cleanup"]);
}

/// Fails odd items, or all when it is told so.
struct Batch {
    sizes: Arc<Mutex<Vec<usize>>>,
    all_fail: bool,
}

#[actum::async_trait]
impl BatchHandler for Batch {
    async fn handle_batch(&self, calls: Vec<Call>) -> Result<Vec<Result<Value, HandlerError>>, HandlerError> {
        self.sizes.lock().unwrap().push(calls.len());
        if self.all_fail {
            return Err(HandlerError::new("test/all", ""));
        }
        let one = |call: Call| {
            if call.case.0.is_multiple_of(2) { Ok(Value::Null) } else { Err(HandlerError::new("test/odd", "")) }
        };
        Ok(calls.into_iter().map(one).collect())
    }
}

#[tokio::test]
async fn batches_are_filled_and_fail_by_item_or_as_a_whole() {
    for all_fail in [false, true] {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let batch = Batch { sizes: sizes.clone(), all_fail };
        let options = BatchOptions { max_items: 4, max_ms: 20 };
        let engine = Engine::in_memory().batch_handler("h", batch, options).open().await.unwrap();
        let net = engine.deploy(&net("batch", "[]")).await.unwrap().0.hash;
        let mut cases = Vec::new();
        for _ in 0..10 {
            cases.push(engine.start_case(net, None, none()).await.unwrap().case);
        }
        engine.settled().await;
        let done = cases.iter().filter(|case| status(&engine, **case) == CaseStatus::Completed).count();
        assert_eq!(done, if all_fail { 0 } else { 5 });
        let sizes = sizes.lock().unwrap();
        assert_eq!(sizes.iter().sum::<usize>(), 10);
        assert!(sizes.iter().all(|size| (1..=4).contains(size)), "{sizes:?}");
        let codes: Vec<String> = cases.iter().flat_map(|case| failures(&engine, *case)).collect();
        assert!(codes.iter().all(|code| code == if all_fail { "test/all" } else { "test/odd" }), "{codes:?}");
        assert_eq!(engine.dead_letters(None, 99).len(), codes.len());
        assert!(engine.dead_letters(Some((cases[9], ItemId(0))), 9).is_empty());
    }
}
