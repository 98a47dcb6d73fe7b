//! Reads `wait`.

use super::table::Table;
use super::{WaitDraft, text};
use crate::diagnostic::Code;
use crate::source::{Findings, Node, Span};

pub(super) fn wait(key: Span, node: &Node, findings: &mut Findings<'_>) -> Option<WaitDraft> {
    let mut table = Table::of(node, "`wait`", findings)?;
    let length = table.take("for").map(|(_, node)| node.clone());
    let until = table.take("until").map(|(_, node)| node.clone());
    let calendar = table.take("calendar").and_then(|(_, node)| text(node, findings));
    let cron = table.take("cron").and_then(|(_, node)| text(node, findings));
    let zone = table.take("zone").and_then(|(_, node)| text(node, findings));
    table.finish(findings);
    let hint = || Some("write `for: PT1H` or `until: \"{{ time }}\"`".to_owned());
    match (&length, &until, &cron) {
        (None, None, None) => findings.error(Code::MissingKey, key, "`wait` has neither `for` nor `until`", hint()),
        (Some(_), Some(until), _) => {
            findings.error(Code::BadTime, until.span, "`wait` has both `for` and `until`", hint());
        }
        (Some(_), _, Some(cron)) | (_, Some(_), Some(cron)) => {
            findings.error(Code::BadTime, cron.span, "`wait` has `cron` and something else", hint());
        }
        _ => {}
    }
    let draft = WaitDraft { key, length, until, calendar, cron, zone };
    fits(&draft, findings);
    Some(draft)
}

/// `calendar` counts what lasts, `zone` is whose wall clock `cron` looks at.
pub(super) fn fits(draft: &WaitDraft, findings: &mut Findings<'_>) {
    if let Some(calendar) = draft.calendar.as_ref().filter(|_| draft.length.is_none()) {
        findings.error(Code::BadTime, calendar.span, "a calendar counts how long something lasts", None);
    }
    if let Some(zone) = draft.zone.as_ref().filter(|_| draft.cron.is_none()) {
        findings.error(Code::BadTime, zone.span, "a zone belongs to `cron`", None);
    }
}
