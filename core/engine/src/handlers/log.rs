//! `log`: says its parameter `message` through `tracing`. Its result is an empty map.

use std::collections::BTreeMap;

use actum_model::Value;
use async_trait::async_trait;

use crate::handler::{Call, Handler, HandlerError};

pub(super) struct Log;

#[async_trait]
impl Handler for Log {
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        let message = match &call.input {
            Value::Map(entries) => entries.get("message"),
            _ => None,
        };
        let Some(Value::String(message)) = message else {
            return Err(HandlerError::new("handler/input", "the handler log needs a text in its parameter `message`"));
        };
        tracing::info!(case = call.case.0, task = %call.task, "{message}");
        Ok(Value::Map(BTreeMap::new()))
    }

    fn is_instant(&self) -> bool {
        true
    }
}
