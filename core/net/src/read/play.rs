//! Reads `play`: how simulated people behave.

use super::data::name_of;
use super::table::{Table, entries};
use super::{Name, PlayDraft, TaskPlayDraft, names, wrong_type};
use crate::diagnostic::Code;
use crate::source::{Data, Findings, Key, Node, Span};

/// Longest time a simulated task takes: ten years of minutes.
const MINUTES_MAX: i64 = 10 * 366 * 24 * 60;

/// Largest weight of a result.
const WEIGHT_MAX: i64 = 1_000_000;

pub(super) fn play(node: &Node, findings: &mut Findings<'_>) -> PlayDraft {
    let Some(mut table) = Table::of(node, "`play`", findings) else { return PlayDraft::default() };
    let mut play = PlayDraft::default();
    if let Some((_, node)) = table.take("participants") {
        for (key, node) in entries(node, findings).unwrap_or_default() {
            let people = names(node, findings).into_iter().map(|name| name.text).collect();
            play.participants.push((name_of(key), people));
        }
    }
    if let Some((_, node)) = table.take("tasks") {
        let tasks = entries(node, findings).unwrap_or_default();
        play.tasks = tasks.iter().filter_map(|(key, node)| task(key, node, findings)).collect();
    }
    if let Some((_, node)) = table.take("signals") {
        let signals = entries(node, findings).unwrap_or_default();
        play.signals = signals.iter().filter_map(|(key, node)| signal(key, node, findings)).collect();
    }
    table.finish(findings);
    play
}

fn task(key: &Key, node: &Node, findings: &mut Findings<'_>) -> Option<TaskPlayDraft> {
    let mut table = Table::of(node, &format!("play of task `{}`", key.text), findings)?;
    let minutes = table.required("minutes", findings).and_then(|(_, node)| minutes(node, findings));
    let results = match table.required("results", findings) {
        Some((_, Node { data: Data::List(items), .. })) if !items.is_empty() => {
            items.iter().filter_map(|item| result(item, findings)).collect()
        }
        Some((_, node)) => {
            wrong_type(node, "a list of results", None, findings);
            Vec::new()
        }
        None => Vec::new(),
    };
    table.finish(findings);
    Some(TaskPlayDraft { name: name_of(key), minutes: minutes.unwrap_or_default(), results })
}

fn signal(key: &Key, node: &Node, findings: &mut Findings<'_>) -> Option<(Name, (u32, u32))> {
    let mut table = Table::of(node, &format!("play of signal `{}`", key.text), findings)?;
    let minutes = table.required("minutes", findings).and_then(|(_, node)| minutes(node, findings));
    table.finish(findings);
    Some((name_of(key), minutes?))
}

fn minutes(node: &Node, findings: &mut Findings<'_>) -> Option<(u32, u32)> {
    let range = match &node.data {
        Data::Int(minutes) => Some((*minutes, *minutes)),
        Data::List(items) => match items.as_slice() {
            [Node { data: Data::Int(low), .. }, Node { data: Data::Int(high), .. }] => Some((*low, *high)),
            _ => None,
        },
        _ => None,
    };
    let Some((low, high)) = range else {
        wrong_type(node, "`[SHORTEST, LONGEST]` in whole minutes", None, findings);
        return None;
    };
    if low < 0 || high < low || high > MINUTES_MAX {
        let message = format!("minutes go from 0 to {MINUTES_MAX}, the shorter first");
        findings.error(Code::BadValue, node.span, message, None);
        return None;
    }
    Some((u32::try_from(low).ok()?, u32::try_from(high).ok()?))
}

fn result(node: &Node, findings: &mut Findings<'_>) -> Option<(u32, Node)> {
    let mut table = Table::of(node, "a result", findings)?;
    let weight = match table.take("weight") {
        None => Some(1),
        Some((_, Node { data: Data::Int(weight), .. })) if (1..=WEIGHT_MAX).contains(weight) => {
            u32::try_from(*weight).ok()
        }
        Some((_, node)) => {
            bad_weight(node.span, findings);
            None
        }
    };
    let result = table.required("result", findings).filter(|(_, node)| entries(node, findings).is_some());
    table.finish(findings);
    Some((weight?, result?.1.clone()))
}

fn bad_weight(span: Span, findings: &mut Findings<'_>) {
    findings.error(Code::BadValue, span, format!("a weight is an integer from 1 to {WEIGHT_MAX}"), None);
}
