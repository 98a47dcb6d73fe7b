//! The canonical form: what the log stores and the hash covers.
//!
//! It is a net file in JSON without spaces: keys sorted by bytes, defaults left out, shorthands written out (`flow: end`
//! becomes `[{"to":"end"}]`), lists only where order means something. `play` is part of it: a net is what was deployed, as a whole.
//! So comments, spelling and the order of keys do not change a net's hash; everything else does.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use actum_model::Value;

use crate::net::{Join, Net, Split};
use crate::read::{Draft, LANGUAGE_VERSION, Name, PlayDraft, TaskDraft, literal};

/// The derive-key context of a net's hash.
pub(crate) const HASH_CONTEXT: &str = "actum 2026 net 1";

/// Bytes that are not the canonical form of a net.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// The bytes are a net, but written differently: no log of this version holds them.
    #[error("the net is not in its canonical form")]
    NotCanonical,
    /// The bytes are not a net that may run.
    #[error("not a net: {0}")]
    NotANet(String),
}

impl Net {
    /// Makes the net of a canonical form again: equal in every part to the one that was compiled from the source.
    ///
    /// # Errors
    /// [`CanonicalError`], when the bytes are anything else than what [`Net::canonical`] was.
    pub fn from_canonical(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let text = std::str::from_utf8(bytes).map_err(|error| CanonicalError::NotANet(error.to_string()))?;
        let net = crate::compile(text)
            .map_err(|found| CanonicalError::NotANet(found.first().map_or_else(String::new, ToString::to_string)))?
            .net;
        if net.canonical == bytes { Ok(net) } else { Err(CanonicalError::NotCanonical) }
    }
}

/// Writes a draft that has no errors, and whose parts are sorted.
pub(crate) fn write(draft: &Draft) -> String {
    let mut text = String::new();
    write_value(&mut text, &document(draft));
    text
}

/// A map under construction; what is absent is left out.
#[derive(Default)]
struct Object(BTreeMap<String, Value>);

impl Object {
    fn with(mut self, key: &str, value: Option<Value>) -> Self {
        self.0.extend(value.map(|value| (key.to_owned(), value)));
        self
    }

    fn text(self, key: &str, text: Option<&String>) -> Self {
        self.with(key, text.cloned().map(Value::String))
    }

    fn flag(self, key: &str, set: bool) -> Self {
        self.with(key, set.then_some(Value::Bool(true)))
    }

    fn map(self, key: &str, entries: impl Iterator<Item = (String, Value)>) -> Self {
        let entries: BTreeMap<String, Value> = entries.collect();
        self.with(key, (!entries.is_empty()).then_some(Value::Map(entries)))
    }

    fn done(self) -> Value {
        Value::Map(self.0)
    }
}

fn string(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// Names in an order that means nothing.
fn sorted(names: &[Name]) -> Value {
    let mut names: Vec<&str> = names.iter().map(|name| name.text.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    Value::List(names.into_iter().map(string).collect())
}

fn document(draft: &Draft) -> Value {
    let variables = draft.variables.iter().map(|variable| {
        let default = variable.default.as_ref().map(literal).filter(|value| *value != Value::Null);
        let entry = Object::default()
            .with("type", Some(string(variable.kind.name())))
            .flag("input", variable.input)
            .flag("required", variable.required)
            .with("default", default)
            .text("description", variable.description.as_ref());
        (variable.name.text.clone(), entry.done())
    });
    let roles = draft
        .roles
        .iter()
        .map(|role| (role.name.text.clone(), Object::default().text("title", role.title.as_ref()).done()));
    let conditions = draft.conditions.iter().map(|condition| {
        let entry =
            Object::default().text("title", condition.title.as_ref()).with("flow", Some(sorted(&condition.flow)));
        (condition.name.text.clone(), entry.done())
    });
    let incoming = incoming(draft);
    let tasks = draft.tasks.iter().map(|task| {
        let name = task.name.text.as_str();
        (name.to_owned(), self::task(task, incoming.get(name).copied().unwrap_or_default()))
    });
    Object::default()
        .with("actum", Some(Value::Int(LANGUAGE_VERSION)))
        .with("net", Some(string(&draft.name.text)))
        .text("version", draft.version.as_ref())
        .text("title", draft.title.as_ref())
        .text("description", draft.description.as_ref())
        .map("data", variables)
        .map("roles", roles)
        .map("conditions", conditions)
        .with("start", Some(sorted(&draft.start)))
        .map("tasks", tasks)
        .with("play", play(&draft.play))
        .done()
}

fn task(task: &TaskDraft, incoming: usize) -> Value {
    let join = match task.join {
        Some(join) if incoming > 1 => Some(match join {
            Join::And => "and",
            Join::Xor => "xor",
            Join::Or => "or",
        }),
        _ => None,
    };
    let split = match task.split {
        Some(split) if task.flow.len() > 1 => Some(match split {
            Split::And => "and",
            Split::Xor => "xor",
            Split::Or => "or",
        }),
        _ => None,
    };
    let flow = task.flow.iter().map(|flow| {
        Object::default()
            .with("to", Some(string(&flow.to.text)))
            .with("when", flow.when.as_ref().map(|when| string(when.text.trim())))
            .flag("default", flow.default)
            .done()
    });
    let form = task.form.iter().flat_map(|(_, fields)| fields).map(|field| {
        let entry = Object::default()
            .with("type", Some(string(field.kind.name())))
            .flag("required", field.required)
            .text("title", field.title.as_ref());
        (field.name.text.clone(), entry.done())
    });
    let part = |part: &Option<crate::read::Part>| {
        part.as_ref().map(|part| literal(&part.node)).filter(|value| *value != Value::Map(BTreeMap::new()))
    };
    let separate_from = task.separate_from.as_ref().map(|(_, names)| sorted(names));
    Object::default()
        .text("title", task.title.as_ref())
        .text("description", task.description.as_ref())
        .with("join", join.map(string))
        .with("split", split.map(string))
        .with("handler", task.handler.as_ref().map(|name| string(&name.text)))
        .with("params", part(&task.params))
        .with("role", task.role.as_ref().map(|name| string(&name.text)))
        .with("separate_from", separate_from)
        .with("input", part(&task.input))
        .map("form", form)
        .map("output", task.output.iter().map(|(name, node)| (name.text.clone(), literal(node))))
        .with("flow", Some(Value::List(flow.collect())))
        .done()
}

/// How many input conditions each task has.
fn incoming(draft: &Draft) -> HashMap<&str, usize> {
    let flows =
        draft.tasks.iter().map(|task| task.flow.iter().map(|flow| flow.to.text.as_str()).collect::<BTreeSet<_>>());
    let explicit = draft.conditions.iter().map(|condition| distinct(&condition.flow));
    let mut incoming = HashMap::new();
    for task in flows.chain(explicit).chain([distinct(&draft.start)]).flatten() {
        *incoming.entry(task).or_default() += 1;
    }
    incoming
}

fn distinct(names: &[Name]) -> BTreeSet<&str> {
    names.iter().map(|name| name.text.as_str()).collect()
}

fn play(play: &PlayDraft) -> Option<Value> {
    let participants = play
        .participants
        .iter()
        .map(|(name, people)| (name.text.clone(), Value::List(people.iter().map(|person| string(person)).collect())));
    let tasks = play.tasks.iter().map(|task| {
        let minutes = [task.minutes.0, task.minutes.1].map(|minutes| Value::Int(i64::from(minutes)));
        let results = task.results.iter().map(|(weight, node)| {
            Object::default()
                .with("weight", Some(Value::Int(i64::from(*weight))))
                .with("result", Some(literal(node)))
                .done()
        });
        let entry = Object::default()
            .with("minutes", Some(Value::List(minutes.into())))
            .with("results", Some(Value::List(results.collect())));
        (task.name.text.clone(), entry.done())
    });
    let entry = Object::default().map("participants", participants).map("tasks", tasks);
    (!entry.0.is_empty()).then(|| entry.done())
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => {
            let _ = write!(text, "{number}");
        }
        // The shortest digits that give the same number, and always a point or an exponent.
        Value::Double(number) => {
            let _ = write!(text, "{number:?}");
        }
        Value::String(content) => write_string(text, content),
        Value::List(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                write_value(text, item);
            }
            text.push(']');
        }
        Value::Map(entries) => {
            text.push('{');
            for (index, (key, item)) in entries.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                write_string(text, key);
                text.push(':');
                write_value(text, item);
            }
            text.push('}');
        }
        // Only literals of a net file come here, and they have no other kinds.
        _ => text.push_str("null"),
    }
}

/// Writes a JSON string that is a YAML string too: what YAML calls unprintable is escaped.
pub(crate) fn write_string(text: &mut String, content: &str) {
    text.push('"');
    for letter in content.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}
