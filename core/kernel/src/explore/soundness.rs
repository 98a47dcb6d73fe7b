//! Soundness: whether a case can always end, ends properly, and whether every task can happen.
//!
//! After van der Aalst, van Hee, ter Hofstede, Sidorova, Verbeek, Voorhoeve, Wynn: *Soundness of workflow nets*, 2011. Every
//! choice over unknown data counts as free and independent of others, so what is found may need data that never occurs; what
//! is not found in a complete exploration cannot happen.

use std::collections::VecDeque;

use actum_model::TaskIx;
use actum_net::{ConditionIx, Net, Scenario};

use super::growth::Growth;
use super::plan::Plan;
use super::space::{Ending, Space, visit};
use super::{Exploration, ExploreError, Problem, View};

/// What is wrong with a net.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// A case can get where nothing more is possible.
    Deadlock,
    /// A case can get where it goes on for ever and cannot end.
    NeverEnds,
    /// A case can end while work is still possible or under way, which is discarded.
    WorkDiscarded,
    /// A case can end while tokens lie where nobody took them.
    TokensLeft,
    /// Tokens can pile up without end.
    Unbounded,
    /// No case ever gets to the task.
    DeadTask,
}

/// A finding about a net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// The task it is about, if it is about one.
    pub task: Option<TaskIx>,
    /// The condition it is about, if it is about one.
    pub condition: Option<ConditionIx>,
    /// A shortest way there; empty where it takes none.
    pub way: Vec<String>,
}

/// What an exploration found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soundness {
    /// What is wrong: each kind once for each task or condition.
    pub findings: Vec<Finding>,
    /// What fails on some way by the net's own data: each kind once for each task.
    pub problems: Vec<Problem>,
    /// Number of states that were visited.
    pub states: usize,
    /// Every state was visited, so that what was not found cannot happen.
    pub complete: bool,
}

/// Looks at every state of a net, at most `states_max`.
///
/// # Errors
/// [`ExploreError`], if no case can begin.
pub fn soundness(net: &Net, states_max: usize) -> Result<Soundness, ExploreError> {
    let scenario = Scenario::default();
    // Starts and completions interleave as they do, but ways are told in completions.
    let exploration =
        Exploration { net, scenario: &scenario, view: View { lifecycle: true, cancel: false }, states_max };
    let mut plan = Plan::new(&exploration);
    plan.signals_come = true;
    let space = visit(&plan, states_max, Some(Growth::default()))?;
    let mut findings = Vec::new();
    if let Some((condition, state)) = space.notes.grows {
        let task = net.conditions[condition.index()].producers.first().copied();
        let way = brief(space.way_to(state));
        findings.push(Finding { kind: FindingKind::Unbounded, task, condition: Some(condition), way });
    }
    stuck(&space, &mut findings);
    left_over(net, &space, &mut findings);
    if space.is_complete() {
        endless(&plan, &space, &mut findings);
        // Behind what failed nothing was seen.
        if space.problems().is_empty() {
            dead(net, &space, &mut findings);
        }
    }
    let (problems, states) = (space.problems().to_vec(), space.states());
    Ok(Soundness { findings, problems, states, complete: space.is_complete() })
}

/// Where cases get stuck; the shortest way for each task that waits then.
fn stuck(space: &Space, findings: &mut Vec<Finding>) {
    for (task, state) in &space.notes.stuck {
        if !findings.iter().any(|known| known.kind == FindingKind::Deadlock && known.task == *task) {
            let way = brief(space.way_to(*state));
            findings.push(Finding { kind: FindingKind::Deadlock, task: *task, condition: None, way });
        }
    }
}

fn left_over(net: &Net, space: &Space, findings: &mut Vec<Finding>) {
    let way = |(from, label): (u32, u32)| {
        let mut way = space.way_to(from);
        way.extend(space.label(label).iter().cloned());
        brief(way)
    };
    for (task, step) in &space.notes.discarded {
        let (kind, task) = (FindingKind::WorkDiscarded, Some(*task));
        findings.push(Finding { kind, task, condition: None, way: way(*step) });
    }
    for (condition, step) in &space.notes.left {
        let definition = &net.conditions[condition.index()];
        // Work that was possible says it better; and a token that others only look at may stay.
        let said = definition.consumers.iter().any(|task| {
            findings.iter().any(|known| known.kind == FindingKind::WorkDiscarded && known.task == Some(*task))
        });
        let read = net.tasks.iter().any(|task| task.reads.contains(condition));
        if !said && !read {
            let task = definition.consumers.first().or(definition.producers.first()).copied();
            let kind = FindingKind::TokensLeft;
            findings.push(Finding { kind, task, condition: Some(*condition), way: way(*step) });
        }
    }
}

/// Where no end of any kind can be reached any more.
fn endless(plan: &Plan<'_>, space: &Space, findings: &mut Vec<Finding>) {
    let count = space.states();
    let mut before: Vec<Vec<u32>> = vec![Vec::new(); count];
    let mut ends = vec![false; count];
    let mut open: VecDeque<u32> = VecDeque::new();
    for state in 0..count as u32 {
        space.steps_of(state).iter().for_each(|(_, target)| before[*target as usize].push(state));
        if space.ending(state).is_some() {
            ends[state as usize] = true;
            open.push_back(state);
        }
    }
    while let Some(state) = open.pop_front() {
        for earlier in &before[state as usize] {
            if !std::mem::replace(&mut ends[*earlier as usize], true) {
                open.push_back(*earlier);
            }
        }
    }
    let Some(state) = ends.iter().position(|ends| !ends) else { return };
    let mut words = space.steps_of(state as u32).iter().flat_map(|(label, _)| space.label(*label));
    let named = |word: &String| plan.names.iter().position(|name| *name == word.trim_end_matches(['+', '-']));
    let task = words.find_map(named).map(TaskIx::of);
    let way = brief(space.way_to(state as u32));
    findings.push(Finding { kind: FindingKind::NeverEnds, task, condition: None, way });
}

/// Tasks that never fire. Where a case gets stuck waiting with one, that says it better.
fn dead(net: &Net, space: &Space, findings: &mut Vec<Finding>) {
    for (index, task) in net.tasks.iter().enumerate() {
        let said = findings.iter().any(|known| known.task == Some(TaskIx::of(index)));
        if !space.notes.fired[index] && !task.compensates && !said {
            let task = Some(TaskIx::of(index));
            findings.push(Finding { kind: FindingKind::DeadTask, task, condition: None, way: Vec::new() });
        }
    }
}

/// A way in completions: what was started and not completed is told at the end.
fn brief(way: Vec<String>) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    let mut running: Vec<String> = Vec::new();
    for word in way {
        if let Some(name) = word.strip_suffix('+') {
            running.push(name.to_owned());
        } else if let Some(name) = word.strip_suffix('-') {
            if let Some(at) = running.iter().position(|running| running == name) {
                running.remove(at);
            }
            told.push(name.to_owned());
        } else {
            told.push(word);
        }
    }
    told.extend(running.into_iter().map(|name| format!("{name}+")));
    told
}

impl Space {
    /// Some case can complete.
    #[must_use]
    pub fn can_complete(&self) -> bool {
        (0..self.states() as u32).any(|state| self.ending(state) == Some(Ending::Done))
    }
}
