//! A decoded chunk, and records that share it.

use std::sync::Arc;

use crate::frame::{Frame, FrameType};
use crate::record::{Header, Record, StoredRecord};
use crate::store::ReadError;

/// The records of one chunk, checked by themselves and against the frame; nothing is known of their hashes.
#[derive(Debug)]
pub(crate) struct Chunk {
    first_seq: u64,
    bytes: Vec<u8>,
    // Where each record ends.
    ends: Vec<u32>,
}

impl Chunk {
    pub(crate) fn decode(frame: &Frame) -> Result<Self, ReadError> {
        let seq = frame.key.seq;
        let corrupt = |error: &dyn std::fmt::Display| ReadError::Corrupt(format!("chunk at seq {seq}: {error}"));
        if frame.key.kind != FrameType::Chunk {
            return Err(corrupt(&"it is of another type"));
        }
        let mut bytes = Vec::new();
        let header = frame.decode_into(&mut bytes).map_err(|error| corrupt(&error))?;
        let (mut ends, mut rest) = (Vec::new(), &bytes[..]);
        while !rest.is_empty() {
            let (record, after) = Record::split_first(rest).map_err(|error| corrupt(&error))?;
            if Some(record.header().seq) != seq.checked_add(ends.len() as u64) {
                return Err(corrupt(&"the seqs have a gap"));
            }
            rest = after;
            ends.push((bytes.len() - rest.len()) as u32);
        }
        if ends.len() != header.count as usize {
            return Err(corrupt(&"it has other records than its frame says"));
        }
        Ok(Self { first_seq: seq, bytes, ends })
    }

    pub(crate) fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Seq of the record after its last.
    pub(crate) fn end_seq(&self) -> u64 {
        self.first_seq.saturating_add(self.ends.len() as u64)
    }

    pub(crate) fn contains(&self, seq: u64) -> bool {
        (self.first_seq..self.end_seq()).contains(&seq)
    }

    /// Bytes in memory.
    pub(crate) fn weight(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<u32>() + size_of::<Self>()
    }

    /// Where a record begins, and its header.
    fn record(&self, seq: u64) -> Option<(usize, Header)> {
        let index = usize::try_from(seq.checked_sub(self.first_seq)?).ok()?;
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        // Was decoded once already.
        let (record, _) = Record::split_first(&self.bytes[start..end]).ok()?;
        Some((start, *record.header()))
    }

    /// Time of a record.
    pub(crate) fn time(&self, seq: u64) -> Option<u64> {
        self.record(seq).map(|(_, header)| header.time)
    }
}

/// A record that was read. Clones are cheap: it shares the decoded bytes of its chunk, about 16 KiB, which stay in memory as long as it does.
#[derive(Debug, Clone)]
pub struct SharedRecord {
    chunk: Arc<Chunk>,
    header: Header,
    start: usize,
}

impl SharedRecord {
    pub(crate) fn new(chunk: &Arc<Chunk>, seq: u64) -> Option<Self> {
        let (start, header) = chunk.record(seq)?;
        Some(Self { chunk: chunk.clone(), header, start })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// A view of the record.
    pub fn view(&self) -> Record<'_> {
        Record::of_checked(self.header, &self.chunk.bytes[self.start..self.start + self.header.length as usize])
    }

    /// The payload as stored.
    pub fn payload(&self) -> &[u8] {
        self.view().payload()
    }
}

impl From<SharedRecord> for StoredRecord {
    fn from(record: SharedRecord) -> Self {
        record.view().into()
    }
}
