//! Projections of one's own, reading what one wrote, and rebuilding beside the running one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actum::projections::{
    Audit, AuditQuestion, Cases, Fact, Knowledge, Loads, PendingTimers, Projection, Recorded, RestoreError, Statistics,
    Watermark, Worklist,
};
use actum::{CaseId, Engine, EngineBuilder, RebuildError, Seq, Time, Value};

const NET: &str = "actum: 1\nnet: order\nroles: { clerk: {} }\nstart: approve\ntasks:\n  approve: { role: clerk, flow: ship }\n  ship: { handler: ship, flow: end }\n";
const LONG: Duration = Duration::from_secs(30);

/// Counts events of both kinds.
#[derive(Debug, Default)]
struct Counter {
    of_cases: AtomicU64,
    of_the_system: AtomicU64,
    watermark: Watermark,
}

impl Projection for Counter {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        match recorded.fact {
            Fact::Case(_) => &self.of_cases,
            Fact::System(_) => &self.of_the_system,
        }
        .fetch_add(1, Ordering::Relaxed);
    }

    fn snapshot(&self) -> Vec<u8> {
        [&self.of_cases, &self.of_the_system].map(|count| count.load(Ordering::Relaxed).to_le_bytes()).concat()
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let (of_cases, of_the_system) = bytes.split_first_chunk::<8>().ok_or(RestoreError::Truncated)?;
        let of_the_system = of_the_system.try_into().map_err(|_| RestoreError::Truncated)?;
        self.of_cases.store(u64::from_le_bytes(*of_cases), Ordering::Relaxed);
        self.of_the_system.store(u64::from_le_bytes(of_the_system), Ordering::Relaxed);
        Ok(())
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

fn every(builder: EngineBuilder) -> EngineBuilder {
    let builder = builder.projection(Counter::default).projection(Audit::default).projection(Statistics::default);
    let builder = builder.projection(Knowledge::default).projection(Loads::default).projection(PendingTimers::default);
    builder.handler_fn("ship", |_| Ok(Value::Null))
}

/// Starts so many cases, and does the work of every other.
async fn run(engine: &Engine, cases: u64) {
    let net = engine.deploy(NET).await.unwrap().0.hash;
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    for number in 0..cases {
        let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
        if number % 2 == 0 {
            let item = engine.offered_to(ana).into_iter().find(|row| row.case == case).unwrap().item;
            engine.take(case, item, ana).await.unwrap();
            engine.start(case, item, ana).await.unwrap();
            engine.complete(case, item, ana, Value::Map(BTreeMap::new())).await.unwrap();
        }
    }
    engine.settled().await;
}

#[tokio::test]
async fn projections_of_ones_own_see_every_event_and_come_back_typed() {
    let engine = every(Engine::in_memory()).open().await.unwrap();
    run(&engine, 4).await;
    let counter = engine.projection::<Counter>().unwrap();
    let audit = engine.projection::<Audit>().unwrap();
    let (of_cases, of_the_system) = (&counter.of_cases, &counter.of_the_system);
    let all = of_cases.load(Ordering::Relaxed) + of_the_system.load(Ordering::Relaxed);
    assert_eq!(audit.len() as u64, all);
    assert!(of_the_system.load(Ordering::Relaxed) > 2, "the net, the actor and the schemas are events too");
    let ana = engine.actor("ana").unwrap().0;
    let done = audit.ask(&AuditQuestion { actor: Some(ana), kinds: vec![532], ..AuditQuestion::default() });
    assert_eq!(done.iter().filter_map(actum::projections::AuditRow::case).collect::<Vec<_>>(), [CaseId(1), CaseId(3)]);
    assert!(engine.projection::<Other>().is_none());
}

/// No engine has it.
#[derive(Debug, Default)]
struct Other(Counter);

impl Projection for Other {
    fn name(&self) -> &'static str {
        "counter"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, _: &Recorded<'_>) {}

    fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    fn restore(&self, _: &[u8]) -> Result<(), RestoreError> {
        Ok(())
    }

    fn watermark(&self) -> &Watermark {
        &self.0.watermark
    }
}

#[tokio::test]
async fn two_projections_of_one_name_are_refused() {
    let both = Engine::in_memory().projection(Counter::default).projection(Other::default);
    let error = both.open().await.expect_err("their names are the same");
    assert_eq!(error.to_string(), "there are two projections named counter");
}

#[tokio::test]
async fn who_wrote_reads_it_and_tells_others_what_to_wait_for() {
    let engine = every(Engine::in_memory()).open().await.unwrap();
    let before = engine.position();
    run(&engine, 1).await;
    let position = engine.position().unwrap();
    assert!(Some(position) > before);
    assert!(engine.wait_until(position, Duration::ZERO).await, "an answer comes after the projections");
    let answer = engine.cases().watermark().answer(|| engine.cases().len());
    assert_eq!((answer.value, answer.seq, answer.until), (1, Some(position), Some(position)));
    let next = Seq(position.0 + 1);
    assert!(!engine.wait_until(next, Duration::from_millis(1)).await);
    let waits = tokio::spawn({
        let engine = engine.clone();
        async move { engine.wait_until(next, LONG).await }
    });
    let blocked = tokio::task::spawn_blocking({
        let cases = engine.cases();
        move || cases.watermark().wait_until(next, LONG)
    });
    engine.register("ben", &[]).await.unwrap();
    assert!(waits.await.unwrap() && blocked.await.unwrap());
}

#[tokio::test]
async fn who_waits_for_what_never_comes_is_let_go_at_the_end() {
    let engine = every(Engine::in_memory()).open().await.unwrap();
    let cases = engine.cases();
    let waits = tokio::task::spawn_blocking(move || cases.watermark().wait_until(Seq(1_000_000), LONG));
    engine.close().await.unwrap();
    assert!(!waits.await.unwrap());
}

#[tokio::test]
async fn a_rebuilt_projection_is_the_same_and_goes_on() {
    let engine = every(Engine::in_memory()).open().await.unwrap();
    run(&engine, 40).await;
    same_after_rebuild::<Cases>(&engine).await;
    same_after_rebuild::<Worklist>(&engine).await;
    same_after_rebuild::<actum::Waits>(&engine).await;
    same_after_rebuild::<Counter>(&engine).await;
    same_after_rebuild::<Audit>(&engine).await;
    same_after_rebuild::<Statistics>(&engine).await;
    same_after_rebuild::<Knowledge>(&engine).await;
    same_after_rebuild::<Loads>(&engine).await;
    same_after_rebuild::<PendingTimers>(&engine).await;
    let cases = engine.cases();
    run(&engine, 2).await;
    assert_eq!((cases.len(), cases.watermark().seq()), (42, engine.position()), "the new one is fed");
    assert!(matches!(engine.rebuild::<Other>().await, Err(RebuildError::NotFound)));
}

async fn same_after_rebuild<P: Projection>(engine: &Engine) {
    let old = engine.projection::<P>().unwrap();
    let new = engine.rebuild::<P>().await.unwrap();
    assert!(!std::sync::Arc::ptr_eq(&old, &new));
    assert_eq!(new.snapshot(), old.snapshot(), "{}", new.name());
    assert_eq!(new.watermark().seq(), old.watermark().seq(), "{}", new.name());
    assert!(!old.watermark().wait_until(Seq(u64::MAX), LONG), "who waits on the old one is let go");
}

#[tokio::test]
async fn rebuilt_while_cases_go_on_none_is_missed_and_none_counted_twice() {
    let engine = every(Engine::in_memory()).open().await.unwrap();
    run(&engine, 20).await;
    let goes_on = tokio::spawn({
        let engine = engine.clone();
        async move { run(&engine, 60).await }
    });
    for _ in 0..5 {
        engine.rebuild::<Counter>().await.unwrap();
        engine.rebuild::<Audit>().await.unwrap();
    }
    goes_on.await.unwrap();
    let counter = engine.projection::<Counter>().unwrap();
    let counted = counter.of_cases.load(Ordering::Relaxed) + counter.of_the_system.load(Ordering::Relaxed);
    let audit = engine.projection::<Audit>().unwrap();
    let all = audit.ask(&AuditQuestion { limit: usize::MAX, ..AuditQuestion::default() });
    assert_eq!((counted, all.len()), (all.len() as u64, audit.len()));
    assert!(all.windows(2).all(|pair| pair[0].seq < pair[1].seq));
    same_after_rebuild::<Counter>(&engine).await;
}

/// Who asks how a case stands is told what it waits for, what is left, and when it may end, once enough is known.
#[tokio::test]
async fn a_case_says_how_it_stands() {
    const NET: &str = "actum: 1\nnet: stands\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { role: clerk, flow: b }\n  b: { wait: { for: PT1H }, flow: end }\n";
    const HOUR: u64 = 3_600_000_000_000;
    let clock = actum::VirtualClock::new(Time(HOUR));
    let engine = Engine::in_memory()
        .clock(clock.clone())
        .projection(actum::projections::Knowledge::default)
        .open()
        .await
        .unwrap();
    let net = engine.deploy(NET).await.unwrap().0.hash;
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    for done in 0..6_u64 {
        let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
        let state = engine.status(case).await.unwrap();
        assert_eq!((state.net.as_str(), state.done, state.progress.left_most), ("stands", 0, Some(2)));
        assert!(matches!(&state.waits[..], [one] if matches!(one.waiting.needs, actum::Need::Taking { .. })));
        match state.expected_end {
            // Two minutes at the clerk's, then an hour.
            Ok(end) => assert_eq!((done, end.0 - state.row.changed.0), (5, HOUR + HOUR / 30)),
            Err(why) => assert!(done < 5 && why.contains("fewer than 5 times"), "{done}: {why}"),
        }
        let item = state.waits[0].waiting.item;
        engine.take(case, item, ana).await.unwrap();
        let now = state.row.changed.0;
        clock.advance_to(Time(now + HOUR / 60));
        engine.start(case, item, ana).await.unwrap();
        let state = engine.status(case).await.unwrap();
        assert_eq!(state.waits[0].waiting.needs, actum::Need::Person { who: ana, begun: true });
        clock.advance_to(Time(now + HOUR / 30));
        engine.complete(case, item, ana, Value::Map(BTreeMap::new())).await.unwrap();
        let state = engine.status(case).await.unwrap();
        let at = Time(now + HOUR / 30 + HOUR);
        assert_eq!((state.done, &state.waits[0].waiting.needs), (1, &actum::Need::Timer { at }));
        assert_eq!(state.expected_end, Ok(at), "a timer that is set needs no experience");
        clock.advance_to(at);
        engine.settled().await;
        let state = engine.status(case).await.unwrap();
        assert_eq!((state.done, state.waits.len()), (2, 0));
        assert_eq!(state.expected_end, Err("the case is completed".to_owned()));
    }
    assert!(engine.status(actum::CaseId(99)).await.is_err());
}
