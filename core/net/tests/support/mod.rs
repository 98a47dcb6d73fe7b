//! What the tests share.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use actum_model::Value;

pub(crate) const EXAMPLES: [&str; 5] =
    ["order-fulfilment", "payment-retry", "loan-approval", "incident-response", "insurance-claim"];

pub(crate) fn path(relative: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(relative)
}

pub(crate) fn read(relative: &str) -> String {
    std::fs::read_to_string(path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
}

/// The source of an example net.
pub(crate) fn example(name: &str) -> String {
    read(&format!("../../tools/examples/{name}.yaml"))
}

/// The cases of an example.
pub(crate) fn example_lines(name: &str) -> Vec<BTreeMap<String, Value>> {
    let lines = read(&format!("../../tools/examples/{name}.jsonl"));
    lines
        .lines()
        .map(|line| match value(&serde_json::from_str(line).unwrap()) {
            Value::Map(entries) => entries,
            other => panic!("not an object: {other:?}"),
        })
        .collect()
}

pub(crate) fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => {
            number.as_i64().map_or_else(|| Value::Double(number.as_f64().unwrap()), Value::Int)
        }
        serde_json::Value::String(text) => Value::String(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(value).collect()),
        serde_json::Value::Object(entries) => {
            Value::Map(entries.iter().map(|(key, item)| (key.clone(), value(item))).collect())
        }
    }
}
