//! Answers of a scenario in place of data: for those who ask what a net can do, whatever its data.

use std::fmt;

use actum_model::TaskIx;

/// Answers instead of evaluating. `None` leaves the question to the data, as always in production.
///
/// A decision asks in the order in which it evaluates, and for each evaluation once.
pub trait Oracle: fmt::Debug {
    /// Whether the guard on a task's flow (its place among the outputs) holds.
    fn guard(&self, task: TaskIx, flow: usize) -> Option<bool>;

    /// How many instances a task begins with.
    fn count(&self, task: TaskIx) -> Option<u32>;

    /// Whether a task with multiple instances goes on now.
    fn until(&self, task: TaskIx) -> Option<bool>;
}
