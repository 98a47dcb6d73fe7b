//! Gives the hash of everything that is hashed with BLAKE3, one key per purpose (FORMAT.md section 1 and 3).

use std::sync::LazyLock;

/// A 32-byte hash.
pub type Hash = [u8; 32];

/// Bytes of one salt.
pub const SALT_BYTES: usize = 16;

const CONTEXT: &str = "actum 2026 log format 1 ";

struct Keys {
    salt: Hash,
    payload: Hash,
    event: Hash,
    chain: Hash,
    block: Hash,
    genesis: Hash,
    frame: Hash,
    head: Hash,
    saved: Hash,
    page: Hash,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let key = |purpose: &str| blake3::derive_key(&format!("{CONTEXT}{purpose}"), &[]);
    Keys {
        salt: key("salt"),
        payload: key("payload"),
        event: key("event"),
        chain: key("chain"),
        block: key("block"),
        genesis: key("genesis"),
        frame: key("frame"),
        head: key("head"),
        saved: key("saved"),
        page: key("saved page"),
    }
});

/// The salts of a block's first `count` records, one after the other, from the block's secret; replaces what `salts` held.
pub fn salts(secret: &[u8; 32], count: usize, salts: &mut Vec<u8>) {
    salts.clear();
    salts.resize(count * SALT_BYTES, 0);
    blake3::Hasher::new_keyed(&KEYS.salt).update(secret).finalize_xof().fill(salts);
}

/// The salt of one record, by its index in the block.
pub fn salt(secret: &[u8; 32], index: u32) -> [u8; SALT_BYTES] {
    let mut reader = blake3::Hasher::new_keyed(&KEYS.salt).update(secret).finalize_xof();
    reader.set_position(u64::from(index) * SALT_BYTES as u64);
    let mut salt = [0; SALT_BYTES];
    reader.fill(&mut salt);
    salt
}

/// `P`: binds a stored payload without disclosing it.
#[inline]
pub fn payload_hash(salt: &[u8], payload: &[u8]) -> Hash {
    keyed(&KEYS.payload, salt, payload)
}

/// `E`: binds a whole event. `head` is its header and its extensions.
#[inline]
pub fn event_hash(head: &[u8], payload: &Hash) -> Hash {
    keyed(&KEYS.event, head, payload)
}

/// The key of payload hashes.
#[inline]
pub(crate) fn payload_key() -> &'static Hash {
    &KEYS.payload
}

/// The key of event hashes.
#[inline]
pub(crate) fn event_key() -> &'static Hash {
    &KEYS.event
}

/// The key of chain values.
#[inline]
pub(crate) fn chain_key() -> &'static Hash {
    &KEYS.chain
}

/// `C`: binds an event and all before it in its stream; `previous` is zero for the first.
#[inline]
pub fn chain_hash(previous: &Hash, event: &Hash) -> Hash {
    let mut input = [0; 64];
    input[..32].copy_from_slice(previous);
    input[32..].copy_from_slice(event);
    *blake3::keyed_hash(&KEYS.chain, &input).as_bytes()
}

/// The tree's leaf of an event.
#[inline]
pub fn leaf(chain: &Hash, seq: u64, version: u64) -> [u8; 48] {
    let mut leaf = [0; 48];
    leaf[..32].copy_from_slice(chain);
    leaf[32..40].copy_from_slice(&seq.to_le_bytes());
    leaf[40..].copy_from_slice(&version.to_le_bytes());
    leaf
}

/// `B`: binds a block body, and through it the whole partition up to that block.
pub fn block_hash(body: &[u8]) -> Hash {
    *blake3::keyed_hash(&KEYS.block, body).as_bytes()
}

/// The hash of a genesis text.
pub fn genesis_hash(text: &[u8]) -> Hash {
    *blake3::keyed_hash(&KEYS.genesis, text).as_bytes()
}

/// The checksum of a frame over the first 24 bytes of its header and its body as stored.
pub fn frame_checksum(head: &[u8], body: &[u8]) -> [u8; 16] {
    truncated(keyed(&KEYS.frame, head, body))
}

/// The checksum of a head slot.
pub fn head_checksum(slot: &[u8]) -> [u8; 16] {
    truncated(*blake3::keyed_hash(&KEYS.head, slot).as_bytes())
}

/// The name of a file of saved state: binds its contents, and through their pages' hashes every byte.
pub fn saved_hash(contents: &[u8]) -> Hash {
    *blake3::keyed_hash(&KEYS.saved, contents).as_bytes()
}

/// The hash of a page of saved state.
pub fn page_hash(page: &[u8]) -> Hash {
    *blake3::keyed_hash(&KEYS.page, page).as_bytes()
}

fn truncated(hash: Hash) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&hash[..16]);
    short
}

/// Hashes `a ‖ b`. Short inputs go through the one-shot function: a `Hasher` costs more to set up than they cost to hash.
#[inline]
fn keyed(key: &Hash, a: &[u8], b: &[u8]) -> Hash {
    let length = a.len() + b.len();
    if length <= 128 {
        return keyed_short::<128>(key, a, b);
    }
    if length <= 1024 {
        return keyed_short::<1024>(key, a, b);
    }
    *blake3::Hasher::new_keyed(key).update(a).update(b).finalize().as_bytes()
}

#[inline]
fn keyed_short<const N: usize>(key: &Hash, a: &[u8], b: &[u8]) -> Hash {
    let mut input = [0; N];
    let length = a.len() + b.len();
    input[..a.len()].copy_from_slice(a);
    input[a.len()..length].copy_from_slice(b);
    *blake3::keyed_hash(key, &input[..length]).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_inputs_hash_alike() {
        let key = [7; 32];
        let bytes: Vec<u8> = (0..3_000_u32).map(|i| i as u8).collect();
        for length in [0, 1, 63, 64, 96, 127, 128, 129, 1023, 1024, 1025, 3_000] {
            let (a, b) = bytes[..length].split_at(length / 3);
            assert_eq!(keyed(&key, a, b), *blake3::keyed_hash(&key, &bytes[..length]).as_bytes(), "{length}");
        }
    }

    #[test]
    fn a_salt_is_its_slice_of_all_salts() {
        let (secret, mut all) = ([3; 32], Vec::new());
        salts(&secret, 9, &mut all);
        for index in 0..9 {
            let at = index as usize * SALT_BYTES;
            assert_eq!(salt(&secret, index), all[at..at + SALT_BYTES]);
        }
    }

    #[test]
    fn purposes_differ() {
        assert_ne!(block_hash(b""), genesis_hash(b""));
        assert_eq!(
            block_hash(b"x"),
            *blake3::keyed_hash(&blake3::derive_key("actum 2026 log format 1 block", b""), b"x").as_bytes()
        );
    }
}
