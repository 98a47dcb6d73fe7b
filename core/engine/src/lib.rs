//! Actum: a workflow engine that can prove what it did, to be embedded.
//!
//! An [`Engine`] runs nets: it deploys them, starts cases, calls [`Handler`]s, gives work to people. Every transition is an
//! event in a signed, hash-chained log; nothing is answered before it is durable; opening the log again goes on where it
//! ended. The partition is a sans-IO machine on its own thread; only this facade is async.
//!
//! Deliberately absent: an HTTP server, command line, foreign formats.

mod activity;
mod builder;
mod bus;
mod calls;
mod clock;
mod control;
mod dead_letters;
mod dispatch;
mod engine;
mod error;
mod handler;
mod handlers;
mod history;
mod key_files;
mod keys;
mod machine;
mod messages;
mod open;
mod options;
mod organise;
mod partition;
mod passive;
mod policy;
mod publish;
mod reads;
mod rebuild;
mod request;
mod resources;
mod run;
mod saved;
mod send;
mod shards;
mod starts;
mod state;
mod status;
mod stepped;
mod stop;
mod subscribe;
mod telemetry;
mod threads;
mod timers;
mod upkeep;
mod views;
mod work;

pub use actum_kernel::resource::{AllocationStrategy, Choice, Chosen};
pub use actum_kernel::{CaseProgress, Need, Waiting};
pub use actum_log::{Keys, Signer, Trace};
pub use actum_model::{
    ActorId, Case, CaseEvent, CaseId, CaseStatus, Decimal, ExceptionKind, Extent, ItemId, Meta, NetHash, Phase,
    Rejection, RestEnd, Seq, Time, Value,
};
pub use actum_model::{ReplacedHead, RestoreSource};
pub use actum_net::{Diagnostic, Net, Organisation, organisation};
/// What engines answer, and what it takes to add a question of one's own.
pub use actum_projections as projections;
pub use actum_projections::{CaseRow, Cases, DeadLetter, DeadLetters, Holder, WaitRow, Waits, WorkRow, Worklist};
pub use async_trait::async_trait;

pub use builder::{EngineBuilder, Restored};
pub use bus::{Happened, Notice, Watch};
pub use clock::{Clock, Moved, SystemClock, VirtualClock};
pub use engine::{Engine, Opened};
pub use error::{CommandError, DeployError, OpenError, WriteError};
pub use handler::{CANCEL_GRACE, Call, Handler, HandlerError, TimeLimits};
#[cfg(feature = "http")]
pub use handlers::Http;
pub use handlers::{BatchHandler, BatchOptions, Command};
pub use history::{HistoryError, LoggedEvent};
pub use key_files::{KeyFile, KeyFileState, KeyFiles, KeyRing};
pub use keys::from_environment as signer_from_env;
pub use options::Limits;
pub use policy::{BreakerState, CallRow, Progress};
pub use rebuild::RebuildError;
pub use request::Started;
pub use saved::{Recovered, StateSaved, saved_state_of};
pub use send::{Message, Sent};
pub use status::{CaseState, ItemState, StatusError};
pub use stepped::{Step, Stepper};
pub use stop::Stopped;
pub use subscribe::Subscription;
pub use telemetry::Telemetry;
pub use timers::{NextTimer, Timer, TimerWheel};
pub use upkeep::Checkpointed;
