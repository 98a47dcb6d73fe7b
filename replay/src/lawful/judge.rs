//! Each kind of event, and the rules that it is judged by.

use actum_kernel::{EVENTS_MAX, SEMANTICS, fits};
use actum_model::{ActorId, CaseEvent, Change, ConditionIx, FrameId, SubnetIx};
use actum_net::StartBy;

use super::allocation::{self, Record};
use super::rule::{Broken, Judged, Law, must};
use super::view::{Past, View};
use super::work::{Looked, Outcome};
use super::{cause, exception, owed, stop, time, work};

/// Whether a case's event is allowed in the state before it. False: not all of it was looked at.
pub(super) fn judge(view: &View<'_>, event: &CaseEvent) -> Looked {
    must(fits(view.net, event), Law::Net, || format!("it speaks of what the net {} does not have", view.net.name))?;
    let actor = view.meta.actor;
    let known = actor == ActorId::ENGINE || view.directory.actor(actor).is_some();
    must(known, Law::Who, || format!("the organisation knows no actor {actor}"))?;
    cause::status(view, event)?;
    let again = event.work().is_some() && view.decision.past.last().is_some_and(|past| past.event == *event);
    must(!again || view.decision.time != view.meta.time, Law::Order, || {
        "it is what the event before it says".to_owned()
    })?;
    match view.cause() {
        Some(cause) => cause::follows(view, cause, event)?,
        None => cause::asked(view, event)?,
    }
    match event {
        CaseEvent::CaseStarted { .. }
        | CaseEvent::CaseCompleted
        | CaseEvent::CaseCancelled { .. }
        | CaseEvent::CaseDeadlocked
        | CaseEvent::CaseFailed { .. }
        | CaseEvent::CaseSuspended
        | CaseEvent::CaseResumed
        | CaseEvent::CaseForced { .. }
        | CaseEvent::CaseTriggered { .. } => of_case(view, event).map(|()| true),
        CaseEvent::AllocationDecided { .. }
        | CaseEvent::WorkOffered { .. }
        | CaseEvent::WorkAllocated { .. }
        | CaseEvent::WorkDelegated { .. }
        | CaseEvent::WorkEscalated { .. } => of_people(view, event).map(|()| true),
        CaseEvent::CaseWaiting { .. }
        | CaseEvent::CaseTimedOut
        | CaseEvent::TimerFiredLate { .. }
        | CaseEvent::RestLimited { .. }
        | CaseEvent::WorkWaiting { .. }
        | CaseEvent::WorkTimedOut { .. }
        | CaseEvent::SignalReceived { .. }
        | CaseEvent::MessageAwaited { .. }
        | CaseEvent::MessageReceived { .. } => of_time(view, event).map(|()| true),
        other => of_work(view, other),
    }
}

fn of_case(view: &View<'_>, event: &CaseEvent) -> Judged {
    let (control, answer) = (view.control(), view.answer());
    let unmarked = || {
        let mutexes = &view.net.subnets[0].mutexes;
        control.marking.of(FrameId::ROOT).all(|(condition, _)| mutexes.contains(&condition))
    };
    let no_work = || must(control.items.is_empty(), Law::Owed, || "work goes on as the case ends".to_owned());
    match event {
        CaseEvent::CaseStarted { semantics, changes, produced, .. } => started(view, *semantics, changes, produced),
        CaseEvent::CaseCompleted => {
            no_work()?;
            let implicit = view.net.subnets[0].implicit_termination;
            let at_end = if implicit { unmarked() } else { control.marking.count(FrameId::ROOT, view.net.end) > 0 };
            let forced = matches!(view.cause(), Some(Past { event: CaseEvent::CaseForced { .. }, .. }));
            must(at_end || forced || answer == Some("case: complete"), Law::Tokens, || {
                "the case is not at its end".to_owned()
            })?;
            must(view.cause().is_some(), Law::Cause, || "nothing brought the case to its end".to_owned())
        }
        CaseEvent::CaseCancelled { reason } => {
            no_work()?;
            let undone = reason == "compensated";
            let known = view.cause().is_none() || answer == Some("case: remove") || undone;
            must(known, Law::Cause, || "nobody cancels the case".to_owned())
        }
        CaseEvent::CaseDeadlocked => {
            let at_end =
                control.marking.count(FrameId::ROOT, view.net.end) > 0 && !view.net.subnets[0].implicit_termination;
            must(!owed::is_live(view) && !at_end, Law::Status, || "the case can go on".to_owned())?;
            must(view.cause().is_some(), Law::Cause, || "nobody says so".to_owned())
        }
        CaseEvent::CaseFailed { code, .. } => {
            no_work()?;
            let known = match code.as_str() {
                "case/exception" => answer == Some("case: fail"),
                "case/livelock" => view.decision.past.len() > EVENTS_MAX,
                "case/data-limit" | "case/or-join-limit" => view.cause().is_some(),
                _ => false,
            };
            must(known, Law::Cause, || format!("nothing makes the case fail with {code}"))
        }
        CaseEvent::CaseSuspended => {
            let known = view.cause().is_none() || answer == Some("case: suspend");
            must(!control.suspended && known, Law::Status, || "the case rests already, or nobody says so".to_owned())
        }
        CaseEvent::CaseResumed => must(control.suspended, Law::Status, || "the case does not rest".to_owned()),
        CaseEvent::CaseForced { changes, .. } => super::data::forced(view, changes),
        CaseEvent::CaseTriggered { start, due, message } => {
            let known = view.net.starts.iter().find(|one| one.name == *start);
            let fits = known.is_some_and(|known| match &known.by {
                StartBy::Hand => false,
                StartBy::Clock { .. } => due.is_some_and(|due| due <= view.meta.time) && message.is_none(),
                StartBy::Message { .. } => message.is_some() && due.is_none(),
                _ => true,
            });
            must(fits && view.case.version == 1, Law::Net, || format!("the net has no such start {start}"))
        }
        _ => Ok(()),
    }
}

fn started(view: &View<'_>, semantics: u16, changes: &[Change], produced: &[ConditionIx]) -> Judged {
    must((1..=SEMANTICS).contains(&semantics), Law::Net, || format!("there are no semantics {semantics}"))?;
    super::data::first_tokens(view, SubnetIx::ROOT, produced)?;
    super::data::first_data(view, SubnetIx::ROOT, None, changes)
}

fn of_people(view: &View<'_>, event: &CaseEvent) -> Judged {
    let Some((id, task)) = event.work() else { return Ok(()) };
    let item = view.item(id, task)?;
    let waits = view.task(task).trigger.is_some() && item.instance.is_none() && !item.triggered;
    let compensates = view.task(task).compensates;
    must(!waits || compensates, Law::Phase, || format!("{} waits for a signal that did not come", view.label(task)))?;
    match event {
        CaseEvent::AllocationDecided { directory, strategy, seed, candidates, rules, scores, chosen, .. } => {
            let (directory, seed, chosen) = (*directory, *seed, *chosen);
            allocation::decided(view, item, Record { directory, strategy, seed, candidates, rules, scores, chosen })
        }
        CaseEvent::WorkOffered { role, to, .. } => {
            let free = [actum_model::Phase::Enabled, actum_model::Phase::Offered].contains(&item.phase);
            must(free, Law::Phase, || format!("{} is {}", view.label(task), item.phase.name()))?;
            allocation::offered(view, item, *role, to)
        }
        CaseEvent::WorkAllocated { to, .. } => {
            let free = [actum_model::Phase::Enabled, actum_model::Phase::Offered].contains(&item.phase);
            must(free, Law::Phase, || format!("{} is {}", view.label(task), item.phase.name()))?;
            allocation::allocated(view, item, *to)
        }
        CaseEvent::WorkDelegated { to, keep_state, .. } => work::delegated(view, id, task, *to, *keep_state),
        CaseEvent::WorkEscalated { to, .. } => {
            let chosen = match view.cause().map(|cause| &cause.event) {
                Some(CaseEvent::AllocationDecided { item, chosen, .. }) if *item == id => *chosen,
                Some(_) if view.answers("escalate") => None,
                _ => return Err(Broken(Law::Cause, format!("nothing says to whom {} goes", view.label(task)))),
            };
            must(*to == chosen, Law::Allocation, || format!("{} goes to another than was chosen", view.label(task)))
        }
        _ => Ok(()),
    }
}

fn of_time(view: &View<'_>, event: &CaseEvent) -> Judged {
    match event {
        CaseEvent::CaseWaiting { until } => time::set_for_case(view, *until),
        CaseEvent::CaseTimedOut => time::fired_for_case(view),
        CaseEvent::RestLimited { item, until } => time::rest_limited(view, *item, *until),
        CaseEvent::TimerFiredLate { item, due } => time::late(view, *item, *due),
        CaseEvent::WorkWaiting { item, task, until } => time::set(view, *item, *task, *until),
        CaseEvent::WorkTimedOut { item, task } => time::fired(view, *item, *task),
        CaseEvent::SignalReceived { name, data, kept, item } => time::signal(view, name, data, *kept, *item),
        CaseEvent::MessageAwaited { item, task, name, key } => time::awaited(view, *item, *task, name, key),
        CaseEvent::MessageReceived { item, task, name, .. } => time::message(view, *item, *task, name),
        _ => Ok(()),
    }
}

fn of_work(view: &View<'_>, event: &CaseEvent) -> Looked {
    let fully = |judged: Judged| judged.map(|()| true);
    match event {
        CaseEvent::WorkEnabled { item, task, frame, instance } => {
            work::enabled(view, (*item, *task, *frame), instance.as_deref())
        }
        CaseEvent::WorkStarted { item, task, consumed } => work::started(view, *item, *task, consumed),
        CaseEvent::WorkCompleted { item, task, result, changes, produced } => {
            work::completed(view, *item, *task, result, Outcome { changes, produced })
        }
        CaseEvent::WorkSkipped { item, task, consumed, changes, produced } => {
            work::skipped(view, *item, *task, consumed, Outcome { changes, produced })
        }
        CaseEvent::InstancesPassed { item, task, result, changes, produced } => {
            fully(work::passed(view, *item, *task, result, Outcome { changes, produced }))
        }
        CaseEvent::WorkForced { item, task, consumed, .. } => work::forced(view, *item, *task, consumed),
        CaseEvent::WorkFailed { item, task, code, .. } => fully(work::failed(view, *item, *task, code)),
        CaseEvent::WorkRetried { item, task, attempt } => fully(work::retried(view, *item, *task, *attempt)),
        CaseEvent::WorkSuspended { item, task } => fully(work::rests(view, *item, *task, false)),
        CaseEvent::WorkResumed { item, task } => fully(work::rests(view, *item, *task, true)),
        CaseEvent::WorkPutBack { item, task } => fully(work::put_back(view, *item, *task)),
        CaseEvent::WorkWithdrawn { item, task } => stop::stopped(view, *item, *task, true, &[]),
        CaseEvent::WorkCancelled { item, task, produced } => stop::stopped(view, *item, *task, false, produced),
        CaseEvent::TokensCancelled { frame, task, removed } => stop::tokens_cancelled(view, *frame, *task, removed),
        CaseEvent::JoinAdvanced { frame, task, absorbed, arrived } => {
            stop::join_advanced(view, (*frame, *task), absorbed, arrived)
        }
        CaseEvent::SubnetStarted { frame, subnet, item, changes, produced } => {
            fully(stop::frame_started(view, (*frame, *subnet, *item), changes, produced))
        }
        CaseEvent::SubnetEnded { frame, item, completed } => fully(stop::frame_ended(view, *frame, *item, *completed)),
        CaseEvent::ExceptionRaised { item, kind, name, answer, .. } => {
            fully(exception::raised(view, *item, *kind, name, answer))
        }
        // What policies plan, and what is undone: that it can be folded is all that is seen to here.
        _ => Ok(false),
    }
}
