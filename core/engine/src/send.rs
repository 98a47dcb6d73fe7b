//! Sending messages, and bringing them to those who wait.

use std::sync::Arc;
use std::time::Duration;

use actum_kernel::MESSAGE_KEY_BYTES_MAX;
use actum_model::{ActorId, CaseCommand, MessageEvent, Rejection, Seq, StartEvent, SystemEvent, Time, Value};
use actum_net::{Net, Start, StartBy, StartScope, key_text};

use crate::activity::Ongoing;
use crate::engine::Engine;
use crate::error::CommandError;
use crate::messages::Letter;
use crate::partition::{Partition, Refused, stream};
use crate::request::Ask;

/// Longest name and longest id of a message, in bytes.
const NAME_BYTES_MAX: usize = 64;
const ID_BYTES_MAX: usize = 256;

/// A message for cases.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Message {
    /// Its name: what nets wait for (`receive`, `starts`).
    pub name: String,
    /// What it is about: at most [`MESSAGE_KEY_BYTES_MAX`] bytes.
    pub key: String,
    /// What comes with it.
    pub data: Value,
    /// The sender's own id. A second message with an id of the newest million is not taken.
    pub id: Option<String>,
    /// How long it is kept for those who do not wait yet. Without: it meets those who wait now, or nobody.
    pub keep_for: Option<Duration>,
    /// For all who wait, and not just for one.
    pub to_all: bool,
}

impl Message {
    /// A message for one who waits now.
    #[must_use]
    pub fn new(name: impl Into<String>, key: impl Into<String>, data: Value) -> Self {
        Message { name: name.into(), key: key.into(), data, id: None, keep_for: None, to_all: false }
    }

    /// Gives it an id, so that sending it again does nothing.
    #[must_use]
    pub fn id(self, id: impl Into<String>) -> Self {
        Message { id: Some(id.into()), ..self }
    }

    /// Keeps it for so long.
    #[must_use]
    pub fn keep_for(self, keep_for: Duration) -> Self {
        Message { keep_for: Some(keep_for), ..self }
    }

    /// Sends it to all who wait, and not just to one.
    #[must_use]
    pub fn to_all(self) -> Self {
        Message { to_all: true, ..self }
    }
}

/// A message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// The event that published it.
    pub message: Seq,
    /// False if its id was known: then nothing happened now.
    pub is_new: bool,
    /// Somebody waits for it, a net starts by it, or it is kept. Otherwise nobody receives it, which the log records.
    pub is_pending: bool,
}

impl Engine {
    /// Sends a message: to a case that waits for its name and key, or (with [`Message::to_all`]) to all; to a net that starts by
    /// it if no case waits. Returns when the message is durable; those who receive it go on right after.
    ///
    /// # Errors
    /// Rejections: `message/name`, `message/key`, `message/id`, `message/data` when one of them cannot be stored,
    /// `command/too-large` when its data takes more than [`Limits::payload_bytes_max`](crate::Limits),
    /// `message/limit` when too many are kept.
    pub async fn message(&self, message: Message, actor: ActorId) -> Result<Sent, CommandError> {
        self.ask_only("a message", Ask::Message { message: Box::new(message), actor }).await
    }
}

impl Partition {
    pub(crate) fn publish(&mut self, message: &Message, actor: ActorId, now: Time) -> Result<Sent, Refused> {
        check(message)?;
        // Whoever receives it has it in an event of a case.
        let bytes = actum_model::cbor::to_vec(&message.data).len();
        if bytes > self.limits.payload_bytes_max {
            let text = format!("its data takes {bytes} bytes; at most {} are allowed", self.limits.payload_bytes_max);
            return Err(Rejection::new("command/too-large", text).into());
        }
        let messages = &self.state.messages;
        if let Some(known) = message.id.as_deref().and_then(|id| messages.of_id(id)) {
            return Ok(Sent { message: known, is_new: false, is_pending: false });
        }
        let keep_until = message.keep_for.map(|length| {
            let length = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
            Time(now.0.saturating_add(length).min(i64::MAX as u64))
        });
        let waits = messages.waits_for(&message.name, &message.key) || self.starter(&message.name, &|_| true).is_some();
        let is_pending = waits || keep_until.is_some();
        if is_pending && messages.is_full() {
            return Err(Rejection::new("message/limit", "too many messages are kept for those who will wait").into());
        }
        let event = MessageEvent::Published {
            name: message.name.clone(),
            key: message.key.clone(),
            id: message.id.clone(),
            data: message.data.clone(),
            to_all: message.to_all,
            keep_until,
            pending: is_pending,
        };
        let message = self.stage_durable(stream::MESSAGES, SystemEvent::Message(event), actor, now)?;
        Ok(Sent { message, is_new: true, is_pending })
    }

    /// The next thing to be done about messages: a delivery, a start, or that one is kept no longer. False if there is none.
    pub(crate) fn deliver(&mut self, now: Time, ongoing: &Ongoing) -> Result<bool, Refused> {
        if let Some((_, seq)) = self.state.messages.next_expiry().filter(|(until, _)| *until <= now) {
            self.drop_message(seq, true, now)?;
            return Ok(true);
        }
        let Some((seq, letter)) = self.state.messages.next_to_match() else { return Ok(false) };
        let mut after = None;
        while let Some((case, item)) = self.state.messages.next_waiting(seq, after) {
            let (name, data) = (letter.name.clone(), letter.data.clone());
            let command = CaseCommand::ReceiveMessage { item, message: seq, name, data };
            match self.command(case, ActorId::ENGINE, &command, now, ongoing) {
                Ok(()) => return Ok(true),
                // It rests, or its tokens went: somebody else may have it.
                Err(Refused::Error(CommandError::Rejected(no))) => {
                    tracing::debug!(case = case.0, item = item.0, "a message is not received: {no}");
                    after = Some((case, item));
                }
                Err(other) => return Err(other),
            }
        }
        let is_new = |net: &Net| !self.state.messages.has_started(seq, net.hash);
        // Whoever waits and rests goes before a new case.
        if after.is_none()
            && let Some((net, start)) = self.starter(&letter.name, &is_new)
        {
            let (net, start) = (net.clone(), start.clone());
            self.start_by_message(&net, &start, seq, &letter, now, ongoing)?;
            return Ok(true);
        }
        if letter.keep_until.is_none() {
            self.drop_message(seq, false, now)?;
        }
        self.state.messages.matched(seq);
        Ok(true)
    }

    fn drop_message(&mut self, message: Seq, expired: bool, now: Time) -> Result<(), Refused> {
        let event = SystemEvent::Message(MessageEvent::Dropped { message, expired });
        self.stage_system(stream::MESSAGES, event, now)
    }

    /// The first net, by name, that a message of this name starts.
    fn starter(&self, name: &str, which: &dyn Fn(&Net) -> bool) -> Option<(&Arc<Net>, &Start)> {
        self.state.starts.by_message(name).find_map(|hash| {
            let net = self.state.nets.get(&hash).filter(|net| which(net))?;
            let by = |start: &&Start| matches!(&start.by, StartBy::Message { name: other, .. } if other == name);
            Some((net, net.starts.iter().find(by)?))
        })
    }

    fn start_by_message(
        &mut self,
        net: &Arc<Net>,
        start: &Start,
        seq: Seq,
        letter: &Letter,
        now: Time,
        ongoing: &Ongoing,
    ) -> Result<(), Refused> {
        let seen = StartScope { message: &letter.data, due: &Value::Null };
        let StartBy::Message { key, .. } = &start.by else { return Ok(()) };
        let key = match key {
            None => Ok(Some(letter.key.clone()).filter(|key| !key.is_empty())),
            Some(key) => match key.render(&seen).map(|value| key_text(&value)) {
                Ok(Some(key)) if !key.is_empty() => Ok(Some(key)),
                Ok(_) => Err("the business key is no text and no number".to_owned()),
                Err(error) => Err(error.to_string()),
            },
        };
        let input = key.and_then(|key| match start.inputs(&seen) {
            Ok(Value::Map(input)) => Ok((key, input)),
            Ok(_) => Err("the inputs are no map".to_owned()),
            Err(error) => Err(error.to_string()),
        });
        let refused = match input {
            Ok((key, input)) => {
                let name = start.name.clone();
                let command = CaseCommand::TriggerCase { input, start: name, due: None, message: Some(seq) };
                match self.begin_case(net, key.as_deref(), &command, ActorId::ENGINE, now, ongoing) {
                    Ok(started) if started.is_new => return Ok(()),
                    // The case of this key is there already; this message is not for another one.
                    Ok(started) => {
                        Rejection::new("case/exists", format!("case {} was started with this key", started.case))
                    }
                    Err(Refused::Error(CommandError::Rejected(no))) => no,
                    Err(Refused::Error(CommandError::Busy { .. })) => {
                        Rejection::new("engine/busy", "too many cases are open")
                    }
                    Err(other) => return Err(other),
                }
            }
            Err(error) => Rejection::new("case/input", error),
        };
        self.refuse_start(net, start, None, Some(seq), &refused, now)
    }

    /// Says in the log that a start could not be made.
    pub(crate) fn refuse_start(
        &mut self,
        net: &Net,
        start: &Start,
        due: Option<Time>,
        message: Option<Seq>,
        refused: &Rejection,
        now: Time,
    ) -> Result<(), Refused> {
        let event = StartEvent::Refused {
            net: net.hash,
            start: start.name.clone(),
            due,
            message,
            code: refused.code.to_owned(),
            reason: refused.message.clone(),
        };
        self.stage_system(stream::NETS, SystemEvent::Start(event), now)
    }
}

fn check(message: &Message) -> Result<(), Rejection> {
    if message.name.is_empty() || message.name.len() > NAME_BYTES_MAX {
        return Err(Rejection::new("message/name", format!("a message's name has 1 to {NAME_BYTES_MAX} bytes")));
    }
    if message.key.len() > MESSAGE_KEY_BYTES_MAX {
        return Err(Rejection::new(
            "message/key",
            format!("a message's key has at most {MESSAGE_KEY_BYTES_MAX} bytes"),
        ));
    }
    if message.id.as_ref().is_some_and(|id| id.is_empty() || id.len() > ID_BYTES_MAX) {
        return Err(Rejection::new("message/id", format!("a message's id has 1 to {ID_BYTES_MAX} bytes")));
    }
    message.data.check().map_err(|error| Rejection::new("message/data", format!("its data cannot be stored: {error}")))
}
