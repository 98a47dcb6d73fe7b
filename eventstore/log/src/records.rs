//! Reads a partition's records from a seq on, without hashing: for tools and read models that trust what was verified before.

use crate::frame::{Frame, FrameKey, FrameType};
use crate::record::{Record, StoredRecord};
use crate::store::{FrameSource, Frames, ReadError};

/// The records of a partition from `from_seq` on, block records among them. Checks frame checksums, layout and that no seq is
/// missing, and no hash or seal. Starting costs one chunk. For single events and streams see [`crate::EventReader`].
pub fn records(source: &dyn FrameSource, partition: u16, from_seq: u64) -> Result<Records<'_>, ReadError> {
    let wanted = FrameKey { partition, seq: from_seq, kind: FrameType::Chunk };
    let first = source.frame_at_or_before(wanted)?.filter(|frame| frame.key.kind == FrameType::Chunk);
    let next_seq = first.as_ref().map_or(from_seq, |frame| frame.key.seq);
    // Behind the chunk that is at hand.
    let kind = if first.is_some() { FrameType::Block } else { FrameType::Chunk };
    let rest = Rest::NotAsked(source, FrameKey { partition, seq: next_seq, kind });
    let mut records = Records { rest, from_seq, next_seq, chunk: Vec::new(), offset: 0 };
    if let Some(frame) = first {
        records.decode(&frame)?;
    }
    Ok(records)
}

/// Iterator of [`records`]. Ends after the first error.
pub struct Records<'a> {
    rest: Rest<'a>,
    from_seq: u64,
    next_seq: u64,
    chunk: Vec<u8>,
    offset: usize,
}

/// The frames after the first chunk. Asked for only when they are needed: whoever wants one event does not.
enum Rest<'a> {
    NotAsked(&'a dyn FrameSource, FrameKey),
    Asked(Frames<'a>),
    /// After an error.
    None,
}

impl std::fmt::Debug for Records<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("next_seq", &self.next_seq).finish_non_exhaustive()
    }
}

impl Iterator for Records<'_> {
    type Item = Result<StoredRecord, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose()?;
        if next.is_err() {
            self.rest = Rest::None;
            self.chunk.clear();
        }
        Some(next)
    }
}

impl Records<'_> {
    fn advance(&mut self) -> Result<Option<StoredRecord>, ReadError> {
        loop {
            while let Some(rest) = self.chunk.get(self.offset..).filter(|rest| !rest.is_empty()) {
                let (record, _) = Record::split_first(rest).map_err(|error| corrupt(self.next_seq, &error))?;
                if record.header().seq != self.next_seq {
                    return Err(corrupt(self.next_seq, &"the seqs have a gap"));
                }
                self.offset += record.bytes().len();
                self.next_seq = self.next_seq.saturating_add(1);
                if record.header().seq >= self.from_seq {
                    return Ok(Some(record.into()));
                }
            }
            if !self.load_chunk()? {
                return Ok(None);
            }
        }
    }

    fn load_chunk(&mut self) -> Result<bool, ReadError> {
        if let Rest::NotAsked(source, from) = self.rest {
            self.rest = Rest::Asked(source.frames(from)?);
        }
        let Rest::Asked(frames) = &mut self.rest else { return Ok(false) };
        for frame in frames {
            let frame = frame?;
            if frame.key.kind == FrameType::Chunk {
                self.decode(&frame)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn decode(&mut self, frame: &Frame) -> Result<(), ReadError> {
        self.chunk.clear();
        self.offset = 0;
        frame.decode_into(&mut self.chunk).map_err(|error| corrupt(frame.key.seq, &error))?;
        Ok(())
    }
}

fn corrupt(seq: u64, error: &dyn std::fmt::Display) -> ReadError {
    ReadError::Corrupt(format!("at seq {seq}: {error}"))
}
