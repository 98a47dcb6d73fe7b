//! The records of one block: their rules, their hashes, and what they make of their streams.

use rustc_hash::FxHashMap;

use crate::body::{BlockRecord, Body, IndexEntry};
use crate::checkpoint::Checkpoint;
use crate::defect::Defect;
use crate::digest::{NO_ROOT, StreamLink};
use crate::event_hash::{self, EventHasher, Parts, Window};
use crate::fault::{Fault, Part, Place};
use crate::frame::CheckedFrame;
use crate::hash::Hash;
use crate::input::BlockInput;
use crate::keys::KeyChange;
use crate::lanes::LANES;
use crate::limits::{BLOCK_KIND, BLOCK_STREAM, CHECKPOINT_KIND, NONE, RECORD_HEADER_BYTES};
use crate::record::Record;
use crate::tree::{self, Subtree};

/// The records of a block, read so far.
pub(crate) struct Records {
    hasher: EventHasher,
    pub(crate) index: Vec<IndexEntry>,
    /// In the order of the index.
    pub(crate) streams: Vec<StreamLink>,
    pub(crate) stream_roots: Vec<Hash>,
    by_stream: FxHashMap<u64, u32>,
    /// For each record: its stream's place in `streams`, and its version.
    rows: Vec<(u32, u64)>,
    /// For each record: `E`.
    pub(crate) events: Vec<Hash>,
    /// For each record: the seq of its stream's event before it.
    pub(crate) previous: Vec<u64>,
    block_record: Option<BlockRecord>,
    /// Records of kind 2 and 3, with their seqs.
    pub(crate) key_changes: Vec<(u64, KeyChange)>,
    /// The checkpoint of the block, with its seq.
    pub(crate) checkpoint: Option<(u64, Checkpoint)>,
    first_seq: u64,
    next_seq: u64,
    record_bytes: u64,
    pub(crate) first_time: u64,
    pub(crate) last_time: u64,
    scratch: Vec<u8>,
}

impl Records {
    pub(crate) fn new(body: &Body<'_>) -> Self {
        let index: Vec<IndexEntry> = body.index().collect();
        let by_stream = index.iter().zip(0..).map(|(entry, at)| (entry.stream, at)).collect();
        let link = |entry: &IndexEntry| StreamLink {
            version: entry.version,
            previous: entry.previous,
            chain: entry.chain,
            first_seq: NONE,
            subtrees_from: 0,
            subtrees_to: 0,
            stream_root: NO_ROOT,
            ended: false,
        };
        let streams = index.iter().map(link).collect();
        let records = body.records as usize;
        Records {
            hasher: EventHasher::new(&body.secret),
            index,
            streams,
            stream_roots: Vec::new(),
            by_stream,
            rows: Vec::with_capacity(records),
            events: Vec::with_capacity(records),
            previous: Vec::with_capacity(records),
            block_record: None,
            key_changes: Vec::new(),
            checkpoint: None,
            first_seq: body.first_seq,
            next_seq: body.first_seq,
            record_bytes: 0,
            first_time: 0,
            last_time: 0,
            scratch: Vec::new(),
        }
    }

    pub(crate) fn read_chunk(
        &mut self,
        input: &BlockInput,
        index: usize,
        chunk: &CheckedFrame<'_>,
    ) -> Result<(), Fault> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let end = chunk.header.seq.saturating_add(u64::from(chunk.header.count));
        let chunk_fault = |defect| {
            let place = input.place(Part::Chunk, index).seq(chunk.header.seq);
            Place { seq_end: Some(end), ..place }.fault(defect)
        };
        let mut rest = chunk.body(&mut scratch).map_err(chunk_fault)?;
        self.record_bytes += rest.len() as u64;
        let mut window = Window::default();
        for _ in 0..chunk.header.count {
            let (parts, after) = self
                .read_record(rest)
                .map_err(|defect| input.place(Part::Event, index).seq(self.next_seq).fault(defect))?;
            rest = after;
            if window.push(parts) {
                self.hasher.hash(&mut window, &mut self.events);
            }
        }
        self.hasher.hash(&mut window, &mut self.events);
        if !rest.is_empty() {
            return Err(chunk_fault(Defect::Layout("a chunk holds as many records as it says, and nothing else")));
        }
        self.scratch = scratch;
        Ok(())
    }

    #[inline]
    fn read_record<'a>(&mut self, bytes: &'a [u8]) -> Result<(Parts<'a>, &'a [u8]), Defect> {
        let (record, rest) = Record::parse(bytes)?;
        if record.seq != self.next_seq {
            return Err(Defect::Seq { expected: self.next_seq, found: record.seq });
        }
        let stream = self.by_stream.get(&record.stream).copied();
        let stream = stream.ok_or(Defect::StreamIndexSet { stream: record.stream })?;
        let link = &mut self.streams[stream as usize];
        if link.ended {
            return Err(Defect::AfterTerminal { stream: record.stream });
        }
        let version = link.version.checked_add(1).ok_or(Defect::Layout("a version is less than 2^64"))?;
        if record.version != version {
            return Err(Defect::Version { expected: version, found: record.version });
        }
        if record.previous != link.previous || (record.previous != NONE && record.previous >= record.seq) {
            return Err(Defect::Previous);
        }
        if record.time < self.last_time {
            return Err(Defect::Time);
        }
        if link.first_seq == NONE {
            link.first_seq = record.seq;
        }
        link.version = version;
        link.previous = record.seq;
        link.ended = record.terminal;
        if let Some(root) = record.stream_root {
            link.stream_root = self.stream_roots.len() as u32;
            self.stream_roots.push(*root);
        }
        if self.rows.is_empty() {
            self.first_time = record.time;
            self.block_record = Some(read_block_record(&record)?);
        } else if record.stream == BLOCK_STREAM {
            return Err(Defect::Layout("only the first record of a block is a block record"));
        } else if record.kind <= CHECKPOINT_KIND {
            self.read_system_record(&record)?;
        }
        self.last_time = record.time;
        self.next_seq += 1;
        self.rows.push((stream, version));
        self.previous.push(record.previous);
        Ok(((record.head, record.payload), rest))
    }

    /// A record whose payload the log itself gives a meaning.
    #[cold]
    fn read_system_record(&mut self, record: &Record<'_>) -> Result<(), Defect> {
        match record.kind {
            BLOCK_KIND => {}
            CHECKPOINT_KIND if self.checkpoint.is_some() => {
                return Err(Defect::Layout("a block has at most one checkpoint"));
            }
            CHECKPOINT_KIND => {
                let checkpoint = Checkpoint::parse(record.payload)?;
                if checkpoint.size != self.first_seq {
                    return Err(Defect::Checkpoint("size"));
                }
                self.checkpoint = Some((record.seq, checkpoint));
            }
            kind => self.key_changes.push((record.seq, KeyChange::parse(kind, record.payload)?)),
        }
        Ok(())
    }

    /// Holds the records against the body, once all are read.
    pub(crate) fn finish(&self, body: &Body<'_>) -> Result<BlockRecord, Defect> {
        if self.record_bytes != body.record_bytes {
            return Err(Defect::Content("bytes of records"));
        }
        if let Some(unused) = self.streams.iter().position(|link| link.first_seq == NONE) {
            return Err(Defect::StreamIndexSet { stream: self.index[unused].stream });
        }
        let record = self.block_record.ok_or(Defect::Content("number of records"))?;
        if record.number != body.number {
            return Err(Defect::Content("block record's number"));
        }
        Ok(record)
    }

    /// Chains each stream and appends all leaves to the tree before the block.
    pub(crate) fn root_after(&mut self, mut tree: Vec<Subtree>, first_seq: u64) -> Hash {
        let mut leaf = [0; 48];
        let mut seq = first_seq;
        let (mut rows, mut events) = (&self.rows[..], &self.events[..]);
        while !rows.is_empty() {
            let (run, later_rows) = rows.split_at(distinct_run(rows));
            let (run_events, later_events) = events.split_at(run.len());
            let mut links = [[0; 64]; LANES];
            for ((link, &(stream, _)), event) in links.iter_mut().zip(run).zip(run_events) {
                link[..32].copy_from_slice(&self.streams[stream as usize].chain);
                link[32..].copy_from_slice(event);
            }
            for (&(stream, version), chain) in run.iter().zip(event_hash::chain(&links[..run.len()])) {
                self.streams[stream as usize].chain = chain;
                leaf[..32].copy_from_slice(&chain);
                leaf[32..40].copy_from_slice(&seq.to_le_bytes());
                leaf[40..].copy_from_slice(&version.to_le_bytes());
                tree::append(&mut tree, 0, seq, Subtree { level: 0, hash: tree::leaf_hash(&leaf) });
                seq += 1;
            }
            (rows, events) = (later_rows, later_events);
        }
        tree::root(&tree)
    }

    /// Subtrees over the event hashes of the streams that state a root. A terminal event is not under its own root.
    pub(crate) fn stream_subtrees(&mut self) -> Vec<Subtree> {
        let (mut subtrees, mut rows) = (Vec::new(), Vec::new());
        for (before, link) in self.index.iter().zip(&mut self.streams) {
            if link.stream_root == NO_ROOT {
                continue;
            }
            let row_of = |seq: u64| seq.checked_sub(self.first_seq).filter(|_| seq != NONE).map(|row| row as usize);
            let previous = |row: usize| self.previous.get(row).copied().and_then(row_of);
            rows.clear();
            rows.extend(std::iter::successors(row_of(link.previous).and_then(previous), |row| previous(*row)));
            let from = subtrees.len();
            for (index, &row) in (before.version..).zip(rows.iter().rev()) {
                let hash = tree::leaf_hash(&self.events[row]);
                tree::append(&mut subtrees, from, index, Subtree { level: 0, hash });
            }
            (link.subtrees_from, link.subtrees_to) = (from as u32, subtrees.len() as u32);
        }
        subtrees
    }
}

/// How many of the next records, at most `LANES`, are of different streams, so that none waits for another's chain value.
fn distinct_run(rows: &[(u32, u64)]) -> usize {
    let rows = &rows[..rows.len().min(LANES)];
    let repeats = |at: &usize| rows[..*at].iter().any(|earlier| earlier.0 == rows[*at].0);
    (1..rows.len()).find(repeats).unwrap_or(rows.len())
}

fn read_block_record(record: &Record<'_>) -> Result<BlockRecord, Defect> {
    if record.stream != BLOCK_STREAM {
        return Err(Defect::Layout("the first record of a block is its block record"));
    }
    let plain = record.schema == 1 && record.actor == 0 && record.cause == NONE && !record.terminal;
    if !plain || record.head.len() != RECORD_HEADER_BYTES {
        return Err(Defect::Layout("a block record has schema 1, actor 0, no flags, no cause and no extensions"));
    }
    BlockRecord::parse(record.payload)
}
