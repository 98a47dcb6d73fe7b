//! What a rule counts while the log is read.

use std::sync::Arc;

use actum_model::{CaseId, Seq, cbor, json};
use actum_net::Net;
use actum_net::document::suggestion;
use serde_json::Value as Json;

use super::report::{Cited, RuleReport, Unsettled, Violation};
use super::rule::Rule;
use super::template::{Break, Ending, Found, OWED_MAX};
use super::tracked::{EventRef, Slot, TrackedCase};
use crate::{Names, names};

/// Most groups that owe something, and most failed conditions, that are named.
const NAMED_MAX: usize = 20;

/// Most events of one breach that are named.
const EVENTS_MAX: usize = 20;

/// Longest reason of a failed condition, in characters.
const WHY_CHARS_MAX: usize = 300;

pub(super) struct Tally {
    satisfied: u64,
    violated: u64,
    pending: u64,
    vacuous: u64,
    /// By pattern.
    pub(super) matched: Vec<u64>,
    violations: u64,
    listed: Vec<Violation>,
    listed_max: usize,
    owing: Vec<Unsettled>,
    faults: u64,
    failed: Vec<Unsettled>,
    limit: Option<String>,
    pub(super) notes: Vec<String>,
}

/// What a group is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label<'l> {
    pub(super) case: Option<CaseId>,
    pub(super) key: Option<&'l str>,
    /// Encoded.
    pub(super) group: Option<&'l [u8]>,
}

impl<'l> Label<'l> {
    pub(super) fn of_case(case: &'l TrackedCase, group: Option<&'l [u8]>) -> Self {
        Self { case: Some(case.id), key: case.key.as_deref(), group }
    }

    fn group_json(&self) -> Option<Json> {
        let value = cbor::decode(self.group?).ok()?;
        Some(json::to_json(&value))
    }
}

/// What ordinals mean.
pub(super) struct Cite<'c> {
    pub(super) nets: &'c [Arc<Net>],
    pub(super) names: &'c Names,
}

impl Cite<'_> {
    fn event(&self, part: &'static str, event: &EventRef) -> Cited {
        let net = event.net.and_then(|net| self.nets.get(net as usize)).map(|net| &**net);
        Cited {
            part,
            partition: event.partition,
            seq: event.seq,
            case: event.case.map(|case| case.0),
            version: event.version,
            kind: event.kind,
            task: event.task.map(|task| names::task(net, task)),
            actor: self.names.actor(event.actor),
            time: event.time,
        }
    }
}

impl Tally {
    pub(super) fn new(rule: &Rule, listed_max: usize) -> Self {
        Self {
            satisfied: 0,
            violated: 0,
            pending: 0,
            vacuous: 0,
            matched: vec![0; rule.patterns.len()],
            violations: 0,
            listed: Vec::new(),
            listed_max,
            owing: Vec::new(),
            faults: 0,
            failed: Vec::new(),
            limit: None,
            notes: Vec::new(),
        }
    }

    /// Keeps what a step or an end found.
    pub(super) fn record(&mut self, found: Found, label: &Label<'_>, cite: &Cite<'_>) {
        if let Some(what) = found.limit {
            self.limit(format!("more than {OWED_MAX} {what}"));
        }
        for Break { why, events } in found.broken {
            self.violations += 1;
            if self.listed.len() >= self.listed_max {
                continue;
            }
            // The first ones, and the one that broke it.
            let skipped = events.len().saturating_sub(EVENTS_MAX);
            let shown = events.iter().take(EVENTS_MAX - 1).chain(events.iter().skip(EVENTS_MAX - 1 + skipped));
            self.listed.push(Violation {
                case: label.case.map(|case| case.0),
                key: label.key.map(str::to_owned),
                group: label.group_json(),
                why: if skipped > 0 { format!("{why} ({skipped} events are not listed)") } else { why },
                events: shown.map(|(part, event)| cite.event(part, event)).collect(),
            });
        }
    }

    /// A group ends, or the log does.
    pub(super) fn settle(&mut self, mut slot: Slot, ending: &Ending, label: &Label<'_>, cite: &Cite<'_>) {
        let mut found = Found::default();
        slot.progress.end(ending, &mut found);
        let is_broken = slot.is_broken || !found.broken.is_empty();
        self.record(found, label, cite);
        if is_broken {
            self.violated += 1;
        } else if matches!(ending, Ending::Open { .. }) && slot.progress.owes() {
            self.pending += 1;
            if self.owing.len() < NAMED_MAX {
                self.owing.push(unsettled(label, None, None));
            }
        } else if slot.progress.is_activated() {
            self.satisfied += 1;
        } else {
            self.vacuous += 1;
        }
    }

    /// Nothing happened in a case that the rule is about.
    pub(super) fn untouched(&mut self, is_kept: bool) {
        if is_kept {
            self.satisfied += 1;
        } else {
            self.vacuous += 1;
        }
    }

    /// A condition failed: it never means false.
    pub(super) fn fault(&mut self, label: &Label<'_>, seq: Seq, why: &str) {
        self.faults += 1;
        if self.failed.len() < NAMED_MAX {
            let why = why.chars().take(WHY_CHARS_MAX).collect();
            self.failed.push(unsettled(label, Some(seq.0), Some(why)));
        }
    }

    pub(super) fn limit(&mut self, what: String) {
        self.limit.get_or_insert(what);
    }

    pub(super) fn report(self, rule: &Rule, nets: &[Arc<Net>]) -> RuleReport {
        let mut matched: Vec<(&'static str, u64)> = Vec::new();
        for (pattern, count) in rule.patterns.iter().zip(&self.matched) {
            matched.push((pattern.part, *count));
        }
        let mut notes = self.notes;
        notes.extend(unknown(rule, nets));
        RuleReport {
            id: rule.id.clone(),
            title: rule.title.clone(),
            description: rule.description.clone(),
            severity: rule.severity,
            template: rule.template,
            grouping: rule.grouping(),
            satisfied: self.satisfied,
            violated: self.violated,
            pending: self.pending,
            vacuous: self.vacuous,
            matched,
            violations: self.violations,
            listed: self.listed,
            owing: self.owing,
            faults: self.faults,
            failed: self.failed,
            limit: self.limit,
            notes,
        }
    }
}

fn unsettled(label: &Label<'_>, seq: Option<u64>, why: Option<String>) -> Unsettled {
    let (case, key) = (label.case.map(|case| case.0), label.key.map(str::to_owned));
    Unsettled { case, key, group: label.group_json(), seq, why }
}

/// Nets and tasks that a rule names and no case has: a rule that never fits is kept by everybody.
fn unknown(rule: &Rule, nets: &[Arc<Net>]) -> Vec<String> {
    let mut notes = Vec::new();
    let hint = |name: &str, known: &[String]| {
        suggestion(name, known.iter().map(String::as_str)).map_or(String::new(), |hint| format!("; {hint}"))
    };
    if nets.is_empty() {
        return notes;
    }
    let known: Vec<String> = nets.iter().map(|net| net.name.clone()).collect();
    for name in rule.nets.iter().filter(|name| !known.contains(name)) {
        notes.push(format!("no case runs a net `{name}`{}", hint(name, &known)));
    }
    let about = || nets.iter().filter(|net| rule.is_about(&net.name));
    if about().next().is_none() {
        return notes;
    }
    let tasks: Vec<String> = about()
        .flat_map(|net| (0..net.tasks.len()).map(|task| net.task_label(actum_model::TaskIx::of(task))))
        .collect();
    let mut named: Vec<&String> = rule.patterns.iter().flat_map(|pattern| &pattern.tasks).collect();
    named.sort_unstable();
    named.dedup();
    for name in named.into_iter().filter(|name| !tasks.contains(name)) {
        let inner = tasks.iter().find(|task| task.rsplit('/').next() == Some(name.as_str()));
        let hint = inner.map_or_else(|| hint(name, &tasks), |task| format!("; did you mean `{task}`?"));
        notes.push(format!("no net that the rule is about has a task `{name}`{hint}"));
    }
    notes
}
