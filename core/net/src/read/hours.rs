//! Reads `hours` of a calendar: `mon-fri: "09:00-12:30, 13:00-17:00"`.

use actum_model::Shift;

use super::table::entries;
use super::text;
use crate::diagnostic::Code;
use crate::source::{Findings, Key, Node};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Minutes of a day on the wall clock.
const DAY_MINUTES: u16 = 24 * 60;

/// The shifts, sorted.
pub(super) fn hours(node: &Node, findings: &mut Findings<'_>) -> Vec<Shift> {
    let mut shifts = Vec::new();
    for (key, node) in entries(node, findings).unwrap_or_default() {
        let days = days(key, findings);
        let Some(spans) = text(node, findings) else { continue };
        for span in spans.text.split([',', ' ']).filter(|span| !span.is_empty()) {
            let Some((from_minute, until_minute)) = parse(span) else {
                let message = format!("`{span}` is not a span of hours such as 09:00-17:30");
                let hint = Some("one that ends before it begins ends on the next day: `22:00-06:00`".to_owned());
                findings.error(Code::BadValue, spans.span, message, hint);
                continue;
            };
            shifts.extend(days.iter().map(|day| Shift { day: *day, from_minute, until_minute }));
        }
    }
    shifts.sort_unstable();
    shifts.dedup();
    shifts
}

/// `mon`, or `mon-fri`; from Sunday to Monday, if one likes.
fn days(key: &Key, findings: &mut Findings<'_>) -> Vec<u8> {
    let day = |name: &str| DAYS.iter().position(|day| *day == name);
    let (first, last) = key.text.split_once('-').unwrap_or((&key.text, &key.text));
    let (Some(first), Some(last)) = (day(first), day(last)) else {
        let message = format!("`{}` is not a day of the week, nor a range of them", key.text);
        findings.error(Code::BadValue, key.span, message, Some(format!("days: {}", DAYS.join(", "))));
        return Vec::new();
    };
    let count = (last + DAYS.len() - first) % DAYS.len() + 1;
    (0..count).map(|step| ((first + step) % DAYS.len()) as u8).collect()
}

/// Minutes from and until; beyond a day if it ends on the next.
fn parse(span: &str) -> Option<(u16, u16)> {
    let (from, until) = span.split_once('-')?;
    let (from, until) = (minute(from)?, minute(until)?);
    let until = if until > from { until } else { until + DAY_MINUTES };
    (from < DAY_MINUTES && until - from <= DAY_MINUTES).then_some((from, until))
}

/// `HH:MM`, to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |digits: &str| -> Option<u16> {
        (digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn spans_of_hours() {
        for (text, wanted) in [
            ("09:00-17:30", Some((540, 1_050))),
            ("00:00-24:00", Some((0, 1_440))),
            ("22:00-06:00", Some((1_320, 1_800))),
            ("08:00-08:00", Some((480, 1_920))),
            ("24:00-06:00", None),
            ("9:00-17:00", None),
            ("09:60-17:00", None),
            ("09:00", None),
            ("09:00-25:00", None),
            ("0é:00-17:00", None),
        ] {
            assert_eq!(parse(text), wanted, "{text}");
        }
    }
}
