//! One walk through a partition's blocks: what a fold checks of each, and what it knows between two.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use crate::batch::{BATCH, Batch, distinct_streams};
use crate::block::{BlockBody, BlockRecord, StreamEntry, split_body_and_seal};
use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::ended::EndedStreams;
use crate::fold_error::{DecodeError, FoldError, Mismatch, Wrong, ensure, tampered};
use crate::frame::{Frame, FrameType};
use crate::genesis::Genesis;
use crate::hash::{Hash, SALT_BYTES, block_hash, chain_hash, leaf, salts};
use crate::key_record::{Revocation, Rotation};
use crate::keys::{BlockKeys, Keys};
use crate::limits::BLOCK_BYTES_MAX;
use crate::reader::{FoldOptions, Folded, RecordView, SealCheck};
use crate::record::{
    BLOCK_KIND, BLOCK_STREAM, CHECKPOINT_KIND, Header, REVOCATION_KIND, ROTATION_KIND, Record, records_in, take_records,
};
use crate::resume::{Resume, StreamTip};
use crate::seal::{Seal, VerifierKey};
use crate::store::Head;
use crate::stream_table::{StreamLeaf, StreamTable};
use crate::stream_trees::StreamTrees;
use crate::tree::{Frontier, log_leaf_hash};

#[derive(Clone, Copy)]
struct Tip {
    version: u64,
    last_seq: u64,
    chain: Hash,
    block: u64,
}

pub(crate) struct Walk {
    // What is expected next.
    partition: u16,
    keys: Keys,
    origin: String,
    seals: SealCheck,
    // The event hashes of each stream that has not ended, where asked for; and the trees over those before.
    stream_events: Option<FxHashMap<u64, Vec<Hash>>>,
    trees: StreamTrees,
    // The last event of each stream that ended, where asked for.
    ended_leaves: Option<Vec<StreamLeaf>>,
    // Whether these are all that ended, so that checkpoints can be checked against them.
    knows_all: bool,
    head: Option<Head>,
    number: u64,
    previous_hash: Hash,
    // 0 before the first block.
    epoch: u64,
    boot_id: [u8; 16],
    time: u64,
    frontier: Frontier,
    tips: FxHashMap<u64, Tip>,
    ended: EndedStreams,
    last_seal: Option<SignedSeal>,
    // The block that is being read.
    at_seq: u64,
    key_id: [u8; 4],
    changes: BlockKeys,
    has_checkpoint: bool,
    records: Vec<u8>,
    chunks: Vec<ChunkEnd>,
    // Reused.
    batch: Batch,
    salts: Vec<u8>,
    index: Vec<StreamEntry>,
}

/// A seal and the public keys of its first lines.
struct SignedSeal {
    note: Vec<u8>,
    signers: ([u8; 32], Option<[u8; 32]>),
}

struct ChunkEnd {
    bytes: usize,
    seq: u64,
}

impl Walk {
    /// Goes on from `from`. `None` when its frontier does not fit its size.
    pub(crate) fn new(genesis: &Genesis, from: Resume, options: FoldOptions, head: Option<Head>) -> Option<Self> {
        let knows_all = options.stream_table && (from.next_seq == 0 || from.ended_leaves.is_some());
        let tip = |StreamTip { stream, version, last_seq, chain }: StreamTip| {
            (stream, Tip { version, last_seq, chain, block: u64::MAX })
        };
        Some(Self {
            partition: from.partition,
            keys: from.keys,
            origin: genesis.origin().to_owned(),
            seals: options.seals,
            stream_events: options.stream_roots.then(FxHashMap::default),
            trees: from.stream_trees.unwrap_or_default(),
            ended_leaves: options.stream_table.then(|| from.ended_leaves.unwrap_or_default()),
            knows_all,
            head,
            number: from.block_number,
            previous_hash: from.previous_block_hash,
            epoch: from.last_epoch,
            boot_id: from.last_boot_id,
            time: from.last_time,
            frontier: Frontier::from_parts(from.next_seq, from.frontier)?,
            tips: from.streams.into_iter().map(tip).collect(),
            ended: from.ended,
            last_seal: None,
            at_seq: from.next_seq,
            key_id: [0; 4],
            changes: BlockKeys::default(),
            has_checkpoint: false,
            records: Vec::new(),
            chunks: Vec::new(),
            batch: Batch::default(),
            salts: Vec::new(),
            index: Vec::new(),
        })
    }

    /// Tree size after the blocks that were read.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(crate) fn locate(&self, wrong: Wrong) -> FoldError {
        let (partition, block, seq) = (self.partition, self.number, self.at_seq);
        match wrong {
            Wrong::Corrupt(source) => FoldError::Corrupt { partition, block, seq, source },
            Wrong::Tampered(source) => FoldError::Tampered { partition, block, seq, source },
        }
    }

    /// Takes the next frame; true when it completed a block, whose records then wait in `self.records`.
    pub(crate) fn take(&mut self, frame: &Frame) -> Result<bool, Wrong> {
        if self.chunks.is_empty() {
            self.records.clear();
            self.at_seq = self.frontier.size();
        }
        if frame.key.partition != self.partition {
            return Err(DecodeError::Misplaced.into());
        }
        match frame.key.kind {
            FrameType::Chunk => self.take_chunk(frame).map(|()| false),
            FrameType::Block => self.take_block(frame).map(|()| true),
            FrameType::Genesis | FrameType::End | FrameType::Proof => Err(DecodeError::Misplaced.into()),
        }
    }

    fn take_chunk(&mut self, frame: &Frame) -> Result<(), Wrong> {
        let seq = self.chunks.last().map_or(self.frontier.size(), |chunk| chunk.seq);
        self.at_seq = seq;
        ensure(frame.key.seq == seq, Mismatch::Seq)?;
        let header = frame.decode_into(&mut self.records)?;
        if self.records.len() > BLOCK_BYTES_MAX {
            return Err(DecodeError::TooLarge.into());
        }
        let seq = seq.checked_add(u64::from(header.count)).ok_or(tampered(Mismatch::Seq))?;
        self.chunks.push(ChunkEnd { bytes: self.records.len(), seq });
        Ok(())
    }

    fn take_block(&mut self, frame: &Frame) -> Result<(), Wrong> {
        let (_, raw) = frame.decode()?;
        let (body_bytes, seal_bytes) = split_body_and_seal(&raw)?;
        let body = BlockBody::decode(body_bytes)?;
        self.at_seq = self.frontier.size();
        self.check_counts(&body, frame.key.seq)?;
        self.has_checkpoint = false;
        let records = std::mem::take(&mut self.records);
        let checked = self.check_records(&records, &body);
        self.records = records;
        checked?;
        self.at_seq = body.first_seq;
        let changes = std::mem::take(&mut self.changes);
        let signers = changes.signers(&self.keys);
        ensure(self.key_id == self.verifier_key(signers.0).key_id(), Mismatch::KeyId)?;
        self.index.sort_unstable_by_key(|entry| entry.stream);
        ensure(self.index == body.streams, Mismatch::StreamIndex)?;
        ensure(self.frontier.root() == body.root, Mismatch::Root)?;
        let hash = block_hash(body_bytes);
        let seal = SignedSeal { note: seal_bytes.to_vec(), signers };
        self.check_seal(&seal, &body, hash)?;
        if let Some(head) = self.head.as_ref().filter(|head| head.number == self.number) {
            ensure(head.hash == hash && head.size == body.size(), Mismatch::Head)?;
        }
        self.previous_hash = hash;
        self.number += 1;
        self.last_seal = Some(seal);
        self.keys.advance(changes);
        self.chunks.clear();
        Ok(())
    }

    fn check_counts(&self, body: &BlockBody, last_seq: u64) -> Result<(), Wrong> {
        ensure(body.first_seq == self.frontier.size(), Mismatch::Seq)?;
        ensure(body.number == self.number, Mismatch::Number)?;
        let end = self.chunks.last().map_or((0, 0), |chunk| (chunk.bytes as u64, chunk.seq));
        let fits = body.partition == self.partition
            && end == (body.record_bytes, body.size())
            && body.chunks as usize == self.chunks.len()
            && last_seq == body.size() - 1;
        ensure(fits, Mismatch::Counts)?;
        ensure(body.frontier == self.frontier.roots(), Mismatch::Frontier)
    }

    /// Checks each record against its neighbours and hashes it into its stream and the tree.
    fn check_records(&mut self, records: &[u8], body: &BlockBody) -> Result<(), Wrong> {
        salts(&body.secret, body.records as usize, &mut self.salts);
        self.index.clear();
        let (mut rest, mut salts_used, mut chunk) = (records, 0, 0);
        while !rest.is_empty() {
            self.at_seq = self.frontier.size();
            let (group, count) = take_records::<BATCH>(&mut rest)?;
            let salts_end = salts_used + count * SALT_BYTES;
            let salts = self.salts.get(salts_used..salts_end).ok_or(tampered(Mismatch::Counts))?;
            let events = self.batch.event_hashes(&group[..count], salts);
            salts_used = salts_end;
            let mut bytes =
                records.len() - rest.len() - group[..count].iter().map(|record| record.bytes().len()).sum::<usize>();
            let chains = self.chains_together(&group[..count], &events);
            for (lane, record) in group[..count].iter().enumerate() {
                let chain = chains.as_ref().map(|chains| chains[lane]);
                self.check_record(record, &events[lane], chain, body)?;
                bytes += record.bytes().len();
                if let Some(end) = self.chunks.get(chunk).filter(|end| end.bytes <= bytes) {
                    ensure((end.bytes, end.seq) == (bytes, record.header().seq + 1), Mismatch::Counts)?;
                    chunk += 1;
                }
            }
        }
        ensure(self.frontier.size() == body.size(), Mismatch::Counts)
    }

    /// The chain values of a full batch of distinct streams, hashed together; they hold if the records turn out to continue theirs.
    fn chains_together(&self, records: &[Record<'_>], events: &[Hash; BATCH]) -> Option<[Hash; BATCH]> {
        let streams = distinct_streams(records)?;
        let previous = streams.map(|stream| self.tips.get(stream).map_or([0; 32], |tip| tip.chain));
        Some(self.batch.chain_hashes(&previous, events))
    }

    /// `chain` is the record's chain value where that is known already.
    #[inline]
    fn check_record(
        &mut self,
        record: &Record<'_>,
        event: &Hash,
        chain: Option<Hash>,
        body: &BlockBody,
    ) -> Result<(), Wrong> {
        let header = record.header();
        self.at_seq = self.frontier.size();
        ensure(header.seq == self.at_seq, Mismatch::Seq)?;
        ensure(header.time >= self.time, Mismatch::Time)?;
        let is_first = header.seq == body.first_seq;
        ensure(is_first == (header.kind == BLOCK_KIND), Mismatch::BlockRecord)?;
        if is_first {
            self.check_block_record(record)?;
        }
        if header.kind <= CHECKPOINT_KIND {
            self.check_own(record, body)?;
        }
        let chain = self.extend_stream(header, event, chain)?;
        self.frontier.push(log_leaf_hash(&leaf(&chain, header.seq, header.version)));
        self.time = header.time;
        Ok(())
    }

    /// Checks what the log itself means by a record.
    fn check_own(&mut self, record: &Record<'_>, body: &BlockBody) -> Result<(), Wrong> {
        match record.header().kind {
            ROTATION_KIND => self.changes.rotate(&self.keys, Rotation::from_record(record)?)?,
            REVOCATION_KIND => self.changes.revoke(&self.keys, Revocation::from_record(record)?.key)?,
            CHECKPOINT_KIND => {
                if std::mem::replace(&mut self.has_checkpoint, true) {
                    return Err(CheckpointError::Second.into());
                }
                let checkpoint = Checkpoint::from_record(record)?;
                ensure(checkpoint.size == body.first_seq, Mismatch::Checkpoint)?;
                if self.knows_all
                    && let Some(table) = self.table_before(body.first_seq)
                {
                    ensure(Checkpoint::of(&table, checkpoint.application) == checkpoint, Mismatch::Checkpoint)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The streams as they were before the block that is being read, which begins at `size`: those that it touched so far are in the index.
    fn table_before(&self, size: u64) -> Option<StreamTable> {
        let touched: FxHashMap<u64, &StreamEntry> = self.index.iter().map(|entry| (entry.stream, entry)).collect();
        let before = touched.values().filter(|entry| entry.version > 0).map(|entry| StreamLeaf {
            stream: entry.stream,
            version: entry.version,
            chain: entry.chain,
            ended: false,
        });
        let untouched = self.leaves()?.filter(|leaf| !touched.contains_key(&leaf.stream));
        Some(StreamTable::new(size, untouched.chain(before).collect()))
    }

    fn leaves(&self) -> Option<impl Iterator<Item = StreamLeaf>> {
        let open = self.tips.iter().map(|(stream, tip)| StreamLeaf {
            stream: *stream,
            version: tip.version,
            chain: tip.chain,
            ended: false,
        });
        Some(self.ended_leaves.as_ref()?.iter().copied().chain(open))
    }

    /// Checks that an event continues its stream; gives the stream's new chain value.
    #[inline]
    fn extend_stream(&mut self, header: &Header, event: &Hash, chain: Option<Hash>) -> Result<Hash, Wrong> {
        let (stream, block) = (header.stream, self.number);
        let tip = self.tips.entry(stream).or_insert(Tip { version: 0, last_seq: 0, chain: [0; 32], block: u64::MAX });
        let previous = (tip.version > 0).then_some(tip.last_seq);
        if tip.version == 0 {
            ensure(!self.ended.contains(stream), Mismatch::Ended)?;
        }
        ensure(header.version == tip.version + 1 && header.previous == previous, Mismatch::Stream)?;
        if tip.block != block {
            self.index.push(StreamEntry { stream, version: tip.version, previous, chain: tip.chain });
        }
        let chain = chain.unwrap_or_else(|| chain_hash(&tip.chain, event));
        *tip = Tip { version: header.version, last_seq: header.seq, chain, block };
        if let Some(events) = self.stream_events.as_mut().filter(|_| stream != BLOCK_STREAM) {
            if header.terminal {
                events.remove(&stream);
                self.trees.remove(stream);
            } else {
                events.entry(stream).or_default().push(*event);
            }
        }
        if header.terminal {
            self.tips.remove(&stream);
            self.ended.insert(stream);
            if let Some(leaves) = &mut self.ended_leaves {
                leaves.push(StreamLeaf { stream, version: header.version, chain, ended: true });
            }
        }
        Ok(chain)
    }

    fn check_block_record(&mut self, record: &Record<'_>) -> Result<(), Wrong> {
        let BlockRecord { previous_hash, number, epoch, boot_id, key_id, .. } = BlockRecord::from_record(record)?;
        ensure(previous_hash == self.previous_hash, Mismatch::PreviousHash)?;
        ensure(number == self.number, Mismatch::Number)?;
        let first_epoch = self.epoch == 0;
        ensure(epoch >= self.epoch.max(1), Mismatch::Epoch)?;
        ensure(first_epoch || (epoch == self.epoch) == (boot_id == self.boot_id), Mismatch::BootId)?;
        (self.epoch, self.boot_id, self.key_id) = (epoch, boot_id, key_id);
        Ok(())
    }

    fn check_seal(&self, signed: &SignedSeal, body: &BlockBody, hash: Hash) -> Result<(), Wrong> {
        let seal = Seal::parse(&signed.note).map_err(DecodeError::Seal)?;
        let text = &seal.text;
        let fits = text.origin == self.origin
            && (text.partition, text.size, text.root) == (body.partition, body.size(), body.root)
            && (text.number, text.hash) == (body.number, hash);
        ensure(fits, Mismatch::SealText)?;
        let first = self.verifier_key(signed.signers.0).key_id();
        ensure(seal.signatures.first().is_some_and(|line| line.key_id == first), Mismatch::Signature)?;
        // A rotation is believed by its signatures, whoever signs what comes later.
        let rotates = signed.signers.0 != self.keys.in_force() || signed.signers.1.is_some();
        if rotates || self.seals == SealCheck::Every { self.check_signatures(&seal, signed.signers) } else { Ok(()) }
    }

    fn check_signatures(&self, seal: &Seal, signers: ([u8; 32], Option<[u8; 32]>)) -> Result<(), Wrong> {
        for (line, public_key) in [Some(signers.0), signers.1].into_iter().flatten().enumerate() {
            let signed = seal.verify_line(line, &self.verifier_key(public_key));
            signed.map_err(|_| tampered(Mismatch::Signature))?;
        }
        Ok(())
    }

    fn verifier_key(&self, public_key: [u8; 32]) -> VerifierKey {
        VerifierKey::new(&self.origin, self.partition, public_key)
    }

    pub(crate) fn hand_out(&self, each: &mut impl FnMut(&RecordView<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        // Decoded once already, so no error is left to meet.
        for record in records_in(&self.records).flatten() {
            each(&RecordView { partition: self.partition, block: self.number - 1, record })?;
        }
        ControlFlow::Continue(())
    }

    pub(crate) fn finish(&mut self) -> Result<(), Wrong> {
        if !self.chunks.is_empty() {
            return Err(DecodeError::Unfinished.into());
        }
        self.at_seq = self.frontier.size();
        if let (SealCheck::Newest, Some(signed)) = (self.seals, &self.last_seal) {
            let seal = Seal::parse(&signed.note).map_err(DecodeError::Seal)?;
            self.check_signatures(&seal, signed.signers)?;
        }
        // Nothing was read if the source ends where this began; then that must be what was acknowledged.
        let stands = |head: &&Head| self.last_seal.is_none() && head.number + 1 == self.number;
        if let Some(head) = self.head.as_ref().filter(stands) {
            ensure(head.hash == self.previous_hash && head.size == self.frontier.size(), Mismatch::Head)?;
        }
        let behind = self.head.as_ref().is_some_and(|head| head.number >= self.number);
        ensure(!behind, Mismatch::BehindHead)
    }

    pub(crate) fn folded(self, genesis: Genesis, complete: bool) -> Folded {
        let tip = |(stream, tip): (u64, Tip)| {
            let Tip { version, last_seq, chain, .. } = tip;
            StreamTip { stream, version, last_seq, chain }
        };
        let events = self.frontier.size();
        let before = self.trees;
        let trees = |events: FxHashMap<u64, Vec<Hash>>| before.grown(events.iter().map(|(id, new)| (*id, &new[..])));
        let resume = complete.then(|| Resume {
            partition: self.partition,
            next_seq: events,
            last_time: self.time,
            block_number: self.number,
            previous_block_hash: self.previous_hash,
            last_epoch: self.epoch,
            last_boot_id: self.boot_id,
            frontier: self.frontier.roots().to_vec(),
            streams: self.tips.into_iter().map(tip).collect(),
            ended: self.ended,
            stream_trees: self.stream_events.map(trees),
            keys: self.keys,
            ended_leaves: self.ended_leaves,
        });
        let last_seal = self.last_seal.map(|seal| seal.note);
        Folded { genesis, blocks: self.number, events, last_seal, head: self.head, resume }
    }
}
