//! Multi-proofs by `rs_merkle`, behind a strict wrapper (FORMAT.md section 10, dossier).
//!
//! Of itself `rs_merkle` 1.5 accepts duplicate indices, so that a false leaf passes beside a true one, indices in any order, hashes
//! left over, and has no domain separation between leaves and nodes. Here indices ascend, each once, within a total that comes
//! from a signed event; the number of hashes is exact; and leaves and nodes are hashed as RFC 6962 says. It moves a node
//! without neighbour up as it is, which gives the shape of RFC 6962's trees.

use rs_merkle::{Hasher, MerkleProof};

use crate::hash::Hash;
use crate::tree::{leaf_hash, node_hash};

/// The hashing of RFC 6962. Leaves are hashed before they are handed over.
#[derive(Clone)]
struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = Hash;

    fn hash(data: &[u8]) -> Hash {
        use sha2::Digest as _;
        sha2::Sha256::new().chain_update([0]).chain_update(data).finalize().into()
    }

    fn concat_and_hash(left: &Hash, right: Option<&Hash>) -> Hash {
        right.map_or(*left, |right| node_hash(left, right))
    }
}

/// Number of hashes in the multi-proof of some leaves; `None` unless the indices ascend, each once, below `total`, and there is one.
pub(crate) fn multi_length(indices: &[usize], total: usize) -> Option<usize> {
    let ascend = indices.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascend || indices.last().is_none_or(|last| *last >= total) {
        return None;
    }
    let (mut known, mut width, mut length) = (indices.to_vec(), total, 0);
    while width > 1 {
        let missing = |index: &&usize| {
            let sibling = **index ^ 1;
            sibling < width && known.binary_search(&sibling).is_err()
        };
        length += known.iter().filter(missing).count();
        known.iter_mut().for_each(|index| *index /= 2);
        known.dedup();
        width = width.div_ceil(2);
    }
    Some(length)
}

/// Whether a multi-proof of exactly the length it must have leads from events, by index and event hash, to a root over `total` events.
pub(crate) fn multi_leads_to(root: &Hash, total: usize, indices: &[usize], events: &[Hash], proof: &[Hash]) -> bool {
    if events.len() != indices.len() || multi_length(indices, total) != Some(proof.len()) {
        return false;
    }
    let leaves: Vec<Hash> = events.iter().map(leaf_hash).collect();
    MerkleProof::<Rfc6962>::new(proof.to_vec()).verify(*root, indices, &leaves, total)
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use rs_merkle::MerkleTree;
    use sha2::Sha256;

    use super::*;

    fn event(index: usize) -> Hash {
        let mut event = [0xa5; 32];
        event[..8].copy_from_slice(&index.to_be_bytes());
        event
    }

    fn sets(total: usize) -> Vec<Vec<usize>> {
        let every = |step: usize, from: usize| (from..total).step_by(step).collect::<Vec<_>>();
        let mut sets = vec![every(1, 0), every(2, 0), every(3, 0), vec![0], vec![total - 1], vec![total / 2]];
        sets.extend([every(2, 1), every(7, 3), vec![0, total - 1]]);
        sets.retain(|set| multi_length(set, total).is_some());
        sets
    }

    #[test]
    fn the_tree_is_that_of_rfc_6962_for_every_size() {
        let mut foreign = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        for total in 1..=300 {
            foreign.push(event(total - 1).to_vec());
            let leaves: Vec<Hash> = (0..total).map(|index| Rfc6962::hash(&event(index))).collect();
            assert_eq!(leaves[0], leaf_hash(&event(0)));
            let tree = MerkleTree::<Rfc6962>::from_leaves(&leaves);
            let root: Hash = foreign.root().as_bytes()[..].try_into().unwrap();
            assert_eq!(tree.root(), Some(root), "{total} leaves");
            for set in sets(total) {
                let events: Vec<Hash> = set.iter().map(|index| event(*index)).collect();
                let proof = tree.proof(&set).proof_hashes().to_vec();
                assert!(multi_leads_to(&root, total, &set, &events, &proof), "{set:?} of {total}");
                if let &[index] = &set[..] {
                    assert_eq!(proof.as_flattened(), foreign.prove_inclusion(index).as_bytes());
                }
            }
        }
    }

    #[test]
    fn refuses_what_rs_merkle_accepts() {
        for total in [2, 3, 8, 13, 300] {
            let leaves: Vec<Hash> = (0..total).map(|index| leaf_hash(&event(index))).collect();
            let tree = MerkleTree::<Rfc6962>::from_leaves(&leaves);
            let root = tree.root().unwrap();
            let proof = tree.proof(&[0]).proof_hashes().to_vec();
            let accepts = |indices: &[usize], events: &[Hash], proof: &[Hash], total| {
                multi_leads_to(&root, total, indices, events, proof)
            };
            assert!(accepts(&[0], &[event(0)], &proof, total));
            assert!(!accepts(&[0, 0], &[event(0), event(0)], &proof, total), "a duplicate");
            assert!(!accepts(&[0, 0], &[event(0), [9; 32]], &proof, total), "a false leaf beside a true one");
            assert!(!accepts(&[0], &[[9; 32]], &proof, total));
            assert!(!accepts(&[1], &[event(0)], &proof, total), "another index");
            assert!(!accepts(&[total], &[event(0)], &proof, total), "an index outside");
            assert!(!accepts(&[], &[], &[root], total), "nothing");
            assert!(!accepts(&[0], &[event(0)], &[&proof[..], &[[0; 32]]].concat(), total), "a hash too many");
            assert!(!accepts(&[0], &[event(0)], &proof[1..], total), "a hash too few");
            let both = tree.proof(&[0, 1]).proof_hashes().to_vec();
            assert!(accepts(&[0, 1], &[event(0), event(1)], &both, total));
            assert!(!accepts(&[1, 0], &[event(1), event(0)], &both, total), "out of order");
            assert!(!accepts(&[0, 1], &[event(1), event(0)], &both, total), "swapped");
            assert!(!accepts(&[0], &[event(0)], &proof, 2 * total), "another total");
        }
    }
}
