//! Says which key of a partition is in force, and which changes of it the format allows (FORMAT.md section 11).
//!
//! Both sides share the rules: `Stage` refuses what a fold would refuse.

use rustc_hash::FxHashSet;
use sha2::{Digest, Sha256};

use crate::genesis::Genesis;
use crate::hash::Hash;
use crate::key_record::Rotation;
use crate::strict::to_hex;

/// Why a change of keys is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyChangeError {
    /// A rotation that does not start from the key in force.
    #[error("the rotation names {} as old key, which is not the key in force", to_hex(.0))]
    NotInForce([u8; 32]),
    /// No next key was committed, so this one stays for ever.
    #[error("no next key was committed, so the key in force cannot be rotated")]
    NoSuccessor,
    /// The new key is another than was committed.
    #[error("the new key {} is not the one whose digest was committed before", to_hex(.0))]
    Digest([u8; 32]),
    /// The new key is or was in force: a key is in force once.
    #[error("the new key {} was in force before", to_hex(.0))]
    Reused([u8; 32]),
    /// A second rotation in one block.
    #[error("a block holds at most one rotation")]
    SecondRotation,
    /// A key that never was in force, so that there is nothing to revoke.
    #[error("the key {} never was in force here", to_hex(.0))]
    NeverInForce([u8; 32]),
    /// A second revocation of one key.
    #[error("the key {} is revoked already", to_hex(.0))]
    Revoked([u8; 32]),
    /// The key in force is revoked only right after its rotation, in the same block, with no other change of keys beside.
    #[error("the key in force is revoked only together with its rotation, and with nothing else")]
    RevokedAlone,
}

impl KeyChangeError {
    /// Whether a record contradicts what the log said of its keys before; otherwise no log may have it, whatever its keys.
    pub(crate) fn is_mismatch(self) -> bool {
        self != Self::SecondRotation
    }
}

/// The keys of a partition as of some block: what the next block must be signed with.
///
/// The log alone says which key is in force, never a key file: a caller that holds several keys uses the one that
/// [`Keys::in_force`] names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    in_force: [u8; 32],
    next: Option<Hash>,
    past: Vec<[u8; 32]>,
    revoked: Vec<[u8; 32]>,
    // The same again, to be looked up: a log may have any number of them.
    past_set: FxHashSet<[u8; 32]>,
    revoked_set: FxHashSet<[u8; 32]>,
}

impl Keys {
    /// The genesis' key and digest.
    pub fn at_genesis(genesis: &Genesis) -> Self {
        Self {
            in_force: genesis.key(),
            next: genesis.next(),
            past: Vec::new(),
            revoked: Vec::new(),
            past_set: FxHashSet::default(),
            revoked_set: FxHashSet::default(),
        }
    }

    /// Keys as saved state has them.
    pub(crate) fn of(in_force: [u8; 32], next: Option<Hash>, past: Vec<[u8; 32]>, revoked: Vec<[u8; 32]>) -> Self {
        let (past_set, revoked_set) = (past.iter().copied().collect(), revoked.iter().copied().collect());
        Self { in_force, next, past, revoked, past_set, revoked_set }
    }

    /// Public key that signs the next block.
    pub fn in_force(&self) -> [u8; 32] {
        self.in_force
    }

    /// SHA-256 of the only public key that can come into force next; without one there is no further rotation.
    pub fn next(&self) -> Option<Hash> {
        self.next
    }

    /// Public keys that were in force before, oldest first.
    pub fn past(&self) -> &[[u8; 32]] {
        &self.past
    }

    /// Public keys that were revoked, in that order.
    pub fn revoked(&self) -> &[[u8; 32]] {
        &self.revoked
    }

    /// Number of rotations.
    pub fn rotations(&self) -> usize {
        self.past.len()
    }

    fn knows(&self, key: &[u8; 32]) -> bool {
        self.in_force == *key || self.past_set.contains(key)
    }

    /// The keys after a block with these changes.
    pub(crate) fn advance(&mut self, changes: BlockKeys) {
        if let Some(Rotation { new, next, .. }) = changes.rotation {
            let old = std::mem::replace(&mut self.in_force, new);
            self.past.push(old);
            self.past_set.insert(old);
            self.next = next;
        }
        self.revoked_set.extend(&changes.revoked);
        self.revoked.extend(changes.revoked);
    }
}

/// SHA-256 of a public key: what is committed before the key comes into force.
pub fn key_digest(public_key: &[u8; 32]) -> Hash {
    Sha256::digest(public_key).into()
}

/// The changes of keys in one block, so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlockKeys {
    rotation: Option<Rotation>,
    revoked: Vec<[u8; 32]>,
    revoked_set: FxHashSet<[u8; 32]>,
    revokes_in_force: bool,
}

impl BlockKeys {
    /// Takes in a rotation. `keys` are those before the block.
    pub(crate) fn rotate(&mut self, keys: &Keys, rotation: Rotation) -> Result<(), KeyChangeError> {
        let Rotation { old, new, .. } = rotation;
        if self.rotation.is_some() {
            return Err(KeyChangeError::SecondRotation);
        }
        if old != keys.in_force {
            return Err(KeyChangeError::NotInForce(old));
        }
        let committed = keys.next.ok_or(KeyChangeError::NoSuccessor)?;
        if key_digest(&new) != committed {
            return Err(KeyChangeError::Digest(new));
        }
        if keys.knows(&new) {
            return Err(KeyChangeError::Reused(new));
        }
        self.rotation = Some(rotation);
        Ok(())
    }

    /// Takes in a revocation. `keys` are those before the block.
    pub(crate) fn revoke(&mut self, keys: &Keys, key: [u8; 32]) -> Result<(), KeyChangeError> {
        if !keys.knows(&key) {
            return Err(KeyChangeError::NeverInForce(key));
        }
        if keys.revoked_set.contains(&key) || self.revoked_set.contains(&key) {
            return Err(KeyChangeError::Revoked(key));
        }
        let of_key_in_force = key == keys.in_force;
        let alone = self.rotation.is_none() || !self.revoked.is_empty();
        if self.revokes_in_force || (of_key_in_force && alone) {
            return Err(KeyChangeError::RevokedAlone);
        }
        self.revokes_in_force = of_key_in_force;
        self.revoked.push(key);
        self.revoked_set.insert(key);
        Ok(())
    }

    /// The public keys that sign the block's seal: the first line's, which the block record names, and the second line's if it has one.
    pub(crate) fn signers(&self, keys: &Keys) -> ([u8; 32], Option<[u8; 32]>) {
        match &self.rotation {
            None => (keys.in_force, None),
            Some(rotation) if self.revokes_in_force => (rotation.new, None),
            Some(rotation) => (keys.in_force, Some(rotation.new)),
        }
    }

    pub(crate) fn revokes_in_force(&self) -> bool {
        self.revokes_in_force
    }
}
