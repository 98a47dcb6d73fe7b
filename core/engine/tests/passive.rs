//! Cases that rest in the log: nobody can tell, but by the memory.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};

use actum::{
    ActorId, Call, CaseId, CaseStatus, CommandError, Engine, Extent, Handler, HandlerError, ItemId, Limits, Message,
    NetHash, Step, Stepper, Time, Value, VirtualClock, saved_state_of,
};
use actum_log::{
    APPLICATION_KIND_FIRST, CommitError, EventStore, FileSigner, Frame, FrameKey, FrameSource, Frames, Genesis, Head,
    MemoryStore, ReadError, SealedBlock, Signer, records,
};
use actum_projections::Projection;

const MINUTE: u64 = 60_000_000_000;

const CLAIM: &str = "
actum: 1
net: claim
roles: { clerk: {} }
data: { about: { type: string, input: true }, n: { type: int } }
start: ask
tasks:
  ask: { role: clerk, flow: pause }
  pause: { wait: { for: PT1H }, flow: pay }
  pay: { receive: { message: paid, key: '{{ about }}' }, output: { n: '{{ result }}' }, flow: book }
  book: { handler: work, flow: last }
  last: { trigger: { signal: go }, flow: end }
";

const TRIP: &str = "
actum: 1
net: trip
roles: { clerk: {} }
data: { about: { type: string, input: true } }
exceptions: { external: { stop: compensate } }
start: flight
tasks:
  flight: { handler: work, compensation: unflight, flow: hotel }
  hotel: { role: clerk, compensation: unhotel, flow: car }
  car: { role: clerk, flow: end }
  unflight: { compensates: true, handler: work }
  unhotel: { compensates: true, handler: work }
";

/// Does all at once.
struct Works;

#[actum::async_trait]
impl Handler for Works {
    async fn handle(&self, _: Call) -> Result<Value, HandlerError> {
        Ok(Value::Map(BTreeMap::new()))
    }
}

fn signer() -> Arc<dyn Signer> {
    Arc::new(FileSigner::from_seed(&[5; 32]))
}

fn memory() -> MemoryStore {
    let genesis = Genesis::new([4; 16], "actum.local/passive", 0, signer().public_key()).unwrap();
    MemoryStore::new(genesis.with_clock(actum_log::Clock::Simulated).to_string())
}

fn resident(at_most: usize) -> Limits {
    let mut limits = Limits::default();
    limits.cases_resident_max = at_most;
    limits
}

fn stepped(store: impl EventStore + 'static, clock: &VirtualClock, at_most: usize) -> (Engine, Stepper) {
    Engine::on_store(store, signer())
        .clock(clock.clone())
        .seed(3)
        .limits(resident(at_most))
        .handler("work", Works)
        .open_stepped()
        .unwrap()
}

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

async fn run_dry(stepper: &mut Stepper) {
    for _ in 0..6 {
        stepper.run();
        tokio::task::yield_now().await;
    }
}

fn input(about: u64) -> BTreeMap<String, Value> {
    BTreeMap::from([("about".to_owned(), Value::String(about.to_string()))])
}

/// Chance that a seed repeats.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

type Asked = Pin<Box<dyn Future<Output = String>>>;

/// Something that anybody may ask, sensible or not.
fn ask(engine: &Engine, nets: [NetHash; 2], ana: ActorId, chance: &mut Chance) -> Asked {
    let (engine, case) = (engine.clone(), CaseId(1 + chance.below(12)));
    let (what, n) = (chance.below(20), chance.below(8));
    let offered = engine.offered_to(ana).first().map(|row| (row.case, row.item));
    let held = engine.held_by(ana).first().map(|row| (row.case, row.item));
    Box::pin(async move {
        match what {
            0..=3 => {
                let key = (n > 4).then(|| format!("key {n}"));
                let net = nets[usize::from(n % 2 == 1)];
                format!("{:?}", engine.start_case(net, key.as_deref(), input(n)).await)
            }
            4..=6 => match offered {
                Some((case, item)) => format!("{:?}", engine.take(case, item, ana).await),
                None => String::new(),
            },
            7..=9 => match held {
                Some((case, item)) => {
                    let begun = engine.start(case, item, ana).await;
                    let done = engine.complete(case, item, ana, Value::Map(BTreeMap::new())).await;
                    format!("{begun:?} {done:?}")
                }
                None => String::new(),
            },
            10 | 11 => {
                let message = Message::new("paid", n.to_string(), Value::Int(7));
                let message = if n > 5 { message.to_all() } else { message };
                format!("{:?}", engine.message(message, ana).await)
            }
            12 => format!("{:?}", engine.signal(case, ana, "go", Value::Null).await),
            13 => format!("{:?}", engine.suspend_case(case, ana).await),
            14 | 15 => format!("{:?}", engine.resume_case(case, ana).await),
            16 if n == 0 => format!("{:?}", engine.cancel_case(case, ana, "no").await),
            17 if n < 2 => format!("{:?}", engine.compensate(case, ana, Extent::All, "no").await),
            18 => format!("{:?}", engine.timers(100).await),
            _ => format!("{:?}", engine.case(case).await),
        }
    })
}

/// All that can be seen of a run: answers, all events, and projections.
struct Seen {
    answers: Vec<String>,
    events: Vec<(String, Vec<u8>)>,
    shown: Vec<Vec<u8>>,
}

async fn seen(seed: u64, at_most: usize) -> Seen {
    let (store, clock, mut chance) = (memory(), VirtualClock::new(Time(MINUTE)), Chance(seed));
    let (mut engine, mut stepper) = stepped(store.clone(), &clock, at_most);
    let claim = answer(&mut stepper, engine.deploy(CLAIM)).await.unwrap().0.hash;
    let trip = answer(&mut stepper, engine.deploy(TRIP)).await.unwrap().0.hash;
    let ana = answer(&mut stepper, engine.register("ana", &["clerk"])).await.unwrap();
    let mut answers = Vec::new();
    let mut now = MINUTE;
    for round in 0..120 {
        let mut asked: Vec<Asked> =
            (0..=chance.below(3)).map(|_| ask(&engine, [claim, trip], ana, &mut chance)).collect();
        for one in &mut asked {
            if let Poll::Ready(answer) = one.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                *one = Box::pin(async { answer });
            }
        }
        for _ in 0..chance.below(12) {
            let step = Step::ALL[chance.below(4) as usize];
            answers.push(stepper.step(step).to_string());
        }
        for one in asked {
            answers.push(answer(&mut stepper, one).await);
        }
        if chance.below(4) == 0 {
            now += chance.below(50) * MINUTE;
            clock.advance_to(Time(now));
        }
        run_dry(&mut stepper).await;
        if round % 40 == 39 {
            drop(stepper.crash());
            (engine, stepper) = stepped(store.clone(), &clock, at_most);
            answers.push(format!("{} {}", engine.opened().open_cases, engine.opened().pending));
            run_dry(&mut stepper).await;
        }
    }
    for case in 1..=engine.cases().len() as u64 {
        answers.push(format!("{:?}", answer(&mut stepper, engine.case(CaseId(case))).await));
    }
    let events = records(&store, 0, 0).unwrap().map(Result::unwrap);
    let events = events.filter(|record| record.header().kind >= APPLICATION_KIND_FIRST);
    Seen {
        answers,
        // But for the root over a stream that ended: hashes are salted.
        events: events.map(|record| (format!("{:?}", record.header()), record.view().payload().to_vec())).collect(),
        shown: vec![engine.cases().snapshot(), engine.worklist().snapshot(), engine.waits().snapshot()],
    }
}

#[tokio::test]
async fn who_asks_cannot_tell_whether_a_case_rested() {
    let mut ended = 0;
    for seed in 1..=5 {
        let all = seen(seed * 0x9e37_79b9, 1_000).await;
        ended += all.answers.iter().filter(|answer| *answer == "Ok(None)").count();
        for at_most in [1, 2, 3] {
            let some = seen(seed * 0x9e37_79b9, at_most).await;
            let differs = all.answers.iter().zip(&some.answers).position(|(one, other)| one != other);
            if let Some(at) = differs {
                panic!("seed {seed}, {at_most}: {} became {}", all.answers[at], some.answers[at]);
            }
            let differs = all.events.iter().zip(&some.events).position(|(one, other)| one != other);
            assert_eq!((differs, all.events.len()), (None, some.events.len()), "seed {seed}, {at_most}: events differ");
            assert!(all.shown == some.shown, "seed {seed}, {at_most}: projections differ");
        }
    }
    assert!(ended > 0, "no case ever came to an end");
}

/// What a store does when it is read.
const READS: u8 = 0;
const FAILS: u8 = 1;
const FORGETS: u8 = 2;

/// A store whose events can be read, or cannot, or are not what they were.
#[derive(Clone)]
struct Moody {
    inner: MemoryStore,
    mood: Arc<AtomicU8>,
}

impl EventStore for Moody {
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        self.inner.commit(blocks)
    }

    fn head(&self, partition: u16) -> Option<Head> {
        EventStore::head(&self.inner, partition)
    }

    fn source(&self) -> Arc<dyn FrameSource> {
        Arc::new(self.clone())
    }
}

impl FrameSource for Moody {
    fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        self.inner.genesis()
    }

    fn head(&self, partition: u16) -> Result<Option<Head>, ReadError> {
        FrameSource::head(&self.inner, partition)
    }

    fn frames(&self, from: FrameKey) -> Result<Frames<'_>, ReadError> {
        self.inner.frames(from)
    }

    fn frame_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, ReadError> {
        match self.mood.load(Ordering::SeqCst) {
            READS => self.inner.frame_at_or_before(at),
            FAILS => Err(ReadError::Io(io::Error::other("no answer"))),
            _ => Ok(None),
        }
    }
}

/// An engine with three cases, of which the first two rest.
async fn three(store: &Moody, clock: &VirtualClock) -> (Engine, Stepper, ActorId) {
    let (engine, mut stepper) = stepped(store.clone(), clock, 1);
    let net = answer(&mut stepper, engine.deploy(CLAIM)).await.unwrap().0.hash;
    let ana = answer(&mut stepper, engine.register("ana", &["clerk"])).await.unwrap();
    for about in 1..=3 {
        let case = answer(&mut stepper, engine.start_case(net, None, input(about))).await.unwrap().case;
        answer(&mut stepper, engine.take(case, ItemId(0), ana)).await.unwrap();
    }
    (engine, stepper, ana)
}

fn moody() -> Moody {
    Moody { inner: memory(), mood: Arc::default() }
}

#[tokio::test]
async fn a_log_that_cannot_be_read_just_now_costs_an_error_and_nothing_else() {
    let (store, clock) = (moody(), VirtualClock::new(Time(MINUTE)));
    let (engine, mut stepper, ana) = three(&store, &clock).await;
    store.mood.store(FAILS, Ordering::SeqCst);
    let refused = answer(&mut stepper, engine.start(CaseId(1), ItemId(0), ana)).await;
    assert!(matches!(refused, Err(CommandError::Unreadable(_))), "{refused:?}");
    assert!(matches!(answer(&mut stepper, engine.case(CaseId(1))).await, Err(CommandError::Unreadable(_))));
    answer(&mut stepper, engine.start(CaseId(3), ItemId(0), ana)).await.expect("it is in memory");
    store.mood.store(READS, Ordering::SeqCst);
    answer(&mut stepper, engine.start(CaseId(1), ItemId(0), ana)).await.expect("the log answers again");
    assert!(stepper.error().is_none());
}

#[tokio::test]
async fn timers_and_messages_wait_until_the_log_can_be_read() {
    let (store, clock) = (moody(), VirtualClock::new(Time(MINUTE)));
    let (engine, mut stepper, ana) = three(&store, &clock).await;
    let done = Value::Map(BTreeMap::new());
    for case in (1..=3).map(CaseId) {
        answer(&mut stepper, engine.start(case, ItemId(0), ana)).await.unwrap();
        answer(&mut stepper, engine.complete(case, ItemId(0), ana, done.clone())).await.unwrap();
    }
    assert_eq!(answer(&mut stepper, engine.timers(9)).await.unwrap().len(), 3, "those that rest have theirs");
    store.mood.store(FAILS, Ordering::SeqCst);
    clock.advance_to(Time(70 * MINUTE));
    run_dry(&mut stepper).await;
    assert_eq!(answer(&mut stepper, engine.timers(9)).await.unwrap().len(), 3, "none is lost, none was told");
    store.mood.store(READS, Ordering::SeqCst);
    clock.advance_to(Time(71 * MINUTE));
    run_dry(&mut stepper).await;
    assert_eq!(answer(&mut stepper, engine.timers(9)).await.unwrap().len(), 0, "all fired");
    // A new engine has nothing of the log in memory.
    drop(stepper.crash());
    let (engine, mut stepper) = stepped(store.clone(), &clock, 1);
    run_dry(&mut stepper).await;
    store.mood.store(FAILS, Ordering::SeqCst);
    let sent = answer(&mut stepper, engine.message(Message::new("paid", "1", Value::Int(5)), ana)).await.unwrap();
    assert!(sent.is_pending);
    run_dry(&mut stepper).await;
    assert_eq!(engine.row(CaseId(1)).unwrap().changed, Time(71 * MINUTE), "it has not received it");
    store.mood.store(READS, Ordering::SeqCst);
    clock.advance_to(Time(72 * MINUTE));
    run_dry(&mut stepper).await;
    let case = answer(&mut stepper, engine.case(CaseId(1))).await.unwrap().unwrap();
    assert_eq!(case.variable(actum_model::VariableIx(1)), Some(&Value::Int(5)), "it has, once the log could be read");
    answer(&mut stepper, engine.signal(CaseId(1), ana, "go", Value::Null)).await.unwrap();
    assert_eq!(engine.row(CaseId(1)).unwrap().status, CaseStatus::Completed);
}

#[tokio::test]
async fn nothing_is_decided_from_a_log_that_is_damaged() {
    let (store, clock) = (moody(), VirtualClock::new(Time(MINUTE)));
    let (engine, mut stepper, ana) = three(&store, &clock).await;
    let before = EventStore::head(&store.inner, 0).unwrap().size;
    store.mood.store(FORGETS, Ordering::SeqCst);
    let refused = answer(&mut stepper, engine.cancel_case(CaseId(2), ana, "no")).await;
    assert!(matches!(refused, Err(CommandError::Stopped(_))), "{refused:?}");
    let refused = answer(&mut stepper, engine.start(CaseId(3), ItemId(0), ana)).await;
    assert!(matches!(refused, Err(CommandError::Stopped(_))), "a stopped engine takes nothing: {refused:?}");
    assert_eq!(EventStore::head(&store.inner, 0).unwrap().size, before, "nothing was written");
}

async fn on(directory: &Path, at_most: usize) -> Engine {
    Engine::at(directory)
        .limits(resident(at_most))
        .save_every(None)
        .handler("work", Works)
        .clock(VirtualClock::new(Time(MINUTE)))
        .open()
        .await
        .unwrap()
}

#[tokio::test]
async fn cases_rest_over_restarts_and_saved_state() {
    let temp = tempfile::tempdir().unwrap();
    let directory = temp.path().join("log");
    let engine = on(&directory, 2).await;
    let net = engine.deploy(CLAIM).await.unwrap().0.hash;
    let ana = engine.register("ana", &["clerk"]).await.unwrap();
    for about in 0..20 {
        engine.start_case(net, None, input(about)).await.unwrap();
    }
    engine.take(CaseId(3), ItemId(0), ana).await.unwrap();
    engine.cancel_case(CaseId(4), ana, "no").await.unwrap();
    let saved = engine.save_state().await.unwrap().unwrap();
    let anew = saved_state_of(&directory, saved.size).unwrap();
    assert_eq!(saved.bytes, anew.len() as u64);
    engine.start(CaseId(3), ItemId(0), ana).await.unwrap();
    let mut states = Vec::new();
    for case in 1..=20 {
        states.push(engine.case(CaseId(case)).await.unwrap());
    }
    engine.close().await.unwrap();
    for (at_most, full) in [(1, false), (1, true), (100, false), (3, true)] {
        let mut builder = Engine::at(&directory).limits(resident(at_most)).save_every(None).handler("work", Works);
        builder = builder.clock(VirtualClock::new(Time(MINUTE)));
        let engine = if full { builder.full_fold() } else { builder }.open().await.unwrap();
        assert_eq!(engine.opened().open_cases, 19);
        assert_eq!(engine.opened().recovered.spared > 0, !full, "from saved state or not");
        for (case, state) in (1..=20).rev().zip(states.iter().rev()) {
            assert_eq!(engine.case(CaseId(case)).await.unwrap(), *state, "case {case}");
        }
        engine.close().await.unwrap();
    }
    let engine = on(&directory, 1).await;
    engine.complete(CaseId(3), ItemId(0), ana, Value::Map(BTreeMap::new())).await.unwrap();
    engine.cancel_case(CaseId(9), ana, "no").await.unwrap();
    let refused = engine.take(CaseId(9), ItemId(0), ana).await;
    assert!(matches!(refused, Err(CommandError::Rejected(no)) if no.code == "case/ended"));
    let saved = engine.save_state().await.unwrap().unwrap();
    assert_eq!(saved.bytes, saved_state_of(&directory, saved.size).unwrap().len() as u64);
    engine.close().await.unwrap();
}
