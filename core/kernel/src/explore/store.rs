//! The states that were seen: their canonical forms, exact, in one piece of memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use rustc_hash::FxHasher;

/// Canonical forms by number, in the order in which they were first seen.
#[derive(Debug, Default)]
pub(super) struct Store {
    bytes: Vec<u8>,
    /// Where each form ends.
    ends: Vec<usize>,
    /// The newest form of each hash.
    newest: HashMap<u64, u32, BuildHasherDefault<FxHasher>>,
    /// The form of the same hash before each; `NONE` if there is none.
    before: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Store {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The number of a form, and whether it is new.
    pub(super) fn insert(&mut self, form: &[u8]) -> (u32, bool) {
        let mut hasher = FxHasher::default();
        hasher.write(form);
        let hash = hasher.finish();
        let newest = self.newest.get(&hash).copied().unwrap_or(NONE);
        let mut found = newest;
        while found != NONE {
            if self.form(found) == form {
                return (found, false);
            }
            found = self.before[found as usize];
        }
        let number = self.ends.len() as u32;
        self.bytes.extend_from_slice(form);
        self.ends.push(self.bytes.len());
        self.before.push(newest);
        self.newest.insert(hash, number);
        (number, true)
    }

    fn form(&self, number: u32) -> &[u8] {
        let index = number as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start..self.ends[index]]
    }
}

#[cfg(test)]
mod tests {
    use super::Store;

    #[test]
    fn each_form_has_one_number() {
        let mut store = Store::default();
        assert_eq!(store.insert(b"a"), (0, true));
        assert_eq!(store.insert(b""), (1, true));
        assert_eq!(store.insert(b"a"), (0, false));
        assert_eq!(store.insert(b""), (1, false));
        for number in 0..1_000_u32 {
            assert_eq!(store.insert(&number.to_le_bytes()), (number + 2, true));
        }
        assert_eq!(store.insert(&7_u32.to_le_bytes()), (9, false));
        assert_eq!(store.len(), 1_002);
    }
}
