//! Give back an item that one has: it is handed out again. Work that was begun keeps its tokens.

use actum_model::{AnyWorkItem, Rejection, WorkItemState};
use actum_net::Operation;

use super::wrong_phase;
use crate::{
    draft::{Cause, Draft},
    permission::may_treat,
    resource,
    settle::settle,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState) -> Result<(), Rejection> {
    let owner = may_treat(draft, item, Operation::PutBack)?;
    let event = match item.typed() {
        AnyWorkItem::Allocated(allocated) => allocated.put_back().1,
        AnyWorkItem::Started(started) => started.put_back().1,
        _ => return Err(wrong_phase(item, "allocated or started")),
    };
    let back = draft.push(draft.context.actor, Cause::Logged(item.event), event);
    let last = resource::hand_out(draft, item.id, back, Some(owner));
    settle(draft, last);
    Ok(())
}
