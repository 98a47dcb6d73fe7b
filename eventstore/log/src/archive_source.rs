//! Reads an archive like a store: any partition, from any seq that it has.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::archive::{ArchiveReader, ArchiveSummary};
use crate::frame::{Frame, FrameKey, FrameType};
use crate::store::{FrameSource, Frames, Head, ReadError};

/// An archive with an index of its frames: 32 bytes in memory for each, that is for about 16 KiB of events.
#[derive(Debug)]
pub struct ArchiveSource<R> {
    input: Mutex<R>,
    genesis: Vec<u8>,
    // Sorted by key.
    index: Vec<Place>,
    // The proofs of a tail, by partition ascending.
    proofs: Vec<Place>,
    summary: ArchiveSummary,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    key: FrameKey,
    offset: u64,
    length: usize,
}

impl ArchiveSource<std::fs::File> {
    /// Opens an archive file and reads it through once: it must be complete, and all checksums must fit.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let file = std::fs::File::open(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ReadError::NotFound(path.display().to_string()),
            _ => ReadError::Io(error),
        })?;
        Self::new(file)
    }
}

impl ArchiveSource<Cursor<Vec<u8>>> {
    /// An archive in memory.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, ReadError> {
        Self::new(Cursor::new(bytes))
    }
}

impl<R: Read + Seek + Send> ArchiveSource<R> {
    /// Reads an archive through once, from where `input` stands to its end; that must be the archive's begin.
    pub fn new(mut input: R) -> Result<Self, ReadError> {
        let base = input.stream_position()?;
        let mut reader = ArchiveReader::new(BufReader::with_capacity(1 << 18, &mut input))?;
        let (mut index, mut proofs) = (Vec::new(), Vec::new());
        for frame in &mut reader {
            let frame = frame?;
            let length = frame.frame.bytes.len();
            let key = frame.frame.key;
            let places = if key.kind == FrameType::Proof { &mut proofs } else { &mut index };
            places.push(Place { key, offset: base + frame.offset, length });
        }
        let summary = reader.summary().ok_or_else(|| ReadError::Corrupt("the archive has no end".to_owned()))?;
        let genesis = reader.genesis_text().to_vec();
        index.sort_unstable_by_key(|place| place.key);
        Ok(Self { input: Mutex::new(input), genesis, index, proofs, summary })
    }

    /// What the archive holds.
    pub fn summary(&self) -> &ArchiveSummary {
        &self.summary
    }

    /// Whether it begins in some partition with a later block than the first, so that it can be read but not folded.
    pub fn is_tail(&self) -> bool {
        !self.proofs.is_empty()
    }

    /// The proof that a partition's tail begins with: a consistency proof from the seal before it to itself. `None` where the archive
    /// has the partition's first block, or none of it.
    pub fn tail_proof(&self, partition: u16) -> Result<Option<String>, ReadError> {
        let Some(place) = self.proofs.iter().find(|place| place.key.partition == partition) else { return Ok(None) };
        let (_, body) = self.read(*place)?.decode().map_err(|error| ReadError::Corrupt(error.to_string()))?;
        let text = String::from_utf8(body);
        text.map(Some).map_err(|_| ReadError::Corrupt("the proof of a tail is not text".to_owned()))
    }

    fn read(&self, place: Place) -> Result<Frame, ReadError> {
        let mut bytes = vec![0; place.length];
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        input.seek(SeekFrom::Start(place.offset))?;
        input.read_exact(&mut bytes)?;
        drop(input);
        // The file may have changed since the index was made.
        let frame = Frame::from_bytes(bytes).map_err(|error| ReadError::Corrupt(error.to_string()))?;
        if frame.key != place.key {
            return Err(ReadError::Corrupt("the archive changed while it was read".to_owned()));
        }
        Ok(frame)
    }
}

impl<R: Read + Seek + Send> FrameSource for ArchiveSource<R> {
    fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        Ok(self.genesis.clone())
    }

    fn head(&self, _: u16) -> Result<Option<Head>, ReadError> {
        Ok(None)
    }

    fn frames(&self, from: FrameKey) -> Result<Frames<'_>, ReadError> {
        let start = self.index.partition_point(|place| place.key < from);
        let places = self.index[start..].iter().take_while(move |place| place.key.partition == from.partition);
        let mut failed = false;
        Ok(Box::new(places.map_while(move |place| {
            if failed {
                return None;
            }
            let frame = self.read(*place);
            failed = frame.is_err();
            Some(frame)
        })))
    }

    fn frame_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, ReadError> {
        let end = self.index.partition_point(|place| place.key <= at);
        let place = self.index[..end].last().filter(|place| place.key.partition == at.partition);
        place.map(|place| self.read(*place)).transpose()
    }
}
