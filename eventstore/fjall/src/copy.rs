//! A consistent copy of fjall's files, also while an engine is writing them. Nothing is written below the source.
//!
//! Facts of fjall 3.1 and lsm-tree 3.1 that this rests on:
//! - Journals (`<n>.jnl`) are appended to; opening truncates them: copied. The one with the highest number is active;
//!   a new one appears only after the one before is synced; one disappears only after its content is in tables.
//! - `keyspaces/<id>/current` is replaced by renaming and names a version file `v<n>`, which is complete by then.
//!   Version files may be written again under the same name: copied.
//! - `tables/<n>` and `blobs/<n>` are never written again once a version names them, and only removed when no version
//!   needs them: linked. Files that no version names are removed (unlinked) on opening.
//! - `version` is constant; `lock` is only locked.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{SeekFrom, seek};

use crate::dir::{make_private, names};
use crate::error::OpenError;

/// Unit of copying a journal.
const CHUNK_BYTES: usize = 64 * 1024;
/// How often a part of a journal is read again when it changes while it is read.
const STABLE_ATTEMPTS: usize = 100;
/// How often a keyspace is copied again because its manifest changed meanwhile.
const MANIFEST_ATTEMPTS: usize = 50;

/// A reading that did not work out.
#[derive(Debug)]
pub(crate) enum CopyError {
    /// The store changed too fast, or a file vanished: try again.
    Changed(String),
    /// It will not work the next time either.
    Failed(OpenError),
}

impl From<OpenError> for CopyError {
    fn from(error: OpenError) -> Self {
        Self::Failed(error)
    }
}

/// Copies the store at `from` to the new directory `to`. Returns how many bytes its journals hold.
///
/// Journals first, then manifests, then what manifests name: so whatever leaves a journal meanwhile is in a table.
pub(crate) fn copy_store(from: &Path, to: &Path) -> Result<u64, CopyError> {
    make_private(to).map_err(|source| OpenError::io(to, source))?;
    let journal_bytes = copy_journals(from, to)?;
    copy_file(&from.join("version"), &to.join("version"))?;
    let keyspaces = to.join("keyspaces");
    make_private(&keyspaces).map_err(|source| OpenError::io(&keyspaces, source))?;
    for (name, path) in list(&from.join("keyspaces"))? {
        if path.is_dir() {
            copy_keyspace(&path, &keyspaces.join(name))?;
        }
    }
    Ok(journal_bytes)
}

fn list(path: &Path) -> Result<Vec<(String, std::path::PathBuf)>, CopyError> {
    names(path).map_err(|source| CopyError::Failed(OpenError::stored_io(path, source)))
}

/// The number in the name of a journal.
pub(crate) fn journal_id(name: &str) -> Option<u64> {
    name.strip_suffix(".jnl")?.parse().ok()
}

/// Bytes in the journals of a store, with what is preallocated.
pub(crate) fn journal_bytes(store: &Path) -> Result<u64, OpenError> {
    let names = names(store).map_err(|source| OpenError::stored_io(store, source))?;
    let journals = names.iter().filter(|(name, _)| journal_id(name).is_some());
    Ok(journals.filter_map(|(_, path)| fs::metadata(path).ok()).map(|meta| meta.len()).sum())
}

fn copy_journals(from: &Path, to: &Path) -> Result<u64, CopyError> {
    let mut journals: Vec<_> =
        list(from)?.into_iter().filter_map(|(name, path)| Some((journal_id(&name)?, name, path))).collect();
    journals.sort();
    let mut copied = 0;
    let mut bytes = 0;
    for (_, name, path) in &journals {
        match copy_journal(path, &to.join(name)) {
            Ok(data_bytes) => {
                bytes += data_bytes;
                copied += 1;
            }
            // Its content is in tables now, and they are copied later.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                return Err(CopyError::Changed(format!("{name} does not hold still")));
            }
            Err(source) => return Err(OpenError::io(path, source).into()),
        }
    }
    if copied == 0 && !journals.is_empty() {
        return Err(CopyError::Changed("every journal was replaced".to_owned()));
    }
    Ok(bytes)
}

/// Copies a file that may be appended to meanwhile (also within its present length, which is preallocated) so that the
/// copy is a prefix of what was appended, then zeros. Chunks are read from the last to the first, each until two
/// readings agree: then no byte can be newer than a missing one before it.
fn copy_journal(from: &Path, to: &Path) -> io::Result<u64> {
    let source = File::open(from)?;
    let length = source.metadata()?.len();
    let target = OpenOptions::new().write(true).create_new(true).open(to)?;
    target.set_len(length)?;
    let mut data_bytes = 0;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut again = vec![0; CHUNK_BYTES];
    for index in (0..length.div_ceil(CHUNK_BYTES as u64)).rev() {
        let at = index * CHUNK_BYTES as u64;
        let size = (length - at).min(CHUNK_BYTES as u64) as usize;
        if is_hole(&source, at, size) {
            continue;
        }
        let (chunk, again) = (&mut chunk[..size], &mut again[..size]);
        read_stable(&source, at, chunk, again)?;
        if chunk.iter().any(|&byte| byte != 0) {
            target.write_all_at(chunk, at)?;
            data_bytes += size as u64;
        }
    }
    Ok(data_bytes)
}

/// Whether nothing was ever written to this part. A file system that cannot say has no holes.
fn is_hole(file: &File, at: u64, size: usize) -> bool {
    match seek(file, SeekFrom::Data(at)) {
        Ok(data) => data >= at + size as u64,
        Err(error) => error == rustix::io::Errno::NXIO,
    }
}

fn read_stable(file: &File, at: u64, chunk: &mut [u8], again: &mut [u8]) -> io::Result<()> {
    read_at_most(file, at, chunk)?;
    for _ in 0..STABLE_ATTEMPTS {
        read_at_most(file, at, again)?;
        if chunk == again {
            return Ok(());
        }
        chunk.copy_from_slice(again);
    }
    Err(ErrorKind::Interrupted.into())
}

/// Fills the buffer, with zeros beyond the end of a file that was cut meanwhile.
fn read_at_most(file: &File, at: u64, buffer: &mut [u8]) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer[filled..].fill(0);
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), CopyError> {
    let bytes = fs::read(from).map_err(|source| OpenError::stored_io(from, source))?;
    fs::write(to, bytes).map_err(|source| OpenError::io(to, source).into())
}

/// Copies the manifest and links what it names; again, if the manifest was replaced meanwhile.
fn copy_keyspace(from: &Path, to: &Path) -> Result<(), CopyError> {
    for _ in 0..MANIFEST_ATTEMPTS {
        make_private(to).map_err(|source| OpenError::io(to, source))?;
        if copy_keyspace_once(from, to)? {
            return Ok(());
        }
        fs::remove_dir_all(to).map_err(|source| OpenError::io(to, source))?;
    }
    Err(CopyError::Changed(format!("{} does not hold still", from.display())))
}

fn copy_keyspace_once(from: &Path, to: &Path) -> Result<bool, CopyError> {
    let current = read_current(from)?;
    // Damaged beyond naming a version: the storage engine will say so on the copy.
    let version = current.first_chunk::<8>().map(|id| format!("v{}", u64::from_le_bytes(*id)));
    if let Some(version) = version {
        match fs::read(from.join(&version)) {
            Ok(bytes) => fs::write(to.join(&version), bytes).map_err(|source| OpenError::io(to, source))?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if read_current(from)? != current {
                    return Ok(false);
                }
            }
            Err(source) => return Err(OpenError::stored_io(from, source).into()),
        }
    }
    fs::write(to.join("current"), &current).map_err(|source| OpenError::io(to, source))?;
    for folder in ["tables", "blobs"] {
        if from.join(folder).is_dir() {
            let folder_to = to.join(folder);
            make_private(&folder_to).map_err(|source| OpenError::io(&folder_to, source))?;
            for (name, path) in list(&from.join(folder))? {
                link_or_copy(&path, &folder_to.join(name))?;
            }
        }
    }
    Ok(read_current(from)? == current)
}

fn read_current(keyspace: &Path) -> Result<Vec<u8>, OpenError> {
    let path = keyspace.join("current");
    fs::read(&path).map_err(|source| OpenError::stored_io(&path, source))
}

/// A file that vanished is left out: either the manifest changed, which is seen, or it is missing for good.
fn link_or_copy(from: &Path, to: &Path) -> Result<(), CopyError> {
    let done = match fs::hard_link(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => fs::copy(from, to).map(drop),
        done => done,
    };
    match done {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(OpenError::io(from, error).into()),
        _ => Ok(()),
    }
}

/// Changes with everything that a running engine does to a store, and with nothing else.
pub(crate) fn fingerprint(store: &Path) -> Vec<(String, u64, Option<std::time::SystemTime>, Vec<u8>)> {
    let mut print = Vec::new();
    for (name, path) in names(store).unwrap_or_default() {
        if let Ok(meta) = fs::metadata(&path) {
            print.push((name, meta.len(), meta.modified().ok(), Vec::new()));
        }
    }
    for (name, path) in names(&store.join("keyspaces")).unwrap_or_default() {
        print.push((name, 0, None, fs::read(path.join("current")).unwrap_or_default()));
    }
    print
}
