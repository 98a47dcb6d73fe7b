//! Facts about the log, the engine and the directory.

use super::{BreakerEvent, MessageEvent, SavedEvent, StartEvent};
use crate::{ActorId, NetHash, OrganisationEvent};

/// What a log was restored from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreSource {
    /// An archive file.
    Archive,
    /// Another data directory.
    Directory,
}

impl RestoreSource {
    /// Its stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            RestoreSource::Archive => "archive",
            RestoreSource::Directory => "directory",
        }
    }
}

/// What was last acknowledged in a directory that a restored log replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplacedHead {
    /// Events acknowledged.
    pub size: u64,
    /// Number of the newest acknowledged block.
    pub block: u64,
    /// Its hash.
    pub block_hash: [u8; 32],
}

/// A fact about the log or the engine as a whole, in one of the system streams.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SystemEvent {
    /// The log was opened for writing.
    EngineOpened {
        /// Version of the software.
        software: String,
        /// Blocks found and verified.
        blocks: u64,
        /// Events found and verified.
        events: u64,
        /// Blocks of these that were stored but not yet acknowledged when the last writer stopped.
        unacknowledged_blocks: u64,
        /// Bytes of a commit that was cut short when the last writer stopped, and that were dropped: of blocks that were
        /// never stored whole and never acknowledged. 0 if there were none.
        dropped_bytes: u64,
        /// Partitions whose newest head was written only in part, so that the one before it counted.
        torn_heads: u32,
    },
    /// The log was put in place from a backup. What was written after that backup is not in it.
    LogRestored {
        /// What it was taken from.
        source: RestoreSource,
        /// Events that the backup had.
        size: u64,
        /// Number of the backup's newest block.
        block: u64,
        /// Hash of that block.
        block_hash: [u8; 32],
        /// What the head of the replaced directory said, if there was one that could be read.
        replaced: Option<ReplacedHead>,
    },
    /// A net may be run from now on.
    NetDeployed {
        /// Its identity.
        net: NetHash,
        /// Its name.
        name: String,
        /// Its canonical form, whose hash is `net`.
        canonical: Vec<u8>,
    },
    /// Somebody who acts got an ordinal.
    ActorRegistered {
        /// The ordinal, the next free one.
        actor: ActorId,
        /// Unique name.
        name: String,
        /// Roles that the actor has.
        roles: Vec<String>,
    },
    /// An actor's roles changed.
    ActorRolesChanged {
        /// Who.
        actor: ActorId,
        /// All roles from now on.
        roles: Vec<String>,
    },
    /// The organisation changed.
    Organisation(OrganisationEvent),
    /// About a handler's circuit breaker.
    Breaker(BreakerEvent),
    /// State was saved, or used.
    Saved(SavedEvent),
    /// About a message.
    Message(MessageEvent),
    /// About a start by the clock or by a message.
    Start(StartEvent),
    /// The layout of a payload type, before its first use, so that the log can be read without this software.
    SchemaDescribed {
        /// Record kind.
        kind: u16,
        /// Record schema version.
        schema: u16,
        /// Name of the event.
        name: String,
        /// Its layout in words (see `payload`).
        layout: String,
    },
}
