//! Several partitions in one engine: the same outcomes as with one, whatever happens in between.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actum::{
    ActorId, CaseId, CaseStatus, CommandError, DeployError, Engine, EngineBuilder, ItemId, Limits, Message, NetHash,
    OpenError, Seq, Step, Stepper, Time, Value, VirtualClock,
};
use actum_log::{
    CommitError, EventStore, Fault, FaultyStore, FileSigner, FrameKey, FrameSource, Genesis, Head, MemoryStore,
    SealedBlock, Signer, records,
};
use actum_model::{Event, StartEvent, SystemEvent, payload};

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

const QUICK: &str = "actum: 1\nnet: quick\nstart: pay\ntasks:\n  pay: { handler: bank, flow: end }\n";

/// One at a time, whichever case it is of.
const LIMITED: &str = "
actum: 1
net: limited
start: pay
tasks:
  pay: { handler: slow, policies: [{ concurrency: 1 }], flow: end }
";

const PILED: &str = "
actum: 1
net: piled
roles: { clerk: {} }
start: a
tasks:
  a: { resources: { who: { roles: clerk }, may: [pile] }, flow: end }
";

fn with(builder: EngineBuilder, partitions: u16) -> EngineBuilder {
    builder.partitions(partitions).handler_fn("bank", |_| Ok(Value::Bool(true)))
}

async fn at(directory: &Path, partitions: u16) -> Engine {
    // So few that cases rest in the log of their partition, and come back from it.
    let mut limits = Limits::default();
    limits.cases_resident_max = 8;
    with(Engine::at(directory), partitions).limits(limits).open().await.unwrap()
}

async fn deploy(engine: &Engine, source: &str) -> NetHash {
    engine.deploy(source).await.unwrap_or_else(|error| panic!("{error}")).0.hash
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

/// Does all the work that somebody is offered, and answers how much that was.
async fn work(engine: &Engine, actor: ActorId) -> usize {
    let rows = engine.offered_to(actor);
    for row in &rows {
        engine.take(row.case, row.item, actor).await.unwrap();
        engine.start(row.case, row.item, actor).await.unwrap();
        engine.complete(row.case, row.item, actor, nothing()).await.unwrap();
    }
    engine.settled().await;
    rows.len()
}

#[tokio::test]
async fn keys_people_and_nets_are_the_same_in_any_number_of_partitions() {
    for partitions in [1, 2, 4] {
        let directory = tempfile::tempdir().unwrap();
        let engine = at(directory.path(), partitions).await;
        assert_eq!((engine.partitions(), engine.opened().partitions), (partitions, partitions));
        let net = deploy(&engine, REFUND).await;
        assert_eq!(deploy(&engine, REFUND).await, net, "again, which changes nothing");
        let ana = engine.register("ana", &["clerk"]).await.unwrap();
        let mut of_key = BTreeMap::new();
        for number in 0..40 {
            let key = (number < 30).then(|| format!("R-{number}"));
            let started = engine.start_case(net, key.as_deref(), amount(number)).await.unwrap();
            assert!(started.is_new);
            of_key.insert(number, started.case);
        }
        let cases: BTreeSet<CaseId> = of_key.values().copied().collect();
        assert_eq!(cases.len(), 40, "no id is given twice");
        let used: BTreeSet<u16> = cases.iter().map(|case| engine.partition_of(*case)).collect();
        assert_eq!(used.len(), usize::from(partitions), "every partition has some");
        assert_eq!(engine.cases().count(CaseStatus::Open), 40);
        assert_eq!(engine.offered_to(ana).len(), 40, "one list of all work");
        let half: Vec<_> = engine.offered_to(ana).into_iter().take(20).collect();
        for row in &half {
            engine.take(row.case, row.item, ana).await.unwrap();
        }
        assert_eq!(engine.held_by(ana).len(), 20);
        let histories: Vec<_> = cases.iter().map(|case| engine.history(*case).unwrap()).collect();
        let states: Vec<_> = futures(&engine, &cases).await;
        engine.close().await.unwrap();

        let engine = at(directory.path(), partitions).await;
        assert!(!engine.opened().is_new);
        assert_eq!(engine.opened().open_cases, 40);
        assert_eq!(futures(&engine, &cases).await, states, "the fold of the logs is the live state");
        assert_eq!(cases.iter().map(|case| engine.history(*case).unwrap()).collect::<Vec<_>>(), histories);
        assert_eq!(engine.held_by(ana).len(), 20);
        for number in 0..30 {
            let again = engine.start_case(net, Some(&format!("R-{number}")), amount(number)).await.unwrap();
            assert_eq!((again.case, again.is_new), (of_key[&number], false), "a business key starts one case only");
        }
        assert_eq!(engine.register("ana", &["clerk"]).await.unwrap(), ana);
        let bob = engine.register("bob", &["clerk"]).await.unwrap();
        for row in engine.held_by(ana) {
            engine.start(row.case, row.item, ana).await.unwrap();
            engine.complete(row.case, row.item, ana, nothing()).await.unwrap();
        }
        assert_eq!(work(&engine, bob).await, 20, "somebody new works everywhere");
        for case in &cases {
            assert_eq!(engine.ended(*case).await.unwrap().status, CaseStatus::Completed);
        }
        assert!(engine.worklist().is_empty());
        let unknown = CaseId(cases.last().unwrap().0 + 1_000);
        assert_eq!(code(engine.take(unknown, ItemId(0), ana).await), "case/not-found");
        engine.close().await.unwrap();
    }
}

async fn futures(engine: &Engine, cases: &BTreeSet<CaseId>) -> Vec<actum::Case> {
    let mut states = Vec::new();
    for case in cases {
        states.push(engine.case(*case).await.unwrap().unwrap());
    }
    states
}

#[tokio::test]
async fn the_number_of_partitions_is_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    at(directory.path(), 2).await.close().await.unwrap();
    for asked in [1, 3] {
        let refused = with(Engine::at(directory.path()), asked).open().await;
        assert!(matches!(refused, Err(OpenError::Partitions { log: 2, asked: of }) if of == asked), "{refused:?}");
    }
    let engine = Engine::at(directory.path()).open().await.unwrap();
    assert_eq!(engine.partitions(), 2, "who does not ask gets what there is");
    engine.close().await.unwrap();
    for asked in [0, 65] {
        let new = tempfile::tempdir().unwrap();
        let refused = with(Engine::at(new.path()), asked).open().await;
        assert!(matches!(refused, Err(OpenError::Options(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn what_several_partitions_cannot_do_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let engine = at(directory.path(), 2).await;
    let net = deploy(&engine, REFUND).await;
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    let case = engine.start_case(net, None, amount(1)).await.unwrap().case;
    let message = Message::new("payment", "7", Value::Null);
    assert_eq!(code(engine.message(message, ana).await), "log/partitions");
    assert_eq!(code(engine.rotate_key().await), "log/partitions");
    assert_eq!(code(engine.replace_key("lost").await), "log/partitions");
    assert_eq!(code(engine.revoke_key([0; 32], "lost").await), "log/partitions");
    assert_eq!(code(engine.checkpoint(b"").await), "log/partitions");
    assert_eq!(code(engine.save_state().await), "log/partitions");
    let item = engine.offered_to(ana)[0].item;
    engine.cancel_case(case, ana, "test").await.unwrap();
    let net = deploy(&engine, PILED).await;
    let case = engine.start_case(net, None, BTreeMap::new()).await.unwrap().case;
    engine.take(case, item, ana).await.unwrap();
    assert_eq!(code(engine.pile(case, item, ana, true).await), "log/partitions");
    assert!(engine.rebuild::<actum::Cases>().await.is_err());
    assert!(engine.subscribe(Seq(0)).next().await.is_err(), "a part of the log is not taken for all of it");
    assert!(engine.head().is_err());
    assert_eq!(engine.position(), None);
    engine.close().await.unwrap();
    let refused = Engine::at(directory.path()).replace_key("lost").open().await;
    assert!(matches!(refused, Err(OpenError::Several { log: 2, .. })), "{refused:?}");
    let refused = Engine::at(directory.path()).checkpoints().open().await;
    assert!(matches!(refused, Err(OpenError::Several { log: 2, .. })), "{refused:?}");
}

#[tokio::test]
async fn each_partition_can_be_followed() {
    let directory = tempfile::tempdir().unwrap();
    let engine = at(directory.path(), 2).await;
    let net = deploy(&engine, QUICK).await;
    for _ in 0..10 {
        engine.start_case(net, None, BTreeMap::new()).await.unwrap();
    }
    engine.settled().await;
    let mut cases = BTreeSet::new();
    for partition in 0..2 {
        let last = engine.head_of(partition).unwrap().unwrap().size - 1;
        assert!(engine.wait_until_in(partition, Seq(last), Duration::from_mins(1)).await);
        assert_eq!(engine.position_in(partition), Some(Seq(last)));
        let mut subscription = engine.subscribe_to(partition, Seq(0)).unwrap();
        while subscription.position() <= Seq(last) {
            let record = subscription.next().await.unwrap().unwrap();
            if record.header().stream < 1 << 63 {
                assert_eq!(record.header().stream % 2, u64::from(partition));
                cases.insert(record.header().stream);
            }
        }
    }
    assert_eq!(cases, (1..=10).collect(), "they take turns");
    assert!(engine.subscribe_to(2, Seq(0)).is_none());
    engine.close().await.unwrap();
}

#[tokio::test]
async fn limits_of_the_engine_hold_for_all_partitions_together() {
    let limits = |open: usize, kept: usize| {
        let mut limits = Limits::default();
        (limits.cases_open_max, limits.cases_kept_max) = (open, kept);
        limits
    };
    for limits in [limits(5, 100), limits(100, 5)] {
        let directory = tempfile::tempdir().unwrap();
        let open = || with(Engine::at(directory.path()), 2).limits(limits).open();
        let engine = open().await.unwrap();
        let net = deploy(&engine, REFUND).await;
        let mut cases = Vec::new();
        for _ in 0..5 {
            cases.push(engine.start_case(net, None, amount(1)).await.unwrap().case);
        }
        for _ in 0..4 {
            let busy = engine.start_case(net, None, amount(1)).await;
            assert!(matches!(busy, Err(CommandError::Busy { .. })), "{busy:?}");
        }
        engine.close().await.unwrap();
        let engine = open().await.unwrap();
        let busy = engine.start_case(net, None, amount(1)).await;
        assert!(matches!(busy, Err(CommandError::Busy { .. })), "{busy:?}");
        // Whichever ends makes room in both.
        for case in cases {
            engine.cancel_case(case, ActorId::ENGINE, "test").await.unwrap();
            engine.start_case(net, None, amount(1)).await.unwrap();
            let busy = engine.start_case(net, None, amount(1)).await;
            assert!(matches!(busy, Err(CommandError::Busy { .. })), "{busy:?}");
        }
        engine.close().await.unwrap();
    }
}

#[tokio::test]
async fn calls_that_are_limited_are_counted_in_one_place() {
    #[derive(Default)]
    struct Slow(Arc<Mutex<(usize, usize)>>);
    #[actum::async_trait]
    impl actum::Handler for Slow {
        async fn handle(&self, _: actum::Call) -> Result<Value, actum::HandlerError> {
            {
                let mut running = self.0.lock().unwrap();
                running.0 += 1;
                running.1 = running.1.max(running.0);
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            self.0.lock().unwrap().0 -= 1;
            Ok(Value::Null)
        }
    }
    let directory = tempfile::tempdir().unwrap();
    let running = Arc::new(Mutex::new((0, 0)));
    let engine = with(Engine::at(directory.path()), 4).handler("slow", Slow(running.clone())).open().await.unwrap();
    let net = deploy(&engine, LIMITED).await;
    let mut cases = Vec::new();
    for number in 0..20 {
        let key = (number % 2 == 0).then(|| number.to_string());
        cases.push(engine.start_case(net, key.as_deref(), BTreeMap::new()).await.unwrap().case);
    }
    engine.settled().await;
    for case in cases {
        assert_eq!(engine.row(case).unwrap().status, CaseStatus::Completed);
        assert_eq!(engine.partition_of(case), 0);
    }
    assert_eq!(running.lock().unwrap().1, 1, "one at a time in the whole engine");
    let other = LIMITED.replace(", policies: [{ concurrency: 1 }]", "");
    let refused = engine.deploy(&other).await.map(drop);
    let Err(DeployError::Command(CommandError::Rejected(refused))) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.code, "net/limits", "its keys would be looked for elsewhere");
    engine.close().await.unwrap();
}

fn signer() -> Arc<dyn Signer> {
    Arc::new(FileSigner::from_seed(&[5; 32]))
}

fn memory(partitions: u16) -> MemoryStore {
    let genesis = Genesis::new([7; 16], "actum.local/partitions", 0, signer().public_key()).unwrap();
    let genesis = genesis.with_clock(actum_log::Clock::Simulated).with_partitions(partitions).unwrap();
    MemoryStore::new(genesis.to_string())
}

/// Notes which partitions' blocks each commit has.
struct Noted {
    inner: MemoryStore,
    commits: Arc<Mutex<Vec<Vec<u16>>>>,
}

impl EventStore for Noted {
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        self.commits.lock().unwrap().push(blocks.iter().map(|block| block.partition).collect());
        self.inner.commit(blocks)
    }

    fn head(&self, partition: u16) -> Option<Head> {
        EventStore::head(&self.inner, partition)
    }

    fn source(&self) -> Arc<dyn FrameSource> {
        self.inner.source()
    }
}

fn stepped(store: impl EventStore + 'static, clock: &VirtualClock) -> (Engine, Stepper) {
    Engine::on_store(store, signer())
        .clock(clock.clone())
        .seed(1)
        .handler_fn("bank", |_| Ok(Value::Bool(true)))
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

/// Asks, and drops the question: what it asked for is on its way.
fn ask<T>(asked: impl Future<Output = T>) {
    let mut asked = pin!(asked);
    assert!(asked.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[tokio::test]
async fn blocks_of_all_partitions_go_into_one_commit() {
    let commits = Arc::new(Mutex::new(Vec::new()));
    let clock = VirtualClock::new(Time(1));
    let (engine, mut stepper) = stepped(Noted { inner: memory(4), commits: commits.clone() }, &clock);
    stepper.run();
    assert_eq!(*commits.lock().unwrap(), [[0, 1, 2, 3]], "four openings");
    let net = answer(&mut stepper, engine.deploy(REFUND)).await.unwrap().0.hash;
    commits.lock().unwrap().clear();
    for _ in 0..8 {
        ask(engine.start_case(net, None, amount(1)));
    }
    stepper.run();
    assert_eq!(engine.cases().count(CaseStatus::Open), 8);
    assert_eq!(*commits.lock().unwrap(), [[0, 1, 2, 3]; 2], "each partition decides two, one in each round");
}

/// The events of a partition that are copies, with their origins.
fn copies(store: &MemoryStore, partition: u16) -> Vec<(u64, Event)> {
    let mut copies = Vec::new();
    for record in records(store, partition, 0).unwrap() {
        let record = record.unwrap();
        let Some(origin) = record.view().extensions().remote_cause() else { continue };
        assert_eq!(origin.partition, 0);
        let header = record.header();
        let event = payload::decode(header.kind, header.schema, record.view().payload()).unwrap();
        let original = records(store, 0, origin.seq).unwrap().next().unwrap().unwrap();
        let (of, view) = (original.header(), original.view());
        assert_eq!(payload::decode(of.kind, of.schema, view.payload()).unwrap(), event, "it is what it says it is");
        assert_eq!((of.stream, of.actor), (header.stream, header.actor));
        copies.push((origin.seq, event));
    }
    copies
}

#[tokio::test]
async fn what_was_not_told_before_a_crash_is_told_after_it() {
    let clock = VirtualClock::new(Time(1));
    // The crash comes after ever more of these steps.
    let after = [Step::Decide, Step::Close, Step::Store];
    for steps in 0..=after.len() {
        let store = memory(2);
        let (engine, mut stepper) = stepped(store.clone(), &clock);
        stepper.run();
        answer(&mut stepper, engine.register("ana", &["clerk"])).await.unwrap();
        assert_eq!(copies(&store, 1).len(), 1);
        // Partition 0 decides and is durable, and partition 1 has not heard of it, or not made it durable.
        ask(engine.deploy(REFUND));
        ask(engine.register("bob", &["clerk"]));
        while Step::ALL.into_iter().fold(false, |did, step| stepper.step_in(0, step) | did) {}
        for step in &after[..steps] {
            while stepper.step_in(1, *step) {}
        }
        let is_told = if steps == after.len() { 3 } else { 1 };
        assert_eq!(copies(&store, 1).len(), is_told, "after {steps} steps");
        drop((stepper.crash(), engine));

        let (engine, mut stepper) = stepped(store.clone(), &clock);
        stepper.run();
        let told = copies(&store, 1);
        assert_eq!(told.len(), 3, "each is told once, whatever was told before");
        assert!(told.is_sorted_by_key(|(origin, _)| *origin), "in the order of their origins");
        assert!(matches!(&told[1].1, Event::System(SystemEvent::NetDeployed { name, .. }) if name == "refund"));
        let bob = engine.actor("bob").unwrap().0;
        let net = answer(&mut stepper, engine.deploy(REFUND)).await.unwrap().0.hash;
        for _ in 0..2 {
            let case = answer(&mut stepper, engine.start_case(net, None, amount(1))).await.unwrap().case;
            let item = engine.offered_to(bob)[0].item;
            answer(&mut stepper, engine.take(case, item, bob)).await.unwrap();
        }
        assert_eq!(copies(&store, 1).len(), 3);
    }
}

#[tokio::test]
async fn a_failed_write_stops_all_partitions_and_loses_nothing_acknowledged() {
    for fault in [Fault::BeforeStoring, Fault::HalfStored, Fault::AfterStoring] {
        for fails_at in [3, 6] {
            let store = memory(2);
            let faulty = FaultyStore::new(store.clone(), fails_at, fault);
            let clock = VirtualClock::new(Time(1));
            let builder = || Engine::on_store(store.clone(), signer()).clock(clock.clone());
            let engine = Engine::on_store(faulty, signer())
                .clock(clock.clone())
                .handler_fn("bank", |_| Ok(Value::Bool(true)))
                .open()
                .await
                .unwrap();
            let mut started = BTreeMap::new();
            if let Ok((net, _)) = engine.deploy(REFUND).await {
                for number in 0..20 {
                    let key = number.to_string();
                    if let Ok(new) = engine.start_case(net.hash, Some(&key), amount(1)).await {
                        started.insert(key, new.case);
                    }
                }
                assert!(started.len() < 20, "writing failed");
                // Every partition has stopped.
                for number in 0..20 {
                    let stopped = engine.start_case(net.hash, Some(&number.to_string()), amount(1)).await;
                    assert!(matches!(stopped, Err(CommandError::Stopped(_))), "{stopped:?}");
                }
            }
            engine.close().await.ok();
            let engine = builder().handler_fn("bank", |_| Ok(Value::Bool(true))).open().await.unwrap();
            let net = deploy(&engine, REFUND).await;
            for (key, case) in started {
                let again = engine.start_case(net, Some(&key), amount(1)).await.unwrap();
                assert_eq!((again.case, again.is_new), (case, false), "acknowledged means present");
            }
            engine.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn damage_is_reported_by_the_partition_that_has_it() {
    for partition in 0..2 {
        let store = memory(2);
        let clock = VirtualClock::new(Time(1));
        let (engine, mut stepper) = stepped(store.clone(), &clock);
        stepper.run();
        answer(&mut stepper, engine.register("ana", &["clerk"])).await.unwrap();
        drop((stepper, engine));
        let block = store.frames(FrameKey::first(partition)).unwrap().last().unwrap().unwrap();
        assert!(store.tamper(block.key, |bytes| *bytes.last_mut().unwrap() ^= 1));
        let refused = Engine::on_store(store, signer()).clock(clock).open().await.map(drop);
        let Err(OpenError::Read(error)) = refused else { panic!("{refused:?}") };
        assert!(error.to_string().contains(&format!("partition {partition}")), "{error}");
    }
}

#[tokio::test]
async fn one_partition_looks_at_the_clock_for_all() {
    let hourly = "
actum: 1
net: hourly
starts:
  each: { cron: '0 * * * *', catch_up: all }
start: pay
tasks:
  pay: { handler: bank, flow: end }
";
    let store = memory(2);
    let clock = VirtualClock::new(Time(1));
    let (engine, mut stepper) = stepped(store.clone(), &clock);
    stepper.run();
    answer(&mut stepper, engine.deploy(hourly)).await.unwrap();
    clock.advance_to(Time(3 * 3_600_000_000_000));
    stepper.run();
    for _ in 0..100 {
        tokio::task::yield_now().await;
        stepper.run();
    }
    let of = |partition: u16| {
        let events = records(&store, partition, 0).unwrap().map(|record| {
            let record = record.unwrap();
            payload::decode(record.header().kind, record.header().schema, record.view().payload()).ok()
        });
        let is_start = |event: &Event| {
            matches!(event, Event::Case(actum::CaseEvent::CaseTriggered { .. }))
                || matches!(event, Event::System(SystemEvent::Start(StartEvent::Skipped { .. })))
        };
        events.flatten().filter(is_start).count()
    };
    assert!(of(0) > 0);
    assert_eq!(of(1), 0);
    drop((stepper, engine));
}
