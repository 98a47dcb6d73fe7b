//! Folds a partition: re-hashes everything, checks links and seals, hands out each record, and says where writing continues.

use std::ops::ControlFlow;

use rustc_hash::FxHashMap;

use crate::batch::{BATCH, Batch, distinct_streams};
use crate::block::{BlockBody, BlockRecord, StreamEntry, split_body_and_seal};
use crate::ended::EndedStreams;
use crate::extension::Extensions;
use crate::fold_error::{DecodeError, FoldError, Mismatch, Wrong, ensure, tampered};
use crate::frame::{Frame, FrameKey, FrameType};
use crate::genesis::Genesis;
use crate::hash::{Hash, SALT_BYTES, block_hash, chain_hash, leaf, salts};
use crate::limits::BLOCK_BYTES_MAX;
use crate::record::{BLOCK_KIND, BLOCK_STREAM, Header, Record, records_in, take_records};
use crate::resume::{Resume, StreamTip};
use crate::seal::{Seal, VerifierKey};
use crate::store::{FrameSource, Head, ReadError};
use crate::stream_trees::StreamTrees;
use crate::tree::{Frontier, log_leaf_hash};

/// Which seals' signatures a fold checks. All else is checked for every block either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SealCheck {
    /// Every block's, before its records are handed out.
    #[default]
    Every,
    /// Only the newest, at the end: it covers the whole partition, and a log of many small blocks folds much faster. The records are
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
/// Checks against the genesis key. Holds one block in memory, and 64 bytes for each stream that has not ended. Optional
/// stream roots of terminal records are left to `actum-verify`.
///
/// # Errors
/// The first thing that does not fit, with block and seq. Records handed out before it were sealed in earlier blocks.
pub fn fold(
    source: &dyn FrameSource,
    partition: u16,
    options: FoldOptions,
    mut each: impl FnMut(&RecordView<'_>) -> ControlFlow<()>,
) -> Result<Folded, FoldError> {
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
    let mut walk = Walk::new(&genesis, partition, options, source.head(partition)?);
    for frame in source.frames(FrameKey::first(partition))? {
        let frame = frame?;
        let block_ended = walk.take(&frame).map_err(|wrong| walk.locate(wrong))?;
        if block_ended && walk.hand_out(&mut each).is_break() {
            return Ok(walk.folded(genesis, false));
        }
    }
    walk.finish().map_err(|wrong| walk.locate(wrong))?;
    Ok(walk.folded(genesis, true))
}

#[derive(Clone, Copy)]
struct Tip {
    version: u64,
    last_seq: u64,
    chain: Hash,
    block: u64,
}

struct Walk {
    // What is expected next.
    partition: u16,
    key: VerifierKey,
    key_id: [u8; 4],
    origin: String,
    seals: SealCheck,
    // The event hashes of each stream that has not ended, where asked for.
    stream_events: Option<FxHashMap<u64, Vec<Hash>>>,
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
    last_seal: Option<Vec<u8>>,
    // The block that is being read.
    at_seq: u64,
    records: Vec<u8>,
    chunks: Vec<ChunkEnd>,
    // Reused.
    batch: Batch,
    salts: Vec<u8>,
    index: Vec<StreamEntry>,
}

struct ChunkEnd {
    bytes: usize,
    seq: u64,
}

impl Walk {
    fn new(genesis: &Genesis, partition: u16, options: FoldOptions, head: Option<Head>) -> Self {
        let key = genesis.verifier_key(partition);
        Self {
            partition,
            key_id: key.key_id(),
            key,
            origin: genesis.origin().to_owned(),
            seals: options.seals,
            stream_events: options.stream_roots.then(FxHashMap::default),
            head,
            number: 0,
            previous_hash: genesis.hash(),
            epoch: 0,
            boot_id: [0; 16],
            time: 0,
            frontier: Frontier::new(),
            tips: FxHashMap::default(),
            ended: EndedStreams::new(),
            last_seal: None,
            at_seq: 0,
            records: Vec::new(),
            chunks: Vec::new(),
            batch: Batch::default(),
            salts: Vec::new(),
            index: Vec::new(),
        }
    }

    fn locate(&self, wrong: Wrong) -> FoldError {
        let (partition, block, seq) = (self.partition, self.number, self.at_seq);
        match wrong {
            Wrong::Corrupt(source) => FoldError::Corrupt { partition, block, seq, source },
            Wrong::Tampered(source) => FoldError::Tampered { partition, block, seq, source },
        }
    }

    /// Takes the next frame; true when it completed a block, whose records then wait in `self.records`.
    fn take(&mut self, frame: &Frame) -> Result<bool, Wrong> {
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
            FrameType::Genesis | FrameType::End => Err(DecodeError::Misplaced.into()),
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
        let records = std::mem::take(&mut self.records);
        let checked = self.check_records(&records, &body);
        self.records = records;
        checked?;
        self.at_seq = body.first_seq;
        self.index.sort_unstable_by_key(|entry| entry.stream);
        ensure(self.index == body.streams, Mismatch::StreamIndex)?;
        ensure(self.frontier.root() == body.root, Mismatch::Root)?;
        let hash = block_hash(body_bytes);
        self.check_seal(seal_bytes, &body, hash)?;
        if let Some(head) = self.head.as_ref().filter(|head| head.number == self.number) {
            ensure(head.hash == hash && head.size == body.size(), Mismatch::Head)?;
        }
        self.previous_hash = hash;
        self.number += 1;
        self.last_seal = Some(seal_bytes.to_vec());
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
        let chain = self.extend_stream(header, event, chain)?;
        self.frontier.push(log_leaf_hash(&leaf(&chain, header.seq, header.version)));
        self.time = header.time;
        Ok(())
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
            } else {
                events.entry(stream).or_default().push(*event);
            }
        }
        if header.terminal {
            self.tips.remove(&stream);
            self.ended.insert(stream);
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
        ensure(key_id == self.key_id, Mismatch::KeyId)?;
        (self.epoch, self.boot_id) = (epoch, boot_id);
        Ok(())
    }

    fn check_seal(&self, bytes: &[u8], body: &BlockBody, hash: Hash) -> Result<(), Wrong> {
        let seal = Seal::parse(bytes).map_err(DecodeError::Seal)?;
        let text = &seal.text;
        let fits = text.origin == self.origin
            && (text.partition, text.size, text.root) == (body.partition, body.size(), body.root)
            && (text.number, text.hash) == (body.number, hash);
        ensure(fits, Mismatch::SealText)?;
        let own = seal.signatures.first().is_some_and(|line| line.key_id == self.key_id);
        ensure(own, Mismatch::Signature)?;
        match self.seals {
            SealCheck::Every => seal.verify(&self.key).map_err(|_| tampered(Mismatch::Signature)),
            SealCheck::Newest => Ok(()),
        }
    }

    fn hand_out(&self, each: &mut impl FnMut(&RecordView<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        // Decoded once already, so no error is left to meet.
        for record in records_in(&self.records).flatten() {
            each(&RecordView { partition: self.partition, block: self.number - 1, record })?;
        }
        ControlFlow::Continue(())
    }

    fn finish(&mut self) -> Result<(), Wrong> {
        if !self.chunks.is_empty() {
            return Err(DecodeError::Unfinished.into());
        }
        self.at_seq = self.frontier.size();
        if let (SealCheck::Newest, Some(bytes)) = (self.seals, &self.last_seal) {
            let seal = Seal::parse(bytes).map_err(DecodeError::Seal)?;
            seal.verify(&self.key).map_err(|_| tampered(Mismatch::Signature))?;
        }
        let behind = self.head.as_ref().is_some_and(|head| head.number >= self.number);
        ensure(!behind, Mismatch::BehindHead)
    }

    fn folded(self, genesis: Genesis, complete: bool) -> Folded {
        let tip = |(stream, tip): (u64, Tip)| {
            let Tip { version, last_seq, chain, .. } = tip;
            StreamTip { stream, version, last_seq, chain }
        };
        let events = self.frontier.size();
        let trees =
            |events: FxHashMap<u64, Vec<Hash>>| StreamTrees::of(events.iter().map(|(id, events)| (*id, &events[..])));
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
        });
        Folded { genesis, blocks: self.number, events, last_seal: self.last_seal, head: self.head, resume }
    }
}
