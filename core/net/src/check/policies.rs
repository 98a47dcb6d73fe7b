//! Policies: their order means something that is possible, and what they name is there.

use std::collections::{BTreeSet, HashSet};

use super::expressions::{RESULT_LATER, template};
use super::instances;
use super::names::{Tables, near};
use crate::diagnostic::Code;
use crate::kind::ValueKind;
use crate::net::Split;
use crate::policy::{
    Breaker, CodePattern, Gate, GateKind, NetPolicies, OnError, Policies, Pool, Retry, Timeout, WAITING_DEFAULT,
};
use crate::read::{
    BreakerDraft, Draft, Name, NetPoliciesDraft, OnErrorDraft, PolicyDraft, PolicyKind, RetryDraft, TaskDraft,
};
use crate::source::{Findings, Span};
use crate::suggest::did_you_mean;

use super::graph::TaskNode;

const SECOND: u64 = 1_000_000_000;

/// Policies of the net. Their names are checked with all others.
pub(super) fn of_net(draft: &Draft, findings: &mut Findings<'_>) -> NetPolicies {
    let NetPoliciesDraft { concurrency, pools } = &draft.policies;
    let used: HashSet<&str> = draft
        .subnets
        .iter()
        .flat_map(|subnet| &subnet.tasks)
        .flat_map(|task| &task.policies)
        .filter_map(|policy| match &policy.kind {
            PolicyKind::Pool { name, .. } => Some(name.text.as_str()),
            _ => None,
        })
        .collect();
    for (name, _) in pools {
        if !used.contains(name.text.as_str()) {
            findings.warning(Code::Unused, name.span, format!("no task takes from the pool `{}`", name.text), None);
        }
    }
    let pool = |(name, units): &(Name, Option<u32>)| Pool { name: name.text.clone(), units: *units };
    NetPolicies { concurrency: *concurrency, pools: pools.iter().map(pool).collect() }
}

/// Policies of a task; nothing if it has none, `None` after a finding.
#[expect(clippy::option_option, reason = "without policies, and without an answer, are two things")]
pub(super) fn of_task(
    task: &TaskDraft,
    node: &TaskNode,
    net: &NetPoliciesDraft,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<Option<Box<Policies>>> {
    let Some(first) = task.policies.first() else { return Some(None) };
    if task.handler.is_none() {
        let hint = Some("policies are for work that a handler does; work of people has `exceptions`".to_owned());
        let message = format!("`{}` has policies, but no `handler`", task.name.text);
        findings.error(Code::NotForThisWork, first.key, message, hint);
        return None;
    }
    order(task, findings);
    let retry_at = task.policies.iter().position(|policy| matches!(policy.kind, PolicyKind::Retry(_)));
    let none = Policies { waiting_max: WAITING_DEFAULT, ..Policies::default() };
    let mut policies = none.clone();
    let mut good = true;
    for (at, policy) in task.policies.iter().enumerate() {
        let each = retry_at.is_none_or(|retry| retry < at);
        let mut gate = |kind| policies.gates.push(Gate { kind, each });
        match &policy.kind {
            PolicyKind::Retry(draft) => policies.retry = Some(retry(draft, policy.key, findings)),
            PolicyKind::Timeout(length) if each => {
                let waits = |other: &PolicyDraft| {
                    matches!(other.kind, PolicyKind::Rate { .. } | PolicyKind::Concurrency(_) | PolicyKind::Pool { .. })
                };
                let counts_waiting = task.policies[at..].iter().any(waits);
                policies.timeout = Some(Timeout { after_ns: length.ns, counts_waiting });
            }
            PolicyKind::Timeout(length) => policies.deadline_ns = Some(length.ns),
            PolicyKind::Lease(length) => policies.lease_ns = Some(length.ns),
            PolicyKind::Rate { calls, per, burst } => {
                gate(GateKind::Rate { calls: *calls, per_ns: per.ns, burst: burst.unwrap_or(1) });
            }
            PolicyKind::Concurrency(calls) => gate(GateKind::Concurrency(*calls)),
            PolicyKind::Pool { name, units } => match pool(name, *units, net, findings) {
                Some(kind) => gate(kind),
                None => good = false,
            },
            PolicyKind::Priority(priority) => policies.priority = *priority,
            PolicyKind::Queue(calls) => policies.waiting_max = *calls,
            PolicyKind::Breaker(draft) => match breaker(draft, task, node, tables, findings) {
                Some(breaker) => gate(GateKind::Breaker(breaker)),
                None => good = false,
            },
            PolicyKind::OnError(draft) => match on_error(draft, task, node, tables, findings) {
                Some(on_error) => policies.on_error = on_error,
                None => good = false,
            },
        }
    }
    // Those that say what is so anyway are none.
    good.then(|| (policies != none).then(|| Box::new(policies)))
}

/// What stands where it cannot, or twice.
fn order(task: &TaskDraft, findings: &mut Findings<'_>) {
    let retry_at = task.policies.iter().position(|policy| matches!(policy.kind, PolicyKind::Retry(_)));
    let mut seen: HashSet<(&str, bool)> = HashSet::new();
    for (at, policy) in task.policies.iter().enumerate() {
        let before = retry_at.is_some_and(|retry| at < retry);
        let holds =
            matches!(policy.kind, PolicyKind::Concurrency(_) | PolicyKind::Pool { .. } | PolicyKind::Breaker(_));
        if before && holds {
            let message = format!("`{}` stands before `retry`", policy.name);
            let hint =
                "put it after `retry`: what comes before holds for all attempts together, and this is asked, and \
                        given back, for each"
                    .to_owned();
            findings.error(Code::BadPolicy, policy.key, message, Some(hint));
        }
        // A timeout of all attempts and one of each are two things; so are several rates and pools.
        let several = matches!(policy.kind, PolicyKind::Rate { .. } | PolicyKind::Pool { .. });
        let part = before && matches!(policy.kind, PolicyKind::Timeout(_));
        if !several && !seen.insert((policy.name, part)) {
            let message = format!("`{}` has the policy `{}` twice", task.name.text, policy.name);
            findings.error(Code::BadPolicy, policy.key, message, None);
        }
    }
    let timeout =
        task.exceptions.iter().any(|rule| matches!(rule.trigger, crate::read::TriggerOfException::Timeout { .. }));
    let deadline = task.policies.iter().take(retry_at.unwrap_or(0));
    if let Some(deadline) = deadline.filter(|policy| matches!(policy.kind, PolicyKind::Timeout(_))).find(|_| timeout) {
        let hint = Some("an item has one deadline: drop one of them".to_owned());
        let message = format!("`{}` has a timeout of all attempts, and one under `exceptions`", task.name.text);
        findings.error(Code::BadPolicy, deadline.key, message, hint);
    }
}

fn retry(draft: &RetryDraft, key: Span, findings: &mut Findings<'_>) -> Retry {
    let delay_ns = draft.delay.as_ref().map_or(SECOND, |length| length.ns);
    let delay_most_ns = draft.most.as_ref().map_or(delay_ns.max(3_600 * SECOND), |length| length.ns);
    if let Some(most) = &draft.most
        && most.ns < delay_ns
    {
        findings.error(Code::BadPolicy, most.span, "`max` is shorter than `delay`", None);
    }
    if let Some((_, span)) = draft.factor
        && draft.backoff != crate::policy::Backoff::Exponential
    {
        findings.error(Code::BadPolicy, span, "only an exponential backoff has a `factor`", None);
    }
    if draft.attempts == Some(1) {
        let hint = Some("`attempts` counts the first one too; or leave `retry` out".to_owned());
        findings.error(Code::BadPolicy, key, "one attempt is no retry", hint);
    }
    Retry {
        backoff: draft.backoff,
        delay_ns,
        delay_most_ns,
        factor: draft.factor.map_or(2, |(factor, _)| factor),
        jitter: draft.jitter.unwrap_or(true),
        attempts: draft.attempts.unwrap_or(3),
        budget: draft.budget,
        on: patterns(&draft.on),
        except: patterns(&draft.except),
    }
}

fn patterns(names: &[Name]) -> Vec<CodePattern> {
    // Their order means nothing.
    let texts: BTreeSet<&str> = names.iter().map(|name| name.text.as_str()).collect();
    texts.into_iter().map(CodePattern::new).collect()
}

fn pool(name: &Name, units: u32, net: &NetPoliciesDraft, findings: &mut Findings<'_>) -> Option<GateKind> {
    let found = net.pools.binary_search_by(|(pool, _)| pool.text.cmp(&name.text));
    let Ok(pool) = found else {
        let hint = near(&name.text, net.pools.iter().map(|(pool, _)| pool.text.as_str()), findings)
            .map(did_you_mean)
            .or_else(|| Some("declare it: `policies: { pools: { NAME: 4 } }`, or `engine` for its size".to_owned()));
        findings.error(Code::UnknownPool, name.span, format!("there is no pool `{}`", name.text), hint);
        return None;
    };
    if net.pools[pool].1.is_some_and(|size| size < units) {
        let message = format!("the pool `{}` never has {units} units", name.text);
        findings.error(Code::BadPolicy, name.span, message, None);
    }
    Some(GateKind::Pool { pool, units })
}

fn breaker(
    draft: &BreakerDraft,
    task: &TaskDraft,
    node: &TaskNode,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<Breaker> {
    let fallback = match &draft.fallback {
        Some(draft) => Some(on_error(draft, task, node, tables, findings)?),
        None => None,
    };
    Some(Breaker {
        threshold: draft.threshold.unwrap_or(5),
        open_ns: draft.open.as_ref().map_or(30 * SECOND, |length| length.ns),
        probes: draft.probes.unwrap_or(1),
        on: patterns(&draft.on),
        fallback,
    })
}

fn on_error(
    draft: &OnErrorDraft,
    task: &TaskDraft,
    node: &TaskNode,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<OnError> {
    match draft {
        OnErrorDraft::Halt => Some(OnError::Halt),
        OnErrorDraft::Ignore => Some(OnError::Ignore),
        OnErrorDraft::Result(node) => {
            let names = tables.names(instances::given(task), RESULT_LATER);
            template(node, names, findings).map(|(template, _)| OnError::Result(template))
        }
        OnErrorDraft::Flow { to, error } => {
            if task.instances.is_some() {
                let message = format!("an instance of `{}` takes no flow of its own", task.name.text);
                let hint = Some("`ignore` it or give a `result`; the task goes on when all are done".to_owned());
                findings.error(Code::BadPolicy, to.span, message, hint);
                return None;
            }
            let error = match error {
                Some(name) => Some(error_variable(name, tables, findings)?),
                None => None,
            };
            let Some(place) = task.flow.iter().position(|flow| flow.to.text == to.text) else {
                let known = task.flow.iter().map(|flow| flow.to.text.as_str());
                let hint = near(&to.text, known, findings)
                    .map(did_you_mean)
                    .or_else(|| Some(format!("add `{{ to: {} }}` to its `flow`, without `when`", to.text)));
                let message = format!("`{}` has no flow to `{}`", task.name.text, to.text);
                findings.error(Code::BadPolicy, to.span, message, hint);
                return None;
            };
            if !matches!(node.split, Split::Xor | Split::Or) {
                let message = format!("`{}` has no choice: the flow to `{}` is always taken", task.name.text, to.text);
                let hint =
                    "write `split: xor`, and `default: true` at the flow that is taken without an error".to_owned();
                findings.error(Code::BadPolicy, to.span, message, Some(hint));
                return None;
            }
            let output = node.outputs.iter().find(|output| output.flow == place)?;
            Some(OnError::Flow { to: output.to, error })
        }
    }
}

fn error_variable(name: &Name, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Option<crate::net::VariableIx> {
    let (variable, kind) = tables.variable(name, findings)?;
    if !matches!(kind, ValueKind::Map | ValueKind::Any) {
        let message = format!("`{}` holds {kind}, but an error is a map", name.text);
        findings.error(Code::TypeMismatch, name.span, message, None);
        return None;
    }
    Some(variable)
}

/// Whether a flow is there for errors alone, or also: then it needs no guard.
pub(super) fn is_for_errors(task: &TaskDraft, to: &str) -> bool {
    task.policies.iter().any(|policy| {
        let flow = match &policy.kind {
            PolicyKind::OnError(draft) => draft.flow(),
            PolicyKind::Breaker(breaker) => breaker.fallback.as_ref().and_then(OnErrorDraft::flow),
            _ => None,
        };
        flow.is_some_and(|flow| flow.text == to)
    })
}
