//! Make an offered item one's own.

use actum_model::{AnyWorkItem, Rejection, WorkItemState};

use super::wrong_phase;
use crate::{
    Context,
    draft::{Cause, Draft},
    permission::may_take,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    let AnyWorkItem::Offered(offered) = item.typed() else { return Err(wrong_phase(item, "offered")) };
    may_take(draft.net, &draft.control, item, context.actor, context.directory)?;
    draft.push(context.actor, Cause::Logged(item.event), offered.allocate(context.actor).1);
    Ok(())
}
