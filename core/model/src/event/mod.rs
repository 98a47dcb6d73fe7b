//! Events: facts, past tense. What happened is recorded, never recomputed.
//!
//! Every event carries its changes of tokens and variables, so that [`Case::apply`](crate::Case::apply) needs no net.

mod breaker;
mod case;
mod message;
mod saved;
mod system;

pub use breaker::BreakerEvent;
pub use case::{CaseEvent, ExceptionKind, Instance};
pub use message::{MessageEvent, StartEvent};
pub use saved::SavedEvent;
pub use system::{ReplacedHead, RestoreSource, SystemEvent};

use crate::{ActorId, Seq, Time, Value, VariableIx};

/// What the log says about an event beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Position in the partition.
    pub seq: Seq,
    /// Position in the stream, from 1.
    pub version: u64,
    /// When it was recorded.
    pub time: Time,
    /// Who caused it.
    pub actor: ActorId,
    /// The event that caused it.
    pub cause: Option<Seq>,
}

/// A variable's new value.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which variable.
    pub variable: VariableIx,
    /// Its value from now on.
    pub value: Value,
}

/// Any event of this model.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// About a case.
    Case(CaseEvent),
    /// About the log or engine.
    System(SystemEvent),
}

impl From<CaseEvent> for Event {
    fn from(event: CaseEvent) -> Self {
        Event::Case(event)
    }
}

impl From<SystemEvent> for Event {
    fn from(event: SystemEvent) -> Self {
        Event::System(event)
    }
}
