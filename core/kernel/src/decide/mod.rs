//! Commands, one file each. A rejection leaves no trace; all checks come before the first event.

mod cancel_case;
mod cancel_work;
mod compensate;
mod complete_work;
mod delegate_work;
mod escalate_work;
mod fail_work;
mod force_case;
mod force_work;
mod instances;
mod message;
mod offer_work;
mod pile_work;
mod put_back_work;
mod raise_exception;
mod reallocate_work;
mod retry_work;
mod shed_work;
mod signal;
mod skip_work;
mod start_case;
mod start_work;
mod suspend;
mod take_work;
pub(crate) mod timer;

pub(crate) use escalate_work::escalate;
pub(crate) use signal::signalled;

use actum_model::{
    ActorId, AnyWorkItem, Case, CaseCommand, CaseEvent, CaseStatus, Control, ItemId, Phase, Rejection, WorkItem,
    WorkItemState, phase,
};
use actum_net::{Net, Work};

use crate::{
    Context,
    draft::{Decided, Draft},
    fire, ordinals,
};

/// Answers a command by the events that happen because of it.
///
/// `net` must be the net that the case pinned (or, for [`CaseCommand::StartCase`], the one it is to run). Pure: the same
/// arguments give the same events. Events come in the order they happen; applying them one by one is lawful.
///
/// # Errors
/// A [`Rejection`] when the command is not possible now or not allowed to who asks. Codes are stable:
///
/// | code | meaning |
/// |---|---|
/// | `actor/unknown` | nobody of that ordinal is in the directory |
/// | `case/exists`, `case/not-found`, `case/ended` | the case is not in a state for this command |
/// | `case/other-net` | the case has work that the net does not know |
/// | `case/suspended`, `case/not-suspended` | the case rests; it does not |
/// | `case/unknown-signal`, `case/signal`, `case/signals` | no task waits for it; its data; too many are kept |
/// | `case/no-rule` | the net does not say what to do about the exception |
/// | `case/not-by-hand` | the net says how its cases start, and not by hand |
/// | `case/timeout` | when the case is to be done by cannot be computed |
/// | `case/no-timer`, `case/too-early` | the case has no timer; its time has not come |
/// | `case/compensating`, `case/compensation` | it is being undone already; nothing can be undone there |
/// | `case/no-savepoint` | the case has not come to a savepoint of that name |
/// | `work/no-message`, `message/data` | the item does not wait for the message; its data |
/// | `case/unknown-input`, `case/missing-input`, `case/input-type` | inputs do not fit the net |
/// | `case/unknown-output`, `case/output-type` | what a forced end gives does not fit the net |
/// | `case/rest`, `work/rest` | the rest would be over before it began |
/// | `work/not-found` | no such live item: never was, or ended |
/// | `work/phase` | the item's phase does not allow it |
/// | `work/automatic` | the item is not for people |
/// | `work/compound` | its subnet or its instances complete it |
/// | `work/suspended` | the item, or one that it is part of, rests |
/// | `work/instances`, `work/limit` | there are, or can be, no such instances; no more |
/// | `work/no-timer`, `work/too-early` | it waits for no time, or for a later one |
/// | `work/role`, `work/who`, `work/capability` | who asks, or is named, does not come into question for this work |
/// | `work/not-offered`, `work/separation`, `work/familiar`, `work/four-eyes`, `work/filter` | a rule of the net keeps them from it |
/// | `work/off-duty`, `work/absent`, `actor/inactive` | they are not on duty, away, or have left |
/// | `work/not-allowed` | the task's `may` does not have the operation |
/// | `work/same-person`, `work/no-superior`, `work/no-pile` | it is theirs already; nobody is above; nothing is piled |
/// | `work/not-yours` | the item is another's |
/// | `work/gone` | somebody else's work took the tokens |
/// | `work/result-form`, `work/output` | the result does not fit form or output mapping |
pub fn decide(net: &Net, case: &Case, command: &CaseCommand, context: &Context<'_>) -> Result<Vec<Decided>, Rejection> {
    if context.actor != ActorId::ENGINE && context.directory.actor(context.actor).is_none() {
        return Err(Rejection::new("actor/unknown", format!("there is no actor {}", context.actor)));
    }
    if !ordinals::fit_state(net, &case.control) {
        return Err(Rejection::new("case/other-net", format!("case {} has work that net {} lacks", case.id, net.name)));
    }
    match command {
        CaseCommand::StartCase { input } => return start_case::by_hand(net, case, input, context),
        CaseCommand::TriggerCase { input, start, due, message } => {
            let event = CaseEvent::CaseTriggered { start: start.clone(), due: *due, message: *message };
            return start_case::decide(net, case, input, Some(event), context);
        }
        _ => {}
    }
    match case.control.status {
        CaseStatus::Open => {}
        CaseStatus::Deadlocked if matches!(command, CaseCommand::CancelCase { .. } | CaseCommand::ForceCase { .. }) => {
        }
        CaseStatus::Unborn => return Err(Rejection::new("case/not-found", format!("there is no case {}", case.id))),
        ended => {
            return Err(Rejection::new("case/ended", format!("case {} is {}", case.id, ended.name())));
        }
    }
    let is_over = matches!(command, CaseCommand::CaseTimerFired) && case.control.rest_until(None).is_some();
    if case.control.suspended && !is_over && !goes_at_rest(command, context.actor) {
        return Err(Rejection::new("case/suspended", format!("case {} is suspended", case.id)));
    }
    let mut draft = Draft::new(net, case, context);
    match command {
        CaseCommand::StartCase { .. } | CaseCommand::TriggerCase { .. } => {}
        CaseCommand::CancelCase { reason } => cancel_case::decide(&mut draft, reason, context),
        CaseCommand::ForceCase { output, reason } => force_case::decide(&mut draft, output, reason, context)?,
        CaseCommand::ForceWork { item, result, reason } => {
            force_work::decide(&mut draft, find_active(case, *item)?, result, reason, context)?;
        }
        CaseCommand::OfferWork { item, to } => offer_work::decide(&mut draft, find_active(case, *item)?, to, context)?,
        CaseCommand::TakeWork { item } => take_work::decide(&mut draft, find_active(case, *item)?, context)?,
        CaseCommand::StartWork { item } => start_work::decide(&mut draft, find_active(case, *item)?, context)?,
        CaseCommand::CompleteWork { item, result } => {
            complete_work::decide(&mut draft, find_for(case, *item, context.actor)?, result, context)?;
        }
        CaseCommand::FailWork { item, code, message } => {
            fail_work::decide(&mut draft, find_for(case, *item, context.actor)?, code, message, context)?;
        }
        CaseCommand::ShedWork { item, policy, message, until } => {
            shed_work::decide(&mut draft, find(case, *item)?, (policy, message), *until, context)?;
        }
        CaseCommand::RetryWork { item } => retry_work::decide(&mut draft, find_active(case, *item)?, context)?,
        CaseCommand::CancelWork { item } => cancel_work::decide(&mut draft, find(case, *item)?, context),
        CaseCommand::AddInstance { item, each } => {
            instances::add(&mut draft, find_active(case, *item)?, each.as_ref(), context)?;
        }
        CaseCommand::CompleteInstances { item } => {
            instances::complete(&mut draft, find_active(case, *item)?, context)?;
        }
        CaseCommand::Signal { name, data } => signal::decide(&mut draft, name, data, context)?,
        CaseCommand::TimerFired { item } => timer::decide(&mut draft, find(case, *item)?, context)?,
        CaseCommand::CaseTimerFired => timer::of_case(&mut draft, context)?,
        CaseCommand::ReceiveMessage { item, message, name, data } => {
            message::decide(&mut draft, find_active(case, *item)?, *message, (name, data), context)?;
        }
        CaseCommand::Compensate { extent, reason } => compensate::decide(&mut draft, case, extent, reason, context)?,
        CaseCommand::SuspendCase { until } => suspend::suspend_case(&mut draft, *until, context)?,
        CaseCommand::ResumeCase => suspend::resume_case(&mut draft, context)?,
        CaseCommand::SuspendWork { item, until } => {
            suspend::suspend_work(&mut draft, find(case, *item)?, *until, context)?;
        }
        CaseCommand::ResumeWork { item } => suspend::resume_work(&mut draft, find(case, *item)?, context)?,
        CaseCommand::RaiseException { item, kind, name, message } => {
            let item = item.map(|item| find(case, item)).transpose()?;
            raise_exception::decide(&mut draft, item, *kind, (name, message), context)?;
        }
        CaseCommand::PutBackWork { item } => put_back_work::decide(&mut draft, find_active(case, *item)?)?,
        CaseCommand::DelegateWork { item, to } => {
            delegate_work::decide(&mut draft, find_active(case, *item)?, *to)?;
        }
        CaseCommand::ReallocateWork { item, to, keep_state } => {
            reallocate_work::decide(&mut draft, find_active(case, *item)?, *to, *keep_state)?;
        }
        CaseCommand::SkipWork { item } => skip_work::decide(&mut draft, find_active(case, *item)?)?,
        CaseCommand::EscalateWork { item, reason } => {
            escalate_work::decide(&mut draft, find_active(case, *item)?, reason)?;
        }
        CaseCommand::PileWork { item, on } => pile_work::decide(&mut draft, find_active(case, *item)?, *on)?,
        _ => return Err(Rejection::new("case/unsupported", "this version does not know the command")),
    }
    fire::time_allocated(&mut draft);
    Ok(draft.into_events())
}

/// What a suspended case still does: results of work that runs outside are taken in, so that none is lost.
fn goes_at_rest(command: &CaseCommand, actor: ActorId) -> bool {
    match command {
        CaseCommand::CancelCase { .. } | CaseCommand::ForceCase { .. } | CaseCommand::ResumeCase => true,
        CaseCommand::CompleteWork { .. } | CaseCommand::FailWork { .. } | CaseCommand::ShedWork { .. } => {
            actor == ActorId::ENGINE
        }
        _ => false,
    }
}

/// The item is suspended, or one that it is part of is: a composite item above, or the firing that it is an instance of.
fn at_rest(control: &Control, item: &WorkItemState) -> bool {
    let rests = |id: ItemId| control.item(id).is_some_and(|item| item.phase == Phase::Suspended);
    let family_rests = |id: ItemId| control.item(id).and_then(WorkItemState::family).is_some_and(rests);
    item.phase == Phase::Suspended
        || item.family().is_some_and(rests)
        || control.frames_above(item.frame).any(|frame| rests(frame.item) || family_rests(frame.item))
}

/// A live item of which nothing above rests. Its own rest is its phase's.
fn find_active(case: &Case, item: ItemId) -> Result<&WorkItemState, Rejection> {
    let found = find(case, item)?;
    if found.phase != Phase::Suspended && at_rest(&case.control, found) {
        return Err(Rejection::new("work/suspended", format!("item {item} is part of work that is suspended")));
    }
    Ok(found)
}

/// The same, but what runs outside may always end.
fn find_for(case: &Case, item: ItemId, actor: ActorId) -> Result<&WorkItemState, Rejection> {
    if actor == ActorId::ENGINE { find(case, item) } else { find_active(case, item) }
}

/// Nobody completes or fails what completes by its parts.
fn not_compound(net: &Net, item: &WorkItemState) -> Result<(), Rejection> {
    let task = &net.tasks[item.task.index()];
    if matches!(task.work, Work::Composite { .. }) || (task.instances.is_some() && item.instance.is_none()) {
        let message = format!("item {} completes when its subnet or its instances do", item.id);
        return Err(Rejection::new("work/compound", message));
    }
    Ok(())
}

fn find(case: &Case, item: ItemId) -> Result<&WorkItemState, Rejection> {
    Control::item(&case.control, item).ok_or_else(|| {
        let message = if item < case.control.next_item {
            format!("item {item} of case {} has ended", case.id)
        } else {
            format!("case {} has no item {item}", case.id)
        };
        Rejection::new("work/not-found", message)
    })
}

fn wrong_phase(item: &WorkItemState, wanted: &str) -> Rejection {
    Rejection::new("work/phase", format!("item {} is {}, not {wanted}", item.id, item.phase.name()))
}

/// A started item that belongs to who asks.
fn started_by(item: &WorkItemState, context: &Context<'_>) -> Result<WorkItem<phase::Started>, Rejection> {
    let AnyWorkItem::Started(started) = item.typed() else { return Err(wrong_phase(item, "started")) };
    belongs_to(item, context.actor, context)?;
    Ok(started)
}

fn belongs_to(item: &WorkItemState, actor: ActorId, context: &Context<'_>) -> Result<(), Rejection> {
    let owner = item.resource.unwrap_or(ActorId::ENGINE);
    if owner == actor {
        return Ok(());
    }
    let (owner, asks) = (context.directory.name(owner), context.directory.name(actor));
    Err(Rejection::new("work/not-yours", format!("item {} is {owner}'s, not {asks}'s", item.id)))
}

/// An item is possible, but for the signal that its task waits for.
fn waits_for_signal(draft: &Draft<'_>, item: ItemId) -> bool {
    draft.control.item(item).is_some_and(|item| {
        item.phase == Phase::Enabled
            && !item.triggered
            && item.instance.is_none()
            && draft.net.tasks[item.task.index()].trigger.is_some()
    })
}

/// An item that is nobody's to give yet stays so until its signal comes.
fn not_signalled(draft: &Draft<'_>, item: &WorkItemState) -> Result<(), Rejection> {
    if waits_for_signal(draft, item.id) {
        return Err(Rejection::new("work/waits", format!("item {} waits for a signal", item.id)));
    }
    Ok(())
}
