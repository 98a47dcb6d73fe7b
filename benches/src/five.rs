//! A net of five automatic steps, and logs of it.

use std::collections::BTreeMap;
use std::path::Path;

use actum::{Call, Engine, EngineBuilder, HandlerError, Value};
use actum_log::MemoryStore;
use futures_util::{StreamExt, stream};

use crate::log::identity;

/// Five automatic steps that count up.
pub const NET: &str = r#"
actum: 1
net: five
data: { n: { type: int, input: true, default: 0 } }
start: one
tasks:
  one: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: two }
  two: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: three }
  three: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: four }
  four: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: five }
  five: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: end }
"#;

/// Starts at the same time while a log is made.
const AT_ONCE: usize = 1_000;

/// Registers the handler of [`NET`].
#[must_use]
pub fn adding(engine: EngineBuilder) -> EngineBuilder {
    engine.handler_fn("add", add)
}

fn add(call: Call) -> Result<Value, HandlerError> {
    match call.input {
        Value::Map(mut input) => match input.get_mut("n") {
            Some(Value::Int(n)) => {
                *n += 1;
                Ok(Value::Map(input))
            }
            _ => Err(HandlerError::new("add/input", "n must be an int")),
        },
        _ => Err(HandlerError::new("add/input", "a map is needed")),
    }
}

/// An engine on a directory.
///
/// # Panics
/// When it does not open.
pub async fn open(directory: &Path) -> Engine {
    adding(Engine::at(directory)).open().await.expect("the engine opens")
}

/// A log in memory of so many cases that ended, each with a business key.
///
/// # Panics
/// When the engine refuses.
pub async fn written(cases: usize) -> MemoryStore {
    let (signer, genesis) = identity();
    let store = MemoryStore::new(genesis.to_string());
    let engine = adding(Engine::on_store(store.clone(), signer)).open().await.expect("the engine opens");
    let net = engine.deploy(NET).await.expect("the net is sound").0.hash;
    let keys: Vec<String> = (0..cases).map(|index| format!("ORD-{index}")).collect();
    let starts = keys.iter().map(|key| engine.start_case(net, Some(key), BTreeMap::new()));
    stream::iter(starts).buffer_unordered(AT_ONCE).for_each(|started| async move { assert!(started.is_ok()) }).await;
    engine.settled().await;
    engine.close().await.expect("the engine closes");
    store
}
