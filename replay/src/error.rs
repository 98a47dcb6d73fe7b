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
    /// The log does not reach there.
    #[error("the log has no state at {at}: {why}")]
    NoPoint {
        /// The point that was asked for.
        at: String,
        /// Why, with what is possible.
        why: String,
    },
    /// The event at a position is not the case's.
    #[error("event {seq} is not one of case {case}; {}", beside(*.before, *.after))]
    NotItsEvent {
        /// The case.
        case: CaseId,
        /// The position that was asked for.
        seq: Seq,
        /// Its newest event before that.
        before: Seq,
        /// Its next event after that.
        after: Option<Seq>,
    },
    /// The case has more events than are held at once.
    #[error("case {case} has more than {most} events, too many to look at together")]
    TooLong {
        /// The case.
        case: CaseId,
        /// How many may be.
        most: usize,
    },
    /// The case's net is not in the log, so that nothing can be said about its data by name.
    #[error("the net of case {case} is not in the log")]
    NoNet {
        /// The case.
        case: CaseId,
    },
    /// The net has no such variable.
    #[error("the net has no variable {name}; {there}")]
    NoVariable {
        /// As it was asked for.
        name: String,
        /// What there is instead.
        there: String,
    },
    /// A text is no condition.
    #[error("the condition cannot be read: {reason}")]
    Condition {
        /// Why.
        reason: String,
    },
    /// Saved state cannot be used; the log itself can.
    #[error("saved state cannot be used: {reason}")]
    Saved {
        /// Why.
        reason: String,
    },
    /// What is to be other cannot be.
    #[error("{reason}")]
    Premise {
        /// Why.
        reason: String,
    },
    /// A condition has no answer at a point.
    #[error("the condition has no answer after event {seq}: {reason}")]
    Undecided {
        /// The point.
        seq: Seq,
        /// Why.
        reason: String,
    },
    /// A condition does not become true where it was looked for.
    #[error("{reason}")]
    NoChange {
        /// Why, with what is possible.
        reason: String,
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
    /// The question is not one.
    Usage,
}

impl ReplayError {
    /// What the failure means.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            ReplayError::Read(ReadError::NotFound(_))
            | ReplayError::NoCase { .. }
            | ReplayError::NoState { .. }
            | ReplayError::NoPoint { .. }
            | ReplayError::NotItsEvent { .. }
            | ReplayError::NoVariable { .. }
            | ReplayError::NoChange { .. }
            | ReplayError::NoDecision { .. } => Kind::NotFound,
            ReplayError::Read(ReadError::Tampered(_)) => Kind::Tampered,
            ReplayError::Read(ReadError::Unavailable(_) | ReadError::Io(_)) => Kind::Unavailable,
            ReplayError::Condition { .. } | ReplayError::Premise { .. } => Kind::Usage,
            ReplayError::Ambiguous { .. } | ReplayError::TooLong { .. } | ReplayError::Undecided { .. } => {
                Kind::Unclear
            }
            _ => Kind::Corrupt,
        }
    }
}

fn beside(before: Seq, after: Option<Seq>) -> String {
    match after {
        Some(after) => format!("it has events at {before} and {after}, and none between"),
        None => format!("its newest is at {before}"),
    }
}

fn list(cases: &[CaseId]) -> String {
    cases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
