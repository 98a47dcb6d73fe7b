//! Whether anything is going on: requests not yet answered and handlers not yet done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Shared {
    going_on: AtomicUsize,
    settled: Notify,
}

/// Counts what is going on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Activity(Arc<Shared>);

/// One thing that goes on; over when dropped.
#[derive(Debug)]
pub(crate) struct Ongoing(Arc<Shared>);

impl Activity {
    pub(crate) fn begin(&self) -> Ongoing {
        self.0.going_on.fetch_add(1, Ordering::AcqRel);
        Ongoing(self.0.clone())
    }

    /// Returns when nothing goes on.
    pub(crate) async fn settled(&self) {
        loop {
            let settled = self.0.settled.notified();
            if self.0.going_on.load(Ordering::Acquire) == 0 {
                return;
            }
            settled.await;
        }
    }
}

impl Ongoing {
    /// Another thing begins because of this one, before this one is over.
    pub(crate) fn beget(&self) -> Ongoing {
        self.0.going_on.fetch_add(1, Ordering::AcqRel);
        Ongoing(self.0.clone())
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        if self.0.going_on.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.settled.notify_waiters();
        }
    }
}
