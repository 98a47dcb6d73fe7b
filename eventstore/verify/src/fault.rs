//! What is wrong with a log, and where.

use std::fmt;

use actum_log::ReadError;

use crate::defect::Defect;

/// What a fault means for whoever holds the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// Bytes do not decode: damage, or not a log at all.
    Corrupt,
    /// Bytes decode but contradict a hash, a signature, a seal, a link or the head.
    Tampered,
    /// The log could not be read now; says nothing about the log.
    Unavailable,
    /// There is no log where one was asked for.
    NotFound,
    /// What the reviewer gave is not enough to judge it; says nothing about the log.
    Unproven,
}

impl FaultKind {
    /// The word for it, stable for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            FaultKind::Corrupt => "corrupt",
            FaultKind::Tampered => "tampered",
            FaultKind::Unavailable => "unavailable",
            FaultKind::NotFound => "not found",
            FaultKind::Unproven => "unproven",
        }
    }
}

/// Which part of a log a place means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The log or archive as a whole.
    Log,
    /// The genesis.
    Genesis,
    /// A chunk frame: events from `seq` up to before `seq_end`.
    Chunk,
    /// One event, at `seq`.
    Event,
    /// A block's frame, body, or the block as a whole.
    Block,
    /// A block's seal.
    Seal,
    /// The head that a store keeps apart from its frames.
    Head,
    /// The end frame of an archive.
    End,
    /// A proof file as a whole.
    Proof,
    /// The seal that the reviewer kept.
    Since,
}

/// Where a fault lies, as exactly as can be told.
///
/// Positions are those that the verifier expects from what came before, never those that the faulty bytes claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which part of the log.
    pub part: Part,
    /// Partition; `None` where the log as a whole is meant, or when it cannot be told.
    pub partition: Option<u16>,
    /// Block number in the partition.
    pub block: Option<u64>,
    /// The event's seq, or the first of a run of events.
    pub seq: Option<u64>,
    /// One past the last seq of a run of events, where it is known.
    pub seq_end: Option<u64>,
    /// Bytes from the start of the archive to the frame; `None` for sources that are not archives.
    pub offset: Option<u64>,
}

impl Place {
    pub(crate) fn of(part: Part) -> Self {
        Place { part, partition: None, block: None, seq: None, seq_end: None, offset: None }
    }

    pub(crate) fn block(part: Part, partition: u16, block: u64) -> Self {
        Place { partition: Some(partition), block: Some(block), ..Place::of(part) }
    }

    pub(crate) fn at(self, offset: Option<u64>) -> Self {
        Place { offset, ..self }
    }

    pub(crate) fn seq(self, seq: u64) -> Self {
        Place { seq: Some(seq), ..self }
    }

    pub(crate) fn fault(self, defect: Defect) -> Fault {
        Fault { place: self, defect, source: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Log => f.write_str("the log")?,
            Part::Genesis => f.write_str("the genesis")?,
            Part::End => f.write_str("the end frame")?,
            Part::Proof => f.write_str("the proof")?,
            Part::Head => f.write_str("the head")?,
            Part::Seal => f.write_str("the seal")?,
            Part::Since => f.write_str("the seal you kept")?,
            Part::Block => {}
            Part::Event => write_seq(f, "event ", self.seq)?,
            Part::Chunk => {
                write_seq(f, "the chunk of events ", self.seq)?;
                match self.seq_end {
                    Some(end) => write!(f, "..{end}")?,
                    None => f.write_str("..?")?,
                }
            }
        }
        if let Some(block) = self.block {
            let join = match self.part {
                Part::Block => "",
                Part::Chunk | Part::Event => " in ",
                _ => " of ",
            };
            write!(f, "{join}block {block}")?;
        }
        if let Some(partition) = self.partition {
            write!(f, " of partition {partition}")?;
        }
        match self.offset {
            Some(offset) => write!(f, " (byte {offset})"),
            None => Ok(()),
        }
    }
}

fn write_seq(f: &mut fmt::Formatter<'_>, before: &str, seq: Option<u64>) -> fmt::Result {
    match seq {
        Some(seq) => write!(f, "{before}{seq}"),
        None => write!(f, "{before}?"),
    }
}

/// The first thing that is wrong with a log. Its `Display` is one sentence without a full stop.
#[derive(Debug)]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What.
    pub defect: Defect,
    pub(crate) source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Fault {
    /// What the fault means for whoever holds the log.
    pub fn kind(&self) -> FaultKind {
        self.defect.kind()
    }

    /// What a source said instead of giving frames.
    pub(crate) fn from_read(place: Place, error: ReadError) -> Self {
        let defect = match &error {
            ReadError::NotFound(_) => Defect::SourceMissing,
            ReadError::Corrupt(_) => Defect::SourceCorrupt,
            ReadError::Tampered(_) => Defect::SourceTampered,
            _ => Defect::SourceUnavailable,
        };
        Fault { place, defect, source: Some(Box::new(error)) }
    }

    pub(crate) fn from_io(place: Place, error: std::io::Error) -> Self {
        Fault { place, defect: Defect::SourceUnavailable, source: Some(Box::new(error)) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind().as_str(), self.place, self.defect)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}
