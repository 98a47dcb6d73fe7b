//! CEL expressions: compiled once per net, evaluated under a cost limit, free of I/O.
//!
//! The `cel` crate parses; evaluation is this crate's own, over [`Value`] directly. It counts its cost (the crate's
//! interpreter cannot be stopped), copies nothing it only reads, knows decimals and points in time, and stays what it is when
//! the crate changes, as replay for ever must decide what was decided. A property test holds it to the crate's interpreter.

mod arithmetic;
mod budget;
mod compile;
mod comprehension;
mod eval;
mod fault;
mod function;
mod node;
mod operand;
#[cfg(test)]
mod oracle;
mod parse;
mod predicate;
mod query;
mod reads;
mod static_type;
mod template;

use actum_model::Value;

use crate::kind::ValueKind;
use crate::net::VariableIx;

pub(crate) use compile::{Names, ResultShape, compile};
pub use fault::{EvalError, Fault};
pub use predicate::{Predicate, PredicateError};
pub use query::Query;
pub use reads::Reads;
pub(crate) use static_type::StaticType;
pub use template::Template;
pub(crate) use template::{Part, Piece, Placeholders, Shape, has_placeholder};

use budget::Budget;
use eval::Env;
use node::Node;

/// Longest expression, in bytes of its text: room for any rule a person can review.
pub const EXPRESSION_BYTES_MAX: usize = 2_048;

/// Deepest nesting of an expression, so that evaluation needs a small, known stack.
pub const EXPRESSION_DEPTH_MAX: usize = 64;

/// Deepest nesting of `all`, `exists`, `map` and the like: the cost grows with this power of the data's size.
pub const LOOP_DEPTH_MAX: usize = 2;

/// Most work one evaluation may do, in steps: a node visited, or 16 bytes produced or compared. Some milliseconds.
pub const COST_MAX: u32 = 200_000;

/// What an expression may read. The caller resolves names to ordinals once, at compile time.
pub trait Scope {
    /// The value of a case variable; `None` if it was never set, which reads as null.
    fn variable(&self, variable: VariableIx) -> Option<&Value>;

    /// What the handler or person gave back: only when a task's output mapping is evaluated.
    fn result(&self) -> Option<&Value>;

    /// A value that is there only in some places; `None` elsewhere. [`crate::compile`] sees to it that no other place asks.
    fn given(&self, _name: Given) -> Option<&Value> {
        None
    }
}

/// A name that some expressions see, besides variables and `result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Given {
    /// The instance's element of the list: in `params`, `input` and `wait` of a task with `instances: { each }`.
    Each,
    /// The instance's number, from 0: in `params`, `input` and `wait` of a task with instances.
    Index,
    /// How many instances completed: in `until`.
    Completed,
    /// How many instances are not done: in `until`.
    Active,
    /// What the instances gave back, in the order of completion: in `until`, and in the output of a task with instances.
    Results,
    /// A participant: in the filters of `resources`.
    Who,
    /// What came with the message that starts a case: in the templates of `starts`.
    Message,
    /// The time at which the clock was to start a case: in the templates of `starts`.
    Due,
}

impl Given {
    /// The name in an expression.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Each => "each",
            Self::Index => "index",
            Self::Completed => "completed",
            Self::Active => "active",
            Self::Results => "results",
            Self::Who => "who",
            Self::Message => "message",
            Self::Due => "due",
        }
    }

    const fn kind(self) -> StaticType {
        match self {
            Self::Each | Self::Message => StaticType::Dynamic,
            Self::Due => StaticType::Known(ValueKind::Time),
            Self::Index | Self::Completed | Self::Active => StaticType::Known(ValueKind::Int),
            Self::Results => StaticType::Known(ValueKind::List),
            Self::Who => StaticType::Known(ValueKind::Map),
        }
    }
}

/// A compiled CEL expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    source: String,
    root: Node,
}

impl Expression {
    pub(crate) fn new(source: &str, root: Node) -> Self {
        Self { source: source.to_owned(), root }
    }

    /// The expression's text, as the author wrote it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Computes the value. Deterministic: the same scope gives the same answer, on every machine.
    ///
    /// # Errors
    /// See [`Fault`]. An error is never a value: the caller fails the work item.
    pub fn eval(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        let budget = Budget::new(COST_MAX);
        self.eval_within(scope, &budget)
    }

    pub(crate) fn eval_within(&self, scope: &dyn Scope, budget: &Budget) -> Result<Value, EvalError> {
        eval::eval(&self.root, &Env::new(scope, budget))
            .and_then(|operand| operand.into_stored(budget))
            .map_err(|fault| self.error(fault))
    }

    fn error(&self, fault: Fault) -> EvalError {
        EvalError { expression: self.source.clone(), fault }
    }
}

/// A compiled CEL condition on a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard(Expression);

impl Guard {
    pub(crate) fn new(expression: Expression) -> Self {
        Self(expression)
    }

    /// The guard's text, as the author wrote it.
    pub fn source(&self) -> &str {
        self.0.source()
    }

    /// Whether the guard holds.
    ///
    /// # Errors
    /// See [`Fault`]. A guard that errors, or is null, is an error: it never means false.
    pub fn eval(&self, scope: &dyn Scope) -> Result<bool, EvalError> {
        let mut steps = COST_MAX;
        self.eval_sharing(scope, &mut steps)
    }

    /// As [`Guard::eval`], with steps that many evaluations share: each takes off what it used, [`COST_MAX`] at most.
    ///
    /// # Errors
    /// As there; also when no steps are left.
    pub fn eval_sharing(&self, scope: &dyn Scope, steps: &mut u32) -> Result<bool, EvalError> {
        let given = COST_MAX.min(*steps);
        let budget = Budget::new(given);
        let outcome = eval::eval(&self.0.root, &Env::new(scope, &budget))
            .and_then(|operand| operand.as_bool().ok_or(Fault::NotBool { got: operand.kind_name() }))
            .map_err(|fault| self.0.error(fault));
        *steps -= given - budget.left();
        outcome
    }
}
