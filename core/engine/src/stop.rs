//! A graceful stop: nothing new is taken, what runs may finish, then everything is stored and the log let go of.

use std::time::Duration;

use crate::engine::Engine;
use crate::error::CommandError;

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// Everything that was going on came to its end within the time. Otherwise handlers were still running: their items are asked
    /// for again, under the same attempt, when the log is opened next.
    pub drained: bool,
}

impl Engine {
    /// Stops taking cases and commands (they are answered [`CommandError::Stopping`]), waits at most `within` until requests are
    /// answered and handlers are done, then closes as [`Engine::close`] does. What handlers start meanwhile is still done.
    ///
    /// # Errors
    /// As for [`Engine::close`].
    pub async fn stop(self, within: Duration) -> Result<Stopped, CommandError> {
        self.inner.stopping.store(true, std::sync::atomic::Ordering::Release);
        let drained = tokio::time::timeout(within, self.settled()).await.is_ok();
        self.close().await?;
        Ok(Stopped { drained })
    }
}
