//! What a run did, and what to type next.

use std::path::PathBuf;
use std::time::Instant;

use actum::{CaseId, Recovered};
use actum_log::SealText;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::report::Report;
use crate::failure::Exit;
use crate::number::{counted, grouped, rate};

/// Digits of the root that are shown to people.
const ROOT_DIGITS: usize = 12;

/// How things stood when the run began.
pub(crate) struct Begun {
    pub(crate) at: Instant,
    pub(crate) events: u64,
    pub(crate) work_items: u64,
    pub(crate) resumed: u64,
}

/// What a run did.
pub(crate) struct Summary {
    pub(crate) net: String,
    /// The command that goes on where this one stopped.
    pub(crate) again: String,
    pub(crate) data: PathBuf,
    pub(crate) report: Report,
    pub(crate) started: u64,
    pub(crate) skipped: u64,
    pub(crate) resumed: u64,
    pub(crate) work_items: u64,
    pub(crate) events: u64,
    pub(crate) seconds: f64,
    /// The newest of each partition.
    pub(crate) seals: Vec<SealText>,
    pub(crate) verifier_key: String,
    /// What was read of the log to begin with.
    pub(crate) recovered: Recovered,
    /// A case to look at.
    pub(crate) example: Option<CaseId>,
    pub(crate) interrupted: bool,
}

/// From which saved state the log was opened, and why from no newer one; `None` when there was none.
fn opened(recovered: &Recovered) -> Option<String> {
    let Recovered { spared, reread, passed_over, rebuilt, .. } = recovered;
    let used = match spared {
        0 if passed_over.is_empty() && rebuilt.is_empty() => return None,
        0 => format!("{} read, all of the log", counted(*reread, "event")),
        spared => {
            format!("{} read; saved state stands for {} before them", counted(*reread, "event"), grouped(*spared))
        }
    };
    let not_used =
        passed_over.iter().map(|(size, why)| format!("; not used: the state after {} ({why})", grouped(*size)));
    let anew = rebuilt.iter().map(|name| format!("; made anew: {name}"));
    Some(used + &not_used.chain(anew).collect::<String>())
}

impl Summary {
    pub(crate) fn exit(&self) -> Exit {
        match (self.interrupted, self.report.all_completed()) {
            (true, _) => Exit::Interrupted,
            (false, true) => Exit::Done,
            (false, false) => Exit::Unfinished,
        }
    }

    pub(crate) fn to_text(&self) -> String {
        let stopped = if self.interrupted { ", stopped before its end" } else { "" };
        let mut lines = vec![format!("{}: {}{stopped}", self.net, self.cases())];
        lines.extend(self.report.lines().map(|line| format!("  {line}")));
        let mut row = |name: &str, value: &str| lines.push(format!("  {name:<11} {value}"));
        row("cases", &self.origins());
        row("work items", &format!("{} completed", grouped(self.work_items)));
        let rate = grouped(rate(self.events, self.seconds));
        row("events", &format!("{} in {:.2} s ({rate}/s)", grouped(self.events), self.seconds));
        for seal in &self.seals {
            let root = &STANDARD.encode(seal.root)[..ROOT_DIGITS];
            row("seal", &format!("{} size {} root {root}…", seal.name(), grouped(seal.size)));
        }
        if let Some(opened) = opened(&self.recovered) {
            row("opened", &opened);
        }
        row("key", &self.verifier_key);
        lines.push("next".to_owned());
        lines.extend(self.next().map(|command| format!("  {command}")));
        lines.join("\n") + "\n"
    }

    /// What to type next.
    fn next(&self) -> impl Iterator<Item = String> {
        let data = quoted(&self.data.display().to_string());
        let again = self.interrupted.then(|| self.again.clone());
        let retry = self.report.has_failed_work().then(|| format!("{} --retry-failed", self.again));
        let verify = format!("actum verify --data {data} --key {}", quoted(&self.verifier_key));
        let log = self.example.map(|case| format!("actum log {case} --data {data}"));
        again.into_iter().chain(retry).chain([verify]).chain(log)
    }

    fn cases(&self) -> String {
        let all = self.report.total > 0 && self.report.completed == self.report.total;
        let counts = self.report.counts();
        let total = counted(self.report.total, "case");
        match self.report.total {
            0 => total,
            _ if all => format!("{total} completed"),
            _ => format!("{total}, {counts}"),
        }
    }

    /// Where the cases come from.
    fn origins(&self) -> String {
        let started = format!("{} started", grouped(self.started));
        let resumed = (self.resumed > 0).then(|| format!("{} resumed", grouped(self.resumed)));
        let skipped =
            (self.skipped > 0).then(|| format!("{} skipped (their keys were started before)", grouped(self.skipped)));
        [Some(started), resumed, skipped].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn to_json(&self) -> Json {
        json!({
            "net": self.net,
            "data": self.data.display().to_string(),
            "cases": self.report.to_json(),
            "reasons": self.report.reasons_json(),
            "started": self.started,
            "resumed": self.resumed,
            "opened": {
                "spared": self.recovered.spared,
                "reread": self.recovered.reread,
                "passed_over": self.recovered.passed_over.iter().map(|(size, reason)| json!({ "size": size, "reason": reason })).collect::<Vec<_>>(),
                "rebuilt": self.recovered.rebuilt,
            },
            "skipped": self.skipped,
            "work_items": self.work_items,
            "events": self.events,
            "seconds": self.seconds,
            "events_per_second": rate(self.events, self.seconds),
            "seal": match &self.seals[..] {
                [only] => seal_json(only),
                _ => Json::Null,
            },
            "seals": self.seals.iter().map(seal_json).collect::<Vec<_>>(),
            "verifier_key": self.verifier_key,
            "interrupted": self.interrupted,
        })
    }
}

fn seal_json(seal: &SealText) -> Json {
    json!({ "origin": seal.name(), "size": seal.size, "root": STANDARD.encode(seal.root), "block": seal.number })
}

/// As a shell takes it.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./+=:@".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn what_is_to_be_typed_is_quoted_when_needed() {
        assert_eq!(quoted("a/b-1.actum"), "a/b-1.actum");
        assert_eq!(quoted("my dir"), "'my dir'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
