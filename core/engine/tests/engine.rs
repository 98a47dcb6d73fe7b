//! What an embedder may rely on.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use actum::{
    ActorId, CaseId, CaseStatus, CommandError, DeployError, Engine, EngineBuilder, HandlerError, Holder, ItemId,
    Limits, OpenError, Seq, Time, Value, VirtualClock,
};
use actum_log::{Fault, FaultyStore, FileSigner, Genesis, MemoryStore, Signer};

const REFUND: &str = r#"
actum: 1
net: refund
data:
  amount: { type: int, input: true, required: true }
  paid: { type: bool }
roles: { clerk: {} }
start: approve
tasks:
  approve: { role: clerk, flow: pay }
  pay: { handler: bank, params: { cents: "{{ amount }}" }, output: { paid: "{{ result }}" }, flow: end }
"#;

#[expect(clippy::unnecessary_wraps, reason = "a handler's signature")]
fn bank(_: actum::Call) -> Result<Value, HandlerError> {
    Ok(Value::Bool(true))
}

fn at(directory: &Path) -> EngineBuilder {
    Engine::at(directory).handler_fn("bank", bank)
}

fn amount(amount: i64) -> BTreeMap<String, Value> {
    BTreeMap::from([("amount".to_owned(), Value::Int(amount))])
}

fn nothing() -> Value {
    Value::Map(BTreeMap::new())
}

#[track_caller]
fn code<T: std::fmt::Debug>(answer: Result<T, CommandError>) -> &'static str {
    match answer {
        Err(CommandError::Rejected(rejection)) => rejection.code,
        other => panic!("not a rejection: {other:?}"),
    }
}

#[tokio::test]
async fn a_case_goes_on_where_it_was_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let engine = at(directory.path()).open().await.unwrap();
    let net = engine.deploy(REFUND).await.unwrap().0.hash;
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    let started = engine.start_case(net, Some("R-1"), amount(5)).await.unwrap();
    assert!(started.is_new);
    let work = engine.offered_to(ana);
    assert_eq!(work.len(), 1);
    engine.take(started.case, work[0].item, ana).await.unwrap();
    let before = engine.case(started.case).await.unwrap().unwrap();
    let events = engine.history(started.case).unwrap();
    engine.close().await.unwrap();

    let engine = at(directory.path()).open().await.unwrap();
    assert!(!engine.opened().is_new);
    assert_eq!(engine.opened().open_cases, 1);
    assert_eq!(engine.case(started.case).await.unwrap().unwrap(), before, "the fold of the log is the live state");
    assert_eq!(engine.history(started.case).unwrap(), events);
    let again = engine.start_case(net, Some("R-1"), amount(5)).await.unwrap();
    assert_eq!((again.case, again.is_new), (started.case, false), "a business key starts one case only");
    assert_eq!(engine.register("ana", &["clerk"]).await.unwrap(), ana);
    assert_eq!(engine.held_by(ana).len(), 1);
    engine.start(started.case, work[0].item, ana).await.unwrap();
    engine.complete(started.case, work[0].item, ana, nothing()).await.unwrap();
    assert_eq!(engine.ended(started.case).await.unwrap().status, CaseStatus::Completed);
    assert_eq!(code(engine.take(started.case, work[0].item, ana).await), "case/ended");
    assert!(engine.worklist().is_empty());
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_handler_without_a_result_is_called_again_after_reopening() {
    struct Never;
    #[actum::async_trait]
    impl actum::Handler for Never {
        async fn handle(&self, _: actum::Call) -> Result<Value, HandlerError> {
            std::future::pending().await
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let net = "actum: 1\nnet: test\nstart: a\ntasks:\n  a: { handler: h, flow: end }\n";
    let engine = Engine::at(directory.path()).handler("h", Never).open().await.unwrap();
    let net = engine.deploy(net).await.unwrap().0.hash;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.close().await.unwrap();
    let engine = Engine::at(directory.path()).handler_fn("h", |_| Ok(Value::Null)).open().await.unwrap();
    assert_eq!(engine.opened().pending, 1);
    assert_eq!(engine.ended(case).await.unwrap().status, CaseStatus::Completed);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_handler_that_panics_fails_its_item_and_not_the_engine() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let panics = move |call: actum::Call| {
        counted.fetch_add(1, Ordering::SeqCst);
        assert!(call.attempt > 1, "the first attempt panics");
        Ok(Value::Null)
    };
    let engine = Engine::in_memory().handler_fn("h", panics).open().await.unwrap();
    let net =
        engine.deploy("actum: 1\nnet: t\nstart: a\ntasks:\n  a: { handler: h, flow: end }\n").await.unwrap().0.hash;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.settled().await;
    let row = engine.row(case).unwrap();
    assert_eq!((row.status, &*row.failed), (CaseStatus::Open, &[ItemId(0)][..]));
    let history = engine.history(case).unwrap();
    let failed = format!("{:?}", history.last().unwrap().event);
    assert!(failed.contains("handler/panicked") && failed.contains("the first attempt panics"), "{failed}");
    engine.retry(case, ItemId(0), ActorId::ENGINE).await.unwrap();
    assert_eq!(engine.ended(case).await.unwrap().status, CaseStatus::Completed);
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_result_that_does_not_fit_fails_the_item_with_the_reason() {
    let engine = Engine::in_memory().handler_fn("h", |_| Ok(Value::String("x".into()))).open().await.unwrap();
    let net = "actum: 1\nnet: t\ndata: { n: { type: int } }\nstart: a\ntasks:\n  a: { handler: h, output: { n: \"{{ result }}\" }, flow: end }\n";
    let net = engine.deploy(net).await.unwrap().0.hash;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.settled().await;
    let failed = format!("{:?}", engine.history(case).unwrap().last().unwrap().event);
    assert!(failed.contains("work/output"), "{failed}");
}

#[tokio::test]
async fn nets_that_cannot_run_are_refused_at_deployment() {
    let engine = Engine::in_memory().open().await.unwrap();
    let unknown = "actum: 1\nnet: t\nstart: a\ntasks:\n  a: { handler: nobody, flow: end }\n";
    assert!(matches!(engine.deploy(unknown).await, Err(DeployError::UnknownHandlers(names)) if names == ["nobody"]));
    assert!(matches!(engine.deploy("actum: 1\nnet: t\n").await, Err(DeployError::Net(found)) if !found.is_empty()));
}

#[tokio::test]
async fn people_see_and_may_do_only_what_is_theirs() {
    let engine = Engine::in_memory().handler_fn("bank", bank).open().await.unwrap();
    let net = engine.deploy(REFUND).await.unwrap().0.hash;
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    let ben = engine.register("ben", &["clerk"]).await.unwrap();
    let eve = engine.register("eve", &["guest"]).await.unwrap();
    let case = engine.start_case(net, None, amount(1)).await.unwrap().case;
    assert!(engine.offered_to(eve).is_empty());
    assert_eq!(code(engine.take(case, ItemId(0), eve).await), "work/role");
    engine.offer(case, ItemId(0), &[ben]).await.unwrap();
    assert!(engine.offered_to(ana).is_empty() && engine.offered_to(ben).len() == 1);
    engine.take(case, ItemId(0), ben).await.unwrap();
    assert_eq!(engine.held_by(ben)[0].holder, Holder::Allocated(ben));
    assert_eq!(code(engine.start(case, ItemId(0), ana).await), "work/not-yours");
    engine.start(case, ItemId(0), ben).await.unwrap();
    engine.fail(case, ItemId(0), ben, "refund/unclear", "no receipt").await.unwrap();
    engine.retry(case, ItemId(0), ben).await.unwrap();
    engine.complete(case, ItemId(0), ben, nothing()).await.unwrap();
    assert_eq!(engine.ended(case).await.unwrap().status, CaseStatus::Completed);
    assert_eq!(
        code(
            engine
                .case(CaseId(99))
                .await
                .and_then(|_| Err(CommandError::Rejected(actum::Rejection::new("x", ""))) as Result<(), _>)
        ),
        "x"
    );
    assert_eq!(code(engine.cancel_case(CaseId(99), ana, "").await), "case/not-found");
    // Taking a role away holds from then on.
    engine.register("ben", &[]).await.unwrap();
    let case = engine.start_case(net, None, amount(1)).await.unwrap().case;
    assert_eq!(code(engine.take(case, ItemId(0), ben).await), "work/role");
}

#[tokio::test]
async fn nobody_is_offered_work_that_separation_of_duties_forbids() {
    let net = "actum: 1\nnet: t\nroles: { clerk: {} }\nstart: one\ntasks:\n  one: { role: clerk, flow: two }\n  two: { role: clerk, separate_from: [one], flow: end }\n";
    let engine = Engine::in_memory().open().await.unwrap();
    let net = engine.deploy(net).await.unwrap().0.hash;
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    let ben = engine.register("ben", &["clerk"]).await.unwrap();
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.take(case, ItemId(0), ana).await.unwrap();
    engine.start(case, ItemId(0), ana).await.unwrap();
    engine.complete(case, ItemId(0), ana, nothing()).await.unwrap();
    assert!(engine.offered_to(ana).is_empty());
    assert_eq!(engine.offered_to(ben).len(), 1);
}

#[tokio::test]
async fn a_subscription_catches_up_follows_and_ends_without_a_gap() {
    let directory = tempfile::tempdir().unwrap();
    let engine = at(directory.path()).open().await.unwrap();
    let net = engine.deploy(REFUND).await.unwrap().0.hash;
    for _ in 0..300 {
        engine.start_case(net, None, amount(1)).await.unwrap();
    }
    let mut early = engine.subscribe(Seq(0));
    let mut late = engine.subscribe(Seq(1_000));
    let follower = tokio::spawn(async move {
        let mut seqs = Vec::new();
        while let Some(record) = early.next().await.unwrap() {
            seqs.push(record.header().seq);
        }
        seqs
    });
    for _ in 0..300 {
        engine.start_case(net, None, amount(1)).await.unwrap();
    }
    assert_eq!(late.next().await.unwrap().unwrap().header().seq, 1_000);
    assert_eq!(late.position(), Seq(1_001));
    engine.close().await.unwrap();
    let seqs = follower.await.unwrap();
    assert!(seqs.iter().copied().eq(0..seqs.len() as u64), "a gap, or an event twice");
    assert!(seqs.len() > 600 * 3, "{}", seqs.len());
}

#[tokio::test]
async fn a_directory_with_other_files_is_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("letter.txt"), "dear").unwrap();
    assert!(matches!(at(directory.path()).open().await, Err(OpenError::Options(why)) if why.contains("letter.txt")));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn one_engine_at_a_time_has_a_directory() {
    let directory = tempfile::tempdir().unwrap();
    let engine = at(directory.path()).open().await.unwrap();
    assert!(matches!(at(directory.path()).open().await, Err(OpenError::Locked(_))));
    engine.close().await.unwrap();
    at(directory.path()).open().await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn dropping_the_engine_keeps_what_was_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let engine = at(directory.path()).open().await.unwrap();
    let net = engine.deploy(REFUND).await.unwrap().0.hash;
    engine.start_case(net, Some("R-1"), amount(1)).await.unwrap();
    drop(engine);
    // The engine ends in the background: until then the directory is locked.
    let engine = loop {
        match at(directory.path()).open().await {
            Ok(engine) => break engine,
            Err(OpenError::Locked(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(engine.cases().len(), 1);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_log_keeps_its_kind_of_time() {
    let directory = tempfile::tempdir().unwrap();
    let clock = VirtualClock::new(Time(1_000));
    let engine = at(directory.path()).clock(clock.clone()).open().await.unwrap();
    clock.advance_to(Time(5_000));
    clock.advance_to(Time(4_000));
    let net = engine.deploy(REFUND).await.unwrap().0.hash;
    let case = engine.start_case(net, None, amount(1)).await.unwrap().case;
    assert_eq!(engine.history(case).unwrap()[0].meta.time, Time(5_000));
    engine.close().await.unwrap();
    assert!(matches!(at(directory.path()).open().await, Err(OpenError::Clock { log: "simulated", given: "real" })));
}

#[tokio::test]
async fn limits_are_kept_and_named() {
    let mut limits = Limits::default();
    limits.cases_open_max = 2;
    limits.payload_bytes_max = 5_000;
    let engine = Engine::in_memory().limits(limits).handler_fn("bank", bank).open().await.unwrap();
    let net = engine.deploy(REFUND).await.unwrap().0.hash;
    let long = "k".repeat(600);
    assert_eq!(code(engine.start_case(net, Some(&long), amount(1)).await), "case/key");
    assert_eq!(code(engine.register(&long, &[]).await), "directory/name");
    for _ in 0..2 {
        engine.start_case(net, None, amount(1)).await.unwrap();
    }
    assert!(matches!(engine.start_case(net, None, amount(1)).await, Err(CommandError::Busy { .. })));
    let large = "actum: 1\nnet: l\ndata: { s: { type: string, input: true } }\nstart: a\ntasks:\n  a: { handler: log, params: { message: x }, flow: end }\n";
    engine.cancel_case(CaseId(1), ActorId::ENGINE, "room").await.unwrap();
    let large = engine.deploy(large).await.unwrap().0.hash;
    let input = BTreeMap::from([("s".to_owned(), Value::String("x".repeat(6_000)))]);
    assert_eq!(code(engine.start_case(large, None, input).await), "command/too-large");
}

/// After a failed write nothing more is acknowledged, and reopening shows all that was.
#[tokio::test]
async fn nothing_acknowledged_is_lost_whichever_commit_fails() {
    for fault in [Fault::BeforeStoring, Fault::AfterStoring, Fault::HalfStored] {
        for fails_at in 2..12 {
            let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&[7; 32]));
            let genesis = Genesis::new([1; 16], "actum.local/test", 0, signer.public_key()).unwrap();
            let store = MemoryStore::new(genesis.to_string());
            let faulty = FaultyStore::new(store.clone(), fails_at, fault);
            let engine = Engine::on_store(faulty, signer.clone()).handler_fn("bank", bank).open().await.unwrap();
            let net = engine.deploy(REFUND).await.unwrap().0.hash;
            let mut acknowledged = Vec::new();
            let stopped = loop {
                match engine.start_case(net, None, amount(1)).await {
                    Ok(started) => acknowledged.push(started.case),
                    Err(error) => break error,
                }
            };
            assert!(matches!(stopped, CommandError::Stopped(_)), "{stopped}");
            let again = engine.start_case(net, None, amount(1)).await;
            assert!(matches!(again, Err(CommandError::Stopped(_))), "a stopped engine takes nothing more: {again:?}");
            assert_eq!(engine.cases().len(), acknowledged.len(), "nothing undurable is shown");
            drop(engine);
            let engine = Engine::on_store(store, signer).handler_fn("bank", bank).open().await.unwrap();
            for case in &acknowledged {
                assert!(
                    engine.case(*case).await.unwrap().is_some(),
                    "case {case} was acknowledged ({fault:?} at {fails_at})"
                );
            }
            engine.close().await.unwrap();
        }
    }
}
