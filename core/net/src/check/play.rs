//! Simulated people: that they exist, and give back what the form asks for.

use std::collections::BTreeSet;

use actum_model::Value;

use super::names::{Tables, near};
use crate::diagnostic::Code;
use crate::play::{Play, PlayResult, SignalPlay, TaskPlay};
use crate::read::{Draft, TaskDraft, literal};
use crate::source::{Data, Findings, Node};
use crate::suggest::did_you_mean;

/// `tables` are the root's.
pub(super) fn check(draft: &Draft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Play {
    let mut play = Play::default();
    for (name, people) in &draft.play.participants {
        if let Some(role) = tables.role(name, findings) {
            play.participants.push((role, people.clone()));
        }
    }
    for task_play in &draft.play.tasks {
        let Some(task) = tables.labelled(&task_play.name, findings) else { continue };
        let Some(target) = tables.shared.draft_of(task) else { continue };
        if !target.is_manual() {
            let message = format!("no person does `{}`, so there is nothing to play", task_play.name.text);
            findings.error(Code::NotManual, task_play.name.span, message, None);
            continue;
        }
        let results = task_play.results.iter().map(|(weight, node)| result(*weight, node, target, findings)).collect();
        play.tasks.push(TaskPlay { task, minutes: task_play.minutes, results });
    }
    let triggers = draft.subnets.iter().flat_map(|subnet| &subnet.tasks).filter_map(|task| task.trigger.as_ref());
    let messages = draft.subnets.iter().flat_map(|subnet| &subnet.tasks).filter_map(|task| task.receive.as_ref());
    let mut awaited: BTreeSet<&str> = triggers.map(|trigger| trigger.signal.text.as_str()).collect();
    awaited.extend(messages.map(|receive| receive.message.text.as_str()));
    for (name, minutes) in &draft.play.signals {
        if !awaited.contains(name.text.as_str()) {
            let hint = near(&name.text, awaited.iter().copied(), findings).map(did_you_mean);
            findings.error(Code::UnknownSignal, name.span, format!("no task waits for a signal `{}`", name.text), hint);
        }
        play.signals.push(SignalPlay { signal: name.text.clone(), minutes: *minutes });
    }
    play.signals.sort_by(|left, right| left.signal.cmp(&right.signal));
    play.participants.sort_by_key(|(role, _)| *role);
    play.tasks.sort_by_key(|play| play.task);
    play
}

fn result(weight: u32, node: &Node, task: &TaskDraft, findings: &mut Findings<'_>) -> PlayResult {
    let fields = task.form.as_ref().map(|(_, fields)| fields.as_slice()).unwrap_or_default();
    let Data::Map(entries) = &node.data else { return PlayResult { weight, result: Value::Null } };
    let mut values = std::collections::BTreeMap::new();
    for (key, value) in entries {
        let Some(field) = fields.iter().find(|field| field.name.text == key.text) else {
            let message = format!("the form of `{}` has no field `{}`", task.name.text, key.text);
            let hint = near(&key.text, fields.iter().map(|field| field.name.text.as_str()), findings).map(did_you_mean);
            findings.error(Code::PlayMismatch, key.span, message, hint);
            continue;
        };
        match field.kind.admit(literal(value)) {
            Ok(value) => {
                values.insert(key.text.clone(), value);
            }
            Err(misfit) => {
                findings.error(Code::PlayMismatch, value.span, format!("field `{}`: {misfit}", key.text), None);
            }
        }
    }
    let given = |name: &str| entries.iter().any(|(key, value)| key.text == name && !matches!(value.data, Data::Null));
    for field in fields.iter().filter(|field| field.required && !given(&field.name.text)) {
        let message = format!("the required field `{}` is not given", field.name.text);
        findings.error(Code::PlayMismatch, node.span, message, None);
    }
    PlayResult { weight, result: Value::Map(values) }
}
