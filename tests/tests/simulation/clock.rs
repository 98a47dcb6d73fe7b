//! A clock that chance moves, backwards too.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actum::{Clock, Moved, Time};

pub(crate) const MINUTE: u64 = 60_000_000_000;

/// Clones share one time.
#[derive(Clone)]
pub(crate) struct SimClock(Arc<Shared>);

struct Shared {
    now: AtomicU64,
    told: Mutex<Vec<Moved>>,
}

impl SimClock {
    pub(crate) fn new() -> Self {
        SimClock(Arc::new(Shared { now: AtomicU64::new(1_000_000 * MINUTE), told: Mutex::default() }))
    }

    pub(crate) fn forward(&self, by: u64) {
        self.0.now.fetch_add(by, Ordering::Relaxed);
        self.tell();
    }

    /// As a wall clock that somebody corrects.
    pub(crate) fn back(&self, by: u64) {
        self.0.now.fetch_sub(by, Ordering::Relaxed);
        self.tell();
    }

    fn tell(&self) {
        self.0.told.lock().unwrap().retain(|moved| moved());
    }
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        Time(self.0.now.load(Ordering::Relaxed))
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn on_move(&self, moved: Moved) {
        self.0.told.lock().unwrap().push(moved);
    }
}
