//! Whether ordinals in events and state are the net's. They always are, but for a log that was forged with its own key:
//! indexing with them comes after this.

use actum_model::{CaseEvent, Change, ConditionIx, Control, RoleIx, TaskIx};
use actum_net::Net;

/// Whether an event speaks of nothing but what `net` has. Folding only such events keeps every later question answerable.
#[must_use]
pub fn fits(net: &Net, event: &CaseEvent) -> bool {
    let conditions = |conditions: &[ConditionIx]| conditions.iter().all(|one| one.index() < net.conditions.len());
    let changes = |changes: &[Change]| changes.iter().all(|one| one.variable.index() < net.variables.len());
    event.work().is_none_or(|(_, task)| has_task(net, task))
        && match event {
            CaseEvent::CaseStarted { changes: set, produced, .. }
            | CaseEvent::WorkCompleted { changes: set, produced, .. } => changes(set) && conditions(produced),
            CaseEvent::WorkStarted { consumed, .. } => conditions(consumed),
            CaseEvent::WorkOffered { role, .. } => has_role(net, *role),
            _ => true,
        }
}

/// The same of a state, as far as decisions rest on it.
pub(crate) fn fit_state(net: &Net, control: &Control) -> bool {
    control.items.iter().all(|item| has_task(net, item.task) && item.role.is_none_or(|role| has_role(net, role)))
        // Sorted by task: the last has the highest ordinal. So have marked conditions.
        && control.performers.last().is_none_or(|(task, _)| has_task(net, *task))
        && control.marking.iter().last().is_none_or(|(condition, _)| condition.index() < net.conditions.len())
}

fn has_task(net: &Net, task: TaskIx) -> bool {
    task.index() < net.tasks.len()
}

fn has_role(net: &Net, role: RoleIx) -> bool {
    role.index() < net.roles.len()
}
