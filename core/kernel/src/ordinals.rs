//! Whether ordinals in events and state are the net's. They always are, but for a log that was forged with its own key:
//! indexing with them comes after this.

use actum_model::{CaseEvent, ConditionIx, Control, FrameId, RoleIx, Saga, SubnetIx, TaskIx};
use actum_net::Net;

use crate::FRAME_DEPTH_MAX;

/// Whether an event speaks of nothing but what `net` has. Folding only such events keeps every later question answerable.
#[must_use]
pub fn fits(net: &Net, event: &CaseEvent) -> bool {
    let condition = |condition: ConditionIx| condition.index() < net.conditions.len();
    event.work().is_none_or(|(_, task)| has_task(net, task))
        && event.changes().iter().all(|change| change.variable.index() < net.variables.len())
        && event.produced().iter().chain(event.consumed()).all(|one| condition(*one))
        && match event {
            CaseEvent::WorkOffered { role, .. } => role.is_none_or(|role| has_role(net, role)),
            CaseEvent::SubnetStarted { subnet, .. } => subnet.index() < net.subnets.len(),
            CaseEvent::JoinAdvanced { task, arrived, .. } => {
                has_task(net, *task) && arrived.iter().all(|one| condition(*one))
            }
            CaseEvent::TokensCancelled { task, removed, .. } => {
                has_task(net, *task) && removed.iter().all(|(one, _)| condition(*one))
            }
            CaseEvent::CompensationNoted { by, .. } => has_task(net, *by),
            CaseEvent::CompensationBegun { removed, .. } => removed.iter().all(|(one, _)| condition(*one)),
            CaseEvent::SavepointReached { marked, arrived, variables, .. } => {
                marked.iter().all(|(one, _)| condition(*one))
                    && arrived
                        .iter()
                        .all(|(task, inputs)| has_task(net, *task) && inputs.iter().all(|one| condition(*one)))
                    && variables.iter().all(|change| change.variable.index() < net.variables.len())
            }
            CaseEvent::SavepointRestored { marked, .. } => marked.iter().all(|(one, _)| condition(*one)),
            _ => true,
        }
}

/// The same of a state, as far as decisions rest on it; and that frames and instances lie in each other as they should, so
/// that going from one to the next ends.
pub(crate) fn fit_state(net: &Net, control: &Control) -> bool {
    control.items.iter().all(|item| {
        has_task(net, item.task)
            && item.role.is_none_or(|role| has_role(net, role))
            && control.subnet_of(item.frame) == Some(net.tasks[item.task.index()].subnet)
            && item.consumed.iter().all(|condition| is_in(net, *condition, net.tasks[item.task.index()].subnet))
            && item.family().is_none_or(|family| {
                // Of one family, all have the parent's task and frame, and a parent is no instance.
                control.item(family).is_some_and(|parent| {
                    parent.instance.is_none() && (parent.task, parent.frame) == (item.task, item.frame)
                })
            })
    })
        // Sorted by task: the last has the highest ordinal.
        && control.performers.last().is_none_or(|(task, _)| has_task(net, *task))
        && control.marking.iter().all(|(frame, condition, _)| {
            control.subnet_of(frame).is_some_and(|subnet| is_in(net, condition, subnet))
        })
        && frames_nest(net, control)
        && control.arrivals().iter().all(|one| {
            has_task(net, one.task) && control.subnet_of(one.frame) == Some(net.tasks[one.task.index()].subnet)
        })
        && control.saga().is_none_or(|saga| fit_saga(net, control, saga))
}

/// What is to be undone lives where the task that undoes it can run, and one goes back to what the root has.
fn fit_saga(net: &Net, control: &Control, saga: &Saga) -> bool {
    let in_root = |condition: ConditionIx| is_in(net, condition, SubnetIx::ROOT);
    saga.done.iter().all(|done| {
        has_task(net, done.by)
            && has_task(net, done.task)
            && net.tasks[done.by.index()].compensates
            && control.subnet_of(done.frame) == Some(net.tasks[done.by.index()].subnet)
    }) && saga.savepoints.iter().all(|savepoint| {
        savepoint.marked.iter().all(|(condition, _)| in_root(*condition))
            && savepoint.arrived.iter().all(|(task, inputs)| {
                has_task(net, *task)
                    && net.tasks[task.index()].subnet == SubnetIx::ROOT
                    && inputs.iter().all(|condition| in_root(*condition))
            })
            && savepoint.variables.iter().all(|change| change.variable.index() < net.variables.len())
    })
}

/// Every frame is of an item of the frame above, which is older.
fn frames_nest(net: &Net, control: &Control) -> bool {
    control.frames().iter().all(|frame| {
        frame.id != FrameId::ROOT
            && frame.subnet.index() < net.subnets.len()
            && frame.parent < frame.id
            && control.item(frame.item).is_some_and(|item| item.frame == frame.parent)
            && control.frames_above(frame.id).take(FRAME_DEPTH_MAX + 1).count() <= FRAME_DEPTH_MAX
    })
}

fn has_task(net: &Net, task: TaskIx) -> bool {
    task.index() < net.tasks.len()
}

fn has_role(net: &Net, role: RoleIx) -> bool {
    role.index() < net.roles.len()
}

fn is_in(net: &Net, condition: ConditionIx, subnet: SubnetIx) -> bool {
    net.conditions.get(condition.index()).is_some_and(|condition| condition.subnet == subnet)
}
