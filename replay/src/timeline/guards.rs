//! Guards with the values they saw: worked out again over the state before an event, by the net that the case pinned.

use actum_model::{Case, CaseEvent, Change, FrameId, Value, VariableIx};
use actum_net::{Net, Scope, Split};

use crate::names;

/// A flow of a task that completed, with its guard.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardSeen {
    /// The task.
    pub task: String,
    /// The condition that the flow leads to.
    pub to: String,
    /// The guard's text; `None` for the default flow.
    pub guard: Option<String>,
    /// What comes of it now.
    pub outcome: Outcome,
    /// Whether the log says that the flow was taken.
    pub taken: bool,
    /// What it read, by name, as it was; `result` is what the work gave back.
    pub saw: Vec<(String, Value)>,
}

/// What comes of a guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// A flow before it was taken already, and the split takes one.
    NotAsked,
    /// The default: taken when no guard holds.
    Default,
    /// It has no answer.
    Error(String),
}

impl GuardSeen {
    /// The log fits what comes of the guard.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        match self.outcome {
            Outcome::Holds => self.taken,
            Outcome::Fails | Outcome::NotAsked | Outcome::Error(_) => !self.taken,
            Outcome::Default => true,
        }
    }
}

/// The guards behind the flows that an event chose among; none, where it chose nothing.
pub(crate) fn guards(net: &Net, before: &Case, event: &CaseEvent) -> Vec<GuardSeen> {
    let result = match event {
        CaseEvent::WorkCompleted { result, .. } | CaseEvent::InstancesPassed { result, .. } => Some(result),
        CaseEvent::WorkSkipped { .. } => None,
        _ => return Vec::new(),
    };
    let Some((_, task)) = event.work() else { return Vec::new() };
    let Some(definition) = net.tasks.get(task.index()).filter(|task| task.split != Split::And) else {
        return Vec::new();
    };
    // An instance gives no tokens: its firing does.
    if event.produced().is_empty() {
        return Vec::new();
    }
    let frame = before.control.frame_of(event);
    let scope = Before { case: before, frame, changes: event.changes(), result };
    let mut any = false;
    let mut seen = Vec::with_capacity(definition.outputs.len());
    for flow in &definition.outputs {
        let mut saw = Vec::new();
        let outcome = match &flow.guard {
            _ if any && definition.split == Split::Xor => Outcome::NotAsked,
            None => Outcome::Default,
            Some(guard) => {
                let reads = guard.reads();
                let null = || Value::Null;
                let variable = |read: &VariableIx| {
                    let value = scope.variable(*read).cloned().unwrap_or_else(null);
                    (names::variable(Some(net), *read), value)
                };
                saw.extend(reads.variables.iter().map(variable));
                saw.extend(reads.result.then(|| ("result".to_owned(), result.cloned().unwrap_or_else(null))));
                match guard.eval(&scope) {
                    Ok(true) => Outcome::Holds,
                    Ok(false) => Outcome::Fails,
                    Err(error) => Outcome::Error(error.fault.to_string()),
                }
            }
        };
        any |= outcome == Outcome::Holds;
        seen.push(GuardSeen {
            task: names::task(Some(net), task),
            to: names::condition(Some(net), flow.to),
            guard: flow.guard.as_ref().map(|guard| guard.source().to_owned()),
            outcome,
            taken: event.produced().contains(&flow.to),
            saw,
        });
    }
    seen
}

/// What a guard saw: the data before the event, with the event's own changes on top.
struct Before<'a> {
    case: &'a Case,
    frame: FrameId,
    changes: &'a [Change],
    result: Option<&'a Value>,
}

impl Scope for Before<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        let changed = self.changes.iter().rev().find(|change| change.variable == variable);
        changed.map(|change| &change.value).or_else(|| self.case.variable_in(self.frame, variable))
    }

    fn result(&self) -> Option<&Value> {
        self.result
    }
}
