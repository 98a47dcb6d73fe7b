//! Where the engine's time comes from.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use actum_model::Time;

/// Tells the time. Event time never goes back even if the clock does.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Time;

    /// Whether this is simulated time. A log says in its genesis which kind it keeps, for ever.
    fn is_simulated(&self) -> bool;

    /// Has `moved` called after each jump of this clock, so that the timers that are due then fire; it is not called again once it
    /// answers false. A clock that runs by itself need not do anything here: it is looked at in time.
    fn on_move(&self, moved: Moved) {
        drop(moved);
    }
}

/// Tells an engine that its clock jumped; false once there is none any more.
pub type Moved = Box<dyn Fn() -> bool + Send + Sync>;

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
#[derive(Clone)]
pub struct VirtualClock(Arc<Shared>);

struct Shared {
    now: AtomicU64,
    told: Mutex<Vec<Moved>>,
}

impl VirtualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn new(start: Time) -> Self {
        VirtualClock(Arc::new(Shared { now: AtomicU64::new(start.0), told: Mutex::default() }))
    }

    /// Moves the clock forward to `time`; never back. Timers that are due then fire; [`Engine::settled`](crate::Engine::settled)
    /// waits for that too.
    pub fn advance_to(&self, time: Time) {
        if self.0.now.fetch_max(time.0, Ordering::AcqRel) < time.0 {
            self.0.told.lock().unwrap_or_else(PoisonError::into_inner).retain(|moved| moved());
        }
    }
}

impl std::fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("VirtualClock").field(&self.now()).finish()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Time {
        Time(self.0.now.load(Ordering::Acquire))
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn on_move(&self, moved: Moved) {
        self.0.told.lock().unwrap_or_else(PoisonError::into_inner).push(moved);
    }
}
