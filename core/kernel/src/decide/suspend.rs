//! Lay a case or an item to rest, and go on.

use actum_model::{ActorId, AnyWorkItem, CaseEvent, Rejection, RestEnd, Time, WorkItemState};

use actum_net::Operation;

use super::{belongs_to, timer, waits_for_signal, wrong_phase};
use crate::{
    Context,
    draft::{Cause, Draft},
    fire,
    permission::may_treat,
    settle::settle,
};

pub(super) fn suspend_case(
    draft: &mut Draft<'_>,
    until: Option<RestEnd>,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let until = end_of_rest("case/rest", until, context.now)?;
    let suspended = draft.push(context.actor, Cause::Request, CaseEvent::CaseSuspended);
    if let Some(until) = until {
        draft.follow(suspended, CaseEvent::RestLimited { item: None, until });
    }
    Ok(())
}

fn end_of_rest(code: &'static str, end: Option<RestEnd>, now: Time) -> Result<Option<Time>, Rejection> {
    let until = match end {
        None => return Ok(None),
        Some(RestEnd::At(until)) => until,
        // What times of the log can say at most.
        Some(RestEnd::After { ns }) => Time(now.0.saturating_add(ns).min(i64::MAX as u64)),
    };
    if until <= now {
        return Err(Rejection::new(code, format!("a rest until {until} would be over: it is {now}")));
    }
    Ok(Some(until))
}

pub(super) fn resume_case(draft: &mut Draft<'_>, context: &Context<'_>) -> Result<(), Rejection> {
    if !draft.control.suspended {
        return Err(Rejection::new("case/not-suspended", "the case is not suspended"));
    }
    case_goes_on(draft, context.actor, Cause::Request);
    Ok(())
}

/// The case goes on, because somebody says so or its time has come.
pub(super) fn case_goes_on(draft: &mut Draft<'_>, actor: ActorId, cause: Cause) {
    let resumed = draft.push(actor, cause, CaseEvent::CaseResumed);
    draft.touch_all();
    let last = timer::catch_up(draft, resumed);
    settle(draft, last);
}

pub(super) fn suspend_work(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    until: Option<RestEnd>,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if item.resource.is_some() && context.actor != ActorId::ENGINE {
        may_treat(draft, item, Operation::Suspend)?;
    }
    let Some(event) = item.typed().suspend() else { return Err(wrong_phase(item, "active")) };
    let until = end_of_rest("work/rest", until, context.now)?;
    let suspended = draft.push(context.actor, Cause::Logged(item.event), event);
    if let Some(until) = until {
        draft.follow(suspended, CaseEvent::RestLimited { item: Some(item.id), until });
    }
    Ok(())
}

pub(super) fn resume_work(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    if item.resource.is_some() && context.actor != ActorId::ENGINE {
        belongs_to(item, context.actor, context)?;
    }
    work_goes_on(draft, item, context.actor, Cause::Logged(item.event))
}

/// The item goes on, because somebody says so or its time has come.
pub(super) fn work_goes_on(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    actor: ActorId,
    cause: Cause,
) -> Result<(), Rejection> {
    let AnyWorkItem::Suspended(suspended) = item.typed() else { return Err(wrong_phase(item, "suspended")) };
    let resumed = draft.push(actor, cause, suspended.resume());
    // What happened around it meanwhile: a signal was kept, a subnet came to its end, instances were done, a timer fired.
    draft.touch_all();
    let mut last = resumed;
    if waits_for_signal(draft, item.id) {
        last = fire::look_for_signal(draft, item.id, last);
    }
    last = crate::finish::go_on(draft, item.id, last);
    last = timer::catch_up(draft, last);
    settle(draft, last);
    Ok(())
}
