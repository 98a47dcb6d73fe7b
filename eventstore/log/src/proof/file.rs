//! Writes a proof file (FORMAT.md section 10).

use std::fmt::Write as _;

use super::blocks::{Event, Sealed};
use super::error::ProofError;
use crate::hash::Hash;
use crate::limits::PROOF_BYTES_MAX;
use crate::strict::to_base64;

const MAGIC: &[u8; 8] = b"ACTUMPF1";
const DISCLOSED: u8 = 1;
const WITH_PATH: u8 = 2;

/// What a proof proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    Event = 1,
    Case = 2,
    Dossier = 3,
    Consistency = 4,
    Completeness = 5,
}

/// A rotation as every proof carries it.
pub(super) struct RotationProof {
    /// Chain value of the keys stream before it.
    pub(super) before: Hash,
    pub(super) event: Event,
    pub(super) path: Vec<Hash>,
    /// Seal of its block.
    pub(super) seal: Vec<u8>,
}

/// The proof body: what goes into the line `extra`.
pub(super) struct Body(Vec<u8>);

impl Body {
    /// A body that begins with the genesis, the event that binds it, and what leads from its key to the one in force.
    pub(super) fn new(kind: Kind, genesis: &[u8], first: &Event, path: &[Hash], rotations: &[RotationProof]) -> Self {
        let mut body = Self(MAGIC.to_vec());
        body.u32(kind as u32);
        body.u32(rotations.len() as u32);
        body.u32(genesis.len() as u32);
        body.bytes(genesis);
        body.bytes(first.record.view().bytes());
        body.bytes(&first.salt);
        body.hashes(path);
        for RotationProof { before, event, path, seal } in rotations {
            body.hash(before);
            body.bytes(event.record.view().bytes());
            body.bytes(&event.salt);
            body.hashes(path);
            body.u32(seal.len() as u32);
            body.bytes(seal);
        }
        body
    }

    pub(super) fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn u32(&mut self, value: u32) {
        self.bytes(&value.to_le_bytes());
    }

    pub(super) fn hash(&mut self, hash: &Hash) {
        self.bytes(hash);
    }

    pub(super) fn hashes(&mut self, hashes: &[Hash]) {
        self.bytes(hashes.as_flattened());
    }

    pub(super) fn entry(&mut self, event: &Event, withheld: bool, path: Option<&[Hash]>) {
        let form = if withheld { 0 } else { DISCLOSED } | if path.is_some() { WITH_PATH } else { 0 };
        self.bytes(&[form]);
        let record = event.record.view();
        if withheld {
            self.bytes(record.head_bytes());
            self.hash(&event.payload_hash());
        } else {
            self.bytes(record.bytes());
            self.bytes(&event.salt);
        }
        self.hashes(path.unwrap_or_default());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// A proof that a leaf is in the sealed tree.
pub(super) fn inclusion_file(body: &Body, index: u64, path: &[Hash], seal: &Sealed) -> Result<String, ProofError> {
    let mut text = String::from("c2sp.org/tlog-proof@v1\n");
    put_extra(&mut text, body)?;
    writeln!(text, "index {index}").ok();
    put_hashes(&mut text, path);
    text.push('\n');
    put_seal(&mut text, seal)?;
    checked(text)
}

/// A proof that one sealed tree continues another.
pub(super) fn consistency_file(body: &Body, proof: &[Hash], old: &Sealed, new: &Sealed) -> Result<String, ProofError> {
    let mut text = String::from("actum-consistency-proof 1\n");
    put_extra(&mut text, body)?;
    put_hashes(&mut text, proof);
    text.push('\n');
    put_seal(&mut text, old)?;
    text.push('\n');
    put_seal(&mut text, new)?;
    checked(text)
}

fn put_extra(text: &mut String, Body(body): &Body) -> Result<(), ProofError> {
    if body.len() > PROOF_BYTES_MAX / 4 * 3 {
        return Err(ProofError::TooLarge(PROOF_BYTES_MAX));
    }
    text.push_str("extra ");
    text.push_str(&to_base64(body));
    text.push('\n');
    Ok(())
}

fn put_hashes(text: &mut String, hashes: &[Hash]) {
    for hash in hashes {
        text.push_str(&to_base64(hash));
        text.push('\n');
    }
}

fn put_seal(text: &mut String, seal: &Sealed) -> Result<(), ProofError> {
    text.push_str(std::str::from_utf8(&seal.note).map_err(ProofError::corrupt)?);
    Ok(())
}

fn checked(text: String) -> Result<String, ProofError> {
    if text.len() > PROOF_BYTES_MAX { Err(ProofError::TooLarge(PROOF_BYTES_MAX)) } else { Ok(text) }
}
