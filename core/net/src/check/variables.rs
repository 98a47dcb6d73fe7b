//! Case variables: declarations that fit together, defaults of the declared type.

use actum_model::Value;

use crate::diagnostic::Code;
use crate::net::Variable;
use crate::read::{Draft, VariableDraft, literal};
use crate::source::Findings;

pub(super) fn check(draft: &Draft, findings: &mut Findings<'_>) -> Vec<Variable> {
    draft.variables.iter().map(|variable| one(variable, findings)).collect()
}

fn one(draft: &VariableDraft, findings: &mut Findings<'_>) -> Variable {
    let name = &draft.name;
    if draft.required && !draft.input {
        let message = format!("`{}` is required, but is not an input", name.text);
        findings.error(Code::BadVariable, name.span, message, Some("add `input: true`".to_owned()));
    }
    if draft.required && draft.default.is_some() {
        let message = format!("`{}` is required, so its default is never used", name.text);
        findings.error(Code::BadVariable, name.span, message, Some("drop `required` or `default`".to_owned()));
    }
    let default = draft.default.as_ref().and_then(|node| match draft.kind.admit(literal(node)) {
        Ok(Value::Null) => None,
        Ok(value) => Some(value),
        Err(misfit) => {
            findings.error(Code::TypeMismatch, node.span, format!("the default of `{}`: {misfit}", name.text), None);
            None
        }
    });
    Variable {
        name: name.text.clone(),
        kind: draft.kind,
        input: draft.input,
        required: draft.required,
        default,
        description: draft.description.clone(),
    }
}
