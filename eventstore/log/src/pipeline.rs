//! Seals, packs and commits on three threads of their own, so that the caller decides the next block meanwhile.
//!
//! The first hashes and signs, the second compresses, the third stores: it mostly waits for the disk, and what computes never does.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};

use crate::frame::Compressor;
use crate::limits::{COMMIT_GROUP_BLOCKS, COMMIT_QUEUE_BLOCKS, PACK_QUEUE_BLOCKS, SEAL_QUEUE_BLOCKS};
use crate::sealer::{Sealer, SignedBlock};
use crate::signer::{SignError, Signer};
use crate::stage::OpenBlock;
use crate::store::{CommitError, EventStore, SealedBlock};

/// Why a pipeline came to a halt. It does not recover: open the log again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// A block could not be sealed.
    #[error("a block could not be sealed")]
    Sign(#[from] SignError),
    /// Sealed blocks could not be stored. Some of the group may be on disk.
    #[error("a block could not be stored")]
    Commit(#[from] CommitError),
    /// A thread could not be started, or ended by itself.
    #[error("a thread of the pipeline is gone")]
    Thread,
}

/// What became of a block.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// It survives power loss: now, and not before, may its effects leave.
    Durable(&'a SealedBlock),
    /// It is not acknowledged. Whether it is in the log will be known when the log is opened again.
    Failed {
        /// Seq of the block record.
        first_seq: u64,
        /// Tree size after the block.
        size: u64,
        /// What halted the pipeline.
        error: &'a Arc<PipelineError>,
    },
}

/// Why a block was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The queue is full; the block is given back. Try again after a block became durable.
    #[error("the sealing queue is full")]
    Busy(OpenBlock),
    /// The pipeline has halted.
    #[error("the log accepts no more blocks")]
    Halted(#[source] Arc<PipelineError>),
}

/// What is left of a pipeline.
pub struct Finished {
    /// The store; `None` when the committing thread panicked.
    pub store: Option<Box<dyn EventStore>>,
    /// The sealer, for blocks to come; `None` when the sealing thread panicked. Of no use after an error.
    pub sealer: Option<Sealer>,
    /// What halted the pipeline.
    pub error: Option<Arc<PipelineError>>,
}

impl std::fmt::Debug for Finished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finished").field("error", &self.error).finish_non_exhaustive()
    }
}

type Halt = Arc<OnceLock<Arc<PipelineError>>>;

/// What the sealing thread passes on.
enum Sealed {
    Block(Box<SignedBlock>),
    Failed { first_seq: u64, size: u64 },
}

/// What the packing thread passes on.
enum Packed {
    Block(Box<SealedBlock>),
    Failed { first_seq: u64, size: u64 },
}

/// A sealing, a packing and a committing thread. Blocks become durable in the order in which they were submitted.
///
/// Durability: a block counts only after its `Outcome::Durable`. Blocks that wait in the queues are lost with the process; they
/// were not acknowledged. All sealed blocks that wait (up to a bound) go into one commit. After an error, every block in
/// the queues gets `Outcome::Failed`, and `submit` refuses.
#[derive(Debug)]
pub struct Pipeline {
    open_blocks: Option<SyncSender<OpenBlock>>,
    halt: Halt,
    sealing: Option<JoinHandle<Sealer>>,
    packing: Option<JoinHandle<()>>,
    committing: Option<JoinHandle<Committer>>,
}

struct Committer(Box<dyn EventStore>);

impl Pipeline {
    /// Starts the threads. `signer` holds the key in force; a rotation among the submitted blocks brings its own, which seals what
    /// comes after it. `on_outcome` is called on the committing thread, once for each block and in order; it must be quick.
    pub fn spawn(
        sealer: Sealer,
        signer: Arc<dyn Signer>,
        store: Box<dyn EventStore>,
        on_outcome: impl FnMut(Outcome<'_>) + Send + 'static,
    ) -> Result<Self, PipelineError> {
        let (given, in_force) = (signer.public_key(), sealer.key_in_force());
        if given != in_force {
            return Err(SignError::NotInForce { given, in_force }.into());
        }
        let halt = Halt::default();
        let (open_blocks, to_seal) = sync_channel(SEAL_QUEUE_BLOCKS);
        let (sealed, to_pack) = sync_channel(PACK_QUEUE_BLOCKS);
        let (packed, to_commit) = sync_channel(COMMIT_QUEUE_BLOCKS);
        let (sealing_halt, committing_halt) = (halt.clone(), halt.clone());
        let sealing = Builder::new()
            .name("actum-seal".to_owned())
            .spawn(move || seal_all(sealer, signer, &to_seal, &sealed, &sealing_halt))
            .map_err(|_| PipelineError::Thread)?;
        let packing = Builder::new()
            .name("actum-pack".to_owned())
            .spawn(move || pack_all(&to_pack, &packed))
            .map_err(|_| PipelineError::Thread)?;
        let committing = Builder::new()
            .name("actum-commit".to_owned())
            .spawn(move || Committer(commit_all(store, &to_commit, &committing_halt, on_outcome)))
            .map_err(|_| PipelineError::Thread)?;
        Ok(Self {
            open_blocks: Some(open_blocks),
            halt,
            sealing: Some(sealing),
            packing: Some(packing),
            committing: Some(committing),
        })
    }

    /// Hands over a block; waits while the queue is full.
    pub fn submit(&self, block: OpenBlock) -> Result<(), SubmitError> {
        match self.accepting()?.send(block) {
            Ok(()) => Ok(()),
            Err(_) => Err(SubmitError::Halted(self.halted())),
        }
    }

    /// Hands over a block, or gives it back at once when the queue is full.
    pub fn try_submit(&self, block: OpenBlock) -> Result<(), SubmitError> {
        match self.accepting()?.try_send(block) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full(block)) => Err(SubmitError::Busy(block)),
            Err(TrySendError::Disconnected(_)) => Err(SubmitError::Halted(self.halted())),
        }
    }

    /// What halted the pipeline; `None` while it runs.
    pub fn error(&self) -> Option<Arc<PipelineError>> {
        self.halt.get().cloned()
    }

    /// Waits until every submitted block has its outcome, and gives back the store.
    pub fn finish(mut self) -> Finished {
        self.join()
    }

    fn accepting(&self) -> Result<&SyncSender<OpenBlock>, SubmitError> {
        match (&self.open_blocks, self.halt.get()) {
            (Some(open_blocks), None) => Ok(open_blocks),
            (_, Some(error)) => Err(SubmitError::Halted(error.clone())),
            (None, None) => Err(SubmitError::Halted(Arc::new(PipelineError::Thread))),
        }
    }

    fn halted(&self) -> Arc<PipelineError> {
        self.halt.get_or_init(|| Arc::new(PipelineError::Thread)).clone()
    }

    fn join(&mut self) -> Finished {
        self.open_blocks = None;
        let sealer = self.sealing.take().and_then(|thread| thread.join().ok());
        let store = self.committing.take().and_then(|thread| thread.join().ok()).map(|Committer(store)| store);
        let packed = self.packing.take().is_none_or(|thread| thread.join().is_ok());
        let gone = sealer.is_none() || store.is_none() || !packed;
        let error = if gone { Some(self.halted()) } else { self.error() };
        Finished { store, sealer, error }
    }
}

impl Drop for Pipeline {
    /// Waits as `finish` does.
    fn drop(&mut self) {
        if self.sealing.is_some() || self.committing.is_some() {
            self.join();
        }
    }
}

fn seal_all(
    mut sealer: Sealer,
    mut signer: Arc<dyn Signer>,
    blocks: &Receiver<OpenBlock>,
    sealed: &SyncSender<Sealed>,
    halt: &Halt,
) -> Sealer {
    for block in blocks {
        let (first_seq, size) = (block.first_seq(), block.size());
        let failed = Sealed::Failed { first_seq, size };
        let new_signer = block.signer_after();
        let next = if halt.get().is_some() {
            failed
        } else {
            match sealer.sign(block, &*signer) {
                Ok(block) => {
                    signer = new_signer.unwrap_or(signer);
                    Sealed::Block(Box::new(block))
                }
                Err(error) => {
                    halt.get_or_init(|| Arc::new(error.into()));
                    failed
                }
            }
        };
        if sealed.send(next).is_err() {
            halt.get_or_init(|| Arc::new(PipelineError::Thread));
            break;
        }
    }
    sealer
}

/// Compression waits for no disk, so it goes on while the commit before it syncs.
fn pack_all(sealed: &Receiver<Sealed>, packed: &SyncSender<Packed>) {
    let mut compressor = Compressor::default();
    for item in sealed {
        let item = match item {
            Sealed::Block(block) => Packed::Block(Box::new(block.pack(&mut compressor))),
            Sealed::Failed { first_seq, size } => Packed::Failed { first_seq, size },
        };
        if packed.send(item).is_err() {
            break;
        }
    }
}

fn commit_all(
    mut store: Box<dyn EventStore>,
    packed: &Receiver<Packed>,
    halt: &Halt,
    mut on_outcome: impl FnMut(Outcome<'_>),
) -> Box<dyn EventStore> {
    // Set by this thread or found after a `Failed`: blocks that were sealed before the signer failed are still committed.
    let mut halted: Option<Arc<PipelineError>> = None;
    let mut group = Vec::with_capacity(COMMIT_GROUP_BLOCKS);
    while let Ok(first) = packed.recv() {
        let failed = gather(first, packed, &mut group);
        if halted.is_none()
            && !group.is_empty()
            && let Err(error) = store.commit(&group)
        {
            halted = Some(halt.get_or_init(|| Arc::new(error.into())).clone());
        }
        for block in group.drain(..) {
            match &halted {
                None => on_outcome(Outcome::Durable(&block)),
                Some(error) => on_outcome(Outcome::Failed { first_seq: block.first_seq, size: block.size, error }),
            }
        }
        if let Some((first_seq, size)) = failed {
            let error = halted.get_or_insert_with(|| halt.get_or_init(|| Arc::new(PipelineError::Thread)).clone());
            on_outcome(Outcome::Failed { first_seq, size, error });
        }
    }
    store
}

/// Puts `first` and the blocks that wait behind it into `group`; gives the block that failed to be sealed, if that came.
fn gather(first: Packed, packed: &Receiver<Packed>, group: &mut Vec<SealedBlock>) -> Option<(u64, u64)> {
    let mut next = Some(first);
    while let Some(item) = next {
        match item {
            Packed::Block(block) => group.push(*block),
            Packed::Failed { first_seq, size } => return Some((first_seq, size)),
        }
        next = if group.len() < COMMIT_GROUP_BLOCKS { packed.try_recv().ok() } else { None };
    }
    None
}
