//! Judges one block by itself: everything that its own bytes, index and frontier can decide.
//!
//! This is where the time goes. It reads nothing but its arguments, so blocks can be digested in any order and on any number of threads.

use actum_log::{Frame, FrameKey, FrameType};

use crate::body::{BlockRecord, Body, IndexEntry};
use crate::checkpoint::Checkpoint;
use crate::context::{Context, Signer};
use crate::defect::Defect;
use crate::fault::{Fault, Part, Place};
use crate::frame::{CheckedFrame, Header, Kind};
use crate::hash::{Hash, KEYS, keyed};
use crate::input::BlockInput;
use crate::keys::KeyChange;
use crate::limits::BLOCK_RECORD_BYTES_MAX;
use crate::records::Records;
use crate::seal::{Note, SealText};
use crate::tree::{self, Subtree};

/// What remains of a block once its own bytes were judged: what has to fit the blocks before and after it.
#[derive(Debug)]
pub struct BlockDigest {
    pub(crate) place: Place,
    pub(crate) partition: u16,
    pub(crate) number: u64,
    pub(crate) first_seq: u64,
    pub(crate) size: u64,
    pub(crate) record_bytes: u64,
    pub(crate) root_before: Hash,
    pub(crate) root: Hash,
    pub(crate) hash: Hash,
    pub(crate) record: BlockRecord,
    pub(crate) first_time: u64,
    pub(crate) last_time: u64,
    /// What the index says of each stream before the block.
    pub(crate) index: Vec<IndexEntry>,
    /// What the block makes of each, in the same order.
    pub(crate) streams: Vec<StreamLink>,
    /// `E` of each record.
    pub(crate) events: Vec<Hash>,
    /// For each record: the seq of its stream's event before it.
    pub(crate) previous: Vec<u64>,
    /// Subtrees over the event hashes in the block of each stream that states a root; `StreamLink` says which are whose.
    pub(crate) subtrees: Vec<Subtree>,
    /// The stream roots that terminal records state.
    pub(crate) stream_roots: Vec<Hash>,
    /// Records of kind 2 and 3, with their seqs.
    pub(crate) key_changes: Vec<(u64, KeyChange)>,
    /// The checkpoint of the block, with its seq.
    pub(crate) checkpoint: Option<(u64, Checkpoint)>,
    pub(crate) seal: Vec<u8>,
    /// The seal's first line is the genesis key's, and its signature fits.
    pub(crate) genesis_signed: bool,
}

impl BlockDigest {
    /// Partition of the block.
    pub fn partition(&self) -> u16 {
        self.partition
    }

    /// Its number in the partition.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Events in it.
    pub fn events(&self) -> u64 {
        self.size - self.first_seq
    }

    /// Bytes of its records before compression.
    pub fn record_bytes(&self) -> u64 {
        self.record_bytes
    }
}

/// One stream after a block. Kept small: records of a block touch it in random order.
#[derive(Debug, Clone)]
pub(crate) struct StreamLink {
    pub(crate) version: u64,
    pub(crate) previous: u64,
    pub(crate) chain: Hash,
    /// Seq of its first record in the block, where a fault of the stream is placed.
    pub(crate) first_seq: u64,
    /// Its run in `BlockDigest::subtrees`.
    pub(crate) subtrees_from: u32,
    pub(crate) subtrees_to: u32,
    /// Its place in `BlockDigest::stream_roots`, or `NO_ROOT`.
    pub(crate) stream_root: u32,
    pub(crate) ended: bool,
}

/// `StreamLink::stream_root` where no record states one.
pub(crate) const NO_ROOT: u32 = u32::MAX;

/// Re-hashes a block and checks all that can be checked without its neighbours: frames, records, stream rules against the
/// block's own index, root from the block's own frontier, block hash, and the seal. Its signature is checked here if it is
/// the genesis key's; a later key is only known to the linker, which then checks it.
///
/// # Errors
/// The first thing that is wrong: damaged frames before the seal, the seal before the records, records in order of their seqs.
pub fn digest_block(input: &BlockInput, context: &Context) -> Result<BlockDigest, Fault> {
    let chunks = check_chunks(input)?;
    let block_fault = |defect| input.block_place(Part::Block).fault(defect);
    let block = check_frame(input, &input.block, FrameType::Block).map_err(block_fault)?;
    let mut block_bytes = Vec::new();
    let body = block.body(&mut block_bytes).and_then(Body::parse).map_err(block_fault)?;
    let chunk_records = chunks.iter().map(|chunk| u64::from(chunk.header.count)).sum();
    check_body(input, &body, chunk_records, block.header.seq).map_err(block_fault)?;
    let hash = keyed(&KEYS.block, body.bytes);
    let size = body.first_seq + u64::from(body.records);
    let signer = context.signers.get(usize::from(input.partition)).ok_or_else(|| block_fault(Defect::Partition))?;
    let sealed = SealText { name: &signer.name, size, root: body.root, number: body.number, hash };
    let genesis_signed = check_seal(body.seal, &sealed, signer, context)
        .map_err(|defect| input.block_place(Part::Seal).fault(defect))?;

    body.check_index().map_err(block_fault)?;

    let mut records = Records::new(&body);
    for (index, chunk) in chunks.iter().enumerate() {
        records.read_chunk(input, index, chunk)?;
    }
    let record = records.finish(&body).map_err(block_fault)?;
    let frontier = tree::frontier(body.first_seq, body.frontier).ok_or_else(|| block_fault(Defect::Frontier))?;
    let root_before = tree::root(&frontier);
    if records.root_after(frontier, body.first_seq) != body.root {
        return Err(block_fault(Defect::Root));
    }
    let subtrees = records.stream_subtrees();
    Ok(BlockDigest {
        place: input.block_place(Part::Block),
        partition: body.partition,
        number: body.number,
        first_seq: body.first_seq,
        size,
        record_bytes: body.record_bytes,
        root_before,
        root: body.root,
        hash,
        record,
        first_time: records.first_time,
        last_time: records.last_time,
        index: records.index,
        streams: records.streams,
        events: records.events,
        previous: records.previous,
        subtrees,
        stream_roots: records.stream_roots,
        key_changes: records.key_changes,
        checkpoint: records.checkpoint,
        seal: body.seal.to_vec(),
        genesis_signed,
    })
}

/// Checks the seal's form and text, and its signature if it is the genesis key's; says whether it is.
fn check_seal(seal: &[u8], sealed: &SealText<'_>, signer: &Signer, context: &Context) -> Result<bool, Defect> {
    let note = Note::parse(seal)?;
    note.said.check(sealed)?;
    // Without a next key there can be no other.
    let is_genesis = note.names(0, &signer.name, signer.id) || context.genesis.next.is_none();
    if is_genesis && !note.is_signed(0, &signer.name, signer.id, &context.key) {
        return Err(Defect::Signature);
    }
    Ok(is_genesis)
}

/// Checks the chunk frames by themselves and that their seqs join.
fn check_chunks(input: &BlockInput) -> Result<Vec<CheckedFrame<'_>>, Fault> {
    let mut checked: Vec<CheckedFrame<'_>> = Vec::with_capacity(input.chunks.len());
    let (mut expected, mut raw_bytes) = (input.first_seq, 0);
    for (index, frame) in input.chunks.iter().enumerate() {
        let place = Place { seq_end: chunk_end(frame, expected), ..input.place(Part::Chunk, index).seq(expected) };
        let chunk = check_frame(input, frame, FrameType::Chunk).map_err(|defect| place.fault(defect))?;
        if chunk.header.seq != expected {
            return Err(place.fault(Defect::Seq { expected, found: chunk.header.seq }));
        }
        raw_bytes += chunk.header.raw_bytes as u64;
        if raw_bytes > BLOCK_RECORD_BYTES_MAX {
            return Err(place.fault(Defect::Layout("a block's records have at most 64 MiB")));
        }
        expected = expected.saturating_add(u64::from(chunk.header.count));
        checked.push(chunk);
    }
    Ok(checked)
}

/// Where the chunk ends as its header says, unless the header says another beginning than expected.
fn chunk_end(frame: &Frame, expected: u64) -> Option<u64> {
    let header = Header::parse(frame.bytes.first_chunk()?).ok()?;
    if header.seq == expected { expected.checked_add(u64::from(header.count)) } else { None }
}

fn check_frame<'a>(input: &BlockInput, frame: &'a Frame, kind: FrameType) -> Result<CheckedFrame<'a>, Defect> {
    let checked = CheckedFrame::new(&frame.bytes)?;
    let header = &checked.header;
    let fits = matches!((header.kind, kind), (Kind::Chunk, FrameType::Chunk) | (Kind::Block, FrameType::Block));
    if !fits || frame.key != (FrameKey { partition: header.partition, seq: header.seq, kind }) {
        return Err(Defect::StoredKey);
    }
    if header.partition != input.partition {
        return Err(Defect::Partition);
    }
    Ok(checked)
}

/// Checks the body against what is expected and against the frames around it.
fn check_body(input: &BlockInput, body: &Body<'_>, chunk_records: u64, frame_seq: u64) -> Result<(), Defect> {
    if body.partition != input.partition {
        return Err(Defect::Partition);
    }
    if body.number != input.number {
        return Err(Defect::BlockNumber { expected: input.number, found: body.number });
    }
    if body.first_seq != input.first_seq {
        return Err(Defect::Seq { expected: input.first_seq, found: body.first_seq });
    }
    if body.chunks as usize != input.chunks.len() {
        return Err(Defect::Content("number of chunks"));
    }
    // From here on no seq of the block can overflow: the body's last one does not.
    if chunk_records != u64::from(body.records) {
        return Err(Defect::Content("number of records"));
    }
    if frame_seq != body.first_seq + u64::from(body.records) - 1 {
        return Err(Defect::Content("last seq"));
    }
    Ok(())
}
