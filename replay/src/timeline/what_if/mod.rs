//! What might have been: a case forked after one of its events, with other data or another net, gone on with in memory.
//!
//! The kernel decides as it would have; what people, handlers and the outside did comes from the past, where the same task asks
//! again, or from a [`World`]. Nothing here can reach a log: it works on copies.

mod outcomes;
mod report;
mod run;
mod translate;

use std::sync::Arc;

use actum_model::{Case, CaseEvent, CaseStatus, Time, Value};
use actum_net::{Net, TaskIx};

use super::{Difference, Story, diff};
use crate::state::Fold;
use crate::{CaseView, Done, LoggedEvent, ReplayError};

use outcomes::Outcomes;
use run::{Run, settle};

/// Events after which it is given up: a net may go in circles for ever.
pub const FORK_EVENTS_MAX: usize = 20_000;

/// What is other than it was.
#[derive(Debug, Clone, Default)]
pub struct Premise {
    /// Variables of the case with the values that they are to have.
    pub set: Vec<(String, Value)>,
    /// The net that the case is to run from there on.
    pub net: Option<Arc<Net>>,
    /// Leave what people did aside, and ask the [`World`]. Otherwise it is asked only about handlers.
    pub simulated: bool,
}

/// Who knows what the past does not.
pub trait World {
    /// How many minutes somebody takes for the `visit`-th item (from 1) of a task, and what they give back.
    fn person(&self, net: &Net, task: TaskIx, visit: u32) -> Option<(u32, Value)>;

    /// After how many minutes a signal comes that a task waits for the `visit`-th time.
    fn signal(&self, net: &Net, signal: &str, visit: u32) -> Option<u32>;

    /// What a handler gives back, if it does nothing but compute.
    fn handler(&self, handler: &str, input: &Value) -> Option<Value>;
}

/// Why it did not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// The case ended.
    Ended,
    /// Nothing would happen but what nobody knows; what the case waits for.
    Waits(Vec<String>),
    /// After [`FORK_EVENTS_MAX`] events.
    Circles,
}

/// What would have happened, beside what did.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// How many events of the case come before the fork: those of the decision that was asked about are kept together.
    pub fork: usize,
    /// The fork is later than was asked, at the end of that decision.
    pub moved: bool,
    /// What was set, with the values before.
    pub set: Vec<(String, Option<Value>, Value)>,
    /// Name and hash of the other net.
    pub net: Option<Arc<Net>>,
    /// The events that would have followed. Their positions and times are made up.
    pub events: Vec<LoggedEvent>,
    /// How many of them are as they were: the first that differs comes after so many.
    pub same: usize,
    /// What people did in the past that was not asked for again: kinds and tasks.
    pub left_out: Vec<String>,
    /// Why it did not go on.
    pub stopped: Stopped,
    /// The case at the end of that.
    pub view: CaseView,
    /// How that differs from its end in the log.
    pub difference: Difference,
}

/// Goes on with a case from after `count` of its events as `premise` says.
///
/// People are those whom the directory has at the end of the log; strategies that choose by load or history know of none.
///
/// # Errors
/// The log does not have the case's net, the net has no such variable, a value does not fit it, or another net has no place for
/// what the case holds.
pub fn what_if(story: &Story, count: usize, premise: &Premise, world: &dyn World) -> Result<WhatIf, ReplayError> {
    let old = story.net().filter(|_| !story.is_empty()).ok_or(ReplayError::NoNet { case: story.case() })?;
    let fork = end_of_decision(story, old, count.clamp(1, story.len().max(1)));
    let net = premise.net.as_ref().unwrap_or(old).clone();
    let mut fold = match &premise.net {
        Some(new) => translate::onto(story, fork, old, new)?,
        None => story.fold(fork),
    };
    let set = set_all(&mut fold.case, &net, &premise.set)?;
    let outcomes = Outcomes::of(story, old, fork);
    let mut run = Run::new(story, &net, fold, fork);
    if premise.net.is_some() || !set.is_empty() {
        settle(&mut run);
    }
    let stopped = run::go_on(&mut run, &outcomes, premise.simulated, world);
    let left_out = outcomes.left_out(&run);
    let Run { fold, events, .. } = run;
    let view = view(story, &net, fold, fork, premise.net.is_some(), &events);
    let difference = diff(&story.view(story.len()), &view);
    let same = same(story, fork, &events, (old, &net));
    let net = premise.net.clone();
    Ok(WhatIf { fork, moved: fork != count, set, net, events, same, left_out, stopped, view, difference })
}

/// The events of one decision belong together: what the kernel did at once cannot be half done.
fn end_of_decision(story: &Story, net: &Net, mut count: usize) -> usize {
    while let Some(next) = story.events().get(count) {
        if run::begins_decision(story, net, count, next) {
            break;
        }
        count += 1;
    }
    count
}

type Set = Vec<(String, Option<Value>, Value)>;

fn set_all(case: &mut Case, net: &Net, set: &[(String, Value)]) -> Result<Set, ReplayError> {
    let mut done = Set::new();
    for (name, value) in set {
        let Some(variable) = net.variable(name) else {
            let known: Vec<&str> = net.variables.iter().map(|variable| variable.name.as_str()).collect();
            let there = format!("there are: {}", known.join(", "));
            return Err(ReplayError::NoVariable { name: name.clone(), there });
        };
        let refused = |reason: String| ReplayError::Premise { reason: format!("{name} cannot be set: {reason}") };
        value.check().map_err(|error| refused(error.to_string()))?;
        let kind = net.variables[variable.index()].kind;
        let value = kind.admit(value.clone()).map_err(|misfit| refused(misfit.to_string()))?;
        let variables = &mut case.variables;
        let before = match variables.binary_search_by_key(&variable, |(set, _)| *set) {
            Ok(index) => Some(std::mem::replace(&mut variables[index].1, value.clone())),
            Err(index) => {
                variables.insert(index, (variable, value.clone()));
                None
            }
        };
        done.push((name.clone(), before, value));
    }
    Ok(done)
}

fn view(story: &Story, net: &Arc<Net>, fold: Fold, fork: usize, other_net: bool, events: &[LoggedEvent]) -> CaseView {
    // What was done before means tasks of the net that it was done by.
    let mut done = if other_net { Vec::new() } else { story.view(fork).done };
    let new = events.iter().filter_map(|logged| Done::of(&logged.meta, logged.of_case()?.1));
    done.extend(new);
    let mut view = story.view_of(fold, false);
    view.net = Some(net.clone());
    view.done = done;
    view
}

/// Number of events that are as they were.
fn same(story: &Story, fork: usize, events: &[LoggedEvent], (old, new): (&Net, &Net)) -> usize {
    let was = story.events().get(fork..).unwrap_or_default();
    let gist = |logged: &LoggedEvent, net: &Net| {
        let mut json = crate::json_of_case(logged, Some(net), story.names());
        for key in ["seq", "version", "time", "cause", "command", "trace", "on_behalf_of", "until", "item"] {
            json.as_object_mut().and_then(|keys| keys.remove(key));
        }
        json
    };
    was.iter().zip(events).take_while(|(was, is)| gist(was, old) == gist(is, new)).count()
}

impl WhatIf {
    /// The case ended, and how.
    #[must_use]
    pub fn status(&self) -> CaseStatus {
        self.view.case.control.status
    }

    /// When the last of it happened.
    #[must_use]
    pub fn time(&self) -> Time {
        self.view.case.changed
    }
}

/// A case's event, for those inside who make some up.
fn of_case(logged: &LoggedEvent) -> Option<&CaseEvent> {
    logged.of_case().map(|(_, event)| event)
}
