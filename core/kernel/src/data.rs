//! Data going into and out of a case: inputs, forms, output mappings.

use std::collections::BTreeMap;

use actum_model::{Change, Rejection, SubnetIx, Value, VariableIx};
use actum_net::{Field, Net, Scope, Task, ValueKind};

/// The initial variables of a case: what was given, else the default.
pub(crate) fn initial(net: &Net, input: &BTreeMap<String, Value>) -> Result<Vec<Change>, Rejection> {
    initial_of(net, SubnetIx::ROOT, input)
}

/// The initial variables of a subnet's frame.
pub(crate) fn initial_of_frame(net: &Net, subnet: SubnetIx, params: &Value) -> Result<Vec<Change>, Rejection> {
    match params {
        Value::Map(input) => initial_of(net, subnet, input),
        _ => initial_of(net, subnet, &BTreeMap::new()),
    }
}

fn initial_of(net: &Net, subnet: SubnetIx, input: &BTreeMap<String, Value>) -> Result<Vec<Change>, Rejection> {
    for name in input.keys() {
        if !net.variable_in(subnet, name).is_some_and(|variable| net.variables[variable.index()].input) {
            let net = &net.subnets[subnet.index()].name;
            return Err(Rejection::new("case/unknown-input", format!("net {net} takes no input named {name}")));
        }
    }
    let range = net.subnets[subnet.index()].variables.clone();
    let mut changes = Vec::with_capacity(range.len());
    for index in range {
        let variable = &net.variables[index as usize];
        let value = match input.get(&variable.name).or(variable.default.as_ref()) {
            Some(value) if *value != Value::Null => value,
            _ if variable.required => {
                return Err(Rejection::new("case/missing-input", format!("the input {} is required", variable.name)));
            }
            _ => continue,
        };
        let value = admitted("case/input-type", &variable.name, variable.kind, value.clone())?;
        changes.push(Change { variable: VariableIx(index), value });
    }
    Ok(changes)
}

/// The variables of the root that somebody sets who ends a case by force, in the order of the net.
pub(crate) fn forced(net: &Net, output: &BTreeMap<String, Value>) -> Result<Vec<Change>, Rejection> {
    let mut changes = Vec::with_capacity(output.len());
    for (name, value) in output {
        let Some(variable) = net.variable_in(SubnetIx::ROOT, name) else {
            return Err(Rejection::new(
                "case/unknown-output",
                format!("net {} has no variable named {name}", net.name),
            ));
        };
        let kind = net.variables[variable.index()].kind;
        changes.push(Change { variable, value: admitted("case/output-type", name, kind, value.clone())? });
    }
    changes.sort_unstable_by_key(|change| change.variable);
    Ok(changes)
}

/// A person's result as the task's form wants it: its fields, each of its type.
pub(crate) fn fill_form(task: &Task, form: &[Field], result: &Value) -> Result<Value, Rejection> {
    let Value::Map(given) = result else {
        return Err(Rejection::new(
            "work/result-form",
            format!("the result of {} must be a map of its fields", task.name),
        ));
    };
    for name in given.keys() {
        if !form.iter().any(|field| field.name == *name) {
            return Err(Rejection::new("work/result-form", format!("the form of {} has no field {name}", task.name)));
        }
    }
    let mut filled = BTreeMap::new();
    for field in form {
        match given.get(&field.name) {
            None | Some(Value::Null) if field.required => {
                let message = format!("the form of {} requires the field {}", task.name, field.name);
                return Err(Rejection::new("work/result-form", message));
            }
            None => {}
            Some(value) => {
                let value = admitted("work/result-form", &field.name, field.kind, value.clone())?;
                filled.insert(field.name.clone(), value);
            }
        }
    }
    Ok(Value::Map(filled))
}

/// The variables that a task's completion changes. All are computed before any is set.
pub(crate) fn map_output(net: &Net, task: &Task, scope: &dyn Scope) -> Result<Vec<Change>, Rejection> {
    let mut changes = Vec::with_capacity(task.output.len());
    for (variable, template) in &task.output {
        let declared = &net.variables[variable.index()];
        let value = template.render(scope).map_err(|error| {
            Rejection::new(
                "work/output",
                format!("the output {} of {} cannot be computed: {error}", declared.name, task.name),
            )
        })?;
        let value = admitted("work/output", &declared.name, declared.kind, value)?;
        changes.push(Change { variable: *variable, value });
    }
    Ok(changes)
}

/// Bytes that a value takes, about.
pub(crate) fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::String(text) => text.len(),
            Value::Bytes(bytes) => bytes.len(),
            Value::List(items) => items.iter().map(size).sum(),
            Value::Map(entries) => entries.iter().map(|(key, value)| key.len() + size(value)).sum(),
            _ => 0,
        }
}

/// The value in the form that its type stores: JSON has no decimals and no times, so text is taken for them.
fn admitted(code: &'static str, name: &str, kind: ValueKind, value: Value) -> Result<Value, Rejection> {
    value.check().map_err(|error| Rejection::new(code, format!("{name} cannot be stored: {error}")))?;
    kind.admit(value).map_err(|misfit| Rejection::new(code, format!("{name}: {misfit}")))
}
