//! Carries a log as one portable file (FORMAT.md section 7).

use std::io::{self, Read, Write};

use crate::frame::{Compressor, FRAME_HEADER_BYTES, Frame, FrameError, FrameHeader, FrameKey, FrameType};
use crate::genesis::{Genesis, GenesisError};
use crate::store::{FrameSource, ReadError};

const MAGIC: &[u8; 16] = b"ACTUM ARCHIVE 1\n";
const GENESIS_KEY: FrameKey = FrameKey { partition: 0, seq: 0, kind: FrameType::Genesis };
const END_KEY: FrameKey = FrameKey { partition: 0, seq: 0, kind: FrameType::End };

/// Why an archive was not written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The log that was to be archived could not be read.
    #[error("the log could not be read")]
    Source(#[from] ReadError),
    /// The device failed.
    #[error("the archive could not be read or written")]
    Io(#[from] io::Error),
    /// Not an archive of format 1 at all.
    #[error("not an Actum archive of format 1")]
    NotAnArchive,
    /// The archive ends before its end frame is complete: an interrupted copy, or something was cut off.
    #[error(
        "the archive is cut off: it ends at byte {offset}, within or after the frame that begins at byte {frame_offset}"
    )]
    Truncated {
        /// Bytes that are there.
        offset: u64,
        /// Where the frame begins that is incomplete or missing.
        frame_offset: u64,
    },
    /// A frame does not decode.
    #[error("the frame at byte {offset} is corrupt")]
    Frame {
        /// Where it begins.
        offset: u64,
        /// Why.
        #[source]
        source: FrameError,
    },
    /// The genesis does not decode.
    #[error("the archive's genesis is corrupt")]
    Genesis(#[from] GenesisError),
    /// Something follows the end frame.
    #[error("something follows the archive's end at byte {offset}")]
    Trailing {
        /// Where the archive should have ended.
        offset: u64,
    },
    /// Frames are out of order, or the end frame contradicts them.
    #[error("the frame at byte {offset} contradicts the archive: {what}")]
    Contradiction {
        /// Where the frame begins.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
}

impl From<ArchiveError> for ReadError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Source(error) => error,
            ArchiveError::Io(error) => Self::Io(error),
            ArchiveError::Contradiction { .. } => Self::Tampered(error.to_string()),
            ArchiveError::Frame { source, .. } => Self::Corrupt(format!("{error}: {source}")),
            ArchiveError::Genesis(ref source) => Self::Corrupt(format!("{error}: {source}")),
            _ => Self::Corrupt(error.to_string()),
        }
    }
}

/// What an archive holds of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartitionSummary {
    /// Number of blocks.
    pub blocks: u64,
    /// Tree size.
    pub size: u64,
}

/// What an archive holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveSummary {
    /// By partition.
    pub partitions: Vec<PartitionSummary>,
    /// Frames before the end frame.
    pub frames: u64,
    /// Bytes of the archive.
    pub bytes: u64,
}

/// Writes a whole log as an archive, partition by partition. Flushes; syncing is the caller's.
///
/// Checks frames as far as their checksums and order; whether they prove anything is for `fold` or `actum-verify` to say.
pub fn write_archive(source: &dyn FrameSource, mut output: impl Write) -> Result<ArchiveSummary, ArchiveError> {
    let mut compressor = Compressor::default();
    let text = source.genesis()?;
    let mut tally = Tally::new(&Genesis::parse(&text)?);
    output.write_all(MAGIC)?;
    let mut bytes = MAGIC.len() as u64;
    let mut write = |frame: &Frame| {
        bytes += frame.bytes.len() as u64;
        output.write_all(&frame.bytes).map(|()| bytes)
    };
    let mut offset = write(&Frame::encode(GENESIS_KEY, 0, &text, &mut compressor))?;
    for partition in 0..tally.partitions.len() as u16 {
        for frame in source.frames(FrameKey::first(partition))? {
            let frame = frame?;
            frame.header().map_err(|source| ArchiveError::Frame { offset, source })?;
            if frame.key.partition != partition {
                break;
            }
            tally.take(frame.key).map_err(|what| ArchiveError::Contradiction { offset, what })?;
            offset = write(&frame)?;
        }
    }
    let body = tally.end_body().map_err(|what| ArchiveError::Contradiction { offset, what })?;
    let bytes = write(&Frame::encode(END_KEY, 0, &body, &mut compressor))?;
    output.flush()?;
    Ok(tally.summary(bytes))
}

/// A frame and where it begins in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFrame {
    /// Offset of its first byte.
    pub offset: u64,
    /// The frame. Its checksum fits.
    pub frame: Frame,
}

/// Reads the chunk and block frames of an archive in order, from anything that can be read once. Holds one frame in memory.
///
/// The iterator ends after the first error. Only when it ended and [`ArchiveReader::summary`] is there was the archive complete.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    input: R,
    offset: u64,
    genesis_text: Vec<u8>,
    genesis: Genesis,
    tally: Tally,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Complete,
    Failed,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads the archive's beginning and its genesis. Give it a buffered reader.
    pub fn new(mut input: R) -> Result<Self, ArchiveError> {
        let mut magic = Vec::new();
        read_up_to(&mut input, MAGIC.len(), &mut magic)?;
        if magic != MAGIC {
            return Err(ArchiveError::NotAnArchive);
        }
        let mut offset = MAGIC.len() as u64;
        let frame = read_frame(&mut input, &mut offset)?;
        let (_, genesis_text) =
            frame.decode().map_err(|source| ArchiveError::Frame { offset: MAGIC.len() as u64, source })?;
        if frame.key != GENESIS_KEY {
            return Err(ArchiveError::Contradiction { offset: MAGIC.len() as u64, what: "it is not the genesis" });
        }
        let genesis = Genesis::parse(&genesis_text)?;
        let tally = Tally::new(&genesis);
        Ok(Self { input, offset, genesis_text, genesis, tally, state: State::Reading })
    }

    /// The genesis text.
    pub fn genesis_text(&self) -> &[u8] {
        &self.genesis_text
    }

    /// The genesis.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// What the archive holds; `None` until its end was read and fits.
    pub fn summary(&self) -> Option<ArchiveSummary> {
        (self.state == State::Complete).then(|| self.tally.clone().summary(self.offset))
    }

    fn advance(&mut self) -> Result<Option<ArchiveFrame>, ArchiveError> {
        let start = self.offset;
        let frame = read_frame(&mut self.input, &mut self.offset)?;
        let contradiction = |what| ArchiveError::Contradiction { offset: start, what };
        if frame.key.kind == FrameType::End {
            let (_, body) = frame.decode().map_err(|source| ArchiveError::Frame { offset: start, source })?;
            if body != self.tally.end_body().map_err(contradiction)? {
                return Err(contradiction("the end frame does not fit what came before"));
            }
            self.refuse_trailing()?;
            return Ok(None);
        }
        self.tally.take(frame.key).map_err(contradiction)?;
        Ok(Some(ArchiveFrame { offset: start, frame }))
    }

    fn refuse_trailing(&mut self) -> Result<(), ArchiveError> {
        let mut more = Vec::new();
        match read_up_to(&mut self.input, 1, &mut more)? {
            0 => Ok(()),
            _ => Err(ArchiveError::Trailing { offset: self.offset }),
        }
    }
}

impl<R: Read> Iterator for ArchiveReader<R> {
    type Item = Result<ArchiveFrame, ArchiveError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state != State::Reading {
            return None;
        }
        let next = self.advance();
        self.state = match &next {
            Ok(Some(_)) => State::Reading,
            Ok(None) => State::Complete,
            Err(_) => State::Failed,
        };
        next.transpose()
    }
}

/// Reads one frame and checks header and checksum. Memory grows with what is there, not with what the header claims.
fn read_frame(input: &mut impl Read, offset: &mut u64) -> Result<Frame, ArchiveError> {
    let start = *offset;
    let frame_error = |source| ArchiveError::Frame { offset: start, source };
    let mut bytes = Vec::new();
    let mut fill = |count, bytes: &mut Vec<u8>| {
        let read = read_up_to(input, count, bytes)?;
        *offset += read as u64;
        if read < count {
            return Err(ArchiveError::Truncated { offset: *offset, frame_offset: start });
        }
        Ok(())
    };
    fill(FRAME_HEADER_BYTES, &mut bytes)?;
    let head = bytes.first_chunk().ok_or(frame_error(FrameError::Truncated))?;
    let header = FrameHeader::decode(head).map_err(frame_error)?;
    fill(header.stored_length as usize, &mut bytes)?;
    Frame::from_bytes(bytes).map_err(frame_error)
}

fn read_up_to(input: &mut impl Read, count: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
    input.by_ref().take(count as u64).read_to_end(bytes)
}

/// Counts frames and checks their order, for writer and reader alike.
#[derive(Debug, Clone)]
struct Tally {
    partitions: Vec<PartitionSummary>,
    // The last key of each partition.
    last: Vec<Option<FrameKey>>,
    // The partition whose block has chunks but no block frame yet.
    open: Option<u16>,
    frames: u64,
}

impl Tally {
    fn new(genesis: &Genesis) -> Self {
        let count = usize::from(genesis.partitions());
        Self { partitions: vec![PartitionSummary::default(); count], last: vec![None; count], open: None, frames: 1 }
    }

    fn take(&mut self, key: FrameKey) -> Result<(), &'static str> {
        let place = usize::from(key.partition);
        let (Some(summary), Some(last)) = (self.partitions.get_mut(place), self.last.get_mut(place)) else {
            return Err("the log has no such partition");
        };
        if self.open.is_some_and(|open| open != key.partition) {
            return Err("the block before it has no block frame");
        }
        if last.is_some_and(|last| key <= last) {
            return Err("it is out of order");
        }
        match key.kind {
            FrameType::Chunk => self.open = Some(key.partition),
            FrameType::Block if self.open.is_none() => return Err("it is a block without records"),
            FrameType::Block => {
                summary.blocks += 1;
                summary.size = key.seq.saturating_add(1);
                self.open = None;
            }
            FrameType::Genesis | FrameType::End => return Err("a genesis or end frame must not lie here"),
        }
        *last = Some(key);
        self.frames += 1;
        Ok(())
    }

    fn end_body(&self) -> Result<Vec<u8>, &'static str> {
        if self.open.is_some() {
            return Err("the last block has no block frame");
        }
        let mut body = Vec::with_capacity(self.partitions.len() * 24 + 8);
        for (partition, summary) in (0_u64..).zip(&self.partitions) {
            // Partition in two bytes, then six zeros.
            body.extend_from_slice(&partition.to_le_bytes());
            body.extend_from_slice(&summary.blocks.to_le_bytes());
            body.extend_from_slice(&summary.size.to_le_bytes());
        }
        body.extend_from_slice(&self.frames.to_le_bytes());
        Ok(body)
    }

    fn summary(self, bytes: u64) -> ArchiveSummary {
        ArchiveSummary { partitions: self.partitions, frames: self.frames, bytes }
    }
}
