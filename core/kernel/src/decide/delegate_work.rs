//! Hand an item that one has, and has not begun, to somebody else who may do it.

use actum_model::{ActorId, AnyWorkItem, Rejection, WorkItemState};
use actum_net::Operation;

use super::wrong_phase;
use crate::{
    draft::{Cause, Draft},
    permission::{may_be_given, may_treat},
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, to: ActorId) -> Result<(), Rejection> {
    let owner = may_treat(draft, item, Operation::Delegate)?;
    let AnyWorkItem::Allocated(allocated) = item.typed() else { return Err(wrong_phase(item, "allocated")) };
    not_same(draft, item, owner, to)?;
    may_be_given(draft, item, to)?;
    draft.push(draft.context.actor, Cause::Logged(item.event), allocated.delegate(to).1);
    Ok(())
}

/// Handing work to whom it belongs is a slip.
pub(super) fn not_same(draft: &Draft<'_>, item: &WorkItemState, owner: ActorId, to: ActorId) -> Result<(), Rejection> {
    if owner != to {
        return Ok(());
    }
    let name = draft.context.directory.name(to);
    Err(Rejection::new("work/same-person", format!("item {} is {name}'s already", item.id)))
}
