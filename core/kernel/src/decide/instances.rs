//! Add an instance to a task that runs with several, or complete such a task now.

use actum_model::{ItemId, Phase, Rejection, Value, WorkItemState};
use actum_net::{InstanceCount, Instances};

use crate::{
    Context, ITEMS_MAX,
    cancel::Why,
    draft::{Cause, Draft},
    finish, fire,
    settle::settle,
};

pub(super) fn add(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    each: Option<&Value>,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let (family, instances) = firing(draft, item)?;
    let name = &draft.net.tasks[item.task.index()].name;
    let refuse =
        |why: String| Err(Rejection::new("work/instances", format!("{name} takes no further instance: {why}")));
    let Some(activation) = draft.control.activation(family).filter(|activation| activation.active > 0) else {
        return refuse("all are done".to_owned());
    };
    if !instances.add {
        return refuse("the net does not allow it".to_owned());
    }
    if activation.passed {
        return refuse("the case went on already".to_owned());
    }
    if activation.created >= instances.max {
        return refuse(format!("it has had {}, the most allowed", activation.created));
    }
    if draft.control.items.len() >= ITEMS_MAX {
        return Err(Rejection::new("work/limit", format!("a case has at most {ITEMS_MAX} items")));
    }
    let for_each = matches!(instances.count, InstanceCount::Each(_));
    if each.is_some() && !for_each {
        return refuse("its instances are not for elements of a list".to_owned());
    }
    if let Some(Err(error)) = each.map(Value::check) {
        return refuse(format!("the element cannot be stored: {error}"));
    }
    let each = for_each.then(|| each.cloned().unwrap_or(Value::Null));
    let added = fire::add_instance(draft, family, each, context);
    settle(draft, added);
    Ok(())
}

pub(super) fn complete(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    let (family, _) = firing(draft, item)?;
    if draft.control.activation(family).is_none_or(|activation| activation.active == 0) {
        return Err(Rejection::new("work/instances", format!("item {family} has no instance to stop")));
    }
    let ended = finish::force(draft, family, Why { actor: context.actor, cause: Cause::Logged(item.event) });
    settle(draft, ended);
    Ok(())
}

/// The firing that an item is, or is an instance of, while it runs.
fn firing<'a>(draft: &Draft<'a>, item: &WorkItemState) -> Result<(ItemId, &'a Instances), Rejection> {
    let family = item.family().unwrap_or(item.id);
    let net = draft.net;
    let Some(instances) = &net.tasks[item.task.index()].instances else {
        return Err(Rejection::new("work/instances", format!("item {} is not one of several", item.id)));
    };
    match draft.control.item(family) {
        Some(state) if state.phase == Phase::Started => Ok((family, instances)),
        Some(state) => Err(super::wrong_phase(state, "started")),
        None => Err(Rejection::new("work/not-found", format!("item {family} has ended"))),
    }
}
