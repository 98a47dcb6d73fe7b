//! Folds a partition: re-hashes everything, checks links and seals, hands out each record, and says where writing continues.

use std::ops::ControlFlow;

use crate::extension::Extensions;
use crate::fold_error::FoldError;
use crate::frame::{FrameKey, FrameType};
use crate::genesis::Genesis;
use crate::record::{Header, Record};
use crate::resume::Resume;
use crate::store::{FrameSource, Head, ReadError};
use crate::stream_table::StreamTable;
use crate::walk::Walk;

/// Which seals' signatures a fold checks. All else is checked for every block either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SealCheck {
    /// Every block's, before its records are handed out.
    #[default]
    Every,
    /// Only the newest, at the end, and those of rotations: it covers the whole partition, and a log of many small blocks folds much faster. The records are
    /// handed out before any signature was checked, so drop what was made of them when the fold fails.
    Newest,
}

/// How to fold.
#[derive(Debug, Clone, Copy, Default)]
pub struct FoldOptions {
    /// Which signatures to check.
    pub seals: SealCheck,
    /// Whether writing shall continue with stream roots. Then the fold holds 32 bytes more for each event of an open stream.
    pub stream_roots: bool,
    /// Whether to keep the table of all streams, the ended ones too: 56 bytes for each. Then checkpoints are checked against it, each
    /// at the cost of two hashes for each stream, and writing can continue with checkpoints.
    pub stream_table: bool,
}

/// One record of a block that was checked.
#[derive(Debug, Clone, Copy)]
pub struct RecordView<'a> {
    /// Partition.
    pub partition: u16,
    /// Number of the block.
    pub block: u64,
    /// The record.
    pub record: Record<'a>,
}

impl<'a> RecordView<'a> {
    /// The header.
    #[inline]
    pub fn header(&self) -> &Header {
        self.record.header()
    }

    /// The optional fields.
    pub fn extensions(&self) -> Extensions<'a> {
        self.record.extensions()
    }

    /// The payload as stored.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        self.record.payload()
    }
}

/// What a fold found.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The genesis.
    pub genesis: Genesis,
    /// Blocks that were checked.
    pub blocks: u64,
    /// Records in them, block records among them.
    pub events: u64,
    /// Seal of the last of them.
    pub last_seal: Option<Vec<u8>>,
    /// The source's own head: what was acknowledged. `None` when it keeps none, or nothing was.
    pub head: Option<Head>,
    /// Where writing continues; `None` when the callback ended the fold early.
    pub resume: Option<Resume>,
}

impl Folded {
    /// Blocks beyond the source's head: stored, never acknowledged, and accepted now. `None` when the source gave no head.
    pub fn unacknowledged_blocks(&self) -> Option<u64> {
        self.head.as_ref().map(|head| self.blocks.saturating_sub(head.number + 1))
    }
}

/// Walks a partition from its first block: each block is re-hashed from its payload bytes and compared with its links, its stream
/// index, its root, its seal and the source's head; then its records go to `each`, in order.
///
/// Begins with the genesis key and follows the rotations. Holds one block in memory, and 64 bytes for each stream that has not
/// ended. Optional stream roots of terminal records are left to `actum-verify`, and so are the roots of checkpoints unless the table is asked for.
///
/// # Errors
/// The first thing that does not fit, with block and seq. Records handed out before it were sealed in earlier blocks.
pub fn fold(
    source: &dyn FrameSource,
    partition: u16,
    options: FoldOptions,
    each: impl FnMut(&RecordView<'_>) -> ControlFlow<()>,
) -> Result<Folded, FoldError> {
    let genesis = genesis_of(source, partition)?;
    let from = Resume::at_genesis(&genesis, partition);
    fold_from(source, from, options, None, each)
}

/// [`fold`] from where saved state says that the log stood, to the end, or to a size where a block must end. Blocks before are not
/// read: what they said is what `from` says, and the first block read must continue it.
///
/// With [`FoldOptions::stream_table`], the resume has the streams that ended since as `ended_leaves`, after those of `from`. If `from`
/// has none, though it is not the beginning, these are not all, and checkpoints are not checked against them.
///
/// # Errors
/// As of [`fold`]; and [`ReadError::NotFound`] when no block ends at `until`.
pub fn fold_from(
    source: &dyn FrameSource,
    from: Resume,
    options: FoldOptions,
    until: Option<u64>,
    mut each: impl FnMut(&RecordView<'_>) -> ControlFlow<()>,
) -> Result<Folded, FoldError> {
    let partition = from.partition;
    let genesis = genesis_of(source, partition)?;
    let key = FrameKey { partition, seq: from.next_seq, kind: FrameType::Chunk };
    // What lies behind the size that was asked for is not looked at, nor is the head, then.
    let head = if until.is_none() { source.head(partition)? } else { None };
    let malformed = || ReadError::Corrupt("the frontier that saved state has does not fit its size".to_owned());
    let mut walk = Walk::new(&genesis, from, options, head).ok_or_else(malformed)?;
    let mut frames = source.frames(key)?;
    while until.is_none_or(|until| walk.size() < until) {
        let Some(frame) = frames.next() else { break };
        let frame = frame?;
        let block_ended = walk.take(&frame).map_err(|wrong| walk.locate(wrong))?;
        if block_ended && walk.hand_out(&mut each).is_break() {
            return Ok(walk.folded(genesis, false));
        }
    }
    if let Some(until) = until.filter(|until| *until != walk.size()) {
        return Err(ReadError::NotFound(format!("partition {partition}, a block that ends at size {until}")).into());
    }
    walk.finish().map_err(|wrong| walk.locate(wrong))?;
    Ok(walk.folded(genesis, true))
}

/// The table of a partition's streams as of its first `size` events, where a block must end. Costs folding them.
///
/// # Errors
/// As of [`fold`]; and [`ReadError::NotFound`] when no block ends there.
pub fn stream_table(source: &dyn FrameSource, partition: u16, size: u64) -> Result<StreamTable, FoldError> {
    let genesis = genesis_of(source, partition)?;
    let options = FoldOptions { seals: SealCheck::Newest, stream_roots: false, stream_table: true };
    let from = Resume::at_genesis(&genesis, partition);
    let folded = fold_from(source, from, options, Some(size), |_| ControlFlow::Continue(()))?;
    let table = folded.resume.and_then(|resume| resume.stream_table());
    table.ok_or_else(|| ReadError::Corrupt("the log ended early".to_owned()).into())
}

fn genesis_of(source: &dyn FrameSource, partition: u16) -> Result<Genesis, FoldError> {
    let genesis = source.genesis()?;
    let genesis = Genesis::parse(&genesis).map_err(|error| FoldError::Corrupt {
        partition,
        block: 0,
        seq: 0,
        source: error.into(),
    })?;
    if partition >= genesis.partitions() {
        return Err(ReadError::NotFound(format!("partition {partition}")).into());
    }
    Ok(genesis)
}
