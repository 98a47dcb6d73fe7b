//! What a verification found, and what it does not say.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::anchor::{Anchors, Requirement, UnmetRequirement};
use crate::genesis::Clock;

/// A log that verified. Its `Display` says how far and what that rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// What the verdict rests on.
    pub anchors: Anchors,
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
    /// Blocks that were read: all, unless it is a tail.
    pub blocks: u64,
    /// Events that were read: as many as `size`, unless it is a tail.
    pub events: u64,
    /// Events before a tail, taken on the word of the seal that was kept; 0 where all were read.
    pub skipped_events: u64,
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
    /// Name of all its keys, `<origin>/<partition>`.
    pub key_name: String,
    /// Public key in force after its last block.
    pub key_in_force: [u8; 32],
    /// Id of the key in force.
    pub key_id: [u8; 4],
    /// Which key sealed which of the blocks that were read, in order. A rotation's block belongs to the key of its first signature.
    pub keys: Vec<KeySpan>,
    /// Whether the source keeps a head for it, against which the log was held.
    pub head_kept: bool,
    /// Blocks after the one that the head acknowledges: valid, but nobody was promised them.
    pub unacknowledged_blocks: u64,
}

/// A run of blocks that one key sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySpan {
    /// Ed25519 public key.
    pub key: [u8; 32],
    /// Its key id under the partition's key name.
    pub key_id: [u8; 4],
    /// Number of the first block.
    pub first_block: u64,
    /// Number of the last block.
    pub last_block: u64,
    /// Seq of the first event.
    pub first_seq: u64,
    /// Seq of the last event.
    pub last_seq: u64,
    /// The log or the trust file says that it was revoked; what it sealed still counts, for a newer seal covers it.
    pub revoked: bool,
}

impl KeySpan {
    /// The key as a verifier key of a signed note in this name: `<name>+<key id>+<base64 of 0x01 ‖ public key>`.
    pub fn verifier_key(&self, key_name: &str) -> String {
        let material = STANDARD.encode([&[1][..], &self.key].concat());
        format!("{key_name}+{:08x}+{material}", u32::from_be_bytes(self.key_id))
    }
}

impl Verdict {
    /// Holds the verdict against what somebody requires of it.
    ///
    /// # Errors
    /// It rests on less.
    pub fn meets(&self, requirement: Requirement) -> Result<(), UnmetRequirement> {
        let with_events = self.partitions.iter().filter(|partition| partition.size > 0);
        self.anchors.check(requirement, with_events.map(|partition| partition.partition))
    }

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
        write!(f, "; nothing after that can be excluded; rests on {}", self.anchors)?;
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
