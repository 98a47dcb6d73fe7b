//! Which items there are for somebody or some role, in order.

use std::collections::BTreeMap;
use std::hash::Hash;

use actum_model::{CaseId, ItemId};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

pub(super) type Key = (CaseId, ItemId);

/// Keys that one look takes at most: so that a reader of a long list holds nobody up.
const LOOK_MAX: usize = 256;
/// Case numbers of a page.
const PAGE_BITS: u32 = 8;

/// Keys in pages of 256 cases, each a sorted list: 8 bytes a key where cases lie side by side.
#[derive(Debug, Default)]
struct Keys(BTreeMap<u64, Vec<u64>>);

/// Sets of items; none is empty.
#[derive(Debug)]
pub(super) struct Index<K: Hash + Eq>(DashMap<K, Keys, FxBuildHasher>);

impl<K: Hash + Eq> Default for Index<K> {
    fn default() -> Self {
        Index(DashMap::default())
    }
}

fn split((case, item): Key) -> (u64, u64) {
    (case.0 >> PAGE_BITS, u64::from(case.0 as u8) << u32::BITS | u64::from(item.0))
}

fn key(page: u64, entry: u64) -> Key {
    (CaseId(page << PAGE_BITS | entry >> u32::BITS), ItemId(entry as u32))
}

impl Keys {
    fn insert(&mut self, key: Key) {
        let (page, entry) = split(key);
        let page = self.0.entry(page).or_default();
        if let Err(place) = page.binary_search(&entry) {
            if page.len() == page.capacity() {
                page.reserve_exact((page.len() / 2).max(2));
            }
            page.insert(place, entry);
        }
    }

    fn remove(&mut self, key: Key) {
        let (number, entry) = split(key);
        let Some(page) = self.0.get_mut(&number) else { return };
        if let Ok(place) = page.binary_search(&entry) {
            page.remove(place);
        }
        if page.is_empty() {
            self.0.remove(&number);
        } else if page.len() < page.capacity() / 4 {
            page.shrink_to(page.len() * 2);
        }
    }

    fn some_after(&self, after: Option<Key>) -> Vec<Key> {
        let (from, entry) = after.map_or((0, None), |after| (split(after).0, Some(split(after).1)));
        let mut some = Vec::new();
        for (number, page) in self.0.range(from..) {
            let skipped = match entry {
                Some(entry) if *number == from => page.partition_point(|other| *other <= entry),
                _ => 0,
            };
            some.extend(page[skipped..].iter().take(LOOK_MAX - some.len()).map(|entry| key(*number, *entry)));
            if some.len() == LOOK_MAX {
                break;
            }
        }
        some
    }
}

impl<K: Hash + Eq> Index<K> {
    pub(super) fn insert(&self, of: K, key: Key) {
        self.0.entry(of).or_default().insert(key);
    }

    pub(super) fn remove(&self, of: &K, key: Key) {
        self.0.remove_if_mut(of, |_, keys| {
            keys.remove(key);
            keys.0.is_empty()
        });
    }

    /// The next few, ascending.
    pub(super) fn some_after(&self, of: &K, after: Option<Key>) -> Vec<Key> {
        self.0.get(of).map(|keys| keys.some_after(after)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_gives_all_keys_in_order_a_few_at_a_time() {
        let (mut keys, mut set) = (Keys::default(), BTreeSet::new());
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let key = (CaseId(bits % 1_500), ItemId((bits >> 32) as u32 % 3));
            if bits & (3 << 40) == 0 {
                keys.remove(key);
                set.remove(&key);
            } else {
                keys.insert(key);
                set.insert(key);
            }
        }
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let some = keys.some_after(after);
            let Some(last) = some.last() else { break };
            after = Some(*last);
            all.extend(some);
        }
        assert_eq!(all, set.iter().copied().collect::<Vec<_>>());
        set.into_iter().for_each(|key| keys.remove(key));
        assert!(keys.0.is_empty());
    }
}
