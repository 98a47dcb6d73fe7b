//! What a case remembers of failed attempts, beyond what its items say.

use crate::{CaseEvent, ItemId, TaskIx, Time};

/// Failed items that policies look after, and how many retries tasks have used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attempts {
    /// Ascending by item; items of which there is nothing to say have no entry.
    pub(crate) items: Vec<ItemAttempts>,
    /// Retries that policies began, by task, ascending; none of them 0.
    pub(crate) retries: Vec<(TaskIx, u32)>,
}

/// What policies know of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemAttempts {
    /// Which item.
    pub item: ItemId,
    /// When its next attempt begins, if one is planned.
    pub at: Option<Time>,
    /// Attempts before somebody last asked for it to be tried again: they count no more.
    pub since: u32,
    /// It failed for good, and waits for somebody.
    pub dead: bool,
}

impl ItemAttempts {
    fn none(item: ItemId) -> Self {
        ItemAttempts { item, at: None, since: 0, dead: false }
    }
}

impl Attempts {
    /// What is known of an item.
    #[must_use]
    pub fn of(&self, item: ItemId) -> ItemAttempts {
        let found = self.items.binary_search_by_key(&item, |one| one.item);
        found.map_or(ItemAttempts::none(item), |at| self.items[at])
    }

    /// Items of which there is something to say, ascending.
    #[must_use]
    pub fn items(&self) -> &[ItemAttempts] {
        &self.items
    }

    /// How many retries policies began for all items of a task.
    #[must_use]
    pub fn retries_of(&self, task: TaskIx) -> u32 {
        let found = self.retries.binary_search_by_key(&task, |(of, _)| *of);
        found.map_or(0, |at| self.retries[at].1)
    }

    pub(crate) fn apply(&mut self, event: &CaseEvent) {
        match *event {
            CaseEvent::WorkRetryScheduled { item, task, at, .. } => {
                self.change(item, |one| one.at = Some(at));
                match self.retries.binary_search_by_key(&task, |(of, _)| *of) {
                    Ok(at) => self.retries[at].1 = self.retries[at].1.saturating_add(1),
                    Err(at) => self.retries.insert(at, (task, 1)),
                }
            }
            CaseEvent::WorkDeadLettered { item, .. } => self.change(item, |one| {
                one.at = None;
                one.dead = true;
            }),
            // One that was not planned is somebody's wish: it begins to count anew.
            CaseEvent::WorkRetried { item, attempt, .. } => self.change(item, |one| {
                if one.at.take().is_none() && (one.dead || one.since > 0) {
                    one.dead = false;
                    one.since = attempt.saturating_sub(1);
                }
            }),
            _ => {}
        }
    }

    pub(crate) fn forget(&mut self, item: ItemId) {
        self.items.retain(|one| one.item != item);
    }

    fn change(&mut self, item: ItemId, change: impl FnOnce(&mut ItemAttempts)) {
        let found = self.items.binary_search_by_key(&item, |one| one.item);
        let mut one = found.map_or(ItemAttempts::none(item), |at| self.items[at]);
        change(&mut one);
        let is_none = one == ItemAttempts::none(item);
        match found {
            Ok(at) if is_none => {
                self.items.remove(at);
            }
            Ok(at) => self.items[at] = one,
            Err(_) if is_none => {}
            Err(at) => self.items.insert(at, one),
        }
    }
}
