//! What can be chosen when a store is opened, and the limits that cannot.

use std::path::PathBuf;

/// Bytes of frames gathered in memory before they are flushed to a table and a blob file.
/// Large enough that a flush's four syncs are rare (one in about 300 blocks of 100 KiB), small enough for a laptop.
pub(crate) const MEMTABLE_BYTES: u64 = 32 * 1024 * 1024;

/// Full memtables that may wait for their flush; a commit waits beyond that. With the one that is being filled, memory
/// is at most (this + 1) memtables and one commit. fjall itself would sleep 100 ms at a time from four on.
pub(crate) const SEALED_MEMTABLES_MAX: usize = 2;

/// Cache for blocks and frames that were read. The index of a log is small: an entry of about 50 bytes for each frame.
pub(crate) const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Flushing needs one; the second lets a journal rotate and the small index compact while a flush syncs.
pub(crate) const WORKER_THREADS: usize = 2;

/// Journal bytes beyond which fjall forces flushes. We flush long before; this only bounds the disk.
pub(crate) const JOURNALS_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// No value goes to a blob file. fjall 3.1 syncs a new blob file, but not the directory that it is in, before the manifest names
/// it: where a file system keeps no such promise, a power loss then leaves a store that cannot be read (decision 0009).
pub(crate) const SEPARATION_BYTES: u32 = u32::MAX;

/// File descriptors that fjall keeps open; a blob file holds 64 MiB.
pub(crate) const CACHED_FILES_MAX: usize = 256;

/// Attempts of [`crate::read`] while a running engine changes the store under it.
pub(crate) const READ_ATTEMPTS: usize = 8;

/// Whether opening for writing is tried on a scratch copy first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rehearsal {
    /// Open a scratch copy, check it, and only then open the store. fjall truncates journals and deletes directories
    /// that it thinks are leftovers, so damage is found before it is made worse. Costs a copy of the journals.
    #[default]
    Always,
    /// Open the store at once: when the caller has just checked a copy, or the log can be thrown away.
    Never,
}

/// What can be chosen when a store is created or opened for writing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Bytes of frames gathered in memory before they are flushed; memory for writing is at most about three times this
    /// and one commit. Default 32 MiB.
    pub memtable_bytes: u64,
    /// Bytes of cache for reading. Default 16 MiB.
    pub cache_bytes: u64,
    /// Threads for flushing and compaction, at least 1. Default 2.
    pub worker_threads: usize,
    /// Whether opening is tried on a scratch copy first. Default `Always`.
    pub rehearsal: Rehearsal,
    /// Directory for the rehearsal's scratch copy, best on the log's file system. Default: the data directory.
    pub scratch_root: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memtable_bytes: MEMTABLE_BYTES,
            cache_bytes: CACHE_BYTES,
            worker_threads: WORKER_THREADS,
            rehearsal: Rehearsal::default(),
            scratch_root: None,
        }
    }
}
