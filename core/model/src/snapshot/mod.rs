//! State as bytes: what checkpoints save and passivation writes out. Canonical: the same state gives the same bytes, and bytes that
//! decode encode to themselves.
//!
//! Saved state is a cache of the log, never the record: a form of another version is not converted, it is refused, and whoever
//! asked folds the log instead. A field added to a state is added here (the compiler asks for it), and the version goes up.

mod attempts;
mod case;
mod directory;
mod error;
mod saga;
pub mod wire;

pub use case::{CASE_SNAPSHOT_VERSION, decode_case, encode_case};
pub use directory::{DIRECTORY_SNAPSHOT_VERSION, decode_directory, encode_directory};
pub use error::SnapshotError;
