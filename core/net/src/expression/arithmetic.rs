//! Operators, with CEL's rules; decimals and points in time added.
//!
//! Integers are checked, never wrapped. Integers and doubles compare, but do not mix in arithmetic. Decimals mix with
//! decimals and integers, exactly, and never with doubles: `double(x)` or `decimal("1.5")` says what is meant.

use std::borrow::Cow;
use std::cmp::Ordering;

use actum_model::{Decimal, Value};

use super::budget::Budget;
use super::eval::type_fault;
use super::fault::Fault;
use super::node::{Arithmetic, Comparison};
use super::operand::Operand;

/// CEL's `==`: numbers compare by value, different types are unequal.
pub(super) fn equal(left: &Operand<'_>, right: &Operand<'_>, budget: &Budget) -> Result<bool, Fault> {
    Ok(match (left, right) {
        (Operand::Null, Operand::Null) => true,
        (Operand::Bool(left), Operand::Bool(right)) => left == right,
        (Operand::Int(left), Operand::Int(right)) => left == right,
        (Operand::Text(left), Operand::Text(right)) => {
            budget.bytes(left.len().min(right.len()))?;
            left == right
        }
        (Operand::Int(_) | Operand::Double(_), Operand::Int(_) | Operand::Double(_)) => {
            order_numbers(left, right) == Some(Ordering::Equal)
        }
        _ => match (left.compound(), right.compound()) {
            (Some(left), Some(right)) => equal_compounds(left, right, budget)?,
            (Some(Value::Decimal(_)), None) | (None, Some(Value::Decimal(_))) => {
                if matches!(left, Operand::Double(_)) || matches!(right, Operand::Double(_)) {
                    return Err(type_fault("==", &[left.kind_name(), right.kind_name()]));
                }
                order_decimals(left, right) == Some(Ordering::Equal)
            }
            _ => false,
        },
    })
}

fn equal_compounds(left: &Value, right: &Value, budget: &Budget) -> Result<bool, Fault> {
    let same = |left, right| {
        budget.step()?;
        equal(&Operand::borrowed(left), &Operand::borrowed(right), budget)
    };
    match (left, right) {
        (Value::List(left), Value::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right) {
                if !same(left, right)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(left), Value::Map(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, value) in left {
                match right.get(key) {
                    Some(other) if same(value, other)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Value::Decimal(left), Value::Decimal(right)) => Ok(aligned(*left).cmp(&aligned(*right)).is_eq()),
        (Value::Bytes(left), Value::Bytes(right)) => {
            budget.bytes(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::Time(left), Value::Time(right)) => Ok(left == right),
        _ => Ok(false),
    }
}

#[expect(clippy::cast_precision_loss, reason = "CEL compares integers with doubles as doubles")]
fn order_numbers(left: &Operand<'_>, right: &Operand<'_>) -> Option<Ordering> {
    match (left, right) {
        (Operand::Int(left), Operand::Int(right)) => Some(left.cmp(right)),
        (Operand::Int(left), Operand::Double(right)) => (*left as f64).partial_cmp(right),
        (Operand::Double(left), Operand::Int(right)) => left.partial_cmp(&(*right as f64)),
        (Operand::Double(left), Operand::Double(right)) => left.partial_cmp(right),
        _ => None,
    }
}

/// The decimal's value in units of 10^-18: exact, as 64 bits times 10^18 fit 128 bits.
fn aligned(decimal: Decimal) -> i128 {
    i128::from(decimal.mantissa) * 10_i128.pow(u32::from(Decimal::SCALE_MAX.saturating_sub(decimal.scale)))
}

/// A decimal or an integer as a decimal.
fn as_decimal(operand: &Operand<'_>) -> Option<Decimal> {
    match operand {
        Operand::Int(number) => Some(Decimal { mantissa: *number, scale: 0 }),
        other => match other.compound() {
            Some(Value::Decimal(decimal)) => Some(*decimal),
            _ => None,
        },
    }
}

fn order_decimals(left: &Operand<'_>, right: &Operand<'_>) -> Option<Ordering> {
    Some(aligned(as_decimal(left)?).cmp(&aligned(as_decimal(right)?)))
}

pub(super) fn compare(comparison: Comparison, left: &Operand<'_>, right: &Operand<'_>) -> Result<bool, Fault> {
    let order = match (left, right) {
        (Operand::Bool(left), Operand::Bool(right)) => Some(left.cmp(right)),
        (Operand::Text(left), Operand::Text(right)) => Some(left.cmp(right)),
        (Operand::Int(_) | Operand::Double(_), Operand::Int(_) | Operand::Double(_)) => order_numbers(left, right),
        _ => match (left.compound(), right.compound()) {
            (Some(Value::Bytes(left)), Some(Value::Bytes(right))) => Some(left.cmp(right)),
            (Some(Value::Time(left)), Some(Value::Time(right))) => Some(left.cmp(right)),
            _ => order_decimals(left, right),
        },
    };
    let order = order.ok_or_else(|| type_fault(comparison.symbol(), &[left.kind_name(), right.kind_name()]))?;
    Ok(comparison.admits(order))
}

pub(super) fn negate<'a>(operand: &Operand<'_>) -> Result<Operand<'a>, Fault> {
    match operand {
        Operand::Int(number) => number.checked_neg().map(Operand::Int).ok_or(Fault::Overflow("-")),
        Operand::Double(number) => Ok(Operand::Double(-number)),
        other => match other.compound() {
            Some(Value::Decimal(Decimal { mantissa, scale })) => {
                let mantissa = mantissa.checked_neg().ok_or(Fault::Overflow("-"))?;
                Ok(Operand::Owned(Value::Decimal(Decimal { mantissa, scale: *scale })))
            }
            _ => Err(type_fault("-", &[other.kind_name()])),
        },
    }
}

pub(super) fn arithmetic<'a>(
    operator: Arithmetic,
    left: Operand<'a>,
    right: Operand<'a>,
    budget: &Budget,
) -> Result<Operand<'a>, Fault> {
    match (&left, &right) {
        (Operand::Int(left), Operand::Int(right)) => integers(operator, *left, *right).map(Operand::Int),
        (Operand::Double(left), Operand::Double(right)) => doubles(operator, *left, *right).map(Operand::Double),
        _ if as_decimal(&left).is_some() && as_decimal(&right).is_some() => decimals(operator, &left, &right),
        _ if operator == Arithmetic::Add => concatenate(left, right, budget),
        _ => Err(type_fault(operator.symbol(), &[left.kind_name(), right.kind_name()])),
    }
}

fn integers(operator: Arithmetic, left: i64, right: i64) -> Result<i64, Fault> {
    if matches!(operator, Arithmetic::Divide | Arithmetic::Remainder) && right == 0 {
        return Err(Fault::DivisionByZero);
    }
    let number = match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => left.checked_div(right),
        Arithmetic::Remainder => left.checked_rem(right),
    };
    number.ok_or(Fault::Overflow(operator.symbol()))
}

fn doubles(operator: Arithmetic, left: f64, right: f64) -> Result<f64, Fault> {
    Ok(match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => return Err(type_fault("%", &["double", "double"])),
    })
}

/// Exact: the larger scale for sums, both scales for products; division would have to round, so there is none.
fn decimals<'a>(operator: Arithmetic, left: &Operand<'_>, right: &Operand<'_>) -> Result<Operand<'a>, Fault> {
    let fault = || type_fault(operator.symbol(), &[left.kind_name(), right.kind_name()]);
    let (left, right) = as_decimal(left).zip(as_decimal(right)).ok_or_else(fault)?;
    let scale = match operator {
        Arithmetic::Add | Arithmetic::Subtract => left.scale.max(right.scale),
        Arithmetic::Multiply => left.scale.saturating_add(right.scale),
        Arithmetic::Divide | Arithmetic::Remainder => return Err(fault()),
    };
    let at_scale = |decimal: Decimal| {
        i128::from(decimal.mantissa)
            * 10_i128.pow(u32::from(scale.saturating_sub(decimal.scale).min(Decimal::SCALE_MAX)))
    };
    let mantissa = match operator {
        Arithmetic::Add => at_scale(left) + at_scale(right),
        Arithmetic::Subtract => at_scale(left) - at_scale(right),
        _ => i128::from(left.mantissa) * i128::from(right.mantissa),
    };
    match i64::try_from(mantissa) {
        Ok(mantissa) if scale <= Decimal::SCALE_MAX => Ok(Operand::Owned(Value::Decimal(Decimal { mantissa, scale }))),
        _ => Err(Fault::Overflow(operator.symbol())),
    }
}

fn concatenate<'a>(left: Operand<'a>, right: Operand<'a>, budget: &Budget) -> Result<Operand<'a>, Fault> {
    let kinds = [left.kind_name(), right.kind_name()];
    match (left, right) {
        (Operand::Text(left), Operand::Text(right)) => {
            budget.bytes(left.len() + right.len())?;
            let mut text = left.into_owned();
            text.push_str(&right);
            Ok(Operand::Text(Cow::Owned(text)))
        }
        (left @ (Operand::Ref(_) | Operand::Owned(_)), right @ (Operand::Ref(_) | Operand::Owned(_))) => {
            if kinds[0] != kinds[1] || !matches!(kinds[0], "list" | "bytes") {
                return Err(type_fault("+", &kinds));
            }
            match (left.into_value(budget)?, right.into_value(budget)?) {
                (Value::List(mut left), Value::List(right)) => {
                    left.extend(right);
                    Ok(Operand::Owned(Value::List(left)))
                }
                (Value::Bytes(mut left), Value::Bytes(right)) => {
                    left.extend(right);
                    Ok(Operand::Owned(Value::Bytes(left)))
                }
                _ => Err(type_fault("+", &kinds)),
            }
        }
        _ => Err(type_fault("+", &kinds)),
    }
}
