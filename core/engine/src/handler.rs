//! Handlers: the embedder's code that does automatic work.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actum_model::{CaseId, ItemId, Value};
use async_trait::async_trait;
use tokio::sync::OnceCell;

use crate::policy::Signal;

/// Does automatic work, in three phases: `setup` once before its first call, `handle` for each work item, `cleanup` once when
/// the engine is closed.
///
/// `handle` is called at least once for each work item and attempt, after the item's start is durable; [`Call::key`] is the
/// idempotency key. A panic fails the attempt, not the engine.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Makes ready what all calls share. If it fails, or takes longer than its limit, the call that waits for it fails with the
    /// code `handler/setup`, and the next call tries it again.
    async fn setup(&self) -> Result<(), HandlerError> {
        Ok(())
    }

    /// Does the work and gives its result, which the task's output mapping sees as `result`.
    ///
    /// When nobody waits for the result any more ([`Call::cancelled`]), there are [`CANCEL_GRACE`] left before the future is
    /// dropped where it stands.
    async fn handle(&self, call: Call) -> Result<Value, HandlerError>;

    /// Lets go of what `setup` made; called by [`Engine::close`](crate::Engine::close) after the last call was cancelled, if `setup`
    /// was done.
    async fn cleanup(&self) {}

    /// How long each phase may take.
    fn time_limits(&self) -> TimeLimits {
        TimeLimits::default()
    }

    /// It never waits in `handle`: then nobody can cancel it, and it costs a little less.
    fn is_instant(&self) -> bool {
        false
    }
}

/// What a handler that is told to stop has left, in real time.
pub const CANCEL_GRACE: Duration = Duration::from_secs(5);

/// How long the phases of a handler may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimeLimits {
    /// In real time.
    pub setup: Duration,
    /// By the engine's clock, of tasks whose policies do not say; without, a call may take for ever.
    pub handle: Option<Duration>,
    /// In real time.
    pub cleanup: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        TimeLimits { setup: Duration::from_secs(30), handle: None, cleanup: Duration::from_secs(10) }
    }
}

/// What a handler is asked to do.
#[derive(Debug, Clone)]
#[non_exhaustive]
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
    pub(crate) signal: Option<Arc<Signal>>,
}

impl Call {
    /// The idempotency key, `case/item/attempt`: the same for the same attempt, also after a crash.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.case, self.item, self.attempt)
    }

    /// Nobody waits for the result any more: the item was cancelled or is out of time, or the engine is closed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.signal.as_ref().is_some_and(|signal| signal.is_cancelled())
    }

    /// Returns when nobody waits for the result any more.
    pub async fn cancelled(&self) {
        match &self.signal {
            Some(signal) => signal.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Says that the work goes on: a task with a `lease` needs it at least that often.
    pub fn heartbeat(&self) {
        if let Some(signal) = &self.signal {
            signal.beat();
        }
    }

    /// Says how far the work is, from 0 to 1, for [`Engine::calls`](crate::Engine::calls). It is also a sign of life. Not
    /// recorded.
    pub fn report(&self, fraction: f64, message: impl Into<String>) {
        if let Some(signal) = &self.signal {
            signal.report(fraction, message.into());
        }
    }
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
pub(crate) type Registry = HashMap<String, Arc<Registered>>;

/// A handler, and whether it is set up.
pub(crate) struct Registered {
    pub(crate) handler: Box<dyn Handler>,
    ready: OnceCell<()>,
    cleaned: AtomicBool,
    limits: TimeLimits,
    /// The limit of `handle`.
    pub(crate) handle_ns: Option<u64>,
    pub(crate) is_instant: bool,
    /// What it gives back is a message that the partition sends.
    pub(crate) emits: bool,
}

impl Registered {
    pub(crate) fn new(handler: impl Handler) -> Arc<Self> {
        Arc::new(Self::of(handler))
    }

    /// A handler whose results are messages to be sent.
    pub(crate) fn emitting(handler: impl Handler) -> Arc<Self> {
        Arc::new(Registered { emits: true, ..Self::of(handler) })
    }

    fn of(handler: impl Handler) -> Self {
        let limits = handler.time_limits();
        let handle_ns = limits.handle.map(|limit| u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX));
        let is_instant = handler.is_instant() && handle_ns.is_none();
        Registered {
            handler: Box::new(handler),
            ready: OnceCell::new(),
            cleaned: AtomicBool::new(false),
            limits,
            handle_ns,
            is_instant,
            emits: false,
        }
    }

    /// Sets it up, once.
    pub(crate) async fn set_up(&self) -> Result<(), HandlerError> {
        if self.ready.initialized() {
            return Ok(());
        }
        let fails = |error: HandlerError| HandlerError::new("handler/setup", error.to_string());
        let setup = || async {
            match tokio::time::timeout(self.limits.setup, self.handler.setup()).await {
                Ok(outcome) => outcome.map_err(fails),
                Err(_) => Err(HandlerError::new("handler/setup", "it was not set up in time")),
            }
        };
        self.ready.get_or_try_init(setup).await.copied()
    }

    /// Lets go of what setting up made.
    pub(crate) async fn clean_up(&self, name: &str) {
        let is_due = self.ready.initialized() && !self.cleaned.swap(true, Ordering::AcqRel);
        if is_due && tokio::time::timeout(self.limits.cleanup, self.handler.cleanup()).await.is_err() {
            tracing::warn!(handler = name, "the handler did not clean up in time");
        }
    }
}

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

    fn is_instant(&self) -> bool {
        true
    }
}
