//! Why bytes are not a state.

use crate::cbor::CborError;

/// Why bytes are not saved state. Never a reason to guess: fold the log instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Another form than this software reads.
    #[error("saved state of version {found}, not {expected}")]
    Version {
        /// The version found.
        found: u64,
        /// The one that is read.
        expected: u64,
    },
    /// The bytes end inside the state.
    #[error("the saved state is cut off")]
    Truncated,
    /// Bytes follow the state.
    #[error("bytes follow the saved state")]
    Trailing,
    /// Not the one spelling of a state.
    #[error("saved state is not in its one spelling: {0}")]
    NotCanonical(&'static str),
    /// A value in it is none.
    #[error("a value in the saved state is none")]
    Value(#[from] CborError),
}
