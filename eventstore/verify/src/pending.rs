//! Event hashes of which no stream root had need so far.
//!
//! Most streams never state a root, and one that does states it at its end. So event hashes wait here, and are made into tree nodes
//! when a root is stated, or when there are too many of them.

use crate::hash::Hash;
use crate::tree::{self, Subtree};

/// The event hashes of a partition's newest blocks, of all streams, in order of seq.
#[derive(Debug)]
pub(crate) struct Pending {
    /// Seq of the first.
    from: u64,
    events: Vec<Hash>,
    /// For each: the seq of its stream's event before it.
    previous: Vec<u64>,
    /// Events that are kept at most, but for one block's.
    most: usize,
}

impl Pending {
    /// Keeps at most `bytes`, but for one block's.
    pub(crate) fn new(bytes: usize) -> Self {
        let most = bytes / (size_of::<Hash>() + size_of::<u64>());
        Pending { from: 0, events: Vec::new(), previous: Vec::new(), most }
    }

    /// Takes a block's events; says whether there are now so many that they have to go into the streams' subtrees.
    ///
    /// Blocks come in order, none left out.
    pub(crate) fn add(&mut self, first_seq: u64, events: &[Hash], previous: &[u64]) -> bool {
        if self.events.is_empty() {
            self.from = first_seq;
        }
        append(&mut self.events, events, self.most);
        append(&mut self.previous, previous, self.most);
        self.events.len() >= self.most
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.previous.clear();
    }

    /// Appends what is here of a stream's first `version` events, the last of which has the seq `last`, to the subtrees over those before.
    pub(crate) fn append_to(&self, subtrees: &mut Vec<Subtree>, last: u64, version: u64) {
        let row_of = |seq: &u64| seq.checked_sub(self.from).filter(|row| *row < self.events.len() as u64);
        let back = |seq: &u64| self.previous.get(row_of(seq)? as usize).copied();
        let mut rows: Vec<usize> =
            std::iter::successors(Some(last), back).map_while(|seq| row_of(&seq)).map(|row| row as usize).collect();
        rows.reverse();
        let first = version.saturating_sub(rows.len() as u64);
        for (index, row) in (first..).zip(rows) {
            let leaf = Subtree { level: 0, hash: tree::leaf_hash(&self.events[row]) };
            tree::append(subtrees, 0, index, leaf);
        }
    }
}

/// Appends, with room that doubles up to `most` elements and not beyond what is needed.
fn append<T: Copy>(to: &mut Vec<T>, from: &[T], most: usize) {
    let needed = to.len() + from.len();
    if needed > to.capacity() {
        to.reserve_exact((2 * to.capacity()).min(most).max(needed) - to.len());
    }
    to.extend_from_slice(from);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_ends_where_it_is_no_longer_needed() {
        let mut pending = Pending::new(40 * 1_000);
        for block in 0.. {
            if pending.add(300 * block, &[[0; 32]; 300], &[0; 300]) {
                break;
            }
        }
        assert_eq!((pending.events.len(), pending.previous.len()), (1_200, 1_200));
        assert_eq!((pending.events.capacity(), pending.previous.capacity()), (1_200, 1_200));
    }

    #[test]
    fn only_the_stream_and_only_what_waits_is_appended() {
        let mut pending = Pending::new(1 << 20);
        // Seqs 10 to 15; those of the stream are 11, 13 and 14, after three that are not here.
        let events: [Hash; 6] = std::array::from_fn(|row| [row as u8; 32]);
        pending.add(10, &events[..2], &[9, 8]);
        pending.add(12, &events[2..], &[10, 11, 13, 12]);
        let mut before = Vec::new();
        let leaf = |row: usize| Subtree { level: 0, hash: tree::leaf_hash(&events[row]) };
        (0..3).for_each(|index| tree::append(&mut before, 0, index, leaf(0)));
        let mut expected = before.clone();
        (3..).zip([1, 3, 4]).for_each(|(index, row)| tree::append(&mut expected, 0, index, leaf(row)));
        let mut subtrees = before.clone();
        pending.append_to(&mut subtrees, 14, 6);
        assert_eq!(tree::root(&subtrees), tree::root(&expected));
        pending.clear();
        pending.append_to(&mut before, 14, 3);
        assert_eq!(before.len(), 2);
    }
}
