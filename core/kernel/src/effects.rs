//! What the world must do because of an event.

use actum_model::{Case, CaseEvent, CaseId, ItemId, Phase, TaskIx, Value, WorkItemState};
use actum_net::{EvalError, Net, Work};

use crate::scope::CaseScope;

/// Something to be done outside, after the event that asks for it is durable.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Call a handler; its result comes back as a command. With the attempt, the item is the idempotency key.
    Invoke {
        /// The case.
        case: CaseId,
        /// The item.
        item: ItemId,
        /// The item's task.
        task: TaskIx,
        /// Which attempt, from 1.
        attempt: u32,
        /// The handler's input, or why it cannot be computed: then the item must be failed.
        input: Result<Value, EvalError>,
    },
}

/// The effect of `event`, which led to `case`.
#[must_use]
pub fn effects(net: &Net, case: &Case, event: &CaseEvent) -> Option<Effect> {
    let (CaseEvent::WorkStarted { item, .. } | CaseEvent::WorkRetried { item, .. }) = event else { return None };
    invocation(net, case, case.control.item(*item)?)
}

/// Effects whose results are not in the log: to be asked for again after a restart.
pub fn pending_effects<'a>(net: &'a Net, case: &'a Case) -> impl Iterator<Item = Effect> + 'a {
    let started = |item: &&WorkItemState| item.phase == Phase::Started;
    case.control.items.iter().filter(started).filter_map(move |item| invocation(net, case, item))
}

fn invocation(net: &Net, case: &Case, item: &WorkItemState) -> Option<Effect> {
    let Work::Automatic { params, .. } = &net.tasks.get(item.task.index())?.work else { return None };
    let scope = CaseScope { case, staged: &[], more: &[], result: None };
    let input = params.render(&scope);
    Some(Effect::Invoke { case: case.id, item: item.id, task: item.task, attempt: item.attempt, input })
}
