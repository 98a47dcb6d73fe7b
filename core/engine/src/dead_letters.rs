//! Work that failed and is not tried again by itself: looked at, given out anew, dropped.

use actum_model::{ActorId, CaseCommand, CaseId, ItemId};
use actum_projections::{DeadLetter, DeadLetters};

use crate::engine::Engine;
use crate::error::CommandError;

impl Engine {
    /// Failed work that waits for somebody, by case and item, after a place in that list; at most `limit` rows.
    #[must_use]
    pub fn dead_letters(&self, after: Option<(CaseId, ItemId)>, limit: usize) -> Vec<DeadLetter> {
        self.projection::<DeadLetters>().map(|letters| letters.list(after, limit)).unwrap_or_default()
    }

    /// Gives failed work out anew. Its policies count its attempts from here.
    ///
    /// # Errors
    /// A rejection when it has not failed.
    pub async fn requeue(&self, case: CaseId, item: ItemId) -> Result<(), CommandError> {
        self.command(case, ActorId::ENGINE, CaseCommand::RetryWork { item }).await
    }

    /// Drops failed work: its tokens are gone, and it gives none. The case goes on with what else it has, or is deadlocked.
    ///
    /// # Errors
    /// A rejection when there is no such item.
    pub async fn drop_work(&self, case: CaseId, item: ItemId) -> Result<(), CommandError> {
        self.command(case, ActorId::ENGINE, CaseCommand::CancelWork { item }).await
    }
}
