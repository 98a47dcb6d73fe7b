//! One simulated world: an engine, a store that fails, a clock that jumps, handlers that misbehave, people and callers; chance
//! decides what happens next.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use actum::{
    ActorId, CaseId, CaseStatus, CommandError, Engine, ItemId, Limits, NetHash, Step, Stepper, Value, WorkRow,
};
use actum_log::{Fault, FaultyStore, FileSigner, Genesis, MemoryStore, Signer};
use actum_tests::Random;
use actum_verify::{Trust, verify_source};

use crate::clock::{MINUTE, SimClock};
use crate::nets::{NETS, SIGNALS_SENT};
use crate::observer::Observer;
use crate::promises::{Promise, Promises};
use crate::work::{Ending, Hands};

const PEOPLE: [&str; 3] = ["ana", "ben", "cem"];
/// Requests under way at most: callers who wait.
const REQUESTS_MAX: usize = 24;
/// Business keys are few, so that they come again.
const KEYS: usize = 200;
/// Rounds in which everybody does what is asked, after which nothing may be left to do.
const ROUNDS_MAX: usize = 400;

/// How calls end, as often as each is listed.
const ENDINGS: [Ending; 10] = {
    let mut endings = [Ending::Done; 10];
    endings[0] = Ending::Panics;
    endings[1] = Ending::Fails;
    endings
};

type Answer = Result<Promise, CommandError>;

/// What became of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Of all events and payloads in order.
    pub(crate) digest: blake3::Hash,
    pub(crate) events: u64,
    pub(crate) cases: usize,
    pub(crate) crashes: u64,
    pub(crate) promises: usize,
    pub(crate) refused: u64,
    pub(crate) calls: u64,
}

pub(crate) struct World {
    random: Random,
    clock: SimClock,
    signer: Arc<dyn Signer>,
    store: MemoryStore,
    hands: Hands,
    engine: Engine,
    stepper: Stepper,
    nets: Vec<NetHash>,
    people: Vec<ActorId>,
    requests: Vec<Pin<Box<dyn Future<Output = Answer>>>>,
    seen: Observer,
    promises: Promises,
    crashes: u64,
    refused: u64,
}

/// An engine on what the store has, whose next commits may fail.
fn open(
    world: (&MemoryStore, &Arc<dyn Signer>, &SimClock, &Hands),
    random: &mut Random,
    fails: bool,
) -> (Engine, Stepper) {
    let (store, signer, clock, hands) = world;
    let fault = *random.pick(&[Fault::BeforeStoring, Fault::AfterStoring, Fault::HalfStored]);
    let fails_at = if fails && random.chance(50) { random.below(200) as u64 } else { u64::MAX };
    let mut limits = Limits::default();
    limits.requests_max = REQUESTS_MAX;
    limits.cases_resident_max = *random.pick(&[1, 3, 100_000]);
    Engine::on_store(FaultyStore::new(store.clone(), fails_at, fault), signer.clone())
        .limits(limits)
        .clock(clock.clone())
        .seed(random.bits())
        .handler("sim", hands.clone())
        .open_stepped()
        .unwrap()
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&[9; 32]));
        let genesis = Genesis::new([3; 16], "example.com/simulation", 0, signer.public_key()).unwrap();
        let store = MemoryStore::new(genesis.with_clock(actum_log::Clock::Simulated).to_string());
        let (clock, hands) = (SimClock::new(), Hands::default());
        let (engine, stepper) = open((&store, &signer, &clock, &hands), &mut random, false);
        World {
            random,
            clock,
            signer,
            store,
            seen: Observer::new(hands.clone()),
            hands,
            engine,
            stepper,
            nets: Vec::new(),
            people: Vec::new(),
            requests: Vec::new(),
            promises: Promises::default(),
            crashes: 0,
            refused: 0,
        }
    }

    /// Runs so many steps, then lets everything come to its end, and checks that it does.
    pub(crate) async fn run(mut self, steps: u64) -> Outcome {
        self.begin().await;
        for _ in 0..steps {
            self.step().await;
        }
        self.crash(false);
        self.come_to_an_end().await;
        self.promises.hold(&self.seen);
        let verdict = verify_source(&self.store, &Trust::self_signed(), &mut |_| {}).unwrap();
        assert_eq!(verdict.events(), self.seen.size(), "the verifier read the same events");
        Outcome {
            digest: self.seen.digest(),
            events: self.seen.size(),
            cases: self.seen.cases.len(),
            crashes: self.crashes,
            promises: self.promises.count(),
            refused: self.refused,
            calls: self.hands.calls(),
        }
    }

    /// Nets and people, before anything goes wrong.
    async fn begin(&mut self) {
        for net in NETS {
            let engine = self.engine.clone();
            let (net, _) = self.answered(async move { engine.deploy(net).await }).await.unwrap();
            self.nets.push(net.hash);
        }
        for name in PEOPLE {
            let engine = self.engine.clone();
            let actor = self.answered(async move { engine.register(name, &["clerk"]).await }).await.unwrap();
            self.people.push(actor);
        }
    }

    async fn step(&mut self) {
        match self.random.below(1_000) {
            0..=349 => drop(self.stepper.step(Step::Decide)),
            350..=449 => drop(self.stepper.step(Step::Close)),
            450..=549 => {
                self.stepper.step(Step::Store);
                self.seen.look(&self.store);
            }
            550..=649 => drop(self.stepper.step(Step::Publish)),
            650..=719 => self.start_case(),
            720..=839 => self.work(),
            840..=929 => {
                let ending = *self.random.pick(&ENDINGS);
                self.hands.end_one(&mut self.random, ending);
            }
            930..=949 => match self.random.below(20) {
                0 => self.clock.back(MINUTE * self.random.below(90) as u64),
                1 => self.clock.forward(MINUTE * 60 * 24 * 3),
                _ => self.clock.forward(MINUTE * self.random.below(90) as u64),
            },
            950..=996 => self.control(),
            997 => self.crash(true),
            _ => self.compare().await,
        }
        if self.stepper.error().is_some() {
            // The store failed: the engine takes nothing more, and is opened again.
            self.crash(true);
        }
        // Handlers that were called or ended run now, on this thread.
        tokio::task::yield_now().await;
        self.hear();
    }

    /// Callers whose answer has come hold the engine to it.
    fn hear(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting = Vec::with_capacity(self.requests.len());
        for mut request in std::mem::take(&mut self.requests) {
            match request.as_mut().poll(&mut context) {
                Poll::Pending => waiting.push(request),
                Poll::Ready(Ok(promise)) => self.promises.give(promise, &self.seen),
                Poll::Ready(Err(CommandError::Rejected(_))) => self.refused += 1,
                Poll::Ready(Err(CommandError::Stopped(_) | CommandError::Busy { .. } | CommandError::Closed)) => {}
                Poll::Ready(Err(other)) => panic!("{other}"),
            }
        }
        self.requests = waiting;
    }

    fn ask(&mut self, request: impl Future<Output = Answer> + 'static) {
        if self.requests.len() < REQUESTS_MAX {
            self.requests.push(Box::pin(request));
        }
    }

    fn start_case(&mut self) {
        let (engine, net) = (self.engine.clone(), *self.random.pick(&self.nets));
        let key = format!("{net}-{}", self.random.below(KEYS));
        let input = BTreeMap::from([("n".to_owned(), Value::Int(self.random.below(9) as i64))]);
        self.ask(async move {
            let started = engine.start_case(net, Some(&key), input).await?;
            Ok(Promise::Started(key, started.case))
        });
    }

    /// Somebody does something with work that they see, or that they should not.
    fn work(&mut self) {
        let (engine, actor) = (self.engine.clone(), *self.random.pick(&self.people));
        let mut rows = engine.offered_to(actor);
        rows.extend(engine.held_by(actor));
        let Some(row) = (!rows.is_empty()).then(|| self.random.pick(&rows).clone()) else { return };
        // Now and then it is another who acts, or on another item.
        let actor = if self.random.chance(5) { *self.random.pick(&self.people) } else { actor };
        let item = if self.random.chance(2) { ItemId(row.item.0 + 1) } else { row.item };
        let WorkRow { case, holder, .. } = row;
        let what = self.random.below(20);
        self.ask(async move {
            use actum::Holder::{Allocated, Offered, Started};
            match (holder, what) {
                (Offered(..), _) => engine.take(case, item, actor).await?,
                (Allocated(_) | Started(_), 0) => engine.put_back(case, item, actor).await?,
                (Allocated(_), _) => engine.start(case, item, actor).await?,
                (Started(_), 1) => engine.fail(case, item, actor, "sim/no", "no").await?,
                (Started(_), 2) => engine.complete(case, item, actor, Value::Int(7)).await?,
                (Started(_), _) => {
                    engine.complete(case, item, actor, approval(what.is_multiple_of(2))).await?;
                    return Ok(Promise::Completed(case, item));
                }
            }
            Ok(Promise::Nothing)
        });
    }

    /// Signals, rests, cancellation, retries, on a case that is open or is not.
    fn control(&mut self) {
        let cases: Vec<CaseId> = self.seen.open().map(|case| case.id).collect();
        let Some(case) = (!cases.is_empty()).then(|| *self.random.pick(&cases)) else { return };
        let items: Vec<ItemId> = self.seen.cases[&case].control.items.iter().map(|item| item.id).collect();
        let item = if items.is_empty() { ItemId(0) } else { *self.random.pick(&items) };
        let (engine, actor) = (self.engine.clone(), *self.random.pick(&self.people));
        let (what, signal) = (self.random.below(24), *self.random.pick(&SIGNALS_SENT));
        self.ask(async move {
            match what {
                0 => {
                    engine.cancel_case(case, actor, "no longer wanted").await?;
                    return Ok(Promise::Cancelled(case));
                }
                1 => engine.cancel_work(case, item, actor).await?,
                2 | 3 => engine.suspend_case(case, actor).await?,
                4..=7 => engine.resume_case(case, actor).await?,
                8..=12 => engine.retry(case, item, actor).await?,
                13 => engine.add_instance(case, item, actor, None).await?,
                14 => engine.complete_instances(case, item, actor).await?,
                _ => engine.signal(case, actor, signal, Value::Null).await?,
            }
            Ok(Promise::Nothing)
        });
    }

    /// Everything that is not stored is gone, callers get no answer, and the engine is opened again.
    fn crash(&mut self, may_fail: bool) {
        self.seen.look(&self.store);
        self.requests.clear();
        if self.random.chance(30) {
            self.clock.forward(MINUTE * self.random.below(600) as u64);
        }
        let (engine, stepper) = open((&self.store, &self.signer, &self.clock, &self.hands), &mut self.random, may_fail);
        drop(std::mem::replace(&mut self.stepper, stepper).crash());
        self.engine = engine;
        self.crashes += 1;
        self.promises.hold(&self.seen);
        assert_eq!(self.engine.opened().events, self.seen.size(), "opening found what the log has");
        assert_eq!(self.engine.opened().open_cases, self.seen.open().count(), "and the cases that are open");
    }

    /// Lets the engine finish what it has, and compares what it shows and decides from with what the log says.
    async fn compare(&mut self) {
        self.run_dry().await;
        if self.stepper.error().is_some() {
            return;
        }
        let cases: Vec<CaseId> = self.seen.cases.keys().copied().collect();
        for id in cases {
            let row = self.engine.row(id).unwrap();
            let known = &self.seen.cases[&id];
            assert_eq!((row.status, row.version), (known.control.status, known.version), "case {id}");
            if known.control.status != CaseStatus::Open {
                continue;
            }
            let engine = self.engine.clone();
            let held = self.answered(async move { engine.case(id).await }).await.unwrap();
            assert_eq!(
                held.as_ref(),
                Some(&self.seen.cases[&id]),
                "what the engine decides from is not what the log says"
            );
        }
    }

    /// Steps until nothing is left to do but what handlers, people and the clock may bring.
    async fn run_dry(&mut self) {
        self.stepper.run();
        self.seen.look(&self.store);
        tokio::task::yield_now().await;
        self.hear();
    }

    async fn answered<T>(&mut self, asked: impl Future<Output = T>) -> T {
        let mut asked = std::pin::pin!(asked);
        loop {
            if let Poll::Ready(answer) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.seen.look(&self.store);
                return answer;
            }
            self.stepper.run();
            tokio::task::yield_now().await;
        }
    }

    /// Nothing fails any more and everybody does what they are asked: every case ends, or says what it waits for.
    async fn come_to_an_end(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let before = self.seen.size();
            for _ in 0..self.hands.open() {
                self.hands.end_one(&mut self.random, Ending::Done);
            }
            self.run_dry().await;
            self.help_all().await;
            self.clock.forward(60 * MINUTE);
            self.run_dry().await;
            if self.seen.open().next().is_none() {
                return self.compare().await;
            }
            if self.seen.size() == before && self.hands.open() == 0 {
                break;
            }
        }
        let left: Vec<String> = self.seen.open().map(|case| self.tell(case)).collect();
        assert!(left.is_empty(), "these neither end nor wait for anybody:\n{}", left.join("\n"));
    }

    /// Does for every open case whatever it may wait for.
    async fn help_all(&mut self) {
        let cases: Vec<CaseId> = self.seen.open().map(|case| case.id).collect();
        for case in cases {
            let actor = self.people[0];
            let row = self.engine.row(case).unwrap();
            let engine = self.engine.clone();
            if row.suspended {
                self.answered(engine.resume_case(case, actor)).await.unwrap();
            }
            for item in row.failed {
                // Whose work it was may try it again.
                for actor in self.people.clone() {
                    self.answered(engine.retry(case, item, actor)).await.ok();
                }
            }
            for signal in SIGNALS_SENT {
                self.answered(engine.signal(case, actor, signal, Value::Null)).await.ok();
            }
        }
        for actor in self.people.clone() {
            let engine = self.engine.clone();
            for WorkRow { case, item, .. } in engine.offered_to(actor) {
                self.answered(engine.take(case, item, actor)).await.ok();
            }
            for WorkRow { case, item, .. } in engine.held_by(actor) {
                self.answered(engine.start(case, item, actor)).await.ok();
                if self.answered(engine.complete(case, item, actor, approval(true))).await.is_err() {
                    self.answered(engine.complete(case, item, actor, Value::Map(BTreeMap::new()))).await.ok();
                }
            }
        }
    }

    fn tell(&self, case: &actum::Case) -> String {
        let net = self.seen.net(case);
        let items: Vec<String> = case
            .control
            .items
            .iter()
            .map(|item| format!("{} {}", net.task_label(item.task), item.phase.name()))
            .collect();
        format!("case {} of {}: {}", case.id, net.name, items.join(", "))
    }
}

fn approval(ok: bool) -> Value {
    Value::Map(BTreeMap::from([("ok".to_owned(), Value::Bool(ok))]))
}
