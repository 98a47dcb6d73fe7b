//! Takes events, numbers them and gathers them into blocks, on the caller's thread.

use std::sync::Arc;

use crate::block::{BLOCK_RECORD_BYTES, BLOCK_RECORD_PAYLOAD_BYTES};
use crate::ended::EndedStreams;
use crate::extension::{Extensions, ExtensionsBuf, STREAM_ROOT_BYTES};
use crate::key_change::NewSigner;
use crate::keys::{BlockKeys, Keys};
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX, HEADER_BYTES, PAYLOAD_BYTES_MAX, STAGE_BYTES, STAGE_RECORDS};
use crate::record::{
    BLOCK_KIND, BLOCK_STREAM, CHECKPOINT_KIND, CHECKPOINT_STREAM, Header, KEY_STREAM, SYSTEM_STREAM_LAST,
};
use crate::signer::Signer;
use crate::stream_map::StreamMap;

/// An event that is to be appended.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// The event's subject: a case (1 to 2^63-1) or a system stream other than blocks, keys and checkpoints.
    pub stream: u64,
    /// Payload type, at least 5.
    pub kind: u16,
    /// Version of the payload type, from 1.
    pub schema: u16,
    /// No event of this stream follows, ever.
    pub terminal: bool,
    /// Who caused it: 0 the engine itself.
    pub actor: u32,
    /// Seq of the event that caused this one.
    pub cause: Option<u64>,
    /// The clock, in nanoseconds since 1970. The event's time is this, or the event's before it if that is later.
    pub time: u64,
    /// Optional fields. With an encryption key id among them the payload is flagged as ciphertext.
    pub extensions: Extensions<'a>,
    /// The payload as it is to be stored.
    pub payload: &'a [u8],
}

/// Where an event came to lie. It is not durable yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// Position in the partition.
    pub seq: u64,
    /// Position in the stream.
    pub version: u64,
    /// Time in the log.
    pub time: u64,
}

/// Why an event was not taken. Nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The open block cannot take the event: close it and push again.
    #[error("the open block is full")]
    BlockFull,
    /// The payload is longer than the format allows.
    #[error("a payload of {0} bytes is longer than {PAYLOAD_BYTES_MAX}")]
    PayloadTooLong(usize),
    /// The kind is the log's own, or the schema is zero.
    #[error("kind {kind} schema {schema} must not be pushed")]
    Kind {
        /// Kind.
        kind: u16,
        /// Schema.
        schema: u16,
    },
    /// The stream is none that may be written.
    #[error("stream {0:#x} must not be pushed to")]
    Stream(u64),
    /// The stream has ended.
    #[error("stream {0:#x} has ended")]
    Ended(u64),
    /// The cause is not an earlier event.
    #[error("cause {cause} is not before seq {seq}")]
    Cause {
        /// The cause that was given.
        cause: u64,
        /// The seq that the event would have.
        seq: u64,
    },
    /// A stream root was given for an event that does not end its stream.
    #[error("only a terminal event carries a stream root")]
    StreamRoot,
    /// A checkpoint needs a log that was opened with a stream table.
    #[error("the log was not opened with a stream table, so nothing is known to make a checkpoint of")]
    NoStreamTable,
    /// The open block has a checkpoint: close it first.
    #[error("the open block has a checkpoint already")]
    SecondCheckpoint,
}

/// When an open block counts as full. Above the format's own limits it never grows, whatever is set here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageLimits {
    /// Records, the block record among them.
    pub records: usize,
    /// Bytes of the records.
    pub bytes: usize,
}

impl Default for StageLimits {
    fn default() -> Self {
        Self { records: STAGE_RECORDS, bytes: STAGE_BYTES }
    }
}

/// Clock readings at the closing of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clocks {
    /// Raw wall clock, nanoseconds since 1970.
    pub wall_ns: i64,
    /// Nanoseconds since the log was opened for writing.
    pub monotonic_ns: u64,
}

/// A block that takes no more events and waits for its seal.
#[derive(Debug, Clone)]
pub struct OpenBlock {
    pub(crate) first_seq: u64,
    pub(crate) records: u32,
    // The block record's payload is zero; the sealer writes it.
    pub(crate) bytes: Vec<u8>,
    pub(crate) clocks: Clocks,
    pub(crate) new_signer: Option<Box<NewSigner>>,
    // Offset of a checkpoint's payload; the sealer writes its first bytes.
    pub(crate) checkpoint: Option<usize>,
}

impl OpenBlock {
    /// Seq of the block record.
    pub fn first_seq(&self) -> u64 {
        self.first_seq
    }

    /// Tree size after the block.
    pub fn size(&self) -> u64 {
        self.first_seq + u64::from(self.records)
    }

    /// Number of records, the block record among them.
    pub fn records(&self) -> u32 {
        self.records
    }

    /// Who signs the blocks after this one, where this one changes the key.
    pub fn signer_after(&self) -> Option<Arc<dyn Signer>> {
        self.new_signer.as_ref().map(|new| new.signer.clone())
    }

    /// Bytes of the records.
    pub fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct StageTip {
    pub(crate) version: u64,
    pub(crate) last_seq: u64,
}

/// Numbers events and encodes them into the open block. Made by `Resume::open`.
///
/// A stream that ended stays in memory as about one bit, so that pushing to it is refused for ever.
#[derive(Debug)]
pub struct Stage {
    limits: StageLimits,
    next_seq: u64,
    last_time: u64,
    streams: StreamMap<StageTip>,
    ended: EndedStreams,
    // The sealer states the roots of streams that end.
    stream_roots: bool,
    // The sealer knows all streams.
    pub(crate) stream_table: bool,
    // The keys before the open block.
    pub(crate) keys: Keys,
    // The open block; empty when there is none.
    pub(crate) bytes: Vec<u8>,
    records: u32,
    pub(crate) changes: BlockKeys,
    pub(crate) new_signer: Option<NewSigner>,
    pub(crate) checkpoint: Option<usize>,
}

/// Where the staging continues.
pub(crate) struct StageParts {
    pub(crate) limits: StageLimits,
    pub(crate) next_seq: u64,
    pub(crate) last_time: u64,
    pub(crate) streams: StreamMap<StageTip>,
    pub(crate) ended: EndedStreams,
    pub(crate) keys: Keys,
    /// Whether terminal events get room for a stream root.
    pub(crate) stream_roots: bool,
    /// Whether the sealer can fill in a checkpoint.
    pub(crate) stream_table: bool,
}

impl Stage {
    pub(crate) fn new(parts: StageParts) -> Self {
        let StageParts { limits, next_seq, last_time, streams, ended, keys, stream_roots, stream_table } = parts;
        Self {
            limits,
            next_seq,
            last_time,
            streams,
            ended,
            stream_roots,
            stream_table,
            keys,
            bytes: Vec::new(),
            records: 0,
            changes: BlockKeys::default(),
            new_signer: None,
            checkpoint: None,
        }
    }

    /// Appends an event to the open block; the first one opens it, and the block record takes the seq before it.
    #[inline]
    pub fn push(&mut self, draft: &Draft<'_>) -> Result<Pushed, PushError> {
        check(draft, self.next_seq + u64::from(self.bytes.is_empty()))?;
        self.push_own(draft)
    }

    /// Appends an event that the log may write, also one of its own kinds.
    #[inline]
    pub(crate) fn push_own(&mut self, draft: &Draft<'_>) -> Result<Pushed, PushError> {
        let opens = self.bytes.is_empty();
        let seq = self.next_seq + u64::from(opens);
        let with_root =
            if self.stream_roots && draft.terminal { draft.extensions.with_stream_root(&[0; 32]) } else { None };
        let extensions = with_root.as_ref().map_or(draft.extensions, ExtensionsBuf::as_ref).bytes();
        let length = HEADER_BYTES + extensions.len() + draft.payload.len();
        if self.records as usize >= BLOCK_RECORDS_MAX || self.bytes.len() + length > BLOCK_BYTES_MAX {
            return Err(PushError::BlockFull);
        }
        let (version, previous) = self.advance(draft.stream, seq)?;
        if draft.terminal {
            self.streams.remove(draft.stream);
            self.ended.insert(draft.stream);
        }
        let time = draft.time.max(self.last_time);
        self.last_time = time;
        if opens {
            self.open_block();
        }
        let header = Header {
            length: length as u32,
            kind: draft.kind,
            schema: draft.schema,
            terminal: draft.terminal,
            encrypted: is_encrypted(draft),
            extension_length: extensions.len() as u16,
            actor: draft.actor,
            seq,
            stream: draft.stream,
            time,
            previous,
            cause: draft.cause,
            version,
        };
        self.append(&header, extensions, draft.payload);
        Ok(Pushed { seq, version, time })
    }

    /// Whether the open block has reached its limits. Ask between commands, so that the events of one stay in one block.
    pub fn is_full(&self) -> bool {
        self.records as usize >= self.limits.records || self.bytes.len() >= self.limits.bytes
    }

    /// Whether so many more events with so many bytes (headers, extensions and payloads) are sure to fit into the open block.
    pub fn has_room(&self, records: usize, bytes: usize) -> bool {
        let roots = if self.stream_roots { records.saturating_mul(STREAM_ROOT_BYTES) } else { 0 };
        let bytes = bytes.saturating_add(roots);
        self.records as usize + records < BLOCK_RECORDS_MAX
            && self.bytes.len() + bytes + BLOCK_RECORD_BYTES <= BLOCK_BYTES_MAX
    }

    /// Events in the open block, without the block record.
    pub fn open_events(&self) -> u32 {
        self.records.saturating_sub(1)
    }

    /// Version of a stream that has begun and not ended.
    pub fn version(&self, stream: u64) -> Option<u64> {
        self.streams.get(stream).map(|tip| tip.version)
    }

    /// Whether a stream has ended.
    pub fn has_ended(&self, stream: u64) -> bool {
        self.ended.contains(stream)
    }

    /// The seq that the next record takes: a block record if no block is open.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Time of the last event.
    pub fn last_time(&self) -> u64 {
        self.last_time
    }

    /// Closes the open block; `None` when nothing was pushed.
    pub fn close(&mut self, clocks: Clocks) -> Option<OpenBlock> {
        if self.bytes.is_empty() {
            return None;
        }
        // Blocks of one log tend to be of one size.
        let next = Vec::with_capacity(self.bytes.len().min(self.limits.bytes));
        let bytes = std::mem::replace(&mut self.bytes, next);
        let records = std::mem::take(&mut self.records);
        let new_signer = self.take_new_signer().map(Box::new);
        let checkpoint = self.checkpoint.take();
        let first_seq = self.next_seq - u64::from(records);
        Some(OpenBlock { first_seq, records, bytes, clocks, new_signer, checkpoint })
    }

    /// Version and previous seq of the stream's next event, which gets `seq`.
    #[inline]
    fn advance(&mut self, stream: u64, seq: u64) -> Result<(u64, Option<u64>), PushError> {
        if let Some(tip) = self.streams.get_mut(stream) {
            tip.version += 1;
            return Ok((tip.version, Some(std::mem::replace(&mut tip.last_seq, seq))));
        }
        if self.ended.contains(stream) {
            return Err(PushError::Ended(stream));
        }
        self.streams.insert(stream, StageTip { version: 1, last_seq: seq });
        Ok((1, None))
    }

    fn open_block(&mut self) {
        let seq = self.next_seq;
        let tip = self.streams.get_or_insert_with(BLOCK_STREAM, || StageTip { version: 0, last_seq: 0 });
        let previous = (tip.version > 0).then_some(tip.last_seq);
        *tip = StageTip { version: tip.version + 1, last_seq: seq };
        let header = Header {
            length: BLOCK_RECORD_BYTES as u32,
            kind: BLOCK_KIND,
            schema: 1,
            terminal: false,
            encrypted: false,
            extension_length: 0,
            actor: 0,
            seq,
            stream: BLOCK_STREAM,
            time: self.last_time,
            previous,
            cause: None,
            version: tip.version,
        };
        self.append(&header, &[], &[0; BLOCK_RECORD_PAYLOAD_BYTES]);
    }

    #[inline]
    fn append(&mut self, header: &Header, extensions: &[u8], payload: &[u8]) {
        self.bytes.extend_from_slice(&header.encode());
        self.bytes.extend_from_slice(extensions);
        self.bytes.extend_from_slice(payload);
        self.records += 1;
        self.next_seq += 1;
    }
}

#[inline]
fn check(draft: &Draft<'_>, seq: u64) -> Result<(), PushError> {
    if draft.payload.len() > PAYLOAD_BYTES_MAX {
        return Err(PushError::PayloadTooLong(draft.payload.len()));
    }
    if draft.kind <= CHECKPOINT_KIND || draft.schema == 0 {
        return Err(PushError::Kind { kind: draft.kind, schema: draft.schema });
    }
    let own = matches!(draft.stream, BLOCK_STREAM | KEY_STREAM | CHECKPOINT_STREAM);
    if draft.stream == 0 || own || draft.stream > SYSTEM_STREAM_LAST {
        return Err(PushError::Stream(draft.stream));
    }
    if let Some(cause) = draft.cause.filter(|cause| *cause >= seq) {
        return Err(PushError::Cause { cause, seq });
    }
    if !draft.terminal && draft.extensions.stream_root().is_some() {
        return Err(PushError::StreamRoot);
    }
    Ok(())
}

#[inline]
fn is_encrypted(draft: &Draft<'_>) -> bool {
    !draft.extensions.bytes().is_empty() && draft.extensions.encryption_key_id().is_some()
}
