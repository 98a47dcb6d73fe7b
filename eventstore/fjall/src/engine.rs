//! Opens fjall: the only place that knows how it is set up.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::Arc;

use fjall::config::CompressionPolicy;
use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions};

use crate::copy::journal_id;
use crate::dir::names;
use crate::error::OpenError;
use crate::options::{CACHED_FILES_MAX, JOURNALS_BYTES_MAX, Options, SEPARATION_BYTES};
use crate::quiet::guarded;

const KEYSPACE: &str = "log";
/// fjall's own upper bound on a memtable, stored at creation. `FjallStore` rotates much earlier.
const ENGINE_MEMTABLE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// An open database with its one keyspace.
pub(crate) struct Engine {
    pub(crate) log: Keyspace,
    /// Taken only by `drop`.
    db: Option<Database>,
}

impl Engine {
    /// The database, or that it is closed.
    pub(crate) fn db(&self) -> fjall::Result<&Database> {
        self.db.as_ref().ok_or(fjall::Error::Poisoned)
    }
}

impl Drop for Engine {
    /// Closing panics where an earlier panic has poisoned a lock of fjall's.
    fn drop(&mut self) {
        let db = self.db.take();
        if let Err(error) = guarded(move || drop(db)) {
            tracing::warn!(%error, "closing the storage engine");
        }
    }
}

/// Who opens it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The writer, on the data directory.
    Writing,
    /// A reader, on a scratch copy: without worker threads, so that no table is ever written beside the linked ones.
    Reading,
}

/// Makes a new, empty database and closes it again.
pub(crate) fn create(path: &Path, options: &Options) -> Result<(), OpenError> {
    let made = guarded(|| -> fjall::Result<()> {
        let db = builder(path, options, Purpose::Writing).open()?;
        db.keyspace(KEYSPACE, keyspace_options)?;
        db.persist(fjall::PersistMode::SyncAll)
    })?;
    made.map_err(|error| match error {
        fjall::Error::Io(source) => OpenError::io(path, source),
        other => OpenError::engine(path, other),
    })
}

/// Opens an existing database. fjall deletes whole directories that look unfinished to it, and starts an empty database
/// where its version marker is missing, so what it would treat that way is refused before.
pub(crate) fn open(path: &Path, options: &Options, purpose: Purpose) -> Result<Engine, OpenError> {
    check_files(path)?;
    let lock = path.join("lock");
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&lock)
        .map_err(|source| OpenError::io(&lock, source))?;
    let opened = guarded(|| -> fjall::Result<Option<Engine>> {
        let db = builder(path, options, purpose).open()?;
        if !db.keyspace_exists(KEYSPACE) {
            return Ok(None);
        }
        let log = db.keyspace(KEYSPACE, keyspace_options)?;
        Ok(Some(Engine { log, db: Some(db) }))
    })?;
    opened
        .map_err(|error| OpenError::engine(path, error))?
        .ok_or_else(|| OpenError::corrupt_at(path, format!("keyspace `{KEYSPACE}` is missing")))
}

fn check_files(path: &Path) -> Result<(), OpenError> {
    let missing = |what: &str| OpenError::corrupt_at(path, format!("{what} is missing"));
    if !path.join("version").is_file() {
        return Err(missing("the storage engine's version marker"));
    }
    let list = |path: &Path| names(path).map_err(|source| OpenError::stored_io(path, source));
    if !list(path)?.iter().any(|(name, _)| journal_id(name).is_some()) {
        return Err(missing("every journal"));
    }
    let keyspaces = list(&path.join("keyspaces"))?;
    for id in ["0", "1"] {
        if !keyspaces.iter().any(|(name, _)| name == id) {
            return Err(missing(&format!("keyspace {id}")));
        }
    }
    for (name, path) in keyspaces {
        if name.parse::<u64>().is_err() {
            return Err(OpenError::corrupt_at(&path, "not a keyspace"));
        }
        check_manifest(&path)?;
    }
    Ok(())
}

/// `current` names a version file (8 bytes) and its XXH3 checksum (16 bytes, and a 0 for the kind). fjall writes the
/// checksum but never reads it, and a flipped bit in a version file can abort the process.
fn check_manifest(keyspace: &Path) -> Result<(), OpenError> {
    let read = |path: &Path| fs::read(path).map_err(|source| OpenError::stored_io(path, source));
    let path = keyspace.join("current");
    let current = read(&path)?;
    let corrupt = |what: &str| OpenError::corrupt_at(&path, what);
    let (Some((id, checksum)), 25) = (current.split_first_chunk::<8>(), current.len()) else {
        return Err(corrupt("not a manifest of the storage engine"));
    };
    let version = read(&keyspace.join(format!("v{}", u64::from_le_bytes(*id))))?;
    let expected = xxhash_rust::xxh3::xxh3_128(&version).to_le_bytes();
    if checksum.starts_with(&expected) && checksum.ends_with(&[0]) {
        Ok(())
    } else {
        Err(corrupt("its checksum does not fit the version that it names"))
    }
}

fn builder(path: &Path, options: &Options, purpose: Purpose) -> fjall::DatabaseBuilder<Database> {
    let builder = Database::builder(path)
        .cache_size(options.cache_bytes)
        .max_cached_files(Some(CACHED_FILES_MAX))
        .max_journaling_size(JOURNALS_BYTES_MAX)
        .journal_compression(CompressionType::None);
    match purpose {
        Purpose::Writing => builder.worker_threads(options.worker_threads.max(1)),
        Purpose::Reading => builder.worker_threads_unchecked(0),
    }
}

/// Stored at creation. Frames are compressed already; leveled compaction moves files with ascending keys without
/// rewriting them. Blob files are prepared for, and not used: see `SEPARATION_BYTES`.
fn keyspace_options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(ENGINE_MEMTABLE_BYTES_MAX)
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::None))
        .index_block_compression_policy(CompressionPolicy::all(CompressionType::None))
        .compaction_strategy(Arc::new(fjall::compaction::Leveled::default()))
        .with_kv_separation(Some(
            KvSeparationOptions::default().separation_threshold(SEPARATION_BYTES).compression(CompressionType::None),
        ))
}
