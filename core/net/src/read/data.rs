//! Reads `data`, `roles` and `conditions`.

use super::table::{Table, entries};
use super::{ConditionDraft, Name, RoleDraft, VariableDraft, names, text};
use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::source::{Findings, Key, Node};
use crate::suggest::suggestion;

pub(super) fn name_of(key: &Key) -> Name {
    Name { text: key.text.clone(), span: key.span }
}

pub(super) fn variables(node: &Node, findings: &mut Findings<'_>) -> Vec<VariableDraft> {
    let listed = entries(node, findings).unwrap_or_default();
    let read = |(key, node): &(Key, Node)| {
        let mut table = Table::of(node, &format!("variable `{}`", key.text), findings)?;
        let kind = kind(&mut table, findings);
        let variable = VariableDraft {
            name: name_of(key),
            kind: kind.unwrap_or(ValueKind::Any),
            input: table.truth("input", findings),
            required: table.truth("required", findings),
            // Without a kind, the default cannot be judged.
            default: table.take("default").filter(|_| kind.is_some()).map(|(_, node)| node.clone()),
            description: table.text("description", findings),
        };
        table.finish(findings);
        Some(variable)
    };
    listed.iter().filter_map(read).collect()
}

/// The `type` of a variable or a field.
pub(super) fn kind(table: &mut Table<'_>, findings: &mut Findings<'_>) -> Option<ValueKind> {
    let (_, node) = table.required("type", findings)?;
    let name = text(node, findings)?;
    let kind = ValueKind::from_name(&name.text);
    if kind.is_none() {
        let known = ValueKind::ALL.map(ValueKind::name);
        let hint = suggestion(&name.text, known).unwrap_or_else(|| format!("types: {}", known.join(", ")));
        findings.error(Code::BadValue, name.span, format!("there is no type `{}`", name.text), Some(hint));
    }
    kind
}

pub(super) fn roles(node: &Node, findings: &mut Findings<'_>) -> Vec<RoleDraft> {
    let listed = entries(node, findings).unwrap_or_default();
    let read = |(key, node): &(Key, Node)| {
        let mut table = Table::of_optional(node, &format!("role `{}`", key.text), findings)?;
        let role = RoleDraft { name: name_of(key), title: table.text("title", findings) };
        table.finish(findings);
        Some(role)
    };
    listed.iter().filter_map(read).collect()
}

pub(super) fn conditions(node: &Node, findings: &mut Findings<'_>) -> Vec<ConditionDraft> {
    let listed = entries(node, findings).unwrap_or_default();
    let read = |(key, node): &(Key, Node)| {
        let mut table = Table::of(node, &format!("condition `{}`", key.text), findings)?;
        let condition = ConditionDraft {
            name: name_of(key),
            title: table.text("title", findings),
            flow: table.take("flow").map(|(_, node)| names(node, findings)).unwrap_or_default(),
        };
        table.finish(findings);
        Some(condition)
    };
    listed.iter().filter_map(read).collect()
}
