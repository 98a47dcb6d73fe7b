//! Witnesses: others who sign seals that they have seen (C2SP tlog-cosignature; FORMAT.md section 11).

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::seal::Note;
use crate::trust::{VerifierKeyError, read_verifier_key};

/// Algorithm byte of a cosignature key.
const COSIGNATURE: u8 = 4;

/// A witness whose word counts for the reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Witness {
    pub(crate) name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

impl Witness {
    /// Reads a verifier key, `<name>+<key id>+<base64 of 0x04 ‖ public key>`.
    pub(crate) fn parse(text: &str) -> Result<Self, VerifierKeyError> {
        let (name, key) = read_verifier_key(text, COSIGNATURE)?;
        let id = note_key_id(name, COSIGNATURE, &key);
        let key = VerifyingKey::from_bytes(&key).ok().filter(|key| !key.is_weak()).ok_or(VerifierKeyError::Form)?;
        Ok(Witness { name: name.to_owned(), id, key })
    }

    /// When it signed the note, in seconds since 1970; `None` if no line of the note is a valid signature of it.
    pub(crate) fn signed(&self, note: &Note<'_>) -> Option<u64> {
        note.lines.iter().filter(|line| line.name == self.name).find_map(|line| {
            let rest = line.bytes.strip_prefix(&self.id)?;
            let (time, signature) = rest.split_first_chunk::<8>()?;
            let time = u64::from_be_bytes(*time);
            let signature = Signature::from_slice(signature).ok()?;
            let message = format!("cosignature/v1\ntime {time}\n{}", note.text);
            self.key.verify_strict(message.as_bytes(), &signature).ok().map(|()| time)
        })
    }
}

/// Key id of a signed note: the first four bytes of `SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key)`.
pub(crate) fn note_key_id(name: &str, algorithm: u8, key: &[u8; 32]) -> [u8; 4] {
    let digest = Sha256::new().chain_update(name).chain_update([0x0a, algorithm]).chain_update(key).finalize();
    let mut id = [0; 4];
    id.copy_from_slice(&digest[..4]);
    id
}
