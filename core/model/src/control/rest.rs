//! Rests that end by themselves.

use crate::{Control, ItemId, Phase, Time};

/// A rest that ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// The item that rests; none: the case.
    pub item: Option<ItemId>,
    /// When it goes on.
    pub until: Time,
}

impl Control {
    /// Rests of the case and of items that end by themselves.
    #[must_use]
    pub fn rests(&self) -> &[Rest] {
        self.rare.as_ref().map_or(&[], |rare| &rare.rests)
    }

    /// When an item, or (with none) the case, goes on by itself, if it rests for a time.
    #[must_use]
    pub fn rest_until(&self, item: Option<ItemId>) -> Option<Time> {
        self.rests().iter().find(|rest| rest.item == item).map(|rest| rest.until)
    }

    /// A rest gets an end. Of what does not rest, nothing is kept.
    pub(super) fn rest(&mut self, item: Option<ItemId>, until: Time) {
        let rests = match item {
            Some(id) => self.item(id).is_some_and(|item| item.phase == Phase::Suspended),
            None => self.suspended,
        };
        if rests {
            let rests = &mut self.rare().rests;
            rests.retain(|rest| rest.item != item);
            rests.push(Rest { item, until });
        }
    }

    pub(super) fn rest_over(&mut self, item: Option<ItemId>) {
        if let Some(rare) = &mut self.rare {
            rare.rests.retain(|rest| rest.item != item);
            self.tidy();
        }
    }
}
