//! One simulated world: an engine, a store that fails, a clock that jumps, handlers that misbehave, people and callers; chance
//! decides what happens next.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use actum::{ActorId, CaseId, CaseStatus, Clock, CommandError, Engine, NetHash, Step, Stepper};
use actum_log::{FileSigner, Genesis, MemoryStore, Signer};
use actum_model::snapshot::{decode_case, encode_case};
use actum_tests::Random;

use crate::callers::{self, Asked};
use crate::clock::{MINUTE, SimClock};
use crate::invariant::{Held, Limiter, Quiet, all_wait, hold, of_call, projections_agree};
use crate::nets::{NETS, ORGANISATION};
use crate::observer::Observer;
use crate::opening::{BATCH_ITEMS, Ground, HANDLERS_MAX, REQUESTS_MAX, open};
use crate::promises::Promises;
use crate::whole::{Judge, verified};
use crate::work::Ending;

/// How calls end, as often as each is listed.
const ENDINGS: [Ending; 20] = {
    let mut endings = [Ending::Done; 20];
    endings[0] = Ending::Panics;
    endings[1] = Ending::DoneUnheard;
    endings[2] = Ending::Never;
    endings[3] = Ending::Fails;
    endings[4] = Ending::Fails;
    endings[5] = Ending::Fails;
    endings
};
/// Passes in which nothing happens, after which nothing will.
const IDLE_PASSES: u32 = 3;
/// How long a batch waits at most to be full, with something to spare.
const BATCH: Duration = Duration::from_millis(250);
/// How long a graceful stop waits.
const STOP: Duration = Duration::from_secs(20);

/// What became of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// Of all events and payloads in order.
    pub(crate) digest: Option<blake3::Hash>,
    pub(crate) events: u64,
    pub(crate) cases: usize,
    pub(crate) crashes: u64,
    pub(crate) stops: u64,
    pub(crate) promises: usize,
    pub(crate) refused: u64,
    pub(crate) calls: u64,
    /// What open cases were found to wait for.
    pub(crate) waits: BTreeMap<&'static str, u32>,
    /// What lawfulness does not look at, and how often it came up.
    pub(crate) not_checked: BTreeMap<&'static str, u64>,
}

pub(crate) struct World {
    pub(crate) random: Random,
    pub(crate) ground: Ground,
    pub(crate) engine: Engine,
    pub(crate) stepper: Stepper,
    nets: Vec<NetHash>,
    pub(crate) people: Vec<ActorId>,
    requests: Vec<Asked>,
    pub(crate) seen: Observer,
    pub(crate) promises: Promises,
    limiter: Limiter,
    judge: Judge,
    outcome: Outcome,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&[9; 32]));
        let genesis = Genesis::new([3; 16], "example.com/simulation", 0, signer.public_key()).expect("a genesis");
        let store = MemoryStore::new(genesis.with_clock(actum_log::Clock::Simulated).to_string());
        let ground = Ground { store, signer, clock: SimClock::new(), hands: crate::work::Hands::default() };
        let (engine, stepper) = open(&ground, &mut random, false);
        World {
            random,
            seen: Observer::new(&ground.hands),
            limiter: Limiter::new(ground.clock.now()),
            ground,
            engine,
            stepper,
            nets: Vec::new(),
            people: Vec::new(),
            requests: Vec::new(),
            promises: Promises::default(),
            judge: Judge::new(),
            outcome: Outcome::default(),
        }
    }

    /// Runs so many steps, then lets everything come to its end, and checks that it does.
    pub(crate) async fn run(&mut self, steps: u64) -> Result<Outcome, crate::invariant::Broken> {
        self.begin().await?;
        for _ in 0..steps {
            self.step().await?;
        }
        self.crash(false)?;
        self.come_to_an_end().await?;
        self.promises.hold(&self.seen)?;
        self.outcome.not_checked = self.judge.judge(&self.ground.store)?;
        verified(&self.ground.store, self.seen.size())?;
        Ok(Outcome {
            digest: Some(self.seen.digest()),
            events: self.seen.size(),
            cases: self.seen.cases.len(),
            promises: self.promises.count(),
            calls: self.ground.hands.calls(),
            ..self.outcome.clone()
        })
    }

    /// Nets and people, before anything goes wrong.
    pub(crate) async fn begin(&mut self) -> Held {
        for net in NETS {
            let engine = self.engine.clone();
            let (net, _) = self
                .answered(async move { engine.deploy(net).await })
                .await?
                .unwrap_or_else(|error| panic!("{error}\n{net}"));
            self.nets.push(net.hash);
        }
        let organisation = actum::organisation(ORGANISATION).expect("the organisation is read");
        let engine = self.engine.clone();
        self.answered(async move { engine.organise(organisation).await }).await?.expect("the organisation is taken");
        self.people = self.engine.actors_with_role("clerk");
        Ok(())
    }

    pub(crate) async fn step(&mut self) -> Held {
        match self.random.below(1_000) {
            0..=349 => drop(self.stepper.step(Step::Decide)),
            350..=449 => drop(self.stepper.step(Step::Close)),
            450..=549 => {
                self.stepper.step(Step::Store);
                self.seen.look(&self.ground.store)?;
            }
            550..=649 => drop(self.stepper.step(Step::Publish)),
            650..=709 => {
                let asked = callers::start_case(&mut self.random, self.engine.clone(), &self.nets);
                self.ask(Some(asked));
            }
            710..=724 => {
                let asked = callers::send(&mut self.random, self.engine.clone());
                self.ask(Some(asked));
            }
            725..=839 => {
                let asked = callers::work(&mut self.random, self.engine.clone(), &self.people);
                self.ask(asked);
            }
            840..=919 => {
                let ending = *self.random.pick(&ENDINGS);
                self.ground.hands.end_one(&mut self.random, ending);
            }
            920..=925 => self.ground.hands.beat_one(&mut self.random),
            926..=928 => self.ground.hands.hang_one(&mut self.random),
            929 => {
                let asked =
                    callers::absence(&mut self.random, self.engine.clone(), self.ground.clock.now(), &self.people);
                self.ask(Some(asked));
            }
            930..=949 => match self.random.below(20) {
                0 => self.ground.clock.back(MINUTE * self.random.below(90) as u64),
                1 => self.forward(MINUTE * 60 * 24 * 3).await,
                _ => {
                    let minutes = self.random.below(90) as u64;
                    self.forward(MINUTE * minutes).await;
                }
            },
            950..=995 => {
                let asked = callers::control(
                    &mut self.random,
                    (self.engine.clone(), self.ground.hands.clone()),
                    &self.seen,
                    &self.people,
                );
                self.ask(asked);
            }
            996 if self.random.chance(30) => self.stop().await?,
            996 | 997 if self.random.chance(60) => self.crash(true)?,
            _ => self.compare().await?,
        }
        if self.stepper.error().is_some() {
            // The store failed: the engine takes nothing more, and is opened again.
            self.crash(true)?;
        }
        // Handlers that were called or ended run now, on this thread.
        tokio::task::yield_now().await;
        self.hear()?;
        self.calls_are_allowed()
    }

    /// Time passes, for handlers too.
    async fn forward(&mut self, by: u64) {
        self.ground.clock.forward(by);
        tokio::time::advance(Duration::from_nanos(by)).await;
    }

    /// Calls that handlers got: no more than limits allow, and none that was not to be.
    fn calls_are_allowed(&mut self) -> Held {
        let hands = &self.ground.hands;
        self.limiter.at(self.ground.clock.now());
        let begun = hands.begun();
        if begun.is_empty() {
            return Ok(());
        }
        let wrong = hands.wrong();
        hold("effects", wrong.is_none(), || wrong.unwrap_or_default())?;
        for call in &begun {
            if let Some((net, task)) = of_call(&self.seen, call) {
                self.limiter.begun(net, task)?;
            }
        }
        Limiter::look(&self.seen, &hands.running(), HANDLERS_MAX)
    }

    /// Callers whose answer has come hold the engine to it.
    fn hear(&mut self) -> Held {
        let mut context = Context::from_waker(Waker::noop());
        let mut waiting = Vec::with_capacity(self.requests.len());
        for mut request in std::mem::take(&mut self.requests) {
            match request.as_mut().poll(&mut context) {
                Poll::Pending => waiting.push(request),
                Poll::Ready(Ok(promise)) => self.promises.give(promise, &self.seen)?,
                Poll::Ready(Err(CommandError::Rejected(_))) => self.outcome.refused += 1,
                Poll::Ready(Err(
                    CommandError::Stopped(_)
                    | CommandError::Busy { .. }
                    | CommandError::Closed
                    | CommandError::Stopping,
                )) => {}
                Poll::Ready(Err(other)) => panic!("{other}"),
            }
        }
        self.requests = waiting;
        Ok(())
    }

    fn ask(&mut self, request: Option<Asked>) {
        self.requests.extend(request.filter(|_| self.requests.len() < REQUESTS_MAX));
    }

    /// Everything that is not stored is gone, callers get no answer, and the engine is opened again.
    pub(crate) fn crash(&mut self, may_fail: bool) -> Held {
        self.seen.look(&self.ground.store)?;
        self.judge.judge(&self.ground.store)?;
        self.requests.clear();
        if self.random.chance(30) {
            self.ground.clock.forward(MINUTE * self.random.below(600) as u64);
        }
        self.outcome.crashes += 1;
        self.reopen(may_fail)
    }

    fn reopen(&mut self, may_fail: bool) -> Held {
        let (engine, stepper) = open(&self.ground, &mut self.random, may_fail);
        drop(std::mem::replace(&mut self.stepper, stepper).crash());
        self.engine = engine;
        self.limiter = Limiter::new(self.ground.clock.now());
        self.ground.hands.begun();
        self.promises.hold(&self.seen)?;
        let opened = self.engine.opened();
        hold("promises", opened.events == self.seen.size(), || format!("opening found {opened:?}"))?;
        let open = self.seen.open().count();
        hold("promises", opened.open_cases == open, || format!("{open} cases are open, and opening found {opened:?}"))
    }

    /// The engine is told to stop, finishes what it can in the time that it has, and is opened again.
    async fn stop(&mut self) -> Held {
        let mut stopping = Box::pin(self.engine.clone().stop(STOP));
        let mut context = Context::from_waker(Waker::noop());
        let mut passes = 0;
        let stopped = loop {
            if let Poll::Ready(stopped) = stopping.as_mut().poll(&mut context) {
                break stopped;
            }
            self.stepper.run();
            tokio::task::yield_now().await;
            passes += 1;
            if passes == IDLE_PASSES {
                tokio::time::advance(STOP).await;
            }
        };
        self.seen.look(&self.ground.store)?;
        self.hear()?;
        self.requests.clear();
        self.outcome.stops += 1;
        let drained = matches!(stopped, Ok(stopped) if stopped.drained);
        let has_failed = self.stepper.error().is_some();
        self.reopen(true)?;
        let pending = self.engine.opened().pending;
        let is_right = !drained || has_failed || pending == 0;
        hold("waits", is_right, || format!("{pending} calls were going on at a stop that said that none was"))
    }

    /// Lets the engine finish what it has, and compares what it shows and decides from with what the log says.
    pub(crate) async fn compare(&mut self) -> Held {
        self.run_dry().await?;
        if self.stepper.error().is_some() {
            return Ok(());
        }
        self.is_quiet().await?;
        projections_agree(&self.engine, &self.seen.log)?;
        let open: Vec<CaseId> = self.seen.open().map(|case| case.id).collect();
        for id in open {
            let row = self.engine.row(id);
            let engine = self.engine.clone();
            let held = self.answered(async move { engine.case(id).await }).await?.ok().flatten();
            let known = &self.seen.cases[&id];
            let shown = row.is_some_and(|row| (row.status, row.version) == (CaseStatus::Open, known.version));
            hold("projections", shown, || format!("case {id} is not shown as it is"))?;
            hold("state", held.as_ref() == Some(known), || {
                format!("the engine decides case {id} from {held:?}, and it is {known:?}")
            })?;
            let mut saved = Vec::new();
            encode_case(known, &mut saved);
            let back = decode_case(&saved);
            hold("state", back.as_ref() == Ok(known), || format!("case {id} is saved as {back:?}, and is {known:?}"))?;
        }
        Ok(())
    }

    /// Nothing is left to do: everybody waits for something.
    async fn is_quiet(&mut self) -> Held {
        let engine = self.engine.clone();
        let calls = self.answered(async move { engine.calls(None).await }).await?.unwrap_or_default();
        if self.stepper.error().is_some() {
            // What was decided meanwhile is not stored, and nobody will be called for it.
            return Ok(());
        }
        let running = self.ground.hands.keys();
        // A batch that is being gathered has handlers, too.
        let is_full = self.ground.hands.busy() + BATCH_ITEMS > HANDLERS_MAX;
        let quiet = Quiet { now: self.ground.clock.now(), calls: &calls, running: &running, is_full };
        for (reason, count) in all_wait(&self.seen, &quiet)? {
            *self.outcome.waits.entry(reason).or_default() += count;
        }
        Ok(())
    }

    /// Steps until nothing is left to do but what handlers, people and the clock may bring.
    pub(crate) async fn run_dry(&mut self) -> Held {
        let mut idle = 0;
        while idle < IDLE_PASSES {
            let did = Step::ALL.into_iter().fold(false, |did, step| self.stepper.step(step) | did);
            idle = if did { 0 } else { idle + 1 };
            if idle == 1 {
                tokio::time::advance(BATCH).await;
            }
            tokio::task::yield_now().await;
        }
        self.seen.look(&self.ground.store)?;
        self.hear()?;
        self.calls_are_allowed()
    }

    pub(crate) async fn answered<T>(&mut self, asked: impl Future<Output = T>) -> Result<T, crate::invariant::Broken> {
        let mut asked = std::pin::pin!(asked);
        loop {
            if let Poll::Ready(answer) = asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                self.seen.look(&self.ground.store)?;
                return Ok(answer);
            }
            self.stepper.run();
            tokio::task::yield_now().await;
        }
    }
}
