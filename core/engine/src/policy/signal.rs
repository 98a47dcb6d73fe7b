//! What passes between the engine and a call that is under way: cancellation, signs of life, progress.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actum_model::Time;
use tokio::sync::Notify;

use crate::clock::Clock;

/// How far a call is, as its handler said last.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// From 0 to 1.
    pub fraction: f64,
    /// For people.
    pub message: String,
}

/// Longest message of a progress report; what is longer is cut.
const MESSAGE_BYTES_MAX: usize = 1_024;

/// Shared by a call and the engine.
pub(crate) struct Signal {
    cancelled: AtomicBool,
    told: Notify,
    /// The last sign of life, nanoseconds since 1970.
    beat: AtomicU64,
    progress: Mutex<Progress>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signal").field("cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

impl Signal {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Signal {
            cancelled: AtomicBool::new(false),
            told: Notify::new(),
            beat: AtomicU64::new(0),
            progress: Mutex::default(),
            clock,
        }
    }

    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    pub(crate) async fn cancelled(&self) {
        loop {
            // Made before looking, so that no cancellation is missed.
            let told = self.told.notified();
            if self.is_cancelled() {
                return;
            }
            told.await;
        }
    }

    pub(crate) fn beat(&self) {
        self.beat.fetch_max(self.clock.now().0, Ordering::AcqRel);
    }

    pub(crate) fn last_beat(&self) -> Time {
        Time(self.beat.load(Ordering::Acquire))
    }

    pub(crate) fn report(&self, fraction: f64, mut message: String) {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = Progress { fraction, message };
        self.beat();
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
