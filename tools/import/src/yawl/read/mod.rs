//! Reads the tree of a file into a specification: every element and attribute is taken, known to be harmless, or reported.

mod decomposition;
mod resourcing;
mod task;
mod timer;

use super::fields::{Fields, is_yawl, one_line};
use super::schema::Schema;
use super::spec::{Body, Specification};
use crate::finding::{Code, Findings};
use crate::xml::{Element, SCHEMA};

/// What metadata says about the document, not about the process.
const METADATA: [&str; 9] =
    ["creator", "subject", "contributor", "coverage", "validFrom", "validUntil", "created", "status", "identifier"];

/// `None` after a finding; there may be findings even so.
pub(super) fn read<'x>(root: &'x Element, findings: &mut Findings<'_>) -> Option<Specification<'x>> {
    if root.name != "specificationSet" || !is_yawl(root) {
        let message = format!("the root element `{}` is of no format that can be imported", root.name);
        let hint = "YAWL files begin with `specificationSet`, in one of YAWL's namespaces";
        findings.error(Code::UnknownFormat, root.span, message, Some(hint));
        return None;
    }
    let mut fields = Fields::of(root);
    // Every version is read alike: they differ in what may be there, not in what it means.
    fields.attribute("version");
    // Where the editor drew things.
    fields.harmless(&["layout"]);
    let found = fields.many("specification");
    fields.finish(findings);
    match found.as_slice() {
        [one] => specification(one, findings),
        [] => {
            findings.error(Code::Missing, root.span, "the file has no `specification`", None);
            None
        }
        [_, second, ..] => {
            let message = format!("the file has {} specifications; a net file holds one", found.len());
            findings.error(Code::Repeated, second.span, message, Some("put each into a file of its own"));
            None
        }
    }
}

fn specification<'x>(element: &'x Element, findings: &mut Findings<'_>) -> Option<Specification<'x>> {
    let mut fields = Fields::of(element);
    let uri = fields.required_attribute("uri", findings).unwrap_or_default().trim().to_owned();
    let mut name = fields.text("name", findings).map(|text| one_line(&text.text));
    let mut documentation = fields.text("documentation", findings).map(|text| one_line(&text.text));
    let mut version = None;
    if let Some(metadata) = fields.one("metaData", findings) {
        let mut about = Fields::of(metadata);
        version = about.text("version", findings).map(|text| text.text);
        let title = about.text("title", findings).map(|text| one_line(&text.text));
        let description = about.text("description", findings).map(|text| one_line(&text.text));
        name = name.or(title);
        documentation = documentation.or(description);
        // Whether YAWL keeps its cases in a database; here the log always is.
        about.harmless(&["persistent"]);
        about.harmless(&METADATA);
        about.finish(findings);
    }
    let schemas: Vec<&Element> = element.children.iter().filter(|child| child.is(SCHEMA, "schema")).collect();
    let schema = Schema::of(schemas.first().copied());
    if let Some(second) = schemas.get(1) {
        findings.error(Code::Repeated, second.span, "`specification` has more than one `schema`", None);
    }
    fields.refuse("importedNet", "a net of another file; put both into one file", findings);
    let mut decompositions = Vec::new();
    let mut roots = Vec::new();
    for element in fields.many("rootNet") {
        roots.push(decompositions.len());
        decompositions.extend(decomposition::root_net(element, findings));
    }
    for element in fields.many("decomposition") {
        let (decomposition, root) = decomposition::decomposition(element, findings);
        if root {
            roots.push(decompositions.len());
        }
        decompositions.extend(decomposition);
    }
    // Its types are read where they are used.
    fields.take_foreign(|child| child.is(SCHEMA, "schema"));
    fields.finish(findings);
    let root = match roots.as_slice() {
        [root] => *root,
        [] => {
            findings.error(Code::Missing, element.span, "the specification has no root net", None);
            return None;
        }
        _ => {
            findings.error(Code::Repeated, element.span, "the specification has more than one root net", None);
            return None;
        }
    };
    if !matches!(decompositions.get(root).map(|root| &root.body), Some(Body::Net(_))) {
        return None;
    }
    let span = element.span;
    Some(Specification { span, uri, name, documentation, version, schema, decompositions, root })
}
