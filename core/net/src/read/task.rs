//! Reads `tasks`.

use super::data::{kind, name_of};
use super::exceptions::exceptions;
use super::instances::instances;
use super::policies;
use super::resources::resources;
use super::starts::receive;
use super::table::{Table, entries};
use super::wait::wait;
use super::{FieldDraft, FlowDraft, Name, Part, TaskDraft, arcs, choice, names, number, text, truth, wrong_type};
use crate::check::TOKENS_MAX;
use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::net::Split;
use crate::source::{Data, Findings, Key, Node};

pub(super) fn tasks(node: &Node, implicit: bool, findings: &mut Findings<'_>) -> Vec<TaskDraft> {
    let tasks = entries(node, findings).unwrap_or_default();
    tasks.iter().map(|(key, node)| task(key, node, implicit, findings)).collect()
}

fn task(key: &Key, node: &Node, implicit: bool, findings: &mut Findings<'_>) -> TaskDraft {
    let Some(mut table) = Table::of(node, &format!("task `{}`", key.text), findings) else {
        // There is such a task, whatever it does: flows to it are no mistakes.
        return TaskDraft { name: name_of(key), ..TaskDraft::default() };
    };
    let splits = [("and", Split::And), ("xor", Split::Xor), ("or", Split::Or)];
    let list = |key, table: &mut Table<'_>, findings: &mut Findings<'_>| {
        table.take(key).map(|(_, node)| names(node, findings)).unwrap_or_default()
    };
    let compensates = table.take("compensates");
    let compensates = compensates.filter(|(_, node)| truth(node, findings) == Some(true)).map(|(key, _)| key.span);
    let mut draft = TaskDraft {
        name: name_of(key),
        title: table.text("title", findings),
        description: table.text("description", findings),
        join: table.take("join").and_then(|(_, node)| arcs::join(node, findings)),
        split: table.take("split").and_then(|(_, node)| choice(node, &splits, findings)),
        takes: table.take("takes").map(|(_, node)| arcs::takes(node, findings)).unwrap_or_default(),
        reads: list("reads", &mut table, findings),
        mutex: list("mutex", &mut table, findings),
        enter: list("enter", &mut table, findings),
        leave: list("leave", &mut table, findings),
        cancels: list("cancels", &mut table, findings),
        trigger: table.take("trigger").and_then(|(key, node)| arcs::trigger(key.span, node, findings)),
        instances: table.take("instances").and_then(|(key, node)| instances(key.span, node, findings)),
        compensates,
        compensation: table.take("compensation").and_then(|(_, node)| text(node, findings)),
        savepoint: table.take("savepoint").and_then(|(_, node)| text(node, findings)),
        receive: table.take("receive").and_then(|(key, node)| receive(key.span, node, findings)),
        exceptions: table.take("exceptions").map(|(_, node)| exceptions(node, true, findings)).unwrap_or_default(),
        policies: table.take("policies").map(|(_, node)| policies::of_task(node, findings)).unwrap_or_default(),
        handler: table.take("handler").and_then(|(_, node)| text(node, findings)),
        params: templates("params", &mut table, findings),
        net: table.take("net").and_then(|(_, node)| text(node, findings)),
        wait: table.take("wait").and_then(|(key, node)| wait(key.span, node, findings)),
        role: table.take("role").and_then(|(_, node)| text(node, findings)),
        resources: table.take("resources").and_then(|(key, node)| resources(key.span, node, findings)),
        separate_from: table.take("separate_from").map(|(key, node)| (key.span, names(node, findings))),
        input: templates("input", &mut table, findings),
        form: table.take("form").map(|(key, node)| (key.span, form(node, findings))),
        output: table.take("output").map(|(_, node)| output(node, findings)).unwrap_or_default(),
        flow: Vec::new(),
    };
    // Where it leads may be left out where nothing need come after it.
    let optional = implicit || draft.compensates.is_some();
    let flow = if optional { table.take("flow") } else { table.required("flow", findings) };
    draft.flow = flow.map(|(_, node)| flows(node, findings)).unwrap_or_default();
    table.finish(findings);
    draft
}

pub(super) fn templates(key: &'static str, table: &mut Table<'_>, findings: &mut Findings<'_>) -> Option<Part> {
    let (key, node) = table.take(key)?;
    entries(node, findings)?;
    Some(Part { key: key.span, node: node.clone() })
}

fn output(node: &Node, findings: &mut Findings<'_>) -> Vec<(Name, Node)> {
    let entries = entries(node, findings).unwrap_or_default();
    entries.iter().map(|(key, node)| (name_of(key), node.clone())).collect()
}

fn form(node: &Node, findings: &mut Findings<'_>) -> Vec<FieldDraft> {
    let listed = entries(node, findings).unwrap_or_default();
    let read = |(key, node): &(Key, Node)| {
        let mut table = Table::of(node, &format!("field `{}`", key.text), findings)?;
        let field = FieldDraft {
            name: name_of(key),
            title: table.text("title", findings),
            kind: kind(&mut table, findings).unwrap_or(ValueKind::Any),
            required: table.truth("required", findings),
        };
        table.finish(findings);
        Some(field)
    };
    listed.iter().filter_map(read).collect()
}

/// `flow: end`, or a list of names and of `{to, when, default}`.
fn flows(node: &Node, findings: &mut Findings<'_>) -> Vec<FlowDraft> {
    match &node.data {
        Data::List(items) => {
            if items.is_empty() {
                let hint = Some("a last task has `flow: end`".to_owned());
                findings.error(Code::BadValue, node.span, "the task leads nowhere", hint);
            }
            items.iter().filter_map(|item| flow(item, findings)).collect()
        }
        _ => flow(node, findings).into_iter().collect(),
    }
}

fn flow(node: &Node, findings: &mut Findings<'_>) -> Option<FlowDraft> {
    match &node.data {
        Data::Text(to) => {
            let to = Name { text: to.clone(), span: node.span };
            Some(FlowDraft { to, tokens: 1, when: None, default: false, span: node.span })
        }
        Data::Map(_) => {
            let mut table = Table::of(node, "a flow", findings)?;
            let to = table.required("to", findings).and_then(|(_, node)| text(node, findings));
            let tokens =
                table.take("tokens").and_then(|(_, node)| number(node, "a number of tokens", 1..=TOKENS_MAX, findings));
            let when = table.take("when").and_then(|(_, node)| guard(node, findings));
            let default = table.truth("default", findings);
            table.finish(findings);
            let to = to?;
            Some(FlowDraft { span: to.span, to, tokens: tokens.unwrap_or(1), when, default })
        }
        _ => {
            let hint = Some("write `end`, the name of a task, or `{ to: NAME, when: \"CEL\" }`".to_owned());
            wrong_type(node, "a flow", hint, findings);
            None
        }
    }
}

/// `when: true` is CEL too, although YAML reads a bool.
pub(super) fn guard(node: &Node, findings: &mut Findings<'_>) -> Option<Name> {
    match node.data {
        Data::Bool(truth) => Some(Name { text: truth.to_string(), span: node.span }),
        _ => text(node, findings),
    }
}
