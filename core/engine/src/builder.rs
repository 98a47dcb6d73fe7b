//! How an engine is set up.

use std::path::PathBuf;
use std::sync::Arc;

use actum_log::{EventStore, Signer};
use actum_model::Value;

use crate::clock::{Clock, SystemClock};
use crate::engine::Engine;
use crate::error::OpenError;
use crate::handler::{Call, FnHandler, Handler, HandlerError, Registry};
use crate::handlers;
use crate::open;
use crate::options::Limits;

/// Where the log is kept.
pub(crate) enum Place {
    Directory(PathBuf),
    Memory,
    /// With its genesis in it.
    Store(Box<dyn EventStore>),
}

/// What is chosen before an engine opens its log.
pub struct EngineBuilder {
    pub(crate) place: Place,
    pub(crate) handlers: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) origin: Option<String>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) create: bool,
}

impl std::fmt::Debug for EngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EngineBuilder").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl EngineBuilder {
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self::with(Place::Directory(directory))
    }

    pub(crate) fn in_memory() -> Self {
        Self::with(Place::Memory)
    }

    pub(crate) fn on_store(store: Box<dyn EventStore>, signer: Arc<dyn Signer>) -> Self {
        Self::with(Place::Store(store)).signer(signer)
    }

    fn with(place: Place) -> Self {
        EngineBuilder {
            place,
            handlers: handlers::built_in(),
            clock: Arc::new(SystemClock),
            limits: Limits::default(),
            origin: None,
            signer: None,
            create: true,
        }
    }

    /// Registers a handler under the name that nets use. A later one of the same name replaces it.
    #[must_use]
    pub fn handler(mut self, name: impl Into<String>, handler: impl Handler) -> Self {
        self.handlers.insert(name.into(), Arc::new(handler));
        self
    }

    /// Registers a plain function that does not wait.
    #[must_use]
    pub fn handler_fn<F>(self, name: impl Into<String>, function: F) -> Self
    where
        F: Fn(Call) -> Result<Value, HandlerError> + Send + Sync + 'static,
    {
        self.handler(name, FnHandler(function))
    }

    /// Uses another clock. A log keeps the kind of time that it was created with.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Uses other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Names the log in its seals, if it is created now: printable ASCII without space and plus, such as `example.com/orders`.
    /// Without this it is `actum.local/` and a random number.
    #[must_use]
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// Signs with this instead of the key file in the data directory: for keys that are kept elsewhere.
    #[must_use]
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Only opens a log that exists, instead of creating it when there is none.
    #[must_use]
    pub fn existing(mut self) -> Self {
        self.create = false;
        self
    }

    /// Opens the log, verifies and folds it, and goes on where it ended. Must be called inside a tokio runtime: its
    /// handlers run there. One engine at a time has a log open.
    ///
    /// # Errors
    /// When the log cannot be read, trusted or written; nothing is ever repaired silently.
    pub async fn open(self) -> Result<Engine, OpenError> {
        let runtime = tokio::runtime::Handle::current();
        tokio::task::spawn_blocking(move || open::open(self, runtime))
            .await
            .unwrap_or_else(|_| Err(OpenError::Options("opening the log was interrupted".to_owned())))
    }
}
