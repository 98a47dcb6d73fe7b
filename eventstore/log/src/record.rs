//! Gives one event of the log as a view over its bytes (FORMAT.md section 2).

use crate::bytes::at;
use crate::extension::{ExtensionError, Extensions};
use crate::limits::{EXTENSION_BYTES_MAX, HEADER_BYTES, RECORD_BYTES_MAX};

/// The bit that tells the system's streams from cases.
pub const SYSTEM_STREAM: u64 = 1 << 63;
/// The stream of block records.
pub const BLOCK_STREAM: u64 = SYSTEM_STREAM;
/// The highest system stream that format 1 gives a meaning.
pub const SYSTEM_STREAM_LAST: u64 = MESSAGE_STREAM;
/// The stream of changes of keys.
pub const KEY_STREAM: u64 = SYSTEM_STREAM + 2;
/// The stream of checkpoints.
pub const CHECKPOINT_STREAM: u64 = SYSTEM_STREAM + 7;
/// Stream of messages for cases.
pub const MESSAGE_STREAM: u64 = SYSTEM_STREAM + 8;
/// The kind of block records.
pub const BLOCK_KIND: u16 = 1;
/// The kind of rotations.
pub const ROTATION_KIND: u16 = 2;
/// The kind of revocations.
pub const REVOCATION_KIND: u16 = 3;
/// The kind of checkpoints.
pub const CHECKPOINT_KIND: u16 = 4;
/// The first kind that the application gives a meaning.
pub const APPLICATION_KIND_FIRST: u16 = 256;

const NONE: u64 = u64::MAX;
const TERMINAL: u16 = 1;
const ENCRYPTED: u16 = 2;

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The bytes end within a record.
    #[error("the bytes end within a record")]
    Truncated,
    /// The length field is out of its range.
    #[error("the record's length {0} is out of range")]
    Length(u32),
    /// The extension length is out of its range.
    #[error("the record's extension length {0} is out of range")]
    ExtensionLength(u16),
    /// A flag is set that format 1 does not know.
    #[error("the record's flags {0:#06x} are unknown")]
    Flags(u16),
    /// Kind 0 or schema 0.
    #[error("the record's kind or schema is zero")]
    Kind,
    /// Stream 0, or a block record elsewhere than in the block stream, or the reverse.
    #[error("a record of kind {kind} must not lie in stream {stream:#x}")]
    Stream {
        /// Kind of the record.
        kind: u16,
        /// Its stream.
        stream: u64,
    },
    /// Version and previous seq contradict each other, or refer to what is not earlier.
    #[error("the record's version, previous or cause cannot belong to its seq")]
    Links,
    /// The payload is flagged as ciphertext and no extension names its key, or a root is given on a record that does not end its stream.
    #[error("an extension and the record's flags contradict each other")]
    FlagsAndExtensions,
    /// The extension area is malformed.
    #[error("the record's extension area is malformed")]
    Extension(#[from] ExtensionError),
}

/// The fixed header of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the whole record.
    pub length: u32,
    /// Payload type.
    pub kind: u16,
    /// Version of the payload type, from 1.
    pub schema: u16,
    /// No event of this stream follows.
    pub terminal: bool,
    /// The payload is ciphertext.
    pub encrypted: bool,
    /// Bytes of the extension area.
    pub extension_length: u16,
    /// Who caused it: 0 the engine itself.
    pub actor: u32,
    /// Position in the partition, from 0.
    pub seq: u64,
    /// The event's subject.
    pub stream: u64,
    /// Nanoseconds since 1970-01-01 UTC.
    pub time: u64,
    /// Seq of the stream's event before this.
    pub previous: Option<u64>,
    /// Seq of the event that caused this one.
    pub cause: Option<u64>,
    /// Position in the stream, from 1.
    pub version: u64,
}

impl Header {
    /// The header's bytes.
    #[inline]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let flags = if self.terminal { TERMINAL } else { 0 } | if self.encrypted { ENCRYPTED } else { 0 };
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.kind.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.schema.to_le_bytes());
        bytes[8..10].copy_from_slice(&flags.to_le_bytes());
        bytes[10..12].copy_from_slice(&self.extension_length.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.actor.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.seq.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.stream.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.time.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.previous.unwrap_or(NONE).to_le_bytes());
        bytes[48..56].copy_from_slice(&self.cause.unwrap_or(NONE).to_le_bytes());
        bytes[56..64].copy_from_slice(&self.version.to_le_bytes());
        bytes
    }

    /// Reads a header and checks all that can be checked without its neighbours.
    #[inline]
    pub fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Self, RecordError> {
        let u64_at = |offset| u64::from_le_bytes(at(bytes, offset));
        let u16_at = |offset| u16::from_le_bytes(at(bytes, offset));
        let some = |value| (value != NONE).then_some(value);
        let flags = u16_at(8);
        let header = Self {
            length: u32::from_le_bytes(at(bytes, 0)),
            kind: u16_at(4),
            schema: u16_at(6),
            terminal: flags & TERMINAL != 0,
            encrypted: flags & ENCRYPTED != 0,
            extension_length: u16_at(10),
            actor: u32::from_le_bytes(at(bytes, 12)),
            seq: u64_at(16),
            stream: u64_at(24),
            time: u64_at(32),
            previous: some(u64_at(40)),
            cause: some(u64_at(48)),
            version: u64_at(56),
        };
        if flags & !(TERMINAL | ENCRYPTED) != 0 {
            return Err(RecordError::Flags(flags));
        }
        header.check()?;
        Ok(header)
    }

    #[inline]
    fn check(&self) -> Result<(), RecordError> {
        let extension = usize::from(self.extension_length);
        if self.length as usize > RECORD_BYTES_MAX || (self.length as usize) < HEADER_BYTES {
            return Err(RecordError::Length(self.length));
        }
        if extension > EXTENSION_BYTES_MAX || extension > self.length as usize - HEADER_BYTES {
            return Err(RecordError::ExtensionLength(self.extension_length));
        }
        if self.kind == 0 || self.schema == 0 {
            return Err(RecordError::Kind);
        }
        if self.stream == 0 || (self.stream == BLOCK_STREAM) != (self.kind == BLOCK_KIND) {
            return Err(RecordError::Stream { kind: self.kind, stream: self.stream });
        }
        let first = self.version == 1;
        let earlier = |seq: Option<u64>| seq.is_none_or(|seq| seq < self.seq);
        if self.version == 0 || first != self.previous.is_none() || !earlier(self.previous) || !earlier(self.cause) {
            return Err(RecordError::Links);
        }
        Ok(())
    }
}

/// One record, checked by itself; nothing is known of its hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    header: Header,
    bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the first record of some bytes; gives it and the bytes after it.
    #[inline]
    pub fn split_first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), RecordError> {
        let head = bytes.first_chunk().ok_or(RecordError::Truncated)?;
        let header = Header::decode(head)?;
        let (bytes, rest) = bytes.split_at_checked(header.length as usize).ok_or(RecordError::Truncated)?;
        let record = Self { header, bytes };
        if header.extension_length > 0 || header.encrypted {
            record.check_extensions()?;
        }
        Ok((record, rest))
    }

    /// A record whose bytes `split_first` has accepted before, with this header.
    pub(crate) fn of_checked(header: Header, bytes: &'a [u8]) -> Self {
        Self { header, bytes }
    }

    fn check_extensions(&self) -> Result<(), RecordError> {
        let extensions = Extensions::parse(self.extension_bytes())?;
        let keyless = self.header.encrypted && extensions.encryption_key_id().is_none();
        let early_root = extensions.stream_root().is_some() && !self.header.terminal;
        if keyless || early_root {
            return Err(RecordError::FlagsAndExtensions);
        }
        Ok(())
    }

    /// The header.
    #[inline]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// All bytes of the record.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Header and extensions: what the event hash covers besides the payload's hash.
    #[inline]
    pub fn head_bytes(&self) -> &'a [u8] {
        &self.bytes[..HEADER_BYTES + usize::from(self.header.extension_length)]
    }

    /// The optional fields.
    pub fn extensions(&self) -> Extensions<'a> {
        // Was checked by `split_first`.
        Extensions::parse(self.extension_bytes()).unwrap_or_default()
    }

    /// The payload as stored.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES + usize::from(self.header.extension_length)..]
    }

    fn extension_bytes(&self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..HEADER_BYTES + usize::from(self.header.extension_length)]
    }
}

/// The records that lie one after the other in some bytes; ends after the first error.
pub fn records_in(mut bytes: &[u8]) -> impl Iterator<Item = Result<Record<'_>, RecordError>> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let first = Record::split_first(bytes);
        bytes = first.as_ref().map_or(&[], |(_, rest)| rest);
        Some(first.map(|(record, _)| record))
    })
}

/// Reads up to `N` records from the front of `bytes`, which then begins behind them; gives them and their number.
/// Stops before a record that does not decode, unless that is the first.
pub(crate) fn take_records<'a, const N: usize>(bytes: &mut &'a [u8]) -> Result<([Record<'a>; N], usize), RecordError> {
    let (first, rest) = Record::split_first(bytes)?;
    let (mut records, mut count) = ([first; N], 1);
    *bytes = rest;
    while count < N && !bytes.is_empty() {
        let Ok((record, rest)) = Record::split_first(bytes) else { break };
        records[count] = record;
        count += 1;
        *bytes = rest;
    }
    Ok((records, count))
}

/// A record that owns its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    header: Header,
    bytes: Box<[u8]>,
}

impl StoredRecord {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// A view of the record.
    pub fn view(&self) -> Record<'_> {
        Record { header: self.header, bytes: &self.bytes }
    }

    /// The payload as stored.
    pub fn payload(&self) -> &[u8] {
        self.view().payload()
    }
}

impl From<Record<'_>> for StoredRecord {
    fn from(record: Record<'_>) -> Self {
        Self { header: record.header, bytes: record.bytes.into() }
    }
}
