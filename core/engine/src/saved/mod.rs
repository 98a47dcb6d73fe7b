//! Saved state: a file beside the log from which an engine goes on without folding the whole log (FORMAT.md section 14).
//!
//! `make` folds the durable log anew, from the file before it on, and writes the next file; `shelf` puts it in place so that a crash
//! leaves the older ones whole; then the log names it by its hash. `recover` opens from the newest file that the log names and
//! continues. `keep` says when. Not one of them touches the state that decides.

mod fold;
mod keep;
mod make;
mod recover;
mod sections;
mod shelf;

pub use keep::StateSaved;
pub use make::saved_state_of;
pub use recover::Recovered;

pub(crate) use keep::{Keeper, Saving, at_close, keep};
pub(crate) use recover::{How, Stands, recover};
pub(crate) use shelf::Shelf;
