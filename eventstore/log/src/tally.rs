//! Counts the frames of an archive and checks their order, for writer and reader alike (FORMAT.md sections 7 and 13).

use crate::archive::{ArchiveSummary, PartitionSummary};
use crate::frame::{FrameKey, FrameType};
use crate::genesis::Genesis;

/// What an archive has held so far.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    pub(crate) partitions: Vec<PartitionSummary>,
    // The last key of each partition.
    last: Vec<Option<FrameKey>>,
    // The partition whose block has chunks but no block frame yet.
    open: Option<u16>,
    frames: u64,
    // The partitions that begin with a later block than the first, ascending: each has a proof.
    tails: Vec<u16>,
}

impl Tally {
    pub(crate) fn new(genesis: &Genesis) -> Self {
        let count = usize::from(genesis.partitions());
        Self {
            partitions: vec![PartitionSummary::default(); count],
            last: vec![None; count],
            open: None,
            frames: 1,
            tails: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, key: FrameKey) -> Result<(), &'static str> {
        let place = usize::from(key.partition);
        let (Some(summary), Some(last)) = (self.partitions.get_mut(place), self.last.get_mut(place)) else {
            return Err("the log has no such partition");
        };
        if key.kind == FrameType::Proof {
            return self.take_proof(key.partition);
        }
        if self.open.is_some_and(|open| open != key.partition) {
            return Err("the block before it has no block frame");
        }
        if last.is_some_and(|last| key <= last) {
            return Err("it is out of order");
        }
        match key.kind {
            FrameType::Chunk => {
                if last.is_none() {
                    if (key.seq > 0) != self.tails.contains(&key.partition) {
                        return Err("the partition's first block and whether it has a proof contradict each other");
                    }
                    summary.first_seq = key.seq;
                }
                self.open = Some(key.partition);
            }
            FrameType::Block if self.open.is_none() => return Err("it is a block without records"),
            FrameType::Block => {
                summary.blocks += 1;
                summary.size = key.seq.saturating_add(1);
                self.open = None;
            }
            FrameType::Genesis | FrameType::End | FrameType::Proof => {
                return Err("a frame of this type must not lie here");
            }
        }
        *last = Some(key);
        self.frames += 1;
        Ok(())
    }

    fn take_proof(&mut self, partition: u16) -> Result<(), &'static str> {
        if self.frames != 1 + self.tails.len() as u64 {
            return Err("a proof lies right after the genesis");
        }
        if self.tails.last().is_some_and(|last| *last >= partition) {
            return Err("the proofs are out of order");
        }
        self.tails.push(partition);
        self.frames += 1;
        Ok(())
    }

    pub(crate) fn end_body(&self) -> Result<Vec<u8>, &'static str> {
        if self.open.is_some() {
            return Err("the last block has no block frame");
        }
        if self.tails.iter().any(|partition| self.last[usize::from(*partition)].is_none()) {
            return Err("a partition has a proof and no blocks");
        }
        let mut body = Vec::with_capacity(self.partitions.len() * 24 + 8);
        for (partition, summary) in (0_u64..).zip(&self.partitions) {
            // Partition in two bytes, then six zeros.
            body.extend_from_slice(&partition.to_le_bytes());
            body.extend_from_slice(&summary.blocks.to_le_bytes());
            body.extend_from_slice(&summary.size.to_le_bytes());
        }
        body.extend_from_slice(&self.frames.to_le_bytes());
        Ok(body)
    }

    pub(crate) fn summary(self, bytes: u64) -> ArchiveSummary {
        ArchiveSummary { partitions: self.partitions, frames: self.frames, bytes }
    }
}
