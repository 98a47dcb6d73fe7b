//! Variables: declarations that fit together, defaults of the declared type.

use actum_model::Value;

use crate::diagnostic::Code;
use crate::net::{SubnetIx, Variable};
use crate::read::{SubnetDraft, VariableDraft, literal};
use crate::source::Findings;

/// The variables of all subnets, in the order of their ordinals.
pub(super) fn check(subnets: &[SubnetDraft], findings: &mut Findings<'_>) -> Vec<Variable> {
    let mut all = Vec::new();
    for (at, subnet) in subnets.iter().enumerate() {
        all.extend(subnet.variables.iter().map(|variable| one(variable, SubnetIx::of(at), findings)));
    }
    all
}

fn one(draft: &VariableDraft, subnet: SubnetIx, findings: &mut Findings<'_>) -> Variable {
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
        subnet,
        kind: draft.kind,
        input: draft.input,
        required: draft.required,
        default,
        description: draft.description.clone(),
    }
}
