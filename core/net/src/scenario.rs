//! Scenarios: what the environment of a net does while the net is explored. `SCENARIO.md` beside this crate explains them.

use std::collections::BTreeMap;

use actum_model::Value;

use crate::diagnostic::Diagnostic;
use crate::net::{Net, TaskIx};
use crate::source::{Findings, parse};

/// The JSON Schema (draft 2020-12) of a scenario file, for editors.
pub const SCENARIO_SCHEMA: &str = include_str!("../scenario.schema.json");

/// What the environment does: which data there is, which choices are made, what happens from outside. What a scenario does
/// not say is free: every choice is explored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scenario {
    /// What the case is started with. `None`: inputs are not known.
    pub input: Option<BTreeMap<String, Value>>,
    /// What tasks give back, ascending by task. Without an entry the result is not known.
    pub results: Vec<(TaskIx, Visits<Value>)>,
    /// Which flows splits choose, as ascending places in [`crate::Task::outputs`], ascending by task.
    pub choices: Vec<(TaskIx, Visits<Vec<usize>>)>,
    /// How often flows of splits may be chosen in one case, ascending by task and place in [`crate::Task::outputs`].
    pub bounds: Vec<TimesBound>,
    /// How many instances a task begins with, ascending by task.
    pub instances: Vec<(TaskIx, Visits<u32>)>,
    /// What happens from outside, in the order of the file.
    pub events: Vec<EventSupply>,
}

/// What is possible at the first, second, ... time: alternatives for each. The last entry holds for all later times, too.
/// Never empty, nor is any entry.
pub type Visits<T> = Vec<Vec<T>>;

/// A flow of a split that may be chosen only so often in one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimesBound {
    /// The task that splits.
    pub task: TaskIx,
    /// Place in [`crate::Task::outputs`].
    pub flow: usize,
    /// At most so often.
    pub times: u32,
}

/// Something that may happen from outside, at any time at which it is possible.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSupply {
    /// What traces call it.
    pub label: String,
    /// What happens.
    pub what: Happening,
    /// At most so often in one case; at least 1.
    pub count: u32,
}

/// What may happen from outside.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Happening {
    /// The case is cancelled.
    CancelCase,
    /// A task's item is cancelled, with all instances of a task that has many.
    CancelWork(TaskIx),
    /// A task with instances is completed by force.
    CompleteInstances(TaskIx),
    /// A task with instances gets one more.
    AddInstance(TaskIx),
    /// A task's running item fails.
    FailWork(TaskIx),
    /// A signal comes.
    Signal {
        /// Its name.
        name: String,
        /// What it brings.
        data: Value,
    },
}

/// Reads a scenario for a net, in YAML or JSON.
///
/// # Errors
/// All findings, in the order of the source.
pub fn scenario(source: &str, net: &Net) -> Result<Scenario, Vec<Diagnostic>> {
    let mut findings = Findings::new(source);
    let scenario = parse(&mut findings).and_then(|root| crate::read::scenario::read(&root, net, &mut findings));
    let failed = findings.has_errors();
    match scenario {
        Some(scenario) if !failed => Ok(scenario),
        _ => Err(findings.into_sorted()),
    }
}
