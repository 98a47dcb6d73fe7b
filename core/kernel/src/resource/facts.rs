//! What strategies know of people beside the organisation: how much they have, and what they did before.

use std::fmt;

use actum_model::{Directory, TaskIx};
use actum_net::Net;

use super::{AllocationStrategy, Pool};

/// Items that people have, by ordinal: the first entry is of ordinal 1. Who is beyond the end has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held<'a> {
    /// Items that are not begun.
    pub queued: &'a [u32],
    /// Items in all: not begun, begun, laid aside, failed.
    pub all: &'a [u32],
}

/// What people had to do with one task, in all cases; by ordinal as in [`Held`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Practice<'a> {
    /// Position of the newest event that gave them an item of it; 0 if there was none.
    pub last: &'a [u64],
    /// How often they were given one.
    pub given: &'a [u32],
    /// How many they completed.
    pub done: &'a [u32],
}

/// What a decision may know of people's work, and how to choose. Whoever decides keeps it, as a fold of the same log.
pub trait ResourceFacts: fmt::Debug {
    /// What people have.
    fn held(&self) -> Held<'_>;

    /// What people did of a task.
    fn practice(&self, net: &Net, task: TaskIx) -> Practice<'_>;

    /// Who comes into question for a task, if that is kept ready for this very directory.
    fn pool(&self, _net: &Net, _task: TaskIx, _directory: &Directory) -> Option<&Pool> {
        None
    }

    /// A strategy of one's own, by the name that nets give.
    fn strategy(&self, _name: &str) -> Option<&dyn AllocationStrategy> {
        None
    }
}

/// Nothing is known: everybody has nothing, and did nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFacts;

impl ResourceFacts for NoFacts {
    fn held(&self) -> Held<'_> {
        Held::default()
    }

    fn practice(&self, _net: &Net, _task: TaskIx) -> Practice<'_> {
        Practice::default()
    }
}
