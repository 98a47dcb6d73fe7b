//! Reads decompositions: nets, and what services and people do.

use super::super::fields::{Fields, Text, leaf, one_line};
use super::super::spec::{Body, Decomposition, Initial, Net, Node, Parameter, Service, TypeName};
use super::task;
use crate::finding::{Code, Findings};
use crate::xml::Element;

/// How a form looks: YAWL calls these extended attributes.
const PRESENTATION: [&str; 34] = [
    "alert",
    "background-color",
    "background-color-alt",
    "bgColor",
    "blackout",
    "font",
    "font-color",
    "font-family",
    "font-size",
    "font-style",
    "form-justify",
    "header-font",
    "hide",
    "hideIf",
    "image-above",
    "image-align",
    "image-below",
    "image-height",
    "image-width",
    "justify",
    "label",
    "line-above",
    "line-below",
    "page-background-color",
    "page-background-image",
    "readOnly",
    "show",
    "showIf",
    "text-above",
    "text-below",
    "textarea",
    "title",
    "tooltip",
    "validationmessage",
];

pub(super) fn is_presentation(name: &str) -> bool {
    PRESENTATION.contains(&name)
}

/// The Beta dialects have the root net as an element of its own.
pub(super) fn root_net<'x>(element: &'x Element, findings: &mut Findings<'_>) -> Option<Decomposition<'x>> {
    let mut fields = Fields::of(element);
    fields.instance_type();
    read(fields, Kind::Net, findings)
}

/// And whether it is the root net.
pub(super) fn decomposition<'x>(
    element: &'x Element,
    findings: &mut Findings<'_>,
) -> (Option<Decomposition<'x>>, bool) {
    let mut fields = Fields::of(element);
    let root = fields.attribute("isRootNet").is_some_and(|value| matches!(value.trim(), "true" | "1"));
    let kind = match fields.instance_type() {
        Some("NetFactsType") => Kind::Net,
        Some("WebServiceGatewayFactsType") => Kind::Service,
        Some(other) => {
            let message = format!("`{other}` is not a kind of decomposition");
            findings.error(Code::BadValue, element.span, message, None);
            return (None, root);
        }
        None => {
            let hint = "it says whether this is a net (`NetFactsType`) or a service (`WebServiceGatewayFactsType`)";
            findings.error(Code::Missing, element.span, "`decomposition` has no attribute `xsi:type`", Some(hint));
            return (None, root);
        }
    };
    (read(fields, kind, findings), root)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Net,
    Service,
}

fn read<'x>(mut fields: Fields<'x>, kind: Kind, findings: &mut Findings<'_>) -> Option<Decomposition<'x>> {
    let span = fields.span();
    let id = fields.required_attribute("id", findings).map(|id| id.trim().to_owned());
    fields.harmless_attributes(is_presentation);
    let name = fields.text("name", findings).map(|text| one_line(&text.text));
    let documentation = fields.text("documentation", findings).map(|text| one_line(&text.text));
    // What YAWL writes into its own process log.
    fields.harmless(&["logPredicate"]);
    let inputs = parameters(&mut fields, "inputParam", findings);
    let outputs = parameters(&mut fields, "outputParam", findings);
    // The tasks that ask these queries have them too.
    let queries = fields.many("outputExpression");
    let lists_queries = !queries.is_empty();
    for query in queries {
        expression(query, findings);
    }
    let body = match kind {
        Kind::Net => {
            fields.refuse("externalDataGateway", "data from a gateway of the YAWL engine", findings);
            Body::Net(net(&mut fields, findings)?)
        }
        Kind::Service => Body::Service(service(&mut fields, findings)),
    };
    fields.finish(findings);
    Some(Decomposition { span, id: id?, name, documentation, inputs, outputs, lists_queries, body })
}

/// The `query` of an expression.
pub(super) fn expression(element: &Element, findings: &mut Findings<'_>) -> Option<Text> {
    let mut fields = Fields::of(element);
    let query = fields
        .required_attribute("query", findings)
        .map(|query| Text { text: query.trim().to_owned(), span: element.span });
    fields.finish(findings);
    query
}

fn service<'x>(fields: &mut Fields<'x>, findings: &mut Findings<'_>) -> Service<'x> {
    let enablement = parameters(fields, "enablementParam", findings);
    let mut address = None;
    let mut notes = Vec::new();
    if let Some(element) = fields.one("yawlService", findings) {
        let mut service = Fields::of(element);
        address = service
            .required_attribute("id", findings)
            .map(|id| Text { text: id.trim().to_owned(), span: element.span });
        for (name, says) in [("documentation", ""), ("wsdlLocation", "WSDL "), ("operationName", "operation ")] {
            if let Some(text) = service.text(name, findings) {
                notes.push(format!("{says}{}", one_line(&text.text)));
            }
        }
        service.finish(findings);
    }
    let codelet = fields.text("codelet", findings);
    let automated = match fields.text("externalInteraction", findings) {
        None => false,
        Some(text) => match text.text.as_str() {
            "manual" => false,
            "automated" => true,
            other => {
                let message = format!("`{other}` is not a kind of interaction");
                findings.error(Code::BadValue, text.span, message, Some("it is `manual` or `automated`"));
                false
            }
        },
    };
    Service { enablement, address, notes, codelet, automated }
}

fn net<'x>(fields: &mut Fields<'x>, findings: &mut Findings<'_>) -> Option<Net<'x>> {
    let locals = parameters(fields, "localVariable", findings);
    let elements = fields.required("processControlElements", findings)?;
    let mut control = Fields::of(elements);
    let input = control.required("inputCondition", findings).and_then(|element| condition(element, findings));
    let output = control.required("outputCondition", findings).and_then(|element| condition(element, findings));
    let conditions = control.many("condition").into_iter().filter_map(|element| condition(element, findings)).collect();
    let tasks = control.many("task").into_iter().filter_map(|element| task::task(element, findings)).collect();
    control.finish(findings);
    Some(Net { locals, input: input?, output: output?, conditions, tasks })
}

fn condition(element: &Element, findings: &mut Findings<'_>) -> Option<Node> {
    let mut fields = Fields::of(element);
    let node = task::node(&mut fields, findings);
    fields.finish(findings);
    node
}

fn parameters<'x>(fields: &mut Fields<'x>, name: &str, findings: &mut Findings<'_>) -> Vec<Parameter<'x>> {
    fields.many(name).into_iter().filter_map(|element| parameter(element, findings)).collect()
}

fn parameter<'x>(element: &'x Element, findings: &mut Findings<'_>) -> Option<Parameter<'x>> {
    let mut fields = Fields::of(element);
    fields.harmless_attributes(is_presentation);
    // The order in forms; the order of the elements is the same in all known files, and only forms show it.
    fields.harmless(&["index", "ordering", "logPredicate"]);
    let attribute = fields.attribute("name").map(|name| Text { text: name.trim().to_owned(), span: element.span });
    let name = fields.text("name", findings).or(attribute);
    let type_name = fields.text("type", findings);
    // Of the type's name: a file's own types are looked for first, whatever this says.
    fields.harmless(&["namespace"]);
    let of_element = fields.text("element", findings);
    let untyped = fields.flag("isUntyped", findings);
    let initial = fields.one("initialValue", findings).map(|element| Initial { element });
    if let Some(default) = fields.one("defaultValue", findings)
        && !leaf(default, findings).text.is_empty()
    {
        let message = "`defaultValue`: an output that is filled in when the work gave none";
        findings.error(Code::NotSupported, default.span, message, Some("give the net's variable an initial value"));
    }
    let mandatory = fields.flag("mandatory", findings);
    // For services that keep a case's data themselves: it is passed on unchanged, as every output is.
    fields.harmless(&["isCutThroughParam"]);
    let documentation = fields.text("documentation", findings).map(|text| one_line(&text.text));
    fields.finish(findings);
    let (name, kind) = match (name, type_name, of_element) {
        (Some(name), Some(kind), None) => (name.text, TypeName::Named(kind.text)),
        (Some(name), None, Some(of)) => (name.text, TypeName::Element(of.text)),
        (None, None, Some(of)) => (of.text.clone(), TypeName::Element(of.text)),
        (Some(name), None, None) if untyped => (name.text, TypeName::Untyped),
        (Some(name), None, None) => {
            let message = format!("`{}` has no type", name.text);
            findings.error(Code::Missing, element.span, message, Some("add `type`, `element` or `isUntyped`"));
            return None;
        }
        _ => {
            let message = format!("`{}` has neither a name with a type nor an element", element.name);
            findings.error(Code::Missing, element.span, message, None);
            return None;
        }
    };
    Some(Parameter { span: element.span, name, kind, initial, mandatory, documentation })
}
