//! The time came that an item waits for, or that its work was to be done by.

use actum_model::{ActorId, AnyWorkItem, CaseEvent, ExceptionKind, ItemId, Phase, Rejection, Time, WorkItemState};
use actum_net::{Net, Work};

use super::{at_rest, suspend};
use crate::{
    Context, LATE_LEAST,
    draft::{Cause, Draft},
    exception, fire, join, policy,
    settle::settle,
};

/// The time that an item is to be told of. A wait has none any more once it began: if it failed then, its time has come
/// already. Whether a timer was a wait's or a deadline's, which goes on as the work does, only the net knows.
pub(crate) fn of(net: &Net, item: &WorkItemState) -> Option<Time> {
    let is_wait = net.tasks.get(item.task.index()).is_some_and(|task| matches!(task.work, Work::Wait(_)));
    let phase = item.suspended_from.unwrap_or(item.phase);
    item.timer.filter(|_| !is_wait || phase == Phase::Enabled)
}

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    if let Some(until) = draft.control.rest_until(Some(item.id)) {
        return rest_over(draft, item, until, context);
    }
    let own = of(draft.net, item);
    let Some(due) = own.into_iter().chain(draft.control.retry_at(item.id)).min() else {
        return Err(Rejection::new("work/no-timer", format!("item {} waits for no time", item.id)));
    };
    if context.now < due {
        return Err(Rejection::new("work/too-early", format!("item {} waits until {due}", item.id)));
    }
    if at_rest(&draft.control, item) {
        return Err(Rejection::new("work/suspended", format!("item {} is suspended", item.id)));
    }
    let cause = late(draft, Some(item.id), due, context, Cause::Logged(item.event));
    if own.is_some_and(|own| own <= context.now) {
        let last = fire(draft, item.id, context.actor, cause);
        settle(draft, last);
    } else {
        policy::retry_if_due(draft, item.id, context.actor, cause);
    }
    Ok(())
}

/// An item that rested for a time goes on. What is above it may still rest: then it only is as it was before.
fn rest_over(draft: &mut Draft<'_>, item: &WorkItemState, until: Time, context: &Context<'_>) -> Result<(), Rejection> {
    if context.now < until {
        return Err(Rejection::new("work/too-early", format!("item {} rests until {until}", item.id)));
    }
    let cause = late(draft, Some(item.id), until, context, Cause::Logged(item.event));
    suspend::work_goes_on(draft, item, context.actor, cause)
}

/// Says in the log that a timer fires late. What it does is caused by that then.
fn late(draft: &mut Draft<'_>, item: Option<ItemId>, due: Time, context: &Context<'_>, cause: Cause) -> Cause {
    let is_late = context.now.0.saturating_sub(due.0) >= LATE_LEAST;
    // Cases from before this was said are decided as they were then.
    if !is_late || draft.semantics() < 2 {
        return cause;
    }
    Cause::Staged(draft.push(context.actor, cause, CaseEvent::TimerFiredLate { item, due }))
}

/// The time came that the case as a whole had.
pub(super) fn of_case(draft: &mut Draft<'_>, context: &Context<'_>) -> Result<(), Rejection> {
    if let Some(until) = draft.control.rest_until(None) {
        if context.now < until {
            return Err(Rejection::new("case/too-early", format!("the case rests until {until}")));
        }
        let cause = late(draft, None, until, context, Cause::Request);
        suspend::case_goes_on(draft, context.actor, cause);
        return Ok(());
    }
    let Some(due) = draft.control.deadline() else {
        return Err(Rejection::new("case/no-timer", "the case waits for no time"));
    };
    if context.now < due {
        return Err(Rejection::new("case/too-early", format!("the case's time is {due}")));
    }
    let cause = late(draft, None, due, context, Cause::Request);
    let last = fire_case(draft, context.actor, cause);
    settle(draft, last);
    Ok(())
}

fn fire_case(draft: &mut Draft<'_>, actor: ActorId, cause: Cause) -> usize {
    let timed_out = draft.push(actor, cause, CaseEvent::CaseTimedOut);
    let (kind, about) = (ExceptionKind::Timeout, ("", "the case is not done in time"));
    exception::raise(draft, None, kind, about, ActorId::ENGINE, Cause::Staged(timed_out)).unwrap_or(timed_out)
}

/// What happens to an item whose time came. Returns the index of the newest event.
fn fire(draft: &mut Draft<'_>, id: ItemId, actor: ActorId, cause: Cause) -> usize {
    let Some(state) = draft.control.item(id).cloned() else { return draft.newest() };
    let net = draft.net;
    let (AnyWorkItem::Enabled(item), Work::Wait(_)) = (state.typed(), &net.tasks[state.task.index()].work) else {
        let timed_out = draft.push(actor, cause, CaseEvent::WorkTimedOut { item: id, task: state.task });
        if let Some(last) = policy::deadline_passed(draft, &state, timed_out) {
            return last;
        }
        let (kind, about) = (ExceptionKind::Timeout, ("", "the work is not done in time"));
        return exception::raise(draft, Some(id), kind, about, ActorId::ENGINE, Cause::Staged(timed_out))
            .unwrap_or(timed_out);
    };
    let tokens = if state.instance.is_some() {
        Vec::new()
    } else {
        let taken = join::take(net, &draft.control, state.frame, state.task, draft.context.or_joins);
        taken.ok().flatten().unwrap_or_default()
    };
    let (started, last) = fire::start(draft, item.allocate_to_engine(), state.frame, tokens, cause, Some(actor));
    started.map_or(last, |started| fire::run(draft, started, state.frame, last))
}

/// Timers that fired while nobody listened. Returns the index of the newest event.
pub(super) fn catch_up(draft: &mut Draft<'_>, cause: usize) -> usize {
    let now = draft.context.now;
    let due =
        |item: &&WorkItemState| of(draft.net, item).is_some_and(|timer| timer <= now) && !at_rest(&draft.control, item);
    let due: Vec<ItemId> = draft.control.items.iter().filter(due).map(|item| item.id).collect();
    let mut last = cause;
    for item in due {
        if draft.control.item(item).is_some_and(|item| of(draft.net, item).is_some()) {
            last = fire(draft, item, ActorId::ENGINE, Cause::Staged(cause));
        }
    }
    if draft.control.deadline().is_some_and(|deadline| deadline <= now) {
        last = fire_case(draft, ActorId::ENGINE, Cause::Staged(cause));
    }
    let planned = draft.control.attempts().map_or_else(Vec::new, |attempts| attempts.items().to_vec());
    for one in planned.into_iter().filter(|one| one.at.is_some_and(|at| at <= now)) {
        if draft.control.item(one.item).is_some_and(|item| !at_rest(&draft.control, item)) {
            policy::retry_if_due(draft, one.item, ActorId::ENGINE, Cause::Staged(cause));
        }
    }
    last
}
