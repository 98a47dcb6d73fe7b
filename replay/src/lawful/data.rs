//! Data and branches: what a completion must give, re-evaluated over the state before it.

use actum_model::{Change, ConditionIx, FrameId, SubnetIx, TaskIx, Value, VariableIx};
use actum_net::{Field, Given, Split, Task, ValueKind};

use super::rule::{Broken, Judged, Law, must};
use super::view::{Sees, View};

/// The variables that a completion changes, and the tokens that it gives, follow from its result.
pub(super) fn outcome(
    view: &View<'_>,
    (frame, task): (FrameId, TaskIx),
    result: Option<&Value>,
    givens: &[(Given, Value)],
    (changes, produced): (&[Change], &[ConditionIx]),
) -> Judged {
    output(view, (frame, task), result, givens, changes)?;
    branches(view, (frame, task), changes, result, produced)
}

/// Who ends a case by force sets variables of the root, each once, to what their types admit.
pub(super) fn forced(view: &View<'_>, changes: &[Change]) -> Judged {
    let root = &view.net.subnets[0].variables;
    let ascends = changes.windows(2).all(|pair| pair[0].variable < pair[1].variable);
    let fits = changes.iter().all(|change| {
        let kind = view.net.variables[change.variable.index()].kind;
        root.contains(&change.variable.0) && kind.admit(change.value.clone()).as_ref() == Ok(&change.value)
    });
    must(ascends && fits, Law::Data, || "the forced end sets what the net's variables cannot hold".to_owned())
}

fn output(
    view: &View<'_>,
    (frame, task): (FrameId, TaskIx),
    result: Option<&Value>,
    givens: &[(Given, Value)],
    changes: &[Change],
) -> Judged {
    let definition = view.task(task);
    let sees = Sees { case: view.case, frame, changes: &[], result, givens };
    must(definition.output.len() == changes.len(), Law::Data, || {
        let label = view.label(task);
        format!("{label} sets {} variables where its output has {}", changes.len(), definition.output.len())
    })?;
    for ((variable, template), change) in definition.output.iter().zip(changes) {
        let declared = &view.net.variables[variable.index()];
        let value = template.render(&sees).map_err(|error| error.to_string());
        let value = value.and_then(|value| declared.kind.admit(value).map_err(|misfit| misfit.to_string()));
        must(change.variable == *variable && value.as_ref() == Ok(&change.value), Law::Data, || {
            let (label, name) = (view.label(task), &declared.name);
            match value {
                Ok(value) => format!("{label} sets {name} to {:?}; from its result follows {value:?}", change.value),
                Err(error) => format!("{label} sets {name}, whose value cannot be computed: {error}"),
            }
        })?;
    }
    Ok(())
}

/// The tokens that it gives go where guards say.
pub(super) fn branches(
    view: &View<'_>,
    (frame, task): (FrameId, TaskIx),
    changes: &[Change],
    result: Option<&Value>,
    produced: &[ConditionIx],
) -> Judged {
    let sees = Sees { case: view.case, frame, changes, result, givens: &[] };
    let right = chosen(view.task(task), &sees);
    must(right.as_deref() == Ok(produced), Law::Branch, || {
        let (label, given) = (view.label(task), view.names(produced));
        match right {
            Ok(right) => format!("{label} gives tokens to {given}; its guards say {}", view.names(&right)),
            Err(error) => format!("{label} gives tokens to {given}, but a guard cannot be evaluated: {error}"),
        }
    })
}

fn chosen(task: &Task, sees: &Sees<'_>) -> Result<Vec<ConditionIx>, String> {
    let mut given = Vec::with_capacity(task.outputs.len());
    let mut taken = 0;
    for flow in &task.outputs {
        let takes = match &flow.guard {
            _ if task.split == Split::And => true,
            _ if task.split == Split::Xor && taken > 0 => false,
            Some(guard) => guard.eval(sees).map_err(|error| error.to_string())?,
            None => flow.default && taken == 0,
        };
        if takes {
            taken += 1;
            given.extend(std::iter::repeat_n(flow.to, flow.tokens as usize));
        }
    }
    given.extend_from_slice(&task.releases);
    Ok(given)
}

/// Where tokens lie in a frame that begins.
pub(super) fn first_tokens(view: &View<'_>, subnet: SubnetIx, produced: &[ConditionIx]) -> Judged {
    let definition = &view.net.subnets[subnet.index()];
    let right: Vec<_> = std::iter::once(definition.start).chain(definition.mutexes.iter().copied()).collect();
    must(right == produced, Law::Tokens, || {
        format!("{} begins with tokens in {}, not in {}", definition.name, view.names(produced), view.names(&right))
    })
}

/// The first variables of a frame: what was given, else what the net says. `input` is what was given, if that is known.
pub(super) fn first_data(view: &View<'_>, subnet: SubnetIx, input: Option<&Value>, changes: &[Change]) -> Judged {
    let range = view.net.subnets[subnet.index()].variables.clone();
    let mut left = changes.iter().peekable();
    for variable in range.map(VariableIx) {
        let declared = &view.net.variables[variable.index()];
        let set = left.next_if(|change| change.variable == variable).map(|change| &change.value);
        let default = declared.default.as_ref().filter(|value| **value != Value::Null);
        let given = match input {
            Some(Value::Map(map)) => Some(map.get(&declared.name)),
            Some(_) => Some(None),
            None => None,
        };
        let is_right = match (given, set) {
            (Some(Some(given)), set) if declared.input => {
                let given = Some(given).filter(|given| **given != Value::Null);
                given.cloned().and_then(|given| declared.kind.admit(given).ok()).as_ref() == set
            }
            (Some(_), set) => set == default,
            (None, Some(set)) if declared.input => {
                *set != Value::Null && set.check().is_ok() && declared.kind.admit(set.clone()).as_ref() == Ok(set)
            }
            (None, Some(set)) => Some(set) == default,
            (None, None) => declared.input || default.is_none(),
        };
        must(is_right && (set.is_some() || !declared.required), Law::Data, || {
            let (name, value) = (&declared.name, set.map_or_else(|| "nothing".to_owned(), |set| format!("{set:?}")));
            format!("the variable {name} cannot begin as {value}")
        })?;
    }
    let none_left = left.next().is_none();
    must(none_left, Law::Data, || "variables are set at the beginning that it does not have, or twice".to_owned())
}

/// What a person gave back fits the form.
pub(super) fn form(view: &View<'_>, task: TaskIx, fields: &[Field], result: &Value) -> Judged {
    let label = || view.label(task);
    let Value::Map(given) = result else {
        return Err(Broken(Law::Data, format!("the result of {} is no map of its form's fields", label())));
    };
    for field in fields {
        let value = given.get(&field.name);
        let is_right = match value {
            None | Some(Value::Null) if field.required => false,
            None => true,
            Some(value) => fits(field.kind, value),
        };
        must(is_right, Law::Data, || format!("the field {} of {} cannot be {value:?}", field.name, label()))?;
    }
    let unknown = given.keys().find(|name| fields.iter().all(|field| field.name != **name));
    must(unknown.is_none(), Law::Data, || format!("the form of {} has no field {unknown:?}", label()))
}

fn fits(kind: ValueKind, value: &Value) -> bool {
    kind.admit(value.clone()).as_ref() == Ok(value)
}
