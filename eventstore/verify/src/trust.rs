//! What a reviewer holds before reading a log or a proof.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::since::{Since, SinceError};
use crate::trust_file::{TrustFileError, parse_trust_file};
use crate::witness::{Witness, note_key_id};

/// What the reviewer holds: perhaps a pinned key, perhaps seals that were kept, perhaps keys known to be revoked and witnesses.
///
/// # Example
/// ```
/// use actum_verify::Trust;
///
/// let file = "actum-trust 1\norigin example.org/log\nkey \
///     1111111111111111111111111111111111111111111111111111111111111111\n";
/// let trust = Trust::from_trust_file(file.as_bytes())?;
/// assert_eq!(trust, Trust::pinned(Some("example.org/log"), [0x11; 32]));
/// # Ok::<(), actum_verify::TrustFileError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trust {
    pub(crate) pin: Option<Pin>,
    pub(crate) revoked: Vec<[u8; 32]>,
    pub(crate) witnesses: Vec<Witness>,
    pub(crate) since: Vec<Since>,
}

/// The key of the log's first signer, and perhaps the origin that the log must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    pub(crate) origin: Option<String>,
    pub(crate) key: [u8; 32],
}

impl Trust {
    /// Nothing: the key is taken from the log itself, so whoever could rewrite all of it goes unnoticed.
    pub fn self_signed() -> Self {
        Trust::default()
    }

    /// Pins the Ed25519 public key of the log's genesis, and the log's origin where the reviewer knows it.
    pub fn pinned(origin: Option<&str>, key: [u8; 32]) -> Self {
        Trust { pin: Some(Pin { origin: origin.map(str::to_owned), key }), ..Trust::default() }
    }

    /// Pins the key and origin of a verifier key, `<key name>+<key id>+<base64 of 0x01 ‖ public key>`.
    ///
    /// A key name is `<origin>/<partition>`; the partition is left away, since all partitions of a log share key and origin.
    /// A name that does not end so is taken as the origin itself. The key is that of the genesis, also after rotations.
    ///
    /// # Errors
    /// The text is not a verifier key of format 1, or its key id does not belong to name and key.
    pub fn from_verifier_key(text: &str) -> Result<Self, VerifierKeyError> {
        let (name, key) = read_verifier_key(text, ED25519)?;
        Ok(Trust::pinned(Some(origin_of(name)), key))
    }

    /// Pins what a trust file says (FORMAT.md section 11): origin and first key, keys known to be revoked, witnesses.
    ///
    /// # Errors
    /// The text is not a trust file; any other spelling than the page's is refused.
    pub fn from_trust_file(text: &[u8]) -> Result<Self, TrustFileError> {
        parse_trust_file(text)
    }

    /// Adds a seal that the reviewer kept: the log has to continue what it says. At most one for each partition.
    ///
    /// # Errors
    /// The bytes are not a seal, or a seal of this partition was added before.
    pub fn since(mut self, seal: &[u8]) -> Result<Self, SinceError> {
        let since = Since::parse(seal)?;
        if self.since.iter().any(|other| other.name == since.name) {
            return Err(SinceError::Twice);
        }
        self.since.push(since);
        Ok(self)
    }

    /// The seal that was kept of a partition, by its key name.
    pub(crate) fn since_of(&self, name: &str) -> Option<&Since> {
        self.since.iter().find(|since| since.name == name)
    }

    pub(crate) fn is_revoked(&self, key: &[u8; 32]) -> bool {
        self.revoked.contains(key)
    }
}

const ED25519: u8 = 1;

/// Takes a verifier key apart: name and public key. The first byte of the key material has to be `algorithm`.
pub(crate) fn read_verifier_key(text: &str, algorithm: u8) -> Result<(&str, [u8; 32]), VerifierKeyError> {
    // The base64 part may hold plus signs; name and id may not.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(VerifierKeyError::Form);
    };
    let material = STANDARD.decode(material).map_err(|_| VerifierKeyError::Form)?;
    let key: [u8; 32] = match material.split_first() {
        Some((first, key)) if *first == algorithm => key.try_into().map_err(|_| VerifierKeyError::Form)?,
        Some(_) => return Err(VerifierKeyError::Algorithm),
        None => return Err(VerifierKeyError::Form),
    };
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(VerifierKeyError::Form);
    }
    if id != format!("{:08x}", u32::from_be_bytes(note_key_id(name, algorithm, &key))) {
        return Err(VerifierKeyError::KeyId);
    }
    Ok((name, key))
}

fn origin_of(key_name: &str) -> &str {
    match key_name.rsplit_once('/') {
        Some((origin, partition)) if !origin.is_empty() && partition.parse::<u16>().is_ok() => origin,
        _ => key_name,
    }
}

/// Why a text is not a verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifierKeyError {
    /// It has another form.
    #[error("a verifier key reads <name>+<8 hex digits>+<base64 of an algorithm byte and the public key>")]
    Form,
    /// The key is of another algorithm.
    #[error("the verifier key is of another algorithm (its first byte is not 0x01, or 0x04 for a witness)")]
    Algorithm,
    /// Name, id and key do not belong together.
    #[error("the verifier key's id does not belong to its name and key: it was changed or mistyped")]
    KeyId,
}

/// Key id of the log's own Ed25519 keys.
pub(crate) fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    note_key_id(name, ED25519, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier_key(name: &str, key: [u8; 32]) -> String {
        let material = STANDARD.encode([&[1][..], &key].concat());
        format!("{name}+{:08x}+{material}", u32::from_be_bytes(key_id(name, &key)))
    }

    #[test]
    fn a_verifier_key_pins_origin_and_key() {
        // 0xfb.. makes a plus sign in the base64 part.
        let key = [0xfb; 32];
        for (name, origin) in [("example.org/log/0", "example.org/log"), ("example.org", "example.org"), ("/7", "/7")] {
            let trust = Trust::from_verifier_key(&verifier_key(name, key));
            assert_eq!(trust, Ok(Trust::pinned(Some(origin), key)), "{name}");
        }
    }

    #[test]
    fn any_changed_character_of_a_verifier_key_is_refused() {
        let text = verifier_key("example.org/log/0", [7; 32]);
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(Trust::from_verifier_key(&changed).is_err(), "{changed}");
        }
        assert!(Trust::from_verifier_key("").is_err());
    }
}
