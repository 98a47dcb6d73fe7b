//! Gives the root of the RFC 6962 tree while leaves are appended, from at most 64 hashes (FORMAT.md section 1).

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::hash::Hash;

/// FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Leaf hash of any leaf: `SHA-256(0x00 ‖ leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// Leaf hash of a log's leaf. The padded input is exactly one block, so that no hasher need be set up.
#[inline]
pub fn log_leaf_hash(leaf: &[u8; 48]) -> Hash {
    let mut block = [0; 64];
    block[1..49].copy_from_slice(leaf);
    block[49] = 0x80;
    block[56..].copy_from_slice(&(49_u64 * 8).to_be_bytes());
    compressed(&[block])
}

/// Hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)`.
#[inline]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut blocks = [[0; 64]; 2];
    blocks[0][0] = 1;
    blocks[0][1..33].copy_from_slice(left);
    blocks[0][33..].copy_from_slice(&right[..31]);
    blocks[1][0] = right[31];
    blocks[1][1] = 0x80;
    blocks[1][56..].copy_from_slice(&(65_u64 * 8).to_be_bytes());
    compressed(&blocks)
}

#[inline]
fn compressed(blocks: &[[u8; 64]]) -> Hash {
    let mut state = INITIAL;
    compress256(&mut state, blocks);
    let mut hash = [0; 32];
    for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// A tree that only grows: the roots of its perfect subtrees, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    // Invariant: as many as `size` has one bits.
    roots: Vec<Hash>,
}

impl Frontier {
    /// The empty tree.
    pub const fn new() -> Self {
        Self { size: 0, roots: Vec::new() }
    }

    /// A tree of `size` leaves from the roots of its perfect subtrees, largest first; `None` when their number does not fit.
    pub fn from_parts(size: u64, roots: Vec<Hash>) -> Option<Self> {
        (roots.len() == size.count_ones() as usize).then_some(Self { size, roots })
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the perfect subtrees, largest first.
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Appends a leaf by its hash.
    #[inline]
    pub fn push(&mut self, leaf_hash: Hash) {
        let mut node = leaf_hash;
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.roots.pop() else { break };
            node = node_hash(&left, &node);
        }
        if self.roots.len() == self.roots.capacity() {
            // There is one of these for each open stream, and most stay small.
            self.roots.reserve_exact(1);
        }
        self.roots.push(node);
        self.size += 1;
    }

    /// Root of the tree; for the empty one the hash of nothing, as RFC 6962 has it.
    pub fn root(&self) -> Hash {
        let mut roots = self.roots.iter().rev();
        match roots.next() {
            None => Sha256::digest([]).into(),
            Some(smallest) => roots.fold(*smallest, |right, left| node_hash(left, &right)),
        }
    }
}

/// Root over whole leaves, by the definition. Takes time and stack that suit tests and the few leaves of one case.
pub fn root_of<L: AsRef<[u8]>>(leaves: &[L]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => leaf_hash(leaf.as_ref()),
        _ => {
            let split = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(split);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: Hash) -> String {
        crate::strict::to_hex(&hash)
    }

    // The leaves and roots of certificate-transparency-go's reference test vectors.
    const LEAVES: [&[u8]; 8] = [
        b"",
        &[0x00],
        &[0x10],
        &[0x20, 0x21],
        &[0x30, 0x31],
        &[0x40, 0x41, 0x42, 0x43],
        &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn known_answers_of_rfc_6962() {
        let mut tree = Frontier::new();
        assert_eq!(hex(tree.root()), ROOTS[0]);
        for (index, leaf) in LEAVES.iter().enumerate() {
            tree.push(leaf_hash(leaf));
            assert_eq!(hex(tree.root()), ROOTS[index + 1]);
            assert_eq!(root_of(&LEAVES[..=index]), tree.root());
        }
    }

    #[test]
    fn a_log_leaf_hashes_like_any_leaf() {
        let leaf: [u8; 48] = std::array::from_fn(|i| i as u8 ^ 0xa5);
        assert_eq!(log_leaf_hash(&leaf), leaf_hash(&leaf));
    }

    #[test]
    fn agrees_with_a_foreign_implementation() {
        let mut foreign = ct_merkle::mem_backed_tree::MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let mut tree = Frontier::new();
        for index in 0..200_u64 {
            let leaf = index.to_le_bytes().to_vec();
            tree.push(leaf_hash(&leaf));
            foreign.push(leaf);
            assert_eq!(tree.root()[..], foreign.root().as_bytes()[..]);
        }
    }

    #[test]
    fn continues_from_parts() {
        let mut tree = Frontier::new();
        for index in 0..77_u8 {
            tree.push([index; 32]);
        }
        let again = Frontier::from_parts(tree.size(), tree.roots().to_vec());
        assert_eq!(again, Some(tree.clone()));
        assert_eq!(Frontier::from_parts(tree.size() + 2, tree.roots().to_vec()), None);
    }
}
