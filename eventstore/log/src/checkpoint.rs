//! Checkpoints: records that commit to where every stream stands (FORMAT.md section 12).

use crate::bytes::Bytes;
use crate::extension::Extensions;
use crate::hash::Hash;
use crate::key_change::Author;
use crate::limits::CHECKPOINT_APPLICATION_BYTES_MAX;
use crate::record::{CHECKPOINT_KIND, CHECKPOINT_STREAM, Record};
use crate::stage::{Draft, PushError, Pushed, Stage};
use crate::stream_table::StreamTable;

/// Bytes of a checkpoint's payload before the application's.
pub const CHECKPOINT_FIXED_BYTES: usize = 48;

/// Why a record is not a checkpoint as the format wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Stream, schema, flags or length are others than allowed.
    #[error("a record of kind {CHECKPOINT_KIND} is not of the shape that checkpoints have")]
    Shape,
    /// A second checkpoint in one block.
    #[error("a block holds at most one checkpoint")]
    Second,
}

/// The payload of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint<'a> {
    /// Events that it is over: the first seq of its block.
    pub size: u64,
    /// Streams in the table.
    pub streams: u64,
    /// Root of the table.
    pub root: Hash,
    /// What the application added.
    pub application: &'a [u8],
}

impl<'a> Checkpoint<'a> {
    /// The payload's bytes before the application's.
    pub fn encode_fixed(&self) -> [u8; CHECKPOINT_FIXED_BYTES] {
        let mut bytes = [0; CHECKPOINT_FIXED_BYTES];
        bytes[..8].copy_from_slice(&self.size.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.streams.to_le_bytes());
        bytes[16..].copy_from_slice(&self.root);
        bytes
    }

    /// A checkpoint of a table.
    pub fn of(table: &StreamTable, application: &'a [u8]) -> Self {
        Self { size: table.size(), streams: table.leaves().len() as u64, root: table.root(), application }
    }

    /// Reads the checkpoint of a record of kind 4.
    pub fn from_record(record: &Record<'a>) -> Result<Self, CheckpointError> {
        let header = record.header();
        let plain = (header.kind, header.schema, header.stream) == (CHECKPOINT_KIND, 1, CHECKPOINT_STREAM)
            && !header.terminal
            && !header.encrypted;
        let mut bytes = Bytes(record.payload());
        match (bytes.u64(), bytes.u64(), bytes.array()) {
            (Some(size), Some(streams), Some(root)) if plain && bytes.0.len() <= CHECKPOINT_APPLICATION_BYTES_MAX => {
                Ok(Self { size, streams, root, application: bytes.0 })
            }
            _ => Err(CheckpointError::Shape),
        }
    }
}

impl Stage {
    /// Stages a checkpoint into the open block: it commits to where every stream stood before that block. The sealer, which knows
    /// the chain values, writes table size and root into it; that takes it two hashes for each stream that ever was.
    ///
    /// # Errors
    /// The log was not opened with a stream table ([`FoldOptions::stream_table`](crate::FoldOptions)), the open block has a
    /// checkpoint already, or `application` has more than 4,096 bytes.
    pub fn checkpoint(&mut self, application: &[u8], author: Author) -> Result<Pushed, PushError> {
        if !self.stream_table {
            return Err(PushError::NoStreamTable);
        }
        if self.checkpoint.is_some() {
            return Err(PushError::SecondCheckpoint);
        }
        if application.len() > CHECKPOINT_APPLICATION_BYTES_MAX {
            return Err(PushError::PayloadTooLong(application.len()));
        }
        let payload = [&[0; CHECKPOINT_FIXED_BYTES], application].concat();
        let draft = Draft {
            stream: CHECKPOINT_STREAM,
            kind: CHECKPOINT_KIND,
            schema: 1,
            terminal: false,
            actor: author.actor,
            cause: None,
            time: author.time,
            extensions: Extensions::EMPTY,
            payload: &payload,
        };
        let pushed = self.push_own(&draft)?;
        self.checkpoint = Some(self.bytes.len() - payload.len());
        Ok(pushed)
    }
}
