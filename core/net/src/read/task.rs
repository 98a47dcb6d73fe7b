//! Reads `tasks`.

use super::data::{kind, name_of};
use super::table::{Table, entries};
use super::{FieldDraft, FlowDraft, Name, Part, TaskDraft, names, text, wrong_type};
use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::net::{Join, Split};
use crate::source::{Data, Findings, Key, Node};

pub(super) fn tasks(node: &Node, findings: &mut Findings<'_>) -> Vec<TaskDraft> {
    let tasks = entries(node, findings).unwrap_or_default();
    tasks.iter().map(|(key, node)| task(key, node, findings)).collect()
}

fn task(key: &Key, node: &Node, findings: &mut Findings<'_>) -> TaskDraft {
    let Some(mut table) = Table::of(node, &format!("task `{}`", key.text), findings) else {
        // There is such a task, whatever it does: flows to it are no mistakes.
        return TaskDraft { name: name_of(key), ..TaskDraft::default() };
    };
    let joins = [("and", Join::And), ("xor", Join::Xor), ("or", Join::Or)];
    let splits = [("and", Split::And), ("xor", Split::Xor), ("or", Split::Or)];
    let draft = TaskDraft {
        name: name_of(key),
        title: table.text("title", findings),
        description: table.text("description", findings),
        join: table.take("join").and_then(|(_, node)| choice(node, &joins, findings)),
        split: table.take("split").and_then(|(_, node)| choice(node, &splits, findings)),
        handler: table.take("handler").and_then(|(_, node)| text(node, findings)),
        params: templates("params", &mut table, findings),
        role: table.take("role").and_then(|(_, node)| text(node, findings)),
        separate_from: table.take("separate_from").map(|(key, node)| (key.span, names(node, findings))),
        input: templates("input", &mut table, findings),
        form: table.take("form").map(|(key, node)| (key.span, form(node, findings))),
        output: table.take("output").map(|(_, node)| output(node, findings)).unwrap_or_default(),
        flow: table.required("flow", findings).map(|(_, node)| flows(node, findings)).unwrap_or_default(),
    };
    table.finish(findings);
    draft
}

fn choice<T: Copy>(node: &Node, known: &[(&str, T)], findings: &mut Findings<'_>) -> Option<T> {
    let name = text(node, findings)?;
    let chosen = known.iter().find(|(text, _)| *text == name.text);
    if chosen.is_none() {
        let hint = Some("write `and`, `xor` or `or`".to_owned());
        findings.error(Code::BadValue, name.span, format!("there is no kind `{}` of this", name.text), hint);
    }
    chosen.map(|(_, value)| *value)
}

fn templates(key: &'static str, table: &mut Table<'_>, findings: &mut Findings<'_>) -> Option<Part> {
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
            Some(FlowDraft { to, when: None, default: false, span: node.span })
        }
        Data::Map(_) => {
            let mut table = Table::of(node, "a flow", findings)?;
            let to = table.required("to", findings).and_then(|(_, node)| text(node, findings));
            let when = table.take("when").and_then(|(_, node)| guard(node, findings));
            let default = table.truth("default", findings);
            table.finish(findings);
            let to = to?;
            Some(FlowDraft { span: to.span, to, when, default })
        }
        _ => {
            let hint = Some("write `end`, the name of a task, or `{ to: NAME, when: \"CEL\" }`".to_owned());
            wrong_type(node, "a flow", hint, findings);
            None
        }
    }
}

/// `when: true` is CEL too, although YAML reads a bool.
fn guard(node: &Node, findings: &mut Findings<'_>) -> Option<Name> {
    match node.data {
        Data::Bool(truth) => Some(Name { text: truth.to_string(), span: node.span }),
        _ => text(node, findings),
    }
}
