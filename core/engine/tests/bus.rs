//! Watching what happens, and stopping gracefully.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actum::{
    Call, CaseEvent, CaseStatus, CommandError, Engine, Handler, HandlerError, Notice, Value, Watch, async_trait,
};
use actum_model::Event;
use tokio::sync::Semaphore;

const NET: &str = "actum: 1\nnet: one\nstart: a\ntasks:\n  a: { handler: slow, flow: end }\n";

/// Waits for a permit before it is done.
struct Slow(Arc<Semaphore>);

#[async_trait]
impl Handler for Slow {
    async fn handle(&self, _: Call) -> Result<Value, HandlerError> {
        self.0.acquire().await.expect("it is never closed").forget();
        Ok(Value::Map(BTreeMap::new()))
    }
}

async fn engine(permits: usize) -> (Engine, Arc<Semaphore>) {
    let permits = Arc::new(Semaphore::new(permits));
    (Engine::in_memory().handler("slow", Slow(permits.clone())).open().await.unwrap(), permits)
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::Case(CaseEvent::CaseCompleted))
}

async fn run_cases(engine: &Engine, count: usize) {
    let net = engine.deploy(NET).await.unwrap().0.hash;
    for _ in 0..count {
        engine.start_case(net, None, BTreeMap::new()).await.unwrap();
    }
    engine.settled().await;
}

/// Ends seen, and ends missed, until the engine ends.
async fn count(watch: &mut Watch) -> (u64, u64) {
    let (mut seen, mut missed) = (0, 0);
    while let Some(notice) = watch.next().await {
        match notice {
            Notice::Happened(happened) => {
                assert!(is_end(&happened.event), "{happened:?}");
                seen += 1;
            }
            Notice::Missed(more) => missed += more,
        }
    }
    (seen, missed)
}

#[tokio::test]
async fn watchers_are_told_what_they_want_and_how_much_they_missed() {
    let (engine, _) = engine(Semaphore::MAX_PERMITS).await;
    let mut attentive = engine.watch(1_000, |happened| is_end(&happened.event));
    let mut slow = engine.watch(3, |happened| is_end(&happened.event));
    drop(engine.watch(1, |_| true));
    run_cases(&engine, 50).await;
    engine.close().await.unwrap();
    assert_eq!(count(&mut attentive).await, (50, 0));
    assert_eq!(count(&mut slow).await, (3, 47));
}

#[tokio::test]
async fn what_was_missed_is_told_between_what_was_not() {
    let (engine, _) = engine(Semaphore::MAX_PERMITS).await;
    let mut watch = engine.watch(2, |happened| is_end(&happened.event));
    run_cases(&engine, 5).await;
    assert!(matches!(watch.next().await, Some(Notice::Happened(_))));
    assert!(matches!(watch.next().await, Some(Notice::Happened(_))));
    run_cases(&engine, 1).await;
    assert!(matches!(watch.next().await, Some(Notice::Missed(3))));
    assert!(matches!(watch.next().await, Some(Notice::Happened(_))));
    engine.close().await.unwrap();
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_stop_lets_what_runs_finish_and_takes_nothing_new() {
    let (engine, permits) = engine(0).await;
    let net = engine.deploy(NET).await.unwrap().0.hash;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    let other = engine.clone();
    let stop = tokio::spawn(engine.stop(Duration::from_mins(1)));
    tokio::task::yield_now().await;
    let refused = other.start_case(net, None, BTreeMap::new()).await;
    assert!(matches!(refused, Err(CommandError::Stopping)), "{refused:?}");
    permits.add_permits(1);
    assert!(stop.await.unwrap().unwrap().drained);
    assert_eq!(other.row(case).unwrap().status, CaseStatus::Completed);
    assert!(matches!(other.case(case).await, Err(CommandError::Stopping | CommandError::Closed)));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let (engine, _permits) = engine(0).await;
    let net = engine.deploy(NET).await.unwrap().0.hash;
    engine.start_case(net, None, BTreeMap::new()).await.unwrap();
    let stopped = engine.stop(Duration::from_millis(20)).await.unwrap();
    assert!(!stopped.drained);
}
