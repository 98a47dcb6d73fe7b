//! Saved state: a container of opaque sections that the log names by one hash (FORMAT.md section 14).

mod contents;
mod error;
mod folder;
mod log_state;
mod reader;
mod writer;

pub use contents::{SavedContents, SectionInfo, SectionKind};
pub use error::SavedError;
pub use folder::{saved_files, saved_folder, saved_path};
pub use log_state::{EndedStream, LOG_SECTIONS, ended_stream, read_log_state, write_log_state};
pub use reader::{Entries, SavedFile};
pub use writer::SavedWriter;

/// What every file begins with.
pub(crate) const MAGIC: &[u8; 16] = b"ACTUM SAVED   1\n";

/// Bytes after the contents: their length and hash.
pub(crate) const TRAILER_BYTES: usize = 40;

/// At this many bytes a page ends: what has to be read, and hashed, to reach one entry.
pub(crate) const PAGE_BYTES: usize = 65_536;

/// Longest entry: a case's state, whose values the log's payloads brought in pieces of at most 8 MiB.
pub(crate) const ENTRY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Longest page: one longest entry with its head, begun when all but a byte of a page was full.
pub(crate) const PAGE_BYTES_MAX: usize = ENTRY_BYTES_MAX + PAGE_BYTES;

/// Bytes before an entry's own: id and length.
pub(crate) const ENTRY_HEAD_BYTES: usize = 12;

/// Longest contents: 24 million pages, some 1.5 TB of state.
pub(crate) const CONTENTS_BYTES_MAX: u64 = 1 << 30;

/// Most sections: a few for each projection and part of the state.
pub(crate) const SECTIONS_MAX: usize = 1_024;

/// Longest name of a section.
pub(crate) const NAME_BYTES_MAX: usize = 64;
