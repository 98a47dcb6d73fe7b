//! Checks audit paths and consistency proofs of RFC 6962 trees, as RFC 9162 sections 2.1.3.2 and 2.1.4.2 do.

use crate::hash::Hash;
use crate::tree::node_hash;

/// Number of hashes in the audit path of a leaf: those up to where the path leaves the tree's right edge, and those on it.
fn parts(index: u64, size: u64) -> (usize, usize) {
    let inner = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let border = index.checked_shr(inner).unwrap_or(0).count_ones();
    (inner as usize, border as usize)
}

/// Number of hashes in the audit path of a leaf; `None` when the tree has no such leaf.
pub(crate) fn path_length(index: u64, size: u64) -> Option<usize> {
    (index < size).then(|| {
        let (inner, border) = parts(index, size);
        inner + border
    })
}

/// Whether an audit path, of exactly the length it must have, leads from a leaf to a root.
pub(crate) fn leads_to(root: &Hash, index: u64, size: u64, leaf_hash: Hash, path: &[Hash]) -> bool {
    if path_length(index, size) != Some(path.len()) {
        return false;
    }
    let (inner, border) = path.split_at(parts(index, size).0);
    let mut node = leaf_hash;
    for (level, sibling) in inner.iter().enumerate() {
        let left = index >> level & 1 == 1;
        node = if left { node_hash(sibling, &node) } else { node_hash(&node, sibling) };
    }
    border.iter().fold(node, |node, left| node_hash(left, &node)) == *root
}

/// A tree's size and root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

/// Whether a proof shows that `new` continues `old`, which has at least one leaf. No hash may be left over.
pub(crate) fn continues(old: &Head, new: &Head, proof: &[Hash]) -> bool {
    if old.size == 0 || old.size >= new.size {
        return old == new && old.size > 0 && proof.is_empty();
    }
    let (mut last_old, mut last_new) = (old.size - 1, new.size - 1);
    let shared = last_old.trailing_ones();
    (last_old, last_new) = (last_old >> shared, last_new >> shared);
    // A power of two: the old tree is itself the first subtree.
    let mut hashes = old.size.is_power_of_two().then_some(&old.root).into_iter().chain(proof);
    let Some(&first) = hashes.next() else { return false };
    let (mut as_old, mut as_new) = (first, first);
    for hash in hashes {
        if last_new == 0 {
            return false;
        }
        if last_old & 1 == 1 || last_old == last_new {
            as_old = node_hash(hash, &as_old);
            as_new = node_hash(hash, &as_new);
            let zeros = if last_old == 0 { 0 } else { last_old.trailing_zeros() };
            (last_old, last_new) = (last_old >> zeros, last_new >> zeros);
        } else {
            as_new = node_hash(&as_new, hash);
        }
        (last_old, last_new) = (last_old >> 1, last_new >> 1);
    }
    last_new == 0 && as_old == old.root && as_new == new.root
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use sha2::Sha256;
    use tlog_tiles::tlog;

    use super::*;

    fn leaf(index: u64) -> Vec<u8> {
        index.to_be_bytes().to_vec()
    }

    fn hashes(bytes: &[u8]) -> Vec<Hash> {
        bytes.as_chunks().0.to_vec()
    }

    struct Foreign {
        tree: MemoryBackedTree<Sha256, Vec<u8>>,
        root: Hash,
    }

    fn foreign(size: u64) -> Foreign {
        let mut tree = MemoryBackedTree::new();
        (0..size).for_each(|index| tree.push(leaf(index)));
        let root = tree.root().as_bytes()[..].try_into().unwrap();
        Foreign { tree, root }
    }

    fn indices(size: u64) -> impl Iterator<Item = u64> {
        (0..size).step_by(if size <= 40 { 1 } else { (size / 11) as usize }).chain([size - 1])
    }

    const SIZES: [u64; 4] = [1_023, 1_024, 1_025, 5_000];

    #[test]
    fn accepts_the_audit_paths_of_ct_merkle_and_nothing_near_them() {
        for size in (1..=300).chain(SIZES) {
            let Foreign { tree, root } = foreign(size);
            for index in indices(size) {
                let path = hashes(tree.prove_inclusion(index as usize).as_bytes());
                let leaf_hash = tlog::record_hash(&leaf(index)).0;
                assert!(leads_to(&root, index, size, leaf_hash, &path), "{index} of {size}");
                let as_tlog = path.iter().copied().map(tlog::Hash).collect();
                tlog::check_record(&as_tlog, size, tlog::Hash(root), index, tlog::Hash(leaf_hash)).unwrap();

                assert!(!leads_to(&root, index, size, [1; 32], &path));
                assert!(!leads_to(&root, index ^ 1, size, leaf_hash, &path) || size == 1);
                assert!(!leads_to(&root, index, size, leaf_hash, &[&path[..], &[[0; 32]]].concat()));
                assert!(!leads_to(&root, size, size, leaf_hash, &path));
                for at in 0..path.len() {
                    let mut changed = path.clone();
                    changed[at][at % 32] ^= 1;
                    assert!(!leads_to(&root, index, size, leaf_hash, &changed));
                    changed.remove(at);
                    assert!(!leads_to(&root, index, size, leaf_hash, &changed));
                }
            }
        }
    }

    #[test]
    fn accepts_the_consistency_proofs_of_ct_merkle_and_nothing_near_them() {
        let sizes: Vec<u64> = (1..=300).chain(SIZES).collect();
        let roots: std::collections::BTreeMap<u64, Hash> = (1..=5_000).zip(all_roots(5_000)).collect();
        for size in sizes {
            let Foreign { tree, root } = foreign(size);
            assert_eq!(root, roots[&size]);
            let new = Head { size, root };
            for old_size in indices(size).map(|index| index + 1) {
                let old = Head { size: old_size, root: roots[&old_size] };
                let proof = hashes(tree.prove_consistency((size - old_size) as usize).as_bytes());
                assert!(continues(&old, &new, &proof), "{old_size} in {size}");
                if old_size < size {
                    let as_tlog = proof.iter().copied().map(tlog::Hash).collect();
                    let (new, old) = (tlog::Hash(root), tlog::Hash(old.root));
                    tlog::check_tree(&as_tlog, size, new, old_size, old).unwrap();
                }
                assert!(!continues(&old, &new, &[&proof[..], &[[0; 32]]].concat()));
                assert!(!continues(&Head { root: [7; 32], ..old }, &new, &proof));
                assert!(!continues(&old, &Head { root: [7; 32], ..new }, &proof));
                assert!(!continues(&Head { size: old_size + 1, ..old }, &new, &proof));
                for at in 0..proof.len() {
                    let mut changed = proof.clone();
                    changed[at][at % 32] ^= 1;
                    assert!(!continues(&old, &new, &changed));
                    changed.remove(at);
                    assert!(!continues(&old, &new, &changed));
                }
            }
        }
    }

    /// Roots of the trees of 1, 2, … leaves.
    fn all_roots(size: u64) -> Vec<Hash> {
        let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let mut root = |index| {
            tree.push(leaf(index));
            tree.root().as_bytes()[..].try_into().unwrap()
        };
        (0..size).map(&mut root).collect()
    }

    #[test]
    fn a_tree_as_large_as_can_be_overflows_nothing() {
        for index in [0, 1, 1 << 63, u64::MAX - 1] {
            let length = path_length(index, u64::MAX).unwrap();
            assert!((1..=64).contains(&length));
            assert!(!leads_to(&[0; 32], index, u64::MAX, [0; 32], &vec![[0; 32]; length]));
        }
        let (old, new) = (Head { size: 1 << 63, root: [0; 32] }, Head { size: u64::MAX, root: [0; 32] });
        assert!(!continues(&old, &new, &[[0; 32]; 63]));
        assert!(!continues(&Head { size: 0, root: [0; 32] }, &new, &[]));
    }
}
