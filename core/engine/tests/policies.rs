//! What happens when automatic work fails, takes long, or is too much at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actum::{
    Call, CaseEvent, CaseId, CaseStatus, CommandError, Engine, EngineBuilder, HandlerError, ItemId, NetHash, Time,
    Value, VirtualClock,
};

const SECOND: u64 = 1_000_000_000;
/// Where simulated time begins in these tests.
const START: Time = Time(1_000_000 * SECOND);

fn none() -> BTreeMap<String, Value> {
    BTreeMap::new()
}

/// A net of one task with these policies, and one that comes after an error.
fn net(policies: &str) -> String {
    format!(
        "
actum: 1
net: test
data: {{ got: {{ type: any }}, problem: {{ type: map }} }}
start: a
tasks:
  a:
    handler: h
    policies: {policies}
    output: {{ got: '{{{{ result }}}}' }}
    split: xor
    flow: [{{ to: sorry }}, {{ to: end, default: true }}]
  sorry: {{ handler: expr, params: {{ x: '{{{{ problem }}}}' }}, flow: end }}
"
    )
    // The flow for errors is there only with a policy that takes it.
    .replace(
        "flow: [{ to: sorry }",
        if policies.contains("sorry") { "flow: [{ to: sorry }" } else { "flow: [{ to: sorry, when: false }" },
    )
}

/// A handler that fails so often, and counts its calls.
fn fails(times: u32) -> (Arc<AtomicU32>, impl Fn(Call) -> Result<Value, HandlerError> + Send + Sync + 'static) {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let handler = move |call: Call| {
        let before = counted.fetch_add(1, Ordering::SeqCst);
        if before < times {
            return Err(HandlerError::new("bank/busy", "try again"));
        }
        Ok(Value::Int(i64::from(call.attempt)))
    };
    (calls, handler)
}

fn at(directory: &Path, clock: &VirtualClock) -> EngineBuilder {
    Engine::at(directory).clock(clock.clone())
}

async fn start(engine: &Engine, source: &str) -> (NetHash, CaseId) {
    let net = engine.deploy(source).await.unwrap_or_else(|error| panic!("{error:?}")).0.hash;
    let case = engine.start_case(net, None, none()).await.unwrap().case;
    engine.settled().await;
    (net, case)
}

fn status(engine: &Engine, case: CaseId) -> CaseStatus {
    engine.row(case).unwrap().status
}

fn history(engine: &Engine, case: CaseId) -> Vec<CaseEvent> {
    engine.history(case).unwrap().into_iter().map(|logged| logged.event).collect()
}

/// When each planned retry begins, in seconds after the start.
fn planned(engine: &Engine, case: CaseId) -> Vec<f64> {
    let at = |event: &CaseEvent| match event {
        CaseEvent::WorkRetryScheduled { at, .. } => Some((at.0 - START.0) as f64 / SECOND as f64),
        _ => None,
    };
    history(engine, case).iter().filter_map(at).collect()
}

async fn move_to(engine: &Engine, clock: &VirtualClock, seconds: f64) {
    clock.advance_to(Time(START.0 + (seconds * SECOND as f64) as u64));
    engine.settled().await;
}

fn buried(engine: &Engine, case: CaseId) -> Vec<String> {
    let reason = |event: CaseEvent| match event {
        CaseEvent::WorkDeadLettered { reason, .. } => Some(reason),
        _ => None,
    };
    history(engine, case).into_iter().filter_map(reason).collect()
}

#[tokio::test]
async fn work_is_tried_again_when_its_policy_says_and_not_before() {
    let clock = VirtualClock::new(START);
    let (calls, handler) = fails(3);
    let engine = Engine::in_memory().clock(clock.clone()).handler_fn("h", handler).open().await.unwrap();
    let (_, case) = start(&engine, &net("[{ retry: { delay: PT2S, factor: 3, attempts: 4, jitter: false } }]")).await;
    assert_eq!((calls.load(Ordering::SeqCst), planned(&engine, case)), (1, vec![2.0]));
    assert!(engine.dead_letters(None, 9).is_empty(), "what is tried again is not dead");
    move_to(&engine, &clock, 1.9).await;
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    move_to(&engine, &clock, 2.0).await;
    assert_eq!((calls.load(Ordering::SeqCst), planned(&engine, case)), (2, vec![2.0, 8.0]));
    move_to(&engine, &clock, 8.0).await;
    assert_eq!(planned(&engine, case), [2.0, 8.0, 26.0]);
    move_to(&engine, &clock, 26.0).await;
    assert_eq!(status(&engine, case), CaseStatus::Completed);
    assert_eq!(calls.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn jitter_stays_within_a_quarter_and_follows_from_the_recorded_seed() {
    let clock = VirtualClock::new(START);
    let (_, handler) = fails(u32::MAX);
    let engine = Engine::in_memory().clock(clock.clone()).handler_fn("h", handler).open().await.unwrap();
    let net = net("[{ retry: { backoff: fixed, delay: PT100S, attempts: 1000 } }]");
    let net = engine.deploy(&net).await.unwrap().0.hash;
    let mut delays = Vec::new();
    for _ in 0..40 {
        let case = engine.start_case(net, None, none()).await.unwrap().case;
        engine.settled().await;
        let seed = history(&engine, case).into_iter().find_map(|event| match event {
            CaseEvent::WorkRetryScheduled { seed, .. } => Some(seed),
            _ => None,
        });
        assert_ne!(seed, Some(0));
        delays.push(planned(&engine, case)[0]);
    }
    assert!(delays.iter().all(|delay| (75.0..=125.0).contains(delay)), "{delays:?}");
    delays.sort_by(f64::total_cmp);
    assert!(delays[0] < 90.0 && delays[39] > 110.0, "they spread: {delays:?}");
}

#[tokio::test]
async fn a_planned_retry_survives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let (_, handler) = fails(u32::MAX);
    let engine = at(directory.path(), &clock).handler_fn("h", handler).open().await.unwrap();
    let (_, case) = start(&engine, &net("[{ retry: { delay: PT10S, attempts: 2, jitter: false } }]")).await;
    assert_eq!(planned(&engine, case), [10.0]);
    engine.close().await.unwrap();

    let (calls, handler) = fails(0);
    let engine = at(directory.path(), &clock).handler_fn("h", handler).open().await.unwrap();
    assert_eq!(engine.opened().pending, 0, "between two attempts nothing is asked of the handler");
    engine.settled().await;
    assert_eq!((calls.load(Ordering::SeqCst), engine.timers(9).await.unwrap().len()), (0, 1));
    move_to(&engine, &clock, 10.0).await;
    assert_eq!((calls.load(Ordering::SeqCst), status(&engine, case)), (1, CaseStatus::Completed));
    engine.close().await.unwrap();
}

#[tokio::test]
async fn what_fails_for_good_is_a_dead_letter_until_it_is_given_out_anew() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let (calls, handler) = fails(4);
    let engine = at(directory.path(), &clock).handler_fn("h", handler).open().await.unwrap();
    let (_, case) = start(&engine, &net("[{ retry: { delay: PT1S, attempts: 2, jitter: false } }]")).await;
    move_to(&engine, &clock, 1.0).await;
    let letters = engine.dead_letters(None, 9);
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((letter.case, letter.item, letter.attempts), (case, ItemId(0), 2));
    assert_eq!((&*letter.code, &*letter.reason), ("bank/busy", "attempts"));
    assert!(engine.dead_letters(Some((case, ItemId(0))), 9).is_empty(), "there is none after it");
    engine.close().await.unwrap();

    let (calls_after, handler) = fails(1);
    let engine = at(directory.path(), &clock).handler_fn("h", handler).open().await.unwrap();
    assert_eq!(engine.dead_letters(None, 9), letters, "a restart knows them");
    engine.requeue(case, ItemId(0)).await.unwrap();
    engine.settled().await;
    assert!(engine.dead_letters(None, 9).is_empty());
    assert_eq!(planned(&engine, case).len(), 2, "its attempts count from here");
    move_to(&engine, &clock, 2.0).await;
    assert_eq!(status(&engine, case), CaseStatus::Completed);
    assert_eq!((calls.load(Ordering::SeqCst), calls_after.load(Ordering::SeqCst)), (2, 2));
    assert!(
        matches!(engine.requeue(case, ItemId(0)).await, Err(CommandError::Rejected(no)) if no.code == "case/ended")
    );
    engine.close().await.unwrap();
}

#[tokio::test]
async fn which_errors_are_tried_again_is_said_by_their_codes() {
    for (retry, reason) in [
        ("{ on: ['http/5*', 'net/*'] }", "code"),
        ("{ except: ['bank/*'] }", "code"),
        ("{ on: 'bank/*', attempts: 2, budget: 5, delay: PT1H }", ""),
    ] {
        let clock = VirtualClock::new(START);
        let (_, handler) = fails(u32::MAX);
        let engine = Engine::in_memory().clock(clock.clone()).handler_fn("h", handler).open().await.unwrap();
        let (_, case) = start(&engine, &net(&format!("[{{ retry: {retry} }}]"))).await;
        let wanted = if reason.is_empty() { vec![] } else { vec![reason.to_owned()] };
        assert_eq!(buried(&engine, case), wanted, "{retry}");
    }
}

#[tokio::test]
async fn a_budget_is_shared_by_all_items_of_the_task() {
    let clock = VirtualClock::new(START);
    let (calls, handler) = fails(u32::MAX);
    let engine = Engine::in_memory().clock(clock.clone()).handler_fn("h", handler).open().await.unwrap();
    let source = "
actum: 1
net: test
start: a
tasks:
  a: { handler: h, instances: { count: 3 }, policies: { retry: { attempts: 100, budget: 4, backoff: fixed } }, flow: end }
";
    let (_, case) = start(&engine, source).await;
    for second in 1..20 {
        move_to(&engine, &clock, f64::from(second)).await;
    }
    assert_eq!(calls.load(Ordering::SeqCst), 3 + 4);
    assert_eq!(buried(&engine, case), ["budget"; 3]);
}

#[tokio::test]
async fn an_error_can_be_ignored_answered_or_lead_elsewhere() {
    for (on_error, got, went) in [
        ("ignore", None, false),
        ("{ result: { from: cache } }", Some("cache"), false),
        ("{ flow: sorry, error: problem }", None, true),
    ] {
        let (_, handler) = fails(u32::MAX);
        let engine = Engine::in_memory().handler_fn("h", handler).open().await.unwrap();
        let (_, case) = start(&engine, &net(&format!("[{{ on_error: {on_error} }}]"))).await;
        assert_eq!(status(&engine, case), CaseStatus::Completed, "{on_error}");
        let events = history(&engine, case);
        let result = events.iter().find_map(|event| match event {
            CaseEvent::WorkCompleted { item: ItemId(0), result, .. } => Some(result.clone()),
            _ => None,
        });
        let from = |value: &str| Value::Map(BTreeMap::from([("from".to_owned(), Value::String(value.to_owned()))]));
        assert_eq!(result, got.map(from), "{on_error}");
        let sorry = events.iter().find_map(|event| match event {
            CaseEvent::WorkCompleted { item: ItemId(1), result: Value::Map(result), .. } => Some(result["x"].clone()),
            _ => None,
        });
        assert_eq!(sorry.is_some(), went, "{on_error}");
        if let Some(Value::Map(problem)) = sorry {
            assert_eq!(problem["code"], Value::String("bank/busy".to_owned()));
            assert_eq!(problem["attempts"], Value::Int(1));
        }
        assert!(engine.dead_letters(None, 9).is_empty(), "{on_error}");
    }
}

#[tokio::test]
async fn all_attempts_together_have_a_deadline_that_a_restart_keeps() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(START);
    let (calls, handler) = fails(u32::MAX);
    let engine = at(directory.path(), &clock).handler_fn("h", handler).open().await.unwrap();
    let policies = "[{ timeout: PT25S }, { retry: { backoff: fixed, delay: PT10S, attempts: 100, jitter: false } }]";
    let (_, case) = start(&engine, &net(policies)).await;
    move_to(&engine, &clock, 10.0).await;
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    engine.close().await.unwrap();
    let (calls, handler) = fails(u32::MAX);
    let engine = at(directory.path(), &clock).handler_fn("h", handler).open().await.unwrap();
    move_to(&engine, &clock, 20.0).await;
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    move_to(&engine, &clock, 25.0).await;
    assert_eq!(buried(&engine, case), ["deadline"]);
    move_to(&engine, &clock, 100.0).await;
    assert_eq!(calls.load(Ordering::SeqCst), 1, "nothing is tried after the deadline");
    engine.close().await.unwrap();
}
