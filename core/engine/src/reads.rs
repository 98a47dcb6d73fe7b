//! Reading what one wrote: up to where projections are, and waiting until they are there.

use std::sync::Arc;
use std::time::Duration;

use actum_model::Seq;
use actum_projections::Projection;
use tokio::sync::oneshot;

use crate::engine::Engine;

impl Engine {
    /// The newest event that all projections have taken in; `None` before the first.
    ///
    /// Whatever a command caused that was answered is at or before it: projections come before answers. So who reads through this
    /// engine reads what it wrote. Who reads elsewhere (another connection, another process that follows the log) is given this
    /// seq, and waits for it there.
    #[must_use]
    pub fn position(&self) -> Option<Seq> {
        // `None` is less than any: one that has taken in nothing holds all back.
        self.inner.views.projections().running().iter().map(|projection| projection.watermark().seq()).min().flatten()
    }

    /// Returns when all projections have taken in everything up to `seq`, and true; or false when that took too long, or the engine
    /// ends before. Without async, and for one projection: [`Watermark::wait_until`](actum_projections::Watermark::wait_until).
    pub async fn wait_until(&self, seq: Seq, at_most: Duration) -> bool {
        let reached = |projection: &Arc<dyn Projection>| {
            let (tell, told) = oneshot::channel();
            // Whoever gave up waiting is not told.
            projection.watermark().when(seq, move |reached| tell.send(reached).unwrap_or_default());
            told
        };
        let told: Vec<_> = self.inner.views.projections().running().iter().map(reached).collect();
        let all = async {
            for told in told {
                if !told.await.unwrap_or(false) {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(at_most, all).await.unwrap_or(false)
    }
}
