//! A map under construction.

use std::collections::BTreeMap;

use actum_model::Value;

/// A map under construction; what is absent is left out.
#[derive(Default)]
pub(super) struct Object(BTreeMap<String, Value>);

impl Object {
    pub(super) fn with(mut self, key: &str, value: Option<Value>) -> Self {
        self.0.extend(value.map(|value| (key.to_owned(), value)));
        self
    }

    pub(super) fn text(self, key: &str, text: Option<&String>) -> Self {
        self.with(key, text.cloned().map(Value::String))
    }

    pub(super) fn flag(self, key: &str, set: bool) -> Self {
        self.with(key, set.then_some(Value::Bool(true)))
    }

    pub(super) fn map(self, key: &str, entries: impl Iterator<Item = (String, Value)>) -> Self {
        let entries: BTreeMap<String, Value> = entries.collect();
        self.with(key, (!entries.is_empty()).then_some(Value::Map(entries)))
    }

    pub(super) fn done(self) -> Value {
        Value::Map(self.0)
    }

    /// The map, unless it is empty.
    pub(super) fn unless_empty(self) -> Option<Value> {
        (!self.0.is_empty()).then(|| self.done())
    }
}
