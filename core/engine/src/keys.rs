//! The keys of a data directory: the one that signs, and the one that the genesis promises as its successor.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use actum_log::{FileSigner, KeyError, Signer};
use sha2::{Digest, Sha256};

use crate::error::OpenError;

/// Directory of the keys inside a data directory.
const KEYS: &str = "keys";
const SEAL_KEY: &str = "seal.pem";
const NEXT_KEY: &str = "next.pem";

/// The signing key of an existing log.
pub(crate) fn load(directory: &Path) -> Result<Arc<dyn Signer>, OpenError> {
    let path = directory.join(KEYS).join(SEAL_KEY);
    let signer = FileSigner::open(&path).map_err(|error| unusable(&path, &error))?;
    Ok(Arc::new(signer))
}

/// Whether a directory holds keys already.
pub(crate) fn exist(directory: &Path) -> bool {
    directory.join(KEYS).exists()
}

/// Removes keys that were made for a log that was not: nothing was signed with them.
pub(crate) fn discard(directory: &Path) {
    let removed = fs::remove_dir_all(directory.join(KEYS));
    if let Err(error) = removed {
        tracing::warn!("the keys of a log that was not created are left behind: {error}");
    }
}

/// Makes the keys of a new log; keys that an interrupted creation left are used. Returns the signer and the digest of the next key.
pub(crate) fn create(directory: &Path) -> Result<(Arc<dyn Signer>, [u8; 32]), OpenError> {
    let keys = directory.join(KEYS);
    for made in [directory, &keys] {
        make_private(made).map_err(|error| OpenError::Key(format!("{} cannot be made: {error}", made.display())))?;
    }
    let signer = open_or_generate(&keys.join(SEAL_KEY))?;
    let next = open_or_generate(&keys.join(NEXT_KEY))?;
    Ok((Arc::new(signer), Sha256::digest(next.public_key()).into()))
}

fn open_or_generate(path: &Path) -> Result<FileSigner, OpenError> {
    let of = |error: KeyError| unusable(path, &error);
    if path.exists() {
        return FileSigner::open(path).map_err(of);
    }
    let signer = FileSigner::generate().map_err(of)?;
    signer.save(path).map_err(of)?;
    Ok(signer)
}

fn unusable(path: &Path, error: &KeyError) -> OpenError {
    OpenError::Key(format!("{}: {}", path.display(), crate::error::chain(error)))
}

/// Makes a directory and those above it that are missing, so that they survive power loss.
fn make_private(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        make_private(parent)?;
    }
    match make_one(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => sync(parent.unwrap_or(Path::new("."))),
    }
}

#[cfg(unix)]
fn make_one(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_one(path: &Path) -> std::io::Result<()> {
    fs::create_dir(path)
}

#[cfg(unix)]
fn sync(directory: &Path) -> std::io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Elsewhere a directory cannot be synced.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
fn sync(_: &Path) -> std::io::Result<()> {
    Ok(())
}
