//! What a net can do: every state and every trace that [`decide`](crate::decide()) and `apply` allow, under a scenario.
//!
//! There is no second token game here. The explorer plays the environment: it takes, starts and completes work, lets happen
//! what the scenario supplies, and answers guards whose data nobody knows, each in every way ([`Scenario`]).
//!
//! - [`explore`] visits the states, once each, breadth first, and gives a [`Space`];
//! - [`Space::traces`] lists the traces of a view, shortest first, each once;
//! - [`soundness()`] says whether cases can always end, end properly, and whether every task can happen.
//!
//! What is left out: who does the work (somebody always may), what it costs in time, exception rules. What has bounds says
//! when a bound was met: [`Space::is_complete`].

mod abstraction;
mod canon;
mod counters;
mod graph;
mod growth;
mod marks;
mod oracle;
mod plan;
mod soundness;
mod space;
mod step;
mod store;
mod trace;

pub use graph::StepOf;
pub use soundness::{Finding, FindingKind, Soundness, soundness};
pub use space::{Ending, Space, explore};
pub use trace::{Followed, Outcome, Trace, Traces};

use actum_model::Rejection;
use actum_net::{Net, Scenario};

/// Most states that are visited, unless somebody says otherwise: about a second, and some hundred bytes each.
pub const STATES_MAX: usize = 200_000;

/// What of an exploration is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View {
    /// Starts and completions are two steps (`B+ B-`) and interleave; otherwise they are one (`B`).
    pub lifecycle: bool,
    /// Cancellations are shown: `B~` withdrawn before it started, `B!` stopped while it ran, `B#` discarded by completion.
    pub cancel: bool,
}

/// What to explore, and how far.
#[derive(Debug, Clone)]
pub struct Exploration<'a> {
    /// The net.
    pub net: &'a Net,
    /// What the environment does.
    pub scenario: &'a Scenario,
    /// What is shown; also whether starts and completions interleave.
    pub view: View,
    /// Most states that are visited.
    pub states_max: usize,
}

/// Why a net cannot be explored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExploreError {
    /// The scenario's input does not start a case.
    #[error("a case cannot be started with this input: {0}")]
    Start(Rejection),
}

/// Something that kept a way from being followed, and that the author should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What people call the task; empty if it is about no task.
    pub task: String,
    /// Stable code, such as `work/output` or `work/guard`.
    pub code: String,
    /// For people.
    pub message: String,
}
