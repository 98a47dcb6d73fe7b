//! After tokens moved: what became possible begins, what became impossible is withdrawn, and a case that is through ends.

use actum_model::{ActorId, AnyWorkItem, CaseEvent, TaskIx, Value, WorkItem, phase};
use actum_net::{Join, Work};

use crate::{
    DATA_BYTES_MAX, EVENTS_MAX,
    data::map_output,
    draft::{Cause, Draft},
    join::{self, TooComplex},
    split,
};

const ENGINE: ActorId = ActorId::ENGINE;

/// Runs the case on, as the engine, until only people, handlers or the world can move it. `cause` is the index of the
/// event that moved tokens.
pub(crate) fn settle(draft: &mut Draft<'_>, cause: usize) {
    let mut cause = cause;
    loop {
        if draft.control.marking.count(draft.net.end) > 0 {
            return finish(draft, cause, CaseEvent::CaseCompleted);
        }
        if draft.len() > EVENTS_MAX {
            let (code, message) = ("case/livelock", format!("more than {EVENTS_MAX} events without work in between"));
            return finish(draft, cause, CaseEvent::CaseFailed { code: code.into(), message });
        }
        if draft.data_bytes > DATA_BYTES_MAX {
            let (code, message) =
                ("case/data-limit", format!("one command set more than {DATA_BYTES_MAX} bytes of data"));
            return finish(draft, cause, CaseEvent::CaseFailed { code: code.into(), message });
        }
        let looked = match draft.next_touched() {
            Some(task) if draft.net.tasks[task.index()].join == Join::Or => Ok(()),
            Some(task) => look_at(draft, task, &mut cause),
            None => match or_joins(draft, &mut cause) {
                Ok(false) => break,
                other => other.map(|_| ()),
            },
        };
        if looked == Err(TooComplex) {
            let message = "an OR-join of this net cannot be decided within the limit of steps".to_owned();
            return finish(draft, cause, CaseEvent::CaseFailed { code: "case/or-join-limit".into(), message });
        }
    }
    if draft.control.items.is_empty() {
        draft.push(ENGINE, Cause::Staged(cause), CaseEvent::CaseDeadlocked);
    }
}

/// Ends the case: what is still live is discarded first.
pub(crate) fn finish(draft: &mut Draft<'_>, cause: usize, ending: CaseEvent) {
    let live: Vec<AnyWorkItem> = draft.control.items.iter().map(actum_model::WorkItemState::typed).collect();
    for item in live {
        draft.push(ENGINE, Cause::Staged(cause), item.discard());
    }
    draft.push(ENGINE, Cause::Staged(cause), ending);
}

/// OR-joins depend on the whole marking, so they are looked at when all else is settled. True when something happened.
fn or_joins(draft: &mut Draft<'_>, cause: &mut usize) -> Result<bool, TooComplex> {
    let before = draft.len();
    for index in 0..draft.net.tasks.len() {
        if draft.net.tasks[index].join == Join::Or {
            look_at(draft, TaskIx::of(index), cause)?;
            if draft.len() > before {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn look_at(draft: &mut Draft<'_>, task: TaskIx, cause: &mut usize) -> Result<(), TooComplex> {
    let item = draft.control.item_of(task);
    if item.is_some_and(|item| item.phase.holds_tokens()) {
        return Ok(());
    }
    match (item.map(actum_model::WorkItemState::typed), join::take(draft.net, &draft.control, task)?) {
        (Some(item), None) => {
            draft.push(ENGINE, Cause::Staged(*cause), item.discard());
        }
        (None, Some(tokens)) => begin(draft, task, tokens, cause),
        _ => {}
    }
    Ok(())
}

/// A task became possible: people are asked, handlers and routing begin at once.
fn begin(draft: &mut Draft<'_>, task: TaskIx, tokens: Vec<actum_model::ConditionIx>, cause: &mut usize) {
    let item = WorkItem::enabled(draft.control.next_item, task);
    let enabled = draft.push(ENGINE, Cause::Staged(*cause), item.enabling());
    match &draft.net.tasks[task.index()].work {
        Work::Manual { role, .. } => {
            draft.push(ENGINE, Cause::Staged(enabled), item.offer(*role, Vec::new()).1);
        }
        Work::Routing => {
            let (item, event) = item.allocate_to_engine().start(tokens);
            let started = draft.push(ENGINE, Cause::Staged(enabled), event);
            *cause = route(draft, item, started);
        }
        _ => {
            let (_, event) = item.allocate_to_engine().start(tokens);
            *cause = draft.push(ENGINE, Cause::Staged(enabled), event);
        }
    }
}

/// A routing task completes as soon as it started; if its data is at fault, it fails. Returns the index of that event.
fn route(draft: &mut Draft<'_>, item: WorkItem<phase::Started>, started: usize) -> usize {
    let task = &draft.net.tasks[item.task().index()];
    let outcome = map_output(draft.net, task, &draft.scope(&[], None))
        .map_err(|rejection| (rejection.code, rejection.message))
        .and_then(|changes| match split::choose(task, &draft.scope(&changes, None)) {
            Ok(produced) => Ok((changes, produced)),
            Err(error) => Err(("work/guard", format!("a guard of {} cannot be evaluated: {error}", task.name))),
        });
    let event = match outcome {
        Ok((changes, produced)) => item.complete(Value::Null, changes, produced).1,
        Err((code, message)) => item.fail(code, &message).1,
    };
    draft.push(ENGINE, Cause::Staged(started), event)
}

/// A routing task that failed is tried again, with the data as it is now.
pub(crate) fn retry_routing(draft: &mut Draft<'_>, item: WorkItem<phase::Started>, retried: usize) {
    let ended = route(draft, item, retried);
    settle(draft, ended);
}
