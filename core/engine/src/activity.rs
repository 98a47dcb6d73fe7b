//! Whether anything is going on: requests not yet answered and handlers not yet done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::trace::SpanContext;
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
pub(crate) struct Ongoing {
    shared: Arc<Shared>,
    /// The command that it follows from, where somebody traces that.
    trace: Option<Arc<SpanContext>>,
}

impl Activity {
    pub(crate) fn begin(&self) -> Ongoing {
        self.begin_traced(None)
    }

    /// Something begins as a part of what is traced.
    pub(crate) fn begin_traced(&self, trace: Option<Arc<SpanContext>>) -> Ongoing {
        self.0.going_on.fetch_add(1, Ordering::AcqRel);
        Ongoing { shared: self.0.clone(), trace }
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
        self.beget_traced(self.trace.clone())
    }

    /// The same, yet it is part of something else.
    pub(crate) fn beget_traced(&self, trace: Option<Arc<SpanContext>>) -> Ongoing {
        self.shared.going_on.fetch_add(1, Ordering::AcqRel);
        Ongoing { shared: self.shared.clone(), trace }
    }

    pub(crate) fn trace(&self) -> Option<&Arc<SpanContext>> {
        self.trace.as_ref()
    }
}

impl Drop for Ongoing {
    fn drop(&mut self) {
        if self.shared.going_on.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.settled.notify_waiters();
        }
    }
}
