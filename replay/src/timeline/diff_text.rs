//! A difference for people and for programs.

use std::fmt;

use actum_model::{Value, json};
use serde_json::{Value as Json, json};

use super::{Difference, ItemFace, Side};
use crate::view_text::plain;

impl Difference {
    /// The difference as JSON; the keys are listed in `TIMELINE.md`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let value = |value: &Option<Value>| value.as_ref().map_or(Json::Null, json::to_json);
        let variables = self.variables.iter().map(
            |change| json!({ "variable": change.name, "before": value(&change.before), "after": value(&change.after) }),
        );
        let tokens = self
            .tokens
            .iter()
            .map(|change| json!({ "condition": change.condition, "before": change.before, "after": change.after }));
        let items = self.items.iter().map(|change| {
            json!({
                "task": change.task,
                "before": change.before.as_ref().map(face_json),
                "after": change.after.as_ref().map(face_json),
            })
        });
        let list = |held: &[(String, &str)]| {
            let held = held.iter().map(|(task, phase)| json!({ "task": task, "phase": phase }));
            held.collect::<Vec<_>>()
        };
        let resources = self.holdings.iter().map(
            |change| json!({ "actor": change.actor, "before": list(&change.before), "after": list(&change.after) }),
        );
        json!({
            "before": side_json(&self.before),
            "after": side_json(&self.after),
            "same": self.is_empty(),
            "variables": variables.collect::<Vec<_>>(),
            "tokens": tokens.collect::<Vec<_>>(),
            "items": items.collect::<Vec<_>>(),
            "resources": resources.collect::<Vec<_>>(),
        })
    }
}

fn side_json(side: &Side) -> Json {
    json!({
        "case": side.case.0,
        "key": side.key,
        "net": side.net,
        "net_hash": side.net_hash,
        "status": side.status,
        "seq": side.seq.0,
        "version": side.version,
        "time": side.time.to_string(),
    })
}

fn face_json(face: &ItemFace) -> Json {
    json!({
        "item": face.item.0,
        "phase": face.phase.name(),
        "who": (!face.who.is_empty()).then_some(&face.who),
        "attempt": face.attempt,
        "until": face.until.map(|time| time.to_string()),
    })
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "--- {}", self.before)?;
        writeln!(f, "+++ {}", self.after)?;
        if self.before.net_hash != self.after.net_hash {
            writeln!(f, "net\n  {} {} -> {}", self.before.net, short(&self.before), short(&self.after))?;
        }
        if self.before.status != self.after.status {
            writeln!(f, "status\n  {} -> {}", self.before.status, self.after.status)?;
        }
        let value = |value: &Option<Value>| value.as_ref().map_or_else(|| "not set".to_owned(), plain);
        let variables = self.variables.iter();
        section(f, "variables", variables.map(|c| (c.name.clone(), value(&c.before), value(&c.after))))?;
        let tokens = self.tokens.iter();
        section(f, "tokens", tokens.map(|c| (c.condition.clone(), c.before.to_string(), c.after.to_string())))?;
        let items = self.items.iter().map(|c| {
            let number = c.before.as_ref().or(c.after.as_ref()).map(|face| face.item.to_string());
            (format!("{} {}", number.unwrap_or_default(), c.task), face(c.before.as_ref()), face(c.after.as_ref()))
        });
        section(f, "work", items)?;
        let holdings = self.holdings.iter();
        section(f, "resources", holdings.map(|c| (c.actor.clone(), held(&c.before), held(&c.after))))?;
        if self.is_empty() {
            writeln!(f, "nothing differs")?;
        }
        Ok(())
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "case {}", self.case)?;
        self.key.iter().try_for_each(|key| write!(f, " ({key})"))?;
        write!(f, " after event {} (@v{}) at {}: {}", self.seq, self.version, self.time, self.status)
    }
}

fn short(side: &Side) -> &str {
    side.net_hash.get(..12).unwrap_or(&side.net_hash)
}

fn face(face: Option<&ItemFace>) -> String {
    let Some(face) = face else { return "not there".to_owned() };
    let who = (!face.who.is_empty()).then(|| format!(" ({})", face.who));
    let attempt = (face.attempt > 1).then(|| format!(", attempt {}", face.attempt));
    let until = face.until.map(|until| format!(", until {until}"));
    let more: String = [who, attempt, until].into_iter().flatten().collect();
    format!("{}{more}", face.phase.name())
}

fn held(held: &[(String, &str)]) -> String {
    if held.is_empty() {
        return "nothing".to_owned();
    }
    held.iter().map(|(task, phase)| format!("{task} {phase}")).collect::<Vec<_>>().join(", ")
}

fn section(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    rows: impl Iterator<Item = (String, String, String)>,
) -> fmt::Result {
    let rows: Vec<_> = rows.collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(f, "{title}")?;
    let width = rows.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    rows.iter().try_for_each(|(name, before, after)| writeln!(f, "  {name:width$}  {before} -> {after}"))
}
