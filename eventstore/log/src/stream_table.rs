//! Gives the table of all streams and its root: what a checkpoint commits to (FORMAT.md section 12).

use std::ops::Range;

use crate::hash::Hash;
use crate::proof::path;
use crate::record::BLOCK_STREAM;
use crate::tree::{Frontier, leaf_hash};

/// Bytes of a leaf.
pub const STREAM_LEAF_BYTES: usize = 49;

/// Where a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLeaf {
    /// The stream.
    pub stream: u64,
    /// Version of its newest event.
    pub version: u64,
    /// Its chain value `C` there.
    pub chain: Hash,
    /// That event was terminal.
    pub ended: bool,
}

impl StreamLeaf {
    /// The leaf's bytes.
    pub fn encode(&self) -> [u8; STREAM_LEAF_BYTES] {
        let mut bytes = [0; STREAM_LEAF_BYTES];
        bytes[..8].copy_from_slice(&self.stream.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..48].copy_from_slice(&self.chain);
        bytes[48] = u8::from(self.ended);
        bytes
    }
}

/// Every stream of a partition that has an event below some seq, the block stream left out. Takes 56 bytes for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamTable {
    size: u64,
    // Ids strictly ascending.
    leaves: Vec<StreamLeaf>,
}

impl StreamTable {
    /// The table of these streams, in any order, each once, as of the first `size` events.
    pub fn new(size: u64, mut leaves: Vec<StreamLeaf>) -> Self {
        leaves.retain(|leaf| leaf.stream != BLOCK_STREAM);
        leaves.sort_unstable_by_key(|leaf| leaf.stream);
        leaves.dedup_by_key(|leaf| leaf.stream);
        Self { size, leaves }
    }

    /// Number of events that it is over: the seq of the first that it does not know.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The leaves, ids ascending.
    pub fn leaves(&self) -> &[StreamLeaf] {
        &self.leaves
    }

    /// Index of a stream's leaf, or where it would be.
    pub fn find(&self, stream: u64) -> Result<usize, usize> {
        self.leaves.binary_search_by_key(&stream, |leaf| leaf.stream)
    }

    /// The RFC 6962 root over the leaves. Costs two hashes for each.
    pub fn root(&self) -> Hash {
        self.root_of(0..self.leaves.len() as u64)
    }

    /// The audit path of a leaf, from its sibling upwards; `None` when there is no such leaf. Costs as much as the root.
    pub fn path(&self, index: usize) -> Option<Vec<Hash>> {
        if index >= self.leaves.len() {
            return None;
        }
        let subtree = |range| Ok::<_, std::convert::Infallible>(self.root_of(range));
        let Ok(path) = path::inclusion(index as u64, self.leaves.len() as u64, subtree);
        Some(path.into_iter().map(|step| step.hash).collect())
    }

    fn root_of(&self, range: Range<u64>) -> Hash {
        let mut tree = Frontier::new();
        for leaf in &self.leaves[range.start as usize..range.end as usize] {
            tree.push(leaf_hash(&leaf.encode()));
        }
        tree.root()
    }
}
