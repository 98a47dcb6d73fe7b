//! `waits`: when nothing is left to do, every open case waits for something that has a name, and nothing that is due was forgotten.

use std::collections::{BTreeMap, HashSet};

use actum::{CallRow, Case, CaseId, ItemId, Phase, Time};
use actum_model::WorkItemState;
use actum_net::{Net, Work};

use super::{Broken, hold};
use crate::observer::Observer;
use crate::work::{Key, is_called};

const NAME: &str = "waits";

/// An engine that has nothing to do.
pub(crate) struct Quiet<'a> {
    pub(crate) now: Time,
    /// Calls that the engine knows of.
    pub(crate) calls: &'a [CallRow],
    /// Calls that handlers are at, by their keys.
    pub(crate) running: &'a HashSet<Key>,
    /// All of the engine's handlers are busy: more calls wait for them.
    pub(crate) is_full: bool,
}

/// Holds every open case to what it waits for; how often each reason was found.
pub(crate) fn all_wait(seen: &Observer, quiet: &Quiet<'_>) -> Result<BTreeMap<&'static str, u32>, Broken> {
    let mut reasons = BTreeMap::new();
    for case in seen.open() {
        for reason in of_case(case, seen.net(case), quiet)? {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    Ok(reasons)
}

fn of_case(case: &Case, net: &Net, quiet: &Quiet<'_>) -> Result<HashSet<&'static str>, Broken> {
    let control = &case.control;
    let mut reasons = HashSet::new();
    if control.suspended {
        reasons.insert("rest");
    }
    for item in &control.items {
        if let Some(reason) = of_item(case, net, item, quiet)? {
            reasons.insert(reason);
        }
        if !at_rest(case, item) && !control.suspended {
            let due = |at: Option<Time>| at.is_some_and(|at| at <= quiet.now) && item.phase != Phase::Failed;
            let retry = control.retry_at(item.id).is_some_and(|at| at <= quiet.now);
            hold(NAME, !due(item.timer) && !retry, || {
                format!("what {} of case {} waits for came due, and nothing happened: {item:?}", item.id, case.id)
            })?;
        }
    }
    if !control.suspended {
        let is_due = control.deadline().is_some_and(|at| at <= quiet.now);
        hold(NAME, !is_due, || format!("the deadline of case {} came, and nothing happened", case.id))?;
    }
    hold(NAME, !reasons.is_empty(), || format!("case {} waits for nothing: {control:?}", case.id))?;
    Ok(reasons)
}

/// What an item waits for; nothing if others wait for it.
fn of_item(case: &Case, net: &Net, item: &WorkItemState, quiet: &Quiet<'_>) -> Result<Option<&'static str>, Broken> {
    let task = &net.tasks[item.task.index()];
    let control = &case.control;
    let is_firing = task.instances.is_some() && item.instance.is_none();
    if item.phase == Phase::Suspended || at_rest(case, item) {
        return Ok(Some("rest"));
    }
    if item.phase == Phase::Failed {
        return Ok(Some(if control.retry_at(item.id).is_some() { "retry" } else { "dead letter" }));
    }
    if task.trigger.is_some() && !item.triggered && item.instance.is_none() && item.phase == Phase::Enabled {
        return Ok(Some("signal"));
    }
    if is_firing && item.phase == Phase::Started {
        return Ok(None);
    }
    match &task.work {
        Work::Manual { .. } => Ok(Some("person")),
        Work::Wait(_) => Ok(Some("timer")),
        Work::Automatic { handler, .. } if item.phase == Phase::Started => of_call(case.id, item, handler, quiet),
        // A composite waits for what is inside of it; what routes never waits.
        _ if control.frame_of_item(item.id).is_some() => Ok(None),
        _ if control.awaited_by(item.id).is_some() => Ok(Some("message")),
        // It may fire when a mutex is given back.
        _ if item.phase == Phase::Enabled => Ok(Some("mutex")),
        _ => Ok(None),
    }
}

fn of_call(id: CaseId, item: &WorkItemState, handler: &str, quiet: &Quiet<'_>) -> Result<Option<&'static str>, Broken> {
    let is_it = |row: &&CallRow| (row.case, row.item, row.attempt) == (id, item.id, item.attempt);
    let row = quiet.calls.iter().find(is_it);
    hold(NAME, row.is_some(), || format!("nobody calls the handler of {} of case {id}: {item:?}", item.id))?;
    if row.is_some_and(|row| row.waits) {
        return Ok(Some("limit"));
    }
    let runs = quiet.running.contains(&(id, item.id, item.attempt)) || quiet.is_full || !is_called(handler);
    hold(NAME, runs, || format!("the handler of {} of case {id} was never called: {item:?}", item.id))?;
    Ok(Some("handler"))
}

/// Something that the item is part of rests.
fn at_rest(case: &Case, item: &WorkItemState) -> bool {
    let control = &case.control;
    let rests = |id: ItemId| control.item(id).is_some_and(|item| item.phase == Phase::Suspended);
    let or_firing = |id: ItemId| rests(id) || control.item(id).and_then(WorkItemState::family).is_some_and(rests);
    or_firing(item.id) || control.frames_above(item.frame).any(|frame| or_firing(frame.item))
}
