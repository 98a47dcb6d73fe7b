//! Case data: a small, specified value model.

use std::{collections::BTreeMap, fmt, str::FromStr};

/// A point in time: nanoseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub u64);

/// A decimal number, `mantissa * 10^-scale`, kept exactly as written (`1.50` is not `1.5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// Digits with sign.
    pub mantissa: i64,
    /// Digits behind the point, at most 18.
    pub scale: u8,
}

/// A value of a case variable, a parameter or a result. Depth at most [`Value::DEPTH_MAX`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A 64-bit signed integer.
    Int(i64),
    /// A binary floating-point number; never NaN or infinite in stored data.
    Double(f64),
    /// An exact decimal number, for money.
    Decimal(Decimal),
    /// Text.
    String(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A point in time.
    Time(Time),
    /// An ordered list.
    List(Vec<Value>),
    /// A map from text to values, sorted by key.
    Map(BTreeMap<String, Value>),
}

impl Decimal {
    /// Most digits behind the point.
    pub const SCALE_MAX: u8 = 18;
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let scale = usize::from(self.scale);
        let digits = format!("{:0>width$}", self.mantissa.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if scale == 0 { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let fraction_fits = fraction.is_none_or(|part| digits(part) && part.len() <= usize::from(Decimal::SCALE_MAX));
        if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !fraction_fits {
            return Err(NotDecimal);
        }
        let fraction = fraction.unwrap_or("");
        let mantissa = format!("{whole}{fraction}").parse().map_err(|_| NotDecimal)?;
        Ok(Decimal { mantissa, scale: fraction.len() as u8 })
    }
}

/// The text is not a decimal number of at most 18 digits behind the point that fits 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number such as 12.50 (at most 18 digits behind the point, 64 bits in all)")]
pub struct NotDecimal;

/// Why a value may not be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unstorable {
    /// Nested deeper than [`Value::DEPTH_MAX`].
    #[error("nested more than {} deep", Value::DEPTH_MAX)]
    TooDeep,
    /// Not a number, or infinite.
    #[error("a number is not finite")]
    NotFinite,
    /// More digits behind the point than [`Decimal::SCALE_MAX`].
    #[error("a decimal has more than {} digits behind the point", Decimal::SCALE_MAX)]
    Scale,
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC with as many digits as needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "{}ns", self.0),
        }
    }
}

impl Value {
    /// Deepest nesting of lists and maps that is accepted anywhere.
    pub const DEPTH_MAX: usize = 64;

    /// Whether the value may be stored: not too deep, numbers finite, decimals within their scale.
    ///
    /// # Errors
    /// Says what is wrong; such a value must not get into an event.
    pub fn check(&self) -> Result<(), Unstorable> {
        self.check_at(0)
    }

    fn check_at(&self, depth: usize) -> Result<(), Unstorable> {
        if depth > Self::DEPTH_MAX {
            return Err(Unstorable::TooDeep);
        }
        match self {
            Value::Double(number) if !number.is_finite() => Err(Unstorable::NotFinite),
            Value::Decimal(decimal) if decimal.scale > Decimal::SCALE_MAX => Err(Unstorable::Scale),
            Value::List(items) => items.iter().try_for_each(|item| item.check_at(depth + 1)),
            Value::Map(entries) => entries.values().try_for_each(|item| item.check_at(depth + 1)),
            _ => Ok(()),
        }
    }
}
