//! Make an offered item one's own. Where the system starts work, it begins at once.

use actum_model::{AnyWorkItem, Rejection, WorkItemState};

use super::wrong_phase;
use crate::{
    Context,
    draft::{Cause, Draft},
    permission::may_take,
    resource,
    settle::settle,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    let AnyWorkItem::Offered(offered) = item.typed() else { return Err(wrong_phase(item, "offered")) };
    may_take(draft, item, context.actor)?;
    let allocated = draft.push(context.actor, Cause::Logged(item.event), offered.allocate(context.actor).1);
    if resource::is_started_by_system(draft, item.task)
        && let Some(begun) = resource::begin_by(draft, item.id, context.actor, Cause::Staged(allocated))
    {
        settle(draft, begun);
    }
    Ok(())
}
