//! Ids, times and hashes by names that stay the same when a history is recorded anew.

use std::collections::BTreeMap;

/// Prefix of a redacted thing in `Debug`, what it is called, and how its like are numbered.
const KINDS: [(&str, &str, Order); 5] = [
    ("CaseId(", "case", Order::Met),
    ("ActorId(", "actor", Order::Met),
    ("NetHash(", "net", Order::Met),
    ("Seq(", "seq", Order::Ascending),
    ("Time(", "time", Order::Ascending),
];

/// How the things of a kind are numbered, from 1.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// As they are met in the text.
    Met,
    /// By their value: what is earlier has the smaller number.
    Ascending,
}

/// Gives names to what differs from one recording to the next, in a text that `Debug` made: `CaseId(900)` is `case-1`, the first
/// case that the text speaks of; `Time(…)` is `time-2`, the second time of those in the text. The engine stays `engine`.
#[must_use]
pub fn redact(text: &str) -> String {
    let text = on_one_line(text);
    KINDS.iter().fold(text, |text, (prefix, name, order)| rename(&text, prefix, name, *order))
}

/// `{:#?}` writes a newtype on three lines; on one it reads better, and is found.
fn on_one_line(text: &str) -> String {
    let mut lines = Vec::new();
    let mut rest = text.lines();
    while let Some(line) = rest.next() {
        if KINDS.iter().any(|(prefix, _, _)| line.ends_with(prefix)) {
            let (inner, closing) = (rest.next().unwrap_or_default(), rest.next().unwrap_or_default());
            lines.push(format!("{line}{}{}", inner.trim().trim_end_matches(','), closing.trim()));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n")
}

fn rename(text: &str, prefix: &str, name: &str, order: Order) -> String {
    let mut met: Vec<&str> = Vec::new();
    for (inner, _) in text.split(prefix).skip(1).filter_map(|rest| rest.split_once(')')) {
        if !met.contains(&inner) {
            met.push(inner);
        }
    }
    if order == Order::Ascending {
        met.sort_by_key(|inner| inner.parse::<u64>().ok());
    } else {
        met.retain(|inner| !is_engine(name, inner));
    }
    let names: BTreeMap<&str, usize> = met.into_iter().zip(1..).collect();
    let mut parts = text.split(prefix);
    let mut named = parts.next().unwrap_or_default().to_owned();
    for rest in parts {
        match rest.split_once(')') {
            Some((inner, rest)) if is_engine(name, inner) => named.extend(["engine", rest]),
            Some((inner, rest)) => {
                let number = names.get(inner).copied().unwrap_or_default();
                named.extend([name, "-", &number.to_string(), rest]);
            }
            None => named.extend([prefix, rest]),
        }
    }
    named
}

fn is_engine(name: &str, inner: &str) -> bool {
    name == "actor" && inner == "0"
}

#[cfg(test)]
mod tests {
    use actum_model::{ActorId, CaseId, NetHash, Seq, Time};

    use super::*;

    #[test]
    fn names_do_not_depend_on_the_recording() {
        let one = (CaseId(9), [Time(500), Time(40)], ActorId(0), ActorId(8), Some(Seq(3)), NetHash([1; 32]));
        let other = (CaseId(7), [Time(90), Time(7)], ActorId(0), ActorId(2), Some(Seq(99)), NetHash([2; 32]));
        let expected = "(\n    case-1,\n    [\n        time-2,\n        time-1,\n    ],\n    engine,\n    actor-1,\n    \
                        Some(\n        seq-1,\n    ),\n    net-1,\n)";
        assert_eq!(redact(&format!("{one:#?}")), expected);
        assert_eq!(redact(&format!("{other:#?}")), expected);
        assert_eq!(redact(&format!("{one:?}")), "(case-1, [time-2, time-1], engine, actor-1, Some(seq-1), net-1)");
    }
}
