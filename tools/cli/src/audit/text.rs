//! The report as text, as wide as the terminal.

use std::cmp::Reverse;

use actum_replay::rules::{Cited, Outcome, Report, RuleReport, Unsettled, Violation};
use actum_verify::{Clock, Verdict};

use super::unit;
use crate::number::{counted, grouped};

/// Breaches of a rule that are shown; the others are counted, and are in JSON and in the page.
const SHOWN_MAX: usize = 5;

/// Events of a breach that are shown: the first ones, and the one that broke the rule.
const EVENTS_MAX: usize = 4;

/// The report for people.
pub(crate) fn text(report: &Report, verdict: &Verdict, place: &str, width: usize, colour: bool) -> String {
    let mut out = Lines { text: String::new(), width, colour };
    let anchors = &verdict.anchors;
    out.wrapped(0, &format!("{place}: verified, {}; rests on {anchors}", counted(report.events, "event")));
    if verdict.clock == Clock::Simulated {
        out.wrapped(0, "time: simulated: the events did not happen when they say");
    }
    let open = counted(report.open_cases, "open case");
    let title = report.title.as_deref().unwrap_or(&report.name);
    let cases = counted(report.cases, "case");
    out.wrapped(0, &format!("{title}: {cases}, {open} as of {}", report.as_of));
    out.wrapped(0, &sums(report));
    by_gravity(report).into_iter().for_each(|rule| out.rule(rule));
    out.text
}

/// The rules, the gravest first.
pub(super) fn by_gravity(report: &Report) -> Vec<&RuleReport> {
    let mut rules: Vec<&RuleReport> = report.rules.iter().collect();
    rules.sort_by_key(|rule| (rule.outcome(), Reverse(rule.severity)));
    rules
}

/// `2 rules violated, 1 pending, 3 satisfied`
pub(super) fn sums(report: &Report) -> String {
    const ALL: [Outcome; 5] =
        [Outcome::Violated, Outcome::Undecided, Outcome::Pending, Outcome::Satisfied, Outcome::Vacuous];
    let counts = ALL.into_iter().map(|outcome| (report.count(outcome), outcome.name()));
    let parts: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}")).collect();
    format!("{}: {}", counted(report.rules.len() as u64, "rule"), parts.join(", "))
}

struct Lines {
    text: String,
    width: usize,
    colour: bool,
}

impl Lines {
    fn rule(&mut self, rule: &RuleReport) {
        self.text.push('\n');
        let outcome = rule.outcome();
        let head =
            format!("{}  {} ({}, {})", outcome.name().to_uppercase(), rule.id, rule.template, rule.severity.name());
        let code = match outcome {
            Outcome::Violated => "31;1",
            Outcome::Undecided | Outcome::Pending => "33;1",
            Outcome::Satisfied => "32",
            _ => "2",
        };
        self.coloured(&head, code);
        if let Some(title) = rule.title.as_ref().or(rule.description.as_ref()) {
            self.wrapped(2, title);
        }
        let RuleReport { satisfied, violated, pending, vacuous, .. } = rule;
        let counts = [(violated, "violated"), (pending, "pending"), (satisfied, "satisfied"), (vacuous, "vacuous")];
        let counts: Vec<String> = counts.iter().map(|(count, name)| format!("{} {name}", grouped(**count))).collect();
        self.wrapped(2, &format!("{}: {}", unit(rule.grouping), counts.join(", ")));
        rule.notes.iter().for_each(|note| self.wrapped(2, &format!("note: {note}")));
        if let Some(limit) = &rule.limit {
            self.wrapped(2, &format!("not judged to the end: {limit}"));
        }
        if rule.faults > 0 {
            self.wrapped(2, &format!("a condition failed {} times", grouped(rule.faults)));
            for one in rule.failed.iter().take(3) {
                let at = one.seq.map_or(String::new(), |seq| format!("event {seq}: "));
                self.wrapped(4, &format!("{at}{}", one.why.as_deref().unwrap_or_default()));
            }
        }
        rule.listed.iter().take(SHOWN_MAX).for_each(|violation| self.violation(violation));
        let shown = rule.listed.len().min(SHOWN_MAX) as u64;
        if rule.violations > shown {
            let more = counted(rule.violations - shown, "more breach").replace("breachs", "breaches");
            self.wrapped(2, &format!("… and {more}; see -o json or --html, with --list N"));
        }
        if !rule.owing.is_empty() {
            let named: Vec<String> = rule.owing.iter().take(5).map(name).collect();
            let more = if rule.pending as usize > named.len() { ", …" } else { "" };
            self.wrapped(2, &format!("owing: {}{more}", named.join(", ")));
        }
    }

    fn violation(&mut self, violation: &Violation) {
        let name = group(violation.case, violation.key.as_deref(), violation.group.as_ref());
        self.wrapped(2, &format!("{name}: {}", violation.why));
        let events = &violation.events;
        let skipped = events.len().saturating_sub(EVENTS_MAX);
        let first = if skipped > 0 { EVENTS_MAX - 1 } else { events.len() };
        events[..first].iter().for_each(|event| self.event(event, violation.case.is_none()));
        if skipped > 0 {
            self.wrapped(4, &format!("… {skipped} more"));
        }
        events[first + skipped..].iter().for_each(|event| self.event(event, violation.case.is_none()));
    }

    fn event(&mut self, event: &Cited, shows_case: bool) {
        let case = event.case.filter(|_| shows_case).map_or(String::new(), |case| format!(" of case {case}"));
        let task = event.task.as_ref().map_or(String::new(), |task| format!(" {task}"));
        let Cited { part, seq, kind, actor, time, .. } = event;
        self.wrapped(4, &format!("{part}: event {seq}{case}, {kind}{task}, by {actor} at {time}"));
    }

    fn coloured(&mut self, text: &str, code: &str) {
        let begin = self.text.len();
        self.wrapped(0, text);
        if self.colour {
            let line = self.text.split_off(begin);
            let line = line.trim_end_matches('\n');
            self.text.extend(["\u{1b}[", code, "m", line, "\u{1b}[0m\n"]);
        }
    }

    /// Words on lines of at most the width, the later ones indented by two more; nothing of the log controls the terminal.
    fn wrapped(&mut self, indent: usize, text: &str) {
        let text: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let mut line = " ".repeat(indent);
        let mut length = indent;
        let mut is_first = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let letters = word.chars().count();
            if !is_first && length + 1 + letters > self.width {
                self.text += line.trim_end();
                self.text.push('\n');
                line = " ".repeat(indent + 2);
                length = indent + 2;
            } else if !is_first {
                line.push(' ');
                length += 1;
            }
            line += word;
            length += letters;
            is_first = false;
        }
        self.text += line.trim_end();
        self.text.push('\n');
    }
}

fn name(one: &Unsettled) -> String {
    group(one.case, one.key.as_deref(), one.group.as_ref())
}

/// `case 3 (ORD-7), ["Ana","C1"]`
pub(super) fn group(case: Option<u64>, key: Option<&str>, group: Option<&serde_json::Value>) -> String {
    let case = case.map(|case| match key {
        Some(key) => format!("case {case} ({key})"),
        None => format!("case {case}"),
    });
    let group = group.map(|group| group.as_str().map_or_else(|| group.to_string(), str::to_owned));
    let parts: Vec<String> = case.into_iter().chain(group).collect();
    if parts.is_empty() { "the log".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_control_nothing() {
        let mut lines = Lines { text: String::new(), width: 20, colour: false };
        lines.wrapped(2, "one two three four five six \u{1b}[31m seven");
        assert!(lines.text.lines().all(|line| line.chars().count() <= 20), "{}", lines.text);
        assert!(!lines.text.contains('\u{1b}'));
        assert!(lines.text.starts_with("  one two three four\n    five"), "{}", lines.text);
    }

    #[test]
    fn groups_are_named_by_what_they_have() {
        assert_eq!(group(Some(3), Some("A"), None), "case 3 (A)");
        assert_eq!(group(None, None, Some(&serde_json::json!(["ana", 1]))), "[\"ana\",1]");
        assert_eq!(group(None, None, None), "the log");
    }
}
