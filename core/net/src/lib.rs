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
pub mod document;
mod exception;
mod expression;
mod instances;
mod kind;
mod net;
mod organisation;
mod places;
mod play;
mod policy;
mod read;
mod resourcing;
mod scenario;
mod source;
mod start;
mod suggest;
mod wait;

pub use canonical::CanonicalError;
pub use check::{NESTING_MAX, NODES_MAX, SUBNETS_MAX, TOKENS_MAX};
pub use diagnostic::{Code, Diagnostic, Severity};
pub use exception::{Answer, AnswerScope, ExceptionRule, ExceptionTrigger, TimeoutFrom};
pub use expression::{
    COST_MAX, EXPRESSION_BYTES_MAX, EXPRESSION_DEPTH_MAX, EvalError, Expression, Fault, Given, Guard, LOOP_DEPTH_MAX,
    Predicate, PredicateError, Query, Reads, Scope, Template,
};
pub use instances::{INSTANCES_MAX, InstanceCount, InstanceRest, Instances};
pub use kind::{Misfit, ValueKind};
pub use net::{
    Condition, ConditionIx, Field, Flow, Join, Net, NetHash, Region, Rest, Role, RoleIx, Split, Subnet, SubnetIx, Task,
    TaskIx, Trigger, Variable, VariableIx, Work,
};
pub use organisation::{ORGANISATION_SCHEMA, Organisation, organisation};
pub use places::Places;
pub use play::{Play, PlayResult, SignalPlay, TaskPlay};
pub use policy::{
    ATTEMPTS_MAX, Backoff, Breaker, CodePattern, Gate, GateKind, NetPolicies, OnError, PRIORITY_MAX, Policies, Pool,
    Retry, Timeout, WAITING_DEFAULT,
};
pub use resourcing::{Allocate, By, Operation, Operations, Resourcing, Strategy, Who};
pub use scenario::{EventSupply, Happening, SCENARIO_SCHEMA, Scenario, TimesBound, Visits, scenario};
pub use source::{DEPTH_MAX, NET_BYTES_MAX};
pub use start::{CatchUp, Start, StartBy, StartScope, Times, key_text};
pub use wait::{Wait, WaitError, due_after, duration};

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
