//! The key files of a data directory: which key each holds, and how they follow what the log says.
//!
//! The log alone says which key is in force. A rotation makes the key after the next one (`after-next.pem`) durable, then logs,
//! then moves `next.pem` to `seal.pem` and `after-next.pem` to `next.pem`. Wherever that ends, the files are told apart by
//! the keys they hold, and opening the log finishes the moves.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actum_log::{FileSigner, KeyError, Keys, Signer, key_digest};

use crate::error::{OpenError, chain};
use crate::keys::sync;

/// Directory of the keys inside a data directory.
const KEYS: &str = "keys";

/// A key file, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyFile {
    /// The key in force.
    Seal,
    /// The key whose digest the log has committed.
    Next,
    /// Made by a rotation, committed by it; otherwise left over from one that did not happen.
    AfterNext,
}

impl KeyFile {
    /// All of them.
    pub const ALL: [KeyFile; 3] = [KeyFile::Seal, KeyFile::Next, KeyFile::AfterNext];

    /// Its name in `keys/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            KeyFile::Seal => "seal.pem",
            KeyFile::Next => "next.pem",
            KeyFile::AfterNext => "after-next.pem",
        }
    }
}

/// What a key file holds, held against the log.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileState {
    /// There is no such file.
    Missing,
    /// The key in force.
    InForce,
    /// The key whose digest is committed.
    Next,
    /// A key that was in force before.
    Past,
    /// A key that the log knows nothing of.
    Unknown,
    /// It cannot be used.
    Unusable(KeyError),
}

/// A log's public keys, against which files are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRing {
    /// The key that seals the next block.
    pub in_force: [u8; 32],
    /// SHA-256 of the only key that can follow.
    pub next: Option<[u8; 32]>,
    /// The keys before.
    pub past: Vec<[u8; 32]>,
}

impl From<&Keys> for KeyRing {
    fn from(keys: &Keys) -> Self {
        KeyRing { in_force: keys.in_force(), next: keys.next(), past: keys.past().to_vec() }
    }
}

/// The private keys of one data directory. Nothing of them is ever shown.
#[derive(Debug, Clone)]
pub struct KeyFiles {
    directory: PathBuf,
}

/// The signer that a rotation puts in force, and the digest of the one after it, which the rotation commits.
pub(crate) struct NextSigner {
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) after: Option<[u8; 32]>,
}

struct Found {
    file: KeyFile,
    state: KeyFileState,
    signer: Option<FileSigner>,
}

impl KeyFiles {
    /// Those of the data directory `data`.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        KeyFiles { directory: data.join(KEYS) }
    }

    /// Those that lie in `directory` itself.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        KeyFiles { directory: directory.to_owned() }
    }

    /// Where one of them lies.
    #[must_use]
    pub fn path(&self, file: KeyFile) -> PathBuf {
        self.directory.join(file.name())
    }

    /// What each file holds.
    #[must_use]
    pub fn states(&self, keys: &KeyRing) -> Vec<(KeyFile, KeyFileState)> {
        self.look(keys).into_iter().map(|found| (found.file, found.state)).collect()
    }

    fn look(&self, keys: &KeyRing) -> Vec<Found> {
        let one = |file| match FileSigner::open(&self.path(file)) {
            Ok(signer) => Found { file, state: state_of(&signer.public_key(), keys), signer: Some(signer) },
            Err(KeyError::Io(error)) if error.kind() == ErrorKind::NotFound => {
                Found { file, state: KeyFileState::Missing, signer: None }
            }
            Err(error) => Found { file, state: KeyFileState::Unusable(error), signer: None },
        };
        KeyFile::ALL.into_iter().map(one).collect()
    }

    /// The signer in force, whichever file holds it; finishes the moves of a rotation that was interrupted after it was logged.
    pub(crate) fn settle(&self, keys: &Keys) -> Result<Arc<dyn Signer>, OpenError> {
        let mut found = self.look(&keys.into());
        let at = found.iter().position(|found| matches!(found.state, KeyFileState::InForce));
        let Some(at) = at else { return Err(self.none_fits(&found)) };
        let signer = found[at].signer.take();
        let from = found[at].file;
        let seal_is_free = matches!(
            found[0].state,
            KeyFileState::Missing | KeyFileState::Past | KeyFileState::Unusable(KeyError::Malformed)
        );
        if from != KeyFile::Seal && seal_is_free {
            self.rename(from, KeyFile::Seal);
        }
        if matches!(found[2].state, KeyFileState::Next) && !self.path(KeyFile::Next).exists() {
            self.rename(KeyFile::AfterNext, KeyFile::Next);
        }
        signer.map(|signer| Arc::new(signer) as Arc<dyn Signer>).ok_or_else(|| self.none_fits(&found))
    }

    /// The next signer, and the digest of the one after it, which is durable in a file when this returns.
    pub(crate) fn prepare_rotation(&self, keys: &Keys) -> Result<NextSigner, OpenError> {
        let mut found = self.look(&keys.into());
        let next = found.iter().position(|found| matches!(found.state, KeyFileState::Next));
        let Some(next) = next else { return Err(self.next_does_not_fit(&found[1].state, keys)) };
        let signer = found[next].signer.take();
        let signer = signer.ok_or_else(|| self.next_does_not_fit(&KeyFileState::Missing, keys))?;
        let path = self.path(KeyFile::AfterNext);
        let after = match &found[2] {
            Found { state: KeyFileState::Unknown, signer: Some(after), .. } => key_digest(&after.public_key()),
            Found { state: KeyFileState::Missing, .. } => generate(&path)?,
            // What is neither in force nor committed was never promised to anybody.
            Found { state: KeyFileState::Past | KeyFileState::Unusable(KeyError::Malformed), .. } => {
                fs::remove_file(&path).map_err(|error| unusable(&path, &error.into()))?;
                generate(&path)?
            }
            Found { state: KeyFileState::Unusable(error), .. } => return Err(unusable(&path, error)),
            _ => return Err(OpenError::Key(format!("{} holds a key that is needed elsewhere", path.display()))),
        };
        Ok(NextSigner { signer: Arc::new(signer), after: Some(after) })
    }

    /// Renames within the directory, over a key that is of no use any more. A failure is only told: the log names the key, so
    /// the next opening tries again.
    fn rename(&self, from: KeyFile, to: KeyFile) {
        let renamed = fs::rename(self.path(from), self.path(to)).and_then(|()| sync(&self.directory));
        if let Err(error) = renamed {
            tracing::warn!(%error, "{} could not be renamed to {}", from.name(), to.name());
        }
    }

    fn none_fits(&self, found: &[Found]) -> OpenError {
        let path = self.path(KeyFile::Seal);
        match &found[0].state {
            KeyFileState::Unusable(error) => unusable(&path, error),
            KeyFileState::Missing => OpenError::Key(format!("{} is missing", path.display())),
            KeyFileState::Past => OpenError::Key(format!(
                "{} is not the key in force any more, and no other file in its directory is",
                path.display()
            )),
            _ => OpenError::Key(format!("{} is not the key that the log names", path.display())),
        }
    }

    fn next_does_not_fit(&self, state: &KeyFileState, keys: &Keys) -> OpenError {
        let path = self.path(KeyFile::Next);
        match state {
            _ if keys.next().is_none() => {
                OpenError::Key("the log committed no next key, so its key can never be rotated".to_owned())
            }
            KeyFileState::Unusable(error) => unusable(&path, error),
            KeyFileState::Missing => OpenError::Key(format!("{} is missing", path.display())),
            _ => OpenError::Key(format!("{} is not the next key that the log committed", path.display())),
        }
    }
}

/// Makes a key and its file; gives its digest.
fn generate(path: &Path) -> Result<[u8; 32], OpenError> {
    let of = |error: KeyError| unusable(path, &error);
    let signer = FileSigner::generate().map_err(of)?;
    signer.save(path).map_err(of)?;
    Ok(key_digest(&signer.public_key()))
}

fn state_of(public_key: &[u8; 32], keys: &KeyRing) -> KeyFileState {
    if *public_key == keys.in_force {
        KeyFileState::InForce
    } else if keys.next == Some(key_digest(public_key)) {
        KeyFileState::Next
    } else if keys.past.contains(public_key) {
        KeyFileState::Past
    } else {
        KeyFileState::Unknown
    }
}

pub(crate) fn unusable(path: &Path, error: &KeyError) -> OpenError {
    OpenError::Key(format!("{}: {}", path.display(), chain(error)))
}
