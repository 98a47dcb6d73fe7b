//! Facts about circuit breakers. Each is of one handler, for all tasks that use it under a breaker.

use crate::Time;

/// A fact about the breaker of a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerEvent {
    /// It keeps calls away from its handler.
    Opened {
        /// The handler.
        handler: String,
        /// How many calls had failed in a row; of one that was tried out, 1 is enough.
        failures: u32,
        /// When it lets some calls through to try the handler out.
        until: Time,
    },
    /// Its time is over: some calls try the handler out.
    HalfOpened {
        /// The handler.
        handler: String,
    },
    /// All calls go through again.
    Closed {
        /// The handler.
        handler: String,
    },
}

impl BreakerEvent {
    /// The handler.
    #[must_use]
    pub fn handler(&self) -> &str {
        match self {
            BreakerEvent::Opened { handler, .. }
            | BreakerEvent::HalfOpened { handler }
            | BreakerEvent::Closed { handler } => handler,
        }
    }
}
