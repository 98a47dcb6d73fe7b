//! JSON that comes from, and goes to, other programs.

use actum_model::{Value, json};

/// Plain JSON becomes a value as it is; what this project writes specially (`$decimal` and the like) is read as such.
pub(super) fn read(bytes: &[u8]) -> Result<Value, String> {
    let json: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    json::from_json(&json).map_err(|error| error.to_string())
}

pub(super) fn write(value: &Value) -> Vec<u8> {
    json::to_json(value).to_string().into_bytes()
}
