//! Hand an item that one has begun to somebody else who may do it: as it stands, or to begin again.

use actum_model::{ActorId, AnyWorkItem, Rejection, WorkItemState};
use actum_net::Operation;

use super::{delegate_work::not_same, wrong_phase};
use crate::{
    draft::{Cause, Draft},
    permission::{may_be_given, may_treat},
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    to: ActorId,
    keep_state: bool,
) -> Result<(), Rejection> {
    let owner = may_treat(draft, item, Operation::Reallocate)?;
    let AnyWorkItem::Started(started) = item.typed() else { return Err(wrong_phase(item, "started")) };
    not_same(draft, item, owner, to)?;
    may_be_given(draft, item, to)?;
    let event = if keep_state { started.delegate(to).1 } else { started.hand_over(to).1 };
    draft.push(draft.context.actor, Cause::Logged(item.event), event);
    Ok(())
}
