//! Parameters that name a secret, so that only its name is in the log.

use std::collections::BTreeMap;

use actum_model::Value;

use crate::handler::HandlerError;

/// Where secrets are looked up: the environment of the process, unless the embedder says otherwise.
pub(super) type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Text, or `{ env: NAME }` for what an environment variable holds. The second part says that it is a secret.
pub(super) fn text(value: &Value, what: &str, lookup: &Lookup) -> Result<(String, bool), HandlerError> {
    let bad = || HandlerError::new("handler/input", format!("{what} is text, a number, or a map `env: NAME`"));
    match value {
        Value::String(text) => Ok((text.clone(), false)),
        Value::Int(number) => Ok((number.to_string(), false)),
        Value::Bool(truth) => Ok((truth.to_string(), false)),
        Value::Map(entries) if entries.len() == 1 => {
            let Some(Value::String(name)) = entries.get("env") else { return Err(bad()) };
            let secret = lookup(name);
            let message = || format!("the environment has no variable {name}, which {what} needs");
            secret.map(|secret| (secret, true)).ok_or_else(|| HandlerError::new("handler/secret", message()))
        }
        _ => Err(bad()),
    }
}

/// A parameter that must be a map, or absent.
pub(super) fn map<'v>(
    input: &'v BTreeMap<String, Value>,
    key: &str,
) -> Result<impl Iterator<Item = (&'v String, &'v Value)>, HandlerError> {
    match input.get(key) {
        None | Some(Value::Null) => Ok(None.into_iter().flatten()),
        Some(Value::Map(entries)) => Ok(Some(entries.iter()).into_iter().flatten()),
        Some(_) => Err(HandlerError::new("handler/input", format!("`{key}` is a map"))),
    }
}
