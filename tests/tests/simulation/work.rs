//! Handlers that misbehave, and the world that their effects are in.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use actum::{Call, CaseId, Handler, HandlerError, ItemId, Value, async_trait};
use actum_tests::Random;
use tokio::sync::oneshot;

/// What makes two calls the same: the idempotency key.
pub(crate) type Key = (CaseId, ItemId, u32);

/// How a call ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ending {
    Done,
    /// It refuses the work.
    Fails,
    Panics,
}

/// A call that goes on.
struct Open {
    key: Key,
    end: oneshot::Sender<Ending>,
}

/// What handlers share with the world: who is being called, and what was done under which key.
#[derive(Default)]
struct Shared {
    /// Slow, late and dead ones are the same until chance ends them, or never does.
    open: Vec<Open>,
    /// Inputs and results by key. A key that comes again must ask for the same, and has its effect once.
    effects: HashMap<Key, (Value, Option<Value>)>,
    calls: u64,
}

/// The handler `sim`; clones share everything.
#[derive(Clone, Default)]
pub(crate) struct Hands(Arc<Mutex<Shared>>);

impl Hands {
    /// Number of calls that go on.
    pub(crate) fn open(&self) -> usize {
        self.0.lock().unwrap().open.len()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.0.lock().unwrap().calls
    }

    /// Ends one of the calls that go on, in any order.
    pub(crate) fn end_one(&self, random: &mut Random, ending: Ending) {
        let mut shared = self.0.lock().unwrap();
        if shared.open.is_empty() {
            return;
        }
        let at = random.below(shared.open.len());
        let Open { key, end } = shared.open.swap_remove(at);
        if matches!(ending, Ending::Done) {
            shared.take_effect(key);
        }
        // Nobody listens any more to a call from before a crash: it had its effect, and its result is lost.
        end.send(ending).ok();
    }

    /// The result that was given under a key; `None` when the work was never done.
    pub(crate) fn result(&self, key: Key) -> Option<Value> {
        self.0.lock().unwrap().effects.get(&key)?.1.clone()
    }
}

impl Shared {
    fn take_effect(&mut self, key: Key) {
        let (input, result) = self.effects.get_mut(&key).expect("it was called");
        if result.is_none() {
            let Value::Map(input) = input else { panic!("parameters are a map") };
            let Some(Value::Int(n)) = input.get("n") else { panic!("n is an int: {input:?}") };
            *result = Some(Value::Map(BTreeMap::from([("n".to_owned(), Value::Int(n + 1))])));
        }
    }
}

#[async_trait]
impl Handler for Hands {
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        let key = (call.case, call.item, call.attempt);
        let (end, ended) = oneshot::channel();
        {
            let mut shared = self.0.lock().unwrap();
            shared.calls += 1;
            let known = shared.effects.entry(key).or_insert_with(|| (call.input.clone(), None));
            assert_eq!(known.0, call.input, "{key:?} asks for something else than before");
            shared.open.push(Open { key, end });
        }
        match ended.await {
            Ok(Ending::Done) => Ok(self.result(key).expect("it took effect")),
            Ok(Ending::Panics) => std::panic::resume_unwind(Box::new("the simulated handler panics".to_owned())),
            Ok(Ending::Fails) | Err(_) => Err(HandlerError::new("sim/refused", "it would not")),
        }
    }
}
