//! Which partition something belongs to: pure, and the same for ever, because logs depend on it (decision 0011).

use actum_model::CaseId;
use actum_net::Net;

/// The partition that decides what concerns all.
pub(crate) const OWNER: u16 = 0;

/// Separates this use of the hash from all others.
const KEY_CONTEXT: &str = "actum 2026-11 partition of a business key";

/// A partition among those of its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    /// Which.
    pub(crate) partition: u16,
    /// Of how many; at least 1.
    pub(crate) of: u16,
}

impl Default for Seat {
    /// The only one.
    fn default() -> Self {
        Seat { partition: OWNER, of: 1 }
    }
}

impl Seat {
    /// Whether there are others.
    pub(crate) fn is_shared(self) -> bool {
        self.of > 1
    }

    /// Whether this one decides what concerns all.
    pub(crate) fn is_owner(self) -> bool {
        self.partition == OWNER
    }

    /// This one's part of what all may have together; at least 1.
    pub(crate) fn share_of(self, limit: usize) -> usize {
        (limit / usize::from(self.of.max(1))).max(1)
    }

    /// The partition of a case: the remainder of its id by the number of partitions.
    pub(crate) fn of_case(of: u16, case: CaseId) -> u16 {
        (case.0 % u64::from(of.max(1))) as u16
    }

    /// Whether a case is one of this partition's.
    pub(crate) fn has(self, case: CaseId) -> bool {
        Seat::of_case(self.of, case) == self.partition
    }

    /// The id that comes after `last` (0: none) among this partition's.
    pub(crate) fn next_case(self, last: u64) -> CaseId {
        let (own, of) = (u64::from(self.partition), u64::from(self.of));
        CaseId(match last {
            0 if own == 0 => of,
            0 => own,
            last => last + of,
        })
    }

    /// The partition in which a business key of a net's name starts its case: BLAKE3 in key derivation mode over the length of the
    /// name (64 bits, little-endian), the name and the key; the first 64 bits of it, little-endian; the remainder by the number of partitions.
    pub(crate) fn of_key(of: u16, net: &str, key: &str) -> u16 {
        let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
        hasher.update(&(net.len() as u64).to_le_bytes()).update(net.as_bytes()).update(key.as_bytes());
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        (u64::from_le_bytes(first) % u64::from(of.max(1))) as u16
    }
}

/// Whether a net limits its calls: its cases are all in the owner's partition, where they are counted.
pub(crate) fn is_limited(net: &Net) -> bool {
    let by_task = |task: &actum_net::Task| task.policies.as_deref().is_some_and(|policies| !policies.gates.is_empty());
    net.policies.concurrency.is_some() || !net.policies.pools.is_empty() || net.tasks.iter().any(by_task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_their_partition_and_the_only_one_counts_as_ever() {
        for of in 1..5 {
            let mut seen = std::collections::BTreeSet::new();
            for partition in 0..of {
                let seat = Seat { partition, of };
                let mut last = 0;
                for _ in 0..100 {
                    let next = seat.next_case(last);
                    assert!(next.0 > last && seat.has(next) && Seat::of_case(of, next) == partition);
                    assert!(seen.insert(next), "no id is given twice");
                    last = next.0;
                }
            }
            assert_eq!(seen.first(), Some(&CaseId(1)));
            assert_eq!(seen.len(), 100 * usize::from(of), "and none is left out");
        }
        assert_eq!(Seat::default().next_case(0), CaseId(1));
        assert_eq!(Seat::default().next_case(7), CaseId(8));
    }

    /// Logs depend on these: a key must find the case that it started years ago.
    #[test]
    fn keys_have_their_partition_for_ever() {
        let of = |partitions| ["a", "b", "order-1", "order-2", "№ 7"].map(|key| Seat::of_key(partitions, "order", key));
        assert_eq!(of(1), [0; 5]);
        assert_eq!(of(2), KEYS_OF_TWO);
        assert_eq!((of(4), of(1024)), (KEYS_OF_FOUR, KEYS_OF_MANY));
    }

    const KEYS_OF_TWO: [u16; 5] = [1, 0, 1, 1, 1];
    const KEYS_OF_FOUR: [u16; 5] = [3, 2, 3, 3, 1];
    const KEYS_OF_MANY: [u16; 5] = [379, 834, 839, 595, 557];
}
