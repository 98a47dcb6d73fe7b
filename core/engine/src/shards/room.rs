//! How many cases the partitions have together: limits are of the engine, not of each partition.

use std::sync::{Arc, Mutex, PoisonError};

use crate::options::Limits;
use crate::state::State;

/// What the partitions have, each by its own last word.
#[derive(Debug, Default)]
pub(crate) struct Room(Mutex<Vec<Count>>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Count {
    open: usize,
    kept: usize,
}

impl Count {
    fn of(state: &State) -> Self {
        Count { open: state.open_cases(), kept: state.cases.len() }
    }
}

/// A partition's share of the room.
#[derive(Debug)]
pub(crate) struct Share {
    room: Arc<Room>,
    partition: usize,
    /// What it said last.
    said: Count,
}

impl Share {
    pub(crate) fn new(room: &Arc<Room>, partition: u16, state: &State) -> Self {
        let mut share = Share { room: room.clone(), partition: usize::from(partition), said: Count::default() };
        let mut counts = room.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() <= share.partition {
            counts.resize(share.partition + 1, Count::default());
        }
        drop(counts);
        share.note(state);
        share
    }

    /// Says what the partition has, so that the others may use what it does not.
    pub(crate) fn note(&mut self, state: &State) {
        let count = Count::of(state);
        if count != self.said {
            self.said = count;
            self.room.0.lock().unwrap_or_else(PoisonError::into_inner)[self.partition] = count;
        }
    }

    /// Takes room for one more case; false when there is none. It counts at once, so that of two partitions that ask at the same time
    /// one gets the last place; [`Share::note`] gives it back if nothing came of it.
    pub(crate) fn take(&mut self, state: &State, limits: &Limits) -> bool {
        let own = Count::of(state);
        let mut counts = self.room.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts[self.partition] = own;
        let open: usize = counts.iter().map(|count| count.open).sum();
        let kept: usize = counts.iter().map(|count| count.kept).sum();
        let has_room = open < limits.cases_open_max && kept < limits.cases_kept_max;
        let taken = usize::from(has_room);
        self.said = Count { open: own.open + taken, kept: own.kept + taken };
        counts[self.partition] = self.said;
        has_room
    }
}
