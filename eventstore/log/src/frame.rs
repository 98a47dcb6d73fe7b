//! Frames: how blocks are stored and transported (FORMAT.md section 6).

use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};

use crate::bytes::at;
use crate::hash::frame_checksum;
use crate::limits::{
    BLOCK_RAW_BYTES_MAX, CHUNK_RAW_BYTES_MAX, END_RAW_BYTES_MAX, GENESIS_BYTES_MAX, TAIL_PROOF_BYTES_MAX,
};

/// Bytes of a frame's header.
pub const FRAME_HEADER_BYTES: usize = 40;

const CHECKED_BYTES: usize = 24;
const RAW: u8 = 0;
const LZ4: u8 = 1;

/// Why bytes are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Shorter than its header says, or than a header.
    #[error("the frame is shorter than its header says")]
    Truncated,
    /// Longer than its header says.
    #[error("the frame is longer than its header says")]
    Trailing,
    /// The type is none of format 1's.
    #[error("frame type {0} is unknown")]
    Type(u8),
    /// The encoding is none of format 1's.
    #[error("frame encoding {0} is unknown")]
    Encoding(u8),
    /// A length is above its limit, the lengths of a raw frame differ, or a compressed one is longer than LZ4 makes it.
    #[error("a frame of {stored} stored and {raw} raw bytes is out of range")]
    Length {
        /// Stored length.
        stored: u32,
        /// Raw length.
        raw: u32,
    },
    /// A field that must be zero for the frame's type is not, or a chunk holds no record.
    #[error("the frame's fields do not suit its type")]
    Fields,
    /// The frame lies under another key than its header says.
    #[error("the frame lies under another key than its header says")]
    Key,
    /// The checksum does not fit the stored bytes.
    #[error("the frame's checksum does not fit its bytes")]
    Checksum,
    /// The body does not decompress to its raw length.
    #[error("the frame's body does not decompress to its raw length")]
    Compression,
}

/// Type of a frame, as in byte 0 of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FrameType {
    /// The genesis text.
    Genesis = 1,
    /// Whole records.
    Chunk = 2,
    /// A block's body and seal.
    Block = 3,
    /// The end of an archive.
    End = 4,
    /// Where an archive that is a tail begins: the proof that comes with it.
    Proof = 5,
}

impl FrameType {
    /// The type of a header's byte 0.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Genesis),
            2 => Some(Self::Chunk),
            3 => Some(Self::Block),
            4 => Some(Self::End),
            5 => Some(Self::Proof),
            _ => None,
        }
    }

    /// The most bytes that a body of this type may decode to.
    pub const fn raw_bytes_max(self) -> usize {
        match self {
            Self::Genesis => GENESIS_BYTES_MAX,
            Self::Chunk => CHUNK_RAW_BYTES_MAX,
            Self::Block => BLOCK_RAW_BYTES_MAX,
            Self::End => END_RAW_BYTES_MAX,
            Self::Proof => TAIL_PROOF_BYTES_MAX,
        }
    }
}

/// Where a frame lies: sorts in the order of an archive within a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameKey {
    /// Partition.
    pub partition: u16,
    /// Chunk: seq of its first record. Block: seq of its last record.
    pub seq: u64,
    /// Type.
    pub kind: FrameType,
}

impl FrameKey {
    /// Before every frame of a partition.
    pub const fn first(partition: u16) -> Self {
        Self { partition, seq: 0, kind: FrameType::Genesis }
    }

    /// Behind every frame of a partition.
    pub const fn last(partition: u16) -> Self {
        Self { partition, seq: u64::MAX, kind: FrameType::End }
    }
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Type, partition and seq.
    pub key: FrameKey,
    /// Whether the body is compressed with LZ4.
    pub compressed: bool,
    /// Bytes of the body as stored.
    pub stored_length: u32,
    /// Bytes of the body when decoded.
    pub raw_length: u32,
    /// Chunk: records in it.
    pub count: u32,
    /// Over the stored bytes.
    pub checksum: [u8; 16],
}

impl FrameHeader {
    /// Reads a header and checks its fields against the limits, so that what it says can be allocated.
    pub fn decode(bytes: &[u8; FRAME_HEADER_BYTES]) -> Result<Self, FrameError> {
        let u32_at = |offset| u32::from_le_bytes(at(bytes, offset));
        let kind = FrameType::from_byte(bytes[0]).ok_or(FrameError::Type(bytes[0]))?;
        if bytes[1] > LZ4 {
            return Err(FrameError::Encoding(bytes[1]));
        }
        let header = Self {
            key: FrameKey { partition: u16::from_le_bytes(at(bytes, 2)), seq: u64::from_le_bytes(at(bytes, 16)), kind },
            compressed: bytes[1] == LZ4,
            stored_length: u32_at(4),
            raw_length: u32_at(8),
            count: u32_at(12),
            checksum: at(bytes, 24),
        };
        header.check()?;
        Ok(header)
    }

    fn check(&self) -> Result<(), FrameError> {
        let max = self.key.kind.raw_bytes_max();
        let (stored, raw) = (self.stored_length, self.raw_length);
        let stored_max = u64::from(raw) + u64::from(raw) / 255 + 16;
        let stored_fits = if self.compressed { u64::from(stored) <= stored_max } else { stored == raw };
        if raw as usize > max || !stored_fits {
            return Err(FrameError::Length { stored, raw });
        }
        let fits = match self.key.kind {
            FrameType::Genesis | FrameType::End => self.key.partition == 0 && self.key.seq == 0 && self.count == 0,
            FrameType::Chunk => self.count > 0,
            FrameType::Block => self.count == 0,
            FrameType::Proof => self.key.seq == 0 && self.count == 0,
        };
        if fits { Ok(()) } else { Err(FrameError::Fields) }
    }
}

/// Compresses bodies; reused, so that its tables are allocated once.
pub struct Compressor {
    short: CompressTable,
    long: CompressTable,
}

impl Default for Compressor {
    fn default() -> Self {
        Self { short: CompressTable::small(), long: CompressTable::large() }
    }
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

impl Compressor {
    /// Compresses into `output`, which has room for the worst case; `None` when the body would not become smaller.
    fn compress(&mut self, body: &[u8], output: &mut [u8]) -> Option<usize> {
        let table = if body.len() < usize::from(u16::MAX) { &mut self.short } else { &mut self.long };
        let length = compress_into_with_table(body, output, table).ok()?;
        (length < body.len()).then_some(length)
    }
}

/// One frame, header and body, as stored. Its bytes are not believed until decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where it lies.
    pub key: FrameKey,
    /// Header (40 bytes) and body.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// A frame of a body that is within the limits of its type; compressed where that makes it smaller.
    /// `count` is the number of records in a chunk, otherwise zero.
    pub fn encode(key: FrameKey, count: u32, body: &[u8], compressor: &mut Compressor) -> Self {
        debug_assert!(body.len() <= key.kind.raw_bytes_max(), "callers keep to the limits");
        let mut bytes = vec![0; FRAME_HEADER_BYTES + get_maximum_output_size(body.len())];
        let compressed = compressor.compress(body, &mut bytes[FRAME_HEADER_BYTES..]);
        let stored = compressed.unwrap_or(body.len());
        bytes.truncate(FRAME_HEADER_BYTES + stored);
        if compressed.is_none() {
            bytes[FRAME_HEADER_BYTES..].copy_from_slice(body);
        }
        bytes[0] = key.kind as u8;
        bytes[1] = if compressed.is_some() { LZ4 } else { RAW };
        bytes[2..4].copy_from_slice(&key.partition.to_le_bytes());
        bytes[4..8].copy_from_slice(&(stored as u32).to_le_bytes());
        bytes[8..12].copy_from_slice(&(body.len() as u32).to_le_bytes());
        bytes[12..16].copy_from_slice(&count.to_le_bytes());
        bytes[16..24].copy_from_slice(&key.seq.to_le_bytes());
        let checksum = frame_checksum(&bytes[..CHECKED_BYTES], &bytes[FRAME_HEADER_BYTES..]);
        bytes[24..FRAME_HEADER_BYTES].copy_from_slice(&checksum);
        Self { key, bytes }
    }

    /// A frame from its bytes, under the key that its header names. Header, length and checksum are checked, the body is not decoded.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, FrameError> {
        let key = checked_header(&bytes)?.key;
        Ok(Self { key, bytes })
    }

    /// Checks header, key, length and checksum.
    pub fn header(&self) -> Result<FrameHeader, FrameError> {
        let header = checked_header(&self.bytes)?;
        if header.key != self.key {
            return Err(FrameError::Key);
        }
        Ok(header)
    }

    /// Checks the frame and appends its decoded body to `output`, which stays as it was on an error.
    pub fn decode_into(&self, output: &mut Vec<u8>) -> Result<FrameHeader, FrameError> {
        let header = self.header()?;
        let body = &self.bytes[FRAME_HEADER_BYTES..];
        if !header.compressed {
            output.extend_from_slice(body);
            return Ok(header);
        }
        let start = output.len();
        output.resize(start + header.raw_length as usize, 0);
        if decompress_into(body, &mut output[start..]).ok() != Some(header.raw_length as usize) {
            output.truncate(start);
            return Err(FrameError::Compression);
        }
        Ok(header)
    }

    /// Checks the frame and gives its header and its decoded body.
    pub fn decode(&self) -> Result<(FrameHeader, Vec<u8>), FrameError> {
        let mut body = Vec::new();
        let header = self.decode_into(&mut body)?;
        Ok((header, body))
    }
}

fn checked_header(bytes: &[u8]) -> Result<FrameHeader, FrameError> {
    let (head, body) = bytes.split_first_chunk().ok_or(FrameError::Truncated)?;
    let header = FrameHeader::decode(head)?;
    match body.len().cmp(&(header.stored_length as usize)) {
        std::cmp::Ordering::Less => Err(FrameError::Truncated),
        std::cmp::Ordering::Greater => Err(FrameError::Trailing),
        std::cmp::Ordering::Equal if header.checksum != frame_checksum(&head[..CHECKED_BYTES], body) => {
            Err(FrameError::Checksum)
        }
        std::cmp::Ordering::Equal => Ok(header),
    }
}
