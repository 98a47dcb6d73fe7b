//! The event hash `E` and chain value `C` of records, several at a time (FORMAT.md section 3).

use crate::hash::{Hash, KEYS};
use crate::lanes::{LANE_BYTES_MAX, LANES, keyed_blocks, keyed_each};

const SALT_BYTES: usize = 16;

/// A record as its hashes see it: header with extensions, and payload.
pub(crate) type Parts<'a> = (&'a [u8], &'a [u8]);

/// Up to `LANES` consecutive records of one chunk.
#[derive(Default)]
pub(crate) struct Window<'a> {
    records: [Parts<'a>; LANES],
    count: usize,
}

impl<'a> Window<'a> {
    /// Adds a record; says whether the window is now full and has to be hashed.
    #[inline]
    pub(crate) fn push(&mut self, record: Parts<'a>) -> bool {
        self.records[self.count] = record;
        self.count += 1;
        self.count == LANES
    }
}

/// Hashes the events of one block in order. Holds its buffers, so that events cost no allocation.
pub(crate) struct EventHasher {
    salts: blake3::OutputReader,
    buffers: Box<[[u8; LANE_BYTES_MAX]; LANES]>,
}

impl EventHasher {
    pub(crate) fn new(secret: &Hash) -> Self {
        EventHasher {
            salts: blake3::Hasher::new_keyed(&KEYS.salt).update(secret).finalize_xof(),
            buffers: Box::new([[0; LANE_BYTES_MAX]; LANES]),
        }
    }

    /// Appends `E` of the window's records, which are the block's next, and empties the window.
    pub(crate) fn hash(&mut self, window: &mut Window<'_>, events: &mut Vec<Hash>) {
        let count = std::mem::take(&mut window.count);
        let records = &window.records[..count];
        let mut salts = [0; SALT_BYTES * LANES];
        self.salts.fill(&mut salts[..SALT_BYTES * count]);
        let salted =
            salts.as_chunks::<SALT_BYTES>().0.iter().zip(records).map(|(salt, (_, payload))| (&salt[..], *payload));
        let payload_hashes = self.keyed_pairs(&KEYS.payload, salted);
        let heads = records.iter().zip(&payload_hashes).map(|((head, _), hash)| (*head, &hash[..]));
        let hashes = self.keyed_pairs(&KEYS.event, heads);
        events.extend_from_slice(&hashes[..count]);
    }

    /// `H[key](a ‖ b)` of each pair.
    #[inline]
    fn keyed_pairs<'a>(
        &mut self,
        key: &Hash,
        pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) -> [Hash; LANES] {
        let is_short = |(a, b): (&[u8], &[u8])| a.len() + b.len() <= LANE_BYTES_MAX;
        if !pairs.clone().all(is_short) {
            let mut out = [[0; 32]; LANES];
            for (out, (a, b)) in out.iter_mut().zip(pairs) {
                *out = *blake3::Hasher::new_keyed(key).update(a).update(b).finalize().as_bytes();
            }
            return out;
        }
        let mut inputs: [&[u8]; LANES] = [&[]; LANES];
        let mut count = 0;
        for ((input, buffer), (a, b)) in inputs.iter_mut().zip(self.buffers.iter_mut()).zip(pairs) {
            let joined = &mut buffer[..a.len() + b.len()];
            joined[..a.len()].copy_from_slice(a);
            joined[a.len()..].copy_from_slice(b);
            *input = joined;
            count += 1;
        }
        keyed_each(key, &inputs, count)
    }
}

/// Chains up to `LANES` events of different streams: each `(C', E)` becomes `C`.
pub(crate) fn chain(links: &[[u8; 64]]) -> [Hash; LANES] {
    keyed_blocks(&KEYS.chain, links)
}
