//! What a proof proves, and what it does not.

use std::fmt;

use super::body::Entry;
use crate::anchor::{Anchors, Requirement, UnmetRequirement};
use crate::genesis::Clock;

/// A proof that convinces. Its `Display` says what is proven and what that rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProofVerdict {
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
    /// The partition.
    pub partition: u16,
    /// Events under the seal (the newer one, where there are two).
    pub size: u64,
    /// Root of their tree.
    pub root: [u8; 32],
    /// Number of the sealed block.
    pub block: u64,
    /// Hash of the sealed block.
    pub block_hash: [u8; 32],
    /// Public key in force for the (newer) seal's block: the key of the genesis, or that of the last rotation.
    pub key_in_force: [u8; 32],
    /// Rotations that lead to it.
    pub rotations: usize,
    /// What is proven.
    pub proven: Proven,
}

impl ProofVerdict {
    /// Holds the verdict against what somebody requires of it.
    ///
    /// # Errors
    /// It rests on less.
    pub fn meets(&self, requirement: Requirement) -> Result<(), UnmetRequirement> {
        self.anchors.check(requirement, std::iter::once(self.partition))
    }
}

/// What is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proven {
    /// One event is in the log.
    Event(ProvenEvent),
    /// All events of a stream up to the last one shown: none was left out between.
    Case {
        /// The stream.
        stream: u64,
        /// The last event ends the stream; if not, later ones are not excluded.
        ended: bool,
        /// Versions 1, 2, 3, …
        events: Vec<ProvenEvent>,
    },
    /// Some events of a stream that ended.
    Dossier {
        /// The stream.
        stream: u64,
        /// Events of the stream, those that are not shown among them.
        total: u64,
        /// The chosen ones, in order.
        events: Vec<ProvenEvent>,
        /// The one that ends the stream.
        terminal: ProvenEvent,
    },
    /// All events that a stream had as of a checkpoint: none was left out.
    Complete {
        /// The stream.
        stream: u64,
        /// Events of the log that the checkpoint covers; later ones are not excluded.
        as_of: u64,
        /// Seq of the checkpoint.
        checkpoint: u64,
        /// The last event ends the stream.
        ended: bool,
        /// Versions 1, 2, 3, …
        events: Vec<ProvenEvent>,
    },
    /// A stream had no event as of a checkpoint.
    Absent {
        /// The stream.
        stream: u64,
        /// Events of the log that the checkpoint covers; later ones are not excluded.
        as_of: u64,
        /// Seq of the checkpoint.
        checkpoint: u64,
    },
    /// The log under the seal continues the log under an older one.
    Consistency {
        /// Events under the older seal.
        old_size: u64,
        /// Root of their tree.
        old_root: [u8; 32],
        /// Number of the older sealed block.
        old_block: u64,
    },
}

/// An event that a proof shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenEvent {
    /// Position in the partition.
    pub seq: u64,
    /// The stream.
    pub stream: u64,
    /// Position in the stream.
    pub version: u64,
    /// Payload type.
    pub kind: u16,
    /// Version of the payload type.
    pub schema: u16,
    /// Who caused it.
    pub actor: u32,
    /// Nanoseconds since 1970-01-01 UTC.
    pub time: u64,
    /// It ends its stream.
    pub terminal: bool,
    /// It is shown by a path of its own to lie in the tree; otherwise another event that does commits to it.
    pub in_tree: bool,
    /// Header (64 bytes) and extensions.
    pub head: Vec<u8>,
    /// The payload as stored; `None` when it is withheld.
    pub payload: Option<Vec<u8>>,
}

impl ProvenEvent {
    pub(super) fn new(entry: &Entry<'_>, in_tree: bool) -> Self {
        let record = &entry.record;
        ProvenEvent {
            seq: record.seq,
            stream: record.stream,
            version: record.version,
            kind: record.kind,
            schema: record.schema,
            actor: record.actor,
            time: record.time,
            terminal: record.terminal,
            in_tree,
            head: record.head.to_vec(),
            payload: entry.disclosed.then(|| record.payload.to_vec()),
        }
    }
}

impl Proven {
    /// The events that are shown, in order.
    pub fn events(&self) -> impl Iterator<Item = &ProvenEvent> {
        let (events, one) = match self {
            Proven::Event(event) => (&[][..], Some(event)),
            Proven::Case { events, .. } | Proven::Complete { events, .. } => (&events[..], None),
            Proven::Dossier { events, terminal, .. } => (&events[..], Some(terminal)),
            Proven::Consistency { .. } | Proven::Absent { .. } => (&[][..], None),
        };
        events.iter().chain(one)
    }

    /// Events whose payloads are withheld.
    pub fn withheld(&self) -> usize {
        self.events().filter(|event| event.payload.is_none()).count()
    }

    /// The word for it, stable for scripts.
    pub fn as_str(&self) -> &'static str {
        match self {
            Proven::Event(_) => "event",
            Proven::Case { .. } => "case",
            Proven::Dossier { .. } => "dossier",
            Proven::Complete { .. } => "completeness",
            Proven::Absent { .. } => "absence",
            Proven::Consistency { .. } => "consistency",
        }
    }
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proven::Event(event) => {
                write!(f, "event {} is version {} of stream {}", event.seq, event.version, event.stream)?;
            }
            Proven::Case { stream, ended, events } => {
                let count = events.len();
                if *ended {
                    write!(f, "all {count} events of stream {stream}, which has ended")?;
                } else {
                    write!(
                        f,
                        "the first {count} events of stream {stream} without a gap; later ones cannot be excluded"
                    )?;
                }
            }
            Proven::Dossier { stream, total, events, .. } => {
                write!(f, "stream {stream} ended with its event {total}; {} of those before are shown", events.len())?;
            }
            Proven::Complete { stream, as_of, ended, events, .. } => {
                let (count, end) = (events.len(), if *ended { ", which has ended" } else { "" });
                write!(f, "all {count} events that stream {stream} had when the log had {as_of} events{end}")?;
            }
            Proven::Absent { stream, as_of, .. } => {
                write!(f, "stream {stream} had no event when the log had {as_of} events")?;
            }
            Proven::Consistency { old_size, old_block, .. } => {
                write!(f, "the log continues what was sealed over {old_size} events with block {old_block}")?;
            }
        }
        match self.withheld() {
            0 => Ok(()),
            1 => f.write_str("; one payload is withheld"),
            count => write!(f, "; {count} payloads are withheld"),
        }
    }
}

impl fmt::Display for ProofVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "proven: {}; in log ", self.proven)?;
        self.log_id.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        write!(
            f,
            " of {}, partition {}, sealed over {} events with block {}; rests on {}",
            self.origin, self.partition, self.size, self.block, self.anchors
        )?;
        match self.clock {
            Clock::Real => Ok(()),
            Clock::Simulated => f.write_str("; its times are simulated"),
        }
    }
}
