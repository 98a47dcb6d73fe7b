//! Do not call the handler of started work: what the net says instead, or a failed attempt.

use actum_model::{CaseEvent, Rejection, Time, WorkItemState};
use actum_net::{Breaker, GateKind};

use super::{not_compound, started_by};
use crate::{
    Context,
    draft::{Cause, Draft},
    exception, policy,
    settle::settle,
};

pub(super) fn decide(
    draft: &mut Draft<'_>,
    item: &WorkItemState,
    (policy, message): (&str, &str),
    until: Option<Time>,
    context: &Context<'_>,
) -> Result<(), Rejection> {
    let started = started_by(item, context)?;
    not_compound(draft.net, item)?;
    let task = item.task;
    let shed = draft.push(
        context.actor,
        Cause::Logged(item.event),
        CaseEvent::WorkShed { item: item.id, task, policy: policy.to_owned(), message: message.to_owned(), until },
    );
    let code = format!("policy/{policy}");
    let fallback =
        breaker_of(draft, item).filter(|_| policy == "breaker").and_then(|breaker| breaker.fallback.as_ref());
    if let Some(fallback) = fallback {
        // One that is not possible is as none: the attempt fails, and says so.
        if let Ok(Some(last)) = policy::recover(draft, fallback, item, (&code, message), shed) {
            settle(draft, last);
            return Ok(());
        }
    }
    let failed = draft.follow(shed, started.fail(&code, message).1);
    if let Some(answered) = exception::answered_not_before(draft, item.id, (&code, message), until, failed) {
        settle(draft, answered);
    }
    Ok(())
}

fn breaker_of<'a>(draft: &Draft<'a>, item: &WorkItemState) -> Option<&'a Breaker> {
    let policies = draft.net.tasks[item.task.index()].policies.as_deref()?;
    policies.gates.iter().find_map(|gate| match &gate.kind {
        GateKind::Breaker(breaker) => Some(breaker),
        _ => None,
    })
}
