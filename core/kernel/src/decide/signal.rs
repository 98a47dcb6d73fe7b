//! A signal comes: the first item that waits for it uses it; if none does, it is kept for one or lost, as the net says.

use actum_model::{ActorId, CaseEvent, Phase, Rejection, Value, WorkItemState};
use actum_net::Trigger;

use super::at_rest;
use crate::{
    Context, SIGNALS_MAX,
    draft::{Cause, Draft},
    fire,
    settle::settle,
};

pub(super) fn decide(draft: &mut Draft<'_>, name: &str, data: &Value, context: &Context<'_>) -> Result<(), Rejection> {
    let net = draft.net;
    let means = |trigger: &Trigger| trigger.signal == name;
    if !net.tasks.iter().filter_map(|task| task.trigger.as_ref()).any(means) {
        return Err(Rejection::new(
            "case/unknown-signal",
            format!("no task of {} waits for the signal {name}", net.name),
        ));
    }
    data.check().map_err(|error| Rejection::new("case/signal", format!("its data cannot be stored: {error}")))?;
    let last = signalled(draft, name, data, context.actor, Cause::Request)?;
    settle(draft, last);
    Ok(())
}

/// A signal comes that some task waits for. Returns the index of the newest event.
pub(crate) fn signalled(
    draft: &mut Draft<'_>,
    name: &str,
    data: &Value,
    actor: ActorId,
    cause: Cause,
) -> Result<usize, Rejection> {
    let net = draft.net;
    let mut triggers = net.tasks.iter().filter_map(|task| task.trigger.as_ref());
    let kept = triggers.any(|trigger| trigger.signal == name && trigger.persistent);
    let waits = |item: &&WorkItemState| {
        let trigger = net.tasks[item.task.index()].trigger.as_ref();
        item.phase == Phase::Enabled
            && !item.triggered
            && item.instance.is_none()
            && trigger.is_some_and(|trigger| trigger.signal == name)
            && !at_rest(&draft.control, item)
    };
    let waiting = draft.control.items.iter().find(waits).map(|item| item.id);
    if waiting.is_none() && kept && draft.control.signals().len() >= SIGNALS_MAX {
        return Err(Rejection::new("case/signals", format!("a case keeps at most {SIGNALS_MAX} signals")));
    }
    let kept = kept && waiting.is_none();
    let event = CaseEvent::SignalReceived { name: name.to_owned(), data: data.clone(), kept, item: waiting };
    let mut last = draft.push(actor, cause, event);
    if let Some(item) = waiting {
        last = fire::signalled(draft, item, last);
    }
    Ok(last)
}
