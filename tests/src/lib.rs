//! What tests that cross rooms share: a net and an engine for it, seeded chance, and a child that opens damaged logs.

mod probe;
mod random;

use std::collections::BTreeMap;

use actum::{Call, EngineBuilder, HandlerError, Value};

pub use probe::{Answer, Probe};
pub use random::{Random, seed, tries};

/// Three automatic steps that count up `n`.
pub const COUNT: &str = r#"
actum: 1
net: count
data: { n: { type: int, input: true, default: 0 } }
start: one
tasks:
  one: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: two }
  two: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: three }
  three: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: end }
"#;

/// Registers the handler of [`COUNT`].
#[must_use]
pub fn counting(engine: EngineBuilder) -> EngineBuilder {
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

/// Inputs of [`COUNT`].
#[must_use]
pub fn from(n: i64) -> BTreeMap<String, Value> {
    BTreeMap::from([("n".to_owned(), Value::Int(n))])
}
