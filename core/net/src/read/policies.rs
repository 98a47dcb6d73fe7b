//! Reads `policies`, of a task (a list, in an order that means something) and of the net.

use super::data::name_of;
use super::table::{Table, entries};
use super::{Name, choice, literal, number, text, truth, wrong_type};
use crate::diagnostic::Code;
use crate::policy::{ATTEMPTS_MAX, Backoff, PRIORITY_MAX};
use crate::source::{Data, Findings, Key, Node, Span};
use crate::wait::duration;

/// Most entries of a list of codes.
const CODES_MAX: usize = 64;
/// Longest pattern of a code, in bytes.
const CODE_BYTES_MAX: usize = 200;
/// Most pools of a net.
const POOLS_MAX: usize = 64;
/// Most calls at once, units of a pool, or calls in a time.
const LIMIT_MAX: u32 = 1_000_000;

/// One policy of a task.
#[derive(Debug)]
pub(crate) struct PolicyDraft {
    /// Its key.
    pub(crate) name: &'static str,
    pub(crate) key: Span,
    pub(crate) kind: PolicyKind,
}

#[derive(Debug)]
pub(crate) enum PolicyKind {
    Retry(RetryDraft),
    Timeout(Length),
    Lease(Length),
    Rate { calls: u32, per: Length, burst: Option<u32> },
    Concurrency(u32),
    Pool { name: Name, units: u32 },
    Priority(u8),
    Queue(u32),
    Breaker(BreakerDraft),
    OnError(OnErrorDraft),
}

/// A duration as it was written, and what it means.
#[derive(Debug, Clone, Default)]
pub(crate) struct Length {
    pub(crate) text: String,
    pub(crate) ns: u64,
    pub(crate) span: Span,
}

#[derive(Debug, Default)]
pub(crate) struct RetryDraft {
    pub(crate) backoff: Backoff,
    pub(crate) delay: Option<Length>,
    pub(crate) most: Option<Length>,
    pub(crate) factor: Option<(u32, Span)>,
    pub(crate) jitter: Option<bool>,
    pub(crate) attempts: Option<u32>,
    pub(crate) budget: Option<u32>,
    pub(crate) on: Vec<Name>,
    pub(crate) except: Vec<Name>,
}

#[derive(Debug, Default)]
pub(crate) struct BreakerDraft {
    pub(crate) threshold: Option<u32>,
    pub(crate) open: Option<Length>,
    pub(crate) probes: Option<u32>,
    pub(crate) on: Vec<Name>,
    pub(crate) fallback: Option<OnErrorDraft>,
}

#[derive(Debug)]
pub(crate) enum OnErrorDraft {
    Halt,
    Ignore,
    Flow { to: Name, error: Option<Name> },
    Result(Node),
}

#[derive(Debug, Default)]
pub(crate) struct NetPoliciesDraft {
    pub(crate) concurrency: Option<u32>,
    /// Without a number: sized by the engine.
    pub(crate) pools: Vec<(Name, Option<u32>)>,
}

/// `policies` of the net.
pub(super) fn of_net(node: &Node, findings: &mut Findings<'_>) -> NetPoliciesDraft {
    let Some(mut table) = Table::of(node, "`policies`", findings) else { return NetPoliciesDraft::default() };
    let concurrency = limit(&mut table, "concurrency", findings);
    let mut pools = Vec::new();
    if let Some((key, node)) = table.take("pools") {
        let listed = entries(node, findings).unwrap_or_default();
        if listed.len() > POOLS_MAX {
            findings.error(Code::TooLarge, key.span, format!("a net has at most {POOLS_MAX} pools"), None);
        }
        for (name, node) in listed.iter().take(POOLS_MAX) {
            let units = match &node.data {
                Data::Text(word) if word == "engine" => None,
                Data::Text(_) => {
                    let hint = Some("write its size, or `engine` if the engine's options size it".to_owned());
                    wrong_type(node, "a number of units or `engine`", hint, findings);
                    continue;
                }
                _ => match number(node, "a pool's size", 1..=LIMIT_MAX, findings) {
                    Some(units) => Some(units),
                    None => continue,
                },
            };
            pools.push((name_of(name), units));
        }
    }
    table.finish(findings);
    pools.sort_by(|left, right| left.0.text.cmp(&right.0.text));
    NetPoliciesDraft { concurrency, pools }
}

/// `policies` of a task: a list of maps with one key each, or one map.
pub(super) fn of_task(node: &Node, findings: &mut Findings<'_>) -> Vec<PolicyDraft> {
    let listed: Vec<&(Key, Node)> = match &node.data {
        Data::Map(entries) => entries.iter().collect(),
        Data::List(items) => items.iter().filter_map(|item| single(item, findings)).collect(),
        _ => {
            let hint = Some("write a list such as `[{ retry: { attempts: 3 } }, { timeout: PT30S }]`".to_owned());
            wrong_type(node, "a list of policies", hint, findings);
            Vec::new()
        }
    };
    let read = |(key, node): &(Key, Node)| {
        // A table of one key reports what it does not know.
        let (name, kind) = policy(key, node, findings)?;
        Some(PolicyDraft { name, key: key.span, kind: kind? })
    };
    listed.into_iter().filter_map(read).collect()
}

fn single<'n>(node: &'n Node, findings: &mut Findings<'_>) -> Option<&'n (Key, Node)> {
    if let [one] = entries(node, findings)? {
        return Some(one);
    }
    let hint = Some("each policy is an item of its own, because their order means something".to_owned());
    findings.error(Code::BadPolicy, node.span, "an item of `policies` is one policy", hint);
    None
}

/// A policy's key, and what it says; nothing said after a finding.
fn policy(key: &Key, node: &Node, findings: &mut Findings<'_>) -> Option<(&'static str, Option<PolicyKind>)> {
    const KEYS: [&str; 10] =
        ["retry", "timeout", "lease", "rate", "concurrency", "pool", "priority", "queue", "breaker", "on_error"];
    let Some(name) = KEYS.into_iter().find(|known| *known == key.text) else {
        let hint =
            crate::suggest::suggestion(&key.text, KEYS).or_else(|| Some(format!("policies: {}", KEYS.join(", "))));
        findings.error(Code::UnknownKey, key.span, format!("there is no policy `{}`", key.text), hint);
        return None;
    };
    let kind = match name {
        "retry" => return retry(node, findings).map(|kind| (name, kind.map(PolicyKind::Retry))),
        "timeout" => length(node, findings).map(PolicyKind::Timeout),
        "lease" => length(node, findings).map(PolicyKind::Lease),
        "rate" => rate(node, findings),
        "concurrency" => number(node, "a number of calls", 1..=LIMIT_MAX, findings).map(PolicyKind::Concurrency),
        "pool" => pool(node, findings),
        "priority" => number(node, "a priority", 0..=u32::from(PRIORITY_MAX), findings)
            .map(|priority| PolicyKind::Priority(priority as u8)),
        "queue" => number(node, "a number of calls", 0..=LIMIT_MAX, findings).map(PolicyKind::Queue),
        "breaker" => breaker(node, findings).map(PolicyKind::Breaker),
        _ => on_error(node, findings).map(PolicyKind::OnError),
    };
    Some((name, kind))
}

/// `none` says what is so without it, and is no policy.
#[expect(clippy::option_option, reason = "without the policy, and without an answer, are two things")]
fn retry(node: &Node, findings: &mut Findings<'_>) -> Option<Option<RetryDraft>> {
    if matches!(&node.data, Data::Text(word) if word == "none") {
        return None;
    }
    let Some(mut table) = Table::of(node, "`retry`", findings) else { return Some(None) };
    let kinds = [("fixed", Backoff::Fixed), ("linear", Backoff::Linear), ("exponential", Backoff::Exponential)];
    let take_number = |table: &mut Table<'_>, key, what: &str, range, findings: &mut Findings<'_>| {
        table.take(key).and_then(|(_, node)| Some((number(node, what, range, findings)?, node.span)))
    };
    let backoff = table.take("backoff").and_then(|(_, node)| choice(node, &kinds, findings)).unwrap_or_default();
    let delay = table.take("delay").and_then(|(_, node)| length(node, findings));
    let most = table.take("max").and_then(|(_, node)| length(node, findings));
    let factor = take_number(&mut table, "factor", "a factor", 2..=10, findings);
    let jitter = table.take("jitter").and_then(|(_, node)| truth(node, findings));
    let attempts = take_number(&mut table, "attempts", "a number of attempts", 1..=ATTEMPTS_MAX, findings);
    let budget = take_number(&mut table, "budget", "a number of retries", 1..=LIMIT_MAX, findings);
    let on = codes(&mut table, "on", findings);
    let except = codes(&mut table, "except", findings);
    table.finish(findings);
    let (attempts, budget) = (attempts.map(|(number, _)| number), budget.map(|(number, _)| number));
    Some(Some(RetryDraft { backoff, delay, most, factor, jitter, attempts, budget, on, except }))
}

fn rate(node: &Node, findings: &mut Findings<'_>) -> Option<PolicyKind> {
    let mut table = Table::of(node, "`rate`", findings)?;
    let calls = table.required("calls", findings);
    let calls = calls.and_then(|(_, node)| number(node, "a number of calls", 1..=LIMIT_MAX, findings));
    let per = table.required("per", findings).and_then(|(_, node)| length(node, findings));
    let burst = limit(&mut table, "burst", findings);
    table.finish(findings);
    Some(PolicyKind::Rate { calls: calls?, per: per?, burst })
}

/// A pool's name alone takes one unit.
fn pool(node: &Node, findings: &mut Findings<'_>) -> Option<PolicyKind> {
    if matches!(node.data, Data::Text(_)) {
        return Some(PolicyKind::Pool { name: text(node, findings)?, units: 1 });
    }
    let mut table = Table::of(node, "`pool`", findings)?;
    let name = table.required("name", findings).and_then(|(_, node)| text(node, findings));
    let units = limit(&mut table, "units", findings).unwrap_or(1);
    table.finish(findings);
    Some(PolicyKind::Pool { name: name?, units })
}

fn breaker(node: &Node, findings: &mut Findings<'_>) -> Option<BreakerDraft> {
    let mut table = Table::of(node, "`breaker`", findings)?;
    let threshold = limit(&mut table, "threshold", findings);
    let open = table.take("open").and_then(|(_, node)| length(node, findings));
    let probes = limit(&mut table, "probes", findings);
    let on = codes(&mut table, "on", findings);
    let fallback = table.take("fallback").and_then(|(_, node)| on_error(node, findings));
    table.finish(findings);
    Some(BreakerDraft { threshold, open, probes, on, fallback })
}

/// `halt`, `ignore`, `{ flow: NAME, error: VARIABLE }` or `{ result: DATA }`.
fn on_error(node: &Node, findings: &mut Findings<'_>) -> Option<OnErrorDraft> {
    let hint = "write `halt`, `ignore`, `{ flow: NAME }` or `{ result: DATA }`";
    match &node.data {
        Data::Text(word) if word == "halt" => Some(OnErrorDraft::Halt),
        Data::Text(word) if word == "ignore" => Some(OnErrorDraft::Ignore),
        Data::Map(_) => {
            let mut table = Table::of(node, "what is done about an error", findings)?;
            let flow = table.take("flow").and_then(|(_, node)| text(node, findings));
            let error = table.take("error").and_then(|(_, node)| text(node, findings));
            let result = table.take("result").map(|(_, node)| node.clone());
            table.finish(findings);
            match (flow, result, error) {
                (Some(to), None, error) => Some(OnErrorDraft::Flow { to, error }),
                (None, Some(result), None) => Some(OnErrorDraft::Result(result)),
                _ => {
                    let message = "what is done about an error is one thing";
                    findings.error(Code::BadPolicy, node.span, message, Some(hint.to_owned()));
                    None
                }
            }
        }
        Data::Text(word) => {
            let message = format!("there is no answer `{word}` to an error");
            findings.error(Code::BadValue, node.span, message, Some(hint.to_owned()));
            None
        }
        _ => {
            wrong_type(node, "what is done about an error", Some(hint.to_owned()), findings);
            None
        }
    }
}

fn limit(table: &mut Table<'_>, key: &'static str, findings: &mut Findings<'_>) -> Option<u32> {
    table.take(key).and_then(|(_, node)| number(node, &format!("`{key}`"), 1..=LIMIT_MAX, findings))
}

/// A duration that is written out, and longer than nothing.
fn length(node: &Node, findings: &mut Findings<'_>) -> Option<Length> {
    let written = text(node, findings)?;
    match duration(&written.text) {
        // Stored times are signed where other programs read them.
        Some(ns) if ns > 0 && i64::try_from(ns).is_ok() => Some(Length { text: written.text, ns, span: written.span }),
        _ => {
            let hint = "such as PT30S, PT0.5S or P1D; longer than nothing, and written out".to_owned();
            findings.error(Code::BadTime, node.span, "this is not a duration", Some(hint));
            None
        }
    }
}

fn codes(table: &mut Table<'_>, key: &'static str, findings: &mut Findings<'_>) -> Vec<Name> {
    let Some((at, node)) = table.take(key) else { return Vec::new() };
    let names = super::names(node, findings);
    if names.len() > CODES_MAX || names.iter().any(|name| name.text.len() > CODE_BYTES_MAX || name.text.is_empty()) {
        let message = format!("`{key}` has at most {CODES_MAX} codes of 1 to {CODE_BYTES_MAX} bytes");
        findings.error(Code::BadPolicy, at.span, message, None);
    }
    names
}

impl OnErrorDraft {
    /// The flow that it takes.
    pub(crate) fn flow(&self) -> Option<&Name> {
        match self {
            OnErrorDraft::Flow { to, .. } => Some(to),
            _ => None,
        }
    }

    /// As the canonical form says it.
    pub(crate) fn literal(&self) -> actum_model::Value {
        let word = |word: &str| actum_model::Value::String(word.to_owned());
        let entry = |entries: Vec<(&str, actum_model::Value)>| {
            actum_model::Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
        };
        match self {
            OnErrorDraft::Halt => word("halt"),
            OnErrorDraft::Ignore => word("ignore"),
            OnErrorDraft::Flow { to, error } => {
                let error = error.as_ref().map(|error| ("error", word(&error.text)));
                entry(std::iter::once(("flow", word(&to.text))).chain(error).collect())
            }
            OnErrorDraft::Result(node) => entry(vec![("result", literal(node))]),
        }
    }
}
