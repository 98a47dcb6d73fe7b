//! A case's state for people.

use std::fmt;

use actum_kernel::{CaseProgress, Need, progress, tasks_done, waiting};
use actum_model::{ActorId, CaseStatus, Phase, Value, WorkItemState, json};
use actum_net::Net;

use crate::{CaseView, names};

impl fmt::Display for CaseView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = &self.case;
        write!(f, "case {}", case.id)?;
        self.key.iter().try_for_each(|key| write!(f, " ({key})"))?;
        writeln!(f, ": {}", case.control.status.name())?;
        let net = self.net.as_ref().map_or_else(|| case.net.to_string(), |net| net.name.clone());
        let state = format!("after event {} (@v{}) at {}", case.last_seq, case.version, case.changed);
        let mut facts = vec![
            ("net".to_owned(), net),
            ("started".to_owned(), case.started.to_string()),
            ("state".to_owned(), state),
        ];
        if let Some(until) = case.control.rest_until(None) {
            facts.push(("rests".to_owned(), format!("until {until}")));
        } else if case.control.suspended {
            facts.push(("rests".to_owned(), "until somebody resumes it".to_owned()));
        }
        if let Some(net) = self.net.as_ref().filter(|_| case.control.status == CaseStatus::Open) {
            let CaseProgress { enabled, running, left_most } = progress(net, case);
            let left = left_most.map_or_else(|| "it can loop".to_owned(), |left| format!("at most {left} to do"));
            let done = self.done_of_root(net);
            facts.push(("progress".to_owned(), format!("{done} done, {enabled} enabled, {running} running; {left}")));
        }
        facts.extend(self.reason.clone().map(|reason| ("reason".to_owned(), reason)));
        table(f, None, &facts)?;
        let net = self.net.as_deref();
        let variables = case.variables.iter();
        let variables = variables.map(|(name, value)| (names::variable(net, *name), plain(value)));
        table(f, Some("variables"), &variables.collect::<Vec<_>>())?;
        let tokens = case.control.marking.iter();
        let tokens = tokens.map(|(frame, condition, count)| (names::marked(net, frame, condition), count.to_string()));
        table(f, Some("tokens"), &tokens.collect::<Vec<_>>())?;
        let items = case.control.items.iter();
        let items = items.map(|item| (format!("{} {}", item.id, names::task(net, item.task)), self.phase(item)));
        table(f, Some("work"), &items.collect::<Vec<_>>())?;
        if let Some(net) = net {
            let waits = waiting(net, case);
            let waits = waits
                .iter()
                .map(|one| (format!("{} {}", one.item, names::task(Some(net), one.task)), self.need(&one.needs)));
            table(f, Some("waits for"), &waits.collect::<Vec<_>>())?;
        }
        let done = self.done.iter().map(|done| {
            let name = format!("{} {}", done.item, names::task(net, done.task));
            (name, format!("by {} at {} (event {})", self.names.actor(done.actor), done.time, done.seq))
        });
        table(f, Some("done"), &done.collect::<Vec<_>>())
    }
}

impl CaseView {
    /// Tasks of the case's own net that are done; those that only route do not count.
    pub(crate) fn done_of_root(&self, net: &Net) -> u32 {
        tasks_done(net, &self.case, self.done.iter().map(|done| done.task))
    }

    fn need(&self, need: &Need) -> String {
        let net = self.net.as_deref();
        match need {
            Need::Rest { until: Some(until) } => format!("the end of its rest at {until}"),
            Need::Rest { until: None } => "somebody to resume it".to_owned(),
            Need::Signal { name } => format!("the signal {name}"),
            Need::Message { name, key } if key.is_empty() => format!("the message {name}"),
            Need::Message { name, key } => format!("the message {name} about {key}"),
            Need::Timer { at } => format!("its time, {at}"),
            Need::Taking { role: None, of } if of.is_empty() => "somebody to say who is asked".to_owned(),
            Need::Taking { role: Some(role), of } if of.is_empty() => {
                format!("somebody with role {} to take it", names::role(net, *role))
            }
            Need::Taking { of, .. } => {
                let of: Vec<String> = of.iter().map(|actor| self.names.actor(*actor)).collect();
                format!("{} to take it", of.join(" or "))
            }
            Need::Person { who, begun: true } => format!("{} to complete it", self.names.actor(*who)),
            Need::Person { who, begun: false } => format!("{} to begin it", self.names.actor(*who)),
            Need::Handler { name, attempt } => format!("the handler {name}, attempt {attempt}"),
            Need::Retry { at, attempt } => format!("attempt {attempt} at {at}"),
            Need::Decision => "somebody to try it again, drop it or complete it by force".to_owned(),
            _ => "something".to_owned(),
        }
    }

    fn phase(&self, item: &WorkItemState) -> String {
        let who = self.names.actor(item.resource.unwrap_or(ActorId::ENGINE));
        match item.phase {
            Phase::Offered if !item.offered_to.is_empty() => {
                let to: Vec<String> = item.offered_to.iter().map(|actor| self.names.actor(*actor)).collect();
                format!("offered to {}", to.join(", "))
            }
            Phase::Offered => match item.role {
                Some(role) => format!("offered to everybody with role {}", names::role(self.net.as_deref(), role)),
                None => "offered".to_owned(),
            },
            Phase::Allocated => format!("taken by {who}, not begun"),
            Phase::Started if item.attempt > 1 => format!("being done by {who}, attempt {}", item.attempt),
            Phase::Started => format!("being done by {who}"),
            Phase::Failed => match self.failures.iter().rev().find(|(failed, ..)| *failed == item.id) {
                Some((_, code, message)) => format!("failed: {code}: {message}"),
                None => "failed".to_owned(),
            },
            other => other.name().to_owned(),
        }
    }
}

/// A value as people write it; inside of lists and maps as JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Decimal(decimal) => decimal.to_string(),
        Value::Time(time) => time.to_string(),
        other => json::to_json(other).to_string(),
    }
}

/// Two aligned columns under a title; nothing at all when there are no rows.
fn table(f: &mut fmt::Formatter<'_>, title: Option<&str>, rows: &[(String, String)]) -> fmt::Result {
    if rows.is_empty() {
        return Ok(());
    }
    title.iter().try_for_each(|title| writeln!(f, "{title}"))?;
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    rows.iter().try_for_each(|(name, value)| writeln!(f, "  {name:width$}  {value}"))
}
