//! What was planned of a case already.

use std::collections::{HashMap, HashSet};

use actum::{ItemId, Time};

/// How often somebody looks again at one item, at intervals of an hour: for three weeks.
const LOOKS_MAX: u32 = 21 * 24;

/// What was planned of a case already.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Items that somebody was asked to begin, with the time since when they had been as they were.
    pub(super) asked: HashMap<ItemId, Time>,
    /// Items whose end is planned.
    pub(super) begun: HashSet<ItemId>,
    /// Items whose signal is planned, or never comes.
    pub(super) heard: HashSet<ItemId>,
    /// Items that people were asked to do.
    pub(super) offered: HashSet<ItemId>,
    /// How often time moved for its timers.
    pub(super) ticks: u32,
    looks: HashMap<ItemId, u32>,
}

impl Known {
    /// An item may be planned anew.
    pub(super) fn forget(&mut self, item: ItemId) {
        self.asked.remove(&item);
        self.begun.remove(&item);
        self.offered.remove(&item);
    }

    pub(super) fn may_look_again(&mut self, item: ItemId) -> bool {
        let looks = self.looks.entry(item).or_insert(0);
        *looks += 1;
        *looks <= LOOKS_MAX
    }
}
