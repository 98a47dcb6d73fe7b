//! Where each stream of a partition stands, from block to block.

use std::collections::hash_map::Entry;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::body::IndexEntry;
use crate::checkpoint::{Checkpoint, Table, TableLeaf};
use crate::defect::Defect;
use crate::digest::{BlockDigest, StreamLink};
use crate::hash::Hash;
use crate::limits::{BLOCK_STREAM, NONE};
use crate::pending::Pending;
use crate::tree::{self, Subtree};

/// The streams of one partition.
#[derive(Debug)]
pub(crate) struct Streams {
    open: FxHashMap<u64, Tip>,
    /// What is not yet in the subtrees of the open streams.
    pending: Pending,
    ended: FxHashSet<u64>,
    /// Streams that ended since the newest checkpoint.
    settled: Vec<TableLeaf>,
    table: Table,
    /// Size of the newest checkpoint.
    table_size: u64,
    /// Blocks and events before the first that is read: what the streams were then, the blocks' indexes say.
    skipped: Option<(u64, u64)>,
}

/// What a block does to one stream.
struct Step<'d> {
    before: &'d IndexEntry,
    link: &'d StreamLink,
    subtrees: &'d [Subtree],
    stream_root: Option<&'d Hash>,
}

/// Where a stream stands.
#[derive(Debug)]
struct Tip {
    version: u64,
    previous: u64,
    chain: Hash,
    /// Over the event hashes so far, but for those that are pending.
    subtrees: Vec<Subtree>,
    /// Whether all its events were read; if not, its root cannot be told.
    whole: bool,
}

impl Default for Tip {
    fn default() -> Self {
        Tip { version: 0, previous: NONE, chain: [0; 32], subtrees: Vec::new(), whole: true }
    }
}

impl Streams {
    /// Before the first block. Keeps about `pending_bytes` of event hashes, for roots that streams may state later.
    pub(crate) fn new(pending_bytes: usize) -> Self {
        Streams {
            open: FxHashMap::default(),
            pending: Pending::new(pending_bytes),
            ended: FxHashSet::default(),
            settled: Vec::new(),
            table: Table::default(),
            table_size: 0,
            skipped: None,
        }
    }

    /// After blocks and events that were not read.
    pub(crate) fn skip(&mut self, blocks: u64, events: u64) {
        self.skipped = Some((blocks, events));
    }

    /// Takes what a block does to its streams; of several that do not fit, the fault is the one with the lowest seq.
    pub(crate) fn link(&mut self, digest: &BlockDigest) -> Result<(), (u64, Defect)> {
        let mut first: Option<(u64, Defect)> = None;
        for (before, link) in digest.index.iter().zip(&digest.streams) {
            let subtrees = link.subtrees_from as usize..link.subtrees_to as usize;
            let step = Step {
                before,
                link,
                subtrees: digest.subtrees.get(subtrees).unwrap_or_default(),
                stream_root: digest.stream_roots.get(link.stream_root as usize),
            };
            if let Err((seq, defect)) = self.link_stream(&step)
                && first.as_ref().is_none_or(|(earliest, _)| seq < *earliest)
            {
                first = Some((seq, defect));
            }
        }
        if self.pending.add(digest.first_seq, &digest.events, &digest.previous) {
            for (_, tip) in self.open.iter_mut().filter(|(stream, tip)| **stream != BLOCK_STREAM && tip.whole) {
                self.pending.append_to(&mut tip.subtrees, tip.previous, tip.version);
            }
            self.pending.clear();
        }
        first.map_or(Ok(()), Err)
    }

    fn link_stream(&mut self, step: &Step<'_>) -> Result<(), (u64, Defect)> {
        let Step { before, link, .. } = step;
        let stream = before.stream;
        if before.version == 0 && self.ended.contains(&stream) {
            return Err((link.first_seq, Defect::AfterTerminal { stream }));
        }
        let tip = match self.open.entry(stream) {
            Entry::Occupied(tip) => tip.into_mut(),
            Entry::Vacant(_) if self.ended.contains(&stream) => {
                return Err((link.first_seq, Defect::AfterTerminal { stream }));
            }
            // Began and ended within the block: no need to remember where it stands.
            Entry::Vacant(_) if before.version == 0 && link.ended => {
                self.ended.insert(stream);
                self.settled.push(settled(stream, link));
                return Tip::default().advance(step, &self.pending);
            }
            Entry::Vacant(vacant) => vacant.insert(first_tip(before, self.skipped)),
        };
        if (tip.version, tip.previous, tip.chain) != (before.version, before.previous, before.chain) {
            return Err((link.first_seq, Defect::StreamIndex { stream }));
        }
        let advanced = tip.advance(step, &self.pending);
        if link.ended {
            self.open.remove(&stream);
            self.ended.insert(stream);
            self.settled.push(settled(stream, link));
        }
        advanced
    }

    /// Compares a checkpoint, which stands in the block that is to be linked next, with the streams before it.
    pub(crate) fn check_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), Defect> {
        let mut changed = std::mem::take(&mut self.settled);
        let open = self.open.iter().filter(|(stream, tip)| **stream != BLOCK_STREAM && tip.previous >= self.table_size);
        changed.extend(open.map(|(&stream, tip)| TableLeaf {
            stream,
            version: tip.version,
            chain: tip.chain,
            ended: false,
        }));
        let root = self.table.update(changed);
        self.table_size = checkpoint.size;
        if self.table.len() as u64 != checkpoint.streams {
            return Err(Defect::Checkpoint("number of streams"));
        }
        if root == checkpoint.root { Ok(()) } else { Err(Defect::Checkpoint("root")) }
    }
}

fn settled(stream: u64, link: &StreamLink) -> TableLeaf {
    TableLeaf { stream, version: link.version, chain: link.chain, ended: true }
}

/// Where a stream stands that no block before named: at its beginning, or where the index of a tail's block says.
fn first_tip(before: &IndexEntry, skipped: Option<(u64, u64)>) -> Tip {
    let Some((blocks, events)) = skipped else { return Tip::default() };
    let expected = if before.stream == BLOCK_STREAM { before.version == blocks } else { before.version > 0 };
    if !expected || before.previous >= events {
        return Tip::default();
    }
    let IndexEntry { version, previous, chain, .. } = *before;
    Tip { version, previous, chain, subtrees: Vec::new(), whole: false }
}

impl Tip {
    fn advance(&mut self, step: &Step<'_>, pending: &Pending) -> Result<(), (u64, Defect)> {
        let Step { before, link, .. } = step;
        self.version = link.version;
        self.previous = link.previous;
        self.chain = link.chain;
        let Some(root) = step.stream_root.filter(|_| self.whole) else { return Ok(()) };
        pending.append_to(&mut self.subtrees, before.previous, before.version);
        let mut start = before.version;
        for subtree in step.subtrees {
            tree::append(&mut self.subtrees, 0, start, *subtree);
            start += 1 << subtree.level;
        }
        // The terminal event is the stream's last in the block.
        if *root == tree::root(&self.subtrees) {
            Ok(())
        } else {
            Err((link.previous, Defect::StreamRoot { stream: before.stream }))
        }
    }
}
