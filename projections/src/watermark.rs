//! Up to where an answer is true.

use std::sync::atomic::{AtomicU64, Ordering};

use actum_model::Seq;

/// The number of events that a projection has taken in.
#[derive(Debug, Default)]
pub struct Watermark(AtomicU64);

impl Watermark {
    /// Everything up to and with `seq` has been taken in.
    pub fn reach(&self, seq: Seq) {
        self.0.fetch_max(seq.0.saturating_add(1), Ordering::Release);
    }

    /// The newest event taken in, if any.
    pub fn seq(&self) -> Option<Seq> {
        self.0.load(Ordering::Acquire).checked_sub(1).map(Seq)
    }
}
