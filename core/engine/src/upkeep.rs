//! Keeping a log in order while it runs: changes of its key, and checkpoints.

use std::sync::Arc;

use actum_log::{Author, ChangeKeyError, Keys, PushError, Signer, Stage};
use actum_model::{ActorId, Rejection, Seq, Time};

use crate::engine::Engine;
use crate::error::{CommandError, OpenError};
use crate::key_files::NextSigner;
use crate::keys::KeySource;
use crate::partition::Refused;
use crate::request::Ask;
use crate::shards::OWNER;

/// What a partition is asked to do with its log.
pub(crate) enum Upkeep {
    /// Nothing; only say how the keys are.
    Look,
    Rotate {
        new: Arc<dyn Signer>,
        next: Option<[u8; 32]>,
    },
    /// Rotates, and revokes the key that was in force.
    Replace {
        new: Arc<dyn Signer>,
        next: Option<[u8; 32]>,
        reason: String,
    },
    Revoke {
        key: [u8; 32],
        reason: String,
    },
    Checkpoint {
        application: Vec<u8>,
    },
}

/// What came of it.
pub(crate) struct Upkept {
    /// The keys after it.
    pub(crate) keys: Keys,
    /// The event, if one was written, and the first of its block.
    pub(crate) event: Option<(Seq, Seq)>,
}

/// Stages what upkeep asks for.
pub(crate) fn upkeep(stage: &mut Stage, task: &Upkeep, now: Time) -> Result<Upkept, Refused> {
    let author = Author { actor: ActorId::ENGINE.0, time: now.0 };
    let pushed = match task {
        Upkeep::Look => None,
        Upkeep::Rotate { new, next } => Some(stage.rotate(new.clone(), *next, author).map_err(refused)?),
        Upkeep::Replace { new, next, reason } => {
            // The seal is the new key's alone, so nothing that others staged may be in it.
            if stage.open_events() > 0 {
                return Err(Refused::NoRoom);
            }
            Some(stage.replace_key(new.clone(), *next, reason, author).map_err(refused)?)
        }
        Upkeep::Revoke { key, reason } => Some(stage.revoke(*key, reason, author).map_err(refused)?),
        Upkeep::Checkpoint { application } => {
            let pushed = stage.checkpoint(application, author);
            Some(pushed.map_err(|error| refused(error.into()))?)
        }
    };
    // The open block's record comes before its events.
    let first = stage.next_seq().saturating_sub(u64::from(stage.open_events()) + 1);
    Ok(Upkept { keys: stage.keys(), event: pushed.map(|pushed| (Seq(pushed.seq), Seq(first))) })
}

fn refused(error: ChangeKeyError) -> Refused {
    match error {
        // In another block there is room for it.
        ChangeKeyError::Push(PushError::BlockFull | PushError::SecondCheckpoint)
        | ChangeKeyError::Forbidden(actum_log::KeyChangeError::SecondRotation) => Refused::NoRoom,
        ChangeKeyError::Push(error) => Rejection::new("log/checkpoint", error.to_string()).into(),
        other => Rejection::new("log/key", other.to_string()).into(),
    }
}

/// A checkpoint that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpointed {
    /// Its event.
    pub seq: Seq,
    /// Events that it is over: those before its block.
    pub size: u64,
}

impl Engine {
    /// The log's keys: which is in force, which were before, which are revoked.
    ///
    /// # Errors
    /// When the engine was closed or stopped.
    pub async fn keys(&self) -> Result<Keys, CommandError> {
        Ok(self.upkeep(Upkeep::Look).await?.keys)
    }

    /// A public key of this log as a C2SP verifier key.
    #[must_use]
    pub fn verifier_key_of(&self, key: [u8; 32]) -> String {
        actum_log::VerifierKey::new(self.inner.genesis.origin(), 0, key).to_string()
    }

    /// Puts the next key in force, while the engine runs: makes the key after it durable, logs the rotation, which both keys sign,
    /// then moves the key files. Whenever that is interrupted, opening the log again finds the key that is in force.
    /// Goes on when the returned future is dropped. Returns the keys after it, once they are durable.
    ///
    /// # Errors
    /// `Rejected` with code `log/key` when the next key is missing, or is not the one that the log committed.
    pub async fn rotate_key(&self) -> Result<Keys, CommandError> {
        self.change_key(None).await
    }

    /// [`Engine::rotate_key`], which also revokes the key that was in force, for `reason` (at most 1,024 bytes): it does not sign
    /// any more, and what it may sign elsewhere counts for nothing.
    ///
    /// # Errors
    /// As there.
    pub async fn replace_key(&self, reason: &str) -> Result<Keys, CommandError> {
        self.change_key(Some(reason.to_owned())).await
    }

    /// [`Engine::rotate_key`] to a key that is kept elsewhere. `next` is the SHA-256 of the public key after it; without one, no
    /// rotation can follow.
    ///
    /// # Errors
    /// As there.
    pub async fn rotate_key_to(&self, new: Arc<dyn Signer>, next: Option<[u8; 32]>) -> Result<Keys, CommandError> {
        let mut source = self.inner.keys.lock().await;
        let keys = self.upkeep(Upkeep::Rotate { new: new.clone(), next }).await?.keys;
        *source = KeySource::Given(vec![new]);
        Ok(keys)
    }

    /// Revokes a key that was in force before: what it signs from now on counts for nothing.
    ///
    /// # Errors
    /// `Rejected` with code `log/key` for a key that never was in force, is in force, or is revoked already.
    pub async fn revoke_key(&self, key: [u8; 32], reason: &str) -> Result<Keys, CommandError> {
        Ok(self.upkeep(Upkeep::Revoke { key, reason: reason.to_owned() }).await?.keys)
    }

    /// Writes a checkpoint: it commits to where every case stands, so that completeness of a case can be proven as of it. Takes two
    /// hashes for each case that ever was. `application` is anything of the caller's, at most 4,096 bytes.
    ///
    /// # Errors
    /// `Rejected` with code `log/checkpoint` when the engine was not opened with [`crate::EngineBuilder::checkpoints`].
    pub async fn checkpoint(&self, application: &[u8]) -> Result<Checkpointed, CommandError> {
        let upkept = self.upkeep(Upkeep::Checkpoint { application: application.to_vec() }).await?;
        let (seq, first) = upkept.event.ok_or(CommandError::Closed)?;
        Ok(Checkpointed { seq, size: first.0 })
    }

    async fn upkeep(&self, task: Upkeep) -> Result<Upkept, CommandError> {
        let what = match &task {
            // All partitions have the same keys, as none can change them alone.
            Upkeep::Look => return self.ask(OWNER, Ask::Upkeep { task }).await,
            Upkeep::Checkpoint { .. } => "a checkpoint",
            Upkeep::Rotate { .. } | Upkeep::Replace { .. } | Upkeep::Revoke { .. } => "a change of keys",
        };
        self.ask_only(what, Ask::Upkeep { task }).await
    }

    async fn change_key(&self, revoke: Option<String>) -> Result<Keys, CommandError> {
        let engine = self.clone();
        // A task of its own: the files follow the log even if the caller does not wait.
        let task = tokio::spawn(async move {
            engine.only("a change of keys")?;
            let source = engine.inner.keys.lock().await;
            let keys = engine.keys().await?;
            let files = source.clone();
            let prepared = blocking(move || files.prepare_rotation(&keys)).await?;
            let NextSigner { signer: new, after: next } = prepared.map_err(|error| no_key(&error))?;
            let task = match revoke {
                Some(reason) => Upkeep::Replace { new, next, reason },
                None => Upkeep::Rotate { new, next },
            };
            let keys = engine.upkeep(task).await?.keys;
            let (files, after) = (source.clone(), keys.clone());
            // If this fails, the next opening does it.
            blocking(move || files.in_force(&after).map(drop)).await?.map_err(|error| no_key(&error))?;
            Ok(keys)
        });
        task.await.unwrap_or(Err(CommandError::Closed))
    }
}

async fn blocking<T: Send + 'static>(task: impl FnOnce() -> T + Send + 'static) -> Result<T, CommandError> {
    tokio::task::spawn_blocking(task).await.map_err(|_| CommandError::Closed)
}

fn no_key(error: &OpenError) -> CommandError {
    Rejection::new("log/key", error.to_string()).into()
}
