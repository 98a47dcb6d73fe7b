//! Pass over an item that one has, as if it had been done: the case goes on, its data stays.

use actum_model::{CaseEvent, Phase, Rejection, Value, WorkItemState};
use actum_net::Operation;

use super::wrong_phase;
use crate::{
    cancel,
    draft::{Cause, Draft},
    finish, join,
    permission::may_treat,
    settle::settle,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState) -> Result<(), Rejection> {
    may_treat(draft, item, Operation::Skip)?;
    if !matches!(item.phase, Phase::Allocated | Phase::Started) {
        return Err(wrong_phase(item, "allocated or started"));
    }
    let is_instance = item.instance.is_some();
    let produced = if is_instance {
        Vec::new()
    } else {
        finish::choose(draft, item.frame, item.task, &[], Some(&Value::Null))
            .map_err(|(code, message)| Rejection::new(code, message))?
    };
    let consumed = if item.holds_tokens() || is_instance {
        Vec::new()
    } else {
        let taken = join::take(draft.net, &draft.control, item.frame, item.task, draft.context.or_joins);
        taken
            .ok()
            .flatten()
            .ok_or_else(|| Rejection::new("work/gone", format!("item {} is no longer possible", item.id)))?
    };
    let cancelled = finish::region_left(draft, item);
    let fired = join::partial::fired(draft.net, item.frame, item.task, &consumed).filter(|_| !consumed.is_empty());
    let event = CaseEvent::WorkSkipped { item: item.id, task: item.task, consumed, changes: Vec::new(), produced };
    let skipped = draft.push(draft.context.actor, Cause::Logged(item.event), event);
    if let Some(fired) = fired {
        draft.follow(skipped, fired);
    }
    if let Some(cancelled) = cancelled {
        cancel::cancel(draft, cancelled, skipped);
    }
    let last = item.family().map_or(skipped, |family| finish::pass_if_due(draft, family, true, skipped));
    settle(draft, last);
    Ok(())
}
