//! Where the last event of each case that rests is: eight bytes a case.

use std::collections::BTreeMap;

use actum_model::{CaseId, Seq};

/// Case numbers of a page: the low bits, which an entry has above its seq.
const PAGE_BITS: u32 = 9;
const SEQ_BITS: u32 = u64::BITS - PAGE_BITS;
const SEQ_MASK: u64 = (1 << SEQ_BITS) - 1;
/// A page that is full grows by so many entries at least.
const GROWTH_MIN: usize = 4;

/// Last events by case. Pages of 512 numbers, each a sorted list: cases that rest side by side cost 8 bytes, one that is alone in
/// its page about 80.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pages: BTreeMap<u64, Vec<u64>>,
    len: usize,
}

fn split(case: CaseId) -> (u64, u64) {
    (case.0 >> PAGE_BITS, case.0 << SEQ_BITS)
}

/// Where the entry of these high bits is, or belongs.
fn place(page: &[u64], high: u64) -> Result<usize, usize> {
    page.binary_search_by_key(&high, |entry| entry & !SEQ_MASK)
}

impl Index {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// False if the seq is beyond what an entry holds.
    #[must_use]
    pub(crate) fn insert(&mut self, case: CaseId, last: Seq) -> bool {
        if last.0 > SEQ_MASK {
            return false;
        }
        let (page, high) = split(case);
        let page = self.pages.entry(page).or_default();
        match place(page, high) {
            Ok(place) => page[place] = high | last.0,
            Err(place) => {
                if page.len() == page.capacity() {
                    page.reserve_exact((page.len() / 4).max(GROWTH_MIN));
                }
                page.insert(place, high | last.0);
                self.len += 1;
            }
        }
        true
    }

    pub(crate) fn get(&self, case: CaseId) -> Option<Seq> {
        let (page, high) = split(case);
        let page = self.pages.get(&page)?;
        place(page, high).ok().map(|place| Seq(page[place] & SEQ_MASK))
    }

    pub(crate) fn remove(&mut self, case: CaseId) -> Option<Seq> {
        let (number, high) = split(case);
        let page = self.pages.get_mut(&number)?;
        let entry = page.remove(place(page, high).ok()?);
        self.len -= 1;
        if page.is_empty() {
            self.pages.remove(&number);
        } else if page.len() < page.capacity() / 4 {
            page.shrink_to(page.len() * 2);
        }
        Some(Seq(entry & SEQ_MASK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map() {
        let (mut index, mut map) = (Index::default(), BTreeMap::new());
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let (case, seq) = (CaseId(bits % 2_000), Seq(bits >> 20));
            if bits & (1 << 40) == 0 {
                assert!(index.insert(case, seq));
                map.insert(case, seq);
            } else {
                assert_eq!(index.remove(case), map.remove(&case));
            }
            assert_eq!((index.get(case), index.len()), (map.get(&case).copied(), map.len()));
        }
        assert!((0..2_000).all(|case| index.get(CaseId(case)) == map.get(&CaseId(case)).copied()));
        map.keys().for_each(|case| assert!(index.remove(*case).is_some()));
        assert!(index.pages.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_not_taken() {
        let mut index = Index::default();
        assert!(index.insert(CaseId(u64::MAX), Seq(SEQ_MASK)) && !index.insert(CaseId(1), Seq(SEQ_MASK + 1)));
        assert_eq!((index.get(CaseId(u64::MAX)), index.get(CaseId(1))), (Some(Seq(SEQ_MASK)), None));
    }
}
