//! Reads tasks, conditions and flows.

use super::super::fields::{Fields, Text, leaf, one_line};
use super::super::spec::{Flow, Gate, InstanceInput, InstanceOutput, Instances, Mapping, Node, Reference, Task};
use super::decomposition::expression;
use super::{resourcing, timer};
use crate::finding::{Code, Findings};
use crate::xml::Element;

pub(super) fn task(element: &Element, findings: &mut Findings<'_>) -> Option<Task> {
    let mut fields = Fields::of(element);
    let multiple = match fields.instance_type() {
        None | Some("ExternalTaskFactsType") => false,
        Some("MultipleInstanceExternalTaskFactsType") => true,
        Some(other) => {
            findings.error(Code::BadValue, element.span, format!("`{other}` is not a kind of task"), None);
            false
        }
    };
    let node = node(&mut fields, findings);
    let join = gate(&mut fields, "join", findings);
    let split = gate(&mut fields, "split", findings);
    fields.refuse("defaultConfiguration", "configurable nets; import the configured one", findings);
    fields.refuse("configuration", "configurable nets; import the configured one", findings);
    let removes = fields.many("removesTokens").into_iter().filter_map(|element| reference(element, findings)).collect();
    let flows = fields.many("removesTokensFromFlow");
    let removes_flows = flows.into_iter().filter_map(|element| flow_reference(element, findings)).collect();
    let enablement = mappings(&mut fields, "enablementMappings", findings);
    let starting = mappings(&mut fields, "startingMappings", findings);
    let completed = mappings(&mut fields, "completedMappings", findings);
    let timer = fields.one("timer", findings).and_then(|element| timer::timer(element, findings));
    let resourcing = fields.one("resourcing", findings).and_then(|element| resourcing::resourcing(element, findings));
    if let Some(form) = fields.text("customForm", findings) {
        let message = format!("the form at {} is not used; there is one for the task's parameters", form.text);
        findings.warning(Code::NoEffect, form.span, message, None);
    }
    let decomposes_to = fields.one("decomposesTo", findings).and_then(|element| reference(element, findings));
    let instances = if multiple { instances(&mut fields, findings) } else { None };
    fields.finish(findings);
    Some(Task {
        node: node?,
        // A task with a mistake is still there: flows to it are none.
        join: join.unwrap_or(Gate::Xor),
        split: split.unwrap_or(Gate::And),
        removes,
        removes_flows,
        enablement,
        starting,
        completed,
        timer,
        resourcing,
        decomposes_to,
        instances,
    })
}

/// What conditions and tasks have in common.
pub(super) fn node(fields: &mut Fields<'_>, findings: &mut Findings<'_>) -> Option<Node> {
    let id = fields.required_attribute("id", findings).map(|id| id.trim().to_owned());
    let name = fields.text("name", findings).map(|text| one_line(&text.text));
    let documentation = fields.text("documentation", findings).map(|text| one_line(&text.text));
    let flows = fields.many("flowsInto").into_iter().filter_map(|element| flow(element, findings)).collect();
    Some(Node { span: fields.span(), id: id?, name, documentation, flows })
}

fn flow(element: &Element, findings: &mut Findings<'_>) -> Option<Flow> {
    let mut fields = Fields::of(element);
    let to = fields.required("nextElementRef", findings).and_then(|element| reference(element, findings));
    let mut predicate = None;
    let mut ordering = None;
    if let Some(element) = fields.one("predicate", findings) {
        let mut fields = Fields::of(element);
        predicate = Some(fields.own_text());
        if let Some(order) = fields.attribute("ordering") {
            ordering = order.trim().parse().ok();
            if ordering.is_none() {
                findings.error(Code::BadValue, element.span, format!("the ordering `{order}` is not a number"), None);
            }
        }
        fields.finish(findings);
    }
    let default = fields.flag("isDefaultFlow", findings);
    // A label of the drawing.
    fields.harmless(&["documentation"]);
    fields.finish(findings);
    Some(Flow { span: element.span, to: to?, predicate, ordering, default })
}

pub(super) fn reference(element: &Element, findings: &mut Findings<'_>) -> Option<Reference> {
    let mut fields = Fields::of(element);
    let id = fields.required_attribute("id", findings);
    fields.finish(findings);
    id.map(|id| Reference { id: id.trim().to_owned(), span: element.span })
}

fn flow_reference(element: &Element, findings: &mut Findings<'_>) -> Option<(Reference, Reference)> {
    let mut fields = Fields::of(element);
    let from = fields.required("flowSource", findings).and_then(|element| reference(element, findings));
    let to = fields.required("flowDestination", findings).and_then(|element| reference(element, findings));
    fields.finish(findings);
    from.zip(to)
}

fn gate(fields: &mut Fields<'_>, name: &str, findings: &mut Findings<'_>) -> Option<Gate> {
    let element = fields.required(name, findings)?;
    let mut fields = Fields::of(element);
    let code = fields.required_attribute("code", findings);
    fields.finish(findings);
    match code?.trim() {
        "and" => Some(Gate::And),
        "or" => Some(Gate::Or),
        "xor" => Some(Gate::Xor),
        other => {
            findings.error(
                Code::BadValue,
                element.span,
                format!("there is no {name} `{other}`"),
                Some("it is `and`, `or` or `xor`"),
            );
            None
        }
    }
}

fn mappings(fields: &mut Fields<'_>, name: &str, findings: &mut Findings<'_>) -> Vec<Mapping> {
    let Some(element) = fields.one(name, findings) else { return Vec::new() };
    let mut fields = Fields::of(element);
    let list = fields.many("mapping").into_iter().filter_map(|element| {
        let mut fields = Fields::of(element);
        let query = fields.required("expression", findings).and_then(|element| expression(element, findings));
        let to = fields.required_text("mapsTo", findings);
        fields.finish(findings);
        Some(Mapping { query: query?, to: to? })
    });
    let list = list.collect();
    fields.finish(findings);
    list
}

fn instances(fields: &mut Fields<'_>, findings: &mut Findings<'_>) -> Option<Instances> {
    let span = fields.span();
    let minimum = fields.required_text("minimum", findings);
    let maximum = fields.required_text("maximum", findings);
    let threshold = fields.required_text("threshold", findings);
    let dynamic = fields.required("creationMode", findings).and_then(|element| creation_mode(element, findings));
    let input = fields.one("miDataInput", findings).and_then(|element| {
        let mut fields = Fields::of(element);
        let query = fields.required("expression", findings).and_then(|element| expression(element, findings));
        let splitting =
            fields.required("splittingExpression", findings).and_then(|element| expression(element, findings));
        let parameter = fields.required_text("formalInputParam", findings);
        fields.finish(findings);
        Some(InstanceInput { query: query?, splitting: splitting?, parameter: parameter? })
    });
    let output = fields.one("miDataOutput", findings).and_then(|element| {
        let mut fields = Fields::of(element);
        let formal =
            fields.required("formalOutputExpression", findings).and_then(|element| expression(element, findings));
        let joining =
            fields.required("outputJoiningExpression", findings).and_then(|element| expression(element, findings));
        let variable = fields.required_text("resultAppliedToLocalVariable", findings);
        fields.finish(findings);
        Some(InstanceOutput { formal: formal?, joining: joining?, variable: variable? })
    });
    let (minimum, maximum, threshold): (Text, Text, Text) = (minimum?, maximum?, threshold?);
    Some(Instances { span, minimum, maximum, threshold, dynamic: dynamic?, input, output })
}

fn creation_mode(element: &Element, findings: &mut Findings<'_>) -> Option<bool> {
    let mut fields = Fields::of(element);
    let code = fields.required_attribute("code", findings);
    fields.finish(findings);
    match code?.trim() {
        "static" => Some(false),
        "dynamic" => Some(true),
        other => {
            let message = format!("there is no creation mode `{other}`");
            findings.error(Code::BadValue, element.span, message, Some("it is `static` or `dynamic`"));
            None
        }
    }
}

/// A number in an element of its own.
pub(super) fn number(element: &Element, findings: &mut Findings<'_>) -> Option<i64> {
    let text = leaf(element, findings);
    let number = text.text.parse().ok();
    if number.is_none() {
        findings.error(Code::BadValue, element.span, format!("`{}` is not a number", text.text), None);
    }
    number
}
