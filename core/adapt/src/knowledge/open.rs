//! Work that is not over: what is needed to say how long it took once it is.

use actum_model::{ItemId, Time};
use smallvec::SmallVec;

/// A case that has not ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OpenCase {
    pub(super) started: Time,
    /// Ascending by item. Most cases have one or two at a time.
    pub(super) items: SmallVec<[OpenItem; 2]>,
}

/// An item that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OpenItem {
    pub(super) item: ItemId,
    /// It was begun, and did not fail since.
    pub(super) is_started: bool,
    /// When it became possible, or was begun.
    pub(super) since: Time,
}

impl OpenCase {
    pub(super) fn insert(&mut self, item: ItemId, since: Time) {
        let new = OpenItem { item, is_started: false, since };
        match self.place(item) {
            Ok(place) => self.items[place] = new,
            Err(place) => self.items.insert(place, new),
        }
    }

    pub(super) fn item(&mut self, item: ItemId) -> Option<&mut OpenItem> {
        let place = self.place(item).ok()?;
        self.items.get_mut(place)
    }

    pub(super) fn remove(&mut self, item: ItemId) -> Option<OpenItem> {
        self.place(item).ok().map(|place| self.items.remove(place))
    }

    fn place(&self, item: ItemId) -> Result<usize, usize> {
        self.items.binary_search_by_key(&item, |open| open.item)
    }
}
