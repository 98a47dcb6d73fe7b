//! Hashes the payloads and events of several records at once: about twice as fast as one after the other.
//!
//! One BLAKE3 compression spends its time waiting for its own results. Here the leading blocks of up to 16 inputs go through
//! `blake3`'s SIMD kernels together, and only each input's last block is compressed alone. The kernels are public in `blake3` but
//! undocumented, so everything that touches them is in this file, and tests compare it with the documented functions;
//! should they go away, `event_hashes` becomes a loop over `payload_hash` and `event_hash`.

use blake3::IncrementCounter;
use blake3::platform::{Platform, le_bytes_from_words_32, words_from_le_bytes_32};

use crate::hash::{Hash, SALT_BYTES, chain_key, event_hash, event_key, payload_hash, payload_key};
use crate::record::Record;

/// Records that are hashed together: the widest kernel's lanes.
pub(crate) const BATCH: usize = 16;

const BLOCK_BYTES: usize = 64;
/// Leading blocks of the longest input that is batched; longer ones go alone.
const LEADING_MAX: usize = 4;
const INPUT_BYTES: usize = (LEADING_MAX + 1) * BLOCK_BYTES;

// Flags of the BLAKE3 paper, table 3.
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 2;
const ROOT: u8 = 8;
const KEYED_HASH: u8 = 16;

/// Room for a batch of inputs; reused.
pub(crate) struct Batch {
    platform: Platform,
    inputs: Box<[Input; BATCH]>,
}

#[derive(Clone, Copy)]
struct Input {
    // Zero from `length` to the end of its last block.
    bytes: [u8; INPUT_BYTES],
    length: usize,
}

impl Default for Batch {
    fn default() -> Self {
        let empty = Input { bytes: [0; INPUT_BYTES], length: 0 };
        Self { platform: Platform::detect(), inputs: Box::new([empty; BATCH]) }
    }
}

impl Batch {
    /// The event hash `E` of each of up to `BATCH` records; `salts` holds theirs one after the other.
    pub(crate) fn event_hashes(&mut self, records: &[Record<'_>], salts: &[u8]) -> [Hash; BATCH] {
        let salts = || salts.chunks_exact(SALT_BYTES);
        let payloads = self.keyed(payload_key(), records, |index, record, input| {
            let salt = salts().nth(index).unwrap_or_default();
            if input.set(salt, record.payload()) { None } else { Some(payload_hash(salt, record.payload())) }
        });
        self.keyed(event_key(), records, |index, record, input| {
            let payload = &payloads[index];
            if input.set(record.head_bytes(), payload) { None } else { Some(event_hash(record.head_bytes(), payload)) }
        })
    }

    /// The chain value `C` of each event of a full batch, from the chain values before them. Suits records of distinct streams only.
    pub(crate) fn chain_hashes(&self, previous: &[Hash; BATCH], events: &[Hash; BATCH]) -> [Hash; BATCH] {
        let mut inputs = [[0; BLOCK_BYTES]; BATCH];
        for ((input, previous), event) in inputs.iter_mut().zip(previous).zip(events) {
            input[..32].copy_from_slice(previous);
            input[32..].copy_from_slice(event);
        }
        let mut chains = [[0; 32]; BATCH];
        let (key, last) = (words_from_le_bytes_32(chain_key()), CHUNK_END | ROOT);
        let (inputs, bytes) = (inputs.each_ref(), chains.as_flattened_mut());
        self.platform.hash_many(&inputs, &key, 0, IncrementCounter::No, KEYED_HASH, CHUNK_START, last, bytes);
        chains
    }

    /// Hashes one input for each record; `fill` sets it, or gives the hash of one that is too long.
    #[inline]
    fn keyed(
        &mut self,
        key: &Hash,
        records: &[Record<'_>],
        fill: impl Fn(usize, &Record<'_>, &mut Input) -> Option<Hash>,
    ) -> [Hash; BATCH] {
        let mut hashes = [*key; BATCH];
        let mut alone = [None; BATCH];
        for (index, (record, input)) in records.iter().zip(self.inputs.iter_mut()).enumerate() {
            alone[index] = fill(index, record, input);
        }
        let count = records.len().min(BATCH);
        let waiting = |index: &usize, leading| alone[*index].is_none() && self.inputs[*index].leading() == leading;
        for leading in 1..=LEADING_MAX {
            let members = (0..count).filter(|index| waiting(index, leading));
            match leading {
                1 => self.leading_blocks::<{ BLOCK_BYTES }>(key, members, &mut hashes),
                2 => self.leading_blocks::<{ 2 * BLOCK_BYTES }>(key, members, &mut hashes),
                3 => self.leading_blocks::<{ 3 * BLOCK_BYTES }>(key, members, &mut hashes),
                _ => self.leading_blocks::<{ LEADING_MAX * BLOCK_BYTES }>(key, members, &mut hashes),
            }
        }
        for (index, hash) in hashes.iter_mut().enumerate().take(count) {
            *hash = alone[index].unwrap_or_else(|| self.last_block(hash, &self.inputs[index]));
        }
        hashes
    }

    /// Replaces the chaining values of inputs that all have `N` leading bytes.
    fn leading_blocks<const N: usize>(
        &self,
        key: &Hash,
        members: impl Iterator<Item = usize>,
        chaining: &mut [Hash; BATCH],
    ) {
        let mut indices = [0; BATCH];
        let mut inputs = [&[0; N]; BATCH];
        let mut count = 0;
        for index in members {
            let Some(leading) = self.inputs[index].bytes.first_chunk() else { continue };
            (indices[count], inputs[count]) = (index, leading);
            count += 1;
        }
        if count == 0 {
            return;
        }
        let mut output = [[0; 32]; BATCH];
        let (key, bytes) = (words_from_le_bytes_32(key), output.as_flattened_mut());
        self.platform.hash_many(&inputs[..count], &key, 0, IncrementCounter::No, KEYED_HASH, CHUNK_START, 0, bytes);
        for (index, value) in indices[..count].iter().zip(output) {
            chaining[*index] = value;
        }
    }

    #[inline]
    fn last_block(&self, chaining: &Hash, input: &Input) -> Hash {
        let start = input.leading() * BLOCK_BYTES;
        let first = if start == 0 { CHUNK_START } else { 0 };
        let mut block = [0; BLOCK_BYTES];
        block.copy_from_slice(&input.bytes[start..start + BLOCK_BYTES]);
        let mut words = words_from_le_bytes_32(chaining);
        let length = (input.length - start) as u8;
        self.platform.compress_in_place(&mut words, &block, length, 0, KEYED_HASH | first | CHUNK_END | ROOT);
        le_bytes_from_words_32(&words)
    }
}

/// The streams of a full batch of records; `None` when there are fewer records, or two are of one stream.
#[inline]
pub(crate) fn distinct_streams<'a>(records: &'a [Record<'_>]) -> Option<[&'a u64; BATCH]> {
    let records: &[Record<'_>; BATCH] = records.try_into().ok()?;
    let streams = records.each_ref().map(|record| &record.header().stream);
    (1..BATCH).all(|at| !streams[..at].contains(&streams[at])).then_some(streams)
}

impl Input {
    /// Sets the input to `a ‖ b`; false when that is too long.
    #[inline]
    fn set(&mut self, a: &[u8], b: &[u8]) -> bool {
        let length = a.len() + b.len();
        if length > INPUT_BYTES {
            return false;
        }
        self.bytes[..a.len()].copy_from_slice(a);
        self.bytes[a.len()..length].copy_from_slice(b);
        self.bytes[length..length.next_multiple_of(BLOCK_BYTES)].fill(0);
        self.length = length;
        true
    }

    /// Blocks before the last one. The last one is empty only when the input is.
    #[inline]
    fn leading(&self) -> usize {
        self.length.saturating_sub(1) / BLOCK_BYTES
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::extension::ExtensionFields;
    use crate::record::Header;

    fn record(payload: &[u8], key: Option<&str>) -> Vec<u8> {
        let fields = ExtensionFields { business_key: key, ..Default::default() };
        let extensions = fields.encode().unwrap_or_default();
        let extensions = extensions.as_ref().bytes();
        let header = Header {
            length: (64 + extensions.len() + payload.len()) as u32,
            kind: 256,
            schema: 1,
            terminal: false,
            encrypted: false,
            extension_length: extensions.len() as u16,
            actor: 3,
            seq: 4,
            stream: 5,
            time: 6,
            previous: None,
            cause: None,
            version: 1,
        };
        [&header.encode(), extensions, payload].concat()
    }

    proptest! {
        #[test]
        fn agrees_with_the_documented_functions(
            events in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..400), prop::option::of("[a-z]{0,300}")), 1..=BATCH),
            earlier: u8,
            salts: [u8; SALT_BYTES * BATCH],
        ) {
            let bytes: Vec<_> = events.iter().map(|(payload, key)| record(payload, key.as_deref())).collect();
            let records: Vec<_> = bytes.iter().filter_map(|bytes| Record::split_first(bytes).ok()).map(|(record, _)| record).collect();
            prop_assert_eq!(records.len(), events.len());
            let mut batch = Batch::default();
            batch.inputs.iter_mut().for_each(|input| input.bytes.fill(earlier));
            let hashes = batch.event_hashes(&records, &salts);
            for ((record, salt), hash) in records.iter().zip(salts.chunks(SALT_BYTES)).zip(hashes) {
                prop_assert_eq!(hash, event_hash(record.head_bytes(), &payload_hash(salt, record.payload())));
            }
        }
    }

    #[test]
    fn chains_agree_with_the_documented_function() {
        let previous: [Hash; BATCH] = std::array::from_fn(|lane| [lane as u8; 32]);
        let events: [Hash; BATCH] = std::array::from_fn(|lane| [lane as u8 ^ 0x5a; 32]);
        let chains = Batch::default().chain_hashes(&previous, &events);
        for lane in 0..BATCH {
            assert_eq!(chains[lane], crate::hash::chain_hash(&previous[lane], &events[lane]));
        }
    }

    #[test]
    fn every_length_around_a_block_agrees() {
        let mut batch = Batch::default();
        for length in 0..=INPUT_BYTES + 2 {
            let bytes = record(&vec![7; length], None);
            let Ok((record, _)) = Record::split_first(&bytes) else { panic!("the record is valid") };
            let salt = [9; SALT_BYTES];
            let expected = event_hash(record.head_bytes(), &payload_hash(&salt, record.payload()));
            assert_eq!(batch.event_hashes(&[record], &salt)[0], expected, "{length}");
        }
    }
}
