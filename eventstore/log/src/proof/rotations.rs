//! Finds the rotations that lead from the genesis key to the key under a seal (FORMAT.md sections 10 and 11).

use super::blocks::{Blocks, Event};
use super::error::ProofError;
use crate::block::{BlockBody, BlockRecord};
use crate::genesis::Genesis;
use crate::key_record::Rotation;
use crate::limits::ROTATIONS_MAX;
use crate::record::{KEY_STREAM, ROTATION_KIND, records_in};

/// All rotations among the first `size` events, where a block ends, in order.
///
/// No key comes into force twice, so the key ids of the blocks tell where the last rotation is: costs a block frame and a chunk for each
/// doubling of the log, and then for each change of keys. A log that never changed its key costs one block frame and one chunk.
pub(super) fn rotations(blocks: &mut Blocks<'_>, genesis: &Genesis, size: u64) -> Result<Vec<Event>, ProofError> {
    let mut next = last_rotation(blocks, genesis, size)?;
    let mut rotations = Vec::new();
    while let Some(seq) = next {
        let event = blocks.event(seq)?;
        let header = event.header();
        if header.stream != KEY_STREAM {
            return Err(ProofError::tampered(format!("event {seq} is not a change of keys")));
        }
        // Lies before `seq`: that was checked when the record was read.
        next = header.previous;
        if header.kind == ROTATION_KIND {
            rotations.push(event);
        }
        if rotations.len() > ROTATIONS_MAX {
            return Err(ProofError::Rotations);
        }
    }
    rotations.reverse();
    Ok(rotations)
}

/// Seq of the last rotation among the first `size` events.
fn last_rotation(blocks: &mut Blocks<'_>, genesis: &Genesis, size: u64) -> Result<Option<u64>, ProofError> {
    let last = size.saturating_sub(1);
    let body = body_of(blocks, last)?;
    if let Some(seq) = rotation_in(blocks, &body)? {
        return Ok(Some(seq));
    }
    let key_id = key_id_of(blocks, &body)?;
    if key_id == genesis.verifier_key(blocks.partition).key_id() {
        return Ok(None);
    }
    // The first block that names this key: all before it name others.
    let (mut before, mut first) = (0, body);
    while before < first.first_seq {
        let middle = body_of(blocks, before + (first.first_seq - before) / 2)?;
        if middle.first_seq >= first.first_seq {
            return Err(ProofError::tampered(format!("block {} is out of its place", middle.number)));
        }
        if key_id_of(blocks, &middle)? == key_id {
            first = middle;
        } else {
            before = middle.size();
        }
    }
    // Its own rotation if it replaced a revoked key, else that of the block before.
    if let Some(seq) = rotation_in(blocks, &first)? {
        return Ok(Some(seq));
    }
    let before = blocks.block_before(first.first_seq)?;
    let found = before.map(|block| rotation_in(blocks, &block.body)).transpose()?.flatten();
    let what = || ProofError::tampered(format!("no rotation leads to the key of block {}", first.number));
    found.map(Some).ok_or_else(what)
}

fn body_of(blocks: &Blocks<'_>, seq: u64) -> Result<BlockBody, ProofError> {
    let missing = || ProofError::tampered(format!("the block of event {seq} is missing"));
    Ok(blocks.block_of(seq)?.ok_or_else(missing)?.body)
}

fn key_id_of(blocks: &mut Blocks<'_>, body: &BlockBody) -> Result<[u8; 4], ProofError> {
    let record = blocks.event(body.first_seq)?.record;
    Ok(BlockRecord::from_record(&record.view()).map_err(ProofError::corrupt)?.key_id)
}

fn rotation_in(blocks: &Blocks<'_>, body: &BlockBody) -> Result<Option<u64>, ProofError> {
    if body.streams.binary_search_by_key(&KEY_STREAM, |entry| entry.stream).is_err() {
        return Ok(None);
    }
    for record in records_in(&blocks.records_of(body)?) {
        let record = record.map_err(ProofError::corrupt)?;
        if record.header().kind == ROTATION_KIND {
            Rotation::from_record(&record).map_err(ProofError::corrupt)?;
            return Ok(Some(record.header().seq));
        }
    }
    Ok(None)
}
