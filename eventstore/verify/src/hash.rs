//! The keyed hashes of FORMAT.md sections 1 and 3.

use std::sync::LazyLock;

/// A 32-byte hash.
pub(crate) type Hash = [u8; 32];

/// One key for each purpose.
pub(crate) struct Keys {
    pub(crate) salt: Hash,
    pub(crate) payload: Hash,
    pub(crate) event: Hash,
    pub(crate) chain: Hash,
    pub(crate) block: Hash,
    pub(crate) genesis: Hash,
    pub(crate) frame: Hash,
}

/// The format's keys.
pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    salt: purpose_key("salt"),
    payload: purpose_key("payload"),
    event: purpose_key("event"),
    chain: purpose_key("chain"),
    block: purpose_key("block"),
    genesis: purpose_key("genesis"),
    frame: purpose_key("frame"),
});

fn purpose_key(purpose: &str) -> Hash {
    blake3::derive_key(&format!("actum 2026 log format 1 {purpose}"), b"")
}

/// `H[key](bytes)`.
#[inline]
pub(crate) fn keyed(key: &Hash, bytes: &[u8]) -> Hash {
    *blake3::keyed_hash(key, bytes).as_bytes()
}
