//! Spelling of what all forms share: times, numbers, XML text.

use std::fmt::Write as _;

use actum_model::{Time, Value, json};

const NANOSECONDS: u64 = 1_000_000_000;
const SECONDS_OF_DAY: u64 = 86_400;

/// Spells times; those of the same second share the work.
#[derive(Debug, Default)]
pub(super) struct Clock {
    second: Option<u64>,
    text: String,
}

impl Clock {
    /// RFC 3339 in UTC, to the microsecond: what readers of process logs take. The order of events within one is the log's.
    pub(super) fn put(&mut self, time: Time, out: &mut String) {
        let (second, rest) = (time.0 / NANOSECONDS, time.0 % NANOSECONDS);
        if self.second != Some(second) {
            self.text.clear();
            put_second(second, &mut self.text);
            self.second = Some(second);
        }
        out.push_str(&self.text);
        out.push('.');
        put_digits(rest / 1_000, 6, out);
        out.push('Z');
    }
}

/// `2026-01-31T23:59:59`. From days to a date: Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`.
fn put_second(second: u64, out: &mut String) {
    let (days, of_day) = (second / SECONDS_OF_DAY + 719_468, second % SECONDS_OF_DAY);
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    for (number, width, after) in
        [(year, 4, '-'), (month, 2, '-'), (day, 2, 'T'), (of_day / 3_600, 2, ':'), (of_day / 60 % 60, 2, ':')]
    {
        put_digits(number, width, out);
        out.push(after);
    }
    put_digits(of_day % 60, 2, out);
}

fn put_digits(mut number: u64, width: usize, out: &mut String) {
    let mut digits = [b'0'; 20];
    for digit in digits[..width].iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend(digits[..width].iter().map(|digit| char::from(*digit)));
}

/// A number in decimal digits.
pub(super) fn put_number(number: u64, out: &mut String) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// Text inside an attribute or element of XML 1.0. Characters that XML cannot say become U+FFFD.
pub(crate) fn put_xml(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
        let special = byte < b' ' || matches!(byte, b'&' | b'<' | b'>' | b'"' | 0xef);
        if !special {
            continue;
        }
        let (instead, length) = match byte {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' => ("&quot;", 1),
            b'\t' => ("&#9;", 1),
            b'\n' => ("&#10;", 1),
            b'\r' => ("&#13;", 1),
            0xef if text[at..].starts_with(['\u{fffe}', '\u{ffff}']) => ("\u{fffd}", 3),
            0xef => continue,
            _ => ("\u{fffd}", 1),
        };
        out.push_str(&text[from..at]);
        out.push_str(instead);
        from = at + length;
    }
    out.push_str(&text[from..]);
}

/// Text inside a JSON string.
pub(super) fn put_json(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => write!(out, "\\u{:04x}", u32::from(control)).unwrap_or_default(),
        }
    }
    out.push_str(&text[from..]);
}

/// The five types that process logs have, and the plain spelling of a value as one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Scalar {
    Text,
    Date,
    Integer,
    Float,
    Boolean,
}

/// Spells a value plainly: lists and maps as JSON, bytes in hexadecimal. `None`, and nothing spelt: it is null.
pub(super) fn put_value(value: &Value, clock: &mut Clock, out: &mut String) -> Option<Scalar> {
    Some(match value {
        Value::Bool(is) => {
            out.push_str(if *is { "true" } else { "false" });
            Scalar::Boolean
        }
        Value::Int(number) => {
            if *number < 0 {
                out.push('-');
            }
            put_number(number.unsigned_abs(), out);
            Scalar::Integer
        }
        Value::Double(number) => {
            write!(out, "{number}").ok();
            Scalar::Float
        }
        Value::Decimal(number) => {
            write!(out, "{number}").ok();
            Scalar::Float
        }
        Value::String(text) => {
            out.push_str(text);
            Scalar::Text
        }
        Value::Bytes(bytes) => {
            bytes.iter().for_each(|byte| write!(out, "{byte:02x}").unwrap_or_default());
            Scalar::Text
        }
        Value::Time(time) => {
            clock.put(*time, out);
            Scalar::Date
        }
        Value::List(_) | Value::Map(_) => {
            write!(out, "{}", json::to_json(value)).ok();
            Scalar::Text
        }
        // Null; and a kind of value that this version does not know has no plain spelling.
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(put: impl FnOnce(&mut String)) -> String {
        let mut text = String::new();
        put(&mut text);
        text
    }

    #[test]
    fn times_are_spelt_as_the_model_spells_them() {
        let mut clock = Clock::default();
        for seconds in [0, 1, 951_782_399, 951_782_400, 951_868_800, 1_709_164_800, 4_102_444_799, 18_446_744_073] {
            let time = Time(seconds * NANOSECONDS + 123_456_000);
            assert_eq!(with(|out| clock.put(time, out)), time.to_string());
        }
    }

    #[test]
    fn xml_says_only_what_it_can() {
        let spelt = with(|out| put_xml("a<b>&\"c\"\n\u{1}\u{ffff}é\u{fffd}", out));
        assert_eq!(spelt, "a&lt;b&gt;&amp;&quot;c&quot;&#10;\u{fffd}\u{fffd}é\u{fffd}");
    }

    #[test]
    fn json_text_is_read_back_as_it_was() {
        let text = "a\"b\\c\n\u{1}é\u{7f}";
        let quoted = format!("\"{}\"", with(|out| put_json(text, out)));
        assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    }

    #[test]
    fn numbers_are_spelt_in_full() {
        for number in [0, 7, 10, u64::MAX] {
            assert_eq!(with(|out| put_number(number, out)), number.to_string());
        }
    }
}
