//! Verifies what a store or another source of frames holds.

use actum_log::{FrameKey, FrameSource, FrameType, Frames};

use crate::context::Context;
use crate::defect::Defect;
use crate::digest::digest_block;
use crate::fault::{Fault, Part, Place};
use crate::input::{BlockInput, Gathering, Position};
use crate::link::Linker;
use crate::trust::Trust;
use crate::verdict::Verdict;

/// How far a verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Blocks linked, over all partitions.
    pub blocks: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of their records before compression.
    pub record_bytes: u64,
}

/// Verifies all partitions of a source on the calling thread. `progress` is called after each block.
///
/// Heads are read before frames, so a writer may append meanwhile; its later blocks count as unacknowledged.
///
/// # Errors
/// The first fault.
pub fn verify_source(
    source: &dyn FrameSource,
    trust: &Trust,
    progress: &mut dyn FnMut(Progress),
) -> Result<Verdict, Fault> {
    let context = open_source(source, trust)?;
    let linker = source_linker(source, &context)?;
    link_all(source_blocks(source, &context), &context, linker, progress)
}

/// Reads a source's genesis and holds it against what the reviewer trusts.
///
/// # Errors
/// There is no genesis, or it is not what the reviewer trusts.
pub fn open_source(source: &dyn FrameSource, trust: &Trust) -> Result<Context, Fault> {
    let text = source.genesis().map_err(|error| Fault::from_read(Place::of(Part::Genesis), error))?;
    Context::new(&text, trust)
}

/// A linker that expects the heads which the source keeps now. To be made before the frames are read.
///
/// # Errors
/// The source cannot give a head.
pub fn source_linker<'c>(source: &dyn FrameSource, context: &'c Context) -> Result<Linker<'c>, Fault> {
    let mut linker = Linker::new(context);
    for partition in 0..context.genesis.partitions {
        let place = Place { partition: Some(partition), ..Place::of(Part::Head) };
        if let Some(head) = source.head(partition).map_err(|error| Fault::from_read(place, error))? {
            linker.expect_head(partition, head);
        }
    }
    Ok(linker)
}

/// The blocks of a source, partition after partition, to be digested in any order and linked in this one.
pub fn source_blocks<'a>(source: &'a dyn FrameSource, context: &Context) -> SourceBlocks<'a> {
    SourceBlocks { source, partitions: 0..context.genesis.partitions, current: None }
}

/// Iterator over the blocks of a source; ends after the first fault.
pub struct SourceBlocks<'a> {
    source: &'a dyn FrameSource,
    partitions: std::ops::Range<u16>,
    current: Option<(u16, Position, Frames<'a>)>,
}

impl std::fmt::Debug for SourceBlocks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceBlocks").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

impl Iterator for SourceBlocks<'_> {
    type Item = Result<BlockInput, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((partition, position, frames)) = &mut self.current {
                let next = next_block(*partition, position, frames).transpose();
                if next.is_some() {
                    return next.map(|block| block.inspect_err(|_| self.stop()));
                }
            }
            let partition = self.partitions.next()?;
            let from = FrameKey { partition, seq: 0, kind: FrameType::Genesis };
            match self.source.frames(from) {
                Ok(frames) => self.current = Some((partition, Position::default(), frames)),
                Err(error) => {
                    self.stop();
                    let place = Place { partition: Some(partition), ..Place::of(Part::Log) };
                    return Some(Err(Fault::from_read(place, error)));
                }
            }
        }
    }
}

impl SourceBlocks<'_> {
    fn stop(&mut self) {
        self.current = None;
        self.partitions = 0..0;
    }
}

fn next_block(partition: u16, position: &mut Position, frames: &mut Frames<'_>) -> Result<Option<BlockInput>, Fault> {
    let mut gathering = Gathering::new(partition, *position, None);
    let mut begun = false;
    for frame in frames {
        let place = Place::block(Part::Block, partition, position.blocks);
        let frame = frame.map_err(|error| Fault::from_read(place, error))?;
        if frame.key.partition != partition {
            return Err(gathering.blame(Defect::Partition));
        }
        begun = true;
        match gathering.add(frame, position)? {
            Ok(block) => return Ok(Some(block)),
            Err(more) => gathering = more,
        }
    }
    if begun { Err(gathering.blame(Defect::Truncated)) } else { Ok(None) }
}

/// Digests and links blocks one after the other.
pub(crate) fn link_all(
    blocks: impl Iterator<Item = Result<BlockInput, Fault>>,
    context: &Context,
    mut linker: Linker<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Verdict, Fault> {
    let mut so_far = Progress::default();
    for input in blocks {
        let digest = digest_block(&input?, context)?;
        linker.link(&digest)?;
        so_far.blocks += 1;
        so_far.events += digest.events();
        so_far.record_bytes += digest.record_bytes();
        progress(so_far);
    }
    linker.finish()
}
