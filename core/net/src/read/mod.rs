//! From the tree to a draft of the net.

mod arcs;
mod data;
mod draft;
mod exceptions;
mod hours;
mod instances;
mod organisation;
mod play;
mod policies;
mod resources;
pub(crate) mod scenario;
mod starts;
mod subnet;
pub(crate) mod table;
mod task;
mod wait;

use actum_model::Value;

use crate::diagnostic::Code;
use crate::source::{Data, Findings, Node};
use table::Table;

pub(crate) use draft::{
    AnswerDraft, ConditionDraft, Draft, ExceptionDraft, FieldDraft, FlowDraft, InstancesDraft, JoinDraft, Name, Part,
    PlayDraft, RoleDraft, SubnetDraft, TaskDraft, TaskPlayDraft, TriggerDraft, TriggerOfException, VariableDraft,
    WaitDraft,
};
pub(crate) use organisation::read_organisation;
pub(crate) use policies::{BreakerDraft, NetPoliciesDraft, OnErrorDraft, PolicyDraft, PolicyKind, RetryDraft};
pub(crate) use resources::ResourcesDraft;
pub(crate) use starts::{ReceiveDraft, StartDraft};

/// The version of the net language that this crate reads.
pub(crate) const LANGUAGE_VERSION: i64 = 1;

/// Reads a draft. Findings are reported; what could not be read is left out.
pub(crate) fn read(root: &Node, findings: &mut Findings<'_>) -> Option<Draft> {
    let mut table = Table::of(root, "the net", findings)?;
    let mut draft = Draft::default();
    match table.required("actum", findings).map(|entry| (&entry.1.data, entry.1.span)) {
        Some((Data::Int(version), _)) if *version == LANGUAGE_VERSION => {}
        Some((_, span)) => {
            let message = "this version of the net language is not known";
            findings.error(Code::UnknownVersion, span, message, Some(format!("write `actum: {LANGUAGE_VERSION}`")));
        }
        None => {}
    }
    let name = table.required("net", findings).and_then(|(_, node)| text(node, findings));
    draft.version = table.text("version", findings);
    if let Some((_, node)) = table.take("roles") {
        draft.roles = data::roles(node, findings);
    }
    draft.subnets.push(subnet::body(name.unwrap_or_default(), &mut table, findings));
    if let Some((_, node)) = table.take("nets") {
        draft.subnets.extend(subnet::subnets(node, findings));
    }
    if let Some((_, node)) = table.take("exceptions") {
        draft.exceptions = exceptions::exceptions(node, false, findings);
    }
    if let Some((_, node)) = table.take("policies") {
        draft.policies = policies::of_net(node, findings);
    }
    if let Some((key, node)) = table.take("starts") {
        draft.starts = starts::starts(key.span, node, findings);
    }
    if let Some((_, node)) = table.take("play") {
        draft.play = play::play(node, findings);
    }
    table.finish(findings);
    Some(draft)
}

/// A text, and where it stands.
fn text(node: &Node, findings: &mut Findings<'_>) -> Option<Name> {
    if let Data::Text(text) = &node.data {
        return Some(Name { text: text.clone(), span: node.span });
    }
    let hint = match &node.data {
        Data::Int(_) | Data::Double(_) | Data::Bool(_) => Some("put quotes around it".to_owned()),
        _ => None,
    };
    wrong_type(node, "text", hint, findings);
    None
}

/// One name, or a list of names.
fn names(node: &Node, findings: &mut Findings<'_>) -> Vec<Name> {
    match &node.data {
        Data::List(items) => {
            if items.is_empty() {
                findings.error(Code::BadValue, node.span, "the list is empty", None);
            }
            items.iter().filter_map(|item| text(item, findings)).collect()
        }
        Data::Text(_) => text(node, findings).into_iter().collect(),
        _ => {
            wrong_type(node, "a name or a list of names", None, findings);
            Vec::new()
        }
    }
}

/// One of some words.
fn choice<T: Copy>(node: &Node, known: &[(&str, T)], findings: &mut Findings<'_>) -> Option<T> {
    let name = text(node, findings)?;
    let chosen = known.iter().find(|(text, _)| *text == name.text);
    if chosen.is_none() {
        let words: Vec<String> = known.iter().map(|(text, _)| format!("`{text}`")).collect();
        let hint = match words.split_last() {
            Some((last, others)) if !others.is_empty() => format!("write {} or {last}", others.join(", ")),
            _ => format!("write {}", words.join("")),
        };
        findings.error(Code::BadValue, name.span, format!("there is no kind `{}` of this", name.text), Some(hint));
    }
    chosen.map(|(_, value)| *value)
}

/// An integer in a range.
fn number(node: &Node, what: &str, range: std::ops::RangeInclusive<u32>, findings: &mut Findings<'_>) -> Option<u32> {
    let Data::Int(number) = node.data else {
        wrong_type(node, "an integer", None, findings);
        return None;
    };
    let within = u32::try_from(number).ok().filter(|number| range.contains(number));
    if within.is_none() {
        let message = format!("{what} lies between {} and {}", range.start(), range.end());
        findings.error(Code::BadValue, node.span, message, None);
    }
    within
}

fn truth(node: &Node, findings: &mut Findings<'_>) -> Option<bool> {
    if let Data::Bool(truth) = node.data {
        return Some(truth);
    }
    wrong_type(node, "true or false", None, findings);
    None
}

fn wrong_type(node: &Node, wanted: &str, hint: Option<String>, findings: &mut Findings<'_>) {
    let message = format!("expected {wanted}, found {}", node.data.describe());
    findings.error(Code::WrongType, node.span, message, hint);
}

/// The data that a node writes out.
pub(crate) fn literal(node: &Node) -> Value {
    match &node.data {
        Data::Null => Value::Null,
        Data::Bool(truth) => Value::Bool(*truth),
        Data::Int(number) => Value::Int(*number),
        Data::Double(number) => Value::Double(*number),
        Data::Text(text) => Value::String(text.clone()),
        Data::List(items) => Value::List(items.iter().map(literal).collect()),
        Data::Map(entries) => Value::Map(entries.iter().map(|(key, node)| (key.text.clone(), literal(node))).collect()),
    }
}
