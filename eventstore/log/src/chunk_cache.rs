//! Keeps decoded chunks in bounded memory: the least recently used go first.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chunk::Chunk;

type Place = (u16, u64);

/// Decoded chunks by partition and first seq. Committed chunks never change, so nothing here is ever stale.
#[derive(Debug)]
pub(crate) struct ChunkCache {
    bytes_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    chunks: BTreeMap<Place, Slot>,
    // Least recently used first. Invariant: holds each place of `chunks` once, under its slot's `used`.
    order: BTreeMap<u64, Place>,
    clock: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    chunk: Arc<Chunk>,
    used: u64,
}

impl ChunkCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, state: Mutex::default() }
    }

    /// The chunk that holds an event, if it is here.
    pub(crate) fn get(&self, partition: u16, seq: u64) -> Option<Arc<Chunk>> {
        let mut state = self.lock();
        let State { chunks, order, clock, .. } = &mut *state;
        let (place, slot) = chunks.range_mut((partition, 0)..=(partition, seq)).next_back()?;
        if !slot.chunk.contains(seq) {
            return None;
        }
        *clock += 1;
        order.remove(&slot.used);
        order.insert(*clock, *place);
        slot.used = *clock;
        Some(slot.chunk.clone())
    }

    /// Takes a chunk in, and drops others until all fit. One that would not fit alone is not taken.
    pub(crate) fn put(&self, partition: u16, chunk: Arc<Chunk>) {
        if chunk.weight() > self.bytes_max {
            return;
        }
        let mut state = self.lock();
        let place = (partition, chunk.first_seq());
        state.remove(place);
        state.clock += 1;
        let used = state.clock;
        state.bytes += chunk.weight();
        state.order.insert(used, place);
        state.chunks.insert(place, Slot { chunk, used });
        while state.bytes > self.bytes_max {
            let Some(oldest) = state.order.first_key_value().map(|(_, place)| *place) else { break };
            state.remove(oldest);
        }
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.lock().bytes
    }

    // Every change is whole before anything in it could panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, place: Place) {
        if let Some(slot) = self.chunks.remove(&place) {
            self.order.remove(&slot.used);
            self.bytes -= slot.chunk.weight();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Compressor, Frame, FrameKey, FrameType};
    use crate::record::Header;

    /// A chunk of one record.
    fn chunk(seq: u64) -> Arc<Chunk> {
        let header = Header {
            length: 64,
            kind: 256,
            schema: 1,
            terminal: false,
            encrypted: false,
            extension_length: 0,
            actor: 0,
            seq,
            stream: 1,
            time: 0,
            previous: None,
            cause: None,
            version: 1,
        };
        let key = FrameKey { partition: 0, seq, kind: FrameType::Chunk };
        let frame = Frame::encode(key, 1, &header.encode(), &mut Compressor::default());
        Arc::new(Chunk::decode(&frame).expect("a chunk"))
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let one = chunk(0).weight();
        let cache = ChunkCache::new(3 * one);
        (0..3).for_each(|seq| cache.put(0, chunk(seq)));
        assert!(cache.get(0, 0).is_some());
        cache.put(0, chunk(3));
        let held: Vec<bool> = (0..4).map(|seq| cache.get(0, seq).is_some()).collect();
        assert_eq!((held, cache.bytes()), (vec![true, false, true, true], 3 * one));
        assert!(cache.get(1, 0).is_none(), "another partition's");
    }

    #[test]
    fn the_limit_holds_whatever_comes() {
        let one = chunk(0).weight();
        for limit in [0, 1, one - 1, one, 2 * one + 1] {
            let cache = ChunkCache::new(limit);
            for seq in (0..50).chain(0..50) {
                cache.put(0, chunk(seq % 20));
                cache.get(0, seq % 7);
                assert!(cache.bytes() <= limit);
            }
            let state = cache.lock();
            assert_eq!(state.order.len(), state.chunks.len());
            assert_eq!(state.bytes, state.chunks.len() * one);
        }
    }
}
