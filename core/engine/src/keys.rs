//! Where an engine's private keys come from, and making those of a new log.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use actum_log::{FileSigner, KeyError, Keys, Signer, key_digest};
use zeroize::Zeroizing;

use crate::error::OpenError;
use crate::key_files::{KeyFile, KeyFiles, NextSigner, unusable};

/// Where private keys come from.
#[derive(Clone)]
pub(crate) enum KeySource {
    /// Files in the data directory.
    Files(KeyFiles),
    /// Whoever opened the engine brought them: the one in force, and perhaps the one after it.
    Given(Vec<Arc<dyn Signer>>),
}

impl KeySource {
    /// The signer that the log says is in force.
    pub(crate) fn in_force(&self, keys: &Keys) -> Result<Arc<dyn Signer>, OpenError> {
        match self {
            KeySource::Files(files) => files.settle(keys),
            KeySource::Given(signers) => {
                let fits = signers.iter().find(|signer| signer.public_key() == keys.in_force());
                fits.cloned()
                    .ok_or_else(|| OpenError::Key("it is not the key that the log says is in force".to_owned()))
            }
        }
    }

    /// The signer whose digest the log has committed, and the digest of the one after it.
    pub(crate) fn prepare_rotation(&self, keys: &Keys) -> Result<NextSigner, OpenError> {
        match self {
            KeySource::Files(files) => files.prepare_rotation(keys),
            KeySource::Given(_) => Err(OpenError::Key(
                "the keys are kept elsewhere: the new one has to be given, with the digest of the one after it"
                    .to_owned(),
            )),
        }
    }
}

/// Whether a directory holds keys already.
pub(crate) fn exist(directory: &Path) -> bool {
    directory.join("keys").exists()
}

/// Removes keys that were made for a log that was not: nothing was signed with them.
pub(crate) fn discard(directory: &Path) {
    let removed = fs::remove_dir_all(directory.join("keys"));
    if let Err(error) = removed {
        tracing::warn!("the keys of a log that was not created are left behind: {error}");
    }
}

/// Makes the keys of a new log; keys that an interrupted creation left are used. Returns the signer and the digest of the next key.
pub(crate) fn create(directory: &Path) -> Result<(Arc<dyn Signer>, [u8; 32]), OpenError> {
    let files = KeyFiles::of(directory);
    let seal = files.path(KeyFile::Seal);
    for made in [Some(directory), seal.parent()].into_iter().flatten() {
        make_private(made).map_err(|error| OpenError::Key(format!("{} cannot be made: {error}", made.display())))?;
    }
    let signer = open_or_generate(&seal)?;
    let next = open_or_generate(&files.path(KeyFile::Next))?;
    Ok((Arc::new(signer), key_digest(&next.public_key())))
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

/// A signer from an environment variable that holds a PKCS#8 PEM; `None` when it is not set. What it holds is shown nowhere, and our
/// copy of it is erased.
///
/// # Errors
/// `Key` when the variable holds something else.
pub fn from_environment(variable: &str) -> Result<Option<Arc<dyn Signer>>, OpenError> {
    let refuse = |why: &str| OpenError::Key(format!("the environment variable {variable} {why}"));
    let pem = match std::env::var(variable) {
        Ok(pem) => Zeroizing::new(pem),
        Err(std::env::VarError::NotPresent) => return Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => return Err(refuse("is not text")),
    };
    // Its source could quote what it read.
    let signer = FileSigner::from_pem(&pem).map_err(|_| refuse("is not a PKCS#8 PEM of an Ed25519 private key"))?;
    Ok(Some(Arc::new(signer)))
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
pub(crate) fn sync(directory: &Path) -> std::io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// Elsewhere a directory cannot be synced.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on unix")]
pub(crate) fn sync(_: &Path) -> std::io::Result<()> {
    Ok(())
}
