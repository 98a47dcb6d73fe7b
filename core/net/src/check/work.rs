//! What a task does, and the parts that each kind of work has.

use super::expressions::{self, RESULT_LATER, template};
use super::instances;
use super::names::{Tables, near};
use crate::diagnostic::Code;
use crate::expression::{Names, Template};
use crate::net::{Field, TaskIx, Work};
use crate::read::{Name, Part, TaskDraft};
use crate::resourcing::Resourcing;
use crate::source::{Data, Findings, Span};
use crate::suggest::did_you_mean;

/// Longest name of a handler, in bytes.
const HANDLER_BYTES_MAX: usize = 128;

/// The work of a task; `None` after a finding.
pub(super) fn check(at: TaskIx, task: &TaskDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Option<Work> {
    one_work(task, findings);
    misplaced(task, findings);
    let given = instances::given(task);
    let names = tables.names(given, RESULT_LATER);
    if let Some(net) = &task.net {
        return composite(net, task, names, tables, findings);
    }
    let params = task.params.as_ref().map(|part| map_template(part, names, findings));
    let input = task.input.as_ref().map(|part| map_template(part, names, findings));
    if task.is_manual() {
        let role = task.role.as_ref().map(|role| tables.role(role, findings));
        let resourcing = match &task.resources {
            Some(resources) => super::resources::check(task, resources, tables, findings),
            None => Some(Resourcing::default()),
        };
        let separate_from = separate_from(at, task, tables, findings);
        let input = input.unwrap_or_else(|| Some(expressions::empty()));
        let role = match role {
            Some(role) => Some(role?),
            None => None,
        };
        let form = form(task);
        return Some(Work::Manual { role, separate_from, form, input: input?, resourcing: resourcing? });
    }
    if let Some(wait) = &task.wait {
        return super::time::wait(wait, names, findings).map(Work::Wait);
    }
    if let Some(receive) = &task.receive {
        return super::starts::receive(receive, names, findings);
    }
    let Some(handler) = &task.handler else { return Some(Work::Routing) };
    handler_name(handler, findings);
    let params = params.unwrap_or_else(|| Some(expressions::empty()));
    Some(Work::Automatic { handler: handler.text.clone(), params: params? })
}

/// A task does one thing.
fn one_work(task: &TaskDraft, findings: &mut Findings<'_>) {
    let people = task.role.as_ref().map(|role| role.span).or(task.resources.as_ref().map(|resources| resources.key));
    let works = [
        ("a handler", task.handler.as_ref().map(|name| name.span)),
        (if task.role.is_some() { "a role" } else { "resources" }, people),
        ("a net", task.net.as_ref().map(|name| name.span)),
        ("a wait", task.wait.as_ref().map(|wait| wait.key)),
        ("a message", task.receive.as_ref().map(|receive| receive.span)),
    ];
    let found: Vec<_> = works.into_iter().filter_map(|(what, span)| span.map(|span| (what, span))).collect();
    if let [(first, _), (second, span), ..] = found.as_slice() {
        let message = format!("`{}` has both {first} and {second}", task.name.text);
        let hint = Some("a handler does it, a person, a net or the clock: make it two tasks".to_owned());
        findings.error(Code::SeveralWorks, *span, message, hint);
    }
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
    if task.handler.is_none() && task.net.is_none() {
        refuse(task.params.as_ref().map(|part| part.key), "params", "handler");
    }
    if !task.is_manual() {
        refuse(task.form.as_ref().map(|(span, _)| *span), "form", "role");
        refuse(task.input.as_ref().map(|part| part.key), "input", "role");
        refuse(task.separate_from.as_ref().map(|(span, _)| *span), "separate_from", "role");
    }
}

/// A task that runs a subnet: its parameters are inputs of the subnet, and all that it requires.
fn composite(
    net: &Name,
    task: &TaskDraft,
    names: Names<'_>,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<Work> {
    let subnet = tables.shared.net(net, findings);
    let inner = subnet.map(|subnet| &tables.shared.subnets[subnet.index()]);
    let mut complete = true;
    let entries = match task.params.as_ref().map(|part| &part.node.data) {
        Some(Data::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    for (key, node) in entries {
        let compiled = template(node, names, findings);
        complete &= compiled.is_some();
        let Some(inner) = inner else { continue };
        let found = inner.variables.binary_search_by(|variable| variable.name.text.cmp(&key.text));
        let Some(variable) = found.ok().map(|at| &inner.variables[at]).filter(|variable| variable.input) else {
            let inputs = inner.variables.iter().filter(|variable| variable.input);
            let message = format!("the net `{}` takes no input `{}`", net.text, key.text);
            let hint = near(&key.text, inputs.map(|variable| variable.name.text.as_str()), findings).map(did_you_mean);
            findings.error(Code::BadParams, key.span, message, hint);
            continue;
        };
        if let Some((template, kind)) = compiled
            && !expressions::fits(&template, kind, variable.kind)
        {
            let message =
                format!("`{}` of the net `{}` holds {}, not {}", key.text, net.text, variable.kind, kind.name());
            findings.error(Code::TypeMismatch, node.span, message, None);
        }
    }
    for variable in inner.iter().flat_map(|inner| &inner.variables).filter(|variable| variable.required) {
        if findings.is_full() {
            // Thousands of tasks may each lack thousands of inputs.
            break;
        }
        if !entries.iter().any(|(key, _)| key.text == variable.name.text) {
            let message = format!("the net `{}` requires the input `{}`", net.text, variable.name.text);
            findings.error(Code::BadParams, net.span, message, Some("give it under `params:`".to_owned()));
        }
    }
    if !complete {
        return None;
    }
    let params = match &task.params {
        Some(part) => map_template(part, names, findings)?,
        None => expressions::empty(),
    };
    Some(Work::Composite { subnet: subnet?, params })
}

fn handler_name(handler: &Name, findings: &mut Findings<'_>) {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':');
    if handler.text.is_empty() || handler.text.len() > HANDLER_BYTES_MAX || !handler.text.bytes().all(good) {
        let message = format!("`{}` is not the name of a handler", handler.text);
        let hint = format!("letters, digits and `-_./:`, at most {HANDLER_BYTES_MAX}");
        findings.error(Code::BadName, handler.span, message, Some(hint));
    }
}

fn map_template(part: &Part, names: Names<'_>, findings: &mut Findings<'_>) -> Option<Template> {
    template(&part.node, names, findings).map(|(template, _)| template)
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

fn separate_from(at: TaskIx, task: &TaskDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Vec<TaskIx> {
    let mut others = Vec::new();
    for name in task.separate_from.iter().flat_map(|(_, names)| names) {
        let Some(other) = tables.labelled(name, findings) else { continue };
        if other == at {
            findings.error(Code::NotManual, name.span, "a task cannot be separate from itself", None);
        } else if !tables.shared.draft_of(other).is_some_and(TaskDraft::is_manual) {
            let message = format!("no person does `{}`, so there is nobody to be separate from", name.text);
            findings.error(Code::NotManual, name.span, message, Some("name a task with a `role`".to_owned()));
        }
        others.push(other);
    }
    others.sort_unstable();
    others.dedup();
    others
}
