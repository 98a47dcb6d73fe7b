//! Values as JSON, without loss: what JSON lacks is written as an object with one key that starts with `$`.
//!
//! | value | JSON |
//! |---|---|
//! | null, bool, int, string, list, map | themselves; a map key that starts with `$` gets a second `$` in front |
//! | double | a number with point or exponent |
//! | decimal | `{"$decimal": "12.50"}` |
//! | bytes | `{"$bytes": "<lower-case hex>"}` |
//! | time | `{"$time": "<RFC 3339, UTC>"}` |

use serde_json::{Map, Number, Value as Json};

use crate::value::{Time, Value};

/// Why JSON is not a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// Nested deeper than [`Value::DEPTH_MAX`].
    #[error("nested more than {} deep", Value::DEPTH_MAX)]
    TooDeep,
    /// An integer that does not fit 64 bits with sign.
    #[error("the number {0} does not fit a 64-bit signed integer")]
    NumberTooLarge(String),
    /// A `$` object that is none of those above.
    #[error("not one of $decimal, $bytes, $time, or badly written: {0}")]
    BadTagged(String),
}

/// The JSON form of a value.
#[must_use]
pub fn to_json(value: &Value) -> Json {
    let tagged = |tag: &str, text: String| Json::Object(Map::from_iter([(tag.to_owned(), Json::String(text))]));
    match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Double(number) => Number::from_f64(*number).map_or(Json::Null, Json::Number),
        Value::Decimal(decimal) => tagged("$decimal", decimal.to_string()),
        Value::String(text) => Json::String(text.clone()),
        Value::Bytes(bytes) => tagged("$bytes", bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Value::Time(time) => tagged("$time", time.to_string()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(entries) => {
            let escape = |key: &String| if key.starts_with('$') { format!("${key}") } else { key.clone() };
            Json::Object(entries.iter().map(|(key, value)| (escape(key), to_json(value))).collect())
        }
    }
}

/// The value that JSON spells.
///
/// # Errors
/// See [`JsonError`].
pub fn from_json(json: &Json) -> Result<Value, JsonError> {
    at_depth(json, 0)
}

fn at_depth(json: &Json, depth: usize) -> Result<Value, JsonError> {
    if depth > Value::DEPTH_MAX {
        return Err(JsonError::TooDeep);
    }
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(flag) => Ok(Value::Bool(*flag)),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => Ok(Value::Int(int)),
            (None, Some(double)) if !number.is_u64() && double.is_finite() => Ok(Value::Double(double)),
            _ => Err(JsonError::NumberTooLarge(number.to_string())),
        },
        Json::String(text) => Ok(Value::String(text.clone())),
        Json::Array(items) => {
            items.iter().map(|item| at_depth(item, depth + 1)).collect::<Result<_, _>>().map(Value::List)
        }
        Json::Object(entries) => match entries.iter().next() {
            Some((tag, inner)) if entries.len() == 1 && tag.starts_with('$') && !tag.starts_with("$$") => {
                tagged(tag, inner).ok_or_else(|| JsonError::BadTagged(json.to_string()))
            }
            _ => entries
                .iter()
                .map(|(key, value)| {
                    let key = key.strip_prefix("$$").map_or_else(|| key.clone(), |rest| format!("${rest}"));
                    Ok((key, at_depth(value, depth + 1)?))
                })
                .collect::<Result<_, _>>()
                .map(Value::Map),
        },
    }
}

fn tagged(tag: &str, inner: &Json) -> Option<Value> {
    let text = inner.as_str()?;
    match tag {
        "$decimal" => text.parse().ok().map(Value::Decimal),
        "$bytes" => unhex(text).map(Value::Bytes),
        "$time" => {
            let timestamp: jiff::Timestamp = text.parse().ok()?;
            u64::try_from(timestamp.as_nanosecond()).ok().map(|nanos| Value::Time(Time(nanos)))
        }
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| (*byte as char).to_digit(16).map(|digit| digit as u8);
    text.len().is_multiple_of(2).then_some(())?;
    text.as_bytes().chunks(2).map(|pair| Some(digit(&pair[0])? << 4 | digit(&pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Decimal;

    #[test]
    fn every_kind_of_value_survives() {
        let text = r#"{"a":null,"b":true,"c":-3,"d":1.0,"e":{"$decimal":"-0.05"},"f":{"$bytes":"00ff"},"g":{"$time":"2026-11-21T03:00:00.5Z"},"h":["x",{"$$y":1}]}"#;
        let json: Json = serde_json::from_str(text).unwrap();
        let value = from_json(&json).unwrap();
        assert_eq!(to_json(&value).to_string(), text);
        let Value::Map(entries) = &value else { panic!("a map") };
        assert_eq!(entries["e"], Value::Decimal(Decimal { mantissa: -5, scale: 2 }));
        assert_eq!(entries["d"], Value::Double(1.0));
        assert!(matches!(&entries["h"], Value::List(items) if items.len() == 2));
    }

    #[test]
    fn what_json_cannot_mean_is_refused() {
        for text in [
            "18446744073709551615",
            r#"{"$decimal":"1e5"}"#,
            r#"{"$bytes":"0"}"#,
            r#"{"$time":"now"}"#,
            r#"{"$x":"y"}"#,
        ] {
            assert!(from_json(&serde_json::from_str(text).unwrap()).is_err(), "{text}");
        }
    }
}
