//! Try a failed item again.

use actum_model::{AnyWorkItem, Rejection, WorkItemState};
use actum_net::Work;

use super::wrong_phase;
use crate::{
    Context,
    draft::{Cause, Draft},
    settle::retry_routing,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    let AnyWorkItem::Failed(failed) = item.typed() else { return Err(wrong_phase(item, "failed")) };
    let (started, event) = failed.retry();
    let retried = draft.push(context.actor, Cause::Logged(item.event), event);
    if matches!(draft.net.tasks[item.task.index()].work, Work::Routing) {
        retry_routing(draft, started, retried);
    }
    Ok(())
}
