//! Handlers that misbehave, and the world that their effects are in.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use actum::{BatchHandler, Call, CaseId, Handler, HandlerError, ItemId, Value, async_trait};
use actum_tests::Random;
use tokio::sync::oneshot;

/// What makes two calls the same: the idempotency key.
pub(crate) type Key = (CaseId, ItemId, u32);

/// Names of the handlers of this file, in nets.
pub(crate) const NAMES: [&str; 3] = ["sim", "flaky", "batch"];

pub(crate) fn is_called(handler: &str) -> bool {
    NAMES.contains(&handler)
}

/// How a call ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Done,
    /// It has its effect, and then its process dies: nobody learns of it.
    DoneUnheard,
    /// It refuses the work, and might not the next time.
    Fails,
    /// It refuses the work for good.
    Never,
    Panics,
}

/// A call that goes on.
struct Open {
    key: Key,
    call: Call,
    /// The engine's opening that it was called by.
    opening: u64,
    /// It hangs: it gives no sign of life, and ends only when nobody waits any more.
    hangs: bool,
    end: oneshot::Sender<Ending>,
}

/// A call of the engine that is open now.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) key: Key,
    pub(crate) task: String,
    pub(crate) in_batch: bool,
    pub(crate) is_cancelled: bool,
}

/// What handlers share with the world: who is being called, and what was done under which key.
#[derive(Default)]
struct Shared {
    /// Slow, late and dead ones are the same until chance ends them, or never does.
    open: Vec<Open>,
    /// Inputs and results by key. A key that comes again must ask for the same, and has its effect once.
    effects: HashMap<Key, (Value, Option<Value>)>,
    /// Calls whose batch goes on, though they are done.
    in_batches: HashSet<(u64, Key)>,
    calls: u64,
    opening: u64,
    /// Calls that began since somebody asked.
    begun: Vec<Running>,
    /// Failed work that somebody asked to be tried again at once.
    asked_again: HashSet<(CaseId, ItemId)>,
    /// A call that should not have been.
    wrong: Option<String>,
}

/// The handlers; clones share everything, but each engine has its own.
#[derive(Clone, Default)]
pub(crate) struct Hands {
    shared: Arc<Mutex<Shared>>,
    opening: u64,
}

/// The calls of a batch that goes on.
struct Batch {
    hands: Hands,
    keys: Vec<(u64, Key)>,
}

impl Drop for Batch {
    fn drop(&mut self) {
        let mut shared = self.hands.shared.lock().unwrap();
        shared.in_batches.retain(|key| !self.keys.contains(key));
    }
}

impl Hands {
    /// Number of calls that go on and can be ended.
    pub(crate) fn open(&self) -> usize {
        self.shared.lock().unwrap().open.iter().filter(|open| !open.hangs).count()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.shared.lock().unwrap().calls
    }

    /// The handlers of an engine that is opened now; calls of others are of engines that are gone.
    pub(crate) fn reopened(&self) -> Hands {
        let mut shared = self.shared.lock().unwrap();
        shared.opening += 1;
        Hands { shared: self.shared.clone(), opening: shared.opening }
    }

    /// A call that should not have been, if there was one.
    pub(crate) fn wrong(&self) -> Option<String> {
        self.shared.lock().unwrap().wrong.clone()
    }

    /// Calls that began since this was asked last.
    pub(crate) fn begun(&self) -> Vec<Running> {
        std::mem::take(&mut self.shared.lock().unwrap().begun)
    }

    /// Calls of the engine that is open.
    pub(crate) fn running(&self) -> Vec<Running> {
        let shared = self.shared.lock().unwrap();
        let mine = shared.open.iter().filter(|open| open.opening == shared.opening && !open.end.is_closed());
        mine.map(|open| open.running(&shared)).collect()
    }

    /// Ends one of the calls that go on, in any order.
    pub(crate) fn end_one(&self, random: &mut Random, ending: Ending) {
        let mut shared = self.shared.lock().unwrap();
        let Some(at) = shared.pick(random) else { return };
        let Open { key, end, .. } = shared.open.swap_remove(at);
        if matches!(ending, Ending::Done | Ending::DoneUnheard) {
            shared.take_effect(key);
        }
        // Nobody listens any more to a call from before a crash: it had its effect, and its result is lost.
        end.send(ending).ok();
    }

    /// One of the calls shows a sign of life.
    pub(crate) fn beat_one(&self, random: &mut Random) {
        let shared = self.shared.lock().unwrap();
        if let Some(at) = shared.pick(random) {
            shared.open[at].call.report(0.5, "half");
        }
    }

    /// One of the calls hangs from now on.
    pub(crate) fn hang_one(&self, random: &mut Random) {
        let mut shared = self.shared.lock().unwrap();
        if let Some(at) = shared.pick(random) {
            shared.open[at].hangs = true;
        }
    }

    /// Those that hang wake up.
    pub(crate) fn wake_all(&self) {
        self.shared.lock().unwrap().open.iter_mut().for_each(|open| open.hangs = false);
    }

    /// The result that was given under a key; `None` when the work was never done.
    pub(crate) fn result(&self, key: Key) -> Option<Value> {
        self.shared.lock().unwrap().effects.get(&key)?.1.clone()
    }

    /// Somebody asks for failed work to be tried again at once.
    pub(crate) fn ask_again(&self, case: CaseId, item: ItemId) {
        self.shared.lock().unwrap().asked_again.insert((case, item));
    }

    pub(crate) fn was_asked_again(&self, key: (CaseId, ItemId)) -> bool {
        self.shared.lock().unwrap().asked_again.contains(&key)
    }

    /// How many of the engine's handlers are busy; a key may be at two of them, one of which was cancelled.
    pub(crate) fn busy(&self) -> usize {
        let shared = self.shared.lock().unwrap();
        let mine: Vec<Key> = shared
            .open
            .iter()
            .filter(|open| open.opening == shared.opening && !open.end.is_closed())
            .map(|open| open.key)
            .collect();
        let in_batches = shared.in_batches.iter().filter(|(opening, _)| *opening == shared.opening);
        mine.len() + in_batches.filter(|(_, key)| !mine.contains(key)).count()
    }

    /// Keys of the calls of the engine that is open.
    pub(crate) fn keys(&self) -> HashSet<Key> {
        let mut keys: HashSet<Key> = self.running().into_iter().map(|running| running.key).collect();
        let shared = self.shared.lock().unwrap();
        keys.extend(shared.in_batches.iter().filter(|(opening, _)| *opening == shared.opening).map(|(_, key)| *key));
        keys
    }

    fn begin(&self, call: &Call) -> oneshot::Receiver<Ending> {
        let key = (call.case, call.item, call.attempt);
        let (end, ended) = oneshot::channel();
        let mut shared = self.shared.lock().unwrap();
        shared.calls += 1;
        let known = shared.effects.entry(key).or_insert_with(|| (call.input.clone(), None)).0.clone();
        // An assertion here would be a panic of the handler, which the engine takes for a failure.
        if known != call.input {
            shared.wrong = Some(format!("{key:?} asks for {:?}, and asked for {known:?} before", call.input));
        }
        let opening = self.opening;
        let twice = |open: &Open| open.key == key && open.opening == opening && !open.call.is_cancelled();
        if shared.open.iter().any(twice) {
            shared.wrong = Some(format!("{key:?} is called twice at the same time"));
        }
        let open = Open { key, call: call.clone(), opening, hangs: false, end };
        // One that a crash overtook counts for nobody.
        if opening == shared.opening {
            let running = open.running(&shared);
            shared.begun.push(running);
        }
        shared.open.push(open);
        ended
    }

    fn end(&self, key: Key, ending: Option<Ending>) -> Result<Value, HandlerError> {
        match ending {
            Some(Ending::Done) => Ok(self.result(key).unwrap_or(Value::Null)),
            Some(Ending::Panics | Ending::DoneUnheard) => {
                std::panic::resume_unwind(Box::new("the simulated handler panics".to_owned()))
            }
            Some(Ending::Never) => Err(HandlerError::new("sim/never", "it never will")),
            Some(Ending::Fails) | None => Err(HandlerError::new("sim/refused", "it would not")),
        }
    }
}

impl Open {
    fn running(&self, shared: &Shared) -> Running {
        let in_batch = shared.in_batches.contains(&(self.opening, self.key));
        Running { key: self.key, task: self.call.task.to_string(), in_batch, is_cancelled: self.call.is_cancelled() }
    }
}

impl Shared {
    /// One of those that do not hang.
    fn pick(&self, random: &mut Random) -> Option<usize> {
        let free: Vec<usize> = (0..self.open.len()).filter(|at| !self.open[*at].hangs).collect();
        (!free.is_empty()).then(|| *random.pick(&free))
    }

    fn take_effect(&mut self, key: Key) {
        let Some((input, result)) = self.effects.get_mut(&key) else { return };
        if result.is_none() {
            let n = match input {
                Value::Map(input) => match input.get("n") {
                    Some(Value::Int(n)) => *n,
                    _ => 0,
                },
                _ => 0,
            };
            *result = Some(Value::Map(BTreeMap::from([("n".to_owned(), Value::Int(n + 1))])));
        }
    }
}

#[async_trait]
impl Handler for Hands {
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        let ended = self.begin(&call);
        let ending = ended.await.ok();
        self.end((call.case, call.item, call.attempt), ending)
    }
}

/// The same, for several at once: one that panics takes the others with it.
#[async_trait]
impl BatchHandler for Hands {
    async fn handle_batch(&self, calls: Vec<Call>) -> Result<Vec<Result<Value, HandlerError>>, HandlerError> {
        let keys = calls.iter().map(|call| (self.opening, (call.case, call.item, call.attempt))).collect::<Vec<_>>();
        self.shared.lock().unwrap().in_batches.extend(keys.iter().copied());
        let _batch = Batch { hands: self.clone(), keys };
        let open: Vec<_> = calls.into_iter().map(|call| (self.begin(&call), call)).collect();
        let mut answers = Vec::with_capacity(open.len());
        for (ended, call) in open {
            let ending = ended.await.ok();
            answers.push(self.end((call.case, call.item, call.attempt), ending));
        }
        Ok(answers)
    }
}
