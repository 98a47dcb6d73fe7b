//! The block body and the block record's payload, each judged by itself (FORMAT.md section 4).

use crate::bytes::{array, u16_at, u32_at, u64_at};
use crate::defect::Defect;
use crate::hash::Hash;
use crate::limits::{BLOCK_PAYLOAD_BYTES, BLOCK_RECORD_BYTES_MAX, BLOCK_RECORDS_MAX, NONE, SEAL_BYTES_MAX};

const FIXED_BYTES: usize = 112;
const INDEX_ENTRY_BYTES: usize = 56;

/// A block body, parsed.
#[derive(Debug)]
pub(crate) struct Body<'a> {
    /// The bytes that the block hash covers.
    pub(crate) bytes: &'a [u8],
    pub(crate) seal: &'a [u8],
    pub(crate) partition: u16,
    pub(crate) records: u32,
    pub(crate) number: u64,
    pub(crate) first_seq: u64,
    pub(crate) record_bytes: u64,
    pub(crate) root: Hash,
    pub(crate) secret: Hash,
    pub(crate) chunks: u32,
    pub(crate) frontier: &'a [Hash],
    index: &'a [[u8; INDEX_ENTRY_BYTES]],
}

/// What the stream index says of a stream before the block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexEntry {
    pub(crate) stream: u64,
    pub(crate) version: u64,
    pub(crate) previous: u64,
    pub(crate) chain: Hash,
}

impl<'a> Body<'a> {
    /// Reads the body of a block frame: block body ‖ length of the seal ‖ seal.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Defect> {
        let (fixed, rest) = bytes.split_first_chunk::<FIXED_BYTES>().ok_or(Defect::Truncated)?;
        let (streams, hashes) = (u32_at(fixed, 100) as usize, u32_at(fixed, 104) as usize);
        let first_seq = u64_at(fixed, 16);
        if hashes != first_seq.count_ones() as usize {
            return Err(Defect::Layout("a frontier has a hash for each one bit of the first seq"));
        }
        let (frontier, rest) = rest.split_at_checked(32 * hashes).ok_or(Defect::Truncated)?;
        let index_bytes = INDEX_ENTRY_BYTES.checked_mul(streams).ok_or(Defect::Truncated)?;
        let (index, rest) = rest.split_at_checked(index_bytes).ok_or(Defect::Truncated)?;
        let (seal_bytes, seal) = rest.split_first_chunk::<4>().ok_or(Defect::Truncated)?;
        if u32::from_le_bytes(*seal_bytes) as usize != seal.len() {
            return Err(Defect::Layout("a block frame is body, seal length and seal, and nothing else"));
        }
        let body = Body {
            bytes: &bytes[..FIXED_BYTES + frontier.len() + index.len()],
            seal,
            partition: u16_at(fixed, 0),
            records: u32_at(fixed, 4),
            number: u64_at(fixed, 8),
            first_seq,
            record_bytes: u64_at(fixed, 24),
            root: array(fixed, 32),
            secret: array(fixed, 64),
            chunks: u32_at(fixed, 96),
            frontier: frontier.as_chunks().0,
            index: index.as_chunks().0,
        };
        body.check(u16_at(fixed, 2), u32_at(fixed, 108)).map(|()| body)
    }

    fn check(&self, format: u16, reserved: u32) -> Result<(), Defect> {
        let rule = if format != 1 {
            "a block's format is 1"
        } else if reserved != 0 {
            "a block body's reserved bytes are zero"
        } else if !(1..=BLOCK_RECORDS_MAX).contains(&self.records) {
            "a block has 1 to 65,536 records"
        } else if self.record_bytes > BLOCK_RECORD_BYTES_MAX {
            "a block's records have at most 64 MiB"
        } else if self.first_seq.checked_add(u64::from(self.records)).is_none() {
            "a seq is less than 2^64"
        } else if self.seal.len() > SEAL_BYTES_MAX {
            "a seal has at most 64 KiB"
        } else if self.index.len() > self.records as usize {
            "a block has no more streams than records"
        } else {
            return Ok(());
        };
        Err(Defect::Layout(rule))
    }

    /// Judged apart from the rest: an index that the seal does not vouch for is the tamperer's, not the writer's.
    pub(crate) fn check_index(&self) -> Result<(), Defect> {
        let mut last = 0;
        for entry in self.index() {
            if entry.stream <= last {
                return Err(Defect::Layout("the streams of an index ascend from 1"));
            }
            last = entry.stream;
            let as_new = (entry.version == 0, entry.previous == NONE, entry.chain == [0; 32]);
            // A chain value of zero is no hash that anybody knows a preimage of.
            if !matches!(as_new, (true, true, true) | (false, false, false)) {
                return Err(Defect::Layout(
                    "an index gives a new stream version 0, no previous and a zero chain value",
                ));
            }
        }
        Ok(())
    }

    /// The stream index.
    pub(crate) fn index(&self) -> impl ExactSizeIterator<Item = IndexEntry> {
        self.index.iter().map(|entry| IndexEntry {
            stream: u64_at(entry, 0),
            version: u64_at(entry, 8),
            previous: u64_at(entry, 16),
            chain: array(entry, 24),
        })
    }
}

/// The payload of a block record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlockRecord {
    pub(crate) previous_hash: Hash,
    pub(crate) number: u64,
    pub(crate) epoch: u64,
    pub(crate) boot: [u8; 16],
    pub(crate) key_id: [u8; 4],
}

impl BlockRecord {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Defect> {
        let payload: &[u8; BLOCK_PAYLOAD_BYTES] =
            payload.try_into().map_err(|_| Defect::Layout("a block record's payload has 96 bytes"))?;
        let record = BlockRecord {
            previous_hash: array(payload, 0),
            number: u64_at(payload, 32),
            epoch: u64_at(payload, 40),
            boot: array(payload, 48),
            key_id: array(payload, 80),
        };
        if array::<12, BLOCK_PAYLOAD_BYTES>(payload, 84) != [0; 12] {
            return Err(Defect::Layout("a block record's reserved bytes are zero"));
        }
        if record.epoch == 0 {
            return Err(Defect::Layout("a writer epoch is at least 1"));
        }
        Ok(record)
    }
}
