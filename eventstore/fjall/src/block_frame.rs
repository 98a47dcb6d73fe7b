//! The little of a frame's inside that tells whether the store holds what the head says (FORMAT.md sections 4 and 6).

use actum_log::{BlockBody, BlockError, Frame, FrameError, FrameHeader, Hash, block_hash, split_body_and_seal};

use crate::error::OpenError;
use crate::source;

const RECORD_HEADER_BYTES: usize = 64;

/// What a block frame says about its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockFrame {
    pub(crate) number: u64,
    /// Tree size after the block.
    pub(crate) size: u64,
    pub(crate) hash: Hash,
    pub(crate) seal: Vec<u8>,
}

fn place(frame: &Frame) -> String {
    source::place(frame.key)
}

/// An error of a frame, sorted: a hash or a key that does not fit is tampering, the rest does not decode.
pub(crate) fn frame_error(frame: &Frame, error: &FrameError) -> OpenError {
    let what = format!("{}: {error}", place(frame));
    match error {
        FrameError::Checksum | FrameError::Key => OpenError::Tampered(what),
        _ => OpenError::corrupt(what),
    }
}

fn body(frame: &Frame) -> Result<(FrameHeader, Vec<u8>), OpenError> {
    frame.decode().map_err(|error| frame_error(frame, &error))
}

/// Decodes a block frame as far as the store needs it.
pub(crate) fn decode(frame: &Frame) -> Result<BlockFrame, OpenError> {
    let fail = |error: BlockError| OpenError::corrupt(format!("{}: {error}", place(frame)));
    let (_, raw) = body(frame)?;
    let (body, seal) = split_body_and_seal(&raw).map_err(fail)?;
    let BlockBody { number, first_seq, records, .. } = BlockBody::decode(body).map_err(fail)?;
    let size = first_seq + u64::from(records);
    if size.checked_sub(1) != Some(frame.key.seq) {
        return Err(OpenError::corrupt(format!("{}: its body is for another place", place(frame))));
    }
    Ok(BlockFrame { number, size, hash: block_hash(body), seal: seal.to_vec() })
}

/// The hash that a partition's first chunk names as its predecessor: its first record is a block record.
pub(crate) fn previous_hash(chunk: &Frame) -> Result<Hash, OpenError> {
    let (_, raw) = body(chunk)?;
    raw.get(RECORD_HEADER_BYTES..)
        .and_then(|payload| payload.first_chunk())
        .copied()
        .ok_or_else(|| OpenError::corrupt(format!("{}: does not begin with a block record", place(chunk))))
}
