//! Reads `instances`.

use super::table::Table;
use super::{InstancesDraft, choice, number, task};
use crate::diagnostic::Code;
use crate::instances::{INSTANCES_MAX, InstanceRest};
use crate::source::{Findings, Node, Span};

pub(super) fn instances(key: Span, node: &Node, findings: &mut Findings<'_>) -> Option<InstancesDraft> {
    let mut table = Table::of(node, "`instances`", findings)?;
    let size = |key, table: &mut Table<'_>, findings: &mut Findings<'_>| {
        let (_, node) = table.take(key)?;
        number(node, &format!("`{key}`"), 0..=INSTANCES_MAX, findings).map(|size| (size, node.span))
    };
    let draft = InstancesDraft {
        key,
        count: table.take("count").map(|(_, node)| node.clone()),
        each: table.take("each").map(|(_, node)| node.clone()),
        min: size("min", &mut table, findings),
        max: size("max", &mut table, findings),
        threshold: size("threshold", &mut table, findings),
        add: table.truth("add", findings),
        until: table.take("until").and_then(|(_, node)| task::guard(node, findings)),
        rest: table
            .take("rest")
            .and_then(|(_, node)| {
                choice(node, &[("run", InstanceRest::Run), ("cancel", InstanceRest::Cancel)], findings)
            })
            .unwrap_or_default(),
    };
    match (&draft.count, &draft.each) {
        (None, None) => {
            let hint = Some("write `count: 3`, `count: \"{{ n }}\"` or `each: \"{{ list }}\"`".to_owned());
            findings.error(Code::MissingKey, key, "`instances` has neither `count` nor `each`", hint);
        }
        (Some(_), Some(each)) => {
            let hint = Some("`each` gives as many as the list has elements; drop `count`".to_owned());
            findings.error(Code::BadInstances, each.span, "`instances` has both `count` and `each`", hint);
        }
        _ => {}
    }
    table.finish(findings);
    Some(draft)
}
