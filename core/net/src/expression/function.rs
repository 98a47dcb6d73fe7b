//! Functions: those of CEL's standard library that a value model without `uint`, `duration` and `type` has, and four more
//! (`decimal`, `timestamp`, `sum`, and `size` on everything that has one).

use std::borrow::Cow;

use actum_model::{Decimal, Value};

use super::arithmetic::arithmetic;
use super::eval::{Env, eval, type_fault};
use super::fault::Fault;
use super::node::{Arithmetic, Node};
use super::operand::{Operand, kind_name};
use super::static_type::StaticType;
use super::template::scalar_text;
use crate::kind::{ValueKind, time_from_text};

/// Longest text quoted in an error.
const QUOTED_CHARS_MAX: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Size,
    Contains,
    StartsWith,
    EndsWith,
    String,
    Int,
    Double,
    Bool,
    Decimal,
    Timestamp,
    Sum,
}

impl Function {
    pub(super) const ALL: [Self; 11] = [
        Self::Size,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::String,
        Self::Int,
        Self::Double,
        Self::Bool,
        Self::Decimal,
        Self::Timestamp,
        Self::Sum,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::String => "string",
            Self::Int => "int",
            Self::Double => "double",
            Self::Bool => "bool",
            Self::Decimal => "decimal",
            Self::Timestamp => "timestamp",
            Self::Sum => "sum",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }

    /// How many arguments it takes, the receiver included, and whether it is called as `x.f()`, as `f(x)`, or both.
    pub(super) const fn call_style(self) -> (usize, CallStyle) {
        match self {
            Self::Size => (1, CallStyle::Both),
            Self::Contains | Self::StartsWith | Self::EndsWith => (2, CallStyle::Method),
            Self::Sum => (1, CallStyle::Method),
            _ => (1, CallStyle::Global),
        }
    }

    /// Which kinds the first argument may have; none means any.
    pub(super) const fn takes(self) -> &'static [ValueKind] {
        match self {
            Self::Size => &[ValueKind::String, ValueKind::Bytes, ValueKind::List, ValueKind::Map],
            Self::Contains | Self::StartsWith | Self::EndsWith => &[ValueKind::String],
            Self::Sum => &[ValueKind::List],
            Self::Bool => &[ValueKind::Bool, ValueKind::String],
            Self::Timestamp => &[ValueKind::Time, ValueKind::String],
            Self::Decimal => &[ValueKind::Decimal, ValueKind::Int, ValueKind::String],
            Self::Int => &[ValueKind::Int, ValueKind::Double, ValueKind::Decimal, ValueKind::String, ValueKind::Time],
            Self::Double => &[ValueKind::Int, ValueKind::Double, ValueKind::Decimal, ValueKind::String],
            Self::String => &[],
        }
    }

    pub(super) const fn gives(self) -> StaticType {
        StaticType::Known(match self {
            Self::Size | Self::Int => ValueKind::Int,
            Self::Contains | Self::StartsWith | Self::EndsWith | Self::Bool => ValueKind::Bool,
            Self::String => ValueKind::String,
            Self::Double => ValueKind::Double,
            Self::Decimal => ValueKind::Decimal,
            Self::Timestamp => ValueKind::Time,
            Self::Sum => return StaticType::Dynamic,
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallStyle {
    Global,
    Method,
    Both,
}

pub(super) fn call<'a>(function: Function, arguments: &'a [Node], env: &Env<'a>) -> Result<Operand<'a>, Fault> {
    let Some((first, rest)) = arguments.split_first() else { return Err(type_fault(function.name(), &["nothing"])) };
    let first = eval(first, env)?;
    match function {
        Function::Size => size(&first, env),
        Function::Contains | Function::StartsWith | Function::EndsWith => {
            let second = rest.first().map_or(Ok(Operand::Null), |second| eval(second, env))?;
            search(function, &first, &second, env)
        }
        Function::String => string(first, env),
        Function::Int => int(&first),
        Function::Double => double(&first),
        Function::Bool => match &first {
            Operand::Bool(truth) => Ok(Operand::Bool(*truth)),
            Operand::Text(text) => match text.as_ref() {
                "1" | "t" | "true" | "TRUE" | "True" => Ok(Operand::Bool(true)),
                "0" | "f" | "false" | "FALSE" | "False" => Ok(Operand::Bool(false)),
                text => Err(unreadable("bool", text)),
            },
            other => Err(type_fault("bool", &[other.kind_name()])),
        },
        Function::Decimal => decimal(&first),
        Function::Timestamp => match (&first, first.compound()) {
            (Operand::Text(text), _) => {
                let time = time_from_text(text).ok_or_else(|| unreadable("timestamp", text))?;
                Ok(Operand::Owned(Value::Time(time)))
            }
            (_, Some(Value::Time(time))) => Ok(Operand::Owned(Value::Time(*time))),
            _ => Err(type_fault("timestamp", &[first.kind_name()])),
        },
        Function::Sum => sum(&first, env),
    }
}

fn unreadable(function: &'static str, text: &str) -> Fault {
    Fault::Unreadable { function, text: text.chars().take(QUOTED_CHARS_MAX).collect() }
}

#[expect(clippy::cast_possible_wrap, reason = "sizes in memory fit")]
fn size<'a>(operand: &Operand<'_>, env: &Env<'_>) -> Result<Operand<'a>, Fault> {
    let size = match (operand, operand.compound()) {
        (Operand::Text(text), _) => {
            env.budget.bytes(text.len())?;
            text.chars().count()
        }
        (_, Some(Value::Bytes(bytes))) => bytes.len(),
        (_, Some(Value::List(items))) => items.len(),
        (_, Some(Value::Map(entries))) => entries.len(),
        _ => return Err(type_fault("size", &[operand.kind_name()])),
    };
    Ok(Operand::Int(size as i64))
}

fn search<'a>(function: Function, text: &Operand<'_>, part: &Operand<'_>, env: &Env<'_>) -> Result<Operand<'a>, Fault> {
    let (Operand::Text(text), Operand::Text(part)) = (text, part) else {
        return Err(type_fault(function.name(), &[text.kind_name(), part.kind_name()]));
    };
    env.budget.bytes(text.len() + part.len())?;
    Ok(Operand::Bool(match function {
        Function::StartsWith => text.starts_with(part.as_ref()),
        Function::EndsWith => text.ends_with(part.as_ref()),
        _ => text.contains(part.as_ref()),
    }))
}

fn string<'a>(operand: Operand<'a>, env: &Env<'_>) -> Result<Operand<'a>, Fault> {
    match operand {
        Operand::Text(text) => Ok(Operand::Text(text)),
        Operand::Bool(_) | Operand::Int(_) | Operand::Double(_) => {
            operand.into_value(env.budget).map(|value| Operand::Text(Cow::Owned(scalar_text(&value))))
        }
        other => match other.compound() {
            Some(value @ (Value::Decimal(_) | Value::Time(_))) => Ok(Operand::Text(Cow::Owned(scalar_text(value)))),
            Some(Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Operand::Text(Cow::Owned(text.to_owned()))),
                Err(_) => Err(unreadable("string", "bytes that are not UTF-8")),
            },
            _ => Err(type_fault("string", &[other.kind_name()])),
        },
    }
}

fn int<'a>(operand: &Operand<'_>) -> Result<Operand<'a>, Fault> {
    /// 2^63; CEL takes neither bound.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    Ok(Operand::Int(match (operand, operand.compound()) {
        (Operand::Int(number), _) => *number,
        (Operand::Double(number), _) if *number > -LIMIT && *number < LIMIT => *number as i64,
        (Operand::Double(_), _) => return Err(Fault::Overflow("int")),
        (Operand::Text(text), _) => text.parse().map_err(|_| unreadable("int", text))?,
        (_, Some(Value::Decimal(decimal))) => {
            // Towards zero, as from a double.
            decimal.mantissa / 10_i64.checked_pow(u32::from(decimal.scale)).ok_or(Fault::Overflow("int"))?
        }
        (_, Some(Value::Time(time))) => (time.0 / 1_000_000_000).cast_signed(),
        _ => return Err(type_fault("int", &[operand.kind_name()])),
    }))
}

#[expect(clippy::cast_precision_loss, reason = "CEL's double() rounds to the nearest")]
fn double<'a>(operand: &Operand<'_>) -> Result<Operand<'a>, Fault> {
    Ok(Operand::Double(match (operand, operand.compound()) {
        (Operand::Int(number), _) => *number as f64,
        (Operand::Double(number), _) => *number,
        (Operand::Text(text), _) => text.parse().map_err(|_| unreadable("double", text))?,
        // Through text, which rounds once.
        (_, Some(value @ Value::Decimal(_))) => scalar_text(value).parse().map_err(|_| Fault::Overflow("double"))?,
        _ => return Err(type_fault("double", &[operand.kind_name()])),
    }))
}

fn decimal<'a>(operand: &Operand<'_>) -> Result<Operand<'a>, Fault> {
    let decimal = match (operand, operand.compound()) {
        (Operand::Int(number), _) => Decimal { mantissa: *number, scale: 0 },
        (Operand::Text(text), _) => text.parse().map_err(|_| unreadable("decimal", text))?,
        (_, Some(Value::Decimal(decimal))) => *decimal,
        _ => return Err(type_fault("decimal", &[operand.kind_name()])),
    };
    Ok(Operand::Owned(Value::Decimal(decimal)))
}

/// The sum of a list of numbers of one type, in the list's order; 0 for an empty one.
fn sum<'a>(operand: &Operand<'_>, env: &Env<'_>) -> Result<Operand<'a>, Fault> {
    let Some(Value::List(items)) = operand.compound() else {
        return Err(type_fault("sum", &[operand.kind_name()]));
    };
    let mut total: Option<Value> = None;
    for item in items {
        env.budget.step()?;
        if !matches!(item, Value::Int(_) | Value::Double(_) | Value::Decimal(_)) {
            return Err(Fault::Type { operation: "sum", got: format!("a list with {}", kind_name(item)) });
        }
        total = Some(match &total {
            None => item.clone(),
            Some(total) => {
                let sum = arithmetic(Arithmetic::Add, Operand::borrowed(total), Operand::borrowed(item), env.budget)?;
                sum.into_value(env.budget)?
            }
        });
    }
    Ok(Operand::owned(total.unwrap_or(Value::Int(0))))
}
