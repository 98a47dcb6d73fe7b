//! The kernel: what may happen in a case, decided purely.
//!
//! [`decide()`] answers a command with events or a rejection; [`effects()`] says what the world must do because of an event.
//! No I/O, no clock, no randomness: the time, the seed and the directory are data in [`Context`].

mod data;
mod decide;
mod draft;
mod effects;
mod join;
mod ordinals;
mod permission;
mod scope;
mod settle;
mod split;

pub use decide::decide;
pub use draft::{Cause, Decided};
pub use effects::{Effect, effects, pending_effects};
pub use ordinals::fits;
pub use permission::kept_apart;

use actum_model::{ActorId, Directory, Time};

/// Version of these semantics. Each case pins the version it started under.
pub const SEMANTICS: u16 = 1;

/// Most events that one command may cause. A net of routing tasks alone can run in circles; this ends it.
pub const EVENTS_MAX: usize = 10_000;

/// Most bytes of data, about, that the tasks of one command may set. Routing in circles copies data as often as it turns.
pub const DATA_BYTES_MAX: usize = 16 << 20;

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
}
