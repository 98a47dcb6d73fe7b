//! Resources: who comes into question for work, whom rules keep from it, and who of the rest gets it.
//!
//! The way of an item: a [`Pool`] says who comes into question (kept ready for each version of the directory), `sift` takes out
//! whom a rule keeps from it, a strategy chooses. All of it is recorded as one `AllocationDecided`.

mod facts;
mod hand_out;
mod pool;
mod seed;
mod sift;
mod standing;
mod strategy;
mod view;

pub use facts::{Held, NoFacts, Practice, ResourceFacts};
pub use pool::{Pool, Pools};
pub use standing::{Glance, STANDING_SNAPSHOT_VERSION, Standing};
pub use strategy::{AllocationStrategy, Choice, Chosen, choose, pick};

pub(crate) use hand_out::{able, begin_by, choose_above, hand_out, hand_out_among, is_started_by_system};
pub(crate) use seed::mix;
pub(crate) use sift::{Purpose, refusal};
