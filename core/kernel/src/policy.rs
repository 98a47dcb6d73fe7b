//! Policies about failures: whether work is tried again, and what becomes of an item that failed for good.
//!
//! Everything that decides is in the net and in the log: the number of attempts, the retries of a task so far, the time and
//! the seed of the delay. What decides before a call (limits, breakers) is the engine's; here it only has consequences.

use std::collections::BTreeMap;

use actum_model::{AnyWorkItem, CaseEvent, Change, ConditionIx, ItemId, Phase, TaskIx, Time, Value, WorkItemState};
use actum_net::{OnError, Policies, Task};

use crate::{
    LEASE_ATTEMPTS_MAX, cancel,
    draft::{Cause, Draft},
    finish::{self, Outcome},
    fire::givens_of,
    resource::mix,
};

/// Code of the failure of an item that did not get done in the time that its policies give it.
const DEADLINE: &str = "work/deadline";
/// Codes of failures that say that a handler died, and nothing about the work.
const DIED: [&str; 2] = ["handler/lease", "handler/panicked"];

/// What policies did about a failure.
pub(crate) enum Handled {
    /// The case went on; the index of the newest event.
    Moved(usize),
    /// Another attempt is planned.
    Waits,
    /// Nothing; with the reason, if the task has policies.
    Nothing(Option<String>),
}

/// The policies of an item's own work; a firing's are those of its instances.
fn of_item<'a>(draft: &Draft<'a>, state: &WorkItemState) -> Option<&'a Policies> {
    let net = draft.net;
    let task: &'a Task = &net.tasks[state.task.index()];
    task.policies.as_deref().filter(|_| task.instances.is_none() || state.instance.is_some())
}

/// Does what policies say about an item that has just failed. A retry does not come before `not_before`.
pub(crate) fn after_failure(
    draft: &mut Draft<'_>,
    id: ItemId,
    (code, message): (&str, &str),
    not_before: Option<Time>,
    failed: usize,
) -> Handled {
    let Some(state) = draft.control.item(id).cloned() else { return Handled::Nothing(None) };
    let Some(policies) = of_item(draft, &state) else { return Handled::Nothing(None) };
    match plan(draft, policies, &state, code) {
        Ok(Planned { delay, seed }) => {
            // Stored times are signed where other programs read them.
            let at = draft.context.now.0.saturating_add(delay).min(i64::MAX as u64);
            let at = Time(at).max(not_before.unwrap_or_default());
            let (task, attempt) = (state.task, state.attempt.saturating_add(1));
            draft.follow(failed, CaseEvent::WorkRetryScheduled { item: id, task, attempt, at, seed });
            Handled::Waits
        }
        Err(reason) => give_up(draft, policies, &state, (code, message), reason, failed),
    }
}

struct Planned {
    delay: u64,
    seed: u64,
}

/// When the next attempt begins; with the reason, that there is none.
fn plan(draft: &Draft<'_>, policies: &Policies, state: &WorkItemState, code: &str) -> Result<Planned, &'static str> {
    let made = attempts_of(draft, state);
    let has_died = policies.lease_ns.is_some() && DIED.contains(&code);
    let Some(retry) = policies.retry.as_ref().filter(|retry| retry.takes(code)) else {
        // Who died is replaced at once, as nobody knows anything against the work.
        let most = policies.retry.as_ref().map_or(LEASE_ATTEMPTS_MAX, |retry| retry.attempts);
        return match has_died {
            true if made < most => Ok(Planned { delay: 0, seed: 0 }),
            true => Err("attempts"),
            false if policies.retry.is_some() => Err("code"),
            false => Err("no-retry"),
        };
    };
    if made >= retry.attempts {
        return Err("attempts");
    }
    let used = draft.control.attempts().map_or(0, |attempts| attempts.retries_of(state.task));
    if retry.budget.is_some_and(|budget| used >= budget) {
        return Err("budget");
    }
    let delay = retry.delay_before(made);
    if !retry.jitter {
        return Ok(Planned { delay, seed: 0 });
    }
    let seed = draft.context.seed;
    Ok(Planned { delay: jittered(delay, seed ^ u64::from(state.id.0)), seed })
}

/// From three to five quarters of a delay, by chance.
fn jittered(delay: u64, seed: u64) -> u64 {
    let width = u128::from(delay / 2) + 1;
    (delay - delay / 4).saturating_add(((u128::from(mix(seed)) * width) >> 64) as u64)
}

/// Attempts since the item was new, or was last given out anew.
fn attempts_of(draft: &Draft<'_>, state: &WorkItemState) -> u32 {
    let since = draft.control.attempts().map_or(0, |attempts| attempts.of(state.id).since);
    state.attempt.saturating_sub(since)
}

fn give_up(
    draft: &mut Draft<'_>,
    policies: &Policies,
    state: &WorkItemState,
    error: (&str, &str),
    reason: &str,
    cause: usize,
) -> Handled {
    match recover(draft, &policies.on_error, state, error, cause) {
        Ok(Some(last)) => Handled::Moved(last),
        Ok(None) => Handled::Nothing(Some(reason.to_owned())),
        Err(why) => Handled::Nothing(Some(format!("{reason}; {why}"))),
    }
}

/// An item that nobody does anything about any more waits for somebody.
pub(crate) fn bury(draft: &mut Draft<'_>, id: ItemId, reason: String, cause: usize) {
    let Some(state) = draft.control.item(id) else { return };
    if state.phase == Phase::Failed {
        let (task, attempts) = (state.task, attempts_of(draft, state));
        draft.follow(cause, CaseEvent::WorkDeadLettered { item: id, task, attempts, reason });
    }
}

/// Ends an item as its net says about errors; nothing if it says that it waits. With the reason, that this is not possible.
/// Returns the index of the newest event.
pub(crate) fn recover(
    draft: &mut Draft<'_>,
    on_error: &OnError,
    state: &WorkItemState,
    (code, message): (&str, &str),
    cause: usize,
) -> Result<Option<usize>, String> {
    let (frame, task) = (state.frame, state.task);
    let definition = &draft.net.tasks[task.index()];
    let (result, outcome) = match on_error {
        OnError::Ignore if state.instance.is_some() => (None, Outcome::default()),
        OnError::Ignore => {
            let produced = finish::choose(draft, frame, task, &[], None).map_err(|(_, message)| message)?;
            (None, Outcome { changes: Vec::new(), produced })
        }
        OnError::Flow { to, error } => {
            let error =
                error.map(|variable| Change { variable, value: description(code, message, attempts_of(draft, state)) });
            let changes = error.into_iter().collect();
            (None, Outcome { changes, produced: through(definition, *to) })
        }
        OnError::Result(template) => {
            let givens = givens_of(draft, state.id);
            let result = template
                .render(&draft.scope(frame, &[], None, &givens))
                .map_err(|error| format!("the result that its policies give instead cannot be computed: {error}"))?;
            let outcome = if state.instance.is_some() {
                Outcome::default()
            } else {
                finish::outcome(draft, frame, task, Some(&result), &[]).map_err(|(_, message)| message)?
            };
            (Some(result), outcome)
        }
        _ => return Ok(None),
    };
    Ok(Some(end(draft, state, result, outcome, cause)))
}

/// The tokens of one flow, and the mutexes that are given back.
fn through(task: &Task, to: ConditionIx) -> Vec<ConditionIx> {
    let tokens = task.outputs.iter().find(|flow| flow.to == to).map_or(1, |flow| flow.tokens);
    std::iter::repeat_n(to, tokens as usize).chain(task.releases.iter().copied()).collect()
}

fn description(code: &str, message: &str, attempts: u32) -> Value {
    Value::Map(BTreeMap::from([
        ("code".to_owned(), Value::String(code.to_owned())),
        ("message".to_owned(), Value::String(message.to_owned())),
        ("attempts".to_owned(), Value::Int(i64::from(attempts))),
    ]))
}

/// Ends an item that holds its tokens: with a result as done, without one as passed over.
fn end(
    draft: &mut Draft<'_>,
    state: &WorkItemState,
    result: Option<Value>,
    Outcome { changes, produced }: Outcome,
    cause: usize,
) -> usize {
    let (item, task) = (state.id, state.task);
    let cancelled = finish::region_left(draft, state);
    let event = match result {
        Some(result) => CaseEvent::WorkCompleted { item, task, result, changes, produced },
        None => CaseEvent::WorkSkipped { item, task, consumed: Vec::new(), changes, produced },
    };
    let ended = draft.follow(cause, event);
    if let Some(cancelled) = cancelled {
        cancel::cancel(draft, cancelled, ended);
    }
    state.family().map_or(ended, |family| finish::pass_if_due(draft, family, true, ended))
}

/// Sets the deadline of all attempts of work that was just started for the first time.
pub(crate) fn set_deadline(draft: &mut Draft<'_>, id: ItemId, task: TaskIx, started: usize) {
    let Some(state) = draft.control.item(id) else { return };
    let Some(deadline) = of_item(draft, state).and_then(|policies| policies.deadline_ns) else { return };
    let until = Time(draft.context.now.0.saturating_add(deadline).min(i64::MAX as u64));
    draft.follow(started, CaseEvent::WorkWaiting { item: id, task, until });
}

/// The time of all attempts is over. Returns the index of the newest event; nothing if the task has no such deadline.
pub(crate) fn deadline_passed(draft: &mut Draft<'_>, state: &WorkItemState, cause: usize) -> Option<usize> {
    let policies = of_item(draft, state).filter(|policies| policies.deadline_ns.is_some())?;
    let message = "it was not done in the time that all attempts have together";
    let failed = match state.typed() {
        AnyWorkItem::Started(item) => draft.follow(cause, item.fail(DEADLINE, message).1),
        // Between two attempts.
        AnyWorkItem::Failed(_) if draft.control.retry_at(state.id).is_some() => cause,
        _ => return Some(cause),
    };
    let state = draft.control.item(state.id).cloned()?;
    let handled = give_up(draft, policies, &state, (DEADLINE, message), "deadline", failed);
    Some(crate::exception::unless_handled(draft, state.id, (DEADLINE, message), handled, failed).unwrap_or(failed))
}

/// Begins the next attempt of an item whose time for it came. Returns the index of the newest event; nothing if it is not time.
pub(crate) fn retry_if_due(
    draft: &mut Draft<'_>,
    id: ItemId,
    actor: actum_model::ActorId,
    cause: Cause,
) -> Option<usize> {
    let due = draft.control.retry_at(id).filter(|at| *at <= draft.context.now)?;
    let AnyWorkItem::Failed(item) = draft.control.item(id)?.typed() else { return None };
    debug_assert!(due <= draft.context.now);
    Some(draft.push(actor, cause, item.retry().1))
}
