//! Records and their extensions, each judged by itself (FORMAT.md section 2).

use crate::bytes::{array, u16_at, u32_at, u64_at};
use crate::defect::Defect;
use crate::hash::Hash;
use crate::limits::{
    BLOCK_KIND, BLOCK_STREAM, BUSINESS_KEY_BYTES_MAX, CHECKPOINT_KIND, CHECKPOINTS_STREAM, EXTENSION_BYTES_MAX,
    KEYS_STREAM, NONE, RECORD_BYTES_MAX, RECORD_HEADER_BYTES, REVOCATION_KIND, ROTATION_KIND,
};

const TERMINAL: u16 = 1;
const CIPHERTEXT: u16 = 2;

/// One event as it lies in a chunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    /// Header and extensions.
    pub(crate) head: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) kind: u16,
    pub(crate) schema: u16,
    pub(crate) actor: u32,
    pub(crate) terminal: bool,
    pub(crate) seq: u64,
    pub(crate) stream: u64,
    pub(crate) time: u64,
    pub(crate) previous: u64,
    pub(crate) cause: u64,
    pub(crate) version: u64,
    /// Extension 7.
    pub(crate) stream_root: Option<&'a Hash>,
}

impl<'a> Record<'a> {
    /// The record at the front of `bytes`, and the bytes after it.
    #[inline]
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Defect> {
        let header = bytes.first_chunk::<RECORD_HEADER_BYTES>().ok_or(Defect::Truncated)?;
        let (head_bytes, length) = lengths(header)?;
        let (whole, rest) = bytes.split_at_checked(length).ok_or(Defect::Truncated)?;
        // Not longer than the record, as `lengths` found.
        let (head, payload) = whole.split_at_checked(head_bytes).ok_or(Defect::Truncated)?;
        Ok((Record::read(header, head, payload)?, rest))
    }

    /// The record at the front of `bytes` of which only header and extensions are there, and the bytes after them.
    pub(crate) fn parse_withheld(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Defect> {
        let header = bytes.first_chunk::<RECORD_HEADER_BYTES>().ok_or(Defect::Truncated)?;
        let (head_bytes, _) = lengths(header)?;
        let (head, rest) = bytes.split_at_checked(head_bytes).ok_or(Defect::Truncated)?;
        Ok((Record::read(header, head, &[])?, rest))
    }

    #[inline]
    fn read(header: &[u8; RECORD_HEADER_BYTES], head: &'a [u8], payload: &'a [u8]) -> Result<Self, Defect> {
        let flags = u16_at(header, 8);
        let mut record = Record {
            head,
            payload,
            kind: u16_at(header, 4),
            schema: u16_at(header, 6),
            actor: u32_at(header, 12),
            terminal: flags & TERMINAL != 0,
            seq: u64_at(header, 16),
            stream: u64_at(header, 24),
            time: u64_at(header, 32),
            previous: u64_at(header, 40),
            cause: u64_at(header, 48),
            version: u64_at(header, 56),
            stream_root: None,
        };
        record.check(flags)?;
        if head.len() > RECORD_HEADER_BYTES || flags & CIPHERTEXT != 0 {
            record.read_extensions(&head[RECORD_HEADER_BYTES..], flags)?;
        }
        Ok(record)
    }

    #[inline]
    fn check(&self, flags: u16) -> Result<(), Defect> {
        let rule = if self.kind == 0 || self.schema == 0 {
            "a record's kind and schema are at least 1"
        } else if flags & !(TERMINAL | CIPHERTEXT) != 0 {
            "a record's unknown flags are zero"
        } else if self.stream == 0 {
            "stream 0 must not occur"
        } else if (self.kind == BLOCK_KIND) != (self.stream == BLOCK_STREAM) {
            "block records, and no others, lie in stream 2^63"
        } else if self.kind <= CHECKPOINT_KIND && self.kind != BLOCK_KIND && !self.is_plain_system(flags) {
            "key records lie in stream 2^63 + 2 and checkpoints in 2^63 + 7, with schema 1 and no flags"
        } else if self.version == 0 {
            "a record's version is at least 1"
        } else if self.cause != NONE && self.cause >= self.seq {
            "a record's cause lies before it"
        } else {
            return Ok(());
        };
        Err(Defect::Layout(rule))
    }

    /// Whether a record of kind 2 to 4 is as the page has them.
    fn is_plain_system(&self, flags: u16) -> bool {
        let stream = match self.kind {
            ROTATION_KIND | REVOCATION_KIND => KEYS_STREAM,
            _ => CHECKPOINTS_STREAM,
        };
        (self.stream, self.schema, flags) == (stream, 1, 0)
    }

    fn read_extensions(&mut self, mut bytes: &'a [u8], flags: u16) -> Result<(), Defect> {
        let mut last: Option<u8> = None;
        let mut names_key = false;
        while let Some((head, rest)) = bytes.split_first_chunk::<3>() {
            let kind = head[0];
            let length = usize::from(u16::from_le_bytes(array(head, 1)));
            let (value, rest) = rest.split_at_checked(length).ok_or(LONG)?;
            if last.is_some_and(|last| kind <= last) {
                return Err(Defect::Layout("extension types ascend"));
            }
            check_extension(kind, value)?;
            names_key |= kind == 5;
            if kind == 7 {
                self.stream_root = value.first_chunk();
            }
            last = Some(kind);
            bytes = rest;
        }
        if !bytes.is_empty() {
            return Err(LONG);
        }
        if flags & CIPHERTEXT != 0 && !names_key {
            return Err(Defect::Layout("a ciphertext payload has extension 5"));
        }
        if self.stream_root.is_some() && !self.terminal {
            return Err(Defect::Layout("extension 7 stands on terminal records only"));
        }
        Ok(())
    }
}

/// Bytes of header and extensions, and of the whole record.
#[inline]
fn lengths(header: &[u8; RECORD_HEADER_BYTES]) -> Result<(usize, usize), Defect> {
    let length = u32_at(header, 0) as usize;
    let extension_bytes = usize::from(u16_at(header, 10));
    if !(RECORD_HEADER_BYTES..=RECORD_BYTES_MAX).contains(&length) {
        return Err(Defect::Layout("a record's length is 64 to 8,454,144"));
    }
    if extension_bytes > EXTENSION_BYTES_MAX {
        return Err(Defect::Layout("a record's extensions have at most 4,096 bytes"));
    }
    let head_bytes = RECORD_HEADER_BYTES + extension_bytes;
    if head_bytes > length {
        return Err(Defect::Layout("a record's extensions are longer than the record"));
    }
    Ok((head_bytes, length))
}

const LONG: Defect = Defect::Layout("an extension reaches beyond the extension area");

/// One arm for each known type; unknown types pass.
fn check_extension(kind: u8, value: &[u8]) -> Result<(), Defect> {
    let fits = match kind {
        1 | 5 => value.len() == 16,
        2 => value.len() <= BUSINESS_KEY_BYTES_MAX && std::str::from_utf8(value).is_ok(),
        3 => value.len() == 4,
        4 => value.len() == 24,
        6 => value.len() == 10,
        7 => value.len() == 32,
        _ => true,
    };
    if fits { Ok(()) } else { Err(Defect::Layout("the value of a known extension is malformed")) }
}
