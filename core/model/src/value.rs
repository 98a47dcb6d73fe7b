//! Case data: a small, specified value model.

use std::collections::BTreeMap;

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

impl Value {
    /// Deepest nesting of lists and maps that is accepted anywhere.
    pub const DEPTH_MAX: usize = 64;
}
