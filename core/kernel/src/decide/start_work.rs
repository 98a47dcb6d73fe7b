//! Begin an item that one has. Here a deferred choice is decided: the tokens are taken from the others.

use actum_model::{AnyWorkItem, Rejection, WorkItemState};

use super::{belongs_to, wrong_phase};
use crate::{
    Context,
    draft::{Cause, Draft},
    fire, join,
    permission::separated,
    settle::settle,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    let AnyWorkItem::Allocated(allocated) = item.typed() else { return Err(wrong_phase(item, "allocated")) };
    belongs_to(item, context.actor, context)?;
    separated(draft.net, &draft.control, item, context.actor, context.directory)?;
    let tokens = if item.holds_tokens() || item.instance.is_some() {
        Some(Vec::new())
    } else {
        join::take(draft.net, &draft.control, item.frame, item.task, context.or_joins).ok().flatten()
    };
    let Some(tokens) = tokens else {
        return Err(Rejection::new("work/gone", format!("item {} is no longer possible", item.id)));
    };
    let cause = Cause::Logged(item.event);
    let (_, started) = fire::start(draft, allocated, item.frame, tokens, cause, Some(context.actor));
    settle(draft, started);
    Ok(())
}
