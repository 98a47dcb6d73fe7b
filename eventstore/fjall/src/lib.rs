//! The embedded store of an Actum log: a data directory (`FORMAT.md` section 8) with a fjall database for the frames and
//! one small head file per partition, which says what was acknowledged.
//!
//! - [`create()`] makes a data directory, [`open`] opens it for writing: [`FjallStore`], an `EventStore`.
//! - [`read`] opens it for reading without writing to it, beside a running engine if need be: [`ScratchSource`].
//!   [`Scratch`] and [`open_source`] are its two halves, for callers that do the second half in a child process.
//!
//! - [`state()`] says what lies in a directory without opening anything; [`replace()`] puts another directory in its place.
//!
//! Durability: what `commit` has returned survives power loss. Knows nothing of workflows, and nothing of what is
//! inside a block beyond the fields that say where it lies.
//!
//! Map: `create` and `store` write; `scratch` and `copy` read from outside; `source` turns a keyspace into frames;
//! `examine` is what is checked whenever a store is opened; `head_file`, `block_frame` and `dir` are the layouts;
//! `torn` finds what a power loss left of an
//! unfinished commit; `engine` is the only place that opens fjall; `quiet` catches its panics.

mod block_frame;
mod copy;
mod create;
mod dir;
mod engine;
mod error;
mod examine;
mod head_file;
mod options;
mod quiet;
mod replace;
mod scratch;
mod source;
mod state;
mod store;
mod torn;

#[cfg(test)]
#[path = "../tests/plausible/mod.rs"]
mod plausible;

pub use create::create;
pub use error::{Corruption, Defect, OpenError};
pub use options::{Options, Rehearsal};
pub use replace::{Replaced, replace};
pub use scratch::{Scratch, ScratchSource, open_source, read, read_with, try_read};
pub use state::{DirectoryState, HeadState, free_bytes, leftovers, lock_holder, state};
pub use store::{Dropped, FjallStore, Found, open, open_rehearsed};
