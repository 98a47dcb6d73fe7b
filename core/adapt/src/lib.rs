//! What the engine knows of how work goes: timings and outcomes of tasks, resources and nets, as sketches that merge.
//!
//! A fold of the log: no clock, no randomness, no I/O. Deliberately absent: any decision that follows from it.

mod knowledge;
mod sketch;

pub use knowledge::{CaseOutcomes, Knowledge, NetKnowledge, Outcomes, Timings, WorkKnowledge};
pub use sketch::Sketch;
