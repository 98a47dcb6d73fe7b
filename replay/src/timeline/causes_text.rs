//! Why an event happened, for people and for programs.

use std::fmt;

use actum_model::json;
use serde_json::{Map, Value as Json, json};

use super::{GuardSeen, Outcome, Reasons, Step};
use crate::view_text::plain;

/// Characters of a value that are shown among others.
const VALUE_CHARS_MAX: usize = 80;

impl Reasons {
    /// The reasons as JSON; the keys are listed in `TIMELINE.md`. What was decided about who does the work stands beside the chain.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut json = match &self.allocation {
            Some(why) => why.to_json(),
            None => json!({ "case": self.case.0 }),
        };
        json["case"] = self.case.0.into();
        if let Some(asked) = self.chain.first() {
            json["seq"] = asked.seq.0.into();
        }
        json["chain"] = self.chain.iter().map(step_json).collect();
        json["more"] = self.more.into();
        json
    }
}

fn step_json(step: &Step) -> Json {
    let mut keys = Map::new();
    let mut put = |key: &str, value: Json| keys.insert(key.to_owned(), value);
    put("seq", step.seq.0.into());
    put("version", json!(step.version));
    put("time", json!(step.time.map(|time| time.to_string())));
    put("kind", json!(step.kind));
    put("item", json!(step.work.as_ref().map(|(item, _)| item)));
    put("task", json!(step.work.as_ref().map(|(_, task)| task)));
    put("actor", json!((!step.actor.is_empty()).then_some(&step.actor)));
    put("because", json!(step.because));
    put("guards", step.guards.iter().map(guard_json).collect());
    if let Some(other) = &step.on_behalf_of {
        put("on_behalf_of", json!(other));
    }
    if let Some(command) = &step.command {
        put("command", json!(hex(command)));
    }
    if let Some(trace) = &step.trace {
        put("trace", json!({ "trace": hex(&trace.trace_id), "span": hex(&trace.span_id) }));
    }
    if let Some(cause) = step.remote {
        put("remote_cause", json!({ "partition": cause.partition, "seq": cause.seq }));
    }
    Json::Object(keys)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn guard_json(seen: &GuardSeen) -> Json {
    let saw: Map<String, Json> = seen.saw.iter().map(|(name, value)| (name.clone(), json::to_json(value))).collect();
    let (outcome, error) = match &seen.outcome {
        Outcome::Error(reason) => ("error", Some(reason)),
        other => (word(other), None),
    };
    json!({
        "task": seen.task,
        "to": seen.to,
        "guard": seen.guard,
        "outcome": outcome,
        "error": error,
        "taken": seen.taken,
        "consistent": seen.is_consistent(),
        "saw": saw,
    })
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Holds => "holds",
        Outcome::Fails => "fails",
        Outcome::NotAsked => "not-asked",
        Outcome::Default => "default",
        Outcome::Error(_) => "error",
    }
}

impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "case {}", self.case)?;
        for (depth, step) in self.chain.iter().enumerate() {
            writeln!(f, "{}{step}", if depth == 0 { "  " } else { "  because of " })?;
            writeln!(f, "      {}{}", step.because, asked(step))?;
            step.guards.iter().try_for_each(|seen| guard(f, seen))?;
        }
        if self.more {
            writeln!(f, "  and so on; ask about event {} for what is before", self.chain[self.chain.len() - 1].seq)?;
        }
        match &self.allocation {
            Some(why) => write!(f, "who does it\n{}", indented(&why.to_string())),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}", self.seq)?;
        if let (Some(version), Some(kind), Some(time)) = (self.version, self.kind, self.time) {
            write!(f, " (@v{version}) {kind}")?;
            self.work.iter().try_for_each(|(item, task)| write!(f, " #{item} {task}"))?;
            write!(f, ", by {} at {time}", self.actor)?;
        }
        Ok(())
    }
}

/// What the log says of the request.
fn asked(step: &Step) -> String {
    let other = step.on_behalf_of.as_ref().map(|other| format!("; on behalf of {other}"));
    let command = step.command.as_ref().map(|command| format!("; command {}", hex(command)));
    let remote = step.remote.map(|cause| format!("; caused by event {}:{}", cause.partition, cause.seq));
    [other, command, remote].into_iter().flatten().collect()
}

fn guard(f: &mut fmt::Formatter<'_>, seen: &GuardSeen) -> fmt::Result {
    let taken = if seen.taken { "taken" } else { "not taken" };
    let guard = seen.guard.as_deref().map_or_else(|| "default".to_owned(), |guard| format!("when {guard}"));
    let outcome = match &seen.outcome {
        Outcome::Holds => ": holds".to_owned(),
        Outcome::Fails => ": does not hold".to_owned(),
        Outcome::NotAsked => ": not asked, another flow was taken".to_owned(),
        Outcome::Default => String::new(),
        Outcome::Error(reason) => format!(": no answer, {reason}"),
    };
    writeln!(f, "      flow to {}, {guard}{outcome}; {taken}", seen.to)?;
    if !seen.saw.is_empty() {
        let saw: Vec<String> =
            seen.saw.iter().map(|(name, value)| format!("{name} = {}", cut(&plain(value)))).collect();
        writeln!(f, "        it saw {}", saw.join(", "))?;
    }
    if !seen.is_consistent() {
        writeln!(f, "        the log says otherwise: `actum verify --lawful` judges that")?;
    }
    Ok(())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
