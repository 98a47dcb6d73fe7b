//! Hashes, chains, seals and packs blocks, on the sealing thread.

use rustc_hash::FxHashMap;

use crate::batch::{BATCH, Batch, distinct_streams};
use crate::block::{BlockBody, BlockRecord, StreamEntry, join_body_and_seal};
use crate::checkpoint::Checkpoint;
use crate::frame::{Compressor, Frame, FrameKey, FrameType};
use crate::hash::{Hash, SALT_BYTES, block_hash, chain_hash, leaf, salts};
use crate::key_change::NewSigner;
use crate::limits::{CHUNK_BYTES_TARGET, HEADER_BYTES};
use crate::record::{Header, Record, take_records};
use crate::seal::{SealText, key_id, sign_replacement, sign_rotation, sign_seal};
use crate::signer::{SignError, Signer};
use crate::stage::OpenBlock;
use crate::store::SealedBlock;
use crate::stream_table::{StreamLeaf, StreamTable};
use crate::stream_trees::{RootPatch, StreamTrees};
use crate::tree::{Frontier, log_leaf_hash};

/// Draws the secret of a block.
pub type SecretSource = Box<dyn FnMut() -> Result<[u8; 32], SignError> + Send>;

/// A stream's chain value and version, and the block that touched it last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SealTip {
    pub(crate) chain: Hash,
    pub(crate) version: u64,
    pub(crate) block: u64,
}

/// No block has touched it since the opening.
pub(crate) const UNTOUCHED: u64 = u64::MAX;

const NEW: SealTip = SealTip { chain: [0; 32], version: 0, block: UNTOUCHED };

/// Where the sealing continues.
pub(crate) struct SealerParts {
    pub(crate) origin: String,
    pub(crate) partition: u16,
    pub(crate) epoch: u64,
    pub(crate) boot_id: [u8; 16],
    pub(crate) number: u64,
    pub(crate) previous_hash: Hash,
    pub(crate) frontier: Frontier,
    pub(crate) streams: FxHashMap<u64, SealTip>,
    /// With these, terminal events state the root over their stream.
    pub(crate) stream_trees: Option<StreamTrees>,
    /// With these, checkpoints can be written.
    pub(crate) ended_leaves: Option<Vec<StreamLeaf>>,
    /// Public key in force.
    pub(crate) key: [u8; 32],
}

/// Turns open blocks into sealed ones, in order. Made by `Resume::open`.
///
/// After an error no further block is sealed: what the failed block held must not be missing under later ones.
pub struct Sealer {
    parts: SealerParts,
    secrets: SecretSource,
    stopped: bool,
    // Reused from block to block.
    batch: Batch,
    compressor: Compressor,
    salts: Vec<u8>,
    index: Vec<StreamEntry>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let SealerParts { partition, number, epoch, .. } = self.parts;
        f.debug_struct("Sealer")
            .field("partition", &partition)
            .field("number", &number)
            .field("epoch", &epoch)
            .finish_non_exhaustive()
    }
}

/// A block that is hashed and signed, not yet packed into frames.
#[derive(Debug)]
pub struct SignedBlock {
    body: BlockBody,
    body_bytes: Vec<u8>,
    previous_hash: Hash,
    hash: Hash,
    seal: Vec<u8>,
    records: Vec<u8>,
    cuts: Vec<Cut>,
}

/// Where a chunk ends.
#[derive(Debug, Clone, Copy)]
struct Cut {
    end: usize,
    records: u32,
}

impl Sealer {
    pub(crate) fn new(parts: SealerParts) -> Self {
        Self {
            parts,
            secrets: Box::new(secret_of_the_system),
            stopped: false,
            batch: Batch::default(),
            compressor: Compressor::default(),
            salts: Vec::new(),
            index: Vec::new(),
        }
    }

    /// Takes block secrets from elsewhere than the operating system. For deterministic tests and simulations only: whoever can
    /// foretell a secret can guess payloads that are withheld.
    #[must_use]
    pub fn with_secrets(self, secrets: SecretSource) -> Self {
        Self { secrets, ..self }
    }

    /// Number of the next block.
    pub fn next_number(&self) -> u64 {
        self.parts.number
    }

    /// Public key that must seal the next block.
    pub fn key_in_force(&self) -> [u8; 32] {
        self.parts.key
    }

    /// Hashes, signs and packs a block. `signer` holds the key in force; a block that replaces it is signed by its new key alone,
    /// and `signer` is not asked. After a block that rotates the key, the next one wants the new signer.
    pub fn seal(&mut self, open: OpenBlock, signer: &dyn Signer) -> Result<SealedBlock, SignError> {
        let signed = self.sign(open, signer)?;
        Ok(signed.pack(&mut self.compressor))
    }

    /// Hashes and signs a block as `seal` does; `SignedBlock::pack` does the rest, on any thread.
    pub fn sign(&mut self, open: OpenBlock, signer: &dyn Signer) -> Result<SignedBlock, SignError> {
        if self.stopped {
            return Err(SignError::Stopped);
        }
        let signed = self.link_and_sign(open, signer);
        self.stopped = signed.is_err();
        signed
    }

    fn link_and_sign(&mut self, mut open: OpenBlock, signer: &dyn Signer) -> Result<SignedBlock, SignError> {
        if open.first_seq != self.parts.frontier.size() {
            return Err(SignError::Malformed);
        }
        let new_signer = open.new_signer.take();
        self.check_signers(signer, new_signer.as_deref())?;
        let secret = (self.secrets)()?;
        let frontier = self.parts.frontier.roots().to_vec();
        let first_key = new_signer.as_ref().filter(|new| new.alone).map_or(self.parts.key, |new| new.public_key);
        self.write_block_record(&mut open, &first_key)?;
        self.write_checkpoint(&mut open)?;
        let mut roots = Vec::new();
        let cuts = self.link(&open, &secret, &mut roots)?;
        for RootPatch { offset, root } in roots {
            let place = open.bytes.get_mut(offset..offset + root.len()).ok_or(SignError::Malformed)?;
            place.copy_from_slice(&root);
        }
        self.index.sort_unstable_by_key(|entry| entry.stream);

        let body = BlockBody {
            partition: self.parts.partition,
            records: open.records,
            number: self.parts.number,
            first_seq: open.first_seq,
            record_bytes: open.bytes.len() as u64,
            root: self.parts.frontier.root(),
            secret,
            chunks: cuts.len() as u32,
            frontier,
            streams: std::mem::take(&mut self.index),
        };
        let body_bytes = body.encode();
        let hash = block_hash(&body_bytes);
        let text = SealText {
            origin: self.parts.origin.clone(),
            partition: self.parts.partition,
            size: body.size(),
            root: body.root,
            number: body.number,
            hash,
        };
        let seal = match &new_signer {
            None => sign_seal(&text, signer)?,
            Some(new) if new.alone => sign_replacement(&text, &*new.signer)?,
            Some(new) => sign_rotation(&text, [signer, &*new.signer])?,
        };
        if let Some(new) = new_signer {
            self.parts.key = new.public_key;
        }
        let previous_hash = std::mem::replace(&mut self.parts.previous_hash, hash);
        self.parts.number += 1;
        Ok(SignedBlock { body, body_bytes, previous_hash, hash, seal, records: open.bytes, cuts })
    }

    fn check_signers(&self, signer: &dyn Signer, new: Option<&NewSigner>) -> Result<(), SignError> {
        let matches = |signer: &dyn Signer, in_force| {
            let given = signer.public_key();
            if given == in_force { Ok(()) } else { Err(SignError::NotInForce { given, in_force }) }
        };
        if let Some(new) = new {
            matches(&*new.signer, new.public_key)?;
        }
        if new.is_some_and(|new| new.alone) { Ok(()) } else { matches(signer, self.parts.key) }
    }

    /// Writes what the streams were before this block into its checkpoint, if it has one.
    fn write_checkpoint(&self, open: &mut OpenBlock) -> Result<(), SignError> {
        let Some(offset) = open.checkpoint else { return Ok(()) };
        let ended = self.parts.ended_leaves.as_ref().ok_or(SignError::Malformed)?;
        let of_tip = |(stream, tip): (&u64, &SealTip)| StreamLeaf {
            stream: *stream,
            version: tip.version,
            chain: tip.chain,
            ended: false,
        };
        let leaves = ended.iter().copied().chain(self.parts.streams.iter().map(of_tip)).collect();
        let table = StreamTable::new(open.first_seq, leaves);
        let fixed = Checkpoint::of(&table, &[]).encode_fixed();
        let place = open.bytes.get_mut(offset..offset + fixed.len()).ok_or(SignError::Malformed)?;
        place.copy_from_slice(&fixed);
        Ok(())
    }

    fn write_block_record(&self, open: &mut OpenBlock, public_key: &[u8; 32]) -> Result<(), SignError> {
        let SealerParts { origin, partition, epoch, boot_id, number, previous_hash, .. } = &self.parts;
        let record = BlockRecord {
            previous_hash: *previous_hash,
            number: *number,
            epoch: *epoch,
            boot_id: *boot_id,
            wall_ns: open.clocks.wall_ns,
            monotonic_ns: open.clocks.monotonic_ns,
            key_id: key_id(&crate::seal::key_name(origin, *partition), public_key),
        };
        let payload = record.encode();
        let place = open.bytes.get_mut(HEADER_BYTES..HEADER_BYTES + payload.len()).ok_or(SignError::Malformed)?;
        place.copy_from_slice(&payload);
        Ok(())
    }

    /// Hashes every record into its stream's chain and into the tree; gathers the stream index, unsorted; gives the chunks' ends.
    /// The records are hashed as they will be when `roots` are in their places.
    fn link(&mut self, open: &OpenBlock, secret: &[u8; 32], roots: &mut Vec<RootPatch>) -> Result<Vec<Cut>, SignError> {
        let SealerParts { frontier, streams, number, stream_trees, ended_leaves, .. } = &mut self.parts;
        salts(secret, open.records as usize, &mut self.salts);
        self.index.clear();
        self.index.reserve((open.records as usize).min(streams.len() + 1));
        let mut cuts = Vec::with_capacity(open.bytes.len() / CHUNK_BYTES_TARGET + 1);
        let (mut start, mut end, mut count) = (0, 0, 0);
        let (mut rest, mut salts) = (&open.bytes[..], self.salts.chunks(SALT_BYTES * BATCH));
        while !rest.is_empty() {
            let (group, length) = take_records::<BATCH>(&mut rest).map_err(|_| SignError::Malformed)?;
            let group = &group[..length];
            let salts = salts.next().unwrap_or_default();
            let mut events = self.batch.event_hashes(group, salts);
            if let Some(trees) = stream_trees {
                trees.extend(group, salts, end, &mut events, roots);
            }
            let chains = extend_streams(streams, &mut self.index, *number, &self.batch, group, &events);
            if let Some(leaves) = ended_leaves {
                note_ended(leaves, group, &chains);
            }
            for (record, chain) in group.iter().zip(&chains) {
                let header = record.header();
                frontier.push(log_leaf_hash(&leaf(chain, header.seq, header.version)));
                let length = record.bytes().len();
                if count > 0 && end - start + length > CHUNK_BYTES_TARGET {
                    cuts.push(Cut { end, records: count });
                    (start, count) = (end, 0);
                }
                (end, count) = (end + length, count + 1);
            }
        }
        cuts.push(Cut { end, records: count });
        Ok(cuts)
    }
}

fn note_ended(leaves: &mut Vec<StreamLeaf>, records: &[Record<'_>], chains: &[Hash; BATCH]) {
    for (header, chain) in records.iter().map(Record::header).zip(chains).filter(|(header, _)| header.terminal) {
        leaves.push(StreamLeaf { stream: header.stream, version: header.version, chain: *chain, ended: true });
    }
}

/// The new chain value of each record's stream; notes streams that the block touches for the first time in `index`.
fn extend_streams(
    streams: &mut FxHashMap<u64, SealTip>,
    index: &mut Vec<StreamEntry>,
    number: u64,
    batch: &Batch,
    records: &[Record<'_>],
    events: &[Hash; BATCH],
) -> [Hash; BATCH] {
    let mut chains = [[0; 32]; BATCH];
    let mut note = |header: &Header, tip: &SealTip| {
        if tip.block != number {
            let (version, previous) = (header.version - 1, header.previous);
            index.push(StreamEntry { stream: header.stream, version, previous, chain: tip.chain });
        }
    };
    if let Some(keys) = distinct_streams(records) {
        // Looked up together, so that the processor waits for all of them at once.
        let tips = streams.get_disjoint_mut(keys);
        let is_new = tips.each_ref().map(Option::is_none);
        let previous = tips.each_ref().map(|tip| tip.as_ref().map_or([0; 32], |tip| tip.chain));
        chains = batch.chain_hashes(&previous, events);
        for ((record, tip), chain) in records.iter().zip(tips).zip(chains) {
            note(record.header(), tip.as_deref().unwrap_or(&NEW));
            if let Some(tip) = tip {
                *tip = SealTip { chain, version: record.header().version, block: number };
            }
        }
        for ((record, chain), is_new) in records.iter().zip(chains).zip(is_new) {
            let header = record.header();
            if header.terminal {
                streams.remove(&header.stream);
            } else if is_new {
                streams.insert(header.stream, SealTip { chain, version: header.version, block: number });
            }
        }
    } else {
        for ((record, event), chain) in records.iter().zip(events).zip(&mut chains) {
            let tip = streams.entry(record.header().stream).or_insert(NEW);
            note(record.header(), tip);
            *chain = chain_hash(&tip.chain, event);
            *tip = SealTip { chain: *chain, version: record.header().version, block: number };
            if record.header().terminal {
                streams.remove(&record.header().stream);
            }
        }
    }
    chains
}

impl SignedBlock {
    /// Cuts the records into chunks and packs everything into frames.
    pub fn pack(self, compressor: &mut Compressor) -> SealedBlock {
        let BlockBody { partition, number, first_seq, .. } = self.body;
        let (mut start, mut seq) = (0, first_seq);
        let mut chunks = Vec::with_capacity(self.cuts.len());
        for Cut { end, records } in self.cuts {
            let key = FrameKey { partition, seq, kind: FrameType::Chunk };
            chunks.push(Frame::encode(key, records, &self.records[start..end], compressor));
            (start, seq) = (end, seq + u64::from(records));
        }
        let key = FrameKey { partition, seq: seq - 1, kind: FrameType::Block };
        let block = Frame::encode(key, 0, &join_body_and_seal(self.body_bytes, &self.seal), compressor);
        SealedBlock {
            partition,
            number,
            first_seq,
            size: self.body.size(),
            previous_hash: self.previous_hash,
            hash: self.hash,
            seal: self.seal,
            chunks,
            block,
        }
    }
}

fn secret_of_the_system() -> Result<[u8; 32], SignError> {
    let mut secret = [0; 32];
    crate::entropy::fill(&mut secret).map_err(SignError::Entropy)?;
    Ok(secret)
}
