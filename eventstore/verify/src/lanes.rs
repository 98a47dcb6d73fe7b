//! Several short BLAKE3 hashes at once, side by side in vector registers.
//!
//! An event needs five compressions of 64 bytes, each of which waits for itself. The blake3 crate's own vector kernels, which it
//! chooses for the processor as it runs, take inputs of whole blocks side by side: all but the last block of each input here, which
//! is compressed alone. The crate makes no promise for this layer, so its version is pinned; only this file knows it, and a test
//! holds every length against the crate's documented function. Source: the BLAKE3 paper, section 2.

use blake3::IncrementCounter;
use blake3::platform::{Platform, le_bytes_from_words_32, words_from_le_bytes_32};

use crate::hash::{Hash, keyed};

/// Hashes side by side: as many as the widest kernel takes.
pub(crate) const LANES: usize = 16;

/// The longest input that lanes take.
pub(crate) const LANE_BYTES_MAX: usize = (LEADING_MAX + 1) * BLOCK_BYTES;

const BLOCK_BYTES: usize = 64;
/// Blocks before the last.
const LEADING_MAX: usize = 8;

const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 2;
const ROOT: u8 = 8;
const KEYED_HASH: u8 = 16;

/// `H[key]` of each of the first `count` inputs. Inputs may differ in length; those of as many blocks go side by side.
pub(crate) fn keyed_each(key: &Hash, inputs: &[&[u8]; LANES], count: usize) -> [Hash; LANES] {
    let platform = Platform::detect();
    let inputs = &inputs[..count.min(LANES)];
    // Of each input its key, then the chaining value before its last block, then its hash.
    let mut hashes = [*key; LANES];
    let mut lengths = [0_u16; LANE_BYTES_MAX / BLOCK_BYTES];
    for (lane, input) in inputs.iter().enumerate() {
        if let Some(lanes) = lengths.get_mut(leading(input)) {
            *lanes |= 1 << lane;
        }
    }
    for (blocks, lanes) in lengths.into_iter().enumerate().filter(|(_, lanes)| *lanes != 0) {
        match blocks {
            1 => lead::<64>(platform, key, inputs, lanes, &mut hashes),
            2 => lead::<128>(platform, key, inputs, lanes, &mut hashes),
            3 => lead::<192>(platform, key, inputs, lanes, &mut hashes),
            4 => lead::<256>(platform, key, inputs, lanes, &mut hashes),
            5 => lead::<320>(platform, key, inputs, lanes, &mut hashes),
            6 => lead::<384>(platform, key, inputs, lanes, &mut hashes),
            7 => lead::<448>(platform, key, inputs, lanes, &mut hashes),
            LEADING_MAX => lead::<512>(platform, key, inputs, lanes, &mut hashes),
            _ => {}
        }
    }
    for (hash, input) in hashes.iter_mut().zip(inputs) {
        *hash = if input.len() > LANE_BYTES_MAX { keyed(key, input) } else { last(platform, hash, input) };
    }
    hashes
}

/// `H[key]` of inputs of one block each, at most `LANES`.
pub(crate) fn keyed_blocks(key: &Hash, inputs: &[[u8; BLOCK_BYTES]]) -> [Hash; LANES] {
    let inputs = &inputs[..inputs.len().min(LANES)];
    let mut blocks = [&[0; BLOCK_BYTES]; LANES];
    blocks.iter_mut().zip(inputs).for_each(|(block, input)| *block = input);
    let mut hashes = [[0; 32]; LANES];
    let out = hashes[..inputs.len()].as_flattened_mut();
    let (key, end) = (words_from_le_bytes_32(key), CHUNK_END | ROOT);
    let no = IncrementCounter::No;
    Platform::detect().hash_many(&blocks[..inputs.len()], &key, 0, no, KEYED_HASH, CHUNK_START, end, out);
    hashes
}

/// Blocks before the last. The last is empty only if the input is.
#[inline]
fn leading(input: &[u8]) -> usize {
    input.len().saturating_sub(1) / BLOCK_BYTES
}

/// Takes the first `N` bytes, whole blocks, of the inputs in `lanes`, one bit for each.
#[inline]
fn lead<const N: usize>(platform: Platform, key: &Hash, inputs: &[&[u8]], lanes: u16, hashes: &mut [Hash; LANES]) {
    let mut blocks = [&[0; N]; LANES];
    let mut count = 0;
    for (_, input) in inputs.iter().enumerate().filter(|(lane, _)| lanes >> lane & 1 == 1) {
        if let Some(bytes) = input.first_chunk() {
            blocks[count] = bytes;
            count += 1;
        }
    }
    let mut out = [[0; 32]; LANES];
    let bytes = out[..count].as_flattened_mut();
    let key = words_from_le_bytes_32(key);
    platform.hash_many(&blocks[..count], &key, 0, IncrementCounter::No, KEYED_HASH, CHUNK_START, 0, bytes);
    let lanes = (0..LANES).filter(|lane| lanes >> lane & 1 == 1);
    lanes.zip(&out[..count]).for_each(|(lane, hash)| hashes[lane] = *hash);
}

/// Takes the last block of an input.
#[inline]
fn last(platform: Platform, chaining: &Hash, input: &[u8]) -> Hash {
    let rest = input.get(BLOCK_BYTES * leading(input)..).unwrap_or_default();
    let start = if rest.len() == input.len() { CHUNK_START } else { 0 };
    let mut block = [0; BLOCK_BYTES];
    block[..rest.len()].copy_from_slice(rest);
    let mut words = words_from_le_bytes_32(chaining);
    platform.compress_in_place(&mut words, &block, rest.len() as u8, 0, KEYED_HASH | start | CHUNK_END | ROOT);
    le_bytes_from_words_32(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_side_by_side_give_the_hashes_of_the_blake3_crate() {
        let inputs: [[u8; 64]; LANES] = std::array::from_fn(|lane| [lane as u8; 64]);
        for count in 0..=LANES {
            let hashes = keyed_blocks(&[0x5a; 32], &inputs[..count]);
            for (hash, input) in hashes.iter().zip(&inputs[..count]) {
                assert_eq!(*hash, keyed(&[0x5a; 32], input));
            }
        }
    }

    #[test]
    fn lanes_give_the_hashes_of_the_blake3_crate() {
        let bytes: Vec<u8> = (0..2_000_u32).map(|n| (n * 7 + n / 256) as u8).collect();
        let key = [0x5a; 32];
        for length in 0..=LANE_BYTES_MAX + 3 {
            let alike: [&[u8]; LANES] = std::array::from_fn(|lane| &bytes[lane..lane + length]);
            let mixed: [&[u8]; LANES] = std::array::from_fn(|lane| &bytes[lane..lane + length * (lane % 4) / 3]);
            for inputs in [alike, mixed] {
                let expected = inputs.map(|input| keyed(&key, input));
                assert_eq!(keyed_each(&key, &inputs, LANES), expected, "{length} bytes");
                assert_eq!(keyed_each(&key, &inputs, 11)[..11], expected[..11], "{length} bytes");
            }
        }
    }
}
