//! Checkpoints: what a log says of all its streams at once (FORMAT.md section 12).

use crate::bytes::{array, u64_at};
use crate::defect::Defect;
use crate::hash::Hash;
use crate::limits::{CHECKPOINT_EXTRA_BYTES_MAX, CHECKPOINT_FIXED_BYTES};
use crate::tree::{empty_root, leaf_hash, node_hash};

/// Bytes of a leaf of the table.
pub(crate) const LEAF_BYTES: usize = 49;

/// What a checkpoint record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) size: u64,
    pub(crate) streams: u64,
    pub(crate) root: Hash,
}

impl Checkpoint {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Defect> {
        let (fixed, extra) = payload
            .split_first_chunk::<CHECKPOINT_FIXED_BYTES>()
            .ok_or(Defect::Layout("a checkpoint's payload has at least 48 bytes"))?;
        if extra.len() > CHECKPOINT_EXTRA_BYTES_MAX {
            return Err(Defect::Layout("a checkpoint has at most 4,096 bytes of the application's"));
        }
        Ok(Checkpoint { size: u64_at(fixed, 0), streams: u64_at(fixed, 8), root: array(fixed, 16) })
    }
}

/// A leaf of the table: where one stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TableLeaf {
    pub(crate) stream: u64,
    pub(crate) version: u64,
    pub(crate) chain: Hash,
    pub(crate) ended: bool,
}

impl TableLeaf {
    pub(crate) fn hash(&self) -> Hash {
        let mut leaf = [0; LEAF_BYTES];
        leaf[..8].copy_from_slice(&self.stream.to_le_bytes());
        leaf[8..16].copy_from_slice(&self.version.to_le_bytes());
        leaf[16..48].copy_from_slice(&self.chain);
        leaf[48] = u8::from(self.ended);
        leaf_hash(&leaf)
    }
}

/// The table of all streams as of the newest checkpoint, with its tree, so that the next one costs only what changed.
///
/// Takes 72 bytes for each stream, and nothing before the first checkpoint. Streams whose ids are above all earlier ones
/// cost the height of the tree; one that lies between others costs as much as all above it.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Ascending.
    ids: Vec<u64>,
    /// The tree's layers, the leaves' hashes first. A last node without neighbour moves up as it is.
    layers: Vec<Vec<Hash>>,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Takes the streams that changed since the last checkpoint, each once; gives the root.
    pub(crate) fn update(&mut self, mut changed: Vec<TableLeaf>) -> Hash {
        changed.sort_unstable_by_key(|leaf| leaf.stream);
        let first_new = changed.iter().find(|leaf| self.ids.binary_search(&leaf.stream).is_err());
        // From here on positions shift.
        let shifts = first_new.map_or(self.ids.len(), |leaf| self.ids.partition_point(|id| *id < leaf.stream));
        if self.layers.is_empty() {
            self.layers.push(Vec::new());
        }
        let mut dirty = self.set_leaves(&changed, shifts);
        if self.ids.is_empty() {
            return empty_root();
        }
        let mut layer = 0;
        while self.layers[layer].len() > 1 {
            dirty.iter_mut().for_each(|at| *at /= 2);
            dirty.dedup();
            self.rebuild(layer + 1, &dirty, shifts >> (layer + 1));
            layer += 1;
        }
        self.layers.truncate(layer + 1);
        self.layers[layer][0]
    }

    /// Puts the leaves in; gives the positions, ascending, of those that changed below `shifts`. From there on all are new.
    fn set_leaves(&mut self, changed: &[TableLeaf], shifts: usize) -> Vec<usize> {
        let leaves = &mut self.layers[0];
        let tail: Vec<(u64, Hash)> = self.ids.drain(shifts..).zip(leaves.drain(shifts..)).collect();
        let bound = self.ids.last().copied();
        let split = bound.map_or(0, |last| changed.partition_point(|leaf| leaf.stream <= last));
        let mut dirty = Vec::with_capacity(split);
        for leaf in &changed[..split] {
            if let Ok(at) = self.ids.binary_search(&leaf.stream) {
                leaves[at] = leaf.hash();
                dirty.push(at);
            }
        }
        let mut tail = tail.into_iter().peekable();
        for leaf in &changed[split..] {
            while let Some((id, hash)) = tail.next_if(|(id, _)| *id < leaf.stream) {
                self.ids.push(id);
                leaves.push(hash);
            }
            // The same stream's earlier state.
            tail.next_if(|(id, _)| *id == leaf.stream);
            self.ids.push(leaf.stream);
            leaves.push(leaf.hash());
        }
        for (id, hash) in tail {
            self.ids.push(id);
            leaves.push(hash);
        }
        dirty
    }

    /// Makes a layer fit the one below it: the nodes at `dirty`, and all from `from` on.
    fn rebuild(&mut self, layer: usize, dirty: &[usize], from: usize) {
        if self.layers.len() == layer {
            self.layers.push(Vec::new());
        }
        let (below, above) = self.layers.split_at_mut(layer);
        let (below, above) = (&below[layer - 1], &mut above[0]);
        let parent = |at: usize| match below.get(2 * at + 1) {
            Some(right) => node_hash(&below[2 * at], right),
            None => below[2 * at],
        };
        above.truncate(from);
        for &at in dirty {
            if let Some(node) = above.get_mut(at) {
                *node = parent(at);
            }
        }
        (above.len()..below.len().div_ceil(2)).for_each(|at| above.push(parent(at)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::tree::{Subtree, append, root};

    fn leaf(stream: u64, version: u64) -> TableLeaf {
        TableLeaf { stream, version, chain: [version as u8; 32], ended: version.is_multiple_of(5) }
    }

    fn plain_root(table: &BTreeMap<u64, TableLeaf>) -> Hash {
        let mut subtrees = Vec::new();
        for (index, leaf) in table.values().enumerate() {
            append(&mut subtrees, 0, index as u64, Subtree { level: 0, hash: leaf.hash() });
        }
        root(&subtrees)
    }

    #[test]
    fn updates_give_the_root_of_the_whole_table() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        for spread in [3, 40, 1 << 40] {
            let (mut table, mut plain) = (Table::default(), BTreeMap::new());
            assert_eq!(table.update(Vec::new()), plain_root(&plain));
            for round in 1..200 {
                let mut changed = BTreeMap::new();
                for _ in 0..next(9) {
                    // Ascending ids, ids between others, and ids that are there.
                    let id = [round * 100 + next(50), next(spread), plain.keys().next().copied().unwrap_or(7)];
                    let id = id[next(3) as usize];
                    changed.insert(id, leaf(id, round));
                }
                plain.extend(changed.clone());
                assert_eq!(table.update(changed.into_values().collect()), plain_root(&plain), "round {round}");
                assert_eq!(table.len(), plain.len());
            }
        }
    }
}
