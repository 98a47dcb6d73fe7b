//! Live questions about handlers' calls, which the log does not answer.

use actum_model::CaseId;

use crate::engine::Engine;
use crate::error::CommandError;
use crate::policy::{BreakerState, CallRow};
use crate::request::Ask;
use crate::shards::OWNER;

impl Engine {
    /// Calls that are under way and say how far they are, or that wait for a limit: of a case, or all. Calls of handlers that never
    /// wait are not among them, unless their task has policies.
    ///
    /// # Errors
    /// When the engine was closed or stopped.
    pub async fn calls(&self, case: Option<CaseId>) -> Result<Vec<CallRow>, CommandError> {
        match case {
            Some(of) => self.ask_of(of, Ask::Calls { case }).await,
            None => Ok(self.ask_all::<Vec<CallRow>>(|| Ask::Calls { case }).await?.concat()),
        }
    }

    /// How the circuit breakers stand, by handler; of handlers that never failed under one, nothing.
    ///
    /// # Errors
    /// When the engine was closed or stopped.
    pub async fn breakers(&self) -> Result<Vec<(String, BreakerState)>, CommandError> {
        // Nets that have one are in the owner's partition.
        self.ask(OWNER, Ask::Breakers).await
    }
}
