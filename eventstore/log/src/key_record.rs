//! Gives the records that change a partition's keys (FORMAT.md section 11).

use crate::bytes::at;
use crate::hash::Hash;
use crate::limits::REASON_BYTES_MAX;
use crate::record::{KEY_STREAM, REVOCATION_KIND, ROTATION_KIND, Record};

/// Bytes of a rotation's payload.
pub const ROTATION_PAYLOAD_BYTES: usize = 96;

const NO_SUCCESSOR: Hash = [0; 32];

/// Why a record is not a rotation or revocation as the format wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRecordError {
    /// Stream, schema, flags or length are others than the kind allows.
    #[error("a record of kind {0} is not of the shape that changes of keys have")]
    Shape(u16),
    /// The reason of a revocation is no text, or is too long.
    #[error("the reason of a revocation is not UTF-8 of at most {REASON_BYTES_MAX} bytes")]
    Reason,
}

/// The payload of a rotation: another key comes into force with the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Public key that is in force.
    pub old: [u8; 32],
    /// Public key that comes into force.
    pub new: [u8; 32],
    /// SHA-256 of the public key after it; without one no rotation can follow.
    pub next: Option<Hash>,
}

impl Rotation {
    /// The payload's bytes.
    pub fn encode(&self) -> [u8; ROTATION_PAYLOAD_BYTES] {
        let mut bytes = [0; ROTATION_PAYLOAD_BYTES];
        bytes[..32].copy_from_slice(&self.old);
        bytes[32..64].copy_from_slice(&self.new);
        bytes[64..].copy_from_slice(&self.next.unwrap_or(NO_SUCCESSOR));
        bytes
    }

    /// Reads the rotation of a record of kind 2.
    pub fn from_record(record: &Record<'_>) -> Result<Self, KeyRecordError> {
        let shape = KeyRecordError::Shape(record.header().kind);
        let payload: &[u8; ROTATION_PAYLOAD_BYTES] = record.payload().try_into().map_err(|_| shape)?;
        if !is_plain(record, ROTATION_KIND) {
            return Err(shape);
        }
        let next: Hash = at(payload, 64);
        Ok(Self { old: at(payload, 0), new: at(payload, 32), next: (next != NO_SUCCESSOR).then_some(next) })
    }
}

/// The payload of a revocation: a key is not to be believed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation<'a> {
    /// The public key.
    pub key: [u8; 32],
    /// Why, for people.
    pub reason: &'a str,
}

impl<'a> Revocation<'a> {
    /// The payload's bytes.
    pub fn encode(&self) -> Vec<u8> {
        [&self.key, self.reason.as_bytes()].concat()
    }

    /// Reads the revocation of a record of kind 3.
    pub fn from_record(record: &Record<'a>) -> Result<Self, KeyRecordError> {
        let shape = KeyRecordError::Shape(record.header().kind);
        let (key, reason) = record.payload().split_first_chunk().ok_or(shape)?;
        if !is_plain(record, REVOCATION_KIND) {
            return Err(shape);
        }
        if reason.len() > REASON_BYTES_MAX {
            return Err(KeyRecordError::Reason);
        }
        let reason = std::str::from_utf8(reason).map_err(|_| KeyRecordError::Reason)?;
        Ok(Self { key: *key, reason })
    }
}

fn is_plain(record: &Record<'_>, kind: u16) -> bool {
    let header = record.header();
    (header.kind, header.schema, header.stream) == (kind, 1, KEY_STREAM) && !header.terminal && !header.encrypted
}
