//! What a verdict rests on.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// What the reviewer holds before reading the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trust {
    /// Nothing: the key is taken from the log itself, so whoever could rewrite all of it goes unnoticed.
    SelfSigned,
    /// The key of the log's first signer, and perhaps the origin that the log must have.
    Pinned {
        /// The log's origin, where the reviewer knows it.
        origin: Option<String>,
        /// Ed25519 public key.
        key: [u8; 32],
    },
}

impl Trust {
    /// Pins the key and origin of a verifier key, `<key name>+<key id>+<base64 of 0x01 ‖ public key>`.
    ///
    /// A key name is `<origin>/<partition>`; the partition is left away, since all partitions of a log share key and origin.
    /// A name that does not end so is taken as the origin itself.
    ///
    /// # Errors
    /// The text is not a verifier key of format 1, or its key id does not belong to name and key.
    pub fn from_verifier_key(text: &str) -> Result<Self, VerifierKeyError> {
        // The base64 part may hold plus signs; name and id may not.
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(VerifierKeyError::Form);
        };
        let material = STANDARD.decode(material).map_err(|_| VerifierKeyError::Form)?;
        let key: [u8; 32] = match material.split_first() {
            Some((1, key)) => key.try_into().map_err(|_| VerifierKeyError::Form)?,
            Some(_) => return Err(VerifierKeyError::Algorithm),
            None => return Err(VerifierKeyError::Form),
        };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(VerifierKeyError::Form);
        }
        if id != format!("{:08x}", u32::from_be_bytes(key_id(name, &key))) {
            return Err(VerifierKeyError::KeyId);
        }
        Ok(Trust::Pinned { origin: Some(origin_of(name).to_owned()), key })
    }
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
    #[error("a verifier key reads <name>+<8 hex digits>+<base64 of 0x01 and the public key>")]
    Form,
    /// The key is not an Ed25519 key.
    #[error("the verifier key is not an Ed25519 key (its first byte is not 0x01)")]
    Algorithm,
    /// Name, id and key do not belong together.
    #[error("the verifier key's id does not belong to its name and key: it was changed or mistyped")]
    KeyId,
}

/// Key id of a signed note: the first four bytes of `SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)`.
pub(crate) fn key_id(name: &str, key: &[u8; 32]) -> [u8; 4] {
    let digest = Sha256::new().chain_update(name).chain_update([0x0a, 0x01]).chain_update(key).finalize();
    let mut id = [0; 4];
    id.copy_from_slice(&digest[..4]);
    id
}

/// What a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Anchor {
    /// The log itself: its key came from its own genesis.
    SelfSigned,
    /// A key that the reviewer held.
    Pinned,
}

impl Anchor {
    /// The word for it, stable for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Anchor::SelfSigned => "self",
            Anchor::Pinned => "pinned",
        }
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Anchor::SelfSigned => "the log's own word (self: the key came from the log)",
            Anchor::Pinned => "the key you gave (pinned)",
        })
    }
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
            assert_eq!(trust, Ok(Trust::Pinned { origin: Some(origin.to_owned()), key }), "{name}");
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
