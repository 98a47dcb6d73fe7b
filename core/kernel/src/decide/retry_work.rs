//! Try a failed item again. Somebody's work is tried again by who has it, or by the engine for whoever operates it.

use actum_model::{ActorId, AnyWorkItem, Rejection, WorkItemState};

use super::{belongs_to, wrong_phase};
use crate::{
    Context,
    draft::{Cause, Draft},
    finish, fire,
    settle::settle,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    let AnyWorkItem::Failed(failed) = item.typed() else { return Err(wrong_phase(item, "failed")) };
    if item.resource.is_some() && context.actor != ActorId::ENGINE {
        belongs_to(item, context.actor, context)?;
    }
    let (started, event) = failed.retry();
    let retried = draft.push(context.actor, Cause::Logged(item.event), event);
    let last = if draft.control.activation(item.id).is_some() {
        // Its instances are there: what failed was what came after them.
        finish::pass_if_due(draft, item.id, true, retried)
    } else {
        fire::run(draft, started, item.frame, retried)
    };
    if last != retried {
        settle(draft, last);
    }
    Ok(())
}
