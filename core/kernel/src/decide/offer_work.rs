//! Offer a manual item to some people, or to all who come into question. Where the system allocates, one of them gets it.

use actum_model::{ActorId, Phase, Rejection, WorkItemState};

use super::{not_signalled, wrong_phase};
use crate::{
    Context,
    draft::{Cause, Draft},
    permission::may_be_given,
    resource,
    settle::settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    to: &[ActorId],
    context: &Context<'_>,
) -> Result<(), Rejection> {
    for actor in to {
        may_be_given(draft, item, *actor)?;
    }
    if !matches!(item.phase, Phase::Enabled | Phase::Offered) {
        return Err(wrong_phase(item, "enabled or offered"));
    }
    not_signalled(draft, item)?;
    let mut to = to.to_vec();
    to.sort_unstable();
    to.dedup();
    let handed_out = resource::hand_out_among(draft, item.id, &to, Cause::Logged(item.event), context.actor);
    let Some(last) = handed_out else {
        return Err(Rejection::new("work/automatic", format!("item {} is not work for people", item.id)));
    };
    settle(draft, last);
    Ok(())
}
