//! Says which subtrees a proof of RFC 6962 is made of, and puts the proof together (sections 2.1.1 to 2.1.3).

use std::ops::Range;

use crate::hash::Hash;
use crate::tree::node_hash;

/// One hash of an audit path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) hash: Hash,
    /// Stands left of what is proven.
    pub(crate) left: bool,
}

/// Where the tree over at least two leaves splits.
fn middle(range: &Range<u64>) -> u64 {
    let last = range.end - range.start - 1;
    range.start + (1 << last.ilog2())
}

/// The audit path of a leaf, from its sibling upwards. `subtree` gives the root over a range of leaves.
pub(crate) fn inclusion<E>(
    index: u64,
    size: u64,
    mut subtree: impl FnMut(Range<u64>) -> Result<Hash, E>,
) -> Result<Vec<Step>, E> {
    let (mut range, mut siblings) = (0..size, Vec::new());
    while range.end - range.start > 1 {
        let middle = middle(&range);
        if index < middle {
            siblings.push((middle..range.end, false));
            range.end = middle;
        } else {
            siblings.push((range.start..middle, true));
            range.start = middle;
        }
    }
    siblings.into_iter().rev().map(|(range, left)| Ok(Step { hash: subtree(range)?, left })).collect()
}

/// The root to which an audit path leads.
pub(crate) fn root(leaf_hash: Hash, path: &[Step]) -> Hash {
    path.iter().fold(
        leaf_hash,
        |node, step| {
            if step.left { node_hash(&step.hash, &node) } else { node_hash(&node, &step.hash) }
        },
    )
}

/// The proof that a tree of `new` leaves continues the one of its first `old` leaves; `old` is at least 1.
pub(crate) fn consistency<E>(
    old: u64,
    new: u64,
    subtree: impl FnMut(Range<u64>) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut range, mut parts) = (0..new, Vec::new());
    while old != range.end {
        let middle = middle(&range);
        if old <= middle {
            parts.push(middle..range.end);
            range.end = middle;
        } else {
            parts.push(range.start..middle);
            range.start = middle;
        }
    }
    // Who checks the proof knows the old root itself.
    if range.start > 0 {
        parts.push(range);
    }
    parts.into_iter().rev().map(subtree).collect()
}

/// The siblings that a proof of several leaves needs, layer by layer from the leaves (FORMAT.md section 10).
/// `indices` ascend and lie within `leaves`, which are leaf hashes.
pub(crate) fn multi(leaves: &[Hash], indices: &[usize]) -> Vec<Hash> {
    let (mut layer, mut known, mut siblings) = (leaves.to_vec(), indices.to_vec(), Vec::new());
    while layer.len() > 1 {
        let missing = |sibling: &usize| *sibling < layer.len() && known.binary_search(sibling).is_err();
        siblings.extend(known.iter().map(|index| index ^ 1).filter(missing).map(|sibling| layer[sibling]));
        known = known.into_iter().map(|index| index / 2).collect();
        known.dedup();
        layer = layer
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node_hash(left, right),
                alone => alone[0],
            })
            .collect();
    }
    siblings
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use sha2::Sha256;

    use super::*;
    use crate::tree::{leaf_hash, root_of};

    fn leaf(index: u64) -> Vec<u8> {
        index.to_be_bytes().to_vec()
    }

    fn tree(size: u64) -> MemoryBackedTree<Sha256, Vec<u8>> {
        let mut tree = MemoryBackedTree::new();
        (0..size).for_each(|index| tree.push(leaf(index)));
        tree
    }

    #[test]
    fn inclusion_paths_are_those_of_ct_merkle() {
        for size in (1..=300).chain([1_023, 1_024, 1_025]) {
            let foreign = tree(size);
            let leaves: Vec<_> = (0..size).map(leaf).collect();
            let step = if size <= 64 { 1 } else { size / 13 };
            for index in (0..size).step_by(step as usize).chain([size - 1]) {
                let subtree =
                    |range: Range<u64>| Ok::<_, Infallible>(root_of(&leaves[range.start as usize..range.end as usize]));
                let Ok(path) = inclusion(index, size, subtree);
                let hashes: Vec<Hash> = path.iter().map(|step| step.hash).collect();
                assert_eq!(
                    hashes.as_flattened(),
                    foreign.prove_inclusion(index as usize).as_bytes(),
                    "{index} of {size}"
                );
                assert_eq!(root(leaf_hash(&leaf(index)), &path)[..], foreign.root().as_bytes()[..]);
            }
        }
    }

    #[test]
    fn consistency_proofs_are_those_of_ct_merkle() {
        for new in (1..=300_u64).chain([1_023, 1_024, 1_025]) {
            let foreign = tree(new);
            let leaves: Vec<_> = (0..new).map(leaf).collect();
            let step = if new <= 64 { 1 } else { new / 11 };
            for old in (1..=new).step_by(step as usize) {
                let subtree =
                    |range: Range<u64>| Ok::<_, Infallible>(root_of(&leaves[range.start as usize..range.end as usize]));
                let Ok(proof) = consistency(old, new, subtree);
                let expected = foreign.prove_consistency((new - old) as usize);
                assert_eq!(proof.as_flattened(), expected.as_bytes(), "{old} in {new}");
            }
        }
    }

    #[test]
    fn a_multi_proof_of_one_leaf_is_its_audit_path() {
        for size in 1..=300_usize {
            let leaves: Vec<Hash> = (0..size as u64).map(|index| leaf_hash(&leaf(index))).collect();
            let foreign = tree(size as u64);
            for index in (0..size).step_by(1 + size / 9) {
                let proof = multi(&leaves, &[index]);
                assert_eq!(proof.as_flattened(), foreign.prove_inclusion(index).as_bytes(), "{index} of {size}");
            }
        }
    }
}
