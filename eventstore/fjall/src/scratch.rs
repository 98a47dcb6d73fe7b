//! Reading a log without writing to its directory.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::BuildHasher;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actum_log::{Frame, FrameKey, FrameSource, Head, ReadError};

use crate::copy::{CopyError, copy_store, fingerprint, journal_bytes};
use crate::dir::{GENESIS, Genesis, SCRATCH, STORE, head_name, make_private};
use crate::engine::{self, Engine, Purpose};
use crate::error::{Defect, OpenError};
use crate::examine::examine;
use crate::head_file::{self, Reading};
use crate::options::{Options, READ_ATTEMPTS};
use crate::source::Frames;
use crate::store::Dropped;
use crate::torn::{self, Torn};

const PREFIX: &str = "actum-scratch-";
const MAKING_PREFIX: &str = "actum-new-scratch-";
/// How often another name is tried for a scratch directory.
const NAME_ATTEMPTS: usize = 20;

/// A copy of a log's data directory, without its keys, that fjall may write to. Removed on drop.
///
/// Holds everything that was acknowledged before the copy began. A copy whose process was killed is removed when the
/// next one is made at the same place.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    /// Holds the lock that says that the copy is in use.
    _marker: File,
}

impl Scratch {
    /// Copies the log at `dir`, also while an engine writes to it: links to tables and blobs, copies of the rest.
    ///
    /// The copy lies in the system's directory for temporary files if that is on the log's file system; else beside the
    /// data directory; else, where that is not writable, in the former, with copies instead of links. Never inside `dir`.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt` (genesis or head files), `Unavailable` (no place for it, or an engine that changes the
    /// store faster than it can be copied), `Io`.
    pub fn of(dir: &Path) -> Result<Self, ReadError> {
        let mut changed = String::new();
        for _ in 0..READ_ATTEMPTS {
            match Self::copy(dir, None) {
                Ok((scratch, _)) => return Ok(scratch),
                Err(CopyError::Failed(error)) => return Err(error.within(dir).into()),
                Err(CopyError::Changed(what)) => changed = what,
            }
        }
        Err(ReadError::Unavailable(format!("the store changed while it was copied: {changed}")))
    }

    /// Where the copy is; for a child process that calls [`open_source`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the copy for reading and keeps it until the source is dropped.
    ///
    /// # Errors
    /// As [`open_source`].
    pub fn into_source(self) -> Result<ScratchSource, ReadError> {
        let mut source = open_source(&self.path)?;
        source.scratch = Some(Arc::new(self));
        Ok(source)
    }

    /// One attempt. Returns also how many bytes the journals hold.
    pub(crate) fn copy(dir: &Path, root: Option<&Path>) -> Result<(Self, u64), CopyError> {
        // The order matters: what the heads acknowledge is in the journals or in tables from here on.
        let genesis = Genesis::read(dir)?;
        let heads = (0..genesis.partitions).map(|partition| head_file::read(dir, partition));
        let heads: Vec<_> = heads.collect::<Result<_, _>>()?;
        let scratch = Self::make(dir, root)?;
        match scratch.fill(dir, &genesis, &heads) {
            Ok(journal_bytes) => Ok((scratch, journal_bytes)),
            Err(CopyError::Failed(error)) => Err(CopyError::Failed(no_room(error, &scratch.path))),
            Err(error) => Err(error),
        }
    }

    fn fill(&self, dir: &Path, genesis: &Genesis, heads: &[Reading]) -> Result<u64, CopyError> {
        let path = &self.path;
        let write =
            |name: &str, bytes: &[u8]| fs::write(path.join(name), bytes).map_err(|source| OpenError::io(path, source));
        write(GENESIS, &genesis.text)?;
        for (partition, head) in (0..genesis.partitions).zip(heads) {
            write(&head_name(partition), &head.bytes)?;
        }
        let store = dir.join(STORE);
        if !store.is_dir() {
            return Err(OpenError::defect(&store, Defect::Missing).into());
        }
        copy_store(&store, &path.join(STORE))
    }

    fn make(dir: &Path, root: Option<&Path>) -> Result<Self, OpenError> {
        let roots = match root {
            Some(root) => vec![root.to_owned()],
            None => roots(dir)?,
        };
        let mut last = None;
        for root in roots {
            sweep(&root);
            match Self::make_in(&root) {
                Ok(scratch) => return Ok(scratch),
                Err(error) => {
                    last = Some(OpenError::Unavailable(format!("no scratch copy in {}: {error}", root.display())));
                }
            }
        }
        Err(last.unwrap_or_else(|| OpenError::Unavailable("no place for a scratch copy".to_owned())))
    }

    fn make_in(root: &Path) -> std::io::Result<Self> {
        for _ in 0..NAME_ATTEMPTS {
            let random = RandomState::new().hash_one(std::process::id());
            // Named so that it can be swept only once its marker is locked.
            let making = root.join(format!("{MAKING_PREFIX}{random:016x}"));
            match make_private(&making) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            let marker = making.join(SCRATCH);
            fs::write(&marker, b"")?;
            let marker = File::open(marker)?;
            marker.try_lock()?;
            let path = root.join(format!("{PREFIX}{random:016x}"));
            fs::rename(making, &path)?;
            return Ok(Self { path, _marker: marker });
        }
        Err(ErrorKind::AlreadyExists.into())
    }
}

/// The copy itself could not be written: of no interest is which file, but where.
fn no_room(error: OpenError, scratch: &Path) -> OpenError {
    match error {
        OpenError::Inaccessible { path, source } | OpenError::Io { path, source } if path.starts_with(scratch) => {
            let root = scratch.parent().unwrap_or(scratch);
            OpenError::Unavailable(format!("no scratch copy in {}: {source}", root.display()))
        }
        error => error,
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a scratch copy was not removed");
        }
    }
}

/// Places for a scratch copy of `dir`, the best first.
pub(crate) fn roots(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let dir = dir.canonicalize().map_err(|source| OpenError::io(dir, source))?;
    let device = |path: &Path| fs::metadata(path).ok().map(|meta| meta.dev());
    let temp = std::env::temp_dir().canonicalize().ok().filter(|temp| !temp.starts_with(&dir));
    let beside = dir.parent().map(Path::to_owned);
    let mut roots: Vec<_> = temp.into_iter().chain(beside).collect();
    let here = device(&dir);
    roots.sort_by_key(|root| device(root) != here);
    Ok(roots)
}

/// Removes copies whose owners are gone. Failing is fine: somebody else's, or just being removed.
fn sweep(root: &Path) {
    for path in abandoned(root) {
        let _ = fs::remove_dir_all(path);
    }
}

/// Copies in `root` whose owners are gone.
pub(crate) fn abandoned(root: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let is_abandoned = |entry: &fs::DirEntry| {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        ours && entry.file_type().is_ok_and(|kind| kind.is_dir())
            && File::open(entry.path().join(SCRATCH)).is_ok_and(|marker| marker.try_lock().is_ok())
    };
    entries.flatten().filter(is_abandoned).map(|entry| entry.path()).collect()
}

/// A log opened for reading from a scratch copy: a fixed state, which holds everything that was acknowledged when the
/// copy began and maybe blocks after it.
pub struct ScratchSource {
    frames: Frames,
    genesis: Genesis,
    heads: Vec<Option<Head>>,
    dropped: Option<Dropped>,
    // Fields drop in this order: fjall first, then the files under it.
    _engine: Engine,
    scratch: Option<Arc<Scratch>>,
}

/// Opens a scratch copy that somebody else keeps, as a child process does: fjall aborts the process on some damaged files.
///
/// # Errors
/// `Corrupt` when it does not open; `Tampered` when acknowledged blocks are missing or are not those of the head or genesis;
/// `NotFound` when `path` is not a scratch copy (fjall writes to what it opens).
pub fn open_source(path: &Path) -> Result<ScratchSource, ReadError> {
    let open = || open_copy(path, journal_bytes(&path.join(STORE))?);
    Ok(open().map_err(|error| error.within(path))?)
}

fn open_copy(path: &Path, journal_bytes: u64) -> Result<ScratchSource, OpenError> {
    if !path.join(SCRATCH).is_file() {
        return Err(OpenError::NotFound(path.to_owned()));
    }
    let genesis = Genesis::read(path)?;
    let heads = (0..genesis.partitions).map(|partition| Ok(head_file::read(path, partition)?.slot.head()));
    let heads: Vec<_> = heads.collect::<Result<_, OpenError>>()?;
    let (engine, frames, torn) = rehearse(path, &Options::default(), &genesis, &heads, journal_bytes)?;
    Ok(ScratchSource { frames, genesis, heads, dropped: torn.map(Torn::into_dropped), _engine: engine, scratch: None })
}

/// Opens the store of a scratch copy and holds it against genesis and heads. Says what was cut off as torn, which the heads
/// then allow: they acknowledge nothing of it.
pub(crate) fn rehearse(
    scratch: &Path,
    options: &Options,
    genesis: &Genesis,
    heads: &[Option<Head>],
    journal_bytes: u64,
) -> Result<(Engine, Frames, Option<Torn>), OpenError> {
    let path = scratch.join(STORE);
    let torn = torn::find(&path)?;
    if let Some(torn) = &torn {
        torn.cut(&path)?;
    }
    let open = || {
        let engine = engine::open(&path, options, Purpose::Reading)?;
        let frames = Frames { log: engine.log.clone(), path: PathBuf::from(STORE) };
        examine(&frames, genesis, heads, journal_bytes)?;
        Ok((engine, frames))
    };
    match (open(), torn) {
        (Ok((engine, frames)), torn) => Ok((engine, frames, torn)),
        // Without it acknowledged blocks are missing: then it was not torn but damaged.
        (Err(OpenError::Behind { .. } | OpenError::Tampered(_)), Some(torn)) if torn.is_refused() => {
            let what = format!("the batch at byte {} does not fit its checksum", torn.at);
            Err(OpenError::corrupt_at(&path.join(torn.journal), what))
        }
        (Err(error), _) => Err(error),
    }
}

/// Opens the log at `dir` for reading, without writing to it and beside a running engine.
///
/// A failure is believed only if the store did not change while it was copied.
///
/// # Errors
/// As [`Scratch::of`] and [`open_source`].
pub fn read(dir: &Path) -> Result<ScratchSource, ReadError> {
    read_with(dir, None)
}

/// [`read`] with a chosen directory for the scratch copy.
///
/// # Errors
/// As [`read`].
pub fn read_with(dir: &Path, scratch_root: Option<&Path>) -> Result<ScratchSource, ReadError> {
    Ok(try_read(dir, scratch_root)?)
}

/// [`read_with`], with what exactly is wrong.
///
/// # Errors
/// See [`OpenError`].
pub fn try_read(dir: &Path, scratch_root: Option<&Path>) -> Result<ScratchSource, OpenError> {
    let store = dir.join(STORE);
    let mut attempt = 1;
    loop {
        let before = fingerprint(&store);
        let error = match open_once(dir, scratch_root) {
            Ok(source) => return Ok(source),
            Err(CopyError::Changed(what)) => {
                OpenError::Unavailable(format!("the store changed while it was copied: {what}"))
            }
            Err(CopyError::Failed(error)) if fingerprint(&store) == before => return Err(error.within(dir)),
            Err(CopyError::Failed(error)) => error,
        };
        if attempt == READ_ATTEMPTS {
            return Err(error.within(dir));
        }
        tracing::debug!(attempt, %error, "the store changed under the reader");
        attempt += 1;
    }
}

fn open_once(dir: &Path, scratch_root: Option<&Path>) -> Result<ScratchSource, CopyError> {
    let (scratch, journal_bytes) = Scratch::copy(dir, scratch_root)?;
    let mut source = open_copy(&scratch.path, journal_bytes).map_err(|error| error.within(&scratch.path))?;
    source.scratch = Some(Arc::new(scratch));
    Ok(source)
}

impl ScratchSource {
    /// A commit that is not whole and that nobody was promised, at the end of the store: the copy is without it, and so
    /// will the log be once it is opened for writing.
    #[must_use]
    pub fn dropped(&self) -> Option<&Dropped> {
        self.dropped.as_ref()
    }
}

impl std::fmt::Debug for ScratchSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScratchSource").field("genesis", &self.genesis.hash).finish_non_exhaustive()
    }
}

impl FrameSource for ScratchSource {
    fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        Ok(self.genesis.text.clone())
    }

    fn head(&self, partition: u16) -> Result<Option<Head>, ReadError> {
        Ok(self.heads.get(usize::from(partition)).cloned().flatten())
    }

    fn frames(&self, from: FrameKey) -> Result<actum_log::Frames<'_>, ReadError> {
        Ok(Box::new(self.frames.from(from)?))
    }

    fn frame_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, ReadError> {
        Ok(self.frames.last_at_or_before(at)?)
    }
}
