//! Gives the seam to whatever holds a signing key, and an Ed25519 key in memory or in a PKCS#8 file.

use std::fmt;

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use ed25519_dalek::{Signer as _, SigningKey};
use zeroize::Zeroizing;

/// Why nothing was signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key cannot be reached now; may pass.
    #[error("the signing key is unavailable: {0}")]
    Unavailable(String),
    /// Whatever holds the key refuses to sign.
    #[error("the signing key's keeper refused: {0}")]
    Refused(String),
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Entropy(String),
    /// An earlier block was not sealed, so that nothing after it can be; open the log again.
    #[error("an earlier block could not be sealed")]
    Stopped,
    /// The signer is another than the log says is in force. Ask `Resume::keys` or `Sealer::key_in_force` which key it is.
    #[error(
        "the signer's key {} is not the key in force, which is {}",
        crate::strict::to_hex(given),
        crate::strict::to_hex(in_force)
    )]
    NotInForce {
        /// Public key of the signer that was given.
        given: [u8; 32],
        /// Public key that must sign.
        in_force: [u8; 32],
    },
    /// Not a block that `Stage` made.
    #[error("the open block is malformed")]
    Malformed,
}

/// Holds an Ed25519 key. Blocking; called on the sealing thread.
pub trait Signer: Send + Sync {
    /// The public key.
    fn public_key(&self) -> [u8; 32];

    /// Signs a message.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// Why a key was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not a PKCS#8 PEM of an Ed25519 private key.
    #[error("not a PKCS#8 PEM of an Ed25519 private key")]
    Malformed,
    /// Group or others may read the file.
    #[error("group or others may use the key file (mode {0:03o}); it must be 600 or stricter")]
    Permissions(u32),
    /// The device failed, or the file exists already, or does not.
    #[error("the key file could not be used")]
    Io(#[from] std::io::Error),
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Entropy(String),
}

/// An Ed25519 key in memory, erased when dropped.
pub struct FileSigner {
    key: SigningKey,
}

impl FileSigner {
    /// The key of a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self { key: SigningKey::from_bytes(seed) }
    }

    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        crate::entropy::fill(seed.as_mut()).map_err(KeyError::Entropy)?;
        Ok(Self::from_seed(&seed))
    }

    /// Reads PKCS#8 PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Malformed)?;
        Ok(Self { key })
    }

    /// PKCS#8 PEM text, version 1 (without the public key), which OpenSSL reads too.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let bytes = KeypairBytes { secret_key: self.key.to_bytes(), public_key: None };
        bytes.to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::Malformed)
    }
}

impl fmt::Debug for FileSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public_key = crate::strict::to_hex(&self.public_key());
        f.debug_struct("FileSigner").field("public_key", &public_key).finish_non_exhaustive()
    }
}

impl Signer for FileSigner {
    fn public_key(&self) -> [u8; 32] {
        self.key.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(self.key.sign(message).to_bytes())
    }
}
