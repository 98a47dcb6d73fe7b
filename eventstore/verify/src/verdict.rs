//! What a verification found, and what it does not say.

use std::fmt;

use crate::anchor::Anchor;
use crate::genesis::Clock;

/// A log that verified. Its `Display` says how far and what that rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// What the verdict rests on.
    pub anchor: Anchor,
    /// The log's origin.
    pub origin: String,
    /// The log's random id.
    pub log_id: [u8; 16],
    /// Clock of the events.
    pub clock: Clock,
    /// Public key of the genesis.
    pub key: [u8; 32],
    /// Every partition that the genesis names, ascending; one without blocks is empty as far as can be told.
    pub partitions: Vec<PartitionVerdict>,
}

/// One partition of a log that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartitionVerdict {
    /// The partition.
    pub partition: u16,
    /// Blocks in it.
    pub blocks: u64,
    /// Events in it; the same number as `size`.
    pub events: u64,
    /// Size of its tree.
    pub size: u64,
    /// Bytes of its records before compression.
    pub record_bytes: u64,
    /// Root of its tree.
    pub root: [u8; 32],
    /// Hash of its last block; the genesis hash when it has none.
    pub hash: [u8; 32],
    /// Seal of its last block, as a signed note.
    pub seal: Option<String>,
    /// Name of the key in force.
    pub key_name: String,
    /// Id of the key in force.
    pub key_id: [u8; 4],
    /// Whether the source keeps a head for it, against which the log was held.
    pub head_kept: bool,
    /// Blocks after the one that the head acknowledges: valid, but nobody was promised them.
    pub unacknowledged_blocks: u64,
}

impl Verdict {
    /// Events in all partitions.
    pub fn events(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.events).sum()
    }

    /// Blocks in all partitions.
    pub fn blocks(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.blocks).sum()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "verified: log ")?;
        self.log_id.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(f, " of {}, {} events in {} blocks, complete to ", self.origin, self.events(), self.blocks())?;
        for (index, partition) in self.partitions.iter().enumerate() {
            let join = if index == 0 { "" } else { ", " };
            match self.partitions.len() {
                1 => write!(f, "{}", partition.size)?,
                _ => write!(f, "{join}{} in partition {}", partition.size, partition.partition)?,
            }
        }
        write!(f, "; nothing after that can be excluded; rests on {}", self.anchor)?;
        let unacknowledged: u64 = self.partitions.iter().map(|partition| partition.unacknowledged_blocks).sum();
        if unacknowledged > 0 {
            write!(f, "; the last {unacknowledged} blocks were never acknowledged")?;
        }
        match self.clock {
            Clock::Real => Ok(()),
            Clock::Simulated => f.write_str("; its times are simulated"),
        }
    }
}
