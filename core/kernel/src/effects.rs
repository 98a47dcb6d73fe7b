//! What the world must do because of an event.

use actum_model::{Case, CaseEvent, CaseId, ItemId, Phase, TaskIx, Time, Value, WorkItemState};
use actum_net::{EvalError, Net, Work};

use crate::{decide::timer, fire::givens, scope::FrameScope};

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
    /// Ask `TimerFired` of the item when the time comes. A timer of an item replaces the one before it; one whose item has
    /// ended, or that is asked too early, is refused. Of a suspended case or item, it is looked at again when that goes on,
    /// unless it is the end of that very rest.
    SetTimer {
        /// The case.
        case: CaseId,
        /// The item.
        item: ItemId,
        /// When.
        at: Time,
    },
    /// Ask `CaseTimerFired` of the case when the time comes. Of a suspended case, it is looked at again when that goes on,
    /// unless it is the end of that very rest.
    SetCaseTimer {
        /// The case.
        case: CaseId,
        /// When.
        at: Time,
    },
}

/// The effect of `event`, which led to `case`.
#[must_use]
pub fn effects(net: &Net, case: &Case, event: &CaseEvent) -> Option<Effect> {
    match event {
        CaseEvent::WorkStarted { item, .. } | CaseEvent::WorkRetried { item, .. } => {
            invocation(net, case, case.control.item(*item)?)
        }
        // A result that came while the item was suspended was refused.
        CaseEvent::WorkResumed { item, .. } => {
            let item = case.control.item(*item)?;
            if item.phase == Phase::Started { invocation(net, case, item) } else { None }
        }
        CaseEvent::WorkRetryScheduled { item, at, .. } => {
            Some(Effect::SetTimer { case: case.id, item: *item, at: *at })
        }
        CaseEvent::RestLimited { item: Some(item), until } => {
            Some(Effect::SetTimer { case: case.id, item: *item, at: *until })
        }
        CaseEvent::RestLimited { item: None, until } | CaseEvent::CaseWaiting { until } => {
            Some(Effect::SetCaseTimer { case: case.id, at: *until })
        }
        CaseEvent::WorkWaiting { item, until, .. } => Some(Effect::SetTimer { case: case.id, item: *item, at: *until }),
        _ => None,
    }
}

/// Effects whose results are not in the log: to be asked for again after a restart.
pub fn pending_effects<'a>(net: &'a Net, case: &'a Case) -> impl Iterator<Item = Effect> + 'a {
    let deadline = case.control.deadline().map(|at| Effect::SetCaseTimer { case: case.id, at });
    let of_items = case.control.items.iter().flat_map(move |item| {
        let call = (item.phase == Phase::Started).then(|| invocation(net, case, item)).flatten();
        let timers = timer::of(net, item).into_iter().chain(case.control.retry_at(item.id));
        call.into_iter().chain(timers.map(|at| Effect::SetTimer { case: case.id, item: item.id, at }))
    });
    let rests = case.control.rests().iter().map(|rest| match rest.item {
        Some(item) => Effect::SetTimer { case: case.id, item, at: rest.until },
        None => Effect::SetCaseTimer { case: case.id, at: rest.until },
    });
    of_items.chain(deadline).chain(rests)
}

fn invocation(net: &Net, case: &Case, item: &WorkItemState) -> Option<Effect> {
    let definition = net.tasks.get(item.task.index())?;
    let Work::Automatic { params, .. } = &definition.work else { return None };
    if definition.instances.is_some() && item.instance.is_none() {
        // The firing as a whole: its instances are called.
        return None;
    }
    let givens = item.instance.as_deref().map(givens).unwrap_or_default();
    let scope = FrameScope { case, frame: item.frame, staged: &[], more: &[], result: None, givens: &givens };
    let input = params.render(&scope);
    Some(Effect::Invoke { case: case.id, item: item.id, task: item.task, attempt: item.attempt, input })
}
