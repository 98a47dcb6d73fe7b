//! Frames out of a keyspace: what the live store and a scratch copy share.

use std::path::PathBuf;

use actum_log::{Frame, FrameHeader, FrameKey, FrameType, ReadError};
use fjall::{Guard, Keyspace};

use crate::error::OpenError;
use crate::quiet::guarded;

/// Keyspace key: partition, seq (both big-endian), frame type.
pub(crate) type StoredKey = [u8; 11];

pub(crate) fn stored_key(key: FrameKey) -> StoredKey {
    let mut bytes = [0; 11];
    bytes[..2].copy_from_slice(&key.partition.to_be_bytes());
    bytes[2..10].copy_from_slice(&key.seq.to_be_bytes());
    bytes[10] = key.kind as u8;
    bytes
}

/// The first and the last key that a partition can have.
pub(crate) fn bounds(partition: u16) -> (StoredKey, StoredKey) {
    (stored_key(FrameKey::first(partition)), stored_key(FrameKey::last(partition)))
}

pub(crate) fn frame_key(bytes: &[u8]) -> Result<FrameKey, OpenError> {
    let fail = || OpenError::corrupt(format!("a key of the store is not a frame's: {}", hex(bytes)));
    let (partition, rest) = bytes.split_first_chunk::<2>().ok_or_else(fail)?;
    let (seq, kind) = rest.split_first_chunk::<8>().ok_or_else(fail)?;
    let kind = match kind {
        [2] => FrameType::Chunk,
        [3] => FrameType::Block,
        _ => return Err(fail()),
    };
    Ok(FrameKey { partition: u16::from_be_bytes(*partition), seq: u64::from_be_bytes(*seq), kind })
}

/// A frame's place, in words.
pub(crate) fn place(key: FrameKey) -> String {
    let kind = match key.kind {
        FrameType::Chunk => "chunk",
        FrameType::Block => "block",
        _ => "frame",
    };
    format!("the {kind} at seq {} of partition {}", key.seq, key.partition)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads frames of one keyspace.
#[derive(Clone)]
pub(crate) struct Frames {
    pub(crate) log: Keyspace,
    /// What errors call it.
    pub(crate) path: PathBuf,
}

impl Frames {
    fn engine<T>(&self, f: impl FnOnce() -> fjall::Result<T>) -> Result<T, OpenError> {
        guarded(f)?.map_err(|error| OpenError::engine(&self.path, error))
    }

    fn frame(&self, guard: Guard) -> Result<Frame, OpenError> {
        let (key, value) = self.engine(|| guard.into_inner())?;
        let key = frame_key(&key)?;
        match value.first_chunk().map(FrameHeader::decode) {
            Some(Ok(header)) if header.key == key => Ok(Frame { key, bytes: value.to_vec() }),
            Some(Ok(_)) => Err(OpenError::Tampered(format!("another frame is stored as {}", place(key)))),
            Some(Err(error)) => Err(OpenError::corrupt(format!("{}: {error}", place(key)))),
            None => Err(OpenError::corrupt(format!("{} is shorter than a header", place(key)))),
        }
    }

    pub(crate) fn last_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, OpenError> {
        let range = bounds(at.partition).0..=stored_key(at);
        let guard = guarded(|| self.log.range(range).next_back())?;
        guard.map(|guard| self.frame(guard)).transpose()
    }

    pub(crate) fn get(&self, key: FrameKey) -> Result<Option<Frame>, OpenError> {
        Ok(self.last_at_or_before(key)?.filter(|frame| frame.key == key))
    }

    /// Frames from `from` on to the end of its partition, as of now. Ends after the first error.
    pub(crate) fn from(&self, from: FrameKey) -> Result<FrameIter<'_>, OpenError> {
        let range = stored_key(from)..=bounds(from.partition).1;
        let iter = guarded(|| self.log.range(range))?;
        Ok(FrameIter { frames: self, iter: Some(iter) })
    }

    /// Keys of a partition, the newest first, with the sizes of their frames. Ends after the first error.
    pub(crate) fn backwards(&self, partition: u16) -> Result<KeyIter<'_>, OpenError> {
        let (first, last) = bounds(partition);
        let iters = guarded(|| (self.log.range(first..=last), self.log.range(first..=last)))?;
        Ok(KeyIter { frames: self, iters: Some(iters) })
    }
}

/// See [`Frames::from`].
pub(crate) struct FrameIter<'a> {
    frames: &'a Frames,
    iter: Option<fjall::Iter>,
}

impl Iterator for FrameIter<'_> {
    type Item = Result<Frame, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut iter = self.iter.take()?;
        let frame = match guarded(|| iter.next()) {
            Ok(None) => return None,
            Ok(Some(guard)) => self.frames.frame(guard),
            Err(error) => Err(error),
        };
        if frame.is_ok() {
            self.iter = Some(iter);
        }
        Some(frame.map_err(ReadError::from))
    }
}

/// See [`Frames::backwards`]. fjall gives a key or a size without loading the value, not both, hence two iterators.
pub(crate) struct KeyIter<'a> {
    frames: &'a Frames,
    iters: Option<(fjall::Iter, fjall::Iter)>,
}

impl KeyIter<'_> {
    fn step(&self, keys: &mut fjall::Iter, sizes: &mut fjall::Iter) -> Result<Option<(FrameKey, u64)>, OpenError> {
        let step = self.frames.engine(|| match (keys.next_back(), sizes.next_back()) {
            (Some(key), Some(size)) => Ok(Some((key.key()?, size.size()?))),
            _ => Ok(None),
        })?;
        step.map(|(key, size)| Ok((frame_key(&key)?, u64::from(size)))).transpose()
    }
}

impl Iterator for KeyIter<'_> {
    type Item = Result<(FrameKey, u64), OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut keys, mut sizes) = self.iters.take()?;
        let step = self.step(&mut keys, &mut sizes);
        if matches!(step, Ok(Some(_))) {
            self.iters = Some((keys, sizes));
        }
        step.transpose()
    }
}
