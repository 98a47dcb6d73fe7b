//! `emit`: sends a message to whoever waits for it, once for each work item, however often it is tried.
//!
//! Parameters: `message` (its name), `key` (text or an integer; without, the empty key), `data`, `keep_for` (an ISO 8601 duration), `to_all`
//! (a bool). The handler only checks them: the partition sends when it takes in the result, under the id `emit/CASE/ITEM`, so that neither a crash nor
//! another attempt sends twice. The work item's result is a map of `message`, its position in the log.

use std::collections::BTreeMap;
use std::time::Duration;

use actum_model::{ActorId, CaseCommand, CaseId, ItemId, Time, Value};
use async_trait::async_trait;

use crate::dispatch::fail;
use crate::error::CommandError;
use crate::handler::{Call, Handler, HandlerError};
use crate::partition::{Partition, Refused};
use crate::send::Message;

pub(super) struct Emit;

#[async_trait]
impl Handler for Emit {
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        message_of(&call.input).map_err(bad)?;
        Ok(call.input)
    }

    fn is_instant(&self) -> bool {
        true
    }
}

fn bad(what: &str) -> HandlerError {
    HandlerError::new("handler/input", format!("the handler emit: {what}"))
}

/// The message that parameters describe.
fn message_of(input: &Value) -> Result<Message, &'static str> {
    let Value::Map(input) = input else { return Err("the parameters are a map") };
    let mut message = Message::new("", "", Value::Null);
    for (name, value) in input {
        match (name.as_str(), value) {
            ("message", Value::String(name)) => message.name.clone_from(name),
            ("key", Value::String(key)) => message.key.clone_from(key),
            ("key", Value::Int(key)) => message.key = key.to_string(),
            ("data", data) => message.data = data.clone(),
            ("to_all", Value::Bool(to_all)) => message.to_all = *to_all,
            ("keep_for", Value::String(text)) => {
                let nanos = actum_net::duration(text).ok_or("`keep_for` is an ISO 8601 duration, such as PT1H")?;
                message.keep_for = Some(Duration::from_nanos(nanos));
            }
            ("message" | "key" | "to_all" | "keep_for", Value::Null) => {}
            ("message", _) => return Err("`message` is a text: the message's name"),
            ("key", _) => return Err("`key` is a text or an integer"),
            ("to_all", _) => return Err("`to_all` is a bool"),
            ("keep_for", _) => return Err("`keep_for` is a text: an ISO 8601 duration, such as PT1H"),
            _ => return Err("it knows `message`, `key`, `data`, `keep_for` and `to_all`, and nothing else"),
        }
    }
    if message.name.is_empty() { Err("`message` is missing: the message's name") } else { Ok(message) }
}

impl Partition {
    /// Sends what a call of `emit` gave back; answers the command that then ends the item. Done again it sends nothing more.
    pub(crate) fn emit(
        &mut self,
        case: CaseId,
        item: ItemId,
        result: &Value,
        now: Time,
    ) -> Result<CaseCommand, Refused> {
        if self.state.seat.is_shared() {
            let message = "a log of several partitions takes no messages".to_owned();
            return Ok(fail(item, "log/partitions".to_owned(), message));
        }
        let message = match message_of(result) {
            Ok(message) => message.id(format!("emit/{case}/{item}")),
            Err(what) => return Ok(fail(item, "handler/input".to_owned(), what.to_owned())),
        };
        match self.publish(&message, ActorId::ENGINE, now) {
            Ok(sent) => {
                let position = Value::Int(i64::try_from(sent.message.0).unwrap_or(i64::MAX));
                let result = Value::Map(BTreeMap::from([("message".to_owned(), position)]));
                Ok(CaseCommand::CompleteWork { item, result })
            }
            Err(Refused::Error(CommandError::Rejected(no))) => Ok(fail(item, no.code.to_owned(), no.message)),
            Err(other) => Err(other),
        }
    }
}
