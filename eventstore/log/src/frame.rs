//! Frames: how blocks are stored and transported (FORMAT.md section 6).

/// Type of a frame, as in byte 0 of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FrameType {
    /// The genesis text.
    Genesis = 1,
    /// Whole records.
    Chunk = 2,
    /// A block's body and seal.
    Block = 3,
    /// The end of an archive.
    End = 4,
}

/// Where a frame lies: sorts in the order of an archive within a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameKey {
    /// Partition.
    pub partition: u16,
    /// Chunk: seq of its first record. Block: seq of its last record.
    pub seq: u64,
    /// Type.
    pub kind: FrameType,
}

/// One frame, header and body, as stored. Its bytes are not believed until decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where it lies.
    pub key: FrameKey,
    /// Header (40 bytes) and body.
    pub bytes: Vec<u8>,
}
