//! The data directory: names, the lock, the genesis, and syncing.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use actum_log::limits::GENESIS_BYTES_MAX;
use actum_log::{Hash, genesis_hash};

use crate::error::{Defect, OpenError};

pub(crate) const GENESIS: &str = "genesis";
pub(crate) const STORE: &str = "store";
/// Present only while a log is being created.
pub(crate) const CREATING: &str = "creating";
/// Marks a scratch copy; its owner holds a lock on it.
pub(crate) const SCRATCH: &str = "scratch";

pub(crate) fn head_name(partition: u16) -> String {
    format!("head-{partition}")
}

/// Exclusive use of a data directory: an advisory lock on the directory itself, so that nothing in it is touched.
/// The operating system releases it with the process.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn acquire(dir: &Path) -> Result<Self, OpenError> {
        let file = File::open(dir).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => OpenError::NotFound(dir.to_owned()),
            _ => OpenError::io(dir, source),
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked(dir.to_owned())),
            Err(TryLockError::Error(source)) => Err(OpenError::io(dir, source)),
        }
    }
}

/// The genesis text with what the store needs of it.
#[derive(Debug, Clone)]
pub(crate) struct Genesis {
    pub(crate) text: Vec<u8>,
    pub(crate) hash: Hash,
    pub(crate) partitions: u16,
}

impl Genesis {
    pub(crate) fn parse(text: Vec<u8>) -> Result<Self, OpenError> {
        let genesis = actum_log::Genesis::parse(&text)
            .map_err(|error| OpenError::corrupt_at(Path::new(GENESIS), error.to_string()))?;
        Ok(Self { hash: genesis_hash(&text), partitions: genesis.partitions(), text })
    }

    /// Reads the genesis of a data directory; says what the directory is when there is none.
    pub(crate) fn read(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(GENESIS);
        match fs::metadata(&path) {
            Ok(meta) if meta.len() > GENESIS_BYTES_MAX as u64 => {
                Err(OpenError::corrupt_at(&path, "longer than 64 KiB"))
            }
            Ok(_) => Self::parse(fs::read(&path).map_err(|source| OpenError::io(&path, source))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(without_genesis(dir)),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(OpenError::NotFound(dir.to_owned())),
            Err(source) => Err(OpenError::io(&path, source)),
        }
    }
}

fn without_genesis(dir: &Path) -> OpenError {
    if dir.join(CREATING).exists() {
        OpenError::Unfinished(dir.to_owned())
    } else if dir.join(STORE).exists() || dir.join(head_name(0)).exists() {
        OpenError::defect(&dir.join(GENESIS), Defect::Missing)
    } else {
        OpenError::NotFound(dir.to_owned())
    }
}

/// Makes a directory that only its owner can enter.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Writes a new file that only its owner can read, and syncs it.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Syncs a directory's entries.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Syncs everything below a directory, and the directory.
pub(crate) fn sync_tree(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_dir(path)
}

/// The names in a directory; empty when it is missing.
pub(crate) fn names(path: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        names.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    names.sort();
    Ok(names)
}
