//! Causes: which events begin a decision, and what a later one follows from.

use actum_model::{ActorId, CaseEvent, CaseStatus, FrameId, ItemId, Meta, Phase, TaskIx, WorkItemState};
use actum_net::{By, Work};

use super::rule::{Broken, Judged, Law, must};
use super::view::{Past, View};
use super::who::resourcing;

/// Whether an event whose cause is in the newest decision is something that was asked for nevertheless, because of what happened
/// last to its item.
pub(super) fn is_asked<'a>(view: &View<'a>, cause: &'a Past, event: &CaseEvent) -> bool {
    if view.meta.time != view.decision.time {
        return true;
    }
    let Some((id, task)) = event.work() else {
        // What somebody else says went wrong is no consequence of what somebody did at the same time.
        let actor = view.meta.actor;
        let is_said = actor != ActorId::ENGINE && actor != view.decision.actor;
        return match event {
            CaseEvent::ExceptionRaised { .. } => is_said,
            _ => matches!(event, CaseEvent::CaseStarted { .. }),
        };
    };
    let definition = view.task(task);
    let Some(item) = view.control().item(id) else { return false };
    let is_own = cause
        .event
        .work()
        .is_some_and(|(of, _)| of == id || view.control().item(of).is_some_and(|of| of.family() == Some(id)));
    let is_people = matches!(definition.work, Work::Manual { .. }) && !view.is_firing(item);
    match event {
        CaseEvent::WorkCompleted { .. } if matches!(cause.event, CaseEvent::WorkForced { .. }) => false,
        CaseEvent::WorkCompleted { .. } => {
            let by_policy = matches!(
                cause.event,
                CaseEvent::WorkFailed { .. } | CaseEvent::WorkShed { .. } | CaseEvent::WorkTimedOut { .. }
            );
            (is_people || matches!(definition.work, Work::Automatic { .. })) && !view.is_firing(item) && !by_policy
        }
        CaseEvent::WorkFailed { code, .. } => is_own && !(code.starts_with("work/") || code.starts_with("policy/")),
        CaseEvent::WorkStarted { .. } => {
            let begins = matches!(cause.event, CaseEvent::WorkAllocated { .. })
                && super::allocation::begins_by_itself(view, item);
            let waits = matches!(definition.work, Work::Wait(_)) && item.timer.is_some() && is_own;
            (is_people && item.phase == Phase::Allocated && !begins && view.answer_of(cause).is_none())
                || (waits && !matches!(cause.event, CaseEvent::TimerFiredLate { .. } | CaseEvent::WorkResumed { .. }))
        }
        CaseEvent::WorkAllocated { .. } => {
            is_own && !matches!(cause.event, CaseEvent::AllocationDecided { .. } | CaseEvent::WorkEscalated { .. })
        }
        CaseEvent::WorkOffered { .. } => {
            item.phase == Phase::Offered && !matches!(cause.event, CaseEvent::AllocationDecided { .. })
        }
        CaseEvent::AllocationDecided { .. } => {
            let by_person = resourcing(view, task).is_ok_and(|resourcing| resourcing.offer == By::Person);
            is_own
                && (by_person
                    || matches!(
                        cause.event,
                        CaseEvent::AllocationDecided { .. }
                            | CaseEvent::WorkOffered { .. }
                            | CaseEvent::WorkAllocated { .. }
                            | CaseEvent::WorkWaiting { .. }
                    ))
        }
        CaseEvent::WorkWithdrawn { .. } | CaseEvent::WorkCancelled { .. } => {
            is_own && !matches!(cause.event, CaseEvent::InstancesPassed { .. })
        }
        CaseEvent::WorkRetried { .. }
        | CaseEvent::WorkSuspended { .. }
        | CaseEvent::WorkSkipped { .. }
        | CaseEvent::WorkDelegated { .. }
        | CaseEvent::WorkPutBack { .. } => {
            // What goes on, or is late, only has attempts begin that are due.
            let goes_on = matches!(
                cause.event,
                CaseEvent::WorkResumed { .. } | CaseEvent::TimerFiredLate { .. } | CaseEvent::CaseResumed
            );
            let follows = matches!(
                cause.event,
                CaseEvent::ExceptionRaised { .. } | CaseEvent::WorkEscalated { .. } | CaseEvent::WorkShed { .. }
            ) || (goes_on && matches!(event, CaseEvent::WorkRetried { .. }))
                || (matches!(cause.event, CaseEvent::WorkRetried { .. })
                    && matches!(event, CaseEvent::WorkPutBack { .. })
                    && view.answer_of(cause).is_some())
                || (matches!(cause.event, CaseEvent::WorkFailed { .. })
                    && matches!(event, CaseEvent::WorkSkipped { .. }));
            is_own && !follows
        }
        CaseEvent::WorkResumed { .. } => !matches!(cause.event, CaseEvent::TimerFiredLate { .. }),
        CaseEvent::WorkForced { .. } | CaseEvent::WorkShed { .. } | CaseEvent::MessageReceived { .. } => true,
        CaseEvent::WorkTimedOut { .. } => !matches!(
            cause.event,
            CaseEvent::TimerFiredLate { .. } | CaseEvent::WorkResumed { .. } | CaseEvent::CaseResumed
        ),
        _ => false,
    }
}

/// What begins a decision may do that, and its cause is what happened last to what it is about.
pub(super) fn asked(view: &View<'_>, event: &CaseEvent) -> Judged {
    let Some(cause) = view.meta.cause else {
        return must(needs_no_cause(event), Law::Cause, || "nothing is given as its cause".to_owned());
    };
    if let CaseEvent::MessageReceived { message, .. } = event {
        return must(cause == *message, Law::Cause, || "its cause is not the message".to_owned());
    }
    let control = view.control();
    let wrong = || format!("event {cause} is not what happened last to what it is about");
    let Some(about) = control.items.iter().find(|item| item.event == cause) else {
        // Others of the same decision may have moved on what all are about.
        let goes_on = view.decision.cause == Some(cause) && !view.decision.past.is_empty();
        return must(goes_on, Law::Cause, wrong);
    };
    let id = match event {
        CaseEvent::ExceptionRaised { item, .. } | CaseEvent::TimerFiredLate { item, .. } => *item,
        CaseEvent::SubnetEnded { item, .. } => Some(*item),
        _ => event.work().map(|(id, _)| id),
    };
    let Some(id) = id else { return Err(Broken(Law::Cause, wrong())) };
    let stops = matches!(
        event,
        CaseEvent::WorkWithdrawn { .. } | CaseEvent::WorkCancelled { .. } | CaseEvent::SubnetEnded { .. }
    );
    must(id == about.id || (stops && is_part(view, id, about)), Law::Cause, wrong)
}

/// An item is part of what another is, or of the firing that the other is part of.
fn is_part(view: &View<'_>, id: ItemId, whole: &WorkItemState) -> bool {
    let control = view.control();
    let Some(item) = control.item(id) else { return false };
    let family = whole.family().unwrap_or(whole.id);
    let of = |item: &WorkItemState| item.id == family || item.family() == Some(family);
    of(item) || control.frames_above(item.frame).any(|frame| control.item(frame.item).is_some_and(of))
}

fn needs_no_cause(event: &CaseEvent) -> bool {
    match event {
        CaseEvent::WorkEnabled { instance, .. } => instance.is_some(),
        CaseEvent::ExceptionRaised { item, name, .. } => item.is_none() || name == "compensate",
        CaseEvent::TimerFiredLate { item, .. } => item.is_none(),
        CaseEvent::CaseStarted { .. }
        | CaseEvent::CaseCancelled { .. }
        | CaseEvent::CaseSuspended
        | CaseEvent::CaseResumed
        | CaseEvent::CaseForced { .. }
        | CaseEvent::CaseTimedOut
        | CaseEvent::SignalReceived { .. }
        // A case that is cancelled ends its work one by one.
        | CaseEvent::WorkWithdrawn { .. }
        | CaseEvent::WorkCancelled { .. }
        | CaseEvent::SubnetEnded { .. } => true,
        _ => false,
    }
}

/// What follows in a decision can follow from that, and is the engine's or whose command it was.
pub(super) fn follows(view: &View<'_>, cause: &Past, event: &CaseEvent) -> Judged {
    let actor = view.meta.actor;
    must(actor == ActorId::ENGINE || actor == view.decision.actor, Law::Who, || {
        format!("{} does what follows from what {} did", view.who(actor), view.who(view.decision.actor))
    })?;
    let by_itself = matches!(
        event,
        CaseEvent::WorkEnabled { .. }
            | CaseEvent::CaseCompleted
            | CaseEvent::CaseDeadlocked
            | CaseEvent::SubnetStarted { .. }
    );
    must(actor == ActorId::ENGINE || !by_itself, Law::Who, || {
        format!("{} does what happens by itself", view.who(actor))
    })?;
    let can = match event {
        CaseEvent::CaseStarted { .. } | CaseEvent::CaseForced { .. } | CaseEvent::WorkForced { .. } => false,
        // A rest for a time is over.
        CaseEvent::CaseResumed | CaseEvent::WorkResumed { .. } => {
            matches!(cause.event, CaseEvent::TimerFiredLate { .. })
        }
        // Tokens moved, or something that held the case ended.
        CaseEvent::WorkEnabled { task, frame, instance, .. } => {
            let moves = !matches!(
                cause.event,
                CaseEvent::AllocationDecided { .. } | CaseEvent::WorkSuspended { .. } | CaseEvent::CaseSuspended
            );
            moves && (instance.is_some() || !comes_before_tokens(view, cause, *task, *frame))
        }
        CaseEvent::WorkStarted { item, .. } => {
            // When work goes on after a rest, whatever came due meanwhile begins, of any item.
            let own = cause.event.work().is_none_or(|(of, _)| of == *item)
                || matches!(cause.event, CaseEvent::WorkResumed { .. });
            own && !gives_tokens_only(&cause.event)
                && !matches!(cause.event, CaseEvent::WorkCompleted { .. } | CaseEvent::WorkStarted { .. })
        }
        // Work begins before what it is made of.
        CaseEvent::SubnetStarted { item, .. } => {
            let own = cause.event.work().is_some_and(|(of, _)| of == *item);
            own && !matches!(cause.event, CaseEvent::WorkEnabled { .. })
        }
        CaseEvent::AllocationDecided { item, .. } => {
            !gives_tokens_only(&cause.event) && cause.event.work().is_none_or(|(of, _)| of == *item)
        }
        CaseEvent::WorkOffered { item, .. }
        | CaseEvent::WorkAllocated { item, .. }
        | CaseEvent::WorkWaiting { item, .. } => cause.event.work().is_none_or(|(of, _)| of == *item),
        CaseEvent::WorkCompleted { item, task, .. } => {
            let control = view.control();
            let family = |of: ItemId| control.item(of).and_then(WorkItemState::family) == Some(*item);
            match &cause.event {
                CaseEvent::SubnetEnded { item: of, .. } => of == item,
                // Nothing is done before it began, or because something else was; but for the last of several instances.
                CaseEvent::WorkEnabled { .. } => false,
                CaseEvent::WorkCompleted { task: of, .. } => of == task,
                CaseEvent::WorkStarted { item: of, .. } | CaseEvent::WorkRetried { item: of, .. } => {
                    of == item || family(*of)
                }
                _ => true,
            }
        }
        _ => true,
    };
    must(can, Law::Cause, || "its cause is of a kind that cannot cause it".to_owned())
}

/// The decision gave a task tokens, and the cause is from before the first of them.
fn comes_before_tokens(view: &View<'_>, cause: &Past, task: TaskIx, frame: FrameId) -> bool {
    let inputs = &view.task(task).inputs;
    let gives = |past: &&Past| past.frame == frame && past.event.produced().iter().any(|one| inputs.contains(one));
    view.decision.past.iter().find(gives).is_some_and(|first| cause.seq < first.seq)
}

/// It moves tokens, and says nothing of any item: what begins by it is enabled first.
fn gives_tokens_only(event: &CaseEvent) -> bool {
    matches!(event, CaseEvent::CaseStarted { .. } | CaseEvent::SubnetStarted { .. } | CaseEvent::TokensCancelled { .. })
}

/// The case is in a state in which this can happen.
pub(super) fn status(view: &View<'_>, event: &CaseEvent) -> Judged {
    let control = view.control();
    let ends = matches!(
        event,
        CaseEvent::CaseCancelled { .. }
            | CaseEvent::WorkWithdrawn { .. }
            | CaseEvent::WorkCancelled { .. }
            | CaseEvent::SubnetEnded { .. }
    );
    let can = match (control.status, event) {
        (CaseStatus::Unborn | CaseStatus::Open, CaseEvent::CaseStarted { .. }) => control.status == CaseStatus::Unborn,
        (CaseStatus::Open, _) | (CaseStatus::Deadlocked, CaseEvent::CaseForced { .. }) => true,
        (CaseStatus::Deadlocked, CaseEvent::CaseCompleted) => {
            view.cause().is_some_and(|cause| matches!(cause.event, CaseEvent::CaseForced { .. }))
        }
        (CaseStatus::Deadlocked, _) => ends,
        _ => false,
    };
    must(can, Law::Status, || format!("the case is {}", control.status.name()))?;
    if control.suspended && view.cause().is_none() {
        let engine = view.meta.actor == ActorId::ENGINE;
        let reported = matches!(
            event,
            CaseEvent::WorkCompleted { .. }
                | CaseEvent::WorkFailed { .. }
                | CaseEvent::WorkShed { .. }
                | CaseEvent::ExceptionRaised { .. }
        );
        let late = matches!(event, CaseEvent::TimerFiredLate { item: None, .. }) && control.rest_until(None).is_some();
        let can = ends
            || late
            || matches!(event, CaseEvent::CaseResumed | CaseEvent::CaseForced { .. })
            || (engine && reported);
        return must(can, Law::Status, || "the case rests".to_owned());
    }
    Ok(())
}

/// A decision goes on with an event that has the same cause as its first one: several things were stopped at once.
pub(super) fn goes_on(view: &View<'_>, meta: &Meta, event: &CaseEvent) -> bool {
    let decision = view.decision;
    // Without a cause, these are what somebody asked for, or what the clock brought: nothing comes before them.
    let begins = matches!(
        event,
        CaseEvent::CaseStarted { .. }
            | CaseEvent::CaseResumed
            | CaseEvent::CaseSuspended
            | CaseEvent::CaseTimedOut
            | CaseEvent::SignalReceived { .. }
            | CaseEvent::TimerFiredLate { .. }
    );
    (!begins || meta.cause.is_some())
        && !decision.past.is_empty()
        && decision.time == meta.time
        && decision.cause == meta.cause
        && (decision.actor == meta.actor || meta.actor == ActorId::ENGINE || decision.actor == ActorId::ENGINE)
}
