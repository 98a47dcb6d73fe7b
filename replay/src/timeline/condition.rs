//! Conditions over a case's past.

use std::collections::BTreeMap;

use actum_model::{FrameId, Value};
use actum_net::{Net, Predicate, ValueKind};

use crate::{CaseView, LoggedEvent, ReplayError, names};

/// Names that a condition sees beside the case's variables (which win where a name is both), each with its kind and meaning.
pub const BUILT_IN: [(&str, ValueKind, &str); 12] = [
    ("status", ValueKind::String, "open, completed, cancelled, deadlocked or failed"),
    ("tokens", ValueKind::Map, "tokens on each condition of the net, by name"),
    ("items", ValueKind::List, "live work: item, task, phase, actor, attempt"),
    ("done", ValueKind::List, "tasks that were completed, oldest first"),
    ("seq", ValueKind::Int, "position of the newest event"),
    ("version", ValueKind::Int, "how many events the case has"),
    ("time", ValueKind::Time, "when the newest event happened"),
    ("kind", ValueKind::String, "what the newest event is, such as WorkCompleted"),
    ("task", ValueKind::String, "the task that it is about, or null"),
    ("actor", ValueKind::String, "who caused it"),
    ("key", ValueKind::String, "the case's business key, or null"),
    ("here", ValueKind::Map, "all of these, such as `here.items`, where the case has variables of these names"),
];

/// The name of the map of all others.
const HERE: &str = "here";

/// A CEL condition over a case's state and its newest event.
#[derive(Debug, Clone)]
pub struct Condition {
    predicate: Predicate,
    /// What it reads; only this is worked out.
    reads: Vec<String>,
}

impl Condition {
    /// Compiles a condition for cases of a net.
    ///
    /// # Errors
    /// [`ReplayError::Condition`] with all that is wrong.
    pub fn compile(text: &str, net: &Net) -> Result<Self, ReplayError> {
        let root = net.subnets.first().map(|root| root.variables.clone()).unwrap_or_default();
        let variables = net.variables.get(root.start as usize..root.end as usize).unwrap_or_default();
        let own = variables.iter().map(|variable| (variable.name.as_str(), variable.kind));
        let built_in = BUILT_IN.iter().map(|(name, kind, _)| (*name, *kind));
        let predicate = Predicate::compile(text, &own.chain(built_in).collect::<Vec<_>>()).map_err(|errors| {
            let reasons: Vec<String> = errors.iter().map(ToString::to_string).collect();
            ReplayError::Condition { reason: reasons.join("; ") }
        })?;
        let reads = predicate.reads().into_iter().map(str::to_owned).collect();
        Ok(Condition { predicate, reads })
    }

    /// The condition's text.
    #[must_use]
    pub fn source(&self) -> &str {
        self.predicate.source()
    }

    /// Whether it asks for the list of what was done.
    pub(super) fn reads_done(&self) -> bool {
        self.reads.iter().any(|name| name == "done" || name == HERE)
    }

    /// Whether it holds in a state that `event` led to.
    ///
    /// # Errors
    /// [`ReplayError::Undecided`] where it has no answer, mostly because it compares a variable that was not set yet.
    pub fn holds(&self, view: &CaseView, event: &LoggedEvent) -> Result<bool, ReplayError> {
        let values: BTreeMap<&str, Value> =
            self.reads.iter().filter_map(|name| Some((name.as_str(), value(name, view, event)?))).collect();
        self.predicate.holds(&|name| values.get(name)).map_err(|error| {
            let unset: Vec<&str> = self.reads.iter().filter(|name| is_unset(name, view)).map(String::as_str).collect();
            let hint = unset.first().map(|name| {
                format!("; {} not set there: ask for `{name} != null && …`", unset.join(", ") + verb(unset.len()))
            });
            ReplayError::Undecided { seq: event.meta.seq, reason: error.to_string() + &hint.unwrap_or_default() }
        })
    }
}

fn verb(count: usize) -> &'static str {
    if count == 1 { " was" } else { " were" }
}

fn is_unset(name: &str, view: &CaseView) -> bool {
    let variable = view.net.as_ref().and_then(|net| net.variable(name));
    variable.is_some_and(|variable| view.case.variable(variable).is_none_or(|value| *value == Value::Null))
}

/// What a name means; `None` for null.
fn value(name: &str, view: &CaseView, event: &LoggedEvent) -> Option<Value> {
    match view.net.as_ref().and_then(|net| net.variable(name)) {
        Some(variable) => view.case.variable(variable).cloned(),
        None => built_in(name, view, event),
    }
}

fn built_in(name: &str, view: &CaseView, event: &LoggedEvent) -> Option<Value> {
    let net = view.net.as_deref();
    let text = |text: &str| Some(Value::String(text.to_owned()));
    match name {
        "status" => text(view.case.control.status.name()),
        "tokens" => Some(tokens(view)),
        "items" => Some(items(view)),
        "done" => {
            let done = view.done.iter().map(|done| Value::String(names::task(net, done.task)));
            Some(Value::List(done.collect()))
        }
        "seq" => Some(Value::Int(event.meta.seq.0 as i64)),
        "version" => Some(Value::Int(event.meta.version as i64)),
        "time" => Some(Value::Time(event.meta.time)),
        "kind" => text(event.kind()),
        "task" => text(&names::task(net, event.of_case()?.1.work()?.1)),
        "actor" => text(&view.names.actor(event.meta.actor)),
        "key" => text(view.key.as_deref()?),
        HERE => {
            let all = BUILT_IN.iter().filter(|(name, ..)| *name != HERE);
            let value = |name: &str| (name.to_owned(), built_in(name, view, event).unwrap_or(Value::Null));
            Some(Value::Map(all.map(|(name, ..)| value(name)).collect()))
        }
        _ => None,
    }
}

/// Every condition of the net is there, so that asking for one that is not marked is no error.
fn tokens(view: &CaseView) -> Value {
    let net = view.net.as_deref();
    let count = net.map_or(0, |net| net.conditions.len());
    let all = (0..count).map(|index| (names::condition(net, actum_model::ConditionIx::of(index)), 0));
    let mut tokens: BTreeMap<String, i64> = all.collect();
    for (_, condition, count) in view.case.control.marking.iter() {
        *tokens.entry(names::condition(net, condition)).or_default() += i64::from(count);
    }
    Value::Map(tokens.into_iter().map(|(name, count)| (name, Value::Int(count))).collect())
}

fn items(view: &CaseView) -> Value {
    let items = view.case.control.items.iter().map(|item| {
        let mut map = BTreeMap::from([
            ("item".to_owned(), Value::Int(i64::from(item.id.0))),
            ("task".to_owned(), Value::String(names::task(view.net.as_deref(), item.task))),
            ("phase".to_owned(), Value::String(item.phase.name().to_owned())),
            ("attempt".to_owned(), Value::Int(i64::from(item.attempt))),
        ]);
        let actor = item.resource.map_or(Value::Null, |actor| Value::String(view.names.actor(actor)));
        map.insert("actor".to_owned(), actor);
        if item.frame != FrameId::ROOT {
            map.insert("frame".to_owned(), Value::Int(i64::from(item.frame.0)));
        }
        Value::Map(map)
    });
    Value::List(items.collect())
}
