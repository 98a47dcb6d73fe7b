//! The kernel: what may happen in a case, decided purely.
//!
//! [`decide()`] answers a command with events or a rejection; [`effects()`] says what the world must do because of an event.
//! No I/O, no clock, no randomness: the time, the seed and the directory are data in [`Context`].

mod cancel;
mod compensate;
mod data;
mod decide;
mod draft;
mod effects;
mod exception;
pub mod explore;
mod finish;
mod fire;
mod join;
mod limit;
mod oracle;
mod ordinals;
mod permission;
mod policy;
pub mod resource;
pub mod saved;
mod scope;
mod settle;
mod split;
mod status;
mod waits;

pub use decide::decide;
pub use draft::{Cause, Decided};
pub use effects::{Effect, effects, pending_effects};
pub use join::OrJoins;
pub use limit::{
    COMPENSABLE_MAX, DATA_BYTES_MAX, EVENTS_MAX, FRAME_DEPTH_MAX, INSTANCES_AT_ONCE_MAX, ITEMS_MAX, LATE_LEAST,
    LEASE_ATTEMPTS_MAX, MESSAGE_KEY_BYTES_MAX, RESTART_AFTER_LEAST, RESTARTS_MAX, SIGNALS_MAX,
};
pub use oracle::Oracle;
pub use ordinals::fits;
pub use permission::kept_apart;
pub use status::{CaseProgress, Need, NoEstimate, Waiting, progress, tasks_done, time_left, waiting};
pub use waits::waits;

use actum_model::{ActorId, Directory, Time};

use resource::ResourceFacts;

/// Version of these semantics. Each case pins the version it started under. Since 2, late timers are said to be late, and work
/// begins anew in full; since 3, a cancellation set that names a task cancels what runs of it, not what could begin.
pub const SEMANTICS: u16 = 3;

/// What a decision may know beside net, state and command.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time.
    pub now: Time,
    /// Seed for random choices.
    pub seed: u64,
    /// Who asks: the engine itself for results of handlers.
    pub actor: ActorId,
    /// Who there is.
    pub directory: &'a Directory,
    /// What strategies that choose people need to know; nothing if absent.
    pub resources: Option<&'a dyn ResourceFacts>,
    /// Answers of a scenario in place of data; always absent in production.
    pub oracle: Option<&'a dyn Oracle>,
    /// Answers about OR-joins from before; they only save time.
    pub or_joins: Option<&'a OrJoins>,
}

impl<'a> Context<'a> {
    /// What most decisions know; seed 0.
    #[must_use]
    pub fn new(now: Time, actor: ActorId, directory: &'a Directory) -> Self {
        Context { now, seed: 0, actor, directory, resources: None, oracle: None, or_joins: None }
    }
}
