//! Guards, mappings and templates: compiled, and their types checked as far as they are known.

use actum_model::Value;

use super::names::Tables;
use crate::diagnostic::Code;
use crate::expression::{
    self, Expression, Given, Guard, Names, Piece, Placeholders, ResultShape, Shape, StaticType, Template,
};
use crate::kind::ValueKind;
use crate::net::VariableIx;
use crate::read::{Name, TaskDraft, literal};
use crate::source::{Data, Findings, Node, Span};

/// A handler that every engine has; its result is its parameters.
const EXPR_HANDLER: &str = "expr";

const MAP_FIRST: &str = "map what you need into a case variable with `output`, and read that";

/// Why a guard cannot read the result.
pub(super) const RESULT_FIRST: ResultShape<'static> = ResultShape::Absent(MAP_FIRST);

/// Why what goes into a task cannot read the result.
pub(super) const RESULT_LATER: ResultShape<'static> =
    ResultShape::Absent("the result is there after the task: use `output`");

/// A template that is an empty map.
pub(super) fn empty() -> Template {
    Template::new(Shape::Literal(Value::Map(std::collections::BTreeMap::new())))
}

/// The guard of every flow of a task, in order. A guard with a finding is left out.
pub(super) fn guards(task: &TaskDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Vec<Option<Guard>> {
    let names = tables.names(&[], RESULT_FIRST);
    task.flow.iter().map(|flow| flow.when.as_ref().and_then(|when| guard(when, names, findings))).collect()
}

pub(super) fn guard(when: &Name, names: Names<'_>, findings: &mut Findings<'_>) -> Option<Guard> {
    if when.text.trim_start().starts_with("{{") {
        let hint = Some("a guard is CEL already: drop the `{{` and `}}`".to_owned());
        findings.error(Code::CelSyntax, when.span, "a guard is not a template", hint);
        return None;
    }
    let (expression, kind) = compile(&when.text, when.span, 0, names, findings)?;
    if !matches!(kind, StaticType::Dynamic | StaticType::Known(ValueKind::Bool)) {
        let message = format!("a guard must be true or false, not {}", kind.name());
        findings.error(Code::GuardNotBool, when.span, message, Some("compare it with something".to_owned()));
        return None;
    }
    Some(Guard::new(expression))
}

/// The output mapping of a task, ascending by variable.
pub(super) fn output(
    task: &TaskDraft,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Vec<(VariableIx, Template)> {
    if task.output.is_empty() {
        return Vec::new();
    }
    let fields = result_fields(task, tables);
    let result = match &fields {
        _ if task.wait.is_some() => ResultShape::Absent("waiting has no result"),
        _ if task.is_routing() => ResultShape::Absent("a task that only routes has no result"),
        _ if task.instances.is_some() => ResultShape::List,
        Some(fields) => ResultShape::Fields(fields),
        None => ResultShape::Open,
    };
    let given: &[Given] = if task.instances.is_some() { &[Given::Results] } else { &[] };
    let names = tables.names(given, result);
    let mut output = Vec::new();
    for (name, node) in &task.output {
        let variable = tables.variable(name, findings);
        let compiled = template(node, names, findings);
        let (Some((variable, wanted)), Some((template, kind))) = (variable, compiled) else { continue };
        if !fits(&template, kind, wanted) {
            let message = format!("`{}` holds {wanted}, not {}", name.text, kind.name());
            findings.error(Code::TypeMismatch, node.span, message, None);
        }
        output.push((variable, template));
    }
    output
}

/// Whether a template may give what a variable of a kind holds: a literal is known for good, an expression by its type.
pub(super) fn fits(template: &Template, kind: StaticType, wanted: ValueKind) -> bool {
    match template.literal() {
        Some(value) => wanted.admit(value.clone()).is_ok(),
        None => kind.may_fill(wanted),
    }
}

/// The fields of a task's result, if they are known: a person's form, the parameters of the handler `expr`, or the
/// variables of a subnet.
fn result_fields<'t>(task: &'t TaskDraft, tables: &'t Tables<'_>) -> Option<Vec<(&'t str, StaticType)>> {
    if let Some(net) = &task.net {
        let subnet = tables.shared.subnets.iter().skip(1).find(|subnet| subnet.name.text == net.text)?;
        let variables = subnet.variables.iter();
        return Some(
            variables.map(|variable| (variable.name.text.as_str(), StaticType::of_kind(variable.kind))).collect(),
        );
    }
    if task.is_manual() {
        let fields = task.form.iter().flat_map(|(_, fields)| fields);
        return Some(fields.map(|field| (field.name.text.as_str(), StaticType::of_kind(field.kind))).collect());
    }
    if task.handler.as_ref()?.text != EXPR_HANDLER {
        return None;
    }
    let Some(Data::Map(entries)) = task.params.as_ref().map(|part| &part.node.data) else { return Some(Vec::new()) };
    Some(entries.iter().map(|(key, _)| (key.text.as_str(), StaticType::Dynamic)).collect())
}

/// Compiles literal data with `{{ }}` in it. `None` after a finding.
pub(super) fn template(node: &Node, names: Names<'_>, findings: &mut Findings<'_>) -> Option<(Template, StaticType)> {
    let (shape, kind) = shape(node, names, findings)?;
    Some((Template::new(shape), kind))
}

fn shape(node: &Node, names: Names<'_>, findings: &mut Findings<'_>) -> Option<(Shape, StaticType)> {
    match &node.data {
        Data::Text(content) if expression::has_placeholder(content) => text(content, node.span, names, findings),
        Data::List(items) => {
            let shapes: Vec<Option<Shape>> =
                items.iter().map(|item| shape(item, names, findings).map(|(shape, _)| shape)).collect();
            let shapes: Vec<Shape> = shapes.into_iter().collect::<Option<_>>()?;
            let fixed = shapes.iter().all(|shape| matches!(shape, Shape::Literal(_)));
            let list = if fixed { Shape::Literal(literal(node)) } else { Shape::List(shapes) };
            Some((list, StaticType::Known(ValueKind::List)))
        }
        Data::Map(entries) => {
            let shapes: Vec<Option<(String, Shape)>> = entries
                .iter()
                .map(|(key, node)| shape(node, names, findings).map(|(shape, _)| (key.text.clone(), shape)))
                .collect();
            let mut shapes: Vec<(String, Shape)> = shapes.into_iter().collect::<Option<_>>()?;
            shapes.sort_by(|left, right| left.0.cmp(&right.0));
            let fixed = shapes.iter().all(|(_, shape)| matches!(shape, Shape::Literal(_)));
            let map = if fixed { Shape::Literal(literal(node)) } else { Shape::Map(shapes) };
            Some((map, StaticType::Known(ValueKind::Map)))
        }
        _ => {
            let value = literal(node);
            let kind = ValueKind::of(&value).map_or(StaticType::Null, StaticType::Known);
            Some((Shape::Literal(value), kind))
        }
    }
}

fn text(content: &str, span: Span, names: Names<'_>, findings: &mut Findings<'_>) -> Option<(Shape, StaticType)> {
    let mut pieces = Vec::new();
    let mut kind = StaticType::Dynamic;
    let mut complete = true;
    for part in Placeholders::new(content) {
        match part {
            expression::Part::Text(text) => pieces.push(Piece::Text(text.to_owned())),
            expression::Part::Expression(text, at) => match compile(text, span, at, names, findings) {
                Some((expression, found)) => {
                    kind = found;
                    pieces.push(Piece::Value(expression));
                }
                None => complete = false,
            },
            expression::Part::Unclosed(at) => {
                let place = locate(findings.source(), span, "{{", at).unwrap_or(span);
                let hint = Some("close it with `}}`; for the text itself write `{{ \"{{\" }}`".to_owned());
                findings.error(Code::UnclosedTemplate, place, "`{{` is never closed", hint);
                complete = false;
            }
        }
    }
    if !complete {
        return None;
    }
    match <[Piece; 1]>::try_from(pieces) {
        Ok([Piece::Value(expression)]) => Some((Shape::Expression(expression), kind)),
        Ok(one) => Some((Shape::Text(Vec::from(one)), StaticType::Known(ValueKind::String))),
        Err(pieces) => Some((Shape::Text(pieces), StaticType::Known(ValueKind::String))),
    }
}

/// Compiles one expression that stands at `at` in the scalar at `span`, and reports its findings where they are.
fn compile(
    text: &str,
    span: Span,
    at: usize,
    names: Names<'_>,
    findings: &mut Findings<'_>,
) -> Option<(Expression, StaticType)> {
    if findings.is_full() {
        // The net is refused already.
        return None;
    }
    match expression::compile(text, names) {
        Ok(compiled) => Some(compiled),
        Err(found) => {
            for finding in found {
                let place = locate_in(findings.source(), span, text, at, finding.at);
                findings.error(finding.code, place, finding.message, finding.hint);
            }
            None
        }
    }
}

/// Where the byte `inside` of an expression stands: by the whole expression, else (in a block of lines) by its line.
fn locate_in(source: &str, span: Span, text: &str, at: usize, inside: usize) -> Span {
    if let Some(whole) = locate(source, span, text, at) {
        return Span { start: (whole.start + inside).min(whole.end), end: whole.end };
    }
    let inside = text.floor_char_boundary(inside.min(text.len()));
    let first = text[..inside].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[first..].lines().next().unwrap_or_default();
    let indent = line.len() - line.trim_start().len();
    let Some(place) = locate(source, span, line.trim(), 0) else { return span };
    Span { start: (place.start + (inside - first).saturating_sub(indent)).min(place.end), end: place.end }
}

/// Where a part of a scalar's text stands in the source; `None` if escapes or folding changed it.
fn locate(source: &str, span: Span, part: &str, at: usize) -> Option<Span> {
    let raw = source.get(span.start..span.end)?;
    // Quotes only ever move the text to the right.
    let from = raw.floor_char_boundary(at.min(raw.len()));
    let found = raw[from..].find(part).filter(|_| !part.is_empty())?;
    let start = span.start + from + found;
    Some(Span { start, end: start + part.len() })
}
