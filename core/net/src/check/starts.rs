//! Starts: one of by hand, by the clock, by a message; inputs that the net has. And messages that tasks wait for.

use std::collections::BTreeSet;

use actum_model::{Cron, Time, Zone};

use super::expressions::{self, template};
use super::names::Tables;
use crate::diagnostic::Code;
use crate::expression::{Given, Names, ResultShape, Template};
use crate::kind::{ValueKind, time_from_text};
use crate::net::Work;
use crate::read::{Draft, Name, ReceiveDraft, StartDraft};
use crate::source::{Data, Findings, Node};
use crate::start::{Start, StartBy, Times};
use crate::wait::duration;

/// Shortest distance between two starts, in nanoseconds.
const EVERY_LEAST: u64 = 1_000_000_000;

/// Why a start's templates see no result.
const NO_RESULT: ResultShape<'static> = ResultShape::Absent("nothing was done yet: `message` and `due` are there");

/// The starts of a net, by name; `tables` are the root's.
pub(super) fn check(draft: &Draft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Vec<Start> {
    let starts = draft.starts.iter().filter_map(|start| one(start, draft, tables, findings));
    starts.collect()
}

fn one(draft: &StartDraft, net: &Draft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Option<Start> {
    let bad = |name: &Name, message: String, hint: &str, findings: &mut Findings<'_>| {
        findings.error(Code::BadStart, name.span, message, Some(hint.to_owned()));
    };
    let kinds = [draft.hand, draft.cron.is_some(), draft.every.is_some(), draft.message.is_some()];
    if kinds.iter().filter(|there| **there).count() != 1 {
        let message = format!("`{}` starts by one thing", draft.name.text);
        bad(&draft.name, message, "write one of `manual: true`, `cron`, `every`, `message`", findings);
        return None;
    }
    let mut misplaced = |there: bool, key: &str, with: &str| {
        if there {
            bad(&draft.name, format!("`{key}` of `{}` needs `{with}`", draft.name.text), "drop it", findings);
        }
    };
    let by_clock = draft.cron.is_some() || draft.every.is_some();
    misplaced(draft.zone.is_some() && draft.cron.is_none(), "zone", "cron");
    misplaced(draft.from.is_some() && draft.every.is_none(), "from", "every");
    misplaced(draft.catch_up.is_some() && !by_clock, "catch_up", "cron` or `every");
    misplaced(draft.key.is_some() && draft.message.is_none(), "key", "message");
    misplaced(draft.input.is_some() && draft.hand, "input", "cron`, `every` or `message");
    let given: &[Given] = if draft.message.is_some() { &[Given::Message] } else { &[Given::Due] };
    let names = Names { variables: &[], given, ..tables.names(given, NO_RESULT) };
    let input = inputs(draft, net, names, findings);
    let by = match (&draft.cron, &draft.every, &draft.message) {
        (Some(cron), ..) => clock(draft, times_of_cron(cron, draft.zone.as_ref(), findings)?),
        (_, Some(every), _) => clock(draft, times_of_every(every, draft.from.as_ref(), findings)?),
        (.., Some(message)) => {
            let key = match &draft.key {
                Some(node) => Some(key(node, names, findings)?),
                None => None,
            };
            StartBy::Message { name: message.text.clone(), key }
        }
        _ => StartBy::Hand,
    };
    Some(Start { name: draft.name.text.clone(), by, input: input? })
}

fn clock(draft: &StartDraft, times: Times) -> StartBy {
    StartBy::Clock { times, catch_up: draft.catch_up.map(|(_, policy)| policy).unwrap_or_default() }
}

/// Times of cron in a zone; UTC without one.
pub(super) fn times_of_cron(cron: &Name, zone: Option<&Name>, findings: &mut Findings<'_>) -> Option<Times> {
    let known = zone.map_or_else(|| Zone::named("UTC"), |zone| Zone::named(&zone.text));
    if let Some(zone) = zone.filter(|_| !known.is_known()) {
        let hint = "a name of the IANA database, such as `Europe/Berlin`".to_owned();
        findings.error(Code::BadTime, zone.span, format!("there is no time zone `{}`", zone.text), Some(hint));
    }
    match Cron::parse(&cron.text) {
        Ok(cron) => Some(Times::Cron { cron, zone: known }),
        Err(error) => {
            findings.error(Code::BadTime, cron.span, error.to_string(), Some("such as `0 9 * * mon-fri`".to_owned()));
            None
        }
    }
}

fn times_of_every(every: &Name, from: Option<&Name>, findings: &mut Findings<'_>) -> Option<Times> {
    let length = duration(&every.text).filter(|length| *length >= EVERY_LEAST);
    if length.is_none() {
        let hint = Some("a second at least: `PT15M`, `P1D`".to_owned());
        findings.error(Code::BadTime, every.span, "this is not a distance between starts", hint);
    }
    let moment = from.map(|from| {
        let moment = time_from_text(&from.text);
        if moment.is_none() {
            let hint = Some("RFC 3339, such as `2026-05-01T12:00:00Z`".to_owned());
            findings.error(Code::BadTime, from.span, "this is not a point in time", hint);
        }
        moment
    });
    Some(Times::Every { nanoseconds: length?, from: moment.unwrap_or(Some(Time(0)))? })
}

/// Every input is the net's, and all that it requires are given.
fn inputs(draft: &StartDraft, net: &Draft, names: Names<'_>, findings: &mut Findings<'_>) -> Option<Template> {
    let entries = match draft.input.as_ref().map(|part| &part.node.data) {
        Some(Data::Map(entries)) => entries.as_slice(),
        _ => &[],
    };
    let variables = &net.subnets[0].variables;
    for (key, node) in entries {
        let compiled = template(node, names, findings);
        let known = variables.iter().find(|variable| variable.input && variable.name.text == key.text);
        let Some(known) = known else {
            let hint = Some("declare it under `data:` with `input: true`".to_owned());
            findings.error(Code::UnknownVariable, key.span, format!("the net has no input `{}`", key.text), hint);
            continue;
        };
        if let Some((template, kind)) = compiled
            && !expressions::fits(&template, kind, known.kind)
        {
            let message = format!("`{}` holds {}, not {}", key.text, known.kind, kind.name());
            findings.error(Code::TypeMismatch, node.span, message, None);
        }
    }
    let given: BTreeSet<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
    let lacks = |name: &str| !given.contains(name) && !draft.hand;
    for variable in variables.iter().filter(|variable| variable.required && lacks(&variable.name.text)) {
        let message = format!("`{}` does not give the required input `{}`", draft.name.text, variable.name.text);
        findings.error(Code::BadStart, draft.name.span, message, Some("give it under `input:`".to_owned()));
    }
    match &draft.input {
        Some(part) => template(&part.node, names, findings).map(|(template, _)| template),
        None => Some(expressions::empty()),
    }
}

/// What a message is about: text, or what can be written as text.
fn key(node: &Node, names: Names<'_>, findings: &mut Findings<'_>) -> Option<Template> {
    let (key, kind) = template(node, names, findings)?;
    let kinds = [ValueKind::String, ValueKind::Int, ValueKind::Bool, ValueKind::Decimal, ValueKind::Time];
    let good = match key.literal() {
        Some(value) => crate::start::key_text(value).is_some(),
        None => kinds.into_iter().any(|wanted| kind.may_fill(wanted)),
    };
    if !good {
        let hint = Some("text, a number, true or false, or a time".to_owned());
        findings.error(Code::BadStart, node.span, "this is not a key", hint);
    }
    Some(key)
}

/// The message of a task that receives one; `None` after a finding.
pub(super) fn receive(draft: &ReceiveDraft, names: Names<'_>, findings: &mut Findings<'_>) -> Option<Work> {
    let about = match &draft.key {
        Some(node) => Some(key(node, names, findings)?),
        None => None,
    };
    Some(Work::Receive { message: draft.message.text.clone(), key: about })
}
