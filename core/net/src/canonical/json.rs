//! JSON without spaces, keys sorted by bytes.

use std::fmt::Write as _;

use actum_model::Value;

pub(super) fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(text, "{number}");
        }
        // The shortest digits that give the same number, and always a point or an exponent.
        Value::Double(number) => {
            let _ = write!(text, "{number:?}");
        }
        Value::String(content) => write_string(text, content),
        Value::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                write_value(text, item);
            }
            text.push(']');
        }
        Value::Map(entries) => {
            text.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                write_string(text, key);
                text.push(':');
                write_value(text, item);
            }
            text.push('}');
        }
        // Only literals of a net file come here, and they have no other kinds.
        _ => text.push_str("null"),
    }
}

/// Writes a JSON string that is a YAML string too: what YAML calls unprintable is escaped.
pub(crate) fn write_string(text: &mut String, content: &str) {
    text.push('"');
    for letter in content.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}
