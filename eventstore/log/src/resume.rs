//! Gives the writing path from where a log ends.

use rustc_hash::FxHashMap;

use crate::ended::EndedStreams;
use crate::genesis::Genesis;
use crate::hash::Hash;
use crate::keys::Keys;
use crate::sealer::{SealTip, Sealer, SealerParts, UNTOUCHED};
use crate::stage::{Stage, StageLimits, StageParts, StageTip};
use crate::stream_map::StreamMap;
use crate::stream_table::{StreamLeaf, StreamTable};
use crate::stream_trees::StreamTrees;
use crate::tree::Frontier;

/// Where a stream that has not ended stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamTip {
    /// The stream.
    pub stream: u64,
    /// Its version.
    pub version: u64,
    /// Seq of its last event.
    pub last_seq: u64,
    /// Its chain value `C`.
    pub chain: Hash,
}

/// Everything that is needed to continue a partition. Comes from a verified fold, or from a checkpoint and a verified tail.
#[derive(Debug, Clone)]
pub struct Resume {
    /// Partition.
    pub partition: u16,
    /// Tree size: seq of the next record.
    pub next_seq: u64,
    /// Time of the last event.
    pub last_time: u64,
    /// Number of the next block.
    pub block_number: u64,
    /// Hash of the last block; the genesis hash before the first.
    pub previous_block_hash: Hash,
    /// Writer epoch of the last block; 0 before the first.
    pub last_epoch: u64,
    /// Boot id of the last block; zero before the first.
    pub last_boot_id: [u8; 16],
    /// Roots of the tree's perfect subtrees, largest first.
    pub frontier: Vec<Hash>,
    /// The streams that have begun and not ended, the block stream among them, in any order.
    pub streams: Vec<StreamTip>,
    /// The streams that ended.
    pub ended: EndedStreams,
    /// With these, terminal events state the root over their stream's events, so that dossiers can be made of it (FORMAT.md
    /// section 10). A fold gives them when asked; `with_stream_roots` gives those of a partition that holds nothing yet.
    pub stream_trees: Option<StreamTrees>,
    /// Which key seals the next block, as the log says.
    pub keys: Keys,
    /// With these, checkpoints can be written (FORMAT.md section 12): the last events of the streams that ended, in any order. A
    /// fold gives them when asked; `with_stream_table` gives those of a partition that holds nothing yet.
    pub ended_leaves: Option<Vec<StreamLeaf>>,
}

/// Why a log cannot be continued from what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The number of frontier hashes does not fit the size.
    #[error("the frontier does not fit a tree of {0} events")]
    Frontier(u64),
    /// The boot id is that of the opening before.
    #[error("the boot id was used by the opening before")]
    BootId,
    /// The log has no such partition.
    #[error("the log has no partition {0}")]
    Partition(u16),
}

/// How a partition is opened for writing.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// Random, one for each opening for writing.
    pub boot_id: [u8; 16],
    /// When an open block counts as full.
    pub limits: StageLimits,
}

impl Opening {
    /// An opening with a random boot id and the usual limits.
    pub fn new() -> Result<Self, crate::signer::SignError> {
        let mut boot_id = [0; 16];
        crate::entropy::fill(&mut boot_id).map_err(crate::signer::SignError::Entropy)?;
        Ok(Self { boot_id, limits: StageLimits::default() })
    }
}

impl Resume {
    /// A partition that holds nothing yet.
    pub fn at_genesis(genesis: &Genesis, partition: u16) -> Self {
        Self {
            partition,
            next_seq: 0,
            last_time: 0,
            block_number: 0,
            previous_block_hash: genesis.hash(),
            last_epoch: 0,
            last_boot_id: [0; 16],
            frontier: Vec::new(),
            streams: Vec::new(),
            ended: EndedStreams::new(),
            stream_trees: None,
            keys: Keys::at_genesis(genesis),
            ended_leaves: None,
        }
    }

    /// Has terminal events state the root over their stream's events, if this partition holds nothing yet.
    /// One that does needs the trees of its open streams: fold it with [`crate::FoldOptions::stream_roots`].
    #[must_use]
    pub fn with_stream_roots(self) -> Self {
        let stream_trees = if self.next_seq == 0 { Some(StreamTrees::default()) } else { self.stream_trees };
        Self { stream_trees, ..self }
    }

    /// Has the writing path know all streams, so that it can write checkpoints, if this partition holds nothing yet.
    /// One that does must be folded with [`crate::FoldOptions::stream_table`]. Costs 56 bytes for each stream that ends.
    #[must_use]
    pub fn with_stream_table(self) -> Self {
        let ended_leaves = if self.next_seq == 0 { Some(Vec::new()) } else { self.ended_leaves };
        Self { ended_leaves, ..self }
    }

    /// The table of all streams; `None` when the fold was not asked for it.
    pub fn stream_table(&self) -> Option<StreamTable> {
        let open = self.streams.iter().map(|tip| StreamLeaf {
            stream: tip.stream,
            version: tip.version,
            chain: tip.chain,
            ended: false,
        });
        let leaves = self.ended_leaves.as_ref()?.iter().copied().chain(open).collect();
        Some(StreamTable::new(self.next_seq, leaves))
    }

    /// The two halves of the writing path, in a new writer epoch.
    pub fn open(self, genesis: &Genesis, opening: Opening) -> Result<(Stage, Sealer), ResumeError> {
        if self.partition >= genesis.partitions() {
            return Err(ResumeError::Partition(self.partition));
        }
        if self.last_epoch > 0 && self.last_boot_id == opening.boot_id {
            return Err(ResumeError::BootId);
        }
        let frontier =
            Frontier::from_parts(self.next_seq, self.frontier).ok_or(ResumeError::Frontier(self.next_seq))?;
        let mut stage_tips = StreamMap::default();
        let mut seal_tips = FxHashMap::with_capacity_and_hasher(self.streams.len(), rustc_hash::FxBuildHasher);
        for StreamTip { stream, version, last_seq, chain } in self.streams {
            stage_tips.insert(stream, StageTip { version, last_seq });
            seal_tips.insert(stream, SealTip { chain, version, block: UNTOUCHED });
        }
        let key = self.keys.in_force();
        let stage = Stage::new(StageParts {
            limits: opening.limits,
            next_seq: self.next_seq,
            last_time: self.last_time,
            streams: stage_tips,
            ended: self.ended,
            keys: self.keys,
            stream_roots: self.stream_trees.is_some(),
            stream_table: self.ended_leaves.is_some(),
        });
        let sealer = Sealer::new(SealerParts {
            origin: genesis.origin().to_owned(),
            partition: self.partition,
            epoch: self.last_epoch + 1,
            boot_id: opening.boot_id,
            number: self.block_number,
            previous_hash: self.previous_block_hash,
            frontier,
            streams: seal_tips,
            stream_trees: self.stream_trees,
            ended_leaves: self.ended_leaves,
            key,
        });
        Ok((stage, sealer))
    }
}
