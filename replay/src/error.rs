//! Why a log could not be replayed, by what the reader should do about it.

use actum_log::{ReadError, RecordError};
use actum_model::{CaseId, NetHash, Seq, payload};

/// Why a log could not be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record is not one.
    #[error("the record after event {after} does not decode")]
    Record {
        /// The last event that did.
        after: Seq,
        /// Why.
        #[source]
        source: RecordError,
    },
    /// An event's payload is of a type that this software does not know, or not what its type says.
    #[error("event {seq} does not decode")]
    Payload {
        /// Which event.
        seq: Seq,
        /// Why.
        #[source]
        source: payload::DecodeError,
    },
    /// A block record is not one.
    #[error("the block record at {seq} does not decode")]
    Block {
        /// Which event.
        seq: Seq,
        /// Why.
        #[source]
        source: actum_log::BlockError,
    },
    /// A rotation or revocation is not one.
    #[error("the change of keys at {seq} does not decode")]
    Key {
        /// Which event.
        seq: Seq,
        /// Why.
        #[source]
        source: actum_log::KeyRecordError,
    },
    /// A checkpoint is not one.
    #[error("the checkpoint at {seq} does not decode")]
    Checkpoint {
        /// Which event.
        seq: Seq,
        /// Why.
        #[source]
        source: actum_log::CheckpointError,
    },
    /// A net in the log cannot be read.
    #[error("the net {net} at event {seq} cannot be read: {reason}")]
    Net {
        /// The event that deployed it.
        seq: Seq,
        /// Its name in the log.
        net: NetHash,
        /// Why.
        reason: String,
    },
    /// The log has no such case.
    #[error("there is no case {wanted}; {there}")]
    NoCase {
        /// As it was asked for.
        wanted: String,
        /// What there is instead.
        there: String,
    },
    /// Several cases (of different nets) were started with the same key.
    #[error("the key {key} means several cases: {}; name one by its number", list(.cases))]
    Ambiguous {
        /// The key.
        key: String,
        /// The cases, ascending.
        cases: Vec<CaseId>,
    },
    /// The case had not begun there, or the log does not reach there.
    #[error("case {case} has no state at {at}: {why}")]
    NoState {
        /// The case.
        case: CaseId,
        /// The point that was asked for.
        at: String,
        /// Why, with what is possible.
        why: String,
    },
    /// Nothing was decided about who gets the work that the event is about.
    #[error("case {case} has no decision to explain at {at}: {why}")]
    NoDecision {
        /// The case.
        case: CaseId,
        /// The point that was asked for.
        at: String,
        /// Why.
        why: String,
    },
}

/// What a failure means: a command line maps each to one exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// What was asked for is not there.
    NotFound,
    /// Stored bytes do not decode.
    Corrupt,
    /// Stored bytes contradict a hash, a seal or the head.
    Tampered,
    /// The log could not be read now.
    Unavailable,
    /// The question is not clear.
    Unclear,
}

impl ReplayError {
    /// What the failure means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            ReplayError::Read(ReadError::NotFound(_))
            | ReplayError::NoCase { .. }
            | ReplayError::NoState { .. }
            | ReplayError::NoDecision { .. } => Kind::NotFound,
            ReplayError::Read(ReadError::Tampered(_)) => Kind::Tampered,
            ReplayError::Read(ReadError::Unavailable(_) | ReadError::Io(_)) => Kind::Unavailable,
            ReplayError::Ambiguous { .. } => Kind::Unclear,
            _ => Kind::Corrupt,
        }
    }
}

fn list(cases: &[CaseId]) -> String {
    cases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
