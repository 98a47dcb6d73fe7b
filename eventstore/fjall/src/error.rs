//! Why a data directory could not be opened, and how fjall's errors become ours.

use std::fmt;
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
    /// The log changes too fast, or there is no place for a copy of it: try again. Exit code 6.
    #[error("the log cannot be used now: {0}")]
    Unavailable(String),
    /// A permission is missing, or space is exhausted (`source.kind()` says which): mend that, then try again. Exit code 6.
    #[error("{} cannot be used", path.display())]
    Inaccessible {
        /// Where: relative to the data directory if it lies in there.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Stored bytes do not decode: restore a backup or an archive. Exit code 5.
    #[error("the log is corrupt: {0}")]
    Corrupt(Corruption),
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
    /// What [`crate::open_rehearsed`] was given refused the log.
    #[error(transparent)]
    Rehearsal(ReadError),
    /// The device failed, or refuses for a reason of its own. Exit code 1.
    #[error("the device failed at {}", path.display())]
    Io {
        /// Where: relative to the data directory if it lies in there.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// What of a log does not decode.
#[derive(Debug, thiserror::Error)]
pub struct Corruption {
    /// The file, relative to the data directory, where the fault is one file's.
    pub path: Option<PathBuf>,
    /// What is wrong.
    pub defect: Defect,
}

impl fmt::Display for Corruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        self.defect.fmt(f)
    }
}

/// Why a file, or what it holds, cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// A file or directory that belongs to the log is not there.
    #[error("it is missing")]
    Missing,
    /// It is not what a file of the log is.
    #[error("it cannot be read ({0})")]
    Unreadable(io::ErrorKind),
    /// The storage engine refused it. What it said is for programmers and goes to the trace, at level debug.
    #[error("the storage engine cannot read it")]
    Refused,
    /// The storage engine panicked on it. What it said goes to the trace, at level debug.
    #[error("the storage engine gave up on it")]
    GaveUp,
    /// Something that this crate checks.
    #[error("{0}")]
    Other(String),
}

impl OpenError {
    /// Corrupt, in no file of its own.
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(Corruption { path: None, defect: Defect::Other(what.into()) })
    }

    /// Corrupt, in one file.
    pub(crate) fn corrupt_at(path: &Path, what: impl Into<String>) -> Self {
        Self::defect(path, Defect::Other(what.into()))
    }

    pub(crate) fn defect(path: &Path, defect: Defect) -> Self {
        Self::Corrupt(Corruption { path: Some(path.to_owned()), defect })
    }

    /// The same error, with its file named as the log's owner knows it: relative to the data directory. What was read may
    /// have been a copy of it at `root`.
    #[must_use]
    pub(crate) fn within(mut self, root: &Path) -> Self {
        let (Self::Corrupt(Corruption { path: Some(path), .. })
        | Self::Inaccessible { path, .. }
        | Self::Io { path, .. }) = &mut self
        else {
            return self;
        };
        let inside = path.strip_prefix(root).ok().filter(|inside| !inside.as_os_str().is_empty()).map(Path::to_owned);
        if let Some(inside) = inside {
            *path = inside;
        }
        self
    }

    /// An error of the operating system at `path`, sorted by what one can do about it.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::OutOfMemory => Self::Inaccessible { path: path.to_owned(), source },
            _ => Self::Io { path: path.to_owned(), source },
        }
    }

    /// An error while reading files of the store: a missing or short file is corruption, not a device's failure.
    pub(crate) fn stored_io(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::defect(path, Defect::Missing),
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::Other => Self::defect(path, Defect::Unreadable(source.kind())),
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
            other => {
                tracing::debug!(path = %path.display(), error = ?other, "the storage engine refused a file");
                Self::defect(path, Defect::Refused)
            }
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
            OpenError::Rehearsal(error) => error,
            OpenError::Corrupt(what) => Self::Corrupt(what.to_string()),
            // Keeps its kind, by which one knows what to do, and its place.
            OpenError::Inaccessible { path, source } | OpenError::Io { path, source } => {
                Self::Io(io::Error::new(source.kind(), format!("{}: {source}", path.display())))
            }
            OpenError::Behind { .. } => Self::Tampered(error.to_string()),
            OpenError::Tampered(what) => Self::Tampered(what),
        }
    }
}
