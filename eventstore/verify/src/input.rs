//! Gathers the frames of one block, so that blocks can be digested on their own.

use actum_log::{Frame, FrameType};

use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::frame::CheckedFrame;
use crate::limits::{BLOCK_RECORD_BYTES_MAX, BLOCK_RECORDS_MAX, FRAME_HEADER_BYTES};

/// The frames of one block and where they were found. Nothing in the frames is believed yet.
#[derive(Debug, Clone)]
pub struct BlockInput {
    /// Partition in which the frames were found.
    pub partition: u16,
    /// Number that the block has to have: the blocks before it in its partition.
    pub number: u64,
    /// Seq that its first record has to have.
    pub first_seq: u64,
    /// Bytes from the start of the archive to the block's first frame.
    pub offset: Option<u64>,
    /// Chunk frames in order.
    pub chunks: Vec<Frame>,
    /// The block frame.
    pub block: Frame,
}

impl BlockInput {
    /// The place of the block or of something in it; `frame` counts its frames, the block frame last.
    pub(crate) fn place(&self, part: Part, frame: usize) -> Place {
        let before: usize = self.chunks.iter().take(frame).map(|chunk| chunk.bytes.len()).sum();
        let offset = self.offset.map(|offset| offset.saturating_add(before as u64));
        Place::block(part, self.partition, self.number).at(offset)
    }

    pub(crate) fn block_place(&self, part: Part) -> Place {
        self.place(part, self.chunks.len())
    }
}

/// Where a partition stands in a sequence of frames.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Position {
    pub(crate) blocks: u64,
    pub(crate) size: u64,
}

/// Frames of a block whose block frame has not come yet.
#[derive(Debug)]
pub(crate) struct Gathering {
    pub(crate) partition: u16,
    position: Position,
    offset: Option<u64>,
    chunks: Vec<Frame>,
    bytes: u64,
}

/// Stored bytes that the chunks of one block can have at most: all records, incompressible, in chunks of one record each.
const STORED_BYTES_MAX: u64 =
    BLOCK_RECORD_BYTES_MAX + BLOCK_RECORD_BYTES_MAX / 255 + BLOCK_RECORDS_MAX as u64 * (16 + FRAME_HEADER_BYTES as u64);

impl Gathering {
    pub(crate) fn new(partition: u16, position: Position, offset: Option<u64>) -> Self {
        Gathering { partition, position, offset, chunks: Vec::new(), bytes: 0 }
    }

    /// Adds a frame of the partition; gives the block when it is whole, and moves the position behind it.
    pub(crate) fn add(mut self, frame: Frame, position: &mut Position) -> Result<Result<BlockInput, Self>, Fault> {
        match frame.key.kind {
            FrameType::Chunk => {
                self.bytes = self.bytes.saturating_add(frame.bytes.len() as u64);
                self.chunks.push(frame);
                if self.bytes > STORED_BYTES_MAX || self.chunks.len() > BLOCK_RECORDS_MAX as usize {
                    return Err(self.blame(Defect::Layout("the chunks of a block hold more than a block may")));
                }
                Ok(Err(self))
            }
            FrameType::Block => {
                *position = Position { blocks: self.position.blocks + 1, size: frame.key.seq.saturating_add(1) };
                Ok(Ok(BlockInput {
                    partition: self.partition,
                    number: self.position.blocks,
                    first_seq: self.position.size,
                    offset: self.offset,
                    chunks: self.chunks,
                    block: frame,
                }))
            }
            _ => {
                self.chunks.push(frame);
                Err(self.blame(Defect::Layout("a block consists of chunk frames and a block frame")))
            }
        }
    }

    /// The fault for a block that cannot be gathered: a damaged frame among those gathered is likelier to be the cause than `otherwise`.
    pub(crate) fn blame(&self, otherwise: Defect) -> Fault {
        let mut place = Place::block(Part::Block, self.partition, self.position.blocks).at(self.offset);
        for frame in &self.chunks {
            if let Err(defect) = CheckedFrame::new(&frame.bytes) {
                return place.fault(defect);
            }
            place.offset = place.offset.map(|offset| offset.saturating_add(frame.bytes.len() as u64));
        }
        place.fault(otherwise)
    }
}
