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
    /// seq, and waits for it there. `None` also where there are several partitions, which have a position each
    /// ([`Engine::position_in`]).
    #[must_use]
    pub fn position(&self) -> Option<Seq> {
        if self.partitions() > 1 {
            return None;
        }
        // `None` is less than any: one that has taken in nothing holds all back.
        self.inner.views.projections().running().iter().map(|projection| projection.watermark().seq()).min().flatten()
    }

    /// The newest event of a partition that all projections have taken in; `None` before the first.
    #[must_use]
    pub fn position_in(&self, partition: u16) -> Option<Seq> {
        if self.partitions() == 1 && partition == 0 {
            return self.position();
        }
        self.inner.shards.get(partition)?.taken_in.seq()
    }

    /// Returns when all projections have taken in everything of a partition up to `seq`, and true; or false as
    /// [`Engine::wait_until`] does, or when there is no such partition.
    pub async fn wait_until_in(&self, partition: u16, seq: Seq, at_most: Duration) -> bool {
        if self.partitions() == 1 && partition == 0 {
            return self.wait_until(seq, at_most).await;
        }
        let Some(shard) = self.inner.shards.get(partition) else { return false };
        let (tell, told) = oneshot::channel();
        // Whoever gave up waiting is not told.
        shard.taken_in.when(seq, move |reached| tell.send(reached).unwrap_or_default());
        tokio::time::timeout(at_most, told).await.is_ok_and(|told| told.unwrap_or(false))
    }

    /// Returns when all projections have taken in everything up to `seq`, and true; or false when that took too long, or the engine
    /// ends before, or the log has several partitions ([`Engine::wait_until_in`]). Without async, and for one projection: [`Watermark::wait_until`](actum_projections::Watermark::wait_until).
    pub async fn wait_until(&self, seq: Seq, at_most: Duration) -> bool {
        if self.partitions() > 1 {
            return false;
        }
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
