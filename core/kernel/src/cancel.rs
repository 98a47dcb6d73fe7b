//! Stopping: an item with all that it is made of, a cancellation set, a whole case.

use actum_model::{ActorId, CaseEvent, ConditionIx, Control, FrameId, ItemId, TaskIx, WorkItemState};
use actum_net::{Join, Net};
use smallvec::SmallVec;

use crate::{
    draft::{Cause, Draft},
    join,
};

/// Who stops something, and because of what.
#[derive(Clone, Copy)]
pub(crate) struct Why {
    pub(crate) actor: ActorId,
    pub(crate) cause: Cause,
}

impl Why {
    /// The engine, because of an earlier event of the same decision.
    pub(crate) fn follows(cause: usize) -> Self {
        Why { actor: ActorId::ENGINE, cause: Cause::Staged(cause) }
    }
}

/// Stops an item: its instances and its subnet first. Instances count as running from the firing of their task on.
pub(crate) fn stop(draft: &mut Draft<'_>, item: ItemId, why: Why) {
    end(draft, item, why, true);
}

/// Ends an item because all around it ends: mutexes that it holds end too.
fn discard(draft: &mut Draft<'_>, item: ItemId, why: Why) {
    end(draft, item, why, false);
}

fn end(draft: &mut Draft<'_>, item: ItemId, why: Why, goes_on: bool) {
    stop_inside(draft, item, why);
    let Some(state) = draft.control.item(item) else { return };
    let event = if state.instance.is_some() {
        state.typed().cancel(Vec::new())
    } else if goes_on && state.holds_tokens() {
        state.typed().cancel(mutexes_of(draft.net, state))
    } else {
        state.typed().discard()
    };
    draft.push(why.actor, why.cause, event);
}

/// Stops an item's instances and its subnet, but not the item.
pub(crate) fn stop_inside(draft: &mut Draft<'_>, item: ItemId, why: Why) {
    if draft.control.activation(item).is_some() {
        let instances: Vec<ItemId> = draft.control.instances_of(item).map(|instance| instance.id).collect();
        for instance in instances {
            discard(draft, instance, why);
        }
    }
    if let Some(frame) = draft.control.frame_of_item(item).map(|frame| frame.id) {
        discard_items(draft, frame, why);
        draft.push(why.actor, why.cause, CaseEvent::SubnetEnded { frame, item, completed: false });
    }
}

/// Ends all work of a frame.
pub(crate) fn discard_items(draft: &mut Draft<'_>, frame: FrameId, why: Why) {
    let items: SmallVec<[ItemId; 8]> = items_of(&draft.control, frame).collect();
    for item in items {
        discard(draft, item, why);
    }
}

/// Items of a frame that are no instances, ascending.
fn items_of(control: &Control, frame: FrameId) -> impl Iterator<Item = ItemId> {
    control.items.iter().filter(move |item| item.frame == frame && item.instance.is_none()).map(|item| item.id)
}

/// Mutexes that an item took and did not give back yet.
pub(crate) fn mutexes_of(net: &Net, item: &WorkItemState) -> Vec<ConditionIx> {
    let holds = &net.tasks[item.task.index()].holds;
    holds.iter().filter(|mutex| item.consumed.contains(mutex)).copied().collect()
}

/// What a task's cancellation set is at one moment.
pub(crate) struct Cancelled {
    frame: FrameId,
    task: TaskIx,
    items: SmallVec<[ItemId; 4]>,
    removed: Vec<(ConditionIx, u32)>,
}

/// What a task cancels now; not its own item. To be taken before it gives its own tokens.
pub(crate) fn region(draft: &Draft<'_>, frame: FrameId, task: TaskIx, own: ItemId) -> Option<Cancelled> {
    let region = &draft.net.tasks[task.index()].cancels;
    if region.is_empty() {
        return None;
    }
    // What has not begun is its tokens, which are the conditions' and not the task's (YAWL, `t_exit`: a task's removal empties
    // its inner places). Cases from before this was said are decided as they were then.
    let of_task = |item: &&WorkItemState| item.holds_tokens() || draft.semantics() < 3;
    let tasks = region.tasks.iter().filter_map(|task| draft.control.item_in(frame, *task)).filter(of_task);
    let items = tasks.map(|item| item.id).filter(|item| *item != own).collect();
    let tokens = |condition: &ConditionIx| (*condition, draft.control.marking.count(frame, *condition));
    let removed = region.conditions.iter().map(tokens).filter(|(_, count)| *count > 0).collect();
    Some(Cancelled { frame, task, items, removed })
}

/// Cancels what was found before.
pub(crate) fn cancel(draft: &mut Draft<'_>, cancelled: Cancelled, cause: usize) {
    let Cancelled { frame, task, items, removed } = cancelled;
    for item in items {
        stop(draft, item, Why::follows(cause));
    }
    let net = draft.net;
    for join in &net.tasks[task.index()].cancels.tasks {
        if !draft.control.arrived(frame, *join).is_empty() {
            let event = CaseEvent::JoinAdvanced { frame, task: *join, absorbed: Vec::new(), arrived: Vec::new() };
            draft.follow(cause, event);
        }
    }
    if !removed.is_empty() {
        draft.follow(cause, CaseEvent::TokensCancelled { frame, task, removed });
        withdraw(draft, frame, task, cause);
    }
}

/// Withdraws what has not begun of the tasks of a cancellation set, and cannot any more: before anything else happens.
fn withdraw(draft: &mut Draft<'_>, frame: FrameId, task: TaskIx, cause: usize) {
    let net = draft.net;
    for task in &net.tasks[task.index()].cancels.tasks {
        let Some(item) = draft.control.item_in(frame, *task).filter(|item| !item.holds_tokens()) else { continue };
        let event = item.typed().discard();
        // Whether an OR-join can still fire is known only when all else is settled; what compensates has no tokens.
        let waits = net.tasks[task.index()].join == Join::Or || net.tasks[task.index()].compensates;
        let cannot = || join::take(net, &draft.control, frame, *task, draft.context.or_joins) == Ok(None);
        if !waits && cannot() {
            draft.follow(cause, event);
        }
    }
}
