//! Making a data directory so that a crash leaves either a log or something that is known to be none.
//!
//! 1. Store and head files are made in the directory `creating` and synced.
//! 2. They are moved to their places; the genesis is moved last. From then on there is a log.
//! 3. `creating` is removed.
//!
//! No genesis but `creating`: the creation was interrupted, nothing was acknowledged; creating again begins anew.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use actum_log::limits::PARTITIONS_MAX;

use crate::dir::{
    CREATING, GENESIS, Genesis, Lock, STORE, head_name, make_private, names, sync_dir, sync_tree, write_synced,
};
use crate::engine;
use crate::error::OpenError;
use crate::head_file;
use crate::options::Options;
use crate::store::{FjallStore, open_locked};

/// What may be in a directory before a log is created there: the engine writes keys first, mount points have the other.
const TOLERATED: [&str; 2] = ["keys", "lost+found"];

/// Creates an empty log in `dir` (made, with mode 0700, if missing; its parent must exist) and opens it for writing.
///
/// `genesis_text` must say the same number of `partitions`. When this returns, the log survives power loss.
///
/// # Errors
/// `Exists` when there is a log or a foreign file, `Locked`, `Corrupt` when the genesis is not one, `Unavailable`, `Io`.
pub fn create(dir: &Path, genesis_text: &[u8], partitions: u16, options: &Options) -> Result<FjallStore, OpenError> {
    let genesis = Genesis::parse(genesis_text.to_vec())?;
    if genesis.partitions != partitions {
        let what = format!("it has {} partitions, {partitions} were asked for", genesis.partitions);
        return Err(OpenError::corrupt_at(Path::new(GENESIS), what));
    }
    make_data_dir(dir)?;
    let lock = Lock::acquire(dir)?;
    clear_unfinished(dir)?;
    stage(dir, &genesis, options)?;
    publish(dir, &genesis).map_err(|source| OpenError::io(dir, source))?;
    open_locked(dir, lock, options)
}

/// The directory's own name is synced also when it was there: whoever made it, as the engine does for its keys, may not have.
fn make_data_dir(dir: &Path) -> Result<(), OpenError> {
    let is_new = match make_private(dir) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        Err(source) => return Err(OpenError::io(dir, source)),
    };
    // Of the real path: `.` and links have no parent by name.
    let real = dir.canonicalize().map_err(|source| OpenError::io(dir, source))?;
    let Some(parent) = real.parent() else { return Ok(()) };
    match sync_dir(parent) {
        // Somebody else's parent that we may not read, so its owner made and keeps the name.
        Err(error) if !is_new && error.kind() == ErrorKind::PermissionDenied => Ok(()),
        synced => synced.map_err(|source| OpenError::io(parent, source)),
    }
}

/// Removes what an interrupted creation left; refuses everything else that is in the way.
fn clear_unfinished(dir: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::io(dir, source);
    let exists = |what: &str| OpenError::Exists { path: dir.to_owned(), what: what.to_owned() };
    let present = names(dir).map_err(io)?;
    let has = |name: &str| present.iter().any(|(present, _)| present == name);
    if has(GENESIS) {
        return Err(exists("a log"));
    }
    let heads: Vec<_> = (0..PARTITIONS_MAX).filter(|&partition| has(&head_name(partition))).collect();
    let is_ours = |name: &str| name == STORE || name == CREATING || heads.iter().any(|&p| head_name(p) == name);
    if let Some((name, _)) = present.iter().find(|(name, _)| !is_ours(name) && !TOLERATED.contains(&name.as_str())) {
        return Err(exists(&format!("`{name}`, which is not part of a log")));
    }
    if !has(CREATING) {
        return if has(STORE) || !heads.is_empty() { Err(exists("a log without its genesis")) } else { Ok(()) };
    }
    for &partition in &heads {
        // An interrupted creation acknowledged nothing. Anything else lost its genesis later and must not be removed.
        if !head_file::read(dir, partition).is_ok_and(|reading| reading.slot.head().is_none()) {
            return Err(exists("a log without its genesis"));
        }
    }
    for (name, path) in present.iter().filter(|(name, _)| is_ours(name) && name != CREATING) {
        tracing::debug!(name, "removing what an interrupted creation left");
        remove(path).map_err(io)?;
    }
    remove(&dir.join(CREATING)).and_then(|()| sync_dir(dir)).map_err(io)
}

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
}

fn stage(dir: &Path, genesis: &Genesis, options: &Options) -> Result<(), OpenError> {
    let staging = dir.join(CREATING);
    let io = |source| OpenError::io(&staging, source);
    make_private(&staging).and_then(|()| sync_dir(dir)).map_err(io)?;
    let store = staging.join(STORE);
    make_private(&store).map_err(io)?;
    engine::create(&store, options)?;
    for partition in 0..genesis.partitions {
        head_file::create(&staging, partition, genesis.hash).map_err(io)?;
    }
    write_synced(&staging.join(GENESIS), &genesis.text).map_err(io)?;
    sync_tree(&staging).map_err(io)
}

fn publish(dir: &Path, genesis: &Genesis) -> io::Result<()> {
    let staging = dir.join(CREATING);
    let put = |name: &str| fs::rename(staging.join(name), dir.join(name));
    put(STORE)?;
    for partition in 0..genesis.partitions {
        put(&head_name(partition))?;
    }
    sync_dir(dir)?;
    put(GENESIS)?;
    sync_dir(dir)?;
    fs::remove_dir(&staging)?;
    sync_dir(dir)
}
