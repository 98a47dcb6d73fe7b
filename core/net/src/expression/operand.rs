//! A value during evaluation: borrowed wherever it can be.

use std::borrow::Cow;

use actum_model::{Unstorable, Value};

use super::budget::Budget;
use super::fault::Fault;

/// Scalars are unwrapped, so that `Ref` and `Owned` hold only decimals, bytes, times, lists and maps.
#[derive(Debug)]
pub(super) enum Operand<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Cow<'a, str>),
    Ref(&'a Value),
    Owned(Value),
}

impl<'a> Operand<'a> {
    #[inline]
    pub(super) fn borrowed(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Int(*number),
            Value::Double(number) => Self::Double(*number),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            other => Self::Ref(other),
        }
    }

    pub(super) fn owned(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Int(number) => Self::Int(number),
            Value::Double(number) => Self::Double(number),
            Value::String(text) => Self::Text(Cow::Owned(text)),
            other => Self::Owned(other),
        }
    }

    #[inline]
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The value behind `Ref` and `Owned`.
    pub(super) fn compound(&self) -> Option<&Value> {
        match self {
            Self::Ref(value) => Some(value),
            Self::Owned(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn kind_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Double(_) => "double",
            Self::Text(_) => "string",
            Self::Ref(value) => kind_name(value),
            Self::Owned(value) => kind_name(value),
        }
    }

    /// A value of its own, paid for.
    pub(super) fn into_value(self, budget: &Budget) -> Result<Value, Fault> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Int(number) => Value::Int(number),
            Self::Double(number) => Value::Double(number),
            Self::Text(text) => {
                budget.bytes(text.len())?;
                Value::String(text.into_owned())
            }
            Self::Ref(value) => {
                budget.value(value)?;
                value.clone()
            }
            Self::Owned(value) => value,
        })
    }

    /// A value that may be stored: finite, and not too deep.
    pub(super) fn into_stored(self, budget: &Budget) -> Result<Value, Fault> {
        // What was read from the scope was stored before.
        let fresh = !matches!(self, Self::Ref(_));
        let value = self.into_value(budget)?;
        if fresh {
            check_stored(&value)?;
        }
        Ok(value)
    }
}

/// Whether a value may be stored: finite numbers, and no deeper than the model allows.
pub(super) fn check_stored(value: &Value) -> Result<(), Fault> {
    value.check().map_err(|error| match error {
        Unstorable::TooDeep => Fault::TooDeep,
        Unstorable::NotFinite => Fault::NotFinite,
        _ => Fault::Overflow("decimal"),
    })
}

pub(super) fn kind_name(value: &Value) -> &'static str {
    crate::kind::ValueKind::of(value).map_or("null", crate::kind::ValueKind::name)
}
