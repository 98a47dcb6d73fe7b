//! Reads a partition's records from a seq on, without hashing: for tools and read models that trust what was verified before.

use crate::frame::{Frame, FrameKey, FrameType};
use crate::record::{Record, StoredRecord};
use crate::store::{FrameSource, Frames, ReadError};

/// The records of a partition from `from_seq` on, block records among them. Checks frame checksums, layout and that no seq is
/// missing, and no hash or seal. Starting costs one chunk.
pub fn records(source: &dyn FrameSource, partition: u16, from_seq: u64) -> Result<Records<'_>, ReadError> {
    let wanted = FrameKey { partition, seq: from_seq, kind: FrameType::Chunk };
    let start = match source.frame_at_or_before(wanted)? {
        Some(Frame { key, .. }) if key.kind == FrameType::Chunk => key,
        _ => wanted,
    };
    let frames = Some(source.frames(start)?);
    Ok(Records { frames, from_seq, next_seq: start.seq, chunk: Vec::new(), offset: 0 })
}

/// Iterator of [`records`]. Ends after the first error.
pub struct Records<'a> {
    // `None` after an error.
    frames: Option<Frames<'a>>,
    from_seq: u64,
    next_seq: u64,
    chunk: Vec<u8>,
    offset: usize,
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
            self.frames = None;
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
        let Some(frames) = &mut self.frames else { return Ok(false) };
        for frame in frames {
            let frame = frame?;
            if frame.key.kind == FrameType::Chunk {
                self.chunk.clear();
                self.offset = 0;
                frame.decode_into(&mut self.chunk).map_err(|error| corrupt(frame.key.seq, &error))?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn corrupt(seq: u64, error: &dyn std::fmt::Display) -> ReadError {
    ReadError::Corrupt(format!("at seq {seq}: {error}"))
}
