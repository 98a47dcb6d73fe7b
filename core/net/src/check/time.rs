//! Durations and points in time: what is written out is checked.

use actum_model::Value;

use super::expressions::template;
use crate::diagnostic::Code;
use crate::expression::{Names, Template};
use crate::kind::{ValueKind, time_from_text};
use crate::read::WaitDraft;
use crate::source::{Findings, Node};
use crate::start::Times;
use crate::wait::{Wait, duration};

/// The wait of a task; `None` after a finding.
pub(super) fn wait(draft: &WaitDraft, names: Names<'_>, findings: &mut Findings<'_>) -> Option<Wait> {
    if let Some(node) = &draft.length {
        let length = length(node, names, findings)?;
        return Some(match &draft.calendar {
            Some(calendar) => Wait::Duty { length, calendar: calendar.text.clone() },
            None => Wait::For(length),
        });
    }
    if let Some(cron) = &draft.cron {
        let Times::Cron { cron, zone } = super::starts::times_of_cron(cron, draft.zone.as_ref(), findings)? else {
            return None;
        };
        return Some(Wait::Cron { cron, zone });
    }
    moment(draft.until.as_ref()?, names, findings).map(Wait::Until)
}

/// A template that gives a duration.
fn length(node: &Node, names: Names<'_>, findings: &mut Findings<'_>) -> Option<Template> {
    let (length, kind) = template(node, names, findings)?;
    let good = match length.literal() {
        Some(Value::String(text)) => duration(text).is_some(),
        Some(_) => false,
        None => kind.may_fill(ValueKind::String),
    };
    if !good {
        let hint = "weeks, days, hours, minutes and seconds: `P2W`, `P1DT12H`, `PT90S`; no years and months".to_owned();
        findings.error(Code::BadTime, node.span, "this is not a duration", Some(hint));
    }
    Some(length)
}

/// A template that gives a point in time.
fn moment(node: &Node, names: Names<'_>, findings: &mut Findings<'_>) -> Option<Template> {
    let (moment, kind) = template(node, names, findings)?;
    let good = match moment.literal() {
        Some(Value::String(text)) => time_from_text(text).is_some(),
        Some(_) => false,
        None => kind.may_fill(ValueKind::Time),
    };
    if !good {
        let hint = "write `\"{{ variable }}\"`, or RFC 3339 such as `2026-05-01T12:00:00Z`".to_owned();
        findings.error(Code::BadTime, node.span, "this is not a point in time", Some(hint));
    }
    Some(moment)
}
