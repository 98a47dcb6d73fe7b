//! Lay a case or an item to rest, and go on.

use actum_model::{ActorId, AnyWorkItem, CaseEvent, ItemId, Phase, Rejection, WorkItemState};

use actum_net::Operation;

use super::{belongs_to, timer, wrong_phase};
use crate::{
    Context,
    draft::{Cause, Draft},
    fire,
    permission::may_treat,
    settle::settle,
};

pub(super) fn suspend_case(draft: &mut Draft<'_>, context: &Context<'_>) {
    draft.push(context.actor, Cause::Request, CaseEvent::CaseSuspended);
}

pub(super) fn resume_case(draft: &mut Draft<'_>, context: &Context<'_>) -> Result<(), Rejection> {
    if !draft.control.suspended {
        return Err(Rejection::new("case/not-suspended", "the case is not suspended"));
    }
    let resumed = draft.push(context.actor, Cause::Request, CaseEvent::CaseResumed);
    draft.touch_all();
    let last = timer::catch_up(draft, resumed);
    settle(draft, last);
    Ok(())
}

pub(super) fn suspend_work(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    if item.resource.is_some() && context.actor != ActorId::ENGINE {
        may_treat(draft, item, Operation::Suspend)?;
    }
    let Some(event) = item.typed().suspend() else { return Err(wrong_phase(item, "active")) };
    draft.push(context.actor, Cause::Logged(item.event), event);
    Ok(())
}

pub(super) fn resume_work(draft: &mut Draft<'_>, item: &WorkItemState, context: &Context<'_>) -> Result<(), Rejection> {
    if item.resource.is_some() && context.actor != ActorId::ENGINE {
        belongs_to(item, context.actor, context)?;
    }
    let AnyWorkItem::Suspended(suspended) = item.typed() else { return Err(wrong_phase(item, "suspended")) };
    let resumed = draft.push(context.actor, Cause::Logged(item.event), suspended.resume());
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

fn waits_for_signal(draft: &Draft<'_>, item: ItemId) -> bool {
    draft.control.item(item).is_some_and(|item| {
        item.phase == Phase::Enabled
            && !item.triggered
            && item.instance.is_none()
            && draft.net.tasks[item.task.index()].trigger.is_some()
    })
}
