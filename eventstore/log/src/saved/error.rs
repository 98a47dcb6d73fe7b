//! Why saved state is of no use.

use crate::hash::Hash;
use crate::strict::to_hex;

/// Why a file of saved state cannot be used, or not be written. Saved state is a cache: fold the log instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SavedError {
    /// The device failed.
    #[error("the file cannot be read or written")]
    Io(#[from] std::io::Error),
    /// Not of the form that it must have; cut off, perhaps.
    #[error("not saved state as the format wants it: {0}")]
    Malformed(&'static str),
    /// The contents are others than the trailer says.
    #[error("its contents do not have the hash that it states")]
    Contents,
    /// A page has changed.
    #[error("page {page} of section {section} does not have the hash that the contents state")]
    Page {
        /// Name of the section.
        section: String,
        /// Number of the page, from 0.
        page: usize,
    },
    /// Another file than the log names.
    #[error("it is another file than the log names: its hash is {}", to_hex(.0))]
    Other(Hash),
    /// A section is missing.
    #[error("it has no section {0}")]
    NoSection(String),
    /// A section is of another version or kind than the reader knows.
    #[error("its section {section} is of version {found}, not {expected}")]
    Version {
        /// Name of the section.
        section: String,
        /// The version found.
        found: u32,
        /// The one that is read.
        expected: u32,
    },
    /// What was given to be written is not in order, or too long.
    #[error("it cannot be written like this: {0}")]
    Unwritable(&'static str),
}
