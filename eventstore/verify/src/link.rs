//! Joins digested blocks: what one block says of the log before it has to be what the blocks before it said.

use std::collections::hash_map::Entry;

use actum_log::Head;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::body::IndexEntry;
use crate::context::Context;
use crate::defect::Defect;
use crate::digest::{BlockDigest, StreamLink};
use crate::fault::{Fault, Part, Place};
use crate::hash::Hash;
use crate::limits::NONE;
use crate::seal::own_part;
use crate::tree::{self, Subtree, empty_root};
use crate::verdict::{PartitionVerdict, Verdict};

/// What is known of a log after the blocks linked so far.
///
/// Takes the blocks of each partition in order; partitions may interleave. After a fault it is of no further use.
#[derive(Debug)]
pub struct Linker<'c> {
    context: &'c Context,
    partitions: Vec<Partition>,
}

#[derive(Debug)]
struct Partition {
    blocks: u64,
    size: u64,
    root: Hash,
    /// Hash of the last block, or of the genesis.
    hash: Hash,
    epoch: u64,
    boot: [u8; 16],
    time: u64,
    record_bytes: u64,
    open: FxHashMap<u64, Tip>,
    ended: FxHashSet<u64>,
    seal: Vec<u8>,
    head: Option<Head>,
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
    /// Over the event hashes so far.
    subtrees: Vec<Subtree>,
}

impl Default for Tip {
    fn default() -> Self {
        Tip { version: 0, previous: NONE, chain: [0; 32], subtrees: Vec::new() }
    }
}

impl<'c> Linker<'c> {
    /// Before the first block of every partition.
    pub fn new(context: &'c Context) -> Self {
        let partition = || Partition {
            blocks: 0,
            size: 0,
            root: empty_root(),
            hash: context.genesis_hash,
            epoch: 0,
            boot: [0; 16],
            time: 0,
            record_bytes: 0,
            open: FxHashMap::default(),
            ended: FxHashSet::default(),
            seal: Vec::new(),
            head: None,
        };
        Linker { context, partitions: context.signers.iter().map(|_| partition()).collect() }
    }

    /// Says which head a store keeps for a partition. To be called before blocks are linked, with a head read before the frames were.
    pub fn expect_head(&mut self, partition: u16, head: Head) {
        if let Some(partition) = self.partitions.get_mut(usize::from(partition)) {
            partition.head = Some(head);
        }
    }

    /// Takes the next block of its partition.
    ///
    /// # Errors
    /// The block does not continue what was linked before. Where several streams do not, the fault is of the one with the lowest seq.
    pub fn link(&mut self, digest: &BlockDigest) -> Result<(), Fault> {
        let fault = |defect| digest.place.fault(defect);
        let index = usize::from(digest.partition);
        let partition = self.partitions.get_mut(index).ok_or_else(|| fault(Defect::Partition))?;
        partition.check_block(digest).map_err(fault)?;
        if digest.first_time < partition.time {
            let place = Place { part: Part::Event, offset: None, ..digest.place };
            return Err(place.seq(digest.first_seq).fault(Defect::Time));
        }
        partition.link_streams(digest)?;
        partition
            .check_head(digest)
            .map_err(|defect| Place::block(Part::Head, digest.partition, digest.number).fault(defect))?;
        partition.advance(digest);
        Ok(())
    }

    /// The verdict, once all blocks are linked.
    ///
    /// # Errors
    /// A partition ends before the block that its head acknowledges.
    pub fn finish(self) -> Result<Verdict, Fault> {
        let mut partitions = Vec::with_capacity(self.partitions.len());
        for (signer, (number, partition)) in self.context.signers.iter().zip((0..).zip(self.partitions)) {
            let mut unacknowledged_blocks = 0;
            if let Some(head) = &partition.head {
                if head.number >= partition.blocks {
                    let place = Place { partition: Some(number), ..Place::of(Part::Head) };
                    let defect = Defect::HeadBehind { blocks: partition.blocks, acknowledged: head.number };
                    return Err(place.fault(defect));
                }
                unacknowledged_blocks = partition.blocks - 1 - head.number;
            }
            partitions.push(PartitionVerdict {
                partition: number,
                blocks: partition.blocks,
                events: partition.size,
                size: partition.size,
                record_bytes: partition.record_bytes,
                root: partition.root,
                hash: partition.hash,
                // The seal was checked to be UTF-8.
                seal: (partition.blocks > 0).then(|| String::from_utf8_lossy(&partition.seal).into_owned()),
                key_name: signer.name.clone(),
                key_id: signer.id,
                head_kept: partition.head.is_some(),
                unacknowledged_blocks,
            });
        }
        let genesis = &self.context.genesis;
        Ok(Verdict {
            anchor: self.context.anchor,
            origin: genesis.origin.clone(),
            log_id: genesis.log_id,
            clock: genesis.clock,
            key: genesis.key,
            partitions,
        })
    }
}

impl Partition {
    fn check_block(&self, digest: &BlockDigest) -> Result<(), Defect> {
        let record = &digest.record;
        if digest.number != self.blocks {
            return Err(Defect::BlockNumber { expected: self.blocks, found: digest.number });
        }
        if digest.first_seq != self.size {
            return Err(Defect::Seq { expected: self.size, found: digest.first_seq });
        }
        if record.previous_hash != self.hash {
            return Err(Defect::PreviousHash);
        }
        if digest.root_before != self.root {
            return Err(Defect::Frontier);
        }
        if record.epoch < self.epoch {
            return Err(Defect::Epoch);
        }
        if self.blocks > 0 && (record.epoch == self.epoch) != (record.boot == self.boot) {
            return Err(Defect::BootId);
        }
        Ok(())
    }

    fn link_streams(&mut self, digest: &BlockDigest) -> Result<(), Fault> {
        let mut first: Option<(u64, Defect)> = None;
        for (before, link) in digest.index.iter().zip(&digest.streams) {
            let step = Step {
                before,
                link,
                subtrees: digest
                    .subtrees
                    .get(link.subtrees_from as usize..link.subtrees_to as usize)
                    .unwrap_or_default(),
                stream_root: digest.stream_roots.get(link.stream_root as usize),
            };
            if let Err((seq, defect)) = self.link_stream(&step)
                && first.as_ref().is_none_or(|(earliest, _)| seq < *earliest)
            {
                first = Some((seq, defect));
            }
        }
        match first {
            Some((seq, defect)) => {
                Err(Place { part: Part::Event, offset: None, ..digest.place }.seq(seq).fault(defect))
            }
            None => Ok(()),
        }
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
                return Tip::default().advance(step);
            }
            Entry::Vacant(vacant) => vacant.insert(Tip::default()),
        };
        if (tip.version, tip.previous, tip.chain) != (before.version, before.previous, before.chain) {
            return Err((link.first_seq, Defect::StreamIndex { stream }));
        }
        let advanced = tip.advance(step);
        if link.ended {
            self.open.remove(&stream);
            self.ended.insert(stream);
        }
        advanced
    }

    fn check_head(&self, digest: &BlockDigest) -> Result<(), Defect> {
        let Some(head) = self.head.as_ref().filter(|head| head.number == digest.number) else { return Ok(()) };
        if head.hash != digest.hash {
            return Err(Defect::Head("block hash"));
        }
        if head.size != digest.size {
            return Err(Defect::Head("size"));
        }
        if own_part(&head.seal) != own_part(&digest.seal) {
            return Err(Defect::Head("seal"));
        }
        Ok(())
    }

    fn advance(&mut self, digest: &BlockDigest) {
        self.blocks += 1;
        self.size = digest.size;
        self.root = digest.root;
        self.hash = digest.hash;
        self.epoch = digest.record.epoch;
        self.boot = digest.record.boot;
        self.time = digest.last_time;
        self.record_bytes = self.record_bytes.saturating_add(digest.record_bytes);
        self.seal.clone_from(&digest.seal);
    }
}

impl Tip {
    fn advance(&mut self, step: &Step<'_>) -> Result<(), (u64, Defect)> {
        let Step { before, link, .. } = step;
        let mut start = before.version;
        for subtree in step.subtrees {
            tree::append(&mut self.subtrees, 0, start, *subtree);
            start += 1 << subtree.level;
        }
        self.version = link.version;
        self.previous = link.previous;
        self.chain = link.chain;
        match step.stream_root {
            // The terminal event is the stream's last in the block.
            Some(root) if *root != tree::root(&self.subtrees) => {
                Err((link.previous, Defect::StreamRoot { stream: before.stream }))
            }
            _ => Ok(()),
        }
    }
}
