//! What went wrong once, or nearly did: each a small case.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use actum::{
    ActorId, CaseId, CaseStatus, CommandError, Engine, HandlerError, ItemId, Limits, OpenError, Phase, Signer, Value,
};
use actum_log::{
    Clocks, CommitError, Draft, EventStore, Extensions, FileSigner, FrameSource, Genesis, Head, MemoryStore, Opening,
    Resume, SealedBlock,
};
use actum_model::{CaseEvent, Change, ConditionIx, Event, FrameId, NetHash, SystemEvent, TaskIx, VariableIx, payload};
use futures_util::FutureExt;

const ONE: &str = "actum: 1\nnet: t\nstart: a\ntasks:\n  a: { handler: h, flow: end }\n";
const MANUAL: &str = "actum: 1\nnet: m\nroles: { clerk: {} }\nstart: a\ntasks:\n  a: { role: clerk, flow: end }\n";

fn none() -> BTreeMap<String, Value> {
    BTreeMap::new()
}

fn memory() -> (MemoryStore, Arc<dyn Signer>, Genesis) {
    let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&[7; 32]));
    let genesis = Genesis::new([1; 16], "actum.local/test", 0, signer.public_key()).unwrap();
    (MemoryStore::new(genesis.to_string()), signer, genesis)
}

/// Works as long as it is let through, then panics.
struct PanickingStore {
    inner: MemoryStore,
    begun: Sender<()>,
    /// True: go on; false: panic.
    go: Receiver<bool>,
}

impl EventStore for PanickingStore {
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        self.begun.send(()).ok();
        assert!(self.go.recv().unwrap_or(false), "the store has a bug");
        self.inner.commit(blocks)
    }

    fn head(&self, partition: u16) -> Option<Head> {
        EventStore::head(&self.inner, partition)
    }

    fn source(&self) -> Arc<dyn FrameSource> {
        self.inner.source()
    }
}

#[tokio::test]
async fn a_store_that_panics_stops_the_engine_and_strands_nobody() {
    let (inner, signer, _) = memory();
    let ((begun, commits), (let_go, go)) = (channel(), channel());
    for _ in 0..3 {
        let_go.send(true).unwrap();
    }
    let engine = Engine::on_store(PanickingStore { inner, begun, go }, signer).open().await.unwrap();
    let net = engine.deploy(MANUAL).await.unwrap().0.hash;
    let waits = engine.start_case(net, None, none()).await.unwrap().case;
    while commits.try_recv().is_ok() {}
    // Three blocks at least: one being stored, one waiting, one filling while no more may be in flight.
    let starts: Vec<_> = (0..3)
        .map(|_| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.start_case(net, None, none()).await })
        })
        .collect();
    tokio::task::yield_now().await;
    tokio::task::spawn_blocking(move || commits.recv().unwrap()).await.unwrap();
    let_go.send(false).unwrap();
    for start in starts {
        let answer = start.await.unwrap();
        assert!(matches!(answer, Err(CommandError::Stopped(_) | CommandError::Closed)), "{answer:?}");
    }
    assert!(engine.ended(waits).await.is_none(), "no case of a stopped engine ends");
    assert!(matches!(engine.start_case(net, None, none()).await, Err(CommandError::Stopped(_))));
    assert!(matches!(engine.case(waits).await, Err(CommandError::Stopped(_))), "a stopped engine shows no state");
    engine.close().await.unwrap();
}

#[tokio::test]
async fn who_waits_for_a_case_is_let_go_when_the_engine_closes() {
    let engine = Engine::in_memory().open().await.unwrap();
    let net = engine.deploy(MANUAL).await.unwrap().0.hash;
    let case = engine.start_case(net, None, none()).await.unwrap().case;
    let (waits, other) = (engine.clone(), engine.clone());
    let waits = tokio::spawn(async move { waits.ended(case).await });
    tokio::task::yield_now().await;
    let (first, second) = tokio::join!(engine.close(), other.clone().close());
    assert!(first.is_ok() && second.is_ok(), "closing twice is no error");
    assert!(waits.await.unwrap().is_none());
    assert!(other.ended(case).await.is_none());
    assert!(other.ended(CaseId(99)).await.is_none());
    assert!(matches!(other.cancel_case(case, ActorId::ENGINE, "").await, Err(CommandError::Closed)));
}

#[tokio::test]
async fn limits_that_nothing_could_run_under_are_refused() {
    type Change = fn(&mut Limits);
    let changes: [Change; 4] = [
        |limits| limits.blocks_in_flight_max = 0,
        |limits| limits.requests_max = 0,
        |limits| limits.handlers_max = 0,
        |limits| limits.payload_bytes_max = 10,
    ];
    for change in changes {
        let mut limits = Limits::default();
        change(&mut limits);
        assert!(matches!(Engine::in_memory().limits(limits).open().await, Err(OpenError::Options(_))));
    }
    let mut limits = Limits::default();
    (limits.handlers_max, limits.payload_bytes_max) = (usize::MAX, usize::MAX);
    Engine::in_memory().limits(limits).open().await.unwrap();
}

#[tokio::test]
async fn a_failure_is_recorded_however_long_its_code() {
    let fails = |_| Err(HandlerError::new("c".repeat(3 << 20), "m".repeat(3 << 20)));
    let engine = Engine::in_memory().handler_fn("h", fails).open().await.unwrap();
    let net = engine.deploy(ONE).await.unwrap().0.hash;
    let case = engine.start_case(net, None, none()).await.unwrap().case;
    engine.settled().await;
    assert_eq!(&*engine.row(case).unwrap().failed, &[ItemId(0)]);
}

#[tokio::test]
async fn a_result_of_an_earlier_attempt_is_not_taken_for_the_newest() {
    struct Slow(Mutex<Option<tokio::sync::oneshot::Receiver<()>>>);
    #[actum::async_trait]
    impl actum::Handler for Slow {
        async fn handle(&self, call: actum::Call) -> Result<Value, HandlerError> {
            let first = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
            match first {
                Some(first) if call.attempt == 1 => first.await.map(|()| Value::Null).map_err(|_| unreachable!()),
                _ => std::future::pending().await,
            }
        }
    }
    let (finish, first) = tokio::sync::oneshot::channel();
    let engine = Engine::in_memory().handler("h", Slow(Mutex::new(Some(first)))).open().await.unwrap();
    let net = engine.deploy(ONE).await.unwrap().0.hash;
    let case = engine.start_case(net, None, none()).await.unwrap().case;
    tokio::task::yield_now().await;
    engine.fail(case, ItemId(0), ActorId::ENGINE, "operator/hung", "").await.unwrap();
    engine.retry(case, ItemId(0), ActorId::ENGINE).await.unwrap();
    finish.send(()).unwrap();
    for _ in 0..50 {
        tokio::task::yield_now().await;
        let state = engine.case(case).await.unwrap().expect("still open");
        assert_eq!((state.control.items[0].phase, state.control.items[0].attempt), (Phase::Started, 2));
    }
}

#[tokio::test]
async fn a_net_is_known_once_it_is_durable_even_if_who_deployed_it_has_gone() {
    let engine = Engine::in_memory().open().await.unwrap();
    let hash = actum_net::compile(MANUAL).unwrap().net.hash;
    // Asked once, then its future is dropped: mostly before the answer came.
    drop(engine.deploy(MANUAL).now_or_never());
    engine.settled().await;
    assert!(engine.net(hash).is_some());
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    engine.start_case(hash, None, none()).await.unwrap();
    assert_eq!(engine.offered_to(ana).len(), 1);
}

#[tokio::test]
async fn a_call_that_is_made_again_has_the_input_that_it_had() {
    const NET: &str = r#"
actum: 1
net: two
data: { v: { type: int, default: 1 } }
start: split
tasks:
  split: { split: and, flow: [{ to: slow }, { to: sets }] }
  slow: { handler: slow, params: { v: "{{ v }}" }, flow: both }
  sets: { handler: sets, output: { v: "{{ result }}" }, flow: wait }
  wait: { handler: slow, flow: both }
  both: { join: and, flow: end }
"#;
    struct Slow(Sender<actum::Call>);
    #[actum::async_trait]
    impl actum::Handler for Slow {
        async fn handle(&self, call: actum::Call) -> Result<Value, HandlerError> {
            if &*call.task == "slow" {
                self.0.send(call).ok();
            }
            std::future::pending().await
        }
    }
    let (store, signer, _) = memory();
    let mut inputs = Vec::new();
    for _ in 0..2 {
        let (tell, calls) = channel();
        let engine = Engine::on_store(store.clone(), signer.clone()).handler("slow", Slow(tell));
        let engine = engine.handler_fn("sets", |_| Ok(Value::Int(2))).open().await.unwrap();
        if inputs.is_empty() {
            let net = engine.deploy(NET).await.unwrap().0.hash;
            engine.start_case(net, None, none()).await.unwrap();
        }
        inputs.push(tokio::task::spawn_blocking(move || calls.recv().unwrap().input).await.unwrap());
        while engine.case(CaseId(1)).await.unwrap().unwrap().variables[0].1 != Value::Int(2) {}
        engine.close().await.unwrap();
    }
    assert_eq!(inputs[0], inputs[1]);
}

/// A log that the right key signed, and no engine wrote.
fn forged(events: &[(u64, Event)]) -> (MemoryStore, Arc<dyn Signer>) {
    let (mut store, signer, genesis) = memory();
    let (mut stage, mut sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, Opening::new().unwrap()).unwrap();
    for (stream, event) in events {
        let stored = payload::encode(event);
        let terminal = matches!(event, Event::Case(event) if event.is_terminal());
        let draft = Draft {
            stream: *stream,
            kind: stored.kind,
            schema: stored.schema,
            terminal,
            actor: 0,
            cause: None,
            time: 1,
            extensions: Extensions::EMPTY,
            payload: &stored.bytes,
        };
        stage.push(&draft).unwrap();
    }
    let block = stage.close(Clocks::default()).unwrap();
    let block = sealer.seal(block, &*signer).unwrap();
    store.commit(&[block]).unwrap();
    (store, signer)
}

#[tokio::test]
async fn a_forged_log_is_refused_at_opening_and_panics_nowhere() {
    const NETS: u64 = (1 << 63) + 3;
    let net = actum_net::compile(MANUAL).unwrap().net;
    let deployed = SystemEvent::NetDeployed { net: net.hash, name: net.name.clone(), canonical: net.canonical.clone() };
    let begun = |net| CaseEvent::CaseStarted { net, semantics: 1, changes: vec![], produced: vec![ConditionIx(0)] };
    let change = Change { variable: VariableIx(9), value: Value::Null };
    let (item, task) = (ItemId(0), TaskIx(0));
    let impossible = [
        CaseEvent::WorkEnabled { item, task: TaskIx(77), frame: FrameId::ROOT, instance: None },
        CaseEvent::WorkOffered { item, task, role: Some(actum_model::RoleIx(7)), to: vec![] },
        CaseEvent::WorkStarted { item, task, consumed: vec![ConditionIx(99)] },
        CaseEvent::WorkCompleted { item, task, result: Value::Null, changes: vec![change], produced: vec![] },
    ];
    let deployed = || (NETS, Event::from(deployed.clone()));
    let mut logs: Vec<Vec<(u64, Event)>> =
        impossible.into_iter().map(|event| vec![deployed(), (1, begun(net.hash).into()), (1, event.into())]).collect();
    logs.push(vec![(1, begun(NetHash([3; 32])).into())]);
    logs.push(vec![deployed(), (NETS, begun(net.hash).into())]);
    logs.push(vec![(1, deployed().1)]);
    for log in logs {
        let (store, signer) = forged(&log);
        let opened = Engine::on_store(store, signer).open().await;
        assert!(matches!(opened, Err(OpenError::Read(_))), "{log:?}");
    }
    let (store, signer) = forged(&[deployed(), (1, begun(net.hash).into())]);
    let engine = Engine::on_store(store, signer).open().await.unwrap();
    assert_eq!(engine.row(CaseId(1)).unwrap().status, CaseStatus::Open);
}

#[tokio::test]
async fn work_for_others_does_not_hide_work_for_oneself() {
    let mut limits = Limits::default();
    limits.worklist_rows_max = 2;
    let engine = Engine::in_memory().limits(limits).open().await.unwrap();
    let net = engine.deploy(MANUAL).await.unwrap().0.hash;
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    let ben = engine.register("ben", &["clerk"]).await.unwrap();
    for _ in 0..3 {
        let case = engine.start_case(net, None, none()).await.unwrap().case;
        engine.offer(case, ItemId(0), &[ben]).await.unwrap();
    }
    let last = engine.start_case(net, None, none()).await.unwrap().case;
    let rows: Vec<CaseId> = engine.offered_to(ana).iter().map(|row| row.case).collect();
    assert_eq!(rows, [last]);
    assert_eq!(engine.offered_to(ben).len(), 2);
}
