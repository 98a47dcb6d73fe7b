//! Reads a proof body: its beginning, and entries (FORMAT.md section 10).

use super::path::path_length;
use crate::checkpoint::{LEAF_BYTES, TableLeaf};
use crate::defect::Defect;
use crate::hash::{Hash, KEYS, keyed};
use crate::limits::{GENESIS_BYTES_MAX, PROOF_ROTATIONS_MAX, SEAL_BYTES_MAX};
use crate::record::Record;
use crate::tree::leaf_hash;

const MAGIC: &[u8] = b"ACTUMPF1";
const DISCLOSED: u8 = 1;
const WITH_PATH: u8 = 2;
const SALT_BYTES: usize = 16;

/// What a proof proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Event,
    Case,
    Dossier,
    Consistency,
    Completeness,
}

/// The part of a body that was not read yet.
pub(super) struct Body<'a>(&'a [u8]);

/// An event of a proof: its record, without payload where that is withheld, and its hash.
pub(super) struct Entry<'a> {
    pub(super) record: Record<'a>,
    pub(super) disclosed: bool,
    /// `E`.
    pub(super) hash: Hash,
    pub(super) path: Option<Vec<Hash>>,
}

impl Entry<'_> {
    /// The stream's chain value after the event.
    pub(super) fn chain(&self, before: &Hash) -> Hash {
        let mut input = [0; 64];
        input[..32].copy_from_slice(before);
        input[32..].copy_from_slice(&self.hash);
        keyed(&KEYS.chain, &input)
    }

    /// The hash of its leaf, after it `chain`.
    pub(super) fn leaf_hash(&self, chain: &Hash) -> Hash {
        let mut leaf = [0; 48];
        leaf[..32].copy_from_slice(chain);
        leaf[32..40].copy_from_slice(&self.record.seq.to_le_bytes());
        leaf[40..].copy_from_slice(&self.record.version.to_le_bytes());
        leaf_hash(&leaf)
    }
}

impl<'a> Body<'a> {
    /// Reads the beginning; gives the kind, the number of rotations and the genesis text.
    pub(super) fn open(bytes: &'a [u8]) -> Result<(Self, Kind, u32, &'a [u8]), Defect> {
        let mut body = Body(bytes);
        if body.take(MAGIC.len())? != MAGIC {
            return Err(Defect::Layout("a proof body begins with `ACTUMPF1`"));
        }
        let kind = match body.u32()? {
            1 => Kind::Event,
            2 => Kind::Case,
            3 => Kind::Dossier,
            4 => Kind::Consistency,
            5 => Kind::Completeness,
            _ => return Err(Defect::Layout("a proof's kind is 1 to 5")),
        };
        let rotations = body.u32()?;
        if rotations > PROOF_ROTATIONS_MAX {
            return Err(Defect::Layout("a proof has at most 1,024 rotations"));
        }
        let length = body.u32()? as usize;
        if length > GENESIS_BYTES_MAX {
            return Err(Defect::Layout("a genesis has at most 64 KiB"));
        }
        let genesis = body.take(length)?;
        Ok((body, kind, rotations, genesis))
    }

    /// A disclosed record with its path in a tree of `size` leaves, in no form but this.
    pub(super) fn with_path(&mut self, size: u64) -> Result<Entry<'a>, Defect> {
        let entry = self.disclosed()?;
        let path = Some(self.path(entry.record.seq, size)?);
        Ok(Entry { path, ..entry })
    }

    /// An entry that may have a path in a tree of `size` leaves.
    pub(super) fn entry(&mut self, size: u64) -> Result<Entry<'a>, Defect> {
        let form = self.take(1)?[0];
        if form & !(DISCLOSED | WITH_PATH) != 0 {
            return Err(Defect::Layout("an entry's unknown form bits are zero"));
        }
        let entry = if form & DISCLOSED == 0 { self.withheld()? } else { self.disclosed()? };
        let with_path = form & WITH_PATH != 0;
        let path = with_path.then(|| self.path(entry.record.seq, size)).transpose()?;
        Ok(Entry { path, ..entry })
    }

    /// An entry that has no path.
    pub(super) fn entry_alone(&mut self) -> Result<Entry<'a>, Defect> {
        // Nothing lies in an empty tree, so a path would be refused.
        let entry = self.entry(0);
        entry.map_err(|defect| if defect == Defect::Path { Defect::Layout("this entry has no path") } else { defect })
    }

    fn disclosed(&mut self) -> Result<Entry<'a>, Defect> {
        let (record, rest) = Record::parse(self.0)?;
        self.0 = rest;
        let salt = self.take(SALT_BYTES)?;
        let payload = blake3::Hasher::new_keyed(&KEYS.payload).update(salt).update(record.payload).finalize();
        Ok(entry(record, true, payload.as_bytes()))
    }

    fn withheld(&mut self) -> Result<Entry<'a>, Defect> {
        let (record, rest) = Record::parse_withheld(self.0)?;
        self.0 = rest;
        Ok(entry(record, false, &self.hash()?))
    }

    /// An audit path in a tree of `size` leaves.
    pub(super) fn path(&mut self, index: u64, size: u64) -> Result<Vec<Hash>, Defect> {
        let length = path_length(index, size).ok_or(Defect::Path)?;
        self.hashes(length)
    }

    /// A seal behind its length.
    pub(super) fn seal(&mut self) -> Result<&'a [u8], Defect> {
        let length = self.u32()? as usize;
        if length > SEAL_BYTES_MAX {
            return Err(Defect::Layout("a seal has at most 64 KiB"));
        }
        self.take(length)
    }

    /// A leaf of a checkpoint's table.
    pub(super) fn table_leaf(&mut self) -> Result<TableLeaf, Defect> {
        let stream = self.u64()?;
        self.table_leaf_of(stream)
    }

    /// A leaf of a checkpoint's table whose stream was read before.
    pub(super) fn table_leaf_of(&mut self, stream: u64) -> Result<TableLeaf, Defect> {
        const { assert!(LEAF_BYTES == 8 + 8 + 32 + 1, "the fields read here") };
        let (version, chain) = (self.u64()?, self.hash()?);
        let ended = match self.byte()? {
            0 => false,
            1 => true,
            _ => return Err(Defect::Layout("a stream's status is 0 or 1")),
        };
        Ok(TableLeaf { stream, version, chain, ended })
    }

    pub(super) fn hashes(&mut self, count: usize) -> Result<Vec<Hash>, Defect> {
        let bytes = self.take(count.checked_mul(32).ok_or(Defect::Truncated)?)?;
        Ok(bytes.as_chunks().0.to_vec())
    }

    pub(super) fn hash(&mut self) -> Result<Hash, Defect> {
        let (hash, rest) = self.0.split_first_chunk().ok_or(Defect::Truncated)?;
        self.0 = rest;
        Ok(*hash)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Defect> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn u64(&mut self) -> Result<u64, Defect> {
        let (value, rest) = self.0.split_first_chunk().ok_or(Defect::Truncated)?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*value))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Defect> {
        let (value, rest) = self.0.split_first_chunk().ok_or(Defect::Truncated)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*value))
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Defect> {
        if self.0.is_empty() { Ok(()) } else { Err(Defect::Layout("nothing follows the end of a proof body")) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Defect> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Defect::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }
}

fn entry<'a>(record: Record<'a>, disclosed: bool, payload: &Hash) -> Entry<'a> {
    let hash = blake3::Hasher::new_keyed(&KEYS.event).update(record.head).update(payload).finalize();
    Entry { record, disclosed, hash: *hash.as_bytes(), path: None }
}
