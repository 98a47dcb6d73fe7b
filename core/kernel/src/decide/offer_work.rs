//! Offer a manual item to some people, or to its whole role again.

use actum_model::{ActorId, AnyWorkItem, Rejection, WorkItemState};

use super::wrong_phase;
use crate::{
    Context,
    draft::{Cause, Draft},
    permission::{has_role, role_of, separated},
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    to: &[ActorId],
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let Some(role) = role_of(draft.net, item.task) else {
        return Err(Rejection::new("work/automatic", format!("item {} is not work for people", item.id)));
    };
    for actor in to {
        has_role(draft.net, item, *actor, context.directory)?;
        separated(draft.net, &draft.control, item, *actor, context.directory)?;
    }
    let mut to = to.to_vec();
    to.sort_unstable();
    to.dedup();
    let event = match item.typed() {
        AnyWorkItem::Enabled(enabled) => enabled.offer(role, to).1,
        AnyWorkItem::Offered(offered) => offered.offer(role, to).1,
        _ => return Err(wrong_phase(item, "enabled or offered")),
    };
    draft.push(context.actor, Cause::Logged(item.event), event);
    Ok(())
}
