//! Answers: one file for each question, each a fold of the log that is safe to read while it grows.
//!
//! Deliberately absent: how the log is stored, and any decision. State that decides lives in `core`.

mod cases;
mod waits;
mod watermark;
mod worklist;

pub use cases::{CaseRow, Cases};
pub use waits::{WaitRow, Waits};
pub use watermark::Watermark;
pub use worklist::{Holder, WorkRow, Worklist};

use actum_model::{CaseEvent, CaseId, Meta, NetHash};

/// A case's event as projections see it.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The case.
    pub case: CaseId,
    /// The net it runs.
    pub net: NetHash,
    /// The business key; only with the event that starts the case.
    pub key: Option<&'a str>,
    /// The event leaves an item waiting for a signal, a time, or for somebody to say who is asked to do it.
    pub waits: bool,
    /// Where and when.
    pub meta: &'a Meta,
    /// What happened.
    pub event: &'a CaseEvent,
}

/// A fold of the log that answers a question. Events come in the order of the log, from one thread; readers are many.
pub trait Projection: Send + Sync {
    /// Takes in the next event.
    fn apply(&self, recorded: &Recorded<'_>);
}
