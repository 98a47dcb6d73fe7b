//! The report as JSON: the form of `actum audit -o json`, stable for scripts. RULES.md lists the keys.

use serde_json::{Value as Json, json};

use super::report::{Cited, Report, RuleReport, Unsettled, Violation};

/// The report as JSON.
#[must_use]
pub fn report_json(report: &Report) -> Json {
    json!({
        "audit": report.name,
        "title": report.title,
        "description": report.description,
        "outcome": report.outcome().name(),
        "events": report.events,
        "cases": report.cases,
        "open_cases": report.open_cases,
        "as_of": report.as_of.to_string(),
        "rules": report.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn rule(rule: &RuleReport) -> Json {
    let matched = rule.matched.iter().map(|(part, count)| json!({ "part": part, "events": count }));
    json!({
        "id": rule.id,
        "title": rule.title,
        "description": rule.description,
        "severity": rule.severity.name(),
        "kind": rule.template,
        "grouping": rule.grouping,
        "outcome": rule.outcome().name(),
        "satisfied": rule.satisfied,
        "violated": rule.violated,
        "pending": rule.pending,
        "vacuous": rule.vacuous,
        "matched": matched.collect::<Vec<_>>(),
        "violations": rule.violations,
        "listed": rule.listed.iter().map(violation).collect::<Vec<_>>(),
        "owing": rule.owing.iter().map(unsettled).collect::<Vec<_>>(),
        "faults": rule.faults,
        "failed": rule.failed.iter().map(unsettled).collect::<Vec<_>>(),
        "limit": rule.limit,
        "notes": rule.notes,
    })
}

fn violation(violation: &Violation) -> Json {
    json!({
        "case": violation.case,
        "key": violation.key,
        "group": violation.group,
        "why": violation.why,
        "events": violation.events.iter().map(cited).collect::<Vec<_>>(),
    })
}

fn cited(event: &Cited) -> Json {
    json!({
        "part": event.part,
        "partition": event.partition,
        "seq": event.seq,
        "case": event.case,
        "version": event.version,
        "kind": event.kind,
        "task": event.task,
        "actor": event.actor,
        "time": event.time.to_string(),
    })
}

fn unsettled(one: &Unsettled) -> Json {
    json!({ "case": one.case, "key": one.key, "group": one.group, "seq": one.seq, "why": one.why })
}
