//! Finishing: what a task gives when its work is done, and when several instances or a subnet are.

use actum_model::{
    Activation, ActorId, AnyWorkItem, CaseEvent, Change, ConditionIx, FrameId, ItemId, TaskIx, Value, WorkItem,
    WorkItemState, phase,
};
use actum_net::{Given, InstanceRest, Join, Rest, Task};

use crate::{
    cancel::{self, Cancelled, Why},
    compensate,
    data::map_output,
    draft::{Cause, Draft},
    exception, split,
};

/// What is to be cancelled as an item is passed over: not what was cancelled as it fired, nor anything for an instance.
pub(crate) fn region_left(draft: &Draft<'_>, item: &WorkItemState) -> Option<Cancelled> {
    let has_cancelled = item.holds_tokens() && cancels_at_start(&draft.net.tasks[item.task.index()]);
    if has_cancelled || item.instance.is_some() {
        return None;
    }
    cancel::region(draft, item.frame, item.task, item.id)
}

/// What a completion does.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) changes: Vec<Change>,
    pub(crate) produced: Vec<ConditionIx>,
}

/// The cancellation set is cancelled as the task fires, and not as it completes.
pub(crate) fn cancels_at_start(task: &Task) -> bool {
    matches!(task.join, Join::Partial { rest: Rest::Cancel, .. })
}

/// What the completion of an item would do; an instance alone does nothing. With a stable code, why that is not known.
pub(crate) fn outcome(
    draft: &Draft<'_>,
    frame: FrameId,
    task: TaskIx,
    result: Option<&Value>,
    givens: &[(Given, Value)],
) -> Result<Outcome, (&'static str, String)> {
    let definition = &draft.net.tasks[task.index()];
    let changes = map_output(draft.net, definition, &draft.scope(frame, &[], result, givens))
        .map_err(|rejection| (rejection.code, rejection.message))?;
    let produced = choose(draft, frame, task, &changes, result)?;
    Ok(Outcome { changes, produced })
}

/// The branches that a completion takes.
pub(crate) fn choose(
    draft: &Draft<'_>,
    frame: FrameId,
    task: TaskIx,
    changes: &[Change],
    result: Option<&Value>,
) -> Result<Vec<ConditionIx>, (&'static str, String)> {
    split::choose(draft.net, task, &draft.scope(frame, changes, result, &[]), draft.context.oracle).map_err(|error| {
        let name = &draft.net.tasks[task.index()].name;
        ("work/guard", format!("a guard of {name} cannot be evaluated: {error}"))
    })
}

/// Completes what nobody outside does. If its data is at fault, it fails. Returns the index of the newest event.
pub(crate) fn by_engine(draft: &mut Draft<'_>, item: WorkItem<phase::Started>, result: Value, cause: usize) -> usize {
    let Some(state) = draft.control.item(item.id()) else { return cause };
    let (frame, is_instance) = (state.frame, state.instance.is_some());
    // Routing has no result that an expression could see.
    let seen = (result != Value::Null).then_some(&result);
    let found = if is_instance { Ok(Outcome::default()) } else { outcome(draft, frame, item.task(), seen, &[]) };
    match found {
        Ok(outcome) => complete(draft, item, result, outcome, ActorId::ENGINE, Cause::Staged(cause)),
        Err((code, message)) => exception::fail(draft, item, code, &message, cause),
    }
}

/// Completes an item. Returns the index of the newest event.
pub(crate) fn complete(
    draft: &mut Draft<'_>,
    item: WorkItem<phase::Started>,
    result: Value,
    outcome: Outcome,
    actor: ActorId,
    cause: Cause,
) -> usize {
    let (id, task) = (item.id(), item.task());
    let net = draft.net;
    let definition = &net.tasks[task.index()];
    let Some(state) = draft.control.item(id) else { return draft.newest() };
    let (state, frame, family) = (state.clone(), state.frame, state.family());
    if !definition.exceptions.is_empty() && !exception::test(draft, id, &outcome.changes, cause) {
        return draft.newest();
    }
    let cancelled =
        if family.is_some() || cancels_at_start(definition) { None } else { cancel::region(draft, frame, task, id) };
    let undoable = (definition.compensation.is_some() || definition.savepoint.is_some()).then(|| state.clone());
    let ended = draft.push(actor, cause, item.complete(result, outcome.changes, outcome.produced).1);
    if let Some(cancelled) = cancelled {
        cancel::cancel(draft, cancelled, ended);
    }
    if let Some(state) = undoable {
        compensate::completed(draft, &state, ended);
    }
    family.map_or(ended, |family| pass_if_due(draft, family, true, ended))
}

/// After something became of a firing's instances: the task goes on if it is time, and ends if all are done.
pub(crate) fn pass_if_due(draft: &mut Draft<'_>, family: ItemId, completed: bool, cause: usize) -> usize {
    let Some(state) = draft.control.item(family) else { return cause };
    let AnyWorkItem::Started(item) = state.typed() else { return cause };
    let (frame, task) = (state.frame, state.task);
    let none = Activation { item: family, created: 0, active: 0, completed: 0, passed: false };
    let activation = draft.control.activation(family).cloned().unwrap_or(none);
    if activation.passed {
        if activation.active > 0 {
            return cause;
        }
        let state = state.clone();
        let ended = draft.follow(cause, item.complete(Value::Null, Vec::new(), Vec::new()).1);
        compensate::completed(draft, &state, ended);
        return ended;
    }
    match is_due(draft, frame, task, &activation, completed) {
        Ok(true) => pass(draft, item, frame, cause),
        Ok(false) => cause,
        Err(message) => exception::fail(draft, item, "work/guard", &message, cause),
    }
}

fn is_due(
    draft: &Draft<'_>,
    frame: FrameId,
    task: TaskIx,
    activation: &Activation,
    completed: bool,
) -> Result<bool, String> {
    let definition = &draft.net.tasks[task.index()];
    let Some(instances) = &definition.instances else { return Ok(activation.active == 0) };
    if activation.active == 0 || instances.threshold.is_some_and(|threshold| activation.completed >= threshold) {
        return Ok(true);
    }
    let Some(until) = instances.until.as_ref().filter(|_| completed) else { return Ok(false) };
    if let Some(answer) = draft.context.oracle.and_then(|oracle| oracle.until(task)) {
        return Ok(answer);
    }
    let givens = [
        (Given::Completed, Value::Int(i64::from(activation.completed))),
        (Given::Active, Value::Int(i64::from(activation.active))),
        (Given::Results, Value::List(draft.results_of(activation.item))),
    ];
    let answer = until.eval(&draft.scope(frame, &[], None, &givens));
    answer.map_err(|error| format!("`until` of {} cannot be evaluated: {error}", definition.name))
}

/// The task goes on: what is left of its instances runs on or is stopped.
fn pass(draft: &mut Draft<'_>, item: WorkItem<phase::Started>, frame: FrameId, cause: usize) -> usize {
    let (id, task) = (item.id(), item.task());
    let net = draft.net;
    let definition = &net.tasks[task.index()];
    let cancels_rest = definition.instances.as_ref().is_some_and(|instances| instances.rest == InstanceRest::Cancel);
    if cancels_rest {
        cancel::stop_inside(draft, id, Why::follows(cause));
    }
    let results = Value::List(draft.results_of(id));
    let givens = [(Given::Results, results.clone())];
    let outcome = match outcome(draft, frame, task, Some(&results), &givens) {
        Ok(outcome) => outcome,
        Err((code, message)) => return exception::fail(draft, item, code, &message, cause),
    };
    if draft.control.activation(id).is_none_or(|activation| activation.active == 0) {
        return complete(draft, item, results, outcome, ActorId::ENGINE, Cause::Staged(cause));
    }
    let cancelled = if cancels_at_start(definition) { None } else { cancel::region(draft, frame, task, id) };
    let passed = draft.follow(cause, item.pass(results, outcome.changes, outcome.produced).1);
    if let Some(cancelled) = cancelled {
        cancel::cancel(draft, cancelled, passed);
    }
    passed
}

/// Completes a firing now, whatever its instances are at: those not done are stopped.
pub(crate) fn force(draft: &mut Draft<'_>, family: ItemId, why: Why) -> usize {
    cancel::stop_inside(draft, family, why);
    let last = draft.newest();
    pass_if_due(draft, family, false, last)
}

/// A firing that goes on after a rest: its instances may be done, or the subnet of one of them or of its own at its end.
pub(crate) fn go_on(draft: &mut Draft<'_>, item: ItemId, cause: usize) -> usize {
    if draft.control.activation(item).is_some() { pass_if_due(draft, item, true, cause) } else { cause }
}

/// A subnet is over: its composite item completes with its variables.
pub(crate) fn end_frame(draft: &mut Draft<'_>, frame: FrameId, cause: usize) -> usize {
    let net = draft.net;
    let Some(state) = draft.control.frame(frame).cloned() else { return cause };
    let Some(AnyWorkItem::Started(item)) = draft.control.item(state.item).map(WorkItemState::typed) else {
        return cause;
    };
    cancel::discard_items(draft, frame, Why::follows(cause));
    let variables = net.subnets[state.subnet.index()].variables.clone();
    let scope = draft.scope(frame, &[], None, &[]);
    let value = |index: u32| {
        let value = actum_net::Scope::variable(&scope, actum_model::VariableIx(index)).cloned();
        (net.variables[index as usize].name.clone(), value.unwrap_or(Value::Null))
    };
    let result = Value::Map(variables.map(value).collect());
    let ended = draft.follow(cause, CaseEvent::SubnetEnded { frame, item: state.item, completed: true });
    by_engine(draft, item, result, ended)
}
