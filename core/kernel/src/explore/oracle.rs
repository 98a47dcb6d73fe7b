//! Answers what nobody knows, in every way: one way each time a decision is repeated.

use std::cell::RefCell;
use std::fmt;

use actum_model::TaskIx;
use actum_net::Split;
use smallvec::SmallVec;

use super::counters::{Counters, visit, visited};
use super::plan::Plan;
use crate::Oracle;

/// How often one guard is answered freely within one decision. Routing in circles makes more; then the way is cut, as the
/// state after another round was reached without it.
const ROUNDS_MAX: usize = 2;

/// Most ways in which one step is repeated.
pub(super) const WAYS_MAX: usize = 10_000;

/// The choices of one way through a step: what was chosen, and among how many. Repeating the step with the next script
/// gives the next way, depth first.
#[derive(Debug, Default)]
pub(super) struct Script {
    choices: Vec<(u32, u32)>,
    at: usize,
}

impl Script {
    /// One of `count` (at least 1).
    pub(super) fn choose(&mut self, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        if self.at == self.choices.len() {
            self.choices.push((0, count as u32));
        }
        self.at += 1;
        self.choices[self.at - 1].0 as usize
    }

    /// Goes to the next way; false when there is none.
    pub(super) fn advance(&mut self) -> bool {
        self.choices.truncate(self.at);
        self.at = 0;
        while let Some((chosen, count)) = self.choices.last_mut() {
            *chosen += 1;
            if chosen < count {
                return true;
            }
            self.choices.pop();
        }
        false
    }
}

/// The environment during one way through a step.
pub(super) struct Teller<'p> {
    plan: &'p Plan<'p>,
    round: RefCell<Round>,
}

/// What changes while it answers.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) script: Script,
    pub(super) counters: Counters,
    /// The flows that a split under way takes, if the scenario directs it.
    chosen: Option<(TaskIx, SmallVec<[usize; 2]>)>,
    /// Guards that were answered freely in this decision.
    asked: Vec<(TaskIx, usize)>,
    /// No alternative was left, by the scenario's bounds.
    pub(super) exhausted: bool,
    /// A bound of the exploration itself was met.
    pub(super) cut: bool,
}

impl<'p> Teller<'p> {
    pub(super) fn new(plan: &'p Plan<'p>, script: Script, counters: Counters) -> Self {
        Teller { plan, round: RefCell::new(Round { script, counters, ..Round::default() }) }
    }

    pub(super) fn into_round(self) -> Round {
        self.round.into_inner()
    }

    /// One of `count`, by the script.
    pub(super) fn choose(&self, count: usize) -> usize {
        self.round.borrow_mut().script.choose(count)
    }

    /// Takes note of an event from outside.
    pub(super) fn happened(&self, event: usize) {
        self.round.borrow_mut().counters[event] -= 1;
    }

    /// What a task gives back this time: `None` if the scenario does not say.
    pub(super) fn result(&self, task: TaskIx) -> Option<&'p actum_model::Value> {
        let round = &mut *self.round.borrow_mut();
        let (results, first) = (&self.plan.scenario.results, self.plan.places.results);
        let (alternatives, place) = visit(results, first, task, &round.counters)?;
        let chosen = round.script.choose(alternatives.len());
        visited(results, first, place, &mut round.counters);
        Some(&alternatives[chosen])
    }

    /// Chooses the flows of a split that the scenario directs.
    fn direct(&self, task: TaskIx, round: &mut Round) -> SmallVec<[usize; 2]> {
        let (choices, first) = (&self.plan.scenario.choices, self.plan.places.choices);
        let given = visit(choices, first, task, &round.counters);
        let mut ways: Vec<SmallVec<[usize; 2]>> = match given {
            Some((alternatives, _)) => alternatives.iter().map(|flows| flows.iter().copied().collect()).collect(),
            None => every_way(self.plan, task),
        };
        if let Some((_, place)) = given {
            visited(choices, first, place, &mut round.counters);
        }
        let spent = |flow: usize| self.plan.bound_of(task, flow).is_some_and(|place| round.counters[place] == 0);
        ways.retain(|way| !way.iter().any(|flow| spent(*flow)));
        if ways.is_empty() {
            round.exhausted = true;
            return SmallVec::new();
        }
        let way = ways.swap_remove(round.script.choose(ways.len()));
        for flow in &way {
            if let Some(place) = self.plan.bound_of(task, *flow) {
                round.counters[place] -= 1;
            }
        }
        way
    }
}

impl fmt::Debug for Teller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Teller").field(&self.round).finish()
    }
}

/// Every way a split can go: one flow each, or every choice of some flows with a guard, or the default alone.
fn every_way(plan: &Plan<'_>, task: TaskIx) -> Vec<SmallVec<[usize; 2]>> {
    let definition = &plan.net.tasks[task.index()];
    let one = |flow: usize| std::iter::once(flow).collect();
    if definition.split == Split::Xor {
        return (0..definition.outputs.len()).map(one).collect();
    }
    let guarded: Vec<usize> = (0..definition.outputs.len()).filter(|at| !definition.outputs[*at].default).collect();
    // More flows than this would be more ways than are followed.
    let guarded = &guarded[..guarded.len().min(13)];
    let some = (1..1_usize << guarded.len())
        .map(|set| (0..guarded.len()).filter(|at| set >> at & 1 == 1).map(|at| guarded[at]).collect());
    some.chain((0..definition.outputs.len()).filter(|at| definition.outputs[*at].default).map(one)).collect()
}

impl Oracle for Teller<'_> {
    fn guard(&self, task: TaskIx, flow: usize) -> Option<bool> {
        let round = &mut *self.round.borrow_mut();
        if self.plan.is_directed(task) {
            // Guards are asked in the order of the flows, so the first one begins a new choice.
            if flow == 0 || round.chosen.as_ref().is_none_or(|(of, _)| *of != task) {
                let way = self.direct(task, round);
                round.chosen = Some((task, way));
            }
            return round.chosen.as_ref().map(|(_, flows)| flows.contains(&flow));
        }
        if !self.plan.is_free(task, flow) {
            return None;
        }
        let asked = round.asked.iter().filter(|one| **one == (task, flow)).count();
        if asked >= ROUNDS_MAX {
            round.cut = true;
            return Some(false);
        }
        round.asked.push((task, flow));
        Some(round.script.choose(2) == 0)
    }

    fn count(&self, task: TaskIx) -> Option<u32> {
        let round = &mut *self.round.borrow_mut();
        let (instances, first) = (&self.plan.scenario.instances, self.plan.places.instances);
        if let Some((alternatives, place)) = visit(instances, first, task, &round.counters) {
            let chosen = round.script.choose(alternatives.len());
            visited(instances, first, place, &mut round.counters);
            return Some(alternatives[chosen]);
        }
        let (least, most) = self.plan.free_count(task)?;
        Some(least + round.script.choose((most - least) as usize + 1) as u32)
    }

    fn until(&self, task: TaskIx) -> Option<bool> {
        let round = &mut *self.round.borrow_mut();
        self.plan.has_free_until(task).then(|| round.script.choose(2) == 0)
    }
}
