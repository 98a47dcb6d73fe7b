//! The types of case variables and form fields.

use std::fmt;

use actum_model::{Decimal, Time, Value};

/// What a case variable or a form field may hold.
///
/// A variable that was never set holds [`Value::Null`], whatever its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ValueKind {
    /// Any value.
    Any,
    /// True or false.
    Bool,
    /// A 64-bit signed integer.
    Int,
    /// A binary floating-point number.
    Double,
    /// An exact decimal number.
    Decimal,
    /// Text.
    String,
    /// Bytes.
    Bytes,
    /// A point in time.
    Time,
    /// An ordered list of anything.
    List,
    /// A map from text to anything.
    Map,
}

impl ValueKind {
    /// Every kind, in the order the documentation lists them.
    pub const ALL: [Self; 10] = [
        Self::Any,
        Self::Bool,
        Self::Int,
        Self::Double,
        Self::Decimal,
        Self::String,
        Self::Bytes,
        Self::Time,
        Self::List,
        Self::Map,
    ];

    /// The name a net file uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Double => "double",
            Self::Decimal => "decimal",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Time => "time",
            Self::List => "list",
            Self::Map => "map",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of a value; `None` for null, which fits every variable.
    pub fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Bool(_) => Self::Bool,
            Value::Int(_) => Self::Int,
            Value::Double(_) => Self::Double,
            Value::Decimal(_) => Self::Decimal,
            Value::String(_) => Self::String,
            Value::Bytes(_) => Self::Bytes,
            Value::Time(_) => Self::Time,
            Value::List(_) => Self::List,
            Value::Map(_) => Self::Map,
            _ => return None,
        })
    }

    /// Whether a value may be stored as it is. Null always may: it means "not set".
    pub fn accepts(self, value: &Value) -> bool {
        self == Self::Any || Self::of(value).is_none_or(|kind| kind == self)
    }
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A value that does not fit a kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, got {got}")]
pub struct Misfit {
    /// What was declared.
    pub expected: ValueKind,
    /// The kind of what was given.
    pub got: &'static str,
}

impl ValueKind {
    /// Makes a value, as JSON and forms give it, into one of this kind, without loss: text becomes a time (RFC 3339) or
    /// a decimal, an integer becomes a double or a decimal. Everything else must fit as it is; null always does.
    ///
    /// # Errors
    /// [`Misfit`], when that is not possible.
    pub fn admit(self, value: Value) -> Result<Value, Misfit> {
        /// Integers up to here are doubles without loss.
        const EXACT_MAX: u64 = 1 << 53;
        let converted = match (self, &value) {
            (Self::Double, Value::Int(number)) if number.unsigned_abs() <= EXACT_MAX => {
                #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
                let number = *number as f64;
                Some(Value::Double(number))
            }
            (Self::Decimal, Value::Int(number)) => Some(Value::Decimal(Decimal { mantissa: *number, scale: 0 })),
            (Self::Decimal, Value::String(text)) => text.parse().ok().map(Value::Decimal),
            (Self::Time, Value::String(text)) => time_from_text(text).map(Value::Time),
            _ => None,
        };
        match converted {
            Some(converted) => Ok(converted),
            None if self.accepts(&value) => Ok(value),
            None => Err(Misfit { expected: self, got: Self::of(&value).map_or("null", Self::name) }),
        }
    }
}

/// Reads an RFC 3339 point in time, from 1970 on.
pub(crate) fn time_from_text(text: &str) -> Option<Time> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_nanosecond()).ok().map(Time)
}
