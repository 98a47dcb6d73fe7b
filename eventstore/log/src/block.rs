//! Gives a block's own record and its body: what its hash covers (FORMAT.md section 4).

use crate::bytes::{Bytes, at};
use crate::hash::Hash;
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX, HEADER_BYTES, SEAL_READ_BYTES_MAX};
use crate::record::{BLOCK_KIND, Record};

/// Bytes of a block record's payload.
pub const BLOCK_RECORD_PAYLOAD_BYTES: usize = 96;
/// Bytes of a whole block record.
pub const BLOCK_RECORD_BYTES: usize = HEADER_BYTES + BLOCK_RECORD_PAYLOAD_BYTES;

const FORMAT: u16 = 1;
const FIXED_BYTES: usize = 112;
const ENTRY_BYTES: usize = 56;
const NONE: u64 = u64::MAX;

/// Why bytes are not a block record or a block body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BlockError {
    /// The first record is not a block record as the format wants it.
    #[error("the block's first record is not a block record")]
    Record,
    /// The body is shorter or longer than its counts say.
    #[error("the block body's length does not fit its counts")]
    Length,
    /// The format is not 1.
    #[error("block format {0} is unknown")]
    Format(u16),
    /// A count is out of its range.
    #[error("a count in the block body is out of range")]
    Counts,
    /// Bytes that must be zero are not.
    #[error("reserved bytes of the block are not zero")]
    Reserved,
    /// The stream index is not sorted, or an entry contradicts itself.
    #[error("the block's stream index is malformed")]
    Index,
}

/// The payload of a block record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRecord {
    /// Hash of the block before; the genesis hash for a partition's first block.
    pub previous_hash: Hash,
    /// Block number, from 0.
    pub number: u64,
    /// Grows by one with each opening for writing, from 1.
    pub epoch: u64,
    /// Random, one for each opening for writing.
    pub boot_id: [u8; 16],
    /// Raw wall clock, nanoseconds since 1970.
    pub wall_ns: i64,
    /// Nanoseconds since the opening.
    pub monotonic_ns: u64,
    /// Id of the sealing key.
    pub key_id: [u8; 4],
}

impl BlockRecord {
    /// The payload's bytes.
    pub fn encode(&self) -> [u8; BLOCK_RECORD_PAYLOAD_BYTES] {
        let mut bytes = [0; BLOCK_RECORD_PAYLOAD_BYTES];
        bytes[0..32].copy_from_slice(&self.previous_hash);
        bytes[32..40].copy_from_slice(&self.number.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[48..64].copy_from_slice(&self.boot_id);
        bytes[64..72].copy_from_slice(&self.wall_ns.to_le_bytes());
        bytes[72..80].copy_from_slice(&self.monotonic_ns.to_le_bytes());
        bytes[80..84].copy_from_slice(&self.key_id);
        bytes
    }

    /// Reads the block record of a block's first record.
    pub fn from_record(record: &Record<'_>) -> Result<Self, BlockError> {
        let header = record.header();
        let plain = header.kind == BLOCK_KIND
            && header.schema == 1
            && header.actor == 0
            && header.cause.is_none()
            && header.extension_length == 0
            && !header.terminal
            && !header.encrypted;
        match record.payload().try_into() {
            Ok(payload) if plain => Self::decode(payload),
            _ => Err(BlockError::Record),
        }
    }

    fn decode(bytes: &[u8; BLOCK_RECORD_PAYLOAD_BYTES]) -> Result<Self, BlockError> {
        if bytes[84..] != [0; 12] {
            return Err(BlockError::Reserved);
        }
        Ok(Self {
            previous_hash: at(bytes, 0),
            number: u64::from_le_bytes(at(bytes, 32)),
            epoch: u64::from_le_bytes(at(bytes, 40)),
            boot_id: at(bytes, 48),
            wall_ns: i64::from_le_bytes(at(bytes, 64)),
            monotonic_ns: u64::from_le_bytes(at(bytes, 72)),
            key_id: at(bytes, 80),
        })
    }
}

/// Where a stream stood before a block that continues it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamEntry {
    /// The stream.
    pub stream: u64,
    /// Its version before the block; 0 for a new stream.
    pub version: u64,
    /// Seq of its last event before the block.
    pub previous: Option<u64>,
    /// Its chain value before the block; zero for a new stream.
    pub chain: Hash,
}

impl StreamEntry {
    fn encode_into(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.stream.to_le_bytes());
        bytes.extend_from_slice(&self.version.to_le_bytes());
        bytes.extend_from_slice(&self.previous.unwrap_or(NONE).to_le_bytes());
        bytes.extend_from_slice(&self.chain);
    }

    fn decode(bytes: &[u8; ENTRY_BYTES]) -> Result<Self, BlockError> {
        let previous = u64::from_le_bytes(at(bytes, 16));
        let entry = Self {
            stream: u64::from_le_bytes(at(bytes, 0)),
            version: u64::from_le_bytes(at(bytes, 8)),
            previous: (previous != NONE).then_some(previous),
            chain: at(bytes, 24),
        };
        let new = entry.version == 0;
        if entry.stream == 0 || new != entry.previous.is_none() || (new && entry.chain != [0; 32]) {
            return Err(BlockError::Index);
        }
        Ok(entry)
    }
}

/// A block body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockBody {
    /// Partition.
    pub partition: u16,
    /// Number of records.
    pub records: u32,
    /// Block number, from 0.
    pub number: u64,
    /// Seq of the block record.
    pub first_seq: u64,
    /// Total bytes of the records.
    pub record_bytes: u64,
    /// Root of the tree after this block.
    pub root: Hash,
    /// The salts of the block's payload hashes derive from it.
    pub secret: [u8; 32],
    /// Number of chunks.
    pub chunks: u32,
    /// Roots of the perfect subtrees of the tree before this block, largest first.
    pub frontier: Vec<Hash>,
    /// The streams of the block, ids ascending.
    pub streams: Vec<StreamEntry>,
}

impl BlockBody {
    /// Tree size after the block.
    pub fn size(&self) -> u64 {
        self.first_seq + u64::from(self.records)
    }

    /// The body's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(body_length(self.frontier.len(), self.streams.len()) + 4 + 1_024);
        bytes.extend_from_slice(&self.partition.to_le_bytes());
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&self.records.to_le_bytes());
        bytes.extend_from_slice(&self.number.to_le_bytes());
        bytes.extend_from_slice(&self.first_seq.to_le_bytes());
        bytes.extend_from_slice(&self.record_bytes.to_le_bytes());
        bytes.extend_from_slice(&self.root);
        bytes.extend_from_slice(&self.secret);
        bytes.extend_from_slice(&self.chunks.to_le_bytes());
        bytes.extend_from_slice(&(self.streams.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(self.frontier.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(self.frontier.as_flattened());
        self.streams.iter().for_each(|entry| entry.encode_into(&mut bytes));
        bytes
    }

    /// Reads a body that fills `bytes` exactly.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        let (fixed, rest) = bytes.split_first_chunk::<FIXED_BYTES>().ok_or(BlockError::Length)?;
        let (frontier_count, stream_count) = counts(fixed)?;
        if bytes.len() != body_length(frontier_count, stream_count) {
            return Err(BlockError::Length);
        }
        let (frontier, streams) = rest.split_at_checked(32 * frontier_count).ok_or(BlockError::Length)?;
        let body = Self {
            partition: u16::from_le_bytes(at(fixed, 0)),
            records: u32::from_le_bytes(at(fixed, 4)),
            number: u64::from_le_bytes(at(fixed, 8)),
            first_seq: u64::from_le_bytes(at(fixed, 16)),
            record_bytes: u64::from_le_bytes(at(fixed, 24)),
            root: at(fixed, 32),
            secret: at(fixed, 64),
            chunks: u32::from_le_bytes(at(fixed, 96)),
            frontier: frontier.as_chunks().0.to_vec(),
            streams: streams.as_chunks().0.iter().map(StreamEntry::decode).collect::<Result<_, _>>()?,
        };
        if body.streams.windows(2).any(|pair| pair[0].stream >= pair[1].stream) {
            return Err(BlockError::Index);
        }
        Ok(body)
    }
}

/// Checks the fixed part; gives the number of frontier hashes and of streams.
fn counts(fixed: &[u8; FIXED_BYTES]) -> Result<(usize, usize), BlockError> {
    let u32_at = |offset| u32::from_le_bytes(at(fixed, offset));
    let u64_at = |offset| u64::from_le_bytes(at(fixed, offset));
    let format = u16::from_le_bytes(at(fixed, 2));
    if format != FORMAT {
        return Err(BlockError::Format(format));
    }
    if u32_at(108) != 0 {
        return Err(BlockError::Reserved);
    }
    let (records, first_seq, record_bytes) = (u32_at(4), u64_at(16), u64_at(24));
    let (chunks, streams, frontier) = (u32_at(96), u32_at(100), u32_at(104));
    let bytes_min = u64::from(records) * HEADER_BYTES as u64;
    let bytes_max = BLOCK_BYTES_MAX as u64;
    let in_range = (1..=BLOCK_RECORDS_MAX as u32).contains(&records)
        && (1..=records).contains(&chunks)
        && (1..=records).contains(&streams)
        && (bytes_min..=bytes_max).contains(&record_bytes)
        && frontier == first_seq.count_ones()
        && first_seq.checked_add(u64::from(records)).is_some();
    if in_range { Ok((frontier as usize, streams as usize)) } else { Err(BlockError::Counts) }
}

fn body_length(frontier: usize, streams: usize) -> usize {
    FIXED_BYTES + 32 * frontier + ENTRY_BYTES * streams
}

/// What a block frame's body is made of: block body ‖ length of the seal ‖ seal.
pub fn join_body_and_seal(mut body: Vec<u8>, seal: &[u8]) -> Vec<u8> {
    body.extend_from_slice(&(seal.len() as u32).to_le_bytes());
    body.extend_from_slice(seal);
    body
}

/// Takes a block frame's decoded body apart into the block body's bytes and the seal.
pub fn split_body_and_seal(bytes: &[u8]) -> Result<(&[u8], &[u8]), BlockError> {
    let fixed = bytes.first_chunk().ok_or(BlockError::Length)?;
    let (frontier, streams) = counts(fixed)?;
    let (body, rest) = bytes.split_at_checked(body_length(frontier, streams)).ok_or(BlockError::Length)?;
    let mut rest = Bytes(rest);
    let length = rest.u32().ok_or(BlockError::Length)? as usize;
    if length != rest.0.len() || length > SEAL_READ_BYTES_MAX {
        return Err(BlockError::Length);
    }
    Ok((body, rest.0))
}
