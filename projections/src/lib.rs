//! Answers: one file for each question, each a fold of the log that is safe to read while it grows.
//!
//! Deliberately absent: how the log is stored, and any decision. State that decides lives in `core`.

mod audit;
mod cases;
mod compact;
mod dead_letters;
mod factory;
mod history;
#[cfg(feature = "snapshots")]
pub mod kit;
mod knowledge;
mod load;
mod nets;
mod paged;
mod people;
mod projection;
mod recorded;
mod runs;
mod saved;
mod statistics;
mod timers;
mod waits;
mod watermark;
mod worklist;

pub use actum_model::snapshot::wire;

pub use audit::{Audit, AuditQuestion, AuditRow};
pub use cases::{CaseRow, Cases};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use factory::{DuplicateName, Factory, Projections};
pub use history::{History, RecordedEvent, Until, feed};
pub use knowledge::Knowledge;
pub use load::{Load, Loads};
pub use projection::{Projection, RestoreError};
pub use recorded::{Fact, OfCase, Recorded};
pub use runs::{Run, runs};
pub use statistics::{Bucket, CaseCounts, Statistics, Throughput, WorkCounts};
pub use timers::{PendingTimer, PendingTimers, TimerFor};
pub use waits::{WaitRow, Waits};
pub use watermark::{Answered, Watermark};
pub use worklist::{Holder, WorkRow, Worklist};
