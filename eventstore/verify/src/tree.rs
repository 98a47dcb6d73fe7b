//! RFC 6962 trees over SHA-256, from their frontiers.

use crate::hash::Hash;

const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Hash of a leaf of at most 54 bytes: with its prefix and padding it is one SHA-256 block.
#[inline]
pub(crate) fn leaf_hash<const N: usize>(leaf: &[u8; N]) -> Hash {
    const { assert!(N <= 54, "the leaf and its padding fit one block") };
    let mut block = [0; 64];
    block[1..=N].copy_from_slice(leaf);
    block[N + 1] = 0x80;
    block[56..].copy_from_slice(&(8 * (N as u64 + 1)).to_be_bytes());
    sha256_blocks(&[block])
}

/// Hash of an inner node.
#[inline]
pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut blocks = [[0; 64]; 2];
    blocks[0][0] = 1;
    blocks[0][1..33].copy_from_slice(left);
    blocks[0][33..].copy_from_slice(&right[..31]);
    blocks[1][0] = right[31];
    blocks[1][1] = 0x80;
    blocks[1][56..].copy_from_slice(&(65_u64 * 8).to_be_bytes());
    sha256_blocks(&blocks)
}

/// SHA-256 of blocks that already carry their padding.
#[inline]
fn sha256_blocks(blocks: &[[u8; 64]]) -> Hash {
    let mut state = INITIAL;
    sha2::block_api::compress256(&mut state, blocks);
    let mut out = [0; 32];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    out
}

/// Root of the empty tree.
pub(crate) fn empty_root() -> Hash {
    use sha2::Digest as _;
    sha2::Sha256::digest(b"").into()
}

/// A perfect subtree of `2^level` leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subtree {
    pub(crate) level: u8,
    pub(crate) hash: Hash,
}

/// Appends a subtree whose first leaf has index `start` to a run of adjacent subtrees, joining siblings that are both in the run.
///
/// The run may start at any leaf; `run_from` is where it starts in `subtrees`.
#[inline]
pub(crate) fn append(subtrees: &mut Vec<Subtree>, run_from: usize, start: u64, mut subtree: Subtree) {
    while (start >> subtree.level) & 1 == 1 && subtrees.len() > run_from {
        let Some(left) = subtrees.last().filter(|left| left.level == subtree.level) else { break };
        subtree = Subtree { level: subtree.level + 1, hash: node_hash(&left.hash, &subtree.hash) };
        subtrees.pop();
    }
    subtrees.push(subtree);
}

/// Root over the subtrees of a whole tree, largest first.
pub(crate) fn root(subtrees: &[Subtree]) -> Hash {
    let mut right_to_left = subtrees.iter().rev();
    let Some(last) = right_to_left.next() else { return empty_root() };
    right_to_left.fold(last.hash, |right, left| node_hash(&left.hash, &right))
}

/// The subtrees of a tree with `size` leaves, given their hashes, largest first; `None` if the number of hashes does not fit.
pub(crate) fn frontier(size: u64, hashes: &[Hash]) -> Option<Vec<Subtree>> {
    if size.count_ones() as usize != hashes.len() {
        return None;
    }
    let levels = (0..64_u8).rev().filter(|level| (size >> level) & 1 == 1);
    Some(levels.zip(hashes).map(|(level, &hash)| Subtree { level, hash }).collect())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// The recursive definition of RFC 6962, section 2.1.
    fn reference(leaves: &[[u8; 48]]) -> Hash {
        match leaves {
            [] => Sha256::digest(b"").into(),
            [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().into(),
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = (reference(&leaves[..split]), reference(&leaves[split..]));
                Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
            }
        }
    }

    #[test]
    fn appended_leaves_have_the_root_of_the_recursive_definition() {
        let leaves: Vec<[u8; 48]> = (0..70_u8).map(|n| [n; 48]).collect();
        let mut subtrees = Vec::new();
        for (index, leaf) in leaves.iter().enumerate() {
            assert_eq!(root(&subtrees), reference(&leaves[..index]), "before leaf {index}");
            append(&mut subtrees, 0, index as u64, Subtree { level: 0, hash: leaf_hash(leaf) });
        }
        let hashes: Vec<Hash> = subtrees.iter().map(|subtree| subtree.hash).collect();
        assert_eq!(root(&frontier(70, &hashes).unwrap()), reference(&leaves));
        assert!(frontier(69, &hashes[..1]).is_none());
    }

    #[test]
    fn runs_that_start_anywhere_join_to_the_same_root() {
        let leaves: Vec<[u8; 48]> = (0..40_u8).map(|n| [n; 48]).collect();
        for split in 0..=40 {
            let mut run = Vec::new();
            for (index, leaf) in leaves.iter().enumerate().skip(split) {
                append(&mut run, 0, index as u64, Subtree { level: 0, hash: leaf_hash(leaf) });
            }
            let mut whole = Vec::new();
            for (index, leaf) in leaves[..split].iter().enumerate() {
                append(&mut whole, 0, index as u64, Subtree { level: 0, hash: leaf_hash(leaf) });
            }
            let mut start = split as u64;
            for subtree in run {
                append(&mut whole, 0, start, subtree);
                start += 1 << subtree.level;
            }
            assert_eq!(root(&whole), reference(&leaves), "split at {split}");
        }
    }
}
