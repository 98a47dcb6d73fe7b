//! Multiple instances of one task, side by side.

use crate::expression::{Guard, Template};

/// Most instances one activation of a task may have: each is a work item in the case's state.
pub const INSTANCES_MAX: u32 = 10_000;

/// How many instances of a task's work there are, and when the task goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Instances {
    /// How many there are at first.
    pub count: InstanceCount,
    /// With fewer, the task fails. May be 0: then the task goes on at once when there are none.
    pub min: u32,
    /// With more, the task fails; none are added beyond. At most [`INSTANCES_MAX`].
    pub max: u32,
    /// Whether more may be added while it runs.
    pub add: bool,
    /// After how many completions the task goes on: all, if absent; 0 means at once. At most `max`.
    pub threshold: Option<u32>,
    /// The task goes on when it holds. Sees `completed`, `active` and `results`.
    pub until: Option<Guard>,
    /// What becomes of the others when the task goes on.
    pub rest: InstanceRest,
}

/// How many instances there are at first.
#[derive(Debug, Clone, PartialEq)]
pub enum InstanceCount {
    /// So many: an integer.
    Count(Template),
    /// One for each element of a list, which it sees as `each`.
    Each(Template),
}

/// What becomes of the other instances when the task goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum InstanceRest {
    /// They run on; the task stays busy until all are done.
    #[default]
    Run,
    /// They are cancelled.
    Cancel,
}
