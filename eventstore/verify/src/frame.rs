//! Frames: header, checksum and decompression (FORMAT.md section 6).

use crate::bytes::{array, u16_at, u32_at, u64_at};
use crate::defect::Defect;
use crate::hash::{KEYS, keyed};
use crate::limits::{
    BLOCK_FRAME_BYTES_MAX, BLOCK_RECORDS_MAX, END_BYTES_MAX, FRAME_HEADER_BYTES, GENESIS_BYTES_MAX,
    PROOF_FRAME_BYTES_MAX, RECORD_BYTES_MAX, RECORD_HEADER_BYTES,
};

/// Bodies of up to this size are copied to hash them. Chunks have about 16 KiB.
const JOINED_BYTES_MAX: usize = 64 << 10;

/// Type of a frame, as in byte 0 of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Genesis,
    Chunk,
    Block,
    End,
    /// In tails only.
    Proof,
}

/// A frame's header. Nothing in it is believed before its checksum was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) kind: Kind,
    pub(crate) compressed: bool,
    pub(crate) partition: u16,
    pub(crate) stored_bytes: usize,
    pub(crate) raw_bytes: usize,
    pub(crate) count: u32,
    pub(crate) seq: u64,
}

impl Header {
    /// Reads a header and refuses what format 1 does not allow, above all lengths beyond the limits.
    pub(crate) fn parse(bytes: &[u8; FRAME_HEADER_BYTES]) -> Result<Self, Defect> {
        let claim = Claim::of(bytes).ok_or(Defect::Layout("a frame's type is 1 to 5"))?;
        let header = Header {
            kind: claim.kind,
            compressed: bytes[1] == 1,
            partition: claim.partition,
            stored_bytes: u32_at(bytes, 4) as usize,
            raw_bytes: u32_at(bytes, 8) as usize,
            count: u32_at(bytes, 12),
            seq: u64_at(bytes, 16),
        };
        if bytes[1] > 1 {
            return Err(Defect::Layout("a frame's encoding is 0 or 1"));
        }
        header.check().map(|()| header)
    }

    fn check(&self) -> Result<(), Defect> {
        let (fewest, most) = match self.kind {
            Kind::Genesis => (1, GENESIS_BYTES_MAX),
            Kind::Chunk => (RECORD_HEADER_BYTES, RECORD_BYTES_MAX),
            Kind::Block => (1, BLOCK_FRAME_BYTES_MAX),
            Kind::End => (1, END_BYTES_MAX),
            Kind::Proof => (1, PROOF_FRAME_BYTES_MAX),
        };
        if !(fewest..=most).contains(&self.raw_bytes) {
            return Err(Defect::Layout("a frame's raw length is out of its type's limits"));
        }
        // LZ4 grows what it cannot compress by one byte in 255 and a few more.
        let stored_most = if self.compressed { self.raw_bytes + self.raw_bytes / 255 + 16 } else { self.raw_bytes };
        let stored_least = if self.compressed { 1 } else { self.raw_bytes };
        if !(stored_least..=stored_most).contains(&self.stored_bytes) {
            return Err(Defect::Layout("a frame's stored length does not fit its raw length"));
        }
        let counts = if self.kind == Kind::Chunk { 1..=BLOCK_RECORDS_MAX } else { 0..=0 };
        if !counts.contains(&self.count) {
            return Err(Defect::Layout("a frame's count is out of its type's limits"));
        }
        let rule = match (self.kind, self.partition, self.seq) {
            (Kind::Chunk | Kind::Block, _, _) | (Kind::Genesis | Kind::End, 0, 0) | (Kind::Proof, _, 0) => {
                return Ok(());
            }
            (Kind::Proof, _, _) => "a proof frame has seq 0",
            (Kind::Genesis | Kind::End, _, _) => "a genesis or end frame has partition and seq 0",
        };
        Err(Defect::Layout(rule))
    }
}

/// What the first bytes of a frame claim it to be, for placing a fault when the rest of the header is bad.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) kind: Kind,
    pub(crate) partition: u16,
}

impl Claim {
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; 4] = bytes.first_chunk()?;
        let kind = match bytes[0] {
            1 => Kind::Genesis,
            2 => Kind::Chunk,
            3 => Kind::Block,
            4 => Kind::End,
            5 => Kind::Proof,
            _ => return None,
        };
        Some(Claim { kind, partition: u16_at(bytes, 2) })
    }
}

/// A frame whose header and checksum fit its bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckedFrame<'a> {
    pub(crate) header: Header,
    body: &'a [u8],
}

impl<'a> CheckedFrame<'a> {
    /// Checks header, length and checksum.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Defect> {
        let (head, body) = bytes.split_first_chunk::<FRAME_HEADER_BYTES>().ok_or(Defect::Truncated)?;
        if array::<16, FRAME_HEADER_BYTES>(head, 24) != checksum(&head[..24], body) {
            return Err(Defect::Checksum);
        }
        let header = Header::parse(head)?;
        if header.stored_bytes != body.len() {
            return Err(Defect::Layout("a frame's stored length is not that of its body"));
        }
        Ok(CheckedFrame { header, body })
    }

    /// The body, decoded; `scratch` holds it where it was compressed.
    pub(crate) fn body<'s>(&self, scratch: &'s mut Vec<u8>) -> Result<&'s [u8], Defect>
    where
        'a: 's,
    {
        if !self.header.compressed {
            return Ok(self.body);
        }
        scratch.resize(self.header.raw_bytes, 0);
        match lz4_flex::block::decompress_into(self.body, scratch) {
            Ok(length) if length == self.header.raw_bytes => Ok(scratch),
            _ => Err(Defect::Compression),
        }
    }
}

/// `H16[frame](header before the checksum ‖ body as stored)`.
fn checksum(head: &[u8], body: &[u8]) -> [u8; 16] {
    // In one piece, for blake3 goes over the chunks of one slice side by side, but not over those behind a short first one.
    if body.len() <= JOINED_BYTES_MAX {
        return array(&keyed(&KEYS.frame, &[head, body].concat()), 0);
    }
    let digest = blake3::Hasher::new_keyed(&KEYS.frame).update(head).update(body).finalize();
    array(digest.as_bytes(), 0)
}
