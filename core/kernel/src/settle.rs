//! After tokens moved: what became possible begins, what became impossible is withdrawn, and a case that is through ends.

use actum_model::{AnyWorkItem, CaseEvent, CaseStatus, FrameId, Phase, TaskIx, WorkItemState};
use actum_net::{Join, Subnet};
use smallvec::SmallVec;

use crate::{
    DATA_BYTES_MAX, EVENTS_MAX,
    cancel::{self, Why},
    compensate,
    draft::Draft,
    exception, finish as finishing, fire,
    join::{self, TooComplex, partial},
};

/// Runs the case on, as the engine, until only people, handlers or the world can move it. `cause` is the index of the
/// event that moved tokens. A suspended case stays as it is.
pub(crate) fn settle(draft: &mut Draft<'_>, cause: usize) {
    let mut cause = cause;
    loop {
        if draft.control.status != CaseStatus::Open || draft.control.suspended {
            return;
        }
        if std::mem::take(&mut draft.data_changed)
            && let Some(answered) = exception::test_case(draft, cause)
        {
            cause = answered;
            continue;
        }
        let undoing = draft.control.saga().is_some_and(|saga| saga.active().is_some());
        let at_end = draft.control.marking.count(FrameId::ROOT, draft.net.end) > 0;
        if at_end && !undoing && !draft.net.subnets[0].implicit_termination {
            finish(draft, cause, CaseEvent::CaseCompleted);
            return;
        }
        if let Some((code, message)) = too_much(draft) {
            finish(draft, cause, CaseEvent::CaseFailed { code: code.into(), message });
            return;
        }
        if undoing && let Some(last) = compensate::go_on(draft, cause) {
            cause = last;
            continue;
        }
        if undoing && compensate::holds_still(draft) {
            return;
        }
        if let Some(frame) = draft.next_ended().filter(|frame| !compensate::is_leaving(draft, *frame)) {
            cause = finishing::end_frame(draft, frame, cause);
            continue;
        }
        let looked = match draft.next_touched() {
            Some((_, task)) if draft.net.tasks[task.index()].join == Join::Or => Ok(()),
            Some((frame, task)) => look_at(draft, frame, task, &mut cause),
            None => match or_joins(draft, &mut cause) {
                Ok(false) if ended_implicitly(draft, &mut cause) => Ok(()),
                Ok(false) => break,
                other => other.map(|_| ()),
            },
        };
        if looked == Err(TooComplex) {
            let message = "an OR-join of this net cannot be decided within the limit of steps".to_owned();
            finish(draft, cause, CaseEvent::CaseFailed { code: "case/or-join-limit".into(), message });
            return;
        }
    }
    let root = &draft.net.subnets[0];
    if is_live(draft) {
        return;
    }
    let is_empty = is_unmarked(draft, FrameId::ROOT, root);
    if root.implicit_termination && is_empty {
        finish(draft, cause, CaseEvent::CaseCompleted);
    } else if is_empty && has_compensated(draft) {
        finish(draft, cause, CaseEvent::CaseCancelled { reason: "compensated".to_owned() });
    } else {
        draft.follow(cause, CaseEvent::CaseDeadlocked);
    }
}

fn too_much(draft: &Draft<'_>) -> Option<(&'static str, String)> {
    if draft.len() > EVENTS_MAX {
        return Some(("case/livelock", format!("more than {EVENTS_MAX} events without work in between")));
    }
    let too_large = draft.data_bytes > DATA_BYTES_MAX;
    too_large.then(|| ("case/data-limit", format!("one command set more than {DATA_BYTES_MAX} bytes of data")))
}

/// Ends the case: what is still live is discarded first. Returns the index of the newest event.
pub(crate) fn finish(draft: &mut Draft<'_>, cause: usize, ending: CaseEvent) -> usize {
    cancel::discard_items(draft, FrameId::ROOT, Why::follows(cause));
    draft.follow(cause, ending)
}

/// Somebody or something can still move the case: there is work that does not merely wait for other work.
fn is_live(draft: &Draft<'_>) -> bool {
    let control = &draft.control;
    control.items.iter().any(|item| {
        let waits = || {
            control.activation(item.id).is_some_and(|activation| activation.active > 0)
                || control.frame_of_item(item.id).is_some()
        };
        item.phase != Phase::Started || !waits()
    })
}

fn is_unmarked(draft: &Draft<'_>, frame: FrameId, subnet: &Subnet) -> bool {
    draft.control.marking.of(frame).all(|(condition, _)| subnet.mutexes.contains(&condition))
}

fn has_compensated(draft: &Draft<'_>) -> bool {
    draft.events().iter().any(|decided| match &decided.event {
        CaseEvent::WorkCompleted { task, .. } | CaseEvent::WorkSkipped { task, .. } => {
            draft.net.tasks[task.index()].compensates
        }
        CaseEvent::CompensationBegun { .. } => true,
        _ => false,
    })
}

/// Subnets that end when nothing is left of them. True when one did.
fn ended_implicitly(draft: &mut Draft<'_>, cause: &mut usize) -> bool {
    let is_over = |frame: &&actum_model::FrameState| {
        let subnet = &draft.net.subnets[frame.subnet.index()];
        let is_started = || draft.control.item(frame.item).is_some_and(|item| item.phase == Phase::Started);
        subnet.implicit_termination
            && is_unmarked(draft, frame.id, subnet)
            && !draft.control.items.iter().any(|item| item.frame == frame.id)
            && !compensate::is_leaving(draft, frame.id)
            && is_started()
    };
    let Some(frame) = draft.control.frames().iter().find(is_over).map(|frame| frame.id) else { return false };
    *cause = finishing::end_frame(draft, frame, *cause);
    true
}

/// OR-joins depend on the whole marking of their frame, so they are looked at when all else is settled. True when something
/// happened.
fn or_joins(draft: &mut Draft<'_>, cause: &mut usize) -> Result<bool, TooComplex> {
    let before = draft.len();
    for (frame, task) in or_joins_concerned(draft) {
        look_at(draft, frame, task, cause)?;
        if draft.len() > before {
            return Ok(true);
        }
    }
    Ok(false)
}

/// OR-joins of which an input is marked, or that have an item; all others can neither begin nor be withdrawn. Ascending.
fn or_joins_concerned(draft: &Draft<'_>) -> SmallVec<[(FrameId, TaskIx); 4]> {
    let net = draft.net;
    let is_or = |task: &TaskIx| net.tasks[task.index()].join == Join::Or;
    let mut concerned = SmallVec::new();
    for (frame, condition, _) in draft.control.marking.iter() {
        let consumers = net.conditions[condition.index()].consumers.iter().copied();
        concerned.extend(consumers.filter(is_or).map(|task| (frame, task)));
    }
    let having = draft.control.items.iter().filter(|item| is_or(&item.task));
    concerned.extend(having.map(|item| (item.frame, item.task)));
    concerned.sort_unstable();
    concerned.dedup();
    concerned
}

fn look_at(draft: &mut Draft<'_>, frame: FrameId, task: TaskIx, cause: &mut usize) -> Result<(), TooComplex> {
    partial::advance(draft, frame, task, *cause);
    let item = draft.control.item_in(frame, task);
    if item.is_some_and(WorkItemState::holds_tokens) || draft.net.tasks[task.index()].compensates {
        return Ok(());
    }
    let item: Option<AnyWorkItem> = item.map(WorkItemState::typed);
    let tokens = join::take(draft.net, &draft.control, frame, task, draft.context.or_joins)?;
    match (item, tokens) {
        (Some(item), None) => {
            draft.follow(*cause, item.discard());
        }
        (None, Some(tokens)) => *cause = fire::begin(draft, frame, task, tokens, *cause),
        _ => {}
    }
    Ok(())
}
