//! Whether an event leaves work waiting, for those who answer what waits for whom.

use actum_model::CaseEvent;
use actum_net::{Net, Resourcing, Work};

/// Whether an event leaves an item waiting for a signal, a time, or for somebody to say who is asked to do it.
#[must_use]
pub fn waits(net: &Net, event: &CaseEvent) -> bool {
    let (task, begins) = match event {
        CaseEvent::WorkEnabled { task, instance, .. } => (task, instance.is_none()),
        CaseEvent::WorkPutBack { task, .. } => (task, false),
        _ => return false,
    };
    let Some(task) = net.tasks.get(task.index()) else { return false };
    let waits = match &task.work {
        Work::Wait(_) | Work::Receive { .. } => true,
        // Work for a role as a whole is offered at once.
        Work::Manual { role: Some(_), resourcing, .. } if *resourcing == Resourcing::default() => false,
        Work::Manual { resourcing, .. } => resourcing.open_role().is_none(),
        _ => false,
    };
    waits || (begins && task.trigger.is_some())
}
