//! Why an evaluation has no answer.

use thiserror::Error;

/// An expression that could not be evaluated. The task, or the choice of a flow, fails; nothing is assumed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{expression}`: {fault}")]
pub struct EvalError {
    /// The expression's text.
    pub expression: String,
    /// What went wrong.
    pub fault: Fault,
}

impl EvalError {
    /// A stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        self.fault.code()
    }
}

/// What can go wrong in an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// An operator or function does not take values of these types.
    #[error("{operation} does not take {got}")]
    Type {
        /// The operator or function.
        operation: &'static str,
        /// The types it was given.
        got: String,
    },
    /// A guard, or an operand of a logical operator, is not a truth value. Variables that were never set are null.
    #[error("expected bool, got {got}")]
    NotBool {
        /// The type it was given.
        got: &'static str,
    },
    /// A map has no such key.
    #[error("no such key: {0}")]
    NoSuchKey(String),
    /// A list has no such place.
    #[error("index out of bounds: {0}")]
    OutOfBounds(i64),
    /// A number does not fit 64 bits, or a decimal does not fit its 18 places.
    #[error("{0}: the number does not fit")]
    Overflow(&'static str),
    /// Division, or remainder, by the integer zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A text cannot be read as the type asked for.
    #[error("{function}: cannot read {text:?}")]
    Unreadable {
        /// The conversion.
        function: &'static str,
        /// The text, shortened.
        text: String,
    },
    /// The keys of a map have no order, so a net may not iterate over them.
    #[error("{0} cannot iterate over a map")]
    MapIteration(&'static str),
    /// The evaluation would take too long. See [`crate::COST_MAX`].
    #[error("the expression costs too much on this data")]
    TooCostly,
    /// The value is nested deeper than [`actum_model::Value::DEPTH_MAX`].
    #[error("the value is nested too deep")]
    TooDeep,
    /// The value is a NaN or an infinity, which cannot be stored.
    #[error("the number is not finite")]
    NotFinite,
}

impl Fault {
    /// A stable name of the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Type { .. } => "eval/type",
            Self::NotBool { .. } => "eval/not-bool",
            Self::NoSuchKey(_) => "eval/no-such-key",
            Self::OutOfBounds(_) => "eval/out-of-bounds",
            Self::Overflow(_) => "eval/overflow",
            Self::DivisionByZero => "eval/division-by-zero",
            Self::Unreadable { .. } => "eval/unreadable",
            Self::MapIteration(_) => "eval/map-iteration",
            Self::TooCostly => "eval/too-costly",
            Self::TooDeep => "eval/too-deep",
            Self::NotFinite => "eval/not-finite",
        }
    }
}
