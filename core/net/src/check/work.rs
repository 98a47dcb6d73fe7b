//! What a task does: automatic, manual or routing, and the parts that each has.

use super::expressions::{self, template};
use super::names::Tables;
use crate::diagnostic::Code;
use crate::expression::Template;
use crate::net::{Field, TaskIx, Work};
use crate::read::{Draft, Name, Part, TaskDraft};
use crate::source::{Findings, Span};

/// Longest name of a handler, in bytes.
const HANDLER_BYTES_MAX: usize = 128;

/// The work of every task, in the order of the tasks; `None` after a finding.
pub(super) fn check(draft: &Draft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Vec<Option<Work>> {
    let manual: Vec<bool> = draft.tasks.iter().map(|task| task.role.is_some()).collect();
    draft.tasks.iter().enumerate().map(|(at, task)| one(TaskIx::of(at), task, &manual, tables, findings)).collect()
}

fn one(
    at: TaskIx,
    task: &TaskDraft,
    manual: &[bool],
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<Work> {
    if let (Some(_), Some(role)) = (&task.handler, &task.role) {
        let message = format!("`{}` has both a handler and a role", task.name.text);
        let hint = Some("a handler does it, or a person: make it two tasks".to_owned());
        findings.error(Code::SeveralWorks, role.span, message, hint);
    }
    misplaced(task, findings);
    let params = task.params.as_ref().map(|part| map_template(part, tables, findings));
    let input = task.input.as_ref().map(|part| map_template(part, tables, findings));
    let form = form(task);
    if let Some(role) = &task.role {
        let role = tables.role(role, findings);
        let separate_from = separate_from(at, task, manual, tables, findings);
        let input = input.unwrap_or_else(|| Some(expressions::empty()));
        return Some(Work::Manual { role: role?, separate_from, form, input: input? });
    }
    let Some(handler) = &task.handler else { return Some(Work::Routing) };
    handler_name(handler, findings);
    let params = params.unwrap_or_else(|| Some(expressions::empty()));
    Some(Work::Automatic { handler: handler.text.clone(), params: params? })
}

/// Keys that belong to another kind of task.
fn misplaced(task: &TaskDraft, findings: &mut Findings<'_>) {
    let mut refuse = |span: Option<Span>, key: &str, needs: &str| {
        if let Some(span) = span {
            let message = format!("`{key}` makes sense only on a task with a `{needs}`");
            let hint = Some(format!("add `{needs}:`, or drop `{key}`"));
            findings.error(Code::NotForThisWork, span, message, hint);
        }
    };
    if task.handler.is_none() {
        refuse(task.params.as_ref().map(|part| part.key), "params", "handler");
    }
    if task.role.is_none() {
        refuse(task.form.as_ref().map(|(span, _)| *span), "form", "role");
        refuse(task.input.as_ref().map(|part| part.key), "input", "role");
        refuse(task.separate_from.as_ref().map(|(span, _)| *span), "separate_from", "role");
    }
}

fn handler_name(handler: &Name, findings: &mut Findings<'_>) {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    if handler.text.is_empty() || handler.text.len() > HANDLER_BYTES_MAX || !handler.text.bytes().all(good) {
        let message = format!("`{}` is not the name of a handler", handler.text);
        let hint = format!("letters, digits and `-_./:`, at most {HANDLER_BYTES_MAX}");
        findings.error(Code::BadName, handler.span, message, Some(hint));
    }
}

fn map_template(part: &Part, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Option<Template> {
    let hint = "the result is there after the task: use `output`";
    template(&part.node, expressions::without_result(tables, hint), findings).map(|(template, _)| template)
}

fn form(task: &TaskDraft) -> Vec<Field> {
    let fields = task.form.iter().flat_map(|(_, fields)| fields);
    fields
        .map(|field| Field {
            name: field.name.text.clone(),
            title: field.title.clone(),
            kind: field.kind,
            required: field.required,
        })
        .collect()
}

fn separate_from(
    at: TaskIx,
    task: &TaskDraft,
    manual: &[bool],
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Vec<TaskIx> {
    let mut others = Vec::new();
    for name in task.separate_from.iter().flat_map(|(_, names)| names) {
        let Some(other) = tables.task(name, findings) else { continue };
        if other == at {
            findings.error(Code::NotManual, name.span, "a task cannot be separate from itself", None);
        } else if !manual.get(other.index()).copied().unwrap_or(false) {
            let message = format!("no person does `{}`, so there is nobody to be separate from", name.text);
            findings.error(Code::NotManual, name.span, message, Some("name a task with a `role`".to_owned()));
        }
        others.push(other);
    }
    others.sort_unstable();
    others.dedup();
    others
}
