//! Facts about saved state.

/// Something about saved state, which spares folding the log (FORMAT.md section 14).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedEvent {
    /// State was saved beside the log. Only a file with this hash is believed.
    Saved {
        /// Events that the state is a fold of.
        size: u64,
        /// The file's hash.
        hash: [u8; 32],
        /// The file's length.
        bytes: u64,
        /// Streams that the log had then, the blocks' left out.
        streams: u64,
        /// Root of the table that says where each of them stood (FORMAT.md section 12).
        root: [u8; 32],
    },
    /// The log was opened, and there was saved state.
    Recovered {
        /// Events that the saved state spared reading; 0 if the whole log was folded.
        size: u64,
        /// Hash of the file that was used; zero if there was none to use.
        hash: [u8; 32],
        /// Events that were read, re-hashed and folded.
        reread: u64,
        /// Files that were not believed, newest first: size and why.
        passed_over: Vec<(u64, String)>,
    },
}

impl SavedEvent {
    /// Its stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            SavedEvent::Saved { .. } => "StateSaved",
            SavedEvent::Recovered { .. } => "StateRecovered",
        }
    }
}
