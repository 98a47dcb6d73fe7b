//! Actum: a workflow engine that can prove what it did, to be embedded.
//!
//! An [`Engine`] runs nets: it deploys them, starts cases, calls [`Handler`]s, gives work to people. Every transition is an
//! event in a signed, hash-chained log; nothing is answered before it is durable; opening the log again goes on where it
//! ended. The partition is a sans-IO machine on its own thread; only this facade is async.
//!
//! Deliberately absent: HTTP, command line, foreign formats.

mod activity;
mod builder;
mod clock;
mod control;
mod dispatch;
mod engine;
mod error;
mod handler;
mod handlers;
mod history;
mod key_files;
mod keys;
mod machine;
mod open;
mod options;
mod organise;
mod partition;
mod publish;
mod request;
mod resources;
mod run;
mod state;
mod stepped;
mod subscribe;
mod threads;
mod timers;
mod upkeep;
mod views;
mod work;

pub use actum_kernel::resource::{AllocationStrategy, Choice, Chosen};
pub use actum_log::{Keys, Signer};
pub use actum_model::{
    ActorId, Case, CaseEvent, CaseId, CaseStatus, Decimal, ExceptionKind, ItemId, Meta, NetHash, Phase, Rejection, Seq,
    Time, Value,
};
pub use actum_model::{ReplacedHead, RestoreSource};
pub use actum_net::{Diagnostic, Net, Organisation, organisation};
pub use actum_projections::{CaseRow, Holder, WaitRow, Waits, WorkRow};
pub use async_trait::async_trait;

pub use builder::{EngineBuilder, Restored};
pub use clock::{Clock, Moved, SystemClock, VirtualClock};
pub use engine::{Engine, Opened};
pub use error::{CommandError, DeployError, OpenError, WriteError};
pub use handler::{Call, Handler, HandlerError};
pub use history::{HistoryError, LoggedEvent};
pub use key_files::{KeyFile, KeyFileState, KeyFiles, KeyRing};
pub use keys::from_environment as signer_from_env;
pub use options::Limits;
pub use request::Started;
pub use stepped::{Step, Stepper};
pub use subscribe::Subscription;
pub use timers::Timer;
pub use upkeep::Checkpointed;
