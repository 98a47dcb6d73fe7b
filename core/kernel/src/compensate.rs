//! Undoing: completed work is undone in reverse order of completion, by the tasks that the net names for it, one at a time.
//!
//! What is undone and what is next is the case's state ([`actum_model::Saga`]), a fold of its events; so it goes on after a
//! restart where it was, and nothing is undone twice. The idea is Garcia-Molina and Salem, "Sagas" (1987).

use std::collections::BTreeSet;

use actum_model::{
    CaseEvent, Change, Compensable, ConditionIx, FrameId, Goal, ItemId, TaskIx, Value, WorkItem, WorkItemState,
};
use actum_net::Net;

use crate::{
    COMPENSABLE_MAX,
    cancel::{self, Why},
    draft::{Cause, Draft},
    exception, fire,
    settle::finish as end_case,
};

/// Why a case was cancelled that was undone as a whole.
pub(crate) const COMPENSATED: &str = "compensated";

/// Notes that an item completed whose work can be undone, and takes a savepoint where the net has one.
pub(crate) fn completed(draft: &mut Draft<'_>, state: &WorkItemState, cause: usize) {
    let definition = &draft.net.tasks[state.task.index()];
    if state.instance.is_some() || (definition.compensation.is_none() && definition.savepoint.is_none()) {
        return;
    }
    let (item, task, frame) = (state.id, state.task, state.frame);
    if let Some(by) = definition.compensation {
        if draft.control.saga().is_some_and(|saga| saga.done.len() >= COMPENSABLE_MAX) {
            let message = format!("no more than {COMPENSABLE_MAX} items can be undone: this one cannot");
            exception::record_unanswered(draft, item, "case/compensation-limit", &message, cause);
        } else {
            draft.follow(cause, CaseEvent::CompensationNoted { item, task, frame, by });
        }
    }
    if let Some(name) = definition.savepoint.clone() {
        let event = savepoint(draft, name);
        draft.follow(cause, event);
    }
}

/// The root as it is now; work that is under way counts as not begun.
fn savepoint(draft: &Draft<'_>, name: String) -> CaseEvent {
    let control = &*draft.control;
    let mut marking: std::collections::BTreeMap<ConditionIx, u32> = control.marking.of(FrameId::ROOT).collect();
    let under_way = control.items.iter().filter(|item| {
        // What passed gave its tokens already; what undoes took none.
        let passed = control.activation(item.id).is_some_and(|activation| activation.passed);
        item.frame == FrameId::ROOT && item.instance.is_none() && !passed
    });
    for condition in under_way.flat_map(|item| &item.consumed) {
        *marking.entry(*condition).or_default() += 1;
    }
    let arrived = control.arrivals().iter().filter(|one| one.frame == FrameId::ROOT);
    CaseEvent::SavepointReached {
        name,
        marked: marking.into_iter().collect(),
        arrived: arrived.map(|one| (one.task, one.inputs.to_vec())).collect(),
        variables: draft.root_variables(),
    }
}

/// Undoes all that was done, then cancels the case. Returns the index of the newest event.
pub(crate) fn all(draft: &mut Draft<'_>, cause: Cause) -> usize {
    begin(draft, Goal::End, cause, |_| true)
}

/// Undoes what was done since a savepoint, then goes back to it. `None` if there is no such savepoint.
pub(crate) fn back_to(draft: &mut Draft<'_>, name: &str, cause: Cause) -> Option<usize> {
    let after = draft.control.saga()?.savepoint(name)?.after;
    Some(begin(draft, Goal::Savepoint(name.to_owned()), cause, |done| done.number >= after))
}

/// Undoes what was done in an item's net on the way to it, and inside of it, then removes it.
pub(crate) fn branch(draft: &mut Draft<'_>, id: ItemId, cause: Cause) -> usize {
    let Some(state) = draft.control.item(id).cloned() else { return draft.newest() };
    let before = ancestors(draft.net, state.task);
    let inside = frames_inside(draft, id);
    let is_due =
        |done: &Compensable| (done.frame == state.frame && before.contains(&done.task)) || inside.contains(&done.frame);
    let items = plan(draft, is_due);
    let why = Why { actor: draft.context.actor, cause };
    inside.iter().for_each(|frame| quiet(draft, *frame, why));
    let event = CaseEvent::CompensationBegun { goal: Goal::Remove(id), items, removed: Vec::new() };
    draft.push(why.actor, cause, event)
}

/// Tasks of the same net from which flows lead to a task; itself if it is on a loop.
fn ancestors(net: &Net, task: TaskIx) -> BTreeSet<TaskIx> {
    let mut found = BTreeSet::new();
    let mut open = vec![task];
    while let Some(task) = open.pop() {
        let inputs = &net.tasks[task.index()].inputs;
        for before in inputs.iter().flat_map(|condition| &net.conditions[condition.index()].producers) {
            if found.insert(*before) {
                open.push(*before);
            }
        }
    }
    found
}

/// Frames that run inside of an item, deepest last.
fn frames_inside(draft: &Draft<'_>, id: ItemId) -> Vec<FrameId> {
    let is_inside = |frame: FrameId| {
        draft
            .control
            .frames_above(frame)
            .any(|above| above.item == id || draft.control.item(above.item).and_then(WorkItemState::family) == Some(id))
    };
    draft.control.frames().iter().map(|frame| frame.id).filter(|frame| is_inside(*frame)).collect()
}

/// What is to be undone, the last that completed first; not what an earlier plan undoes already.
fn plan(draft: &Draft<'_>, is_due: impl Fn(&Compensable) -> bool) -> Vec<ItemId> {
    let Some(saga) = draft.control.saga() else { return Vec::new() };
    let planned = |item: ItemId| {
        let mut plans = saga.undoing.iter();
        plans.any(|undoing| undoing.left.contains(&item) || undoing.running.is_some_and(|(_, of)| of == item))
    };
    saga.done.iter().rev().filter(|done| is_due(done) && !planned(done.item)).map(|done| done.item).collect()
}

/// Stops all, so that nothing but what undoes can happen, and makes the plan.
fn begin(draft: &mut Draft<'_>, goal: Goal, cause: Cause, is_due: impl Fn(&Compensable) -> bool) -> usize {
    let saga = draft.control.saga();
    let items = saga.map_or_else(Vec::new, |saga| {
        saga.done.iter().rev().filter(|done| is_due(done)).map(|done| done.item).collect()
    });
    let why = Why { actor: draft.context.actor, cause };
    quiet(draft, FrameId::ROOT, why);
    let removed = draft.control.marking.of(FrameId::ROOT).collect();
    draft.push(why.actor, cause, CaseEvent::CompensationBegun { goal, items, removed })
}

/// Stops the work of a frame and of those below. Their variables stay, for what undoes their work; their tokens go, but for the
/// root's, which `begin` takes.
fn quiet(draft: &mut Draft<'_>, frame: FrameId, why: Why) {
    let items: Vec<ItemId> =
        draft.control.items.iter().filter(|item| item.frame == frame).map(|item| item.id).collect();
    // Instances before their firings: a firing stays while one of them has a frame.
    for id in items.into_iter().rev() {
        if let Some(inner) = draft.control.frame_of_item(id).map(|frame| frame.id) {
            quiet(draft, inner, why);
        } else if draft.control.instances_of(id).next().is_none() {
            cancel::stop(draft, id, why);
        }
    }
    let Some(item) = draft.control.frame(frame).map(|frame| frame.item) else { return };
    let removed: Vec<(ConditionIx, u32)> = draft.control.marking.of(frame).collect();
    if let Some(task) = draft.control.item(item).map(|item| item.task).filter(|_| !removed.is_empty()) {
        draft.push(why.actor, why.cause, CaseEvent::TokensCancelled { frame, task, removed });
    }
}

/// Whether all but undoing stands still.
pub(crate) fn holds_still(draft: &Draft<'_>) -> bool {
    let active = draft.control.saga().and_then(|saga| saga.active());
    active.is_some_and(|active| matches!(active.goal, Goal::End | Goal::Savepoint(_)))
}

/// Whether a frame waits to be removed, with the item that it is inside of.
pub(crate) fn is_leaving(draft: &Draft<'_>, frame: FrameId) -> bool {
    let Some(saga) = draft.control.saga() else { return false };
    let leaves = |item: ItemId| saga.undoing.iter().any(|undoing| undoing.goal == Goal::Remove(item));
    draft.control.frames_above(frame).any(|above| {
        leaves(above.item) || draft.control.item(above.item).and_then(WorkItemState::family).is_some_and(leaves)
    })
}

/// Does the next step of undoing, if there is one. Returns the index of the newest event.
pub(crate) fn go_on(draft: &mut Draft<'_>, cause: usize) -> Option<usize> {
    let saga = draft.control.saga()?;
    if let Some(next) = saga.next().copied() {
        return Some(undo(draft, next, cause));
    }
    match saga.reached()?.clone() {
        Goal::Remove(item) if draft.control.item(item).is_some() => {
            Some(exception::remove(draft, item, actum_model::ActorId::ENGINE, Cause::Staged(cause)))
        }
        // What it was to remove has gone by itself.
        Goal::Remove(_) | Goal::GoOn => None,
        Goal::End => Some(end_case(draft, cause, CaseEvent::CaseCancelled { reason: COMPENSATED.to_owned() })),
        Goal::Savepoint(name) => Some(restore(draft, &name, cause)),
    }
}

/// Runs the task that undoes an item's work, where that was done.
fn undo(draft: &mut Draft<'_>, done: Compensable, cause: usize) -> usize {
    let item = WorkItem::enabled(draft.control.next_item, done.by);
    let id = item.id();
    let enabled = draft.follow(cause, item.enabling(done.frame, None));
    let begun = draft.follow(enabled, CaseEvent::WorkCompensating { item: id, task: done.by, of: done.item });
    fire::proceed(draft, item, done.frame, Some(Vec::new()), begun)
}

fn restore(draft: &mut Draft<'_>, name: &str, cause: usize) -> usize {
    let Some(savepoint) = draft.control.saga().and_then(|saga| saga.savepoint(name)).cloned() else {
        return end_case(draft, cause, CaseEvent::CaseCancelled { reason: COMPENSATED.to_owned() });
    };
    cancel::discard_items(draft, FrameId::ROOT, Why::follows(cause));
    let now = draft.root_variables();
    let was = |change: &Change| savepoint.variables.iter().any(|other| other.variable == change.variable);
    let unset = now.iter().filter(|change| !was(change) && change.value != Value::Null);
    let unset = unset.map(|change| Change { variable: change.variable, value: Value::Null });
    let changed = savepoint.variables.iter().filter(|change| !now.contains(change)).cloned();
    let mut changes: Vec<Change> = changed.chain(unset).collect();
    changes.sort_by_key(|change| change.variable);
    let marked = savepoint.marked.clone();
    let restored = draft.follow(cause, CaseEvent::SavepointRestored { name: name.to_owned(), marked, changes });
    let joins: Vec<(TaskIx, Vec<ConditionIx>)> = {
        let arrived = draft.control.arrivals().iter().filter(|one| one.frame == FrameId::ROOT);
        let as_new = arrived.map(|one| (one.task, Vec::new()));
        let had = |task: TaskIx| savepoint.arrived.iter().any(|(other, _)| *other == task);
        as_new.filter(|(task, _)| !had(*task)).chain(savepoint.arrived.iter().cloned()).collect()
    };
    for (task, arrived) in joins {
        draft.follow(restored, CaseEvent::JoinAdvanced { frame: FrameId::ROOT, task, absorbed: Vec::new(), arrived });
    }
    draft.touch_all();
    restored
}
