//! An engine that is driven by hand.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use actum::{CaseStatus, Engine, Step, Stepper, Time, Value, VirtualClock};
use actum_log::{EventStore, FileSigner, Genesis, MemoryStore, Signer};

const NET: &str = "\
actum: 1
net: two
start: a
tasks:
  a: { handler: count, flow: b }
  b: { handler: count, flow: end }
";

fn signer() -> Arc<dyn Signer> {
    Arc::new(FileSigner::generate().unwrap())
}

fn store(signer: &dyn Signer) -> Box<dyn EventStore> {
    let genesis = Genesis::new([7; 16], "actum.local/stepped", 0, signer.public_key()).unwrap();
    Box::new(MemoryStore::new(genesis.with_clock(actum_log::Clock::Simulated).to_string()))
}

fn open(store: Box<dyn EventStore>, signer: &Arc<dyn Signer>, calls: &Arc<AtomicU32>) -> (Engine, Stepper) {
    let calls = calls.clone();
    Engine::on_store(store, signer.clone())
        .clock(VirtualClock::new(Time(1)))
        .seed(1)
        .handler_fn("count", move |_| {
            calls.fetch_add(1, Ordering::Relaxed);
            Ok(Value::Map(BTreeMap::new()))
        })
        .open_stepped()
        .unwrap()
}

/// Steps until an answer is there.
async fn answer<T>(stepper: &mut Stepper, asked: impl Future<Output = T>) -> T {
    let mut asked = pin!(asked);
    loop {
        if let Poll::Ready(answer) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return answer;
        }
        stepper.run();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn nothing_happens_but_what_it_is_told() {
    let (signer, calls) = (signer(), Arc::new(AtomicU32::new(0)));
    let (engine, mut stepper) = open(store(&*signer), &signer, &calls);
    let (net, _) = answer(&mut stepper, engine.deploy(NET)).await.unwrap();
    let mut start = Box::pin(engine.start_case(net.hash, None, BTreeMap::new()));
    let mut poll = || start.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll().is_pending());
    assert!(!stepper.step(Step::Close) && !stepper.step(Step::Store), "it is not decided on yet");
    for step in [Step::Decide, Step::Close, Step::Store] {
        assert!(stepper.step(step), "{step:?}");
        assert!(poll().is_pending(), "answered before it was published: {step:?}");
        tokio::task::yield_now().await;
        assert_eq!(calls.load(Ordering::Relaxed), 0, "a handler was called before its item was durable");
    }
    assert!(stepper.step(Step::Publish));
    let Poll::Ready(Ok(started)) = poll() else { panic!("it is durable") };
    let ended = answer(&mut stepper, engine.ended(started.case)).await.unwrap();
    assert_eq!((ended.status, calls.load(Ordering::Relaxed)), (CaseStatus::Completed, 2));
    assert!(!Step::ALL.into_iter().any(|step| stepper.step(step)), "all is done");
}

#[tokio::test]
async fn what_was_stored_before_a_crash_goes_on_after_it() {
    let (signer, calls) = (signer(), Arc::new(AtomicU32::new(0)));
    let (engine, mut stepper) = open(store(&*signer), &signer, &calls);
    let (net, _) = answer(&mut stepper, engine.deploy(NET)).await.unwrap();
    let mut start = Box::pin(engine.start_case(net.hash, None, BTreeMap::new()));
    assert!(start.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    for step in [Step::Decide, Step::Close, Step::Store] {
        assert!(stepper.step(step));
    }
    let store = stepper.crash();
    drop(start);
    drop(engine);
    let (engine, mut stepper) = open(store, &signer, &calls);
    assert_eq!((engine.opened().open_cases, engine.opened().pending), (1, 1));
    let case = engine.cases().select(|_| true)[0].0;
    let ended = answer(&mut stepper, engine.ended(case)).await.unwrap();
    assert_eq!((ended.status, calls.load(Ordering::Relaxed)), (CaseStatus::Completed, 2));
}
