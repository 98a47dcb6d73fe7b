//! The net: what a workflow's author writes, checked and compiled into what the kernel runs.
//!
//! [`compile`] reads YAML or JSON, reports *all* mistakes at once with their positions, and gives a [`Net`]: plain data in
//! ordinals, with compiled guards and templates, and a hash of its canonical form. [`Net::from_canonical`] makes the
//! same net again, years later, from the log.
//!
//! Deliberately absent: running it. No tokens, no clock, no I/O.

mod canonical;
mod check;
mod diagnostic;
mod expression;
mod kind;
mod net;
mod read;
mod source;
mod suggest;

pub use canonical::CanonicalError;
pub use diagnostic::{Code, Diagnostic, Severity};
pub use expression::{
    COST_MAX, EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EvalError, Expression, Fault, Guard, LOOP_DEPTH_MAX, Scope,
    Template,
};
pub use kind::{Misfit, ValueKind};
pub use net::{
    Condition, ConditionIx, Field, Flow, Join, Net, NetHash, Play, PlayResult, Role, RoleIx, Split, Task, TaskIx,
    TaskPlay, Variable, VariableIx, Work,
};
pub use source::{DEPTH_MAX, NET_BYTES_MAX};

/// The JSON Schema (draft 2020-12) of a net file, for editors.
pub const JSON_SCHEMA: &str = include_str!("../net.schema.json");

/// A net that may run, and what its author should know about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The compiled net.
    pub net: Net,
    /// Findings that do not keep it from running.
    pub warnings: Vec<Diagnostic>,
}

/// Reads and checks a net, in YAML or JSON.
///
/// Takes time and memory linear in the source, which may have at most [`NET_BYTES_MAX`] bytes.
///
/// # Errors
/// All findings, in the order of the source; at least one has [`Severity::Error`].
pub fn compile(source: &str) -> Result<Checked, Vec<Diagnostic>> {
    check::compile(source)
}
