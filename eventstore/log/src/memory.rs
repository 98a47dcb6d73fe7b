//! Keeps a log in memory, for tests and simulations. Survives neither process death nor power loss.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::frame::{Frame, FrameKey};
use crate::hash::{Hash, genesis_hash};
use crate::store::{CommitError, EventStore, FrameSource, Frames, Head, ReadError, SealedBlock};

/// A log in memory. Clones share it, so that a test can drop one and "open" the log again by another.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    state: Arc<RwLock<Log>>,
}

#[derive(Debug)]
struct Log {
    genesis: Vec<u8>,
    frames: BTreeMap<FrameKey, Vec<u8>>,
    heads: BTreeMap<u16, Head>,
}

impl MemoryStore {
    /// An empty log with this genesis text.
    pub fn new(genesis: impl Into<Vec<u8>>) -> Self {
        let log = Log { genesis: genesis.into(), frames: BTreeMap::new(), heads: BTreeMap::new() };
        Self { state: Arc::new(RwLock::new(log)) }
    }

    /// Changes the stored bytes of a frame; true when there is one. For tests of what readers notice.
    pub fn tamper(&self, key: FrameKey, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        self.write().frames.get_mut(&key).map(change).is_some()
    }

    /// Drops a frame and gives it. For tests of what readers notice.
    pub fn remove(&self, key: FrameKey) -> Option<Frame> {
        self.write().frames.remove(&key).map(|bytes| Frame { key, bytes })
    }

    /// Stores a frame under its key, whatever was there. For tests of what readers notice.
    pub fn insert(&self, frame: Frame) {
        self.write().frames.insert(frame.key, frame.bytes);
    }

    /// Replaces the acknowledged head. For tests of what readers notice.
    pub fn set_head(&self, partition: u16, head: Option<Head>) {
        let heads = &mut self.write().heads;
        match head {
            Some(head) => heads.insert(partition, head),
            None => heads.remove(&partition),
        };
    }

    fn read(&self) -> RwLockReadGuard<'_, Log> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Log> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventStore for MemoryStore {
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        let mut log = self.write();
        let genesis_hash = genesis_hash(&log.genesis);
        let mut newest: BTreeMap<u16, (u64, Hash)> =
            log.heads.iter().map(|(partition, head)| (*partition, (head.number + 1, head.hash))).collect();
        for SealedBlock { partition, number, previous_hash, hash, .. } in blocks {
            let newest = newest.entry(*partition).or_insert((0, genesis_hash));
            if *newest != (*number, *previous_hash) {
                return Err(CommitError::Conflict { partition: *partition, number: *number, expected: newest.0 });
            }
            *newest = (number + 1, *hash);
        }
        for block in blocks {
            for frame in block.chunks.iter().chain([&block.block]) {
                log.frames.insert(frame.key, frame.bytes.clone());
            }
            let head = Head { number: block.number, size: block.size, hash: block.hash, seal: block.seal.clone() };
            log.heads.insert(block.partition, head);
        }
        Ok(())
    }

    fn head(&self, partition: u16) -> Option<Head> {
        self.read().heads.get(&partition).cloned()
    }

    fn source(&self) -> Arc<dyn FrameSource> {
        Arc::new(self.clone())
    }
}

impl FrameSource for MemoryStore {
    fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        Ok(self.read().genesis.clone())
    }

    fn head(&self, partition: u16) -> Result<Option<Head>, ReadError> {
        Ok(self.read().heads.get(&partition).cloned())
    }

    fn frames(&self, from: FrameKey) -> Result<Frames<'_>, ReadError> {
        let last = FrameKey::last(from.partition);
        let mut from = Bound::Included(from);
        // Locks for one frame at a time, so that a slow reader does not hold up the writer.
        Ok(Box::new(std::iter::from_fn(move || {
            let log = self.read();
            let (key, bytes) = log.frames.range((from, Bound::Included(last))).next()?;
            from = Bound::Excluded(*key);
            Some(Ok(Frame { key: *key, bytes: bytes.clone() }))
        })))
    }

    fn frame_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, ReadError> {
        let log = self.read();
        let found = log.frames.range(FrameKey::first(at.partition)..=at).next_back();
        Ok(found.map(|(key, bytes)| Frame { key: *key, bytes: bytes.clone() }))
    }
}
