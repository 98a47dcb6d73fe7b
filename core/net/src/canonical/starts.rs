//! Starts, and messages that tasks wait for.

use std::collections::BTreeMap;

use actum_model::Value;

use super::object::Object;
use super::string;
use crate::read::{ReceiveDraft, StartDraft, literal};
use crate::start::CatchUp;

pub(super) fn starts(starts: &[StartDraft]) -> impl Iterator<Item = (String, Value)> + '_ {
    starts.iter().map(|start| (start.name.text.clone(), one(start)))
}

fn one(start: &StartDraft) -> Value {
    let text = |name: &Option<crate::read::Name>| name.as_ref().map(|name| string(&name.text));
    // As a program that reads it would write it.
    let cron = start.cron.as_ref().map(|cron| string(&spaced(&cron.text)));
    let policy = start.catch_up.map(|(_, policy)| policy).filter(|policy| *policy != CatchUp::default());
    let input =
        start.input.as_ref().map(|part| literal(&part.node)).filter(|input| *input != Value::Map(BTreeMap::new()));
    Object::default()
        .flag("manual", start.hand)
        .with("cron", cron)
        .with("zone", text(&start.zone))
        .with("every", text(&start.every))
        .with("from", text(&start.from))
        .with("catch_up", policy.map(|policy| string(policy.name())))
        .with("message", text(&start.message))
        .with("key", start.key.as_ref().map(literal))
        .with("input", input)
        .done()
}

pub(super) fn receive(receive: &ReceiveDraft) -> Value {
    let message = Object::default().with("message", Some(string(&receive.message.text)));
    message.with("key", receive.key.as_ref().map(literal)).done()
}

/// The fields of a cron expression, one space apart.
pub(super) fn spaced(cron: &str) -> String {
    cron.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
