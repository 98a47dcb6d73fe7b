//! What lies in a data directory, as far as one can tell without opening the store: for diagnosis. Writes nothing.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use actum_log::{Hash, Head};

use crate::dir::{CREATING, Genesis, STORE};
use crate::error::OpenError;
use crate::head_file;
use crate::scratch;

/// What lies in a data directory.
#[derive(Debug)]
pub struct DirectoryState {
    /// The genesis text, or why there is none.
    pub genesis: Result<Vec<u8>, OpenError>,
    /// The heads of the genesis' partitions; empty without a genesis.
    pub heads: Vec<HeadState>,
    /// There is a directory `store`.
    pub has_store: bool,
    /// There is a directory `creating`: with a genesis beside it, it is left over; without one the creation was interrupted.
    pub has_creating: bool,
}

/// A head file.
#[derive(Debug)]
pub enum HeadState {
    /// Both slots are whole. `None` before the first block.
    Whole(Option<Head>),
    /// One slot is whole; the newer one was being written when the writer stopped.
    Torn(Option<Head>),
    /// It belongs to another genesis.
    Foreign(Hash),
    /// It is missing, or no slot can be read.
    Unreadable(OpenError),
}

impl HeadState {
    /// What was acknowledged last, where that can be told.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        match self {
            HeadState::Whole(head) | HeadState::Torn(head) => head.as_ref(),
            _ => None,
        }
    }
}

/// Looks at a data directory.
///
/// # Errors
/// `NotFound` when it is no directory, `Inaccessible` and `Io` when it cannot be looked into.
pub fn state(dir: &Path) -> Result<DirectoryState, OpenError> {
    let listed = fs::read_dir(dir).and_then(|mut entries| entries.next().transpose());
    match listed {
        Ok(_) => {}
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(OpenError::NotFound(dir.to_owned()));
        }
        Err(source) => return Err(OpenError::io(dir, source)),
    }
    let genesis = Genesis::read(dir).map_err(|error| error.within(dir));
    let heads = match &genesis {
        Ok(genesis) => (0..genesis.partitions).map(|partition| head(dir, partition, genesis.hash)).collect(),
        Err(_) => Vec::new(),
    };
    Ok(DirectoryState {
        genesis: genesis.map(|genesis| genesis.text),
        heads,
        has_store: dir.join(STORE).is_dir(),
        has_creating: dir.join(CREATING).is_dir(),
    })
}

fn head(dir: &Path, partition: u16, genesis: Hash) -> HeadState {
    match head_file::read(dir, partition) {
        Ok(reading) if reading.slot.seal.is_empty() && reading.slot.hash != genesis => {
            HeadState::Foreign(reading.slot.hash)
        }
        Ok(reading) if reading.torn => HeadState::Torn(reading.slot.head()),
        Ok(reading) => HeadState::Whole(reading.slot.head()),
        Err(error) => HeadState::Unreadable(error.within(dir)),
    }
}

/// Whether a process has the log at `dir` open for writing: `Some(Some(pid))`, or `Some(None)` where the operating system does not
/// say which.
///
/// # Errors
/// When the directory cannot be opened.
pub fn lock_holder(dir: &Path) -> io::Result<Option<Option<u32>>> {
    let meta = fs::metadata(dir)?;
    // Asked first, because trying the lock would for a moment keep an engine from getting it.
    if let Ok(table) = fs::read_to_string("/proc/locks") {
        match holder_in(&table, meta.ino()) {
            None => return Ok(None),
            Some(pid) if device_is_told(&table, &meta) => return Ok(Some(Some(pid))),
            // The same number on another device, or a file system that goes by two numbers: only trying tells.
            Some(_) => {}
        }
    }
    match File::open(dir)?.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(None)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// A line is `1: FLOCK  ADVISORY  WRITE 4711 fd:01:123456 0 EOF`: process, then device and inode.
fn locks(table: &str) -> impl Iterator<Item = (u32, &str, u64)> {
    table.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "FLOCK")?;
        let pid = words.get(at + 3)?.parse().ok()?;
        let (device, inode) = words.get(at + 4)?.rsplit_once(':')?;
        Some((pid, device, inode.parse().ok()?))
    })
}

fn holder_in(table: &str, inode: u64) -> Option<u32> {
    locks(table).find(|(_, _, other)| *other == inode).map(|(pid, ..)| pid)
}

fn device_is_told(table: &str, meta: &fs::Metadata) -> bool {
    let device = format!("{:02x}:{:02x}", rustix::fs::major(meta.dev()), rustix::fs::minor(meta.dev()));
    locks(table).any(|(_, other, inode)| inode == meta.ino() && other == device)
}

/// Bytes that this process may still write on the file system of `path`.
///
/// # Errors
/// When the file system does not say.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Scratch copies near `dir` whose owners are gone. The next reader or writer removes them.
#[must_use]
pub fn leftovers(dir: &Path) -> Vec<PathBuf> {
    let mut roots = scratch::roots(dir).unwrap_or_default();
    // Where a writer rehearses.
    roots.push(dir.to_owned());
    let mut found: Vec<PathBuf> = roots.iter().flat_map(|root| scratch::abandoned(root)).collect();
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_and_its_holder_are_told() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(lock_holder(dir.path()).unwrap(), None);
        let file = File::open(dir.path()).unwrap();
        file.lock().unwrap();
        let holder = lock_holder(dir.path()).unwrap();
        assert!(holder == Some(None) || holder == Some(Some(std::process::id())), "{holder:?}");
        drop(file);
        assert_eq!(lock_holder(dir.path()).unwrap(), None);
        let table = "1: FLOCK  ADVISORY  WRITE 4711 fd:01:123456 0 EOF\n2: POSIX  ADVISORY  READ 5 fd:01:9 0 EOF\n";
        assert_eq!((holder_in(table, 123456), holder_in(table, 9)), (Some(4711), None));
    }
}
