//! Seals, packs and commits on three threads of their own, so that the caller decides the next block meanwhile.
//!
//! The first hashes and signs, the second compresses, the third stores: it mostly waits for the disk, and what computes never does.
//!
//! Partitions that share a store share the committing thread: each has its own sealing and packing, and whatever blocks of theirs wait
//! go into one commit.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
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
    /// The store; `None` when the committing thread panicked, or still stores for other partitions.
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

/// What a packing thread passes on.
enum Packed {
    Block(Box<SealedBlock>),
    Failed {
        first_seq: u64,
        size: u64,
    },
    /// It ended: nothing more comes on this lane.
    Ended,
}

/// With the lane it came on.
type ToCommit = (usize, Packed);

/// What one partition brings to a pipeline that is shared: see [`Pipeline::spawn_all`].
pub struct Lane {
    /// Seals the partition's blocks.
    pub sealer: Sealer,
    /// Holds the key in force.
    pub signer: Arc<dyn Signer>,
    /// Called on the committing thread, once for each block of the partition and in order; it must be quick. Dropped once the
    /// partition's last block has its outcome.
    pub on_outcome: OnOutcome,
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("key", &self.signer.public_key()).finish_non_exhaustive()
    }
}

/// Hears what became of blocks.
pub type OnOutcome = Box<dyn FnMut(Outcome<'_>) + Send>;

/// A sealing and a packing thread, and a committing one that may be shared. Blocks become durable in the order in which they were
/// submitted.
///
/// Durability: a block counts only after its `Outcome::Durable`. Blocks that wait in the queues are lost with the process; they
/// were not acknowledged. All sealed blocks that wait (up to a bound) go into one commit, whichever partition they are of. After an
/// error, every block in the queues of every partition gets `Outcome::Failed`, and `submit` refuses.
#[derive(Debug)]
pub struct Pipeline {
    open_blocks: Option<SyncSender<OpenBlock>>,
    halt: Halt,
    sealing: Option<JoinHandle<Sealer>>,
    packing: Option<JoinHandle<()>>,
    committing: Option<Arc<Committing>>,
}

struct Committer(Box<dyn EventStore>);

/// The committing thread, until somebody waited for its end.
#[derive(Debug)]
struct Committing(Mutex<Option<JoinHandle<Committer>>>);

impl Committing {
    /// Waits for its end, and gives back the store.
    fn join(&self) -> Option<Box<dyn EventStore>> {
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        thread.and_then(|thread| thread.join().ok()).map(|Committer(store)| store)
    }
}

impl Pipeline {
    /// Starts the threads. `signer` holds the key in force; a rotation among the submitted blocks brings its own, which seals what
    /// comes after it. `on_outcome` is called on the committing thread, once for each block and in order; it must be quick.
    pub fn spawn(
        sealer: Sealer,
        signer: Arc<dyn Signer>,
        store: Box<dyn EventStore>,
        on_outcome: impl FnMut(Outcome<'_>) + Send + 'static,
    ) -> Result<Self, PipelineError> {
        let lane = Lane { sealer, signer, on_outcome: Box::new(on_outcome) };
        Self::spawn_all(vec![lane], store)?.pop().ok_or(PipelineError::Thread)
    }

    /// [`Pipeline::spawn`] for several partitions of one store, which one thread commits to: one pipeline for each lane. Blocks of
    /// a partition keep their order; between partitions there is none. The store is given back by the one that is finished last.
    pub fn spawn_all(lanes: Vec<Lane>, store: Box<dyn EventStore>) -> Result<Vec<Self>, PipelineError> {
        for Lane { sealer, signer, .. } in &lanes {
            let (given, in_force) = (signer.public_key(), sealer.key_in_force());
            if given != in_force {
                return Err(SignError::NotInForce { given, in_force }.into());
            }
        }
        let halt = Halt::default();
        let (packed, to_commit) = sync_channel(COMMIT_QUEUE_BLOCKS);
        let mut on_outcomes = Vec::with_capacity(lanes.len());
        let mut threads = Vec::with_capacity(lanes.len());
        for (index, Lane { sealer, signer, on_outcome }) in lanes.into_iter().enumerate() {
            let (open_blocks, to_seal) = sync_channel(SEAL_QUEUE_BLOCKS);
            let (sealed, to_pack) = sync_channel(PACK_QUEUE_BLOCKS);
            let sealing_halt = halt.clone();
            let sealing = Builder::new()
                .name("actum-seal".to_owned())
                .spawn(move || seal_all(sealer, signer, &to_seal, &sealed, &sealing_halt))
                .map_err(|_| PipelineError::Thread)?;
            let to_committer = ToCommitter { lane: index, queue: packed.clone() };
            let packing = Builder::new()
                .name("actum-pack".to_owned())
                .spawn(move || pack_all(&to_pack, &to_committer))
                .map_err(|_| PipelineError::Thread)?;
            on_outcomes.push(Some(on_outcome));
            threads.push((open_blocks, sealing, packing));
        }
        let committing_halt = halt.clone();
        let committing = Builder::new()
            .name("actum-commit".to_owned())
            .spawn(move || Committer(commit_all(store, &to_commit, &committing_halt, on_outcomes)))
            .map_err(|_| PipelineError::Thread)?;
        let committing = Arc::new(Committing(Mutex::new(Some(committing))));
        let pipeline = |(open_blocks, sealing, packing)| Self {
            open_blocks: Some(open_blocks),
            halt: halt.clone(),
            sealing: Some(sealing),
            packing: Some(packing),
            committing: Some(committing.clone()),
        };
        Ok(threads.into_iter().map(pipeline).collect())
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
        let packed = self.packing.take().is_none_or(|thread| thread.join().is_ok());
        // Only the last partition to end waits for the committing thread: it stores for the others until then.
        let last = self.committing.take().and_then(Arc::into_inner);
        let (is_last, store) = (last.is_some(), last.and_then(|committing| committing.join()));
        let gone = sealer.is_none() || (is_last && store.is_none()) || !packed;
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

/// The way from a packing thread to the committing one. Says that the lane has ended however the thread ends.
struct ToCommitter {
    lane: usize,
    queue: SyncSender<ToCommit>,
}

impl Drop for ToCommitter {
    fn drop(&mut self) {
        // Without the committing thread nobody needs to know.
        self.queue.send((self.lane, Packed::Ended)).ok();
    }
}

/// Compression waits for no disk, so it goes on while the commit before it syncs.
fn pack_all(sealed: &Receiver<Sealed>, to_committer: &ToCommitter) {
    let mut compressor = Compressor::default();
    for item in sealed {
        let item = match item {
            Sealed::Block(block) => Packed::Block(Box::new(block.pack(&mut compressor))),
            Sealed::Failed { first_seq, size } => Packed::Failed { first_seq, size },
        };
        if to_committer.queue.send((to_committer.lane, item)).is_err() {
            break;
        }
    }
}

/// What goes into a commit, and what came beside it.
#[derive(Default)]
struct Group {
    blocks: Vec<SealedBlock>,
    /// The lane of each.
    lanes: Vec<usize>,
    /// Lanes on which nothing comes after these.
    ended: Vec<usize>,
    /// What came after them: a block that could not be sealed, with its lane, first seq and size.
    failed: Option<(usize, u64, u64)>,
}

fn commit_all(
    mut store: Box<dyn EventStore>,
    packed: &Receiver<ToCommit>,
    halt: &Halt,
    mut on_outcomes: Vec<Option<OnOutcome>>,
) -> Box<dyn EventStore> {
    // Set by this thread or found after a `Failed`: blocks that were sealed before the signer failed are still committed.
    let mut halted: Option<Arc<PipelineError>> = None;
    let mut group = Group::default();
    while let Ok(first) = packed.recv() {
        gather(first, packed, &mut group);
        if halted.is_none()
            && !group.blocks.is_empty()
            && let Err(error) = store.commit(&group.blocks)
        {
            halted = Some(halt.get_or_init(|| Arc::new(error.into())).clone());
        }
        for (block, lane) in group.blocks.drain(..).zip(group.lanes.drain(..)) {
            let Some(on_outcome) = &mut on_outcomes[lane] else { continue };
            match &halted {
                None => on_outcome(Outcome::Durable(&block)),
                Some(error) => on_outcome(Outcome::Failed { first_seq: block.first_seq, size: block.size, error }),
            }
        }
        if let Some((lane, first_seq, size)) = group.failed.take() {
            let error = halted.get_or_insert_with(|| halt.get_or_init(|| Arc::new(PipelineError::Thread)).clone());
            if let Some(on_outcome) = &mut on_outcomes[lane] {
                on_outcome(Outcome::Failed { first_seq, size, error });
            }
        }
        group.ended.drain(..).for_each(|lane| on_outcomes[lane] = None);
    }
    store
}

/// Puts `first` and the blocks that wait behind it into `group`, until one comes that could not be sealed.
fn gather(first: ToCommit, packed: &Receiver<ToCommit>, group: &mut Group) {
    let mut next = Some(first);
    while let Some((lane, item)) = next {
        match item {
            Packed::Block(block) => {
                group.blocks.push(*block);
                group.lanes.push(lane);
            }
            Packed::Failed { first_seq, size } => {
                group.failed = Some((lane, first_seq, size));
                return;
            }
            Packed::Ended => group.ended.push(lane),
        }
        next = if group.blocks.len() < COMMIT_GROUP_BLOCKS { packed.try_recv().ok() } else { None };
    }
}
