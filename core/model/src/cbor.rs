//! Values as bytes: deterministic CBOR (RFC 8949 section 4.2.1: shortest heads, shortest floats, keys sorted by their
//! encoded bytes, definite lengths only).
//!
//! | value | CBOR |
//! |---|---|
//! | null, bool | simple 22, 21 / 20 |
//! | int | major type 0 or 1, within 64-bit signed |
//! | double | shortest of half, single, double that keeps the value; never NaN or infinite |
//! | decimal | tag 4 `[-scale, mantissa]` (RFC 8949 section 3.4.4) |
//! | string, bytes | major type 3, 2 |
//! | time | tag 1001 `{1: seconds, -9: nanoseconds}` (RFC 9581 section 3) |
//! | list, map | major type 4, 5 (map keys are strings) |

use std::collections::BTreeMap;

use crate::value::{Decimal, Time, Value};

const TAG_DECIMAL: u64 = 4;
const TAG_TIME: u64 = 1001;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Why bytes are not a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CborError {
    /// The bytes end inside a value.
    #[error("the value is cut off")]
    Truncated,
    /// Bytes follow the value.
    #[error("bytes follow the value")]
    Trailing,
    /// Deeper than [`Value::DEPTH_MAX`].
    #[error("the value is nested more than {} deep", Value::DEPTH_MAX)]
    TooDeep,
    /// Valid CBOR perhaps, but not the one deterministic spelling of a value of this model.
    #[error("not the deterministic encoding of a value at byte {0}")]
    NotCanonical(usize),
}

/// Appends the encoding of `value` to `out`.
pub fn encode(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(flag) => out.push(if *flag { 0xf5 } else { 0xf4 }),
        Value::Int(number) => int(*number, out),
        Value::Double(number) => double(*number, out),
        Value::Decimal(Decimal { mantissa, scale }) => {
            head(6, TAG_DECIMAL, out);
            head(4, 2, out);
            int(-i64::from(*scale), out);
            int(*mantissa, out);
        }
        Value::String(text) => string(text, out),
        Value::Bytes(bytes) => {
            head(2, bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
        Value::Time(Time(nanos)) => {
            head(6, TAG_TIME, out);
            head(5, 2, out);
            int(1, out);
            head(0, nanos / NANOS_PER_SECOND, out);
            int(-9, out);
            head(0, nanos % NANOS_PER_SECOND, out);
        }
        Value::List(items) => {
            head(4, items.len() as u64, out);
            items.iter().for_each(|item| encode(item, out));
        }
        Value::Map(entries) => map(entries, out),
    }
}

/// The encoding of `value` in a fresh buffer.
#[must_use]
pub fn to_vec(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(16);
    encode(value, &mut out);
    out
}

/// Reads exactly one value.
///
/// # Errors
/// Anything but the deterministic encoding of one value of this model, with nothing behind it.
pub fn decode(bytes: &[u8]) -> Result<Value, CborError> {
    let mut reader = Reader { bytes, at: 0 };
    let value = reader.value(0)?;
    if reader.at == bytes.len() { Ok(value) } else { Err(CborError::Trailing) }
}

fn head(major: u8, argument: u64, out: &mut Vec<u8>) {
    let major = major << 5;
    if argument < 24 {
        out.push(major | argument as u8);
    } else if let Ok(small) = u8::try_from(argument) {
        out.extend_from_slice(&[major | 0x18, small]);
    } else if let Ok(small) = u16::try_from(argument) {
        out.push(major | 0x19);
        out.extend_from_slice(&small.to_be_bytes());
    } else if let Ok(small) = u32::try_from(argument) {
        out.push(major | 0x1a);
        out.extend_from_slice(&small.to_be_bytes());
    } else {
        out.push(major | 0x1b);
        out.extend_from_slice(&argument.to_be_bytes());
    }
}

fn int(number: i64, out: &mut Vec<u8>) {
    if number < 0 { head(1, !number as u64, out) } else { head(0, number as u64, out) }
}

fn string(text: &str, out: &mut Vec<u8>) {
    head(3, text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn map(entries: &BTreeMap<String, Value>, out: &mut Vec<u8>) {
    head(5, entries.len() as u64, out);
    // Encoded text keys sort by length, then by bytes (their heads carry the length).
    let mut sorted: Vec<(&String, &Value)> = entries.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    for (key, value) in sorted {
        string(key, out);
        encode(value, out);
    }
}

fn double(number: f64, out: &mut Vec<u8>) {
    let single = number as f32;
    if f64::from(single).to_bits() != number.to_bits() {
        out.push(0xfb);
        out.extend_from_slice(&number.to_bits().to_be_bytes());
    } else if let Some(half) = half_of(single) {
        out.push(0xf9);
        out.extend_from_slice(&half.to_be_bytes());
    } else {
        out.push(0xfa);
        out.extend_from_slice(&single.to_bits().to_be_bytes());
    }
}

/// The half-precision bits of a finite `single` that fits without loss (IEEE 754 binary16).
fn half_of(single: f32) -> Option<u16> {
    let bits = single.to_bits();
    let sign = (bits >> 16) as u16 & 0x8000;
    let exponent = ((bits >> 23) & 0xff) as i32 - 127;
    let fraction = bits & 0x007f_ffff;
    if bits & 0x7fff_ffff == 0 {
        return Some(sign);
    }
    if (-14..=15).contains(&exponent) && fraction & 0x1fff == 0 {
        return Some(sign | ((exponent + 15) as u16) << 10 | (fraction >> 13) as u16);
    }
    if (-24..-14).contains(&exponent) {
        // Subnormal half: the significand with its hidden bit, shifted right.
        let significand = fraction | 0x0080_0000;
        let shift = (-exponent - 1) as u32;
        return (significand.trailing_zeros() >= shift).then(|| sign | (significand >> shift) as u16);
    }
    None
}

fn half_to_double(half: u16) -> f64 {
    let fraction = f64::from(half & 0x03ff);
    let magnitude = match (half >> 10) & 0x1f {
        0 => fraction * 2f64.powi(-24),
        exponent => (1.0 + fraction / 1024.0) * 2f64.powi(i32::from(exponent) - 15),
    };
    if half & 0x8000 == 0 { magnitude } else { -magnitude }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], CborError> {
        let end = self.at.checked_add(length).ok_or(CborError::Truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(CborError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CborError> {
        self.take(N)?.try_into().map_err(|_| CborError::Truncated)
    }

    /// Major type, the low five bits, and the argument (for major type 7: its raw bits).
    fn head(&mut self) -> Result<(u8, u8, u64), CborError> {
        let start = self.at;
        let [first] = self.array::<1>()?;
        let (major, low) = (first >> 5, first & 0x1f);
        let (argument, least) = match low {
            0..24 => (u64::from(low), 0),
            24 => (u64::from(self.array::<1>()?[0]), 24),
            25 => (u64::from(u16::from_be_bytes(self.array()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.array()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.array()?), 1 << 32),
            _ => return Err(CborError::NotCanonical(start)),
        };
        if major != 7 && argument < least { Err(CborError::NotCanonical(start)) } else { Ok((major, low, argument)) }
    }

    fn value(&mut self, depth: usize) -> Result<Value, CborError> {
        if depth > Value::DEPTH_MAX {
            return Err(CborError::TooDeep);
        }
        let start = self.at;
        let bad = CborError::NotCanonical(start);
        let (major, low, argument) = self.head()?;
        match major {
            0 => i64::try_from(argument).map(Value::Int).map_err(|_| bad),
            1 => i64::try_from(argument).map(|number| Value::Int(!number)).map_err(|_| bad),
            2 => Ok(Value::Bytes(self.take(usize::try_from(argument).map_err(|_| bad)?)?.to_vec())),
            3 => self.text(argument, start).map(Value::String),
            4 => {
                // Each item takes a byte at least: a longer list cannot be whole, and nothing is reserved for it.
                if argument > (self.bytes.len() - self.at) as u64 {
                    return Err(CborError::Truncated);
                }
                (0..argument).map(|_| self.value(depth + 1)).collect::<Result<_, _>>().map(Value::List)
            }
            5 => self.map(argument, depth),
            6 if argument == TAG_DECIMAL => self.decimal(start),
            6 if argument == TAG_TIME => self.time(start),
            7 => self.simple(low, argument, start),
            _ => Err(bad),
        }
    }

    fn text(&mut self, length: u64, start: usize) -> Result<String, CborError> {
        let bytes = self.take(usize::try_from(length).map_err(|_| CborError::Truncated)?)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| CborError::NotCanonical(start))
    }

    fn map(&mut self, count: u64, depth: usize) -> Result<Value, CborError> {
        let mut entries = BTreeMap::new();
        let mut last: Option<(usize, String)> = None;
        for _ in 0..count {
            let start = self.at;
            let (major, _, length) = self.head()?;
            if major != 3 {
                return Err(CborError::NotCanonical(start));
            }
            let key = self.text(length, start)?;
            let order = (key.len(), key.clone());
            if last.as_ref().is_some_and(|last| *last >= order) {
                return Err(CborError::NotCanonical(start));
            }
            last = Some(order);
            entries.insert(key, self.value(depth + 1)?);
        }
        Ok(Value::Map(entries))
    }

    fn small_int(&mut self) -> Result<i64, CborError> {
        let start = self.at;
        match self.head()? {
            (0, _, argument) => i64::try_from(argument).map_err(|_| CborError::NotCanonical(start)),
            (1, _, argument) => i64::try_from(argument).map(|n| !n).map_err(|_| CborError::NotCanonical(start)),
            _ => Err(CborError::NotCanonical(start)),
        }
    }

    fn decimal(&mut self, start: usize) -> Result<Value, CborError> {
        let bad = CborError::NotCanonical(start);
        let (4, _, 2) = self.head()? else { return Err(bad) };
        let exponent = self.small_int()?;
        let mantissa = self.small_int()?;
        let scale = u8::try_from(-exponent).ok().filter(|scale| *scale <= Decimal::SCALE_MAX).ok_or(bad)?;
        Ok(Value::Decimal(Decimal { mantissa, scale }))
    }

    fn time(&mut self, start: usize) -> Result<Value, CborError> {
        let bad = CborError::NotCanonical(start);
        let (5, _, 2) = self.head()? else { return Err(bad) };
        let (one, seconds) = (self.small_int()?, self.small_int()?);
        let (minus_nine, nanos) = (self.small_int()?, self.small_int()?);
        if one != 1 || minus_nine != -9 || !(0..NANOS_PER_SECOND as i64).contains(&nanos) {
            return Err(bad);
        }
        u64::try_from(seconds)
            .ok()
            .and_then(|seconds| seconds.checked_mul(NANOS_PER_SECOND)?.checked_add(nanos as u64))
            .map(|nanos| Value::Time(Time(nanos)))
            .ok_or(bad)
    }

    fn simple(&mut self, low: u8, bits: u64, start: usize) -> Result<Value, CborError> {
        let number = match low {
            20 => return Ok(Value::Bool(false)),
            21 => return Ok(Value::Bool(true)),
            22 => return Ok(Value::Null),
            25 => half_to_double(bits as u16),
            26 => f64::from(f32::from_bits(bits as u32)),
            27 => f64::from_bits(bits),
            _ => return Err(CborError::NotCanonical(start)),
        };
        // One spelling only: encoding the number again must give the bytes read.
        let mut again = Vec::with_capacity(9);
        double(number, &mut again);
        if number.is_finite() && self.bytes[start..self.at] == again[..] {
            Ok(Value::Double(number))
        } else {
            Err(CborError::NotCanonical(start))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(value: &Value, hex: &str) {
        let bytes = to_vec(value);
        assert_eq!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), hex);
        assert_eq!(decode(&bytes).as_ref(), Ok(value));
    }

    #[test]
    fn examples_of_rfc_8949_appendix_a() {
        check(&Value::Int(0), "00");
        check(&Value::Int(23), "17");
        check(&Value::Int(24), "1818");
        check(&Value::Int(1_000_000_000_000), "1b000000e8d4a51000");
        check(&Value::Int(-1), "20");
        check(&Value::Int(-1000), "3903e7");
        check(&Value::Double(0.0), "f90000");
        check(&Value::Double(-0.0), "f98000");
        check(&Value::Double(1.5), "f93e00");
        check(&Value::Double(65504.0), "f97bff");
        check(&Value::Double(100_000.0), "fa47c35000");
        check(&Value::Double(1.1), "fb3ff199999999999a");
        check(&Value::Double(5.960_464_477_539_063e-8), "f90001");
        check(&Value::Double(0.000_061_035_156_25), "f90400");
        check(&Value::Double(1.0e300), "fb7e37e43c8800759c");
        check(&Value::String("ü".into()), "62c3bc");
        check(&Value::Bytes(vec![1, 2, 3, 4]), "4401020304");
        check(&Value::Decimal(Decimal { mantissa: 27315, scale: 2 }), "c48221196ab3");
        check(&Value::Time(Time(1_500_000_000_000_000_007)), "d903e9a2011a59682f002807");
    }

    #[test]
    fn other_spellings_are_refused() {
        for hex in [
            "1800",
            "190017",
            "fa3fc00000",
            "fb3ff8000000000000",
            "9f00ff",
            "f97e00",
            "f97c00",
            "a2616200616100",
            "a2616100616100",
            "a10000",
            "1bffffffffffffffff",
            "c48201190100",
            "e0",
            "f7",
            "00 00",
        ] {
            let bytes: Vec<u8> = hex
                .replace(' ', "")
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
                .collect();
            assert!(decode(&bytes).is_err(), "{hex} was accepted");
        }
    }

    #[test]
    fn depth_is_limited_in_both_ways_of_nesting() {
        let deep = |depth: usize| [vec![0x81; depth], vec![0]].concat();
        assert!(decode(&deep(Value::DEPTH_MAX)).is_ok());
        assert_eq!(decode(&deep(Value::DEPTH_MAX + 1)), Err(CborError::TooDeep));
        assert_eq!(decode(&deep(1_000_000)), Err(CborError::TooDeep));
        assert_eq!(decode(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(CborError::Truncated));
    }

    pub(crate) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::Double),
            any::<f32>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| Value::Double(f64::from(n))),
            (any::<i64>(), 0..=Decimal::SCALE_MAX)
                .prop_map(|(mantissa, scale)| Value::Decimal(Decimal { mantissa, scale })),
            ".{0,8}".prop_map(Value::String),
            prop::collection::vec(any::<u8>(), 0..8).prop_map(Value::Bytes),
            any::<u64>().prop_map(|n| Value::Time(Time(n))),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
                prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(value in any_value()) {
            prop_assert_eq!(decode(&to_vec(&value)), Ok(value));
        }

        #[test]
        fn what_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(value) = decode(&bytes) {
                prop_assert_eq!(to_vec(&value), bytes);
            }
        }
    }
}
