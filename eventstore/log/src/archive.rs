//! Carries a log as one portable file (FORMAT.md section 7).

use std::io::{self, Read, Write};

use crate::frame::{Compressor, FRAME_HEADER_BYTES, Frame, FrameError, FrameHeader, FrameKey, FrameType};
use crate::genesis::{Genesis, GenesisError};
use crate::limits::TAIL_PROOF_BYTES_MAX;
use crate::proof::ProofError;
use crate::store::{FrameSource, ReadError};
use crate::tally::Tally;

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
    /// The proof that a tail begins with could not be made.
    #[error("the proof that a tail begins with could not be made")]
    Proof(#[from] ProofError),
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
            ArchiveError::Source(error) | ArchiveError::Proof(ProofError::Read(error)) => error,
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
    /// Number of blocks in the archive.
    pub blocks: u64,
    /// Tree size; 0 when the archive has no block of it.
    pub size: u64,
    /// Seq of its first record in the archive: above 0 in a tail.
    pub first_seq: u64,
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
/// Checks frames as far as their checksums and order; whether they prove anything is for `fold` or `actum-verify` to say. A log that
/// is itself a tail cannot be written so.
pub fn write_archive(source: &dyn FrameSource, output: impl Write) -> Result<ArchiveSummary, ArchiveError> {
    let mut writer = ArchiveWriter::begin(source, output)?;
    for partition in 0..writer.partitions() {
        writer.put_frames(source, FrameKey::first(partition))?;
    }
    writer.end()
}

/// Writes an archive frame by frame.
pub(crate) struct ArchiveWriter<W> {
    output: W,
    compressor: Compressor,
    tally: Tally,
    offset: u64,
}

impl<W: Write> ArchiveWriter<W> {
    pub(crate) fn begin(source: &dyn FrameSource, mut output: W) -> Result<Self, ArchiveError> {
        let text = source.genesis()?;
        let tally = Tally::new(&Genesis::parse(&text)?);
        output.write_all(MAGIC)?;
        let mut writer = Self { output, compressor: Compressor::default(), tally, offset: MAGIC.len() as u64 };
        writer.put_own(GENESIS_KEY, &text)?;
        Ok(writer)
    }

    pub(crate) fn partitions(&self) -> u16 {
        self.tally.partitions.len() as u16
    }

    /// Puts a partition's proof; those of a tail come before all blocks.
    pub(crate) fn put_proof(&mut self, partition: u16, proof: &str) -> Result<(), ArchiveError> {
        if proof.len() > TAIL_PROOF_BYTES_MAX {
            return Err(ProofError::TooLarge(TAIL_PROOF_BYTES_MAX).into());
        }
        let key = FrameKey { partition, seq: 0, kind: FrameType::Proof };
        self.count(key)?;
        self.put_own(key, proof.as_bytes())
    }

    /// Puts all frames of a partition from a key on.
    pub(crate) fn put_frames(&mut self, source: &dyn FrameSource, from: FrameKey) -> Result<(), ArchiveError> {
        for frame in source.frames(from)? {
            let frame = frame?;
            frame.header().map_err(|source| ArchiveError::Frame { offset: self.offset, source })?;
            if frame.key.partition != from.partition {
                break;
            }
            self.count(frame.key)?;
            self.put(&frame)?;
        }
        Ok(())
    }

    pub(crate) fn end(mut self) -> Result<ArchiveSummary, ArchiveError> {
        let offset = self.offset;
        let body = self.tally.end_body().map_err(|what| ArchiveError::Contradiction { offset, what })?;
        self.put_own(END_KEY, &body)?;
        self.output.flush()?;
        Ok(self.tally.summary(self.offset))
    }

    fn count(&mut self, key: FrameKey) -> Result<(), ArchiveError> {
        let offset = self.offset;
        self.tally.take(key).map_err(|what| ArchiveError::Contradiction { offset, what })
    }

    fn put_own(&mut self, key: FrameKey, body: &[u8]) -> Result<(), ArchiveError> {
        let frame = Frame::encode(key, 0, body, &mut self.compressor);
        self.put(&frame)
    }

    fn put(&mut self, frame: &Frame) -> Result<(), ArchiveError> {
        self.output.write_all(&frame.bytes)?;
        self.offset += frame.bytes.len() as u64;
        Ok(())
    }
}

/// A frame and where it begins in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFrame {
    /// Offset of its first byte.
    pub offset: u64,
    /// The frame. Its checksum fits.
    pub frame: Frame,
}

/// Reads the proof (of a tail), chunk and block frames of an archive in order, from anything that can be read once. Holds one frame in memory.
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
