//! Get all work of an item's task from now on, beginning with this item; or no longer. That it is so from now on concerns all
//! cases: the directory records it.

use actum_model::{ActorId, AnyWorkItem, Rejection, WorkItemState};
use actum_net::Operation;

use super::{belongs_to, wrong_phase};
use crate::{
    draft::{Cause, Draft},
    permission::{may_do, may_take},
    resource,
    settle::settle,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, on: bool) -> Result<(), Rejection> {
    may_do(draft, item, Operation::Pile)?;
    let context = draft.context;
    if context.actor == ActorId::ENGINE {
        return Err(Rejection::new("work/not-yours", "the engine does no work for people"));
    }
    if !on {
        let piled = context.directory.pile_of(draft.net.hash, item.task);
        if piled == Some(context.actor) {
            return Ok(());
        }
        let (name, task) = (context.directory.name(context.actor), draft.net.task_label(item.task));
        return Err(Rejection::new("work/no-pile", format!("work of {task} is not piled on {name}")));
    }
    let mut cause = None;
    match item.typed() {
        AnyWorkItem::Offered(offered) => {
            may_take(draft, item, context.actor)?;
            let event = offered.allocate(context.actor).1;
            cause = Some(draft.push(context.actor, Cause::Logged(item.event), event));
        }
        AnyWorkItem::Allocated(_) | AnyWorkItem::Started(_) => belongs_to(item, context.actor, context)?,
        _ => return Err(wrong_phase(item, "offered, allocated or started")),
    }
    if !matches!(item.typed(), AnyWorkItem::Started(_)) {
        let begun =
            resource::begin_by(draft, item.id, context.actor, cause.map_or(Cause::Logged(item.event), Cause::Staged));
        begun.into_iter().for_each(|begun| settle(draft, begun));
    }
    Ok(())
}
