//! Changes a partition's keys while it is written (FORMAT.md section 11).
//!
//! What the caller keeps in order, so that no crash leaves a log without a key that can continue it:
//!
//! 1. The new key, and the key after it, whose digest the rotation commits, are durable where the caller keeps keys. Nothing has changed yet.
//! 2. [`Stage::rotate`]; the block is closed and submitted as any other. The pipeline switches to the new signer by itself.
//! 3. When the block is durable, the caller may make the new key its usual one, and only then erase the old one.
//!
//! A crash at any point is harmless: at reopening the log says which key is in force ([`Keys::in_force`](crate::Keys::in_force) of
//! [`Resume::keys`](crate::Resume)), and the caller picks that one of the two. Which of them it is before that nobody can know: a block
//! whose commit failed may be in the log.
//!
//! On a running log all of this goes through the stage and the [`Pipeline`](crate::Pipeline). On an opened log that nobody else writes:
//! `fold`, `Resume::open`, `rotate` or `replace_key`, `close`, `Sealer::seal`, `EventStore::commit`; the stage and sealer then
//! continue under the new key. That is the way to replace a key that is lost: the pipeline cannot start without the key in force.

use std::fmt;
use std::sync::Arc;

use crate::extension::Extensions;
use crate::hash::Hash;
use crate::key_record::{ROTATION_PAYLOAD_BYTES, Revocation, Rotation};
use crate::keys::{BlockKeys, KeyChangeError};
use crate::limits::{HEADER_BYTES, REASON_BYTES_MAX, ROTATIONS_MAX};
use crate::record::{KEY_STREAM, REVOCATION_KIND, ROTATION_KIND};
use crate::signer::Signer;
use crate::stage::{Draft, PushError, Pushed, Stage};

/// Who causes a record of the log's own, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Author {
    /// 0 the engine itself, else an ordinal of the directory.
    pub actor: u32,
    /// The clock, nanoseconds since 1970.
    pub time: u64,
}

/// Why keys were not changed. Nothing was staged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeKeyError {
    /// The open block cannot take it, or the keys stream.
    #[error(transparent)]
    Push(#[from] PushError),
    /// The format does not allow the change.
    #[error(transparent)]
    Forbidden(#[from] KeyChangeError),
    /// The reason is too long.
    #[error("a reason of {0} bytes is longer than {REASON_BYTES_MAX}")]
    Reason(usize),
    /// A proof could not carry so many rotations.
    #[error("a partition has at most {ROTATIONS_MAX} rotations")]
    TooMany,
}

/// The signer that comes into force with the next block.
#[derive(Clone)]
pub(crate) struct NewSigner {
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) public_key: [u8; 32],
    /// The same block revokes the old key, which then does not sign.
    pub(crate) alone: bool,
}

impl fmt::Debug for NewSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSigner")
            .field("public_key", &crate::strict::to_hex(&self.public_key))
            .field("alone", &self.alone)
            .finish_non_exhaustive()
    }
}

impl Stage {
    /// Stages a rotation into the open block, which will be sealed by the key in force and by `new`; from the block after it on, `new`
    /// seals. `next` is the SHA-256 of the public key after it ([`key_digest`](crate::key_digest)); without one no rotation can follow.
    ///
    /// # Errors
    /// `new` is not the key that was committed, or no key was, or the open block has a rotation already.
    pub fn rotate(
        &mut self,
        new: Arc<dyn Signer>,
        next: Option<Hash>,
        author: Author,
    ) -> Result<Pushed, ChangeKeyError> {
        let public_key = new.public_key();
        if self.keys.rotations() >= ROTATIONS_MAX {
            return Err(ChangeKeyError::TooMany);
        }
        let mut changes = self.changes.clone();
        let rotation = Rotation { old: self.keys.in_force(), new: public_key, next };
        changes.rotate(&self.keys, rotation)?;
        let pushed = self.push_own(&key_draft(ROTATION_KIND, &rotation.encode(), author))?;
        self.changes = changes;
        self.new_signer = Some(NewSigner { signer: new, public_key, alone: false });
        Ok(pushed)
    }

    /// Stages the revocation of a key that was in force. To revoke the key in force use [`Stage::replace_key`].
    ///
    /// # Errors
    /// The key never was in force, is in force, or is revoked already.
    pub fn revoke(&mut self, key: [u8; 32], reason: &str, author: Author) -> Result<Pushed, ChangeKeyError> {
        if reason.len() > REASON_BYTES_MAX {
            return Err(ChangeKeyError::Reason(reason.len()));
        }
        let mut changes = self.changes.clone();
        changes.revoke(&self.keys, key)?;
        let pushed = self.push_own(&key_draft(REVOCATION_KIND, &Revocation { key, reason }.encode(), author))?;
        self.changes = changes;
        if let Some(new) = &mut self.new_signer {
            new.alone = self.changes.revokes_in_force();
        }
        Ok(pushed)
    }

    /// Stages a rotation and the revocation of the key in force, both into the open block, which `new` alone seals: for a key that is
    /// lost or stolen. Gives the rotation's place; the revocation follows it.
    ///
    /// # Errors
    /// As of `rotate` and `revoke`; and the open block must have no other change of keys.
    pub fn replace_key(
        &mut self,
        new: Arc<dyn Signer>,
        next: Option<Hash>,
        reason: &str,
        author: Author,
    ) -> Result<Pushed, ChangeKeyError> {
        if reason.len() > REASON_BYTES_MAX {
            return Err(ChangeKeyError::Reason(reason.len()));
        }
        let old = self.keys.in_force();
        let mut trial = self.changes.clone();
        trial.rotate(&self.keys, Rotation { old, new: new.public_key(), next })?;
        trial.revoke(&self.keys, old)?;
        if !self.has_room(2, 2 * HEADER_BYTES + ROTATION_PAYLOAD_BYTES + 32 + reason.len()) {
            return Err(PushError::BlockFull.into());
        }
        let pushed = self.rotate(new, next, author)?;
        self.revoke(old, reason, author)?;
        Ok(pushed)
    }

    /// The keys after everything that was staged, the open block included.
    pub fn keys(&self) -> crate::keys::Keys {
        let mut keys = self.keys.clone();
        keys.advance(self.changes.clone());
        keys
    }

    /// What the block that closes now does to the keys.
    pub(crate) fn take_new_signer(&mut self) -> Option<NewSigner> {
        let changes: BlockKeys = std::mem::take(&mut self.changes);
        self.keys.advance(changes);
        self.new_signer.take()
    }
}

fn key_draft(kind: u16, payload: &[u8], Author { actor, time }: Author) -> Draft<'_> {
    Draft {
        stream: KEY_STREAM,
        kind,
        schema: 1,
        terminal: false,
        actor,
        cause: None,
        time,
        extensions: Extensions::EMPTY,
        payload,
    }
}
