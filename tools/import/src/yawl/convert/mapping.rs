//! Mappings between the data of a net and that of what its tasks run.

use std::collections::BTreeMap;

use super::super::cel::{Refusal, Scope, Term, fit, guard, translate};
use super::super::fields::Text;
use super::super::query::{Query, parse};
use super::super::spec::{Body, Decomposition, Mapping};
use super::data::{Declarations, Need, Variable};
use crate::finding::{Code, Findings, Span};
use crate::yaml::Node;

/// Longest expression that the net language has, in bytes.
const CEL_BYTES_MAX: usize = 2_048;

/// The tree of a query; reported if it is not understood.
pub(super) fn read(text: &Text, findings: &mut Findings<'_>) -> Option<Query> {
    match parse(&text.text) {
        Ok(query) => Some(query),
        Err(why) => {
            let message = format!("the query `{}` is not understood: {why}", excerpt(&text.text));
            findings.error(Code::Query, text.span, message, None);
            None
        }
    }
}

/// The start of a query, for messages.
fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let line = super::super::fields::one_line(text);
    if line.chars().count() <= CHARS_MAX { line } else { line.chars().take(CHARS_MAX).collect::<String>() + "…" }
}

pub(super) fn refused(text: &Text, refusal: &Refusal, findings: &mut Findings<'_>) {
    let message = format!("in `{}`: {}", excerpt(&text.text), refusal.why);
    findings.error(refusal.code, text.span, message, refusal.hint);
}

/// The value of a query.
pub(super) fn value(text: &Text, scope: &Scope, findings: &mut Findings<'_>) -> Option<Term> {
    let query = read(text, findings)?;
    match translate(&query, scope) {
        Ok(term) => Some(term),
        Err(refusal) => {
            refused(text, &refusal, findings);
            None
        }
    }
}

/// A predicate as a guard.
pub(super) fn predicate(text: &Text, scope: &Scope, findings: &mut Findings<'_>) -> Option<String> {
    let query = read(text, findings)?;
    match guard(&query, scope) {
        Ok(cel) => short_enough(text, cel, findings),
        Err(refusal) => {
            refused(text, &refusal, findings);
            None
        }
    }
}

fn short_enough(text: &Text, cel: String, findings: &mut Findings<'_>) -> Option<String> {
    if cel.len() > CEL_BYTES_MAX {
        let message = format!("the query `{}` is too long: as CEL it has {} bytes", excerpt(&text.text), cel.len());
        findings.error(Code::Query, text.span, message, None);
        return None;
    }
    Some(cel)
}

/// The value of a query for a variable, as CEL.
pub(super) fn fitted(text: &Text, term: &Term, to: &Variable, findings: &mut Findings<'_>) -> Option<String> {
    match fit(term, &to.shape) {
        Ok(cel) => short_enough(text, cel, findings),
        Err(refusal) => {
            refused(text, &refusal, findings);
            None
        }
    }
}

/// CEL as a template that gives its value.
pub(super) fn template(cel: &str, span: Span) -> Node {
    Node::text(format!("{{{{ {cel} }}}}")).at(span)
}

/// What starting and enablement mappings give: for each parameter, its value.
pub(super) fn inputs<'m>(
    mappings: impl Iterator<Item = &'m Mapping>,
    scope: &Scope,
    declared: &Declarations,
    decomposition: &Decomposition<'_>,
    findings: &mut Findings<'_>,
) -> BTreeMap<String, Node> {
    let mut inputs = BTreeMap::new();
    for mapping in mappings {
        if mapping.to.text.starts_with("YawlResource") && mapping.to.text.ends_with("Query") {
            let message = format!("`{}`: who may do the task is a query of a database", mapping.to.text);
            let hint = "say it with `resourcing`, or afterwards in the net";
            findings.error(Code::NotSupported, mapping.to.span, message, Some(hint));
            continue;
        }
        let Some(to) = declared.get(&mapping.to.text).filter(|to| to.input.is_some()) else {
            let message = format!("`{}` has no input `{}`", decomposition.id, mapping.to.text);
            findings.error(Code::UnknownVariable, mapping.to.span, message, None);
            continue;
        };
        let Some(term) = value(&mapping.query, scope, findings) else { continue };
        let Some(cel) = fitted(&mapping.query, &term, to, findings) else { continue };
        if inputs.insert(to.ident.clone(), template(&cel, mapping.query.span)).is_some() {
            let message = format!("two mappings give `{}`", mapping.to.text);
            findings.error(Code::DuplicateId, mapping.to.span, message, None);
        }
    }
    inputs
}

/// What completed mappings see: the data of what the task ran, found in `result`.
///
/// Schema 2.0 and later show a task only the outputs of a net. The Beta dialects show all its data, and list the queries
/// that tasks may ask of it (`outputExpression`).
pub(super) fn output_scope(
    result: &str,
    decomposition: &Decomposition<'_>,
    declared: &Declarations,
    taken: Vec<String>,
) -> Scope {
    let is_net = matches!(decomposition.body, Body::Net(_));
    let all = is_net && decomposition.lists_queries;
    let term = |variable: &Variable| {
        let name = &variable.name;
        // A net gives all its variables; a service may leave out what is not mandatory.
        if is_net || variable.output == Some(Need::Mandatory) {
            Term::variable(format!("{result}.{}", variable.ident), name, variable.shape.clone())
        } else {
            Term::optional(result, &variable.ident, name, variable.shape.clone())
        }
    };
    let (seen, hidden): (Vec<&Variable>, Vec<&Variable>) =
        declared.variables.iter().partition(|variable| all || variable.output.is_some());
    let why = if is_net {
        "is not an output of the net"
    } else {
        "is an input: what the work was given is not part of what it gives back"
    };
    Scope {
        roots: vec!["data".to_owned(), decomposition.id.clone()],
        children: seen.into_iter().map(|known| (known.name.clone(), term(known))).collect(),
        hidden: hidden.into_iter().map(|known| (known.name.clone(), why)).collect(),
        taken,
        ..Scope::default()
    }
}
