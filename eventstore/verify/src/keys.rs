//! The keys of a partition: which one is in force, and how it changes (FORMAT.md section 11).

use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};

use crate::context::Context;
use crate::defect::Defect;
use crate::hash::Hash;
use crate::limits::{REVOCATION_KIND, REVOCATION_REASON_BYTES_MAX, ROTATION_BYTES, ROTATION_KIND};
use crate::seal::Note;
use crate::trust::key_id;

/// What a record of the keys stream says, judged by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyChange {
    Rotation(Rotation),
    /// Of this key.
    Revocation(Hash),
}

/// The payload of a rotation record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub(crate) old: Hash,
    pub(crate) new: Hash,
    /// SHA-256 of the key after it; `None` if no rotation can follow.
    pub(crate) next: Option<Hash>,
}

impl KeyChange {
    /// Reads the payload of a record of kind 2 or 3.
    pub(crate) fn parse(kind: u16, payload: &[u8]) -> Result<Self, Defect> {
        match kind {
            ROTATION_KIND => {
                let payload: &[u8; ROTATION_BYTES] =
                    payload.try_into().map_err(|_| Defect::Layout("a rotation's payload has 96 bytes"))?;
                let part = |at| crate::bytes::array::<32, ROTATION_BYTES>(payload, at);
                let next = Some(part(64)).filter(|next| *next != [0; 32]);
                Ok(KeyChange::Rotation(Rotation { old: part(0), new: part(32), next }))
            }
            REVOCATION_KIND => {
                let (key, reason) =
                    payload.split_first_chunk().ok_or(Defect::Layout("a revocation's payload begins with a key"))?;
                if reason.len() > REVOCATION_REASON_BYTES_MAX || std::str::from_utf8(reason).is_err() {
                    return Err(Defect::Layout("a revocation's reason is UTF-8 of at most 1,024 bytes"));
                }
                Ok(KeyChange::Revocation(*key))
            }
            _ => Err(Defect::Layout("a key record has kind 2 or 3")),
        }
    }
}

/// A key that is or was in force.
#[derive(Debug, Clone)]
pub(crate) struct UsedKey {
    pub(crate) key: VerifyingKey,
    pub(crate) id: [u8; 4],
    pub(crate) revoked: bool,
    /// Blocks that it sealed.
    pub(crate) sealed: Option<Sealed>,
}

/// A run of blocks and their events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) first_block: u64,
    pub(crate) last_block: u64,
    pub(crate) first_seq: u64,
    pub(crate) last_seq: u64,
}

impl UsedKey {
    fn new(name: &str, key: VerifyingKey) -> Self {
        UsedKey { id: key_id(name, key.as_bytes()), key, revoked: false, sealed: None }
    }

    fn bytes(&self) -> &Hash {
        self.key.as_bytes()
    }
}

/// Who has to sign the seal of a block: the first line, and the second in a rotation's block.
#[derive(Debug, Clone)]
pub(crate) struct Signers {
    pub(crate) first: UsedKey,
    pub(crate) second: Option<UsedKey>,
}

impl Signers {
    /// Checks both signatures of a note; `first_known` says that the first is known to be the genesis key's.
    pub(crate) fn check(&self, note: &Note<'_>, name: &str, genesis_signed: Option<&Hash>) -> Result<(), Defect> {
        let signed = |line, signer: &UsedKey| note.is_signed(line, name, signer.id, &signer.key);
        if genesis_signed != Some(self.first.bytes()) && !signed(0, &self.first) {
            return Err(Defect::Signature);
        }
        match &self.second {
            Some(second) if !signed(1, second) => Err(Defect::Countersignature),
            _ => Ok(()),
        }
    }

    /// Whether everybody who signs was revoked.
    pub(crate) fn all(&self, is_revoked: impl Fn(&Hash) -> bool) -> bool {
        is_revoked(self.first.bytes()) && self.second.as_ref().is_none_or(|second| is_revoked(second.bytes()))
    }
}

/// The keys that are or were in force in a partition, the newest last, and the digest in force.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    used: Vec<UsedKey>,
    next: Option<Hash>,
}

/// What a block does to the keys: who seals it, and what holds after it.
#[derive(Debug)]
pub(crate) struct KeyStep {
    pub(crate) signers: Signers,
    rotated: Option<(UsedKey, Option<Hash>)>,
    revoked: Vec<usize>,
    first_is_new: bool,
}

impl Keys {
    pub(crate) fn at_genesis(context: &Context, name: &str) -> Self {
        Keys { used: vec![UsedKey::new(name, context.key)], next: context.genesis.next }
    }

    pub(crate) fn used(&self) -> &[UsedKey] {
        &self.used
    }

    /// The key in force, which is the newest.
    pub(crate) fn in_force(&self) -> &UsedKey {
        // Begins with the genesis key and only grows.
        &self.used[self.used.len() - 1]
    }

    /// Judges a rotation; gives the new key.
    pub(crate) fn judge_rotation(&self, rotation: &Rotation, name: &str) -> Result<UsedKey, Defect> {
        if rotation.old != *self.in_force().bytes() {
            return Err(Defect::OldKey);
        }
        match self.next {
            None => return Err(Defect::NoNextKey),
            Some(next) if <[u8; 32]>::from(Sha256::digest(rotation.new)) != next => return Err(Defect::NextKey),
            Some(_) => {}
        }
        if self.used.iter().any(|used| *used.bytes() == rotation.new) {
            return Err(Defect::NewKey);
        }
        let key = VerifyingKey::from_bytes(&rotation.new).ok().filter(|key| !key.is_weak());
        let key = key.ok_or(Defect::Layout("a rotation's new key is an Ed25519 public key of full order"))?;
        Ok(UsedKey::new(name, key))
    }

    /// Puts a new key in force.
    pub(crate) fn rotate(&mut self, new: UsedKey, next: Option<Hash>) {
        self.used.push(new);
        self.next = next;
    }

    /// Judges the key records of a block in order; a fault comes with the seq of the record that breaks the rule.
    pub(crate) fn judge_block(&self, changes: &[(u64, KeyChange)], name: &str) -> Result<KeyStep, (u64, Defect)> {
        let in_force = self.used.len() - 1;
        let mut rotated: Option<(UsedKey, Option<Hash>)> = None;
        let mut revoked = Vec::new();
        for (seq, change) in changes {
            let at = |defect| (*seq, defect);
            match change {
                KeyChange::Rotation(_) if rotated.is_some() => {
                    return Err(at(Defect::Layout("a block has at most one rotation")));
                }
                KeyChange::Rotation(rotation) => {
                    rotated = Some((self.judge_rotation(rotation, name).map_err(at)?, rotation.next));
                }
                KeyChange::Revocation(key) => {
                    let used = self.used.iter().position(|used| used.bytes() == key);
                    let used = used.ok_or(at(Defect::Revocation("was never in force before this block")))?;
                    if self.used[used].revoked || revoked.contains(&used) {
                        return Err(at(Defect::Revocation("is revoked already")));
                    }
                    if used == in_force && rotated.is_none() {
                        return Err(at(Defect::Revocation(
                            "is in force, and no rotation stands before it in the block",
                        )));
                    }
                    revoked.push(used);
                }
            }
        }
        let old = self.in_force().clone();
        let revokes_old = revoked.contains(&in_force);
        if revokes_old && let [_, _, (seq, _), ..] = changes {
            return Err((*seq, Defect::Revocation("is in force, and its block has other key records")));
        }
        let signers = match &rotated {
            None => Signers { first: old, second: None },
            Some((new, _)) if revokes_old => Signers { first: new.clone(), second: None },
            Some((new, _)) => Signers { first: old, second: Some(new.clone()) },
        };
        Ok(KeyStep { signers, rotated, revoked, first_is_new: revokes_old })
    }

    /// Takes a block that was judged and whose seal was checked.
    pub(crate) fn take(&mut self, step: KeyStep, block: u64, first_seq: u64, last_seq: u64) {
        for used in step.revoked {
            self.used[used].revoked = true;
        }
        let mut signer = self.used.len() - 1;
        if let Some((new, next)) = step.rotated {
            self.rotate(new, next);
            signer += usize::from(step.first_is_new);
        }
        let here = Sealed { first_block: block, last_block: block, first_seq, last_seq };
        let before = self.used[signer].sealed.unwrap_or(here);
        self.used[signer].sealed = Some(Sealed { last_block: block, last_seq, ..before });
    }
}
