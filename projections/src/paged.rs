//! Rows by case, packed: cases are numbered in their order, so rows that lie side by side need no hash table and no room to grow.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use actum_model::CaseId;

/// Case numbers of a page.
const PAGE_BITS: u32 = 8;
/// Parts with a lock each, so that who reads and who feeds seldom meet. Neighbouring pages are in different ones.
const PARTS: usize = 64;

/// The pages of one part, by the number of the page.
#[derive(Debug)]
pub(crate) struct Part<T> {
    pages: BTreeMap<u64, Page<T>>,
    len: usize,
}

/// Rows of one page, ascending by the low bits of their case.
#[derive(Debug)]
struct Page<T> {
    low: Vec<u8>,
    rows: Vec<T>,
}

/// Rows by case: one costs its size and a byte where cases lie side by side, and about 100 bytes more where it is alone among 256.
#[derive(Debug)]
pub(crate) struct Paged<T>(Box<[RwLock<Part<T>>]>);

impl<T> Default for Part<T> {
    fn default() -> Self {
        Part { pages: BTreeMap::new(), len: 0 }
    }
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Paged((0..PARTS).map(|_| RwLock::default()).collect())
    }
}

fn split(case: CaseId) -> (u64, u8) {
    (case.0 >> PAGE_BITS, case.0 as u8)
}

impl<T> Part<T> {
    pub(crate) fn get(&self, case: CaseId) -> Option<&T> {
        let (page, low) = split(case);
        let page = self.pages.get(&page)?;
        page.low.binary_search(&low).ok().map(|place| &page.rows[place])
    }

    pub(crate) fn get_mut(&mut self, case: CaseId) -> Option<&mut T> {
        let (page, low) = split(case);
        let page = self.pages.get_mut(&page)?;
        page.low.binary_search(&low).ok().map(|place| &mut page.rows[place])
    }

    /// Puts a row; the one that was there is gone.
    pub(crate) fn insert(&mut self, case: CaseId, row: T) {
        let (page, low) = split(case);
        let page = self.pages.entry(page).or_insert_with(|| Page { low: Vec::new(), rows: Vec::new() });
        match page.low.binary_search(&low) {
            Ok(place) => page.rows[place] = row,
            Err(place) => {
                if page.rows.len() == page.rows.capacity() {
                    let more = (page.rows.len() / 2).max(2);
                    page.rows.reserve_exact(more);
                    page.low.reserve_exact(more);
                }
                page.low.insert(place, low);
                page.rows.insert(place, row);
                self.len += 1;
            }
        }
    }

    pub(crate) fn remove(&mut self, case: CaseId) -> Option<T> {
        let (number, low) = split(case);
        let page = self.pages.get_mut(&number)?;
        let place = page.low.binary_search(&low).ok()?;
        page.low.remove(place);
        let row = page.rows.remove(place);
        self.len -= 1;
        if page.rows.is_empty() {
            self.pages.remove(&number);
        } else if page.rows.len() < page.rows.capacity() / 4 {
            page.low.shrink_to(page.rows.len() * 2);
            page.rows.shrink_to(page.rows.len() * 2);
        }
        Some(row)
    }
}

impl<T> Paged<T> {
    fn part_of(&self, case: CaseId) -> &RwLock<Part<T>> {
        &self.0[(split(case).0 % PARTS as u64) as usize]
    }

    /// The part that a case is in, for reading.
    pub(crate) fn read(&self, case: CaseId) -> RwLockReadGuard<'_, Part<T>> {
        self.part_of(case).read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The part that a case is in, for changing.
    pub(crate) fn write(&self, case: CaseId) -> RwLockWriteGuard<'_, Part<T>> {
        self.part_of(case).write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|part| part.read().unwrap_or_else(PoisonError::into_inner).len).sum()
    }
}

impl<T: Clone> Paged<T> {
    /// A row.
    pub(crate) fn get(&self, case: CaseId) -> Option<T> {
        self.read(case).get(case).cloned()
    }

    /// All rows, in no order. A lock is held for a page at a time; each row is true at some moment meanwhile.
    pub(crate) fn for_each(&self, mut each: impl FnMut(CaseId, T)) {
        for part in &self.0 {
            let mut from = 0;
            loop {
                let copied = {
                    let part = part.read().unwrap_or_else(PoisonError::into_inner);
                    let page = part.pages.range(from..).next();
                    page.map(|(number, page)| (*number, page.low.clone(), page.rows.clone()))
                };
                let Some((number, low, rows)) = copied else { break };
                for (low, row) in low.into_iter().zip(rows) {
                    each(CaseId(number << PAGE_BITS | u64::from(low)), row);
                }
                let Some(next) = number.checked_add(1) else { break };
                from = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map() {
        let (paged, mut map) = (Paged::default(), BTreeMap::new());
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..30_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let case = CaseId(bits % 3_000 * if bits & 1 == 0 { 1 } else { 1_000 });
            if bits & (1 << 40) == 0 {
                paged.write(case).insert(case, bits);
                map.insert(case, bits);
            } else {
                assert_eq!(paged.write(case).remove(case), map.remove(&case));
            }
            assert_eq!((paged.get(case), paged.len()), (map.get(&case).copied(), map.len()));
        }
        let mut all = BTreeMap::new();
        paged.for_each(|case, row| assert!(all.insert(case, row).is_none()));
        assert_eq!(all, map);
        map.keys().for_each(|case| assert!(paged.write(*case).remove(*case).is_some()));
        assert_eq!(paged.len(), 0);
    }
}
