//! Reads `wait`.

use super::WaitDraft;
use super::table::Table;
use crate::diagnostic::Code;
use crate::source::{Findings, Node, Span};

pub(super) fn wait(key: Span, node: &Node, findings: &mut Findings<'_>) -> Option<WaitDraft> {
    let mut table = Table::of(node, "`wait`", findings)?;
    let length = table.take("for").map(|(_, node)| node.clone());
    let until = table.take("until").map(|(_, node)| node.clone());
    table.finish(findings);
    let hint = || Some("write `for: PT1H` or `until: \"{{ time }}\"`".to_owned());
    match (&length, &until) {
        (None, None) => findings.error(Code::MissingKey, key, "`wait` has neither `for` nor `until`", hint()),
        (Some(_), Some(until)) => {
            findings.error(Code::BadTime, until.span, "`wait` has both `for` and `until`", hint());
        }
        _ => {}
    }
    Some(WaitDraft { key, length, until })
}
