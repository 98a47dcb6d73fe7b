//! How does work go: how long does it wait and take, and how does it end?

use std::ops::Deref;

use crate::runs::runs;
use crate::{Projection, Recorded, RestoreError, Watermark};

/// The knowledge of `actum-adapt`, fed by the log. Its questions are those of [`actum_adapt::Knowledge`].
#[derive(Debug, Default)]
pub struct Knowledge {
    known: actum_adapt::Knowledge,
    watermark: Watermark,
}

impl Deref for Knowledge {
    type Target = actum_adapt::Knowledge;

    fn deref(&self) -> &Self::Target {
        &self.known
    }
}

impl Projection for Knowledge {
    fn name(&self) -> &'static str {
        "knowledge"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        self.apply_all(std::slice::from_ref(recorded));
    }

    fn apply_all(&self, batch: &[Recorded<'_>]) {
        runs(batch).for_each(|run| self.known.apply(run.case, run.net, run.facts()));
    }

    fn snapshot(&self) -> Vec<u8> {
        self.known.snapshot()
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        self.known.restore(bytes)
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}
