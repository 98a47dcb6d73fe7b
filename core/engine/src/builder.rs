//! How an engine is set up.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use actum_kernel::resource::AllocationStrategy;
use actum_log::{EventStore, ReadError, Signer};
use actum_model::{ReplacedHead, RestoreSource, Value};
use actum_projections::{Factory, Projection};
use rustc_hash::FxHashMap;

use crate::clock::{Clock, SystemClock};
use crate::engine::Engine;
use crate::error::OpenError;
use crate::handler::{Call, FnHandler, Handler, HandlerError, Registered, Registry};
use crate::handlers::{self, BatchHandler, BatchOptions, Batcher};
use crate::keys;
use crate::open;
use crate::options::Limits;
use crate::resources::Strategies;
use crate::stepped::{self, Stepper};
use crate::telemetry::Telemetry;

/// Where the log is kept.
pub(crate) enum Place {
    Directory(PathBuf),
    Memory,
    /// With its genesis in it.
    Store(Box<dyn EventStore>),
}

/// Reads a data directory through before the engine opens it.
pub(crate) type RehearsalFn = Box<dyn FnOnce(&Path) -> Result<(), ReadError> + Send>;

/// Where a log that was put in place came from; see [`EngineBuilder::restored`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// What it was taken from.
    pub source: RestoreSource,
    /// What was last acknowledged in the directory that it replaces.
    pub replaced: Option<ReplacedHead>,
}

/// New events after which state is saved: so many are folded within a second at the next opening.
const SAVE_EVERY: u64 = 1_000_000;

/// What is read of a log at opening; later ones read more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reading {
    /// What comes after saved state, if there is some to believe.
    FromSavedState,
    /// All, whatever was saved.
    WholeLog,
    /// All, and every stream that ever was is remembered.
    WholeLogWithStreams,
}

/// What is chosen before an engine opens its log.
pub struct EngineBuilder {
    pub(crate) place: Place,
    pub(crate) handlers: Registry,
    pub(crate) strategies: Strategies,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    /// Units of each pool.
    pub(crate) pools: FxHashMap<String, u32>,
    /// Beside those that every engine has.
    pub(crate) projections: Vec<Factory>,
    pub(crate) origin: Option<String>,
    /// Of a new log; of one that exists, what it must have.
    pub(crate) partitions: Option<u16>,
    pub(crate) signer: Option<Arc<dyn Signer>>,
    pub(crate) next_signer: Option<Arc<dyn Signer>>,
    pub(crate) create: bool,
    pub(crate) upkeep: bool,
    pub(crate) reading: Reading,
    /// New events after which state is saved.
    pub(crate) save_every: Option<u64>,
    pub(crate) rehearsal: Option<RehearsalFn>,
    pub(crate) restored: Option<Restored>,
    /// Why the key in force, which is lost, is replaced at opening.
    pub(crate) lost_key: Option<String>,
    pub(crate) seed: Option<u64>,
    pub(crate) telemetry: Option<Telemetry>,
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
            strategies: Strategies::new(),
            clock: Arc::new(SystemClock),
            limits: Limits::default(),
            pools: FxHashMap::default(),
            projections: Vec::new(),
            origin: None,
            partitions: None,
            signer: None,
            next_signer: None,
            create: true,
            upkeep: false,
            reading: Reading::FromSavedState,
            save_every: Some(SAVE_EVERY),
            rehearsal: None,
            restored: None,
            lost_key: None,
            seed: None,
            telemetry: None,
        }
    }

    /// Registers a handler under the name that nets use. A later one of the same name replaces it.
    #[must_use]
    pub fn handler(mut self, name: impl Into<String>, handler: impl Handler) -> Self {
        self.handlers.insert(name.into(), Registered::new(handler));
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

    /// Registers a handler that does several work items at once.
    #[must_use]
    pub fn batch_handler(self, name: impl Into<String>, handler: impl BatchHandler, options: BatchOptions) -> Self {
        self.handler(name, Batcher::new(handler, options))
    }

    /// Sizes a pool that nets name as `engine`: calls of all nets share its units.
    #[must_use]
    pub fn pool(mut self, name: impl Into<String>, units: u32) -> Self {
        self.pools.insert(name.into(), units);
        self
    }

    /// Registers a strategy that chooses who gets work, under the name that nets give as `allocate: { own: NAME }`. What it
    /// chooses is recorded, so the log does not need it; only deciding does.
    #[must_use]
    pub fn strategy(mut self, name: impl Into<String>, strategy: impl AllocationStrategy + 'static) -> Self {
        self.strategies.insert(name.into(), Arc::new(strategy));
        self
    }

    /// Has the engine feed a projection, beside [`Cases`](crate::Cases), [`Worklist`](crate::Worklist) and
    /// [`Waits`](crate::Waits), which every engine has: all events from the first on, those of the system among them, each once it
    /// is durable. `make` gives an empty one, whenever one is needed. [`Engine::projection`] gives it back.
    #[must_use]
    pub fn projection<P: Projection>(mut self, make: impl Fn() -> P + Send + Sync + 'static) -> Self {
        self.projections.push(Factory::new(make));
        self
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

    /// Gives a new log so many partitions, 1 to 64; without this it has 1. Each decides by itself and has its own part of the cases,
    /// and one thread stores for all. A log has its number for ever: opening one that has another is an error.
    ///
    /// Several partitions bring something when deciding is what takes the time, and there are processors for them. Not possible with
    /// them, and refused where it is asked for: messages, changes of keys, checkpoints, saved state, rebuilding projections, piles.
    #[must_use]
    pub fn partitions(mut self, partitions: u16) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Signs with this instead of the key file in the data directory: for keys that are kept elsewhere.
    #[must_use]
    pub fn signer(mut self, signer: Arc<dyn Signer>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Says which key comes after [`EngineBuilder::signer`]'s. A log that is created now commits its digest, and without it can
    /// never rotate its key. At a log that exists it signs if a rotation has put it in force.
    #[must_use]
    pub fn next_signer(mut self, next: Arc<dyn Signer>) -> Self {
        self.next_signer = Some(next);
        self
    }

    /// Takes the signer, and the next one, from environment variables that hold each a PKCS#8 PEM, where they are set. Then no
    /// key files are read or written. What they hold appears in no error.
    ///
    /// # Errors
    /// `Key` when a variable is set and holds something else.
    pub fn signers_from_env(mut self, signer: &str, next: &str) -> Result<Self, OpenError> {
        if let Some(signer) = keys::from_environment(signer)? {
            self.signer = Some(signer);
            self.next_signer = keys::from_environment(next)?;
        }
        Ok(self)
    }

    /// Opens the log for upkeep (keys, checkpoints): no handler is called, and unfinished calls are not made again.
    #[must_use]
    pub fn upkeep(mut self) -> Self {
        self.upkeep = true;
        self
    }

    /// Lets [`Engine::checkpoint`] be used. Costs 56 bytes of memory for each case that ever ended, and opening reads the whole log.
    #[must_use]
    pub fn checkpoints(mut self) -> Self {
        self.reading = Reading::WholeLogWithStreams;
        self
    }

    /// Saves state whenever so many events are new (at least 1), and at a graceful close; `None`: only when
    /// [`Engine::save_state`] is called. One million unless it is said here. Only logs in a directory have a place for it.
    #[must_use]
    pub fn save_every(mut self, events: Option<u64>) -> Self {
        self.save_every = events.map(|events| events.max(1));
        self
    }

    /// Reads the whole log at opening, whatever state was saved.
    #[must_use]
    pub fn full_fold(mut self) -> Self {
        self.reading = self.reading.max(Reading::WholeLog);
        self
    }

    /// Has an existing directory read through by this, while it is locked, instead of opening a scratch copy of it in this process
    /// first: it may use a child process, since the storage engine can abort on damaged files. It must refuse every log that
    /// `actum_fjall::read` refuses.
    #[must_use]
    pub fn rehearsal(mut self, rehearsal: impl FnOnce(&Path) -> Result<(), ReadError> + Send + 'static) -> Self {
        self.rehearsal = Some(Box::new(rehearsal));
        self
    }

    /// Writes at opening that the log was put in place from a backup, which holds all that is in it now.
    #[must_use]
    pub fn restored(mut self, restored: Restored) -> Self {
        self.restored = Some(restored);
        self
    }

    /// Replaces the key in force at opening, without using it, because it is lost or stolen: the next key, which the log has
    /// committed, comes into force, and the old one is revoked, for `reason` (at most 1,024 bytes).
    #[must_use]
    pub fn replace_key(mut self, reason: impl Into<String>) -> Self {
        self.lost_key = Some(reason.into());
        self
    }

    /// Only opens a log that exists, instead of creating it when there is none.
    #[must_use]
    pub fn existing(mut self) -> Self {
        self.create = false;
        self
    }

    /// What random choices begin with, so that a run can be repeated; without this something that differs each time. Each choice is
    /// recorded with its own seed either way.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Has the engine tell OpenTelemetry what it does: metrics and spans as [`Telemetry`] lists them. Without this it tells nothing,
    /// at no cost. Exporters are the embedder's.
    #[must_use]
    pub fn telemetry(mut self, telemetry: Telemetry) -> Self {
        self.telemetry = Some(telemetry);
        self
    }

    /// As [`EngineBuilder::open`], yet without any thread: nothing happens but what the [`Stepper`] is told to do. The log is read
    /// at once; the opening event is staged and waits for the first steps.
    ///
    /// # Errors
    /// When the log cannot be read or trusted.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn open_stepped(self) -> Result<(Engine, Stepper), OpenError> {
        stepped::open(self, tokio::runtime::Handle::current())
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
