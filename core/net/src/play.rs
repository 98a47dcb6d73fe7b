//! How the environment of a simulated run behaves: people and signals.

use actum_model::{RoleIx, TaskIx, Value};

/// How simulated people behave: only for simulated runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Play {
    /// Who has which role, ascending by role.
    pub participants: Vec<(RoleIx, Vec<String>)>,
    /// What people give back, ascending by task.
    pub tasks: Vec<TaskPlay>,
    /// When signals come, ascending by name.
    pub signals: Vec<SignalPlay>,
}

/// How the simulated environment sends a signal, or a message with what it is to be about and without data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalPlay {
    /// The signal's name.
    pub signal: String,
    /// Shortest and longest time from when a task begins to wait for it, in minutes.
    pub minutes: (u32, u32),
}

/// How simulated people do one manual task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPlay {
    /// Which task.
    pub task: TaskIx,
    /// Shortest and longest time it takes, in minutes.
    pub minutes: (u32, u32),
    /// What comes back, chosen by weight; never empty.
    pub results: Vec<PlayResult>,
}

/// One result a simulated person may give.
#[derive(Debug, Clone, PartialEq)]
pub struct PlayResult {
    /// How often, relative to the other results; at least 1.
    pub weight: u32,
    /// What is given: a map that fits the task's form.
    pub result: Value,
}
