//! Multiple instances.

use std::collections::BTreeMap;

use super::super::cel::{Scope, Term, fit};
use super::super::fields::Text;
use super::super::spec::{Decomposition, Instances};
use super::data::Declarations;
use super::mapping::{output_scope, refused, template, value};
use crate::finding::{Code, Findings};
use crate::yaml::{Map, Node};

/// Most instances that the net language has; more cannot be there, so a higher limit limits nothing.
const INSTANCES_MAX: u64 = 10_000;

/// Adds `instances`, and to `inputs` what each instance gets.
pub(super) fn instances(
    read: &Instances,
    scope: &Scope,
    of: (&Decomposition<'_>, &Declarations),
    inputs: &mut BTreeMap<String, Node>,
    map: &mut Map,
    findings: &mut Findings<'_>,
) {
    let Some((min, max, threshold)) = numbers(read, findings) else { return };
    let mut instances = Map::default();
    match &read.input {
        Some(input) => {
            let Some(each) = each(input, scope, of, findings) else { return };
            let (list, parameter) = each;
            instances.put("each", list);
            if inputs.insert(parameter, template("each", input.parameter.span)).is_some() {
                let message = format!("a starting mapping gives `{}` too", input.parameter.text);
                findings.error(Code::DuplicateId, input.parameter.span, message, None);
            }
        }
        None => instances.put("count", Node::bare(min.max(1))),
    }
    instances.put("min", Node::bare(min));
    if max <= INSTANCES_MAX {
        instances.put("max", Node::bare(max));
    }
    if read.dynamic {
        instances.put("add", Node::bare(true));
    }
    if threshold < max && threshold <= INSTANCES_MAX {
        // YAWL cancels the others then.
        instances.put("threshold", Node::bare(threshold));
        instances.put("rest", Node::text("cancel"));
    }
    map.put("instances", instances.done().at(read.span));
}

fn numbers(read: &Instances, findings: &mut Findings<'_>) -> Option<(u64, u64, u64)> {
    let mut number = |text: &Text, what: &str| {
        if matches!(text.text.as_str(), "infinite" | "infinity") && what != "minimum" {
            return Some(u64::MAX);
        }
        let number = text.text.parse::<u64>().ok();
        if number.is_none() {
            let message = format!("the {what} `{}` is not a number", text.text);
            findings.error(Code::NotSupported, text.span, message, Some("queries are not understood here"));
        }
        number
    };
    let min = number(&read.minimum, "minimum");
    let max = number(&read.maximum, "maximum");
    let threshold = number(&read.threshold, "threshold");
    let (min, max, threshold) = (min?, max?, threshold?);
    if max == 0 || min > max || min > INSTANCES_MAX {
        let message = format!("there are at least {min} and at most {max} instances");
        findings.error(Code::BadValue, read.span, message, None);
        return None;
    }
    Some((min, max, threshold))
}

/// The list of which each element makes an instance, and the parameter that gets it.
fn each(
    input: &super::super::spec::InstanceInput,
    scope: &Scope,
    (decomposition, declared): (&Decomposition<'_>, &Declarations),
    findings: &mut Findings<'_>,
) -> Option<(Node, String)> {
    let Some(parameter) = declared.get(&input.parameter.text).filter(|parameter| parameter.input.is_some()) else {
        let message = format!("`{}` has no input `{}`", decomposition.id, input.parameter.text);
        findings.error(Code::UnknownVariable, input.parameter.span, message, None);
        return None;
    };
    let whole = value(&input.query, scope, findings)?;
    let Some(name) = whole.element_name().map(str::to_owned) else {
        let message = "the expression of `miDataInput` gives one element: `/net/list`, or `<list>{…}</list>`";
        findings.error(Code::Query, input.query.span, message, None);
        return None;
    };
    let split = Scope { documents: BTreeMap::from([(name, whole)]), taken: scope.taken.clone(), ..Scope::default() };
    let list = value(&input.splitting, &split, findings)?;
    let Some((_, shape, cel)) = list.elements() else {
        let message = "the splitting expression gives elements, one for each instance: `for $x in /list/* return $x`";
        findings.error(Code::Query, input.splitting.span, message, None);
        return None;
    };
    // Each element must fit the parameter as it is: lists cannot be converted piece by piece here.
    let item = Term::variable("each".to_owned(), "each", shape);
    match fit(&item, &parameter.shape) {
        Ok(fitted) if fitted == "each" => Some((template(&cel, input.splitting.span), parameter.ident.clone())),
        Ok(_) => {
            let message = format!("the elements are not of the type of `{}`", parameter.name);
            findings.error(Code::QueryType, input.splitting.span, message, None);
            None
        }
        Err(refusal) => {
            refused(&input.splitting, &refusal, findings);
            None
        }
    }
}

/// The variable that gets what the instances gave, and its value.
pub(super) fn output(
    read: &Instances,
    variables: &Declarations,
    (decomposition, declared): (&Decomposition<'_>, &Declarations),
    findings: &mut Findings<'_>,
) -> Option<(String, Node)> {
    let output = read.output.as_ref()?;
    let Some(variable) = variables.get(&output.variable.text) else {
        let message = format!("the net has no variable `{}`", output.variable.text);
        findings.error(Code::UnknownVariable, output.variable.span, message, None);
        return None;
    };
    let taken = variables.idents();
    let mut one = "one".to_owned();
    while taken.contains(&one) {
        one.insert(0, 'x');
    }
    let scope = output_scope(&one, decomposition, declared, taken.clone());
    let formal = value(&output.formal, &scope, findings)?;
    let (Some(name), Some(shape)) = (formal.element_name(), formal.element_shape()) else {
        let message = "the formal output expression gives one element: `<item>{…}</item>`, or `/decomposition/item`";
        findings.error(Code::Query, output.formal.span, message, None);
        return None;
    };
    let all = Term::many(format!("results.map({one}, {})", formal.cel()), name, shape.clone());
    let scope = Scope {
        roots: vec!["data".to_owned(), decomposition.id.clone()],
        children: BTreeMap::from([(name.to_owned(), all)]),
        taken,
        ..Scope::default()
    };
    let joined = value(&output.joining, &scope, findings)?;
    let cel = super::mapping::fitted(&output.joining, &joined, variable, findings)?;
    Some((variable.ident.clone(), template(&cel, output.joining.span)))
}
