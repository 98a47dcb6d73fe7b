//! Stopping on request: the first signal lets the engine close, the second ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::failure::Exit;
use crate::output::complain;

/// Whether somebody asked to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    asked: AtomicBool,
    notify: Notify,
}

impl Stop {
    /// Listens for Ctrl-C and for the signal that service managers send. Says so below `bar`.
    pub(crate) fn listen(bar: &ProgressBar) -> Self {
        let stop = Stop::default();
        let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        for mut signal in signals.into_iter().flatten() {
            let (stop, bar) = (stop.clone(), bar.clone());
            tokio::spawn(async move { stop.obey(&mut signal, &bar).await });
        }
        stop
    }

    async fn obey(&self, signal: &mut Signal, bar: &ProgressBar) {
        while signal.recv().await.is_some() {
            if self.0.asked.swap(true, Ordering::AcqRel) {
                std::process::exit(Exit::Interrupted as i32);
            }
            bar.suspend(|| complain("stopping: what was accepted is being stored; once more ends at once"));
            self.0.notify.notify_waiters();
        }
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.0.asked.load(Ordering::Acquire)
    }

    /// Returns when somebody asks.
    pub(crate) async fn asked(&self) {
        loop {
            let notified = self.0.notify.notified();
            if self.is_asked() {
                return;
            }
            notified.await;
        }
    }
}
