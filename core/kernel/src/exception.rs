//! Exceptions: what went other than planned, and what the net says is done about it.

use actum_model::{
    ActorId, AnyWorkItem, CaseEvent, Change, ConditionIx, ExceptionKind, FrameId, ItemId, Time, WorkItem,
    WorkItemState, phase,
};
use actum_net::{Answer, AnswerScope, ExceptionRule, ExceptionTrigger, Net, TaskIx, Work};

use crate::{
    RESTARTS_MAX,
    cancel::{self, Why},
    compensate, decide,
    draft::{Cause, Draft},
    finish::{self, Outcome},
    fire, join,
    policy::{self, Handled},
    resource,
    settle::finish as end_case,
};

/// Fails an item, and does what the net says about that. Returns the index of the newest event.
pub(crate) fn fail(
    draft: &mut Draft<'_>,
    item: WorkItem<phase::Started>,
    code: &str,
    message: &str,
    cause: usize,
) -> usize {
    let id = item.id();
    let failed = draft.follow(cause, item.fail(code, message).1);
    after_failure(draft, id, code, message, failed)
}

/// Does what the net says about an item that has failed. Returns the index of the newest event.
pub(crate) fn after_failure(draft: &mut Draft<'_>, id: ItemId, code: &str, message: &str, failed: usize) -> usize {
    answered(draft, id, code, message, failed).unwrap_or(failed)
}

/// The same; nothing if the net says nothing.
pub(crate) fn answered(draft: &mut Draft<'_>, id: ItemId, code: &str, message: &str, failed: usize) -> Option<usize> {
    answered_not_before(draft, id, (code, message), None, failed)
}

/// The same; a retry does not come before `not_before`.
pub(crate) fn answered_not_before(
    draft: &mut Draft<'_>,
    id: ItemId,
    error: (&str, &str),
    not_before: Option<Time>,
    failed: usize,
) -> Option<usize> {
    let handled = policy::after_failure(draft, id, error, not_before, failed);
    unless_handled(draft, id, error, handled, failed)
}

/// What rules say about a failure that policies did nothing about.
pub(crate) fn unless_handled(
    draft: &mut Draft<'_>,
    id: ItemId,
    error: (&str, &str),
    handled: Handled,
    failed: usize,
) -> Option<usize> {
    let reason = match handled {
        Handled::Moved(last) => return Some(last),
        Handled::Waits => return None,
        Handled::Nothing(reason) => reason,
    };
    let raised = raise(draft, Some(id), ExceptionKind::Abort, error, ActorId::ENGINE, Cause::Staged(failed));
    if let (None, Some(reason)) = (raised, reason) {
        policy::bury(draft, id, reason, failed);
    }
    raised
}

/// Puts an exception on record that nothing is done about.
pub(crate) fn record_unanswered(draft: &mut Draft<'_>, id: ItemId, name: &str, message: &str, cause: usize) -> usize {
    let event = CaseEvent::ExceptionRaised {
        item: Some(id),
        kind: ExceptionKind::Violation,
        name: name.to_owned(),
        message: message.to_owned(),
        answer: Answer::Continue.to_words(draft.net, AnswerScope::Item),
    };
    draft.follow(cause, event)
}

/// Raises an exception about an item or the case, if the net has a rule for it, and does what the rule says. Of an item's
/// exception that its task has no rule for, the net's rules see about. Returns the index of the newest event.
pub(crate) fn raise(
    draft: &mut Draft<'_>,
    item: Option<ItemId>,
    kind: ExceptionKind,
    (name, message): (&str, &str),
    actor: ActorId,
    cause: Cause,
) -> Option<usize> {
    let rule = rule_for(draft, item, kind, name)?;
    let (mut answer, scope) = (rule.answer, rule.scope);
    let restarts = || {
        let item = item.and_then(|item| draft.control.item(item));
        item.map_or(0, |item| draft.control.restarts_of(item.frame, item.task))
    };
    // What fails again and again is not to fill the log: it stays failed, for somebody to look at.
    if (answer, kind) == (Answer::Restart, ExceptionKind::Abort) && draft.semantics() >= 2 && restarts() >= RESTARTS_MAX
    {
        answer = Answer::Continue;
    }
    Some(respond(draft, item, kind, (name, message), answer, scope, actor, cause))
}

fn rule_for<'a>(draft: &Draft<'a>, item: Option<ItemId>, kind: ExceptionKind, name: &str) -> Option<&'a ExceptionRule> {
    let net: &'a Net = draft.net;
    let own =
        item.and_then(|item| draft.control.item(item)).map_or(&[][..], |item| &net.tasks[item.task.index()].exceptions);
    let fits = |rule: &&ExceptionRule| match (&rule.trigger, kind) {
        (ExceptionTrigger::Abort, ExceptionKind::Abort)
        | (ExceptionTrigger::Timeout { .. }, ExceptionKind::Timeout)
        | (ExceptionTrigger::Unavailable, ExceptionKind::Unavailable)
        | (ExceptionTrigger::Violation { .. }, ExceptionKind::Violation) => true,
        (ExceptionTrigger::External { name: known }, ExceptionKind::External) => known == name,
        _ => false,
    };
    own.iter().find(fits).or_else(|| net.subnets[0].exceptions.iter().find(fits))
}

/// Tests an item's rule about data. False if the item is not what it was any more.
pub(crate) fn test(draft: &mut Draft<'_>, id: ItemId, more: &[Change], cause: Cause) -> bool {
    let net = draft.net;
    let Some(item) = draft.control.item(id) else { return false };
    let (frame, phase, task) = (item.frame, item.phase, item.task);
    let rule = net.tasks[task.index()].exceptions.iter().find_map(|rule| match &rule.trigger {
        ExceptionTrigger::Violation { when } => Some((rule, when)),
        _ => None,
    });
    let Some((rule, when)) = rule else { return true };
    let message = match when.eval(&draft.scope(frame, more, None, &[])) {
        Ok(false) => return true,
        Ok(true) => format!("`{}` holds", when.source()),
        Err(error) => format!("the rule cannot be evaluated: {error}"),
    };
    // What completes anyway goes the way of all completions.
    let answer = if rule.answer == Answer::Complete && !more.is_empty() { Answer::Continue } else { rule.answer };
    respond(draft, Some(id), ExceptionKind::Violation, ("", &message), answer, rule.scope, ActorId::ENGINE, cause);
    draft.control.item(id).is_some_and(|item| item.phase == phase)
}

/// Tests the net's rule about data.
pub(crate) fn test_case(draft: &mut Draft<'_>, cause: usize) -> Option<usize> {
    let net = draft.net;
    let (rule, when) = net.subnets[0].exceptions.iter().find_map(|rule| match &rule.trigger {
        ExceptionTrigger::Violation { when } => Some((rule, when)),
        _ => None,
    })?;
    let message = match when.eval(&draft.scope(FrameId::ROOT, &[], None, &[])) {
        Ok(false) => return None,
        Ok(true) => format!("`{}` holds", when.source()),
        Err(error) => format!("the rule cannot be evaluated: {error}"),
    };
    let kind = ExceptionKind::Violation;
    Some(respond(draft, None, kind, ("", &message), rule.answer, rule.scope, ActorId::ENGINE, Cause::Staged(cause)))
}

#[expect(clippy::too_many_arguments, reason = "one for each thing on the record")]
fn respond(
    draft: &mut Draft<'_>,
    item: Option<ItemId>,
    kind: ExceptionKind,
    (name, message): (&str, &str),
    answer: Answer,
    scope: AnswerScope,
    actor: ActorId,
    cause: Cause,
) -> usize {
    let words = answer.to_words(draft.net, scope);
    let (name, message) = (name.to_owned(), message.to_owned());
    let raised = draft.push(
        actor,
        cause,
        CaseEvent::ExceptionRaised { item, kind, name, message: message.clone(), answer: words },
    );
    match item.filter(|_| scope == AnswerScope::Item) {
        Some(item) => answer_item(draft, item, answer, &message, raised),
        None => answer_case(draft, answer, message, raised),
    }
}

fn answer_item(draft: &mut Draft<'_>, id: ItemId, answer: Answer, message: &str, cause: usize) -> usize {
    let Some(state) = draft.control.item(id).cloned() else { return cause };
    match answer {
        Answer::Suspend => state.typed().suspend().map_or(cause, |event| draft.follow(cause, event)),
        Answer::Remove => remove(draft, id, ActorId::ENGINE, Cause::Staged(cause)),
        Answer::Restart => restart(draft, &state, cause),
        Answer::Complete => complete(draft, &state, cause),
        Answer::Fail => give_up(draft, &state, message, cause),
        Answer::Escalate => decide::escalate(draft, &state, message, cause),
        Answer::Signal(task) => signal(draft, task, message, cause),
        Answer::Undo => compensate::branch(draft, id, Cause::Staged(cause)),
        Answer::GoBack(task) => go_back(draft, task, cause),
        Answer::Compensate(task) => {
            let removed = remove(draft, id, ActorId::ENGINE, Cause::Staged(cause));
            fire::compensate(draft, state.frame, task, removed)
        }
        _ => cause,
    }
}

fn answer_case(draft: &mut Draft<'_>, answer: Answer, message: String, cause: usize) -> usize {
    match answer {
        Answer::Suspend if !draft.control.suspended => draft.follow(cause, CaseEvent::CaseSuspended),
        Answer::Remove => end_case(draft, cause, CaseEvent::CaseCancelled { reason: message }),
        Answer::Complete => end_case(draft, cause, CaseEvent::CaseCompleted),
        Answer::Fail => end_case(draft, cause, CaseEvent::CaseFailed { code: "case/exception".to_owned(), message }),
        Answer::Signal(task) => signal(draft, task, &message, cause),
        Answer::Undo => compensate::all(draft, Cause::Staged(cause)),
        Answer::GoBack(task) => go_back(draft, task, cause),
        Answer::Compensate(task) => {
            let as_new = draft.semantics() >= 2;
            stop_all(draft, as_new, cause);
            // A mutex is no place that a case goes through: it is free again.
            let stays = |condition: &ConditionIx| as_new && draft.net.conditions[condition.index()].mutex;
            let removed: Vec<_> =
                draft.control.marking.of(FrameId::ROOT).filter(|(condition, _)| !stays(condition)).collect();
            if !removed.is_empty() {
                draft.follow(cause, CaseEvent::TokensCancelled { frame: FrameId::ROOT, task, removed });
            }
            fire::compensate(draft, FrameId::ROOT, task, cause)
        }
        _ => cause,
    }
}

/// Stops all work. `as_new`: mutexes are given back, and partial joins are as new.
fn stop_all(draft: &mut Draft<'_>, as_new: bool, cause: usize) {
    if !as_new {
        cancel::discard_items(draft, FrameId::ROOT, Why::follows(cause));
        return;
    }
    let is_own = |item: &&WorkItemState| item.frame == FrameId::ROOT && item.instance.is_none();
    let items: Vec<ItemId> = draft.control.items.iter().filter(is_own).map(|item| item.id).collect();
    items.into_iter().for_each(|item| cancel::stop(draft, item, Why::follows(cause)));
    let joins: Vec<_> = draft.control.arrivals().iter().map(|one| (one.frame, one.task)).collect();
    for (frame, task) in joins {
        draft.follow(cause, CaseEvent::JoinAdvanced { frame, task, absorbed: Vec::new(), arrived: Vec::new() });
    }
}

/// Goes back to a task's savepoint; a case that has not come to it stays as it is.
fn go_back(draft: &mut Draft<'_>, task: TaskIx, cause: usize) -> usize {
    let name = draft.net.tasks[task.index()].savepoint.clone().unwrap_or_default();
    compensate::back_to(draft, &name, Cause::Staged(cause)).unwrap_or(cause)
}

/// Sends the case the signal that a task waits for.
fn signal(draft: &mut Draft<'_>, task: TaskIx, message: &str, cause: usize) -> usize {
    let Some(trigger) = &draft.net.tasks[task.index()].trigger else { return cause };
    let data = actum_model::Value::String(message.to_owned());
    // With too many kept already, it is lost as others are.
    decide::signalled(draft, &trigger.signal, &data, ActorId::ENGINE, Cause::Staged(cause)).unwrap_or(cause)
}

/// Gives an item up that is not begun.
pub(crate) fn give_up_on(draft: &mut Draft<'_>, id: ItemId, message: &str, cause: usize) -> usize {
    let Some(state) = draft.control.item(id).cloned() else { return cause };
    give_up(draft, &state, message, cause)
}

/// Takes an item away with the tokens that it took or would take; it gives none. One that undoes another is passed over: what
/// it was to undo counts as undone, by whoever says so.
pub(crate) fn remove(draft: &mut Draft<'_>, id: ItemId, actor: ActorId, cause: Cause) -> usize {
    let Some(state) = draft.control.item(id).cloned() else { return draft.newest() };
    let undoes = draft.control.saga().is_some_and(|saga| saga.undone_by(id).is_some());
    let event = if undoes {
        let (consumed, changes, produced) = (Vec::new(), Vec::new(), Vec::new());
        CaseEvent::WorkSkipped { item: id, task: state.task, consumed, changes, produced }
    } else if state.instance.is_some() {
        state.typed().cancel(Vec::new())
    } else if state.holds_tokens() {
        state.typed().cancel(cancel::mutexes_of(draft.net, &state))
    } else {
        state.typed().discard()
    };
    let tokens = if state.holds_tokens() || undoes { None } else { tokens_of(draft, &state) };
    cancel::stop_inside(draft, id, Why { actor, cause });
    let removed = draft.push(actor, cause, event);
    if let Some(tokens) = tokens.filter(|_| state.instance.is_none()) {
        let holds = &draft.net.tasks[state.task.index()].holds;
        let mut counts: Vec<(ConditionIx, u32)> = Vec::new();
        for condition in tokens.into_iter().filter(|condition| !holds.contains(condition)) {
            match counts.last_mut() {
                Some((last, count)) if *last == condition => *count += 1,
                _ => counts.push((condition, 1)),
            }
        }
        draft.follow(removed, CaseEvent::TokensCancelled { frame: state.frame, task: state.task, removed: counts });
    }
    state.family().map_or(removed, |family| finish::pass_if_due(draft, family, false, removed))
}

fn tokens_of(draft: &Draft<'_>, state: &WorkItemState) -> Option<Vec<ConditionIx>> {
    join::take(draft.net, &draft.control, state.frame, state.task, draft.context.or_joins).ok().flatten()
}

/// The firing gave its tokens already, and must not give them twice: it can only end.
fn has_passed(draft: &Draft<'_>, id: ItemId) -> bool {
    draft.control.activation(id).is_some_and(|activation| activation.passed)
}

/// Begins an item anew: its tokens are given back, and its task is enabled again.
fn restart(draft: &mut Draft<'_>, state: &WorkItemState, cause: usize) -> usize {
    // What compensates has no tokens either.
    let compensates = draft.net.tasks[state.task.index()].compensates && draft.semantics() >= 2;
    if state.instance.is_some() || (compensates && state.holds_tokens()) {
        return restart_instance(draft, state, cause);
    }
    if has_passed(draft, state.id) {
        return complete(draft, state, cause);
    }
    if !state.holds_tokens() {
        return match state.typed() {
            AnyWorkItem::Allocated(item) => {
                let back = draft.follow(cause, item.put_back().1);
                resource::hand_out(draft, state.id, back, None)
            }
            // It begins anew with another offer and another timer.
            AnyWorkItem::Enabled(_) | AnyWorkItem::Offered(_) if !compensates && draft.semantics() >= 2 => {
                draft.touch_task(state.frame, state.task);
                draft.follow(cause, state.typed().discard())
            }
            _ => cause,
        };
    }
    cancel::stop_inside(draft, state.id, Why::follows(cause));
    let last = draft.follow(cause, state.typed().cancel(state.consumed.to_vec()));
    if draft.control.arrived(state.frame, state.task).is_empty() {
        return last;
    }
    let (frame, task) = (state.frame, state.task);
    draft.follow(cause, CaseEvent::JoinAdvanced { frame, task, absorbed: Vec::new(), arrived: Vec::new() })
}

/// An instance has no tokens to give back: it goes through its phases again as it is.
fn restart_instance(draft: &mut Draft<'_>, state: &WorkItemState, cause: usize) -> usize {
    cancel::stop_inside(draft, state.id, Why::follows(cause));
    let (item, last) = match state.typed() {
        AnyWorkItem::Started(item) => {
            let (item, event) = item.restart();
            (item, draft.follow(cause, event))
        }
        AnyWorkItem::Failed(item) => {
            let (item, event) = item.retry();
            (item, draft.follow(cause, event))
        }
        _ => return cause,
    };
    if matches!(draft.net.tasks[state.task.index()].work, Work::Manual { .. }) {
        let back = draft.follow(last, item.put_back().1);
        return resource::hand_out(draft, state.id, back, None);
    }
    fire::run(draft, item, state.frame, last)
}

/// Ends an item as if it had been done, with the result null.
fn complete(draft: &mut Draft<'_>, state: &WorkItemState, cause: usize) -> usize {
    let has_passed = has_passed(draft, state.id);
    cancel::stop_inside(draft, state.id, Why::follows(cause));
    let found = if state.instance.is_some() || has_passed {
        Ok(Outcome::default())
    } else {
        finish::outcome(draft, state.frame, state.task, Some(&actum_model::Value::Null), &[])
    };
    let outcome = match found {
        Ok(outcome) => outcome,
        Err((code, message)) => return record_unanswered(draft, state.id, code, &message, cause),
    };
    let consumed = if state.holds_tokens() || state.instance.is_some() {
        Vec::new()
    } else {
        match tokens_of(draft, state) {
            Some(tokens) => tokens,
            None => return cause,
        }
    };
    let cancelled = if has_passed { None } else { finish::region_left(draft, state) };
    let fired = join::partial::fired(draft.net, state.frame, state.task, &consumed).filter(|_| !consumed.is_empty());
    let Outcome { changes, produced } = outcome;
    let event = CaseEvent::WorkSkipped { item: state.id, task: state.task, consumed, changes, produced };
    let ended = draft.follow(cause, event);
    if let Some(fired) = fired {
        draft.follow(ended, fired);
    }
    if let Some(cancelled) = cancelled {
        cancel::cancel(draft, cancelled, ended);
    }
    state.family().map_or(ended, |family| finish::pass_if_due(draft, family, true, ended))
}

fn give_up(draft: &mut Draft<'_>, state: &WorkItemState, message: &str, cause: usize) -> usize {
    match state.typed() {
        AnyWorkItem::Started(item) => draft.follow(cause, item.fail("work/exception", message).1),
        AnyWorkItem::Enabled(_) | AnyWorkItem::Offered(_) | AnyWorkItem::Allocated(_) => {
            let tokens = match tokens_of(draft, state) {
                Some(tokens) if !state.holds_tokens() && state.instance.is_none() => tokens,
                _ => Vec::new(),
            };
            // Whoever was asked or had it, it is the engine's now.
            let item = WorkItem::enabled(state.id, state.task).allocate_to_engine();
            let (item, event) = item.start(tokens);
            let started = draft.follow(cause, event);
            draft.follow(started, item.fail("work/exception", message).1)
        }
        _ => cause,
    }
}

trait Words {
    fn to_words(self, net: &Net, scope: AnswerScope) -> String;
}

impl Words for Answer {
    /// The answer as events have it: `remove`, `compensate undo`, with `case: ` before it when it is the whole case.
    fn to_words(self, net: &Net, scope: AnswerScope) -> String {
        let word = match self {
            Answer::Continue => "continue",
            Answer::Suspend => "suspend",
            Answer::Remove => "remove",
            Answer::Restart => "restart",
            Answer::Complete => "complete",
            Answer::Fail => "fail",
            Answer::Compensate(_) | Answer::Undo => "compensate",
            Answer::Escalate => "escalate",
            Answer::Signal(_) => "signal",
            Answer::GoBack(_) => "rollback",
            _ => "unknown",
        };
        let task = match self {
            Answer::Compensate(task) => format!(" {}", label(net, task)),
            Answer::Signal(task) => net.tasks[task.index()]
                .trigger
                .as_ref()
                .map_or_else(String::new, |trigger| format!(" {}", trigger.signal)),
            Answer::GoBack(task) => {
                net.tasks[task.index()].savepoint.as_ref().map_or_else(String::new, |name| format!(" {name}"))
            }
            _ => String::new(),
        };
        format!("{}{word}{task}", if scope == AnswerScope::Case { "case: " } else { "" })
    }
}

fn label(net: &Net, task: TaskIx) -> String {
    net.task_label(task)
}

/// Nobody can do an item. Returns the index of the newest event.
pub(crate) fn unavailable(draft: &mut Draft<'_>, id: ItemId, cause: usize) -> usize {
    let message = "nobody comes into question";
    raise(draft, Some(id), ExceptionKind::Unavailable, ("", message), ActorId::ENGINE, Cause::Staged(cause))
        .unwrap_or(cause)
}
