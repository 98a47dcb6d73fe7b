//! The seam between the log and what keeps it: stores implement these two traits.

use std::sync::Arc;

use crate::frame::{Frame, FrameKey};

/// A block with its seal, encoded and ready to be stored.
#[derive(Debug, Clone)]
pub struct SealedBlock {
    /// Partition the block belongs to.
    pub partition: u16,
    /// Block number in the partition, from 0.
    pub number: u64,
    /// Seq of the block record.
    pub first_seq: u64,
    /// Tree size after the block: seq of its last record plus one.
    pub size: u64,
    /// Hash of the block before; the genesis hash for a partition's first block. By it a store knows a writer that another has overtaken.
    pub previous_hash: [u8; 32],
    /// Block hash `B`.
    pub hash: [u8; 32],
    /// The seal: a signed note (FORMAT.md section 4).
    pub seal: Vec<u8>,
    /// The chunk frames in order.
    pub chunks: Vec<Frame>,
    /// The block frame.
    pub block: Frame,
}

/// The newest block of a partition whose storage was acknowledged, as the store's own head record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of the block.
    pub number: u64,
    /// Tree size after it.
    pub size: u64,
    /// Block hash `B`.
    pub hash: [u8; 32],
    /// The seal as a signed note.
    pub seal: Vec<u8>,
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The block does not continue the newest one that the store holds, by number or by hash: another writer was there. Nothing
    /// was written; open the log again.
    #[error(
        "block {number} of partition {partition} does not continue the newest block stored; number {expected} would"
    )]
    Conflict {
        /// Partition of the refused block.
        partition: u16,
        /// Number of the refused block.
        number: u64,
        /// Number that the store would take.
        expected: u64,
    },
    /// An earlier write failed, so what is on disk is unknown until the store is opened again.
    #[error("the store refuses writes since an earlier write failed; open it again")]
    Poisoned,
    /// The device failed or is full; the store is poisoned from now on.
    #[error("writing to the store failed")]
    Io(#[source] std::io::Error),
    /// The storage engine failed; the store is poisoned from now on.
    #[error("the storage engine failed: {0}")]
    Engine(String),
}

/// Why frames could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no log where one was asked for.
    #[error("there is no log at {0}")]
    NotFound(String),
    /// Stored bytes do not decode.
    #[error("the log is corrupt: {0}")]
    Corrupt(String),
    /// Stored bytes decode but contradict a hash, a signature, a seal or the head.
    #[error("the log was tampered with: {0}")]
    Tampered(String),
    /// Somebody else holds the log, or a resource is exhausted; may pass.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// The device failed.
    #[error("reading the store failed")]
    Io(#[from] std::io::Error),
}

/// Keeps a log. Blocking: called on threads that the engine owns, one writer at a time.
pub trait EventStore: Send {
    /// Stores blocks in order and returns when they survive power loss: their frames first (atomically for each block),
    /// then the head. Each block must continue the one before it, by number and by hash; otherwise nothing is written, and it is a
    /// `Conflict`: so of two writers one is fenced off. Every other error poisons the store.
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError>;

    /// The acknowledged head of a partition; `None` before its first block.
    fn head(&self, partition: u16) -> Option<Head>;

    /// A handle for reading beside the writer.
    fn source(&self) -> Arc<dyn FrameSource>;
}

impl EventStore for Box<dyn EventStore> {
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        (**self).commit(blocks)
    }

    fn head(&self, partition: u16) -> Option<Head> {
        (**self).head(partition)
    }

    fn source(&self) -> Arc<dyn FrameSource> {
        (**self).source()
    }
}

/// Frames in the order of an archive.
pub type Frames<'a> = Box<dyn Iterator<Item = Result<Frame, ReadError>> + Send + 'a>;

/// Reads a log. Implementations stop at the first error and never skip one.
pub trait FrameSource: Send + Sync {
    /// The genesis text.
    fn genesis(&self) -> Result<Vec<u8>, ReadError>;

    /// The acknowledged head of a partition, where the source keeps one apart from its frames (an archive does not).
    fn head(&self, partition: u16) -> Result<Option<Head>, ReadError>;

    /// Frames of a partition with keys at or after `from`, ascending.
    fn frames(&self, from: FrameKey) -> Result<Frames<'_>, ReadError>;

    /// The last frame of a partition with a key at or before `at`; `None` when there is none.
    fn frame_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, ReadError>;
}
