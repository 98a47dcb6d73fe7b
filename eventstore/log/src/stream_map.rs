//! What is kept of each open stream, packed: streams are numbered in their order, so those that lie side by side need no room to grow.

use rustc_hash::FxHashMap;

/// Stream ids of a page.
const PAGE_BITS: u32 = 8;

/// Values by stream id: one costs its size and a byte where ids lie side by side, and some 150 bytes more where it is alone among 256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamMap<T>(FxHashMap<u64, Page<T>>);

/// Values of one page, ascending by the low bits of their id.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Page<T> {
    low: Vec<u8>,
    values: Vec<T>,
}

impl<T> Default for StreamMap<T> {
    fn default() -> Self {
        Self(FxHashMap::default())
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Page { low: Vec::new(), values: Vec::new() }
    }
}

fn split(stream: u64) -> (u64, u8) {
    (stream >> PAGE_BITS, stream as u8)
}

impl<T> Page<T> {
    fn place(&self, low: u8) -> Result<usize, usize> {
        // New streams come last.
        if self.low.last().is_some_and(|last| *last < low) {
            return Err(self.low.len());
        }
        self.low.binary_search(&low)
    }

    fn insert_at(&mut self, place: usize, low: u8, value: T) {
        if self.values.len() == self.values.capacity() {
            let more = (self.values.len() / 2).max(2);
            self.values.reserve_exact(more);
            self.low.reserve_exact(more);
        }
        self.low.insert(place, low);
        self.values.insert(place, value);
    }
}

impl<T> StreamMap<T> {
    pub(crate) fn get(&self, stream: u64) -> Option<&T> {
        let (page, low) = split(stream);
        let page = self.0.get(&page)?;
        page.place(low).ok().map(|place| &page.values[place])
    }

    pub(crate) fn get_mut(&mut self, stream: u64) -> Option<&mut T> {
        let (page, low) = split(stream);
        let page = self.0.get_mut(&page)?;
        page.place(low).ok().map(|place| &mut page.values[place])
    }

    /// The value of a stream; the one that `new` gives if it has none.
    pub(crate) fn get_or_insert_with(&mut self, stream: u64, new: impl FnOnce() -> T) -> &mut T {
        let (page, low) = split(stream);
        let page = self.0.entry(page).or_default();
        let place = match page.place(low) {
            Ok(place) => place,
            Err(place) => {
                page.insert_at(place, low, new());
                place
            }
        };
        &mut page.values[place]
    }

    /// Puts a value; the one that was there is gone.
    pub(crate) fn insert(&mut self, stream: u64, value: T) {
        let (page, low) = split(stream);
        let page = self.0.entry(page).or_default();
        match page.place(low) {
            Ok(place) => page.values[place] = value,
            Err(place) => page.insert_at(place, low, value),
        }
    }

    pub(crate) fn remove(&mut self, stream: u64) -> Option<T> {
        let (number, low) = split(stream);
        let page = self.0.get_mut(&number)?;
        let place = page.place(low).ok()?;
        page.low.remove(place);
        let value = page.values.remove(place);
        if page.values.is_empty() {
            self.0.remove(&number);
        } else if page.values.len() < page.values.capacity() / 4 {
            page.low.shrink_to(page.values.len() * 2);
            page.values.shrink_to(page.values.len() * 2);
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map() {
        let (mut paged, mut map) = (StreamMap::default(), FxHashMap::default());
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..30_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            let stream = bits % 3_000 * if bits & 1 == 0 { 1 } else { 1_000 } + ((bits & 2) << 62);
            match bits >> 60 {
                0..8 => {
                    paged.insert(stream, bits);
                    map.insert(stream, bits);
                }
                8..11 => assert_eq!(paged.get_or_insert_with(stream, || bits), map.entry(stream).or_insert(bits)),
                _ => assert_eq!(paged.remove(stream), map.remove(&stream)),
            }
            assert_eq!(paged.get(stream), map.get(&stream));
            assert_eq!(paged.get_mut(stream), map.get_mut(&stream));
        }
        map.keys().for_each(|stream| assert!(paged.remove(*stream).is_some()));
        assert_eq!(paged, StreamMap::default());
    }
}
