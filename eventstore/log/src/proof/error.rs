//! Why a proof cannot be made.

use crate::store::ReadError;

/// Why a proof cannot be made. Nothing was written anywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The log cannot be read, or contradicts itself where it was read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Nothing was sealed yet.
    #[error("partition {0} has no seal yet")]
    Empty(u16),
    /// No block ends at this size, so no seal is over it.
    #[error("no seal is over exactly {0} events; seals are at the ends of blocks")]
    NoSeal(u64),
    /// The event is not in the sealed part of the log.
    #[error("event {seq} is not among the {size} sealed events")]
    NoEvent {
        /// What was asked for.
        seq: u64,
        /// Sealed events.
        size: u64,
    },
    /// The stream has no event in the sealed part of the log.
    #[error("stream {stream} has no event among the {size} sealed ones")]
    NoStream {
        /// What was asked for.
        stream: u64,
        /// Sealed events.
        size: u64,
    },
    /// An event that was named is not part of what is to be proven.
    #[error("event {0} is not part of this proof")]
    NotPart(u64),
    /// A dossier is made of a stream that ended; this one has not.
    #[error("stream {0} has not ended; a dossier needs its terminal event, so prove the case instead")]
    NotEnded(u64),
    /// A dossier rests on the root that the terminal event states; this one states none.
    #[error("the terminal event of stream {0} states no root over its events; prove the case instead")]
    NoStreamRoot(u64),
    /// A dossier shows at least one and at most so many events.
    #[error("a dossier shows 1 to {max} events besides the terminal one, not {count}")]
    Chosen {
        /// Events that were chosen.
        count: usize,
        /// The most.
        max: usize,
    },
    /// No checkpoint is there.
    #[error("event {0} is not a checkpoint")]
    NoCheckpoint(u64),
    /// More rotations than a proof can carry.
    #[error("the log has more rotations than a proof can carry")]
    Rotations,
    /// The older seal must not be over more events than the newer one.
    #[error("a seal over {old} events is not older than the one over {new}")]
    Order {
        /// Size of the older one.
        old: u64,
        /// Size of the newer one.
        new: u64,
    },
    /// The file would be longer than format 1 allows.
    #[error("the proof would be longer than {0} bytes; withhold large payloads, or prove fewer events")]
    TooLarge(usize),
}

impl ProofError {
    pub(super) fn tampered(what: impl Into<String>) -> Self {
        Self::Read(ReadError::Tampered(what.into()))
    }

    pub(super) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Read(ReadError::Corrupt(what.to_string()))
    }
}
