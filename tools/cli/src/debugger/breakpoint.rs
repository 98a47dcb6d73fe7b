//! Where going on stops.

use std::fmt;

use actum_replay::timeline::{Condition, Cursor};
use actum_replay::{LoggedEvent, ReplayError};

/// What to stop at.
#[derive(Debug, Clone)]
pub(crate) enum Breakpoint {
    /// An event about work of a task.
    Task(String),
    /// An event of a kind.
    Kind(String),
    /// A condition becomes true.
    When(Condition),
}

impl Breakpoint {
    /// Reads `task NAME`, `kind NAME` or a condition.
    pub(crate) fn parse(text: &str, net: Option<&actum_net::Net>) -> Result<Self, String> {
        let text = text.trim();
        if let Some(task) = text.strip_prefix("task ") {
            let task = task.trim();
            let known = net.is_none_or(|net| net.task_labelled(task).is_some());
            return if known {
                Ok(Breakpoint::Task(task.to_owned()))
            } else {
                Err(format!("no task is called {task}"))
            };
        }
        if let Some(kind) = text.strip_prefix("kind ") {
            return Ok(Breakpoint::Kind(kind.trim().to_owned()));
        }
        let net = net.ok_or("the log does not have the net that a condition is about")?;
        Condition::compile(text, net).map(Breakpoint::When).map_err(|error| match error {
            ReplayError::Condition { reason } => reason,
            other => other.to_string(),
        })
    }

    /// Whether to stop after the event that led to `cursor`. A condition must not have held before.
    pub(crate) fn stops(&self, cursor: &Cursor<'_>, before: Option<&Cursor<'_>>, task: Option<&str>) -> bool {
        let Some(event) = cursor.event() else { return false };
        match self {
            Breakpoint::Task(name) => task == Some(name),
            Breakpoint::Kind(kind) => kind_of(event).eq_ignore_ascii_case(kind),
            // Where it has no answer, it does not hold: most data is not there yet in the beginning.
            Breakpoint::When(condition) => {
                let holds = |cursor: &Cursor<'_>| cursor.holds(condition).unwrap_or(false);
                holds(cursor) && !before.is_some_and(holds)
            }
        }
    }
}

fn kind_of(event: &LoggedEvent) -> &'static str {
    event.kind()
}

impl fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breakpoint::Task(task) => write!(f, "task {task}"),
            Breakpoint::Kind(kind) => write!(f, "kind {kind}"),
            Breakpoint::When(condition) => f.write_str(condition.source()),
        }
    }
}
