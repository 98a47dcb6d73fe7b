//! Several short BLAKE3 hashes at once, side by side in vector registers.
//!
//! An event needs five compressions of 64 bytes, each of which waits for itself; the blake3 crate runs lanes over one long input
//! only. Plain loops over arrays here, which the compiler turns into vector instructions: half the time of one hash after the
//! other with SSE2, a fifth with AVX-512. Source: the BLAKE3 paper, section 2. A test holds every length against the crate.

use crate::hash::{Hash, keyed};

/// Hashes side by side.
pub(crate) const LANES: usize = 16;

/// The longest input that lanes take: one BLAKE3 chunk.
pub(crate) const LANE_BYTES_MAX: usize = 1_024;

type Words = [u32; LANES];

const IV: [u32; 4] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a];
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const ROOT: u32 = 8;
const KEYED_HASH: u32 = 16;
/// Message words of each round: the paper's permutation, applied again and again.
const SCHEDULE: [[usize; 16]; 7] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8],
    [3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1],
    [10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6],
    [12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4],
    [9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7],
    [11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13],
];

/// `H[key]` of each of the first `count` inputs, side by side where that is quicker. Inputs may differ in length.
pub(crate) fn keyed_each(key: &Hash, inputs: &[&[u8]; LANES], count: usize) -> [Hash; LANES] {
    let (mut most, mut total) = (0, 0);
    for input in inputs.iter().take(count) {
        let blocks = input.len().div_ceil(64).max(1);
        most = blocks.max(most);
        total += blocks;
    }
    let mut out = [[0; 32]; LANES];
    // All lanes run as long as the longest: not worth it for a few inputs, or for one long input among short ones.
    if most > LANE_BYTES_MAX / 64 || 2 * total < LANES * most {
        for (out, input) in out.iter_mut().zip(inputs).take(count) {
            *out = keyed(key, input);
        }
        return out;
    }
    let key = words(key);
    let mut chain: [Words; 8] = key.map(|word| [word; LANES]);
    let mut done = chain;
    for block in 0..most {
        let mut message = [[0; LANES]; 16];
        let (mut lengths, mut flags) = ([0; LANES], [KEYED_HASH; LANES]);
        for (lane, input) in inputs.iter().enumerate() {
            let rest = input.get(64 * block..).unwrap_or_default();
            load(&mut message, lane, rest);
            lengths[lane] = rest.len().min(64) as u32;
            flags[lane] |= if block == 0 { CHUNK_START } else { 0 };
            flags[lane] |= if rest.len() <= 64 { CHUNK_END | ROOT } else { 0 };
        }
        chain = compress(&chain, &message, &lengths, &flags);
        for (lane, input) in inputs.iter().enumerate() {
            if input.len().div_ceil(64).max(1) == block + 1 {
                (0..8).for_each(|word| done[word][lane] = chain[word][lane]);
            }
        }
    }
    for (lane, out) in out.iter_mut().enumerate() {
        for (bytes, word) in out.chunks_exact_mut(4).zip(&done) {
            bytes.copy_from_slice(&word[lane].to_le_bytes());
        }
    }
    out
}

fn words(bytes: &Hash) -> [u32; 8] {
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}

#[inline]
fn load(message: &mut [Words; 16], lane: usize, bytes: &[u8]) {
    let mut padded = [0; 64];
    let block = bytes.first_chunk::<64>().unwrap_or_else(|| {
        padded[..bytes.len()].copy_from_slice(bytes);
        &padded
    });
    for (word, bytes) in message.iter_mut().zip(block.as_chunks::<4>().0) {
        word[lane] = u32::from_le_bytes(*bytes);
    }
}

/// The compression function for chunk 0, cut to the 32 bytes that are needed.
#[inline]
fn compress(chain: &[Words; 8], message: &[Words; 16], lengths: &Words, flags: &Words) -> [Words; 8] {
    let mut v = [[0; LANES]; 16];
    v[..8].copy_from_slice(chain);
    (0..4).for_each(|word| v[8 + word] = [IV[word]; LANES]);
    v[14] = *lengths;
    v[15] = *flags;
    for order in &SCHEDULE {
        let m = |at: usize| &message[order[at]];
        mix(&mut v, [0, 4, 8, 12], m(0), m(1));
        mix(&mut v, [1, 5, 9, 13], m(2), m(3));
        mix(&mut v, [2, 6, 10, 14], m(4), m(5));
        mix(&mut v, [3, 7, 11, 15], m(6), m(7));
        mix(&mut v, [0, 5, 10, 15], m(8), m(9));
        mix(&mut v, [1, 6, 11, 12], m(10), m(11));
        mix(&mut v, [2, 7, 8, 13], m(12), m(13));
        mix(&mut v, [3, 4, 9, 14], m(14), m(15));
    }
    std::array::from_fn(|word| std::array::from_fn(|lane| v[word][lane] ^ v[word + 8][lane]))
}

/// The paper's `G` on one column or diagonal.
#[inline]
#[expect(clippy::many_single_char_names, reason = "the paper's names")]
fn mix(v: &mut [Words; 16], at: [usize; 4], x: &Words, y: &Words) {
    let Ok([a, b, c, d]) = v.get_disjoint_mut(at) else { return };
    mix_lanes(a, b, c, d, x, y);
}

/// Kept out of line: as a function of its own it is known that its arguments do not overlap, so that it becomes vector code.
#[inline(never)]
#[expect(clippy::many_single_char_names, reason = "the paper's names")]
fn mix_lanes(a: &mut Words, b: &mut Words, c: &mut Words, d: &mut Words, x: &Words, y: &Words) {
    for lane in 0..LANES {
        let (mut p, mut q, mut r, mut s) = (a[lane], b[lane], c[lane], d[lane]);
        p = p.wrapping_add(q).wrapping_add(x[lane]);
        s = (s ^ p).rotate_right(16);
        r = r.wrapping_add(s);
        q = (q ^ r).rotate_right(12);
        p = p.wrapping_add(q).wrapping_add(y[lane]);
        s = (s ^ p).rotate_right(8);
        r = r.wrapping_add(s);
        q = (q ^ r).rotate_right(7);
        (a[lane], b[lane], c[lane], d[lane]) = (p, q, r, s);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
