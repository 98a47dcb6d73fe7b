//! The store that an engine writes to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use actum_log::limits::SEAL_BYTES_MAX;
use actum_log::{CommitError, EventStore, Frame, FrameKey, FrameSource, Head, ReadError, SealedBlock};
use fjall::PersistMode;

use crate::copy::{CopyError, journal_bytes};
use crate::dir::{CREATING, Genesis, Lock, STORE};
use crate::engine::{self, Engine, Purpose};
use crate::error::OpenError;
use crate::examine::{Tail, examine};
use crate::head_file::{self, HeadFile};
use crate::options::{Options, Rehearsal, SEALED_MEMTABLES_MAX};
use crate::quiet::guarded;
use crate::scratch::{self, Scratch};
use crate::source::{Frames, stored_key};
use crate::torn::{self, Torn};

/// How long to wait before looking again whether a memtable was flushed.
const FLUSH_POLL: Duration = Duration::from_millis(1);

/// A log opened for writing, alone: another `open` gets `Locked` until this and every source taken from it are dropped.
///
/// `commit` returns when its blocks and then the heads survive power loss. After an error other than `Conflict` it
/// refuses all further commits, because what is on disk is unknown until the log is opened again.
pub struct FjallStore {
    shared: Arc<Shared>,
    head_files: Vec<HeadFile>,
    tails: Vec<Tail>,
    found: Found,
    memtable_bytes: u64,
    /// Bytes put into the present memtable.
    unflushed_bytes: u64,
    poisoned: bool,
}

/// What sources share with the store.
struct Shared {
    frames: Frames,
    genesis: Genesis,
    heads: RwLock<Vec<Option<Head>>>,
    // Dropped in this order: fjall first, then the lock.
    engine: Engine,
    _lock: Lock,
}

/// Opens the log at `dir` for writing.
///
/// Takes the lock before it looks at anything, reads the heads before fjall is opened, and tries on a scratch copy first
/// (see [`Rehearsal`]), because fjall removes what it cannot use. A log that is damaged or lacks acknowledged blocks is
/// left as it was.
///
/// # Errors
/// See [`OpenError`].
pub fn open(dir: &Path, options: &Options) -> Result<FjallStore, OpenError> {
    open_locked(dir, lock(dir)?, options)
}

/// [`open`], but `rehearsal` reads the directory through instead of a rehearsal in this process, whatever `options` say: it
/// may do so in a child process, which the storage engine's aborts then end. It is called while the directory is locked, so
/// that what it saw is what is opened; it must end with an error for every log that [`crate::read`] refuses.
///
/// # Errors
/// See [`OpenError`]; `Rehearsal` with what `rehearsal` says.
pub fn open_rehearsed(
    dir: &Path,
    options: &Options,
    rehearsal: impl FnOnce(&Path) -> Result<(), ReadError>,
) -> Result<FjallStore, OpenError> {
    let lock = lock(dir)?;
    Genesis::read(dir)?;
    rehearsal(dir).map_err(OpenError::Rehearsal)?;
    let torn = torn::find(&dir.join(STORE)).map_err(|error| error.within(dir))?;
    open_within(dir, lock, &Options { rehearsal: Rehearsal::Never, ..options.clone() }, torn)
        .map_err(|error| error.within(dir))
}

fn lock(dir: &Path) -> Result<Lock, OpenError> {
    match fs::metadata(dir) {
        Ok(meta) if meta.is_dir() => {}
        Err(error) if !matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Err(OpenError::io(dir, error));
        }
        _ => return Err(OpenError::NotFound(dir.to_owned())),
    }
    Lock::acquire(dir)
}

pub(crate) fn open_locked(dir: &Path, lock: Lock, options: &Options) -> Result<FjallStore, OpenError> {
    open_within(dir, lock, options, None).map_err(|error| error.within(dir))
}

/// `torn` is what a rehearsal that is over has found.
fn open_within(dir: &Path, lock: Lock, options: &Options, torn: Option<Torn>) -> Result<FjallStore, OpenError> {
    let genesis = Genesis::read(dir)?;
    let readings = (0..genesis.partitions).map(|partition| head_file::read(dir, partition));
    let readings: Vec<_> = readings.collect::<Result<_, _>>()?;
    let mut found = Found::default();
    for (partition, reading) in (0..).zip(&readings) {
        if reading.torn {
            tracing::warn!(partition, "the newest head was not written completely; the one before it counts");
            found.torn_heads.push(partition);
        }
        if reading.slot.seal.is_empty() && reading.slot.hash != genesis.hash {
            return Err(OpenError::Tampered(format!("the head of partition {partition} belongs to another genesis")));
        }
    }
    let heads: Vec<_> = readings.iter().map(|reading| reading.slot.head()).collect();
    let store = dir.join(STORE);
    let torn = match options.rehearsal {
        Rehearsal::Always => rehearse(dir, options, &genesis, &heads)?,
        Rehearsal::Never => torn,
    };
    if let Some(torn) = torn {
        tracing::warn!(journal = torn.journal, at = torn.at, "dropping a commit that was torn and never acknowledged");
        torn.cut(&store)?;
        found.dropped = Some(torn.into_dropped());
    }
    let preallocated_bytes = journal_bytes(&store)?;
    let engine = engine::open(&store, options, Purpose::Writing)?;
    let frames = Frames { log: engine.log.clone(), path: PathBuf::from(STORE) };
    let tails = examine(&frames, &genesis, &heads, preallocated_bytes)?;
    // fjall has cut the preallocated rest off. Some of it may be flushed: then the first memtable is a smaller one.
    let unflushed_bytes = journal_bytes(&store)?;
    let head_files =
        (0..).zip(&readings).map(|(partition, reading)| HeadFile::open(dir, partition, reading.slot.generation));
    let head_files = head_files.collect::<Result<_, _>>()?;
    remove_staging(&dir.join(CREATING));
    let shared = Arc::new(Shared { frames, genesis, heads: RwLock::new(heads), engine, _lock: lock });
    Ok(FjallStore {
        shared,
        head_files,
        tails,
        found,
        memtable_bytes: options.memtable_bytes,
        unflushed_bytes,
        poisoned: false,
    })
}

/// Opens and examines a scratch copy, as a reader does. It lies in the data directory, which is the writer's to write to and
/// where linking works.
fn rehearse(
    dir: &Path,
    options: &Options,
    genesis: &Genesis,
    heads: &[Option<Head>],
) -> Result<Option<Torn>, OpenError> {
    let (scratch, journal_bytes) = match Scratch::copy(dir, Some(options.scratch_root.as_deref().unwrap_or(dir))) {
        Ok(copy) => copy,
        Err(CopyError::Failed(error)) => return Err(error),
        Err(CopyError::Changed(what)) => {
            return Err(OpenError::Unavailable(format!("the store changes although it is locked: {what}")));
        }
    };
    let (_engine, _frames, torn) = scratch::rehearse(scratch.path(), options, genesis, heads, journal_bytes)?;
    Ok(torn)
}

/// A creation that was interrupted after the genesis was in place leaves an empty directory.
fn remove_staging(path: &PathBuf) {
    if path.exists() && fs::remove_dir(path).is_err() {
        tracing::warn!(path = %path.display(), "left over from creating the log, but not empty");
    }
}

impl std::fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FjallStore")
            .field("tails", &self.tails)
            .field("poisoned", &self.poisoned)
            .finish_non_exhaustive()
    }
}

/// What opening for writing met that a crash or power loss had left, and dropped: nothing of it was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Partitions whose newest head was written only in part, so that the one before it counts.
    pub torn_heads: Vec<u16>,
    /// A commit that is not whole, at the end of the active journal. Looked for in a rehearsal only.
    pub dropped: Option<Dropped>,
}

/// A commit that was cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The journal, by its name in `store/`.
    pub journal: String,
    /// Where in it the commit began.
    pub at: u64,
    /// Bytes of it that had been written.
    pub bytes: u64,
}

impl FjallStore {
    /// What opening met and dropped.
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Tails after `blocks`, if they continue the store.
    fn tails_after(&self, blocks: &[SealedBlock]) -> Result<Vec<Tail>, CommitError> {
        let mut tails = self.tails.clone();
        for block in blocks {
            let SealedBlock { partition, number, first_seq, size, previous_hash, hash, .. } = *block;
            let Some(tail) = tails.get_mut(usize::from(partition)) else {
                return Err(CommitError::Conflict { partition, number, expected: 0 });
            };
            let continues = (number, first_seq, previous_hash) == (tail.number, tail.size, tail.hash);
            if !continues || size <= first_seq {
                return Err(CommitError::Conflict { partition, number, expected: tail.number });
            }
            *tail = Tail { number: number + 1, size, hash };
        }
        Ok(tails)
    }

    /// Seals the memtable when it is full, and waits while too many are being flushed: this bounds memory.
    fn make_room(&mut self) -> Result<(), CommitError> {
        let engine = &self.shared.engine;
        if self.unflushed_bytes < self.memtable_bytes {
            return Ok(());
        }
        while caught(|| Ok(engine.log.sealed_memtable_count()))? >= SEALED_MEMTABLES_MAX {
            // A worker that failed has poisoned the database and will not flush: this is how fjall tells.
            caught(|| engine.db()?.persist(PersistMode::Buffer))?;
            std::thread::sleep(FLUSH_POLL);
        }
        caught(|| engine.log.rotate_memtable())?;
        self.unflushed_bytes = 0;
        Ok(())
    }

    fn store_frames(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        let engine = &self.shared.engine;
        let frames = || blocks.iter().flat_map(|block| block.chunks.iter().chain([&block.block]));
        caught(|| {
            let mut batch = fjall::OwnedWriteBatch::with_capacity(engine.db()?.clone(), frames().count());
            for frame in frames() {
                batch.insert(&engine.log, stored_key(frame.key), frame.bytes.as_slice());
            }
            batch.durability(Some(PersistMode::SyncData)).commit()
        })?;
        self.unflushed_bytes += frames().map(|frame| frame.bytes.len() as u64).sum::<u64>();
        Ok(())
    }

    fn store_heads(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        for (index, file) in self.head_files.iter_mut().enumerate() {
            let Some(block) = blocks.iter().rfind(|block| usize::from(block.partition) == index) else { continue };
            let SealedBlock { number, size, hash, .. } = *block;
            let head = Head { number, size, hash, seal: block.seal.clone() };
            file.write(&head).map_err(CommitError::Io)?;
            let mut heads = self.shared.heads.write().unwrap_or_else(PoisonError::into_inner);
            heads[index] = Some(head);
        }
        Ok(())
    }

    fn store(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        // Its head could not be written, so nothing of it may be.
        if let Some(block) = blocks.iter().find(|block| block.seal.is_empty() || block.seal.len() > SEAL_BYTES_MAX) {
            return Err(CommitError::Engine(format!(
                "the seal of block {} has {} bytes, a head holds 1 to {SEAL_BYTES_MAX}",
                block.number,
                block.seal.len()
            )));
        }
        self.make_room()?;
        self.store_frames(blocks)?;
        self.store_heads(blocks)
    }
}

/// Runs fjall for a commit.
fn caught<T>(f: impl FnOnce() -> fjall::Result<T>) -> Result<T, CommitError> {
    match guarded(f) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fjall::Error::Io(source) | fjall::Error::Storage(fjall::LsmError::Io(source)))) => {
            Err(CommitError::Io(source))
        }
        Ok(Err(error)) => Err(CommitError::Engine(error.to_string())),
        Err(error) => Err(CommitError::Engine(error.to_string())),
    }
}

impl EventStore for FjallStore {
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        if self.poisoned {
            return Err(CommitError::Poisoned);
        }
        let tails = self.tails_after(blocks)?;
        if blocks.is_empty() {
            return Ok(());
        }
        // Also poisoned if this unwinds.
        self.poisoned = true;
        self.store(blocks)?;
        self.tails = tails;
        self.poisoned = false;
        Ok(())
    }

    fn head(&self, partition: u16) -> Option<Head> {
        self.shared.head(partition).ok().flatten()
    }

    fn source(&self) -> Arc<dyn FrameSource> {
        Arc::clone(&self.shared) as Arc<dyn FrameSource>
    }
}

impl FrameSource for Shared {
    fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        Ok(self.genesis.text.clone())
    }

    fn head(&self, partition: u16) -> Result<Option<Head>, ReadError> {
        let heads = self.heads.read().unwrap_or_else(PoisonError::into_inner);
        Ok(heads.get(usize::from(partition)).cloned().flatten())
    }

    fn frames(&self, from: FrameKey) -> Result<actum_log::Frames<'_>, ReadError> {
        Ok(Box::new(self.frames.from(from)?))
    }

    fn frame_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, ReadError> {
        Ok(self.frames.last_at_or_before(at)?)
    }
}
