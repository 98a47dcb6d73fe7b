//! What the root net and subnets have in common.

use std::collections::{BTreeSet, HashMap};

use actum_model::Value;

use super::object::Object;
use super::{some, sorted, string, task};
use crate::read::{Name, SubnetDraft, literal};

pub(super) fn write(draft: &SubnetDraft) -> Object {
    let variables = draft.variables.iter().map(|variable| {
        let default = variable.default.as_ref().map(literal).filter(|value| *value != Value::Null);
        let entry = Object::default()
            .with("type", Some(string(variable.kind.name())))
            .flag("input", variable.input)
            .flag("required", variable.required)
            .with("default", default)
            .text("description", variable.description.as_ref());
        (variable.name.text.clone(), entry.done())
    });
    let conditions = draft.conditions.iter().map(|condition| {
        let entry = Object::default().text("title", condition.title.as_ref()).with("flow", some(&condition.flow));
        (condition.name.text.clone(), entry.done())
    });
    let incoming = incoming(draft);
    let tasks = draft.tasks.iter().map(|task| {
        let name = task.name.text.as_str();
        (name.to_owned(), task::write(task, incoming.get(name).copied().unwrap_or_default()))
    });
    Object::default()
        .text("title", draft.title.as_ref())
        .text("description", draft.description.as_ref())
        .map("data", variables)
        .map("conditions", conditions)
        .with("mutexes", some(&draft.mutexes))
        .with("termination", draft.implicit.then(|| string("implicit")))
        .with("start", Some(sorted(&draft.start)))
        .map("tasks", tasks)
}

/// How many input conditions each task has.
fn incoming(draft: &SubnetDraft) -> HashMap<&str, usize> {
    let flows =
        draft.tasks.iter().map(|task| task.flow.iter().map(|flow| flow.to.text.as_str()).collect::<BTreeSet<_>>());
    let explicit = draft.conditions.iter().map(|condition| distinct(&condition.flow));
    let mut incoming = HashMap::new();
    for task in flows.chain(explicit).chain([distinct(&draft.start)]).flatten() {
        *incoming.entry(task).or_default() += 1;
    }
    incoming
}

fn distinct(names: &[Name]) -> BTreeSet<&str> {
    names.iter().map(|name| name.text.as_str()).collect()
}
