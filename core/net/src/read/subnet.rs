//! Reads what the root net and subnets have in common: data, conditions, mutexes, tasks, termination.

use super::data::{self, name_of};
use super::table::{Table, entries};
use super::{Name, SubnetDraft, choice, names, task};
use crate::diagnostic::Code;
use crate::source::{Findings, Key, Node};

/// Reads `nets`.
pub(super) fn subnets(node: &Node, findings: &mut Findings<'_>) -> Vec<SubnetDraft> {
    let listed = entries(node, findings).unwrap_or_default();
    let read = |(key, node): &(Key, Node)| {
        let Some(mut table) = Table::of(node, &format!("net `{}`", key.text), findings) else {
            // There is such a net, whatever is in it: tasks that run it are no mistakes.
            return SubnetDraft { name: name_of(key), ..SubnetDraft::default() };
        };
        let subnet = body(name_of(key), &mut table, findings);
        table.finish(findings);
        subnet
    };
    listed.iter().map(read).collect()
}

/// Takes from a table what every net has.
pub(super) fn body(name: Name, table: &mut Table<'_>, findings: &mut Findings<'_>) -> SubnetDraft {
    let mut draft = SubnetDraft { name, ..SubnetDraft::default() };
    draft.title = table.text("title", findings);
    draft.description = table.text("description", findings);
    if let Some((_, node)) = table.take("data") {
        draft.variables = data::variables(node, findings);
    }
    if let Some((_, node)) = table.take("conditions") {
        draft.conditions = data::conditions(node, findings);
    }
    if let Some((_, node)) = table.take("mutexes") {
        draft.mutexes = names(node, findings);
    }
    if let Some((_, node)) = table.take("termination") {
        draft.implicit = choice(node, &[("explicit", false), ("implicit", true)], findings).unwrap_or(false);
    }
    if let Some((_, node)) = table.required("start", findings) {
        draft.start = names(node, findings);
    }
    if let Some((key, node)) = table.required("tasks", findings) {
        draft.tasks = task::tasks(node, draft.implicit, findings);
        if draft.tasks.is_empty() && !findings.has_errors() {
            findings.error(Code::BadValue, key.span, "a net has at least one task", None);
        }
    }
    draft
}
