//! What a fold can find wrong: bytes that do not decode, and bytes that contradict each other.

use crate::block::BlockError;
use crate::checkpoint::CheckpointError;
use crate::frame::FrameError;
use crate::genesis::GenesisError;
use crate::key_record::KeyRecordError;
use crate::keys::KeyChangeError;
use crate::record::RecordError;
use crate::seal::SealError;
use crate::store::ReadError;

/// Why stored bytes do not decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// A frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A block record or body.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A seal.
    #[error(transparent)]
    Seal(SealError),
    /// The genesis.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A rotation or revocation.
    #[error(transparent)]
    KeyRecord(#[from] KeyRecordError),
    /// A change of keys that no log may have.
    #[error(transparent)]
    KeyChange(KeyChangeError),
    /// A checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A frame of a type or partition that does not belong there.
    #[error("a frame lies where none of its type or partition may lie")]
    Misplaced,
    /// Chunks without a block frame.
    #[error("the last block has no block frame")]
    Unfinished,
    /// A block larger than the format allows.
    #[error("the block is larger than the format allows")]
    TooLarge,
}

/// What contradicts what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// Seqs have a gap or repeat.
    #[error("the seq does not continue the log")]
    Seq,
    /// Time goes backwards.
    #[error("the time is before the event's before it")]
    Time,
    /// Version or previous seq do not continue the stream.
    #[error("version or previous seq do not continue the stream")]
    Stream,
    /// An event after the end of its stream.
    #[error("the stream had ended")]
    Ended,
    /// A block record that is not the first of its block, or a first record that is none.
    #[error("a block record is missing or out of place")]
    BlockRecord,
    /// The block record's hash of the block before.
    #[error("the hash of the block before does not fit")]
    PreviousHash,
    /// The block number.
    #[error("the block number does not continue the log")]
    Number,
    /// The writer epoch shrinks.
    #[error("the writer epoch shrinks")]
    Epoch,
    /// Two openings share a boot id, or one has two: perhaps two writers at once.
    #[error("the boot id does not fit the writer epoch")]
    BootId,
    /// The key id is not that of the key in force.
    #[error("the key id is not that of the key in force")]
    KeyId,
    /// The body's partition, counts or sizes do not fit the chunks.
    #[error("the block body does not fit the block's chunks")]
    Counts,
    /// The frontier before the block.
    #[error("the frontier does not fit the tree")]
    Frontier,
    /// The stream index.
    #[error("the stream index does not fit the streams")]
    StreamIndex,
    /// The tree's root: some byte of the block's records or secret differs from what was sealed.
    #[error("the root does not fit the events")]
    Root,
    /// The seal's text says something else than the block.
    #[error("the seal says something else than the block")]
    SealText,
    /// The seal's signature.
    #[error("the seal is not signed by the key in force")]
    Signature,
    /// A change of keys that contradicts what the log said of them before.
    #[error(transparent)]
    KeyChange(KeyChangeError),
    /// A checkpoint's size, or what it says of the streams.
    #[error("the checkpoint says something else than the streams before its block")]
    Checkpoint,
    /// The acknowledged head names another block.
    #[error("the acknowledged head is not in the log")]
    Head,
    /// Acknowledged blocks are missing.
    #[error("acknowledged blocks are missing: the log ends before its head")]
    BehindHead,
}

/// Why a fold ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// Frames could not be read.
    #[error("the log could not be read")]
    Read(#[from] ReadError),
    /// Bytes do not decode.
    #[error("partition {partition}, block {block}, seq {seq}: corrupt")]
    Corrupt {
        /// Partition.
        partition: u16,
        /// The block.
        block: u64,
        /// The record, or the first of the block or chunk.
        seq: u64,
        /// What does not decode.
        #[source]
        source: DecodeError,
    },
    /// Bytes decode and contradict a hash, a link, a seal or the head.
    #[error("partition {partition}, block {block}, seq {seq}: tampered")]
    Tampered {
        /// Partition.
        partition: u16,
        /// The block.
        block: u64,
        /// The record, or the first of the block.
        seq: u64,
        /// What contradicts what.
        #[source]
        source: Mismatch,
    },
}

/// Either way of being wrong, before it is known where.
pub(crate) enum Wrong {
    Corrupt(DecodeError),
    Tampered(Mismatch),
}

macro_rules! corrupt_from {
    ($($error:ty),+) => {
        $(impl From<$error> for Wrong {
            fn from(error: $error) -> Self {
                Self::Corrupt(error.into())
            }
        })+
    };
}

corrupt_from!(DecodeError, FrameError, RecordError, BlockError, GenesisError, KeyRecordError, CheckpointError);

impl From<KeyChangeError> for Wrong {
    fn from(error: KeyChangeError) -> Self {
        if error.is_mismatch() {
            Self::Tampered(Mismatch::KeyChange(error))
        } else {
            Self::Corrupt(DecodeError::KeyChange(error))
        }
    }
}

pub(crate) fn tampered(mismatch: Mismatch) -> Wrong {
    Wrong::Tampered(mismatch)
}

pub(crate) fn ensure(fits: bool, mismatch: Mismatch) -> Result<(), Wrong> {
    if fits { Ok(()) } else { Err(Wrong::Tampered(mismatch)) }
}
