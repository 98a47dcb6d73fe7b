//! Policies: of a task a list, whose order means something; of the net a map.

use actum_model::Value;

use super::object::Object;
use super::{sorted, string};
use crate::policy::{Backoff, WAITING_DEFAULT};
use crate::read::{BreakerDraft, Name, NetPoliciesDraft, OnErrorDraft, PolicyDraft, PolicyKind, RetryDraft};

/// The net's, unless there are none.
pub(super) fn of_net(draft: &NetPoliciesDraft) -> Option<Value> {
    let pool = |(name, units): &(Name, Option<u32>)| (name.text.clone(), units.map_or_else(|| string("engine"), int));
    Object::default()
        .with("concurrency", draft.concurrency.map(int))
        .map("pools", draft.pools.iter().map(pool))
        .unless_empty()
}

/// A task's, unless there are none that say anything.
pub(super) fn of_task(policies: &[PolicyDraft]) -> Option<Value> {
    let policies: Vec<Value> = policies
        .iter()
        .filter_map(|policy| Some(Object::default().with(policy.name, Some(kind(&policy.kind)?)).done()))
        .collect();
    (!policies.is_empty()).then_some(Value::List(policies))
}

/// What a policy says, unless it is what is so without it.
fn kind(kind: &PolicyKind) -> Option<Value> {
    Some(match kind {
        PolicyKind::Retry(draft) => retry(draft),
        PolicyKind::Timeout(length) | PolicyKind::Lease(length) => string(&length.text),
        PolicyKind::Rate { calls, per, burst } => Object::default()
            .with("calls", Some(int(*calls)))
            .with("per", Some(string(&per.text)))
            .with("burst", burst.filter(|burst| *burst > 1).map(int))
            .done(),
        PolicyKind::Pool { name, units: 1 } => string(&name.text),
        PolicyKind::Pool { name, units } => {
            Object::default().with("name", Some(string(&name.text))).with("units", Some(int(*units))).done()
        }
        PolicyKind::Priority(0) | PolicyKind::Queue(WAITING_DEFAULT) | PolicyKind::OnError(OnErrorDraft::Halt) => {
            return None;
        }
        PolicyKind::Priority(priority) => int(u32::from(*priority)),
        PolicyKind::Concurrency(calls) | PolicyKind::Queue(calls) => int(*calls),
        PolicyKind::Breaker(draft) => breaker(draft),
        PolicyKind::OnError(draft) => draft.literal(),
    })
}

fn retry(draft: &RetryDraft) -> Value {
    let backoff = match draft.backoff {
        Backoff::Fixed => Some(string("fixed")),
        Backoff::Linear => Some(string("linear")),
        Backoff::Exponential => None,
    };
    Object::default()
        .with("backoff", backoff)
        .with("delay", draft.delay.as_ref().filter(|length| length.text != "PT1S").map(|length| string(&length.text)))
        .with("max", draft.most.as_ref().map(|length| string(&length.text)))
        .with("factor", draft.factor.map(|(factor, _)| factor).filter(|factor| *factor != 2).map(int))
        .with("jitter", (draft.jitter == Some(false)).then_some(Value::Bool(false)))
        .with("attempts", draft.attempts.filter(|attempts| *attempts != 3).map(int))
        .with("budget", draft.budget.map(int))
        .with("on", codes(&draft.on))
        .with("except", codes(&draft.except))
        .done()
}

fn breaker(draft: &BreakerDraft) -> Value {
    Object::default()
        .with("threshold", draft.threshold.filter(|threshold| *threshold != 5).map(int))
        .with("open", draft.open.as_ref().filter(|length| length.text != "PT30S").map(|length| string(&length.text)))
        .with("probes", draft.probes.filter(|probes| *probes != 1).map(int))
        .with("on", codes(&draft.on))
        .with("fallback", draft.fallback.as_ref().map(OnErrorDraft::literal))
        .done()
}

fn codes(names: &[Name]) -> Option<Value> {
    (!names.is_empty()).then(|| sorted(names))
}

fn int(number: u32) -> Value {
    Value::Int(number.into())
}
