//! From the tree to a draft: the net as it was written, every part with its place, shorthands resolved, nothing looked up yet.

mod data;
mod play;
mod table;
mod task;

use actum_model::Value;

use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::net::{Join, Split};
use crate::source::{Data, Findings, Node, Span};
use table::Table;

/// The version of the net language that this crate reads.
pub(crate) const LANGUAGE_VERSION: i64 = 1;

/// A name, and where it stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) span: Span,
}

#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) name: Name,
    pub(crate) version: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) variables: Vec<VariableDraft>,
    pub(crate) roles: Vec<RoleDraft>,
    pub(crate) conditions: Vec<ConditionDraft>,
    pub(crate) tasks: Vec<TaskDraft>,
    pub(crate) start: Vec<Name>,
    pub(crate) play: PlayDraft,
}

#[derive(Debug)]
pub(crate) struct VariableDraft {
    pub(crate) name: Name,
    pub(crate) kind: ValueKind,
    pub(crate) input: bool,
    pub(crate) required: bool,
    pub(crate) default: Option<Node>,
    pub(crate) description: Option<String>,
}

#[derive(Debug)]
pub(crate) struct RoleDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
}

#[derive(Debug)]
pub(crate) struct ConditionDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
    pub(crate) flow: Vec<Name>,
}

#[derive(Debug, Default)]
pub(crate) struct TaskDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) join: Option<Join>,
    pub(crate) split: Option<Split>,
    pub(crate) handler: Option<Name>,
    pub(crate) params: Option<Part>,
    pub(crate) role: Option<Name>,
    pub(crate) separate_from: Option<(Span, Vec<Name>)>,
    pub(crate) input: Option<Part>,
    pub(crate) form: Option<(Span, Vec<FieldDraft>)>,
    pub(crate) output: Vec<(Name, Node)>,
    pub(crate) flow: Vec<FlowDraft>,
}

/// A map of templates, and the place of the key that holds it.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) key: Span,
    pub(crate) node: Node,
}

#[derive(Debug)]
pub(crate) struct FieldDraft {
    pub(crate) name: Name,
    pub(crate) title: Option<String>,
    pub(crate) kind: ValueKind,
    pub(crate) required: bool,
}

#[derive(Debug)]
pub(crate) struct FlowDraft {
    pub(crate) to: Name,
    pub(crate) when: Option<Name>,
    pub(crate) default: bool,
    pub(crate) span: Span,
}

#[derive(Debug, Default)]
pub(crate) struct PlayDraft {
    pub(crate) participants: Vec<(Name, Vec<String>)>,
    pub(crate) tasks: Vec<TaskPlayDraft>,
}

#[derive(Debug)]
pub(crate) struct TaskPlayDraft {
    pub(crate) name: Name,
    pub(crate) minutes: (u32, u32),
    pub(crate) results: Vec<(u32, Node)>,
}

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
    if let Some((_, node)) = table.required("net", findings) {
        draft.name = text(node, findings).unwrap_or_default();
    }
    draft.version = table.text("version", findings);
    draft.title = table.text("title", findings);
    draft.description = table.text("description", findings);
    if let Some((_, node)) = table.take("data") {
        draft.variables = data::variables(node, findings);
    }
    if let Some((_, node)) = table.take("roles") {
        draft.roles = data::roles(node, findings);
    }
    if let Some((_, node)) = table.take("conditions") {
        draft.conditions = data::conditions(node, findings);
    }
    if let Some((_, node)) = table.required("start", findings) {
        draft.start = names(node, findings);
    }
    if let Some((key, node)) = table.required("tasks", findings) {
        draft.tasks = task::tasks(node, findings);
        if draft.tasks.is_empty() && !findings.has_errors() {
            findings.error(Code::BadValue, key.span, "a net has at least one task", None);
        }
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
