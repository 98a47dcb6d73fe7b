//! A case's state for people.

use std::fmt;

use actum_model::{ActorId, Phase, Value, WorkItemState, json};

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
        let done = self.done.iter().map(|done| {
            let name = format!("{} {}", done.item, names::task(net, done.task));
            (name, format!("by {} at {} (event {})", self.names.actor(done.actor), done.time, done.seq))
        });
        table(f, Some("done"), &done.collect::<Vec<_>>())
    }
}

impl CaseView {
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
