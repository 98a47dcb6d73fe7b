//! How a manual task's work is handed out.

use super::expressions::guard;
use super::names::Tables;
use crate::diagnostic::Code;
use crate::expression::{Given, Guard, ResultShape};
use crate::net::TaskIx;
use crate::read::{Name, ResourcesDraft, TaskDraft};
use crate::resourcing::{Allocate, By, Resourcing, Who};
use crate::source::Findings;

/// Longest name of a position, capability, group, participant or strategy, in bytes.
const NAME_BYTES_MAX: usize = 64;

const NO_RESULT: &str = "who may do a task is said before it is done: it has no result yet";

/// Compiles the `resources` of a manual task; `task` is in the subnet that `tables` are of.
pub(super) fn check(
    task: &TaskDraft,
    resources: &ResourcesDraft,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<Resourcing> {
    let who = who(task, resources, tables, findings);
    let names = tables.names(&[Given::Who], ResultShape::Absent(NO_RESULT));
    let mut filter = |text: &Option<Name>| -> Option<Option<Guard>> {
        match text {
            Some(text) => guard(text, names, findings).map(Some),
            None => Some(None),
        }
    };
    let (not_if, when) = (filter(&resources.not_if), filter(&resources.when));
    if let Allocate::Own(name) = &resources.allocate
        && (name.is_empty() || name.len() > NAME_BYTES_MAX)
    {
        let message = format!("a strategy's name has 1 to {NAME_BYTES_MAX} bytes");
        findings.error(Code::BadName, resources.allocate_span, message, None);
    }
    Some(Resourcing {
        offer: resources.offer,
        allocate: resources.allocate.clone(),
        start: resources.start,
        who,
        separate_from: tasks(task, &resources.separate_from, tables, findings),
        same_as: tasks(task, &resources.same_as, tables, findings),
        four_eyes: tasks(task, &resources.four_eyes, tables, findings),
        not_if: not_if?,
        when: when?,
        calendar: resources.calendar,
        may: resources.may,
    })
}

/// Who comes into question. A `role` beside `resources` counts as one of its roles.
fn who(task: &TaskDraft, resources: &ResourcesDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Who {
    let draft = &resources.who;
    if draft.is_empty() && task.role.is_none() && resources.offer == By::System {
        let message = "nobody is named who may do this";
        let hint = Some("name somebody in `who`, or let a person offer it: `offer: person`".to_owned());
        findings.error(Code::MissingKey, resources.key, message, hint);
    }
    let mut roles: Vec<_> = draft.roles.iter().filter_map(|role| tables.role(role, findings)).collect();
    // An unknown one is reported where it stands.
    roles.extend(task.role.as_ref().and_then(|role| tables.shared.roles.get(role.text.as_str()).copied()));
    roles.sort_unstable();
    roles.dedup();
    let mut capabilities: Vec<(String, u32)> =
        draft.capabilities.iter().map(|(name, level)| (outside(name, "capability", findings), *level)).collect();
    capabilities.sort_unstable();
    let mut list = |names: &[Name], what: &str| {
        let mut names: Vec<String> = names.iter().map(|name| outside(name, what, findings)).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    Who {
        roles,
        positions: list(&draft.positions, "position"),
        capabilities,
        groups: list(&draft.groups, "group"),
        participants: list(&draft.participants, "participant"),
    }
}

/// A name that the organisation gives a meaning, not the net.
fn outside(name: &Name, what: &str, findings: &mut Findings<'_>) -> String {
    if name.text.is_empty() || name.text.len() > NAME_BYTES_MAX {
        let message = format!("the name of a {what} has 1 to {NAME_BYTES_MAX} bytes");
        findings.error(Code::BadName, name.span, message, None);
    }
    name.text.clone()
}

/// Tasks whose doers a rule speaks of: other tasks that people do.
fn tasks(task: &TaskDraft, names: &[Name], tables: &Tables<'_>, findings: &mut Findings<'_>) -> Vec<TaskIx> {
    let mut others = Vec::new();
    for name in names {
        if name.text == task.name.text {
            findings.error(
                Code::NotManual,
                name.span,
                "a rule about who did another task cannot name the task itself",
                None,
            );
            continue;
        }
        let Some(other) = tables.labelled(name, findings) else { continue };
        if !tables.shared.draft_of(other).is_some_and(TaskDraft::is_manual) {
            let message = format!("no person does `{}`, so nobody did it", name.text);
            let hint = Some("name a task with a `role` or `resources`".to_owned());
            findings.error(Code::NotManual, name.span, message, hint);
        }
        others.push(other);
    }
    others.sort_unstable();
    others.dedup();
    others
}
