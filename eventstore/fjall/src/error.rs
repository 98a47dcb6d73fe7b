//! Why a data directory could not be opened, and how fjall's errors become ours.

use std::io;
use std::path::{Path, PathBuf};

use actum_log::ReadError;

/// Why a data directory could not be created or opened. Each variant says what the caller can do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no log: create one, or look elsewhere. Exit code 3.
    #[error("there is no log at {}", .0.display())]
    NotFound(PathBuf),
    /// Creating the log was interrupted before anything was stored: create it again. Exit code 3.
    #[error("the log at {} was not created completely and holds nothing; create it again", .0.display())]
    Unfinished(PathBuf),
    /// `create` met a log, or a directory with other files in it: open it, or choose another. Exit code 1.
    #[error("{} already holds {what}", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
        /// What it holds.
        what: String,
    },
    /// Another process, or this one, has the log open for writing: stop it, or read a scratch copy. Exit code 6.
    #[error("the log at {} is open for writing elsewhere; stop that engine first, or only read", .0.display())]
    Locked(PathBuf),
    /// A resource is exhausted or a permission is missing: mend that and try again. Exit code 6.
    #[error("the log cannot be used now: {0}")]
    Unavailable(String),
    /// Stored bytes do not decode: restore a backup or an archive. Exit code 5.
    #[error("the log is corrupt: {0}")]
    Corrupt(String),
    /// Acknowledged blocks are missing; nothing was written. Keep the directory as evidence, restore an archive. Exit code 4.
    #[error(
        "acknowledged blocks of partition {partition} are missing: the head is block {number} with size {size}, the store ends at size {stored}"
    )]
    Behind {
        /// Partition.
        partition: u16,
        /// Number of the acknowledged block.
        number: u64,
        /// Tree size after it.
        size: u64,
        /// Size that the store has.
        stored: u64,
    },
    /// Stored bytes contradict each other, the head or the genesis; nothing was written. Exit code 4.
    #[error("the log was tampered with: {0}")]
    Tampered(String),
    /// The device failed. Exit code 1.
    #[error("the device failed at {}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl OpenError {
    /// An error of the operating system at `path`, sorted by what one can do about it.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::OutOfMemory => Self::Unavailable(format!("{}: {source}", path.display())),
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    /// An error while reading files of the store: a missing or short file is corruption, not a device's failure.
    pub(crate) fn stored_io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::Other => Self::Corrupt(format!("{}: {source}", path.display())),
            _ => Self::io(path, source),
        }
    }

    /// An error of fjall while opening or reading the store at `path`.
    pub(crate) fn engine(path: &Path, error: fjall::Error) -> Self {
        match error {
            fjall::Error::Io(source) | fjall::Error::Storage(fjall::LsmError::Io(source)) => {
                Self::stored_io(path, source)
            }
            fjall::Error::Locked => Self::Locked(path.to_owned()),
            fjall::Error::Poisoned => Self::Unavailable("an earlier write failed; open the log again".to_owned()),
            other => Self::Corrupt(format!("{}: the storage engine says {other:?}", path.display())),
        }
    }
}

impl From<OpenError> for ReadError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotFound(path) => Self::NotFound(path.display().to_string()),
            OpenError::Unfinished(ref path) => {
                Self::NotFound(format!("{}: its creation was interrupted", path.display()))
            }
            OpenError::Exists { .. } | OpenError::Locked(_) => Self::Unavailable(error.to_string()),
            OpenError::Unavailable(what) => Self::Unavailable(what),
            OpenError::Corrupt(what) => Self::Corrupt(what),
            OpenError::Behind { .. } => Self::Tampered(error.to_string()),
            OpenError::Tampered(what) => Self::Tampered(what),
            OpenError::Io { source, .. } => Self::Io(source),
        }
    }
}
