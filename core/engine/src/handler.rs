//! Handlers: the embedder's code that does automatic work.

use std::collections::HashMap;
use std::sync::Arc;

use actum_model::{CaseId, ItemId, Value};
use async_trait::async_trait;

/// Does automatic work.
///
/// Called at least once for each work item and attempt, after the item's start is durable; `(case, item, attempt)` is the
/// idempotency key. A panic fails the item, not the engine.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Does the work and gives its result, which the task's output mapping sees as `result`.
    async fn handle(&self, call: Call) -> Result<Value, HandlerError>;
}

/// What a handler is asked to do.
#[derive(Debug, Clone)]
pub struct Call {
    /// The case.
    pub case: CaseId,
    /// The work item.
    pub item: ItemId,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Name of the task.
    pub task: Arc<str>,
    /// The task's parameters, computed: always a map.
    pub input: Value,
}

/// Why work did not succeed; becomes part of the log, so it must not hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct HandlerError {
    /// Stable code, such as `payment/declined`.
    pub code: String,
    /// For people.
    pub message: String,
}

impl HandlerError {
    /// An error with a code of one's own.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        HandlerError { code: code.into(), message: message.into() }
    }
}

/// Handlers by name.
pub(crate) type Registry = HashMap<String, Arc<dyn Handler>>;

/// A handler made of a plain function that does not wait.
pub(crate) struct FnHandler<F>(pub(crate) F);

#[async_trait]
impl<F> Handler for FnHandler<F>
where
    F: Fn(Call) -> Result<Value, HandlerError> + Send + Sync + 'static,
{
    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        (self.0)(call)
    }
}
