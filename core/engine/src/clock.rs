//! Where the engine's time comes from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use actum_model::Time;

/// Tells the time. Event time never goes back even if the clock does.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Time;

    /// Whether this is simulated time. A log says in its genesis which kind it keeps, for ever.
    fn is_simulated(&self) -> bool;
}

/// The machine's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        // Before 1970 or after 2554 the machine's clock is wrong; the log's time then stands still.
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        Time(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn is_simulated(&self) -> bool {
        false
    }
}

/// A clock that stands still until it is moved. Clones share one time.
#[derive(Debug, Clone)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Time) -> Self {
        VirtualClock(Arc::new(AtomicU64::new(start.0)))
    }

    /// Moves the clock forward to `time`; never back.
    pub fn advance_to(&self, time: Time) {
        self.0.fetch_max(time.0, Ordering::AcqRel);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Acquire))
    }

    fn is_simulated(&self) -> bool {
        true
    }
}
