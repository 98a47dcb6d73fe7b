//! Remembers which streams ended, in little memory: an ended stream must never be continued.

use rustc_hash::FxHashMap;

/// At this many ids a sorted list takes as much memory as the bitmap.
const LIST_IDS_MAX: usize = 4_096;
const PAGE_WORDS: usize = 1_024;

/// A set of stream ids, in pages of 65,536. Ids that were given out in sequence take about one bit each; scattered ones some 60 bytes.
#[derive(Debug, Clone, Default)]
pub struct EndedStreams {
    pages: FxHashMap<u64, Page>,
    count: u64,
}

#[derive(Debug, Clone)]
enum Page {
    List(Vec<u16>),
    Bits(Box<[u64; PAGE_WORDS]>),
}

impl EndedStreams {
    /// No stream has ended.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of streams.
    pub fn len(&self) -> u64 {
        self.count
    }

    /// Whether no stream has ended.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a stream has ended.
    pub fn contains(&self, stream: u64) -> bool {
        self.pages.get(&(stream >> 16)).is_some_and(|page| page.contains(stream as u16))
    }

    /// Notes that a stream has ended; false when that was known.
    pub fn insert(&mut self, stream: u64) -> bool {
        let page = self.pages.entry(stream >> 16).or_insert_with(|| Page::List(Vec::new()));
        let new = page.insert(stream as u16);
        self.count += u64::from(new);
        new
    }

    /// All streams that ended, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        let mut pages: Vec<_> = self.pages.iter().collect();
        pages.sort_unstable_by_key(|(number, _)| **number);
        pages.into_iter().flat_map(|(number, page)| {
            let ids = 0..=u16::MAX;
            ids.filter(|id| page.contains(*id)).map(move |id| number << 16 | u64::from(id))
        })
    }
}

impl FromIterator<u64> for EndedStreams {
    fn from_iter<I: IntoIterator<Item = u64>>(streams: I) -> Self {
        let mut ended = Self::new();
        for stream in streams {
            ended.insert(stream);
        }
        ended
    }
}

impl Page {
    fn contains(&self, id: u16) -> bool {
        match self {
            Self::List(ids) => ids.binary_search(&id).is_ok(),
            Self::Bits(words) => words[usize::from(id >> 6)] & bit(id) != 0,
        }
    }

    fn insert(&mut self, id: u16) -> bool {
        match self {
            Self::List(ids) => {
                let Err(place) = ids.binary_search(&id) else { return false };
                ids.insert(place, id);
                if ids.len() >= LIST_IDS_MAX {
                    let mut words = Box::new([0; PAGE_WORDS]);
                    ids.iter().for_each(|id| words[usize::from(id >> 6)] |= bit(*id));
                    *self = Self::Bits(words);
                }
                true
            }
            Self::Bits(words) => {
                let word = &mut words[usize::from(id >> 6)];
                let new = *word & bit(id) == 0;
                *word |= bit(id);
                new
            }
        }
    }
}

fn bit(id: u16) -> u64 {
    1 << (id & 63)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn is_a_set(ids in prop::collection::vec(prop_oneof![0..9_000_u64, any::<u64>()], 0..12_000)) {
            let ended: EndedStreams = ids.iter().copied().collect();
            let expected: BTreeSet<u64> = ids.iter().copied().collect();
            prop_assert_eq!(ended.len(), expected.len() as u64);
            prop_assert!(expected.iter().all(|id| ended.contains(*id)));
            prop_assert!(!ended.contains(9_500) || expected.contains(&9_500));
        }
    }

    #[test]
    fn lists_all_in_order() {
        let ids: Vec<u64> = (1..=5_000).chain([1 << 40, 1 << 62]).collect();
        let ended: EndedStreams = ids.iter().rev().copied().collect();
        assert_eq!(ended.iter().collect::<Vec<_>>(), ids);
    }
}
