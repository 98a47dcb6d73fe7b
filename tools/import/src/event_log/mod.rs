//! Event logs of other systems, trace by trace: XES and CSV. Text in, traces out; whoever calls has the file.

mod csv;
mod lines;
mod xes;

pub use csv::{CsvLog, ROW_BYTES_MAX};
pub use xes::XesLog;

/// Most bytes of one tag or text in an event log.
pub const TOKEN_BYTES_MAX: usize = 16 << 20;
/// Most events of one trace.
pub const TRACE_EVENTS_MAX: usize = 10_000_000;
/// Deepest nesting of elements in an event log: attributes may have attributes.
pub const LOG_DEPTH_MAX: usize = 64;

/// A trace: what happened in one case, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignTrace {
    /// The case's name, if it has one.
    pub name: Option<String>,
    /// Its events.
    pub events: Vec<ForeignEvent>,
}

/// An event of a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignEvent {
    /// The activity (`concept:name`).
    pub activity: String,
    /// The step in its lifecycle (`lifecycle:transition`), if the log says it.
    pub transition: Option<String>,
}

impl ForeignEvent {
    /// The activity is over and done by this event: that is what a log without lifecycle means, too.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let done = ["complete", "autoskip", "manualskip"];
        self.transition.as_ref().is_none_or(|word| done.iter().any(|done| word.eq_ignore_ascii_case(done)))
    }
}

/// Why an event log could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventLogError {
    /// It is not what it should be.
    #[error("line {line}: {message}")]
    Malformed {
        /// Where, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// The bytes did not come.
    #[error("it cannot be read")]
    Read(#[source] std::io::Error),
}
