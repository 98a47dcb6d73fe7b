//! Putting a complete data directory in the place of another one, which is kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::dir::{Lock, sync_dir};
use crate::error::OpenError;

/// How many names are tried for a directory that is kept aside.
const NAMES_MAX: u32 = 10_000;

/// What became of the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Where the directory lies now that was there before.
    pub kept: Option<PathBuf>,
}

/// Moves the data directory `new`, which must be closed and lie on the same file system, to `dir`. What is there is locked and
/// then kept as `<dir>.replaced-<n>` beside it; an empty directory is removed.
///
/// At every moment `dir` is the old directory or the new one, and after power loss too, where the file system can exchange
/// two names; elsewhere it may be missing, with both beside it.
///
/// # Errors
/// `Locked` when an engine runs on `dir`; `Unavailable` when `is_as_expected` (asked while it is locked) says no; `Inaccessible` and
/// `Io` when it cannot be moved. Nothing was changed then.
pub fn replace(dir: &Path, new: &Path, is_as_expected: impl FnOnce(&Path) -> bool) -> Result<Replaced, OpenError> {
    let io = |source| OpenError::io(dir, source);
    let parent = parent(dir).map_err(io)?;
    let old = match Lock::acquire(dir) {
        Ok(lock) => Some(lock),
        Err(OpenError::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    if !is_as_expected(dir) {
        return Err(OpenError::Unavailable(format!("{} has changed meanwhile", dir.display())));
    }
    if old.is_none() {
        fs::rename(new, dir).and_then(|()| sync_dir(&parent)).map_err(io)?;
        return Ok(Replaced { kept: None });
    }
    let kept = free_name(dir).map_err(io)?;
    match renameat_with(CWD, new, CWD, dir, RenameFlags::EXCHANGE) {
        // The names changed places: `new` is now what was at `dir`.
        Ok(()) => sync_dir(&parent).and_then(|()| fs::rename(new, &kept)).map_err(io)?,
        Err(_) => fs::rename(dir, &kept).and_then(|()| fs::rename(new, dir)).map_err(io)?,
    }
    sync_dir(&parent).map_err(io)?;
    let is_empty = fs::read_dir(&kept).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty && fs::remove_dir(&kept).is_ok() {
        return Ok(Replaced { kept: None });
    }
    Ok(Replaced { kept: Some(kept) })
}

fn parent(dir: &Path) -> io::Result<PathBuf> {
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => Ok(parent.to_owned()),
        Some(_) => std::env::current_dir(),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn free_name(dir: &Path) -> io::Result<PathBuf> {
    let name = dir.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy().into_owned();
    (1..NAMES_MAX)
        .map(|number| dir.with_file_name(format!("{name}.replaced-{number}")))
        .find(|path| path.symlink_metadata().is_err())
        .ok_or_else(|| io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_directory_is_kept_and_the_new_one_is_in_its_place() {
        let temp = tempfile::tempdir().unwrap();
        let (dir, new) = (temp.path().join("log"), temp.path().join("new"));
        let make = |path: &Path, mark: &str| {
            fs::create_dir(path).unwrap();
            fs::write(path.join("mark"), mark).unwrap();
        };
        let read = |path: &Path| fs::read_to_string(path.join("mark")).unwrap();
        make(&new, "first");
        assert_eq!(replace(&dir, &new, |_| true).unwrap(), Replaced { kept: None });
        for round in 1..3 {
            make(&new, &format!("round {round}"));
            let kept = replace(&dir, &new, |_| true).unwrap().kept.unwrap();
            assert_eq!(kept, temp.path().join(format!("log.replaced-{round}")));
            assert_eq!(read(&dir), format!("round {round}"));
            assert!(!new.exists());
        }
        make(&new, "late");
        let lock = Lock::acquire(&dir).unwrap();
        assert!(matches!(replace(&dir, &new, |_| true), Err(OpenError::Locked(_))));
        drop(lock);
        assert!(matches!(replace(&dir, &new, |_| false), Err(OpenError::Unavailable(_))));
        assert_eq!((read(&dir), read(&new)), ("round 2".to_owned(), "late".to_owned()));
    }
}
