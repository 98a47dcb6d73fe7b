//! `log`: what happened, event by event.

use std::io::{IsTerminal, stdout};

use actum_model::{CaseId, Seq};
use actum_replay::{CaseRef, Events, LoggedEvent, Names, to_json};
use actum_verify::Trust;
use serde_json::Value as Json;

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log;
use crate::output::{Format, Output};
use crate::progress;

/// Widest line where it does not go to a terminal; more is cut, and `-o json` has it all.
const LINE_CHARS_MAX: usize = 240;

/// List what happened, in one case or in all
#[derive(Debug, clap::Args)]
#[command(after_help = "\
One event a line: position in the log (of several partitions: partition:position, one partition after the other), time, case and its version (or the system stream), who, what. The log is verified \
while it is read. With -o json: one JSON object a line, as `export --format jsonl` writes them.

Examples:
  actum log 1 --data d1
  actum log ORD-0042 --data d1           by business key
  actum log --from 100 --limit 20 --data d1.actum")]
pub(crate) struct Args {
    /// Number of the case, or its business key; without it all events, those of the system too
    #[arg(value_name = "CASE")]
    case: Option<CaseRef>,
    /// Begin at this position in the log
    #[arg(long, value_name = "SEQ", default_value_t = 0)]
    from: u64,
    /// At most so many events
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let mut log = log::open(&common.data)?;
    let place = log.place.clone();
    let bar = progress::bar(common.format, "reading", None);
    let mut output = Output::new();
    let (width, meant) = (width(), Vec::new());
    let mut listing =
        Listing { width, args, format: common.format, meant, cases: 0, left: args.limit, has_several: false };
    let (_, ()) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        if args.from > 0 {
            verified.only_one(&place, "beginning at a position (--from)")?;
        }
        listing.has_several = verified.genesis().partitions > 1;
        let mut events = Events::of_records(verified.records());
        while let Some(event) = events.next() {
            let event = event.map_err(|error| Failure::replay(&place, &error))?;
            listing.take(&event, events.names(), &mut output)?;
        }
        Ok(())
    })?;
    output.finish()?;
    match &args.case {
        Some(case) if listing.meant.is_empty() => {
            let cases = crate::number::counted(listing.cases, "case");
            Err(Failure::new(Exit::NotFound, format!("{place}: there is no case {case}; the log has {cases}")))
        }
        _ => Ok(Exit::Done),
    }
}

struct Listing<'a> {
    args: &'a Args,
    format: Format,
    /// Characters of a line.
    width: usize,
    /// Cases that the user means: one number, or all that were started with the key.
    meant: Vec<CaseId>,
    cases: u64,
    left: Option<u64>,
    /// The log has several partitions, so that a position names one.
    has_several: bool,
}

impl Listing<'_> {
    fn take(&mut self, event: &LoggedEvent, names: &Names, output: &mut Output) -> Outcome<()> {
        self.cases += u64::from(event.kind() == "CaseStarted");
        if !self.is_meant(event) || event.meta.seq < Seq(self.args.from) || self.left == Some(0) {
            return Ok(());
        }
        self.left = self.left.map(|left| left - 1);
        let json = to_json(event, names);
        match self.format {
            Format::Json => output.line(json),
            Format::Text => {
                let position = if self.has_several {
                    format!("{}:{}", event.partition, event.meta.seq.0)
                } else {
                    event.meta.seq.0.to_string()
                };
                output.line(cut(&line_at(&position, event, &json), self.width))
            }
        }
    }

    fn is_meant(&mut self, event: &LoggedEvent) -> bool {
        let Some(wanted) = &self.args.case else { return true };
        let Some(case) = event.stream.case() else { return false };
        if self.meant.contains(&case) {
            return true;
        }
        let begins = wanted.begins_with(event);
        if begins {
            self.meant.push(case);
        }
        begins
    }
}

/// `seq time case@version actor kind data`
pub(crate) fn line(event: &LoggedEvent, json: &Json) -> String {
    line_at(&event.meta.seq.0.to_string(), event, json)
}

fn line_at(position: &str, event: &LoggedEvent, json: &Json) -> String {
    let subject = match event.stream.case() {
        Some(case) => format!("{case}@v{}", event.meta.version),
        None => event.stream.name().to_owned(),
    };
    let actor = json["actor"].as_str().unwrap_or_default();
    let time = second(&event.meta.time.to_string());
    format!("{position:>7}  {time}  {subject:>10}  {actor:<12}  {:<15} {}", event.kind(), detail(json))
        .trim_end()
        .to_owned()
}

/// `time actor kind data`, of an event that has no position: nobody wrote it.
pub(crate) fn what(event: &LoggedEvent, json: &Json) -> String {
    let actor = json["actor"].as_str().unwrap_or_default();
    let time = second(&event.meta.time.to_string());
    let text = format!("  {time}  {actor:<12}  {:<15} {}", event.kind(), detail(json));
    cut(text.trim_end(), LINE_CHARS_MAX)
}

/// A time with milliseconds at most: the log has nanoseconds, and a line has an end.
fn second(time: &str) -> String {
    let (whole, fraction) = time.trim_end_matches('Z').split_once('.').unwrap_or((time.trim_end_matches('Z'), ""));
    format!("{whole}.{fraction:0<3.3}Z")
}

/// What an event says beyond its head, shortly: `task pick, to ana`.
fn detail(json: &Json) -> String {
    const HEAD: [&str; 8] = ["seq", "case", "stream", "version", "kind", "time", "actor", "cause"];
    /// Long, and of no use at a glance.
    const HIDDEN: [&str; 11] = [
        "net_hash",
        "canonical",
        "semantics",
        "result",
        "boot",
        "wall_clock",
        "monotonic_ns",
        "key_id",
        "previous",
        "epoch",
        "consumed",
    ];
    let entries = json.as_object().into_iter().flatten();
    let shown = entries.filter(|(key, value)| {
        let empty = value.is_null()
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(serde_json::Map::is_empty);
        !empty && !HEAD.contains(&key.as_str()) && !HIDDEN.contains(&key.as_str())
    });
    let text: Vec<String> = shown.map(|(key, value)| shortly(key, value)).collect();
    text.join("  ")
}

fn shortly(key: &str, value: &Json) -> String {
    match (key, value) {
        ("item", item) => format!("#{item}"),
        ("task", Json::String(task)) => task.clone(),
        ("describes", layout) => layout["name"].as_str().unwrap_or_default().to_owned(),
        ("produced", Json::Array(conditions)) => format!("-> {}", words(conditions)),
        ("variables", Json::Object(variables)) => {
            variables.iter().map(|(name, value)| format!("{name}={}", untagged(value))).collect::<Vec<_>>().join(" ")
        }
        (key, Json::Array(items)) => format!("{key} {}", words(items)),
        (key, Json::String(text)) => format!("{key} {text}"),
        (key, value) => format!("{key} {value}"),
    }
}

/// Decimals and times as people write them.
fn untagged(value: &Json) -> String {
    let tagged = value.as_object().filter(|object| object.len() == 1);
    let inner = tagged.and_then(|object| object.get("$decimal").or(object.get("$time")));
    inner.and_then(Json::as_str).map_or_else(|| value.to_string(), str::to_owned)
}

fn words(items: &[Json]) -> String {
    items
        .iter()
        .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
        .collect::<Vec<_>>()
        .join(", ")
}

/// On one line, and no longer than that.
fn cut(text: &str, width: usize) -> String {
    let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    match (text.char_indices().nth(width), text.char_indices().nth(width.saturating_sub(1))) {
        (Some(_), Some((at, _))) => format!("{}…", &text[..at]),
        _ => text,
    }
}

/// Columns of the terminal, if the listing goes to one.
fn width() -> usize {
    let columns = console::Term::stdout().size_checked().filter(|_| stdout().is_terminal());
    columns.map_or(LINE_CHARS_MAX, |(_, columns)| usize::from(columns).max(40))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        assert_eq!(second("2026-01-05T08:00:00Z"), "2026-01-05T08:00:00.000Z");
        assert_eq!(second("2026-01-05T08:00:00.123456789Z"), "2026-01-05T08:00:00.123Z");
        assert_eq!(second("2026-01-05T08:00:00.5Z"), "2026-01-05T08:00:00.500Z");
    }

    #[test]
    fn details_are_short_and_on_one_line() {
        let json = serde_json::json!({
            "seq": 1, "case": 2, "kind": "WorkCompleted", "cause": null, "item": 3, "task": "pick", "result": {"a": 1},
            "variables": {"left": 2}, "produced": ["pick->ship"],
        });
        assert_eq!(detail(&json), "#3  pick  left=2  -> pick->ship");
        let long = cut(&format!("a\nb{}", "é".repeat(500)), 100);
        assert!(long.starts_with("a bé") && long.ends_with("é…"));
        assert_eq!(long.chars().count(), 100);
        assert_eq!(cut("short", 5), "short");
    }
}
