//! Reads blocks where a proof needs them, and gives the root over any range of leaves that a proof is made of.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::error::ProofError;
use crate::batch::{BATCH, Batch};
use crate::block::{BlockBody, split_body_and_seal};
use crate::frame::{Frame, FrameKey, FrameType};
use crate::hash::{Hash, SALT_BYTES, chain_hash, event_hash, leaf, payload_hash, salt, salts};
use crate::record::{Header, StoredRecord, records_in, take_records};
use crate::records::records;
use crate::seal::{Seal, SealText};
use crate::store::FrameSource;
use crate::tree::{Frontier, log_leaf_hash};

/// A block without its records.
pub(super) struct Block {
    pub(super) body: BlockBody,
    pub(super) seal: Vec<u8>,
}

/// A seal, and what it says.
pub(super) struct Sealed {
    pub(super) text: SealText,
    pub(super) note: Vec<u8>,
}

/// An event with what its hashes need.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) record: StoredRecord,
    pub(super) salt: [u8; SALT_BYTES],
}

impl Event {
    pub(super) fn header(&self) -> &Header {
        self.record.header()
    }

    pub(super) fn payload_hash(&self) -> Hash {
        payload_hash(&self.salt, self.record.payload())
    }

    pub(super) fn hash(&self) -> Hash {
        event_hash(self.record.view().head_bytes(), &self.payload_hash())
    }
}

/// The leaf hash of an event with this header and chain value.
pub(super) fn leaf_of(header: &Header, chain: &Hash) -> Hash {
    log_leaf_hash(&leaf(chain, header.seq, header.version))
}

/// The blocks of a partition. Remembers every subtree root that it computed, and the leaves of the last block.
pub(super) struct Blocks<'s> {
    source: &'s dyn FrameSource,
    pub(super) partition: u16,
    subtrees: FxHashMap<(u64, u64), Hash>,
    leaves: Option<(Range<u64>, Vec<Hash>)>,
    // First seq, size after and secret of the block that was read last for an event.
    near: Option<(Range<u64>, [u8; 32])>,
    batch: Batch,
}

impl<'s> Blocks<'s> {
    pub(super) fn new(source: &'s dyn FrameSource, partition: u16) -> Self {
        Self { source, partition, subtrees: FxHashMap::default(), leaves: None, near: None, batch: Batch::default() }
    }

    /// The newest seal that was acknowledged, or in a source without head the newest there is.
    pub(super) fn newest_seal(&self) -> Result<Sealed, ProofError> {
        let empty = ProofError::Empty(self.partition);
        if let Some(head) = self.source.head(self.partition)? {
            return self.seal(head.size);
        }
        let last = self.source.frame_at_or_before(FrameKey::last(self.partition))?.ok_or(empty)?;
        let block = self.decode(&last)?;
        sealed(block)
    }

    /// The seal over the first `size` events.
    pub(super) fn seal(&self, size: u64) -> Result<Sealed, ProofError> {
        let last = size.checked_sub(1).ok_or(ProofError::NoSeal(size))?;
        let block = self.block_of(last)?.filter(|block| block.body.size() == size);
        sealed(block.ok_or(ProofError::NoSeal(size))?)
    }

    /// The block that holds an event. Costs reading at most the block's own frames.
    pub(super) fn block_of(&self, seq: u64) -> Result<Option<Block>, ProofError> {
        for frame in self.source.frames(FrameKey { partition: self.partition, seq, kind: FrameType::Block })? {
            let frame = frame?;
            if frame.key.kind == FrameType::Block {
                let block = self.decode(&frame)?;
                if block.body.first_seq > seq {
                    return Err(ProofError::tampered(format!("the block of event {seq} is missing")));
                }
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    /// The block before the one that begins at `first_seq`.
    pub(super) fn block_before(&self, first_seq: u64) -> Result<Option<Block>, ProofError> {
        let Some(seq) = first_seq.checked_sub(1) else { return Ok(None) };
        let key = FrameKey { partition: self.partition, seq, kind: FrameType::Block };
        match self.source.frame_at_or_before(key)? {
            Some(frame) if frame.key == key => self.decode(&frame).map(Some),
            _ => Err(ProofError::tampered(format!("the block of event {seq} is missing"))),
        }
    }

    fn decode(&self, frame: &Frame) -> Result<Block, ProofError> {
        if frame.key.kind != FrameType::Block {
            return Err(ProofError::corrupt(format!("the log ends within a block, at seq {}", frame.key.seq)));
        }
        let (_, raw) = frame.decode().map_err(ProofError::corrupt)?;
        let (body, seal) = split_body_and_seal(&raw).map_err(ProofError::corrupt)?;
        let body = BlockBody::decode(body).map_err(ProofError::corrupt)?;
        if (body.partition, body.size() - 1) != (self.partition, frame.key.seq) {
            return Err(ProofError::tampered(format!("the block that ends at {} says otherwise", frame.key.seq)));
        }
        Ok(Block { body, seal: seal.to_vec() })
    }

    /// The records of a block, one after the other.
    pub(super) fn records_of(&self, body: &BlockBody) -> Result<Vec<u8>, ProofError> {
        let mut bytes = Vec::new();
        let from = FrameKey { partition: self.partition, seq: body.first_seq, kind: FrameType::Chunk };
        for frame in self.source.frames(from)?.take(body.chunks as usize) {
            let frame = frame?;
            if frame.key.kind != FrameType::Chunk || bytes.len() as u64 > body.record_bytes {
                break;
            }
            frame.decode_into(&mut bytes).map_err(ProofError::corrupt)?;
        }
        if bytes.len() as u64 != body.record_bytes {
            return Err(ProofError::tampered(format!("block {} has other records than it says", body.number)));
        }
        Ok(bytes)
    }

    /// An event. Costs one block frame and one chunk.
    pub(super) fn event(&mut self, seq: u64) -> Result<Event, ProofError> {
        let missing = || ProofError::tampered(format!("event {seq} is missing"));
        let near = self.near.take().filter(|(range, _)| range.contains(&seq));
        let (range, secret) = if let Some(near) = near {
            near
        } else {
            let body = self.block_of(seq)?.ok_or_else(missing)?.body;
            (body.first_seq..body.size(), body.secret)
        };
        let index = (seq - range.start) as u32;
        self.near = Some((range, secret));
        let record = records(self.source, self.partition, seq)?.next().transpose()?;
        let record = record.filter(|record| record.header().seq == seq).ok_or_else(missing)?;
        Ok(Event { record, salt: salt(&secret, index) })
    }

    /// The chain value of an event's stream before it. Costs hashing the block's events of that stream.
    pub(super) fn chain_before(&self, header: &Header) -> Result<Hash, ProofError> {
        let missing = || ProofError::tampered(format!("event {} is not in its block's index", header.seq));
        let body = self.block_of(header.seq)?.ok_or_else(missing)?.body;
        let entry = body.streams.binary_search_by_key(&header.stream, |entry| entry.stream).map_err(|_| missing())?;
        let mut chain = body.streams[entry].chain;
        for record in records_in(&self.records_of(&body)?) {
            let record = record.map_err(ProofError::corrupt)?;
            let Header { seq, stream, .. } = *record.header();
            if seq >= header.seq {
                break;
            }
            if stream == header.stream {
                let salt = salt(&body.secret, seq.saturating_sub(body.first_seq) as u32);
                let event = event_hash(record.head_bytes(), &payload_hash(&salt, record.payload()));
                chain = chain_hash(&chain, &event);
            }
        }
        Ok(chain)
    }

    /// The root over leaves `range`, which starts at a multiple of the smallest power of two that is not below its length: such are
    /// all ranges of proofs.
    ///
    /// The block that holds the range's last leaf knows, in its frontier, the subtrees of the range before the block. So it costs
    /// re-hashing at most that one block, whatever the range.
    pub(super) fn subtree(&mut self, range: Range<u64>) -> Result<Hash, ProofError> {
        if let Some(root) = self.subtrees.get(&(range.start, range.end)) {
            return Ok(*root);
        }
        let missing = || ProofError::tampered(format!("event {} is missing", range.end - 1));
        if let Some((at_hand, leaves)) = self.leaves.as_ref().filter(|(at_hand, _)| at_hand.start <= range.start) {
            let within = (range.start - at_hand.start) as usize..(range.end - at_hand.start) as usize;
            if let Some(leaves) = leaves.get(within) {
                let mut tree = Frontier::new();
                leaves.iter().for_each(|leaf| tree.push(*leaf));
                return Ok(tree.root());
            }
        }
        let body = self.block_of(range.end - 1)?.ok_or_else(missing)?.body;
        // Subtrees of the range before the block are the frontier's last ones.
        let begun = body.first_seq.saturating_sub(range.start);
        let before = body.frontier.len() - (begun.count_ones() as usize).min(body.frontier.len());
        let tree = Frontier::from_parts(begun, body.frontier[before..].to_vec());
        let mut tree = tree.ok_or_else(|| ProofError::corrupt("a frontier has other subtrees than its size"))?;
        self.hash_leaves(&body)?;
        let leaves = self.leaves.as_ref().map_or(&[][..], |(_, leaves)| leaves);
        let from = range.start.saturating_sub(body.first_seq) as usize;
        let to = (range.end - body.first_seq) as usize;
        leaves.get(from..to).ok_or_else(missing)?.iter().for_each(|leaf| tree.push(*leaf));
        let root = tree.root();
        self.subtrees.insert((range.start, range.end), root);
        Ok(root)
    }

    /// Computes the leaf hashes of a block from its payload bytes, unless they are at hand.
    fn hash_leaves(&mut self, body: &BlockBody) -> Result<(), ProofError> {
        let range = body.first_seq..body.size();
        if self.leaves.as_ref().is_some_and(|(at_hand, _)| *at_hand == range) {
            return Ok(());
        }
        let bytes = self.records_of(body)?;
        let mut chains: FxHashMap<u64, Hash> = body.streams.iter().map(|entry| (entry.stream, entry.chain)).collect();
        let mut block_salts = Vec::new();
        salts(&body.secret, body.records as usize, &mut block_salts);
        let mut leaves = Vec::with_capacity(body.records as usize);
        let (mut rest, mut salts) = (&bytes[..], block_salts.chunks(SALT_BYTES * BATCH));
        while !rest.is_empty() {
            let (group, count) = take_records::<BATCH>(&mut rest).map_err(ProofError::corrupt)?;
            let salts = salts.next().filter(|salts| salts.len() >= count * SALT_BYTES);
            let salts = salts.ok_or_else(|| ProofError::tampered(format!("block {} has more records", body.number)))?;
            for (record, event) in group[..count].iter().zip(self.batch.event_hashes(&group[..count], salts)) {
                let chain = chains.entry(record.header().stream).or_default();
                *chain = chain_hash(chain, &event);
                leaves.push(leaf_of(record.header(), chain));
            }
        }
        self.leaves = Some((range, leaves));
        Ok(())
    }
}

fn sealed(block: Block) -> Result<Sealed, ProofError> {
    let text = Seal::parse(&block.seal).map_err(ProofError::corrupt)?.text;
    if (text.size, text.root) != (block.body.size(), block.body.root) {
        return Err(ProofError::tampered(format!("the seal of block {} is not over it", block.body.number)));
    }
    Ok(Sealed { text, note: block.seal })
}
