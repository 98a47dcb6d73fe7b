//! Which items there are for somebody or some role, in order.

use std::collections::BTreeSet;
use std::hash::Hash;
use std::ops::Bound;

use actum_model::{CaseId, ItemId};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

pub(super) type Key = (CaseId, ItemId);

/// Keys that one look takes: so that a reader of a long list holds nobody up.
const LOOK_MAX: usize = 256;

/// Sets of items; none is empty.
#[derive(Debug)]
pub(super) struct Index<K: Hash + Eq>(DashMap<K, BTreeSet<Key>, FxBuildHasher>);

impl<K: Hash + Eq> Default for Index<K> {
    fn default() -> Self {
        Index(DashMap::default())
    }
}

impl<K: Hash + Eq> Index<K> {
    pub(super) fn insert(&self, of: K, key: Key) {
        self.0.entry(of).or_default().insert(key);
    }

    pub(super) fn remove(&self, of: &K, key: Key) {
        self.0.remove_if_mut(of, |_, keys| {
            keys.remove(&key);
            keys.is_empty()
        });
    }

    /// The next few, ascending.
    pub(super) fn some_after(&self, of: &K, after: Option<Key>) -> Vec<Key> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let Some(keys) = self.0.get(of) else { return Vec::new() };
        keys.range((from, Bound::Unbounded)).take(LOOK_MAX).copied().collect()
    }
}
