//! Structure: what no case can reach, what never ends, joins that never join.
//!
//! These are the cheap checks, linear in the net; whether a net is sound for certain is the kernel's exploration.

use super::arcs::Arcs;
use super::graph::{Graph, SubnetGraph};
use super::names::Place;
use crate::diagnostic::Code;
use crate::net::{ConditionIx, Join, Split};
use crate::read::{Draft, SubnetDraft, TaskDraft};
use crate::source::Findings;

/// Largest net, in conditions, whose AND joins are examined: the work grows with the square.
const EXAMINED_CONDITIONS_MAX: usize = 2_000;

pub(super) fn check(draft: &Draft, paths: &Paths<'_>, findings: &mut Findings<'_>) {
    let graph = paths.graph;
    let reached = paths.reached(None, &|_| true);
    let ending = paths.ending();
    for (subnet, own) in draft.subnets.iter().zip(&graph.subnets) {
        // Without a beginning nothing can be reached; that is reported already.
        if !graph.conditions[own.start.index()].consumers.is_empty() {
            paths.tasks(subnet, own, &reached, &ending, findings);
            conditions(subnet, own, &reached, &ending, findings);
        }
    }
    if graph.conditions.len() <= EXAMINED_CONDITIONS_MAX {
        never_joins(paths, findings);
    }
}

fn conditions(subnet: &SubnetDraft, own: &SubnetGraph, reached: &Marks, ending: &Marks, findings: &mut Findings<'_>) {
    for (at, condition) in subnet.conditions.iter().enumerate() {
        let place = own.place(Place::Condition(at)).index();
        if subnet.tasks.binary_search_by(|task| task.name.text.cmp(&condition.name.text)).is_ok() {
            // Reported as a duplicate.
            continue;
        }
        if !reached.conditions[place] {
            let message = format!("no case can reach the condition `{}`", condition.name.text);
            findings.error(Code::Unreachable, condition.name.span, message, Some("no flow leads there".to_owned()));
        } else if !ending.conditions[place] {
            let message = format!("no case can get from `{}` to the end", condition.name.text);
            findings.error(Code::DeadEnd, condition.name.span, message, None);
        }
    }
}

pub(super) struct Marks {
    tasks: Vec<bool>,
    pub(super) conditions: Vec<bool>,
}

/// The ways through all subnets, side by side. Mutexes are no obstacle: somebody gives them back.
pub(super) struct Paths<'g> {
    pub(super) graph: &'g Graph,
    arcs: &'g [Arcs],
    drafts: Vec<&'g TaskDraft>,
    /// Which tasks read each condition.
    readers: Vec<Vec<usize>>,
}

impl<'g> Paths<'g> {
    pub(super) fn of(draft: &'g Draft, graph: &'g Graph, arcs: &'g [Arcs]) -> Self {
        let mut readers = vec![Vec::new(); graph.conditions.len()];
        for (at, arcs) in arcs.iter().enumerate() {
            arcs.reads.iter().for_each(|condition| readers[condition.index()].push(at));
        }
        let drafts = draft.subnets.iter().flat_map(|subnet| &subnet.tasks).collect();
        Self { graph, arcs, drafts, readers }
    }

    fn marks(&self) -> Marks {
        Marks { tasks: vec![false; self.graph.tasks.len()], conditions: vec![false; self.graph.conditions.len()] }
    }

    /// Everything a case can get to, without the flow at `without` (a task and the place of its flow), if only tasks
    /// that `completes` tells ever complete.
    pub(super) fn reached(&self, without: Option<(usize, usize)>, completes: &dyn Fn(usize) -> bool) -> Marks {
        let mut marks = self.marks();
        let needed = |(task, arcs): (&super::graph::TaskNode, &Arcs)| {
            let inputs = match task.join {
                Join::And => task.inputs.len(),
                Join::Partial { of, .. } => of as usize,
                _ => 1,
            };
            (inputs, arcs.reads.len())
        };
        let mut missing: Vec<(usize, usize)> = self.graph.tasks.iter().zip(self.arcs).map(needed).collect();
        let mut open: Vec<ConditionIx> = Vec::new();
        for own in &self.graph.subnets {
            open.push(own.start);
            open.extend(&own.mutexes);
        }
        open.iter().for_each(|condition| marks.conditions[condition.index()] = true);
        while let Some(condition) = open.pop() {
            let consumers = self.graph.conditions[condition.index()].consumers.iter().map(|task| (task.index(), true));
            let readers = self.readers[condition.index()].iter().map(|task| (*task, false));
            for (at, input) in consumers.chain(readers) {
                let (inputs, reads) = &mut missing[at];
                let counter = if input { inputs } else { reads };
                *counter = counter.saturating_sub(1);
                if missing[at] != (0, 0) || marks.tasks[at] {
                    continue;
                }
                marks.tasks[at] = true;
                if !completes(at) {
                    continue;
                }
                for (place, output) in self.graph.tasks[at].outputs.iter().enumerate() {
                    if Some((at, place)) != without && !marks.conditions[output.to.index()] {
                        marks.conditions[output.to.index()] = true;
                        open.push(output.to);
                    }
                }
            }
        }
        marks
    }

    /// Everything from which an end can be reached: the end of the subnet, or under implicit termination a task that leads nowhere.
    fn ending(&self) -> Marks {
        let mut marks = self.marks();
        let mut open: Vec<ConditionIx> = self.graph.subnets.iter().map(|own| own.end).collect();
        open.iter().for_each(|condition| marks.conditions[condition.index()] = true);
        let incomplete = self.graph.tasks.iter().enumerate().filter(|(_, task)| task.incomplete).map(|(at, _)| at);
        let mut tasks: Vec<usize> = incomplete.collect();
        loop {
            while let Some(at) = tasks.pop() {
                if !std::mem::replace(&mut marks.tasks[at], true) {
                    for input in self.graph.tasks[at].inputs.iter().chain(&self.arcs[at].reads) {
                        if !std::mem::replace(&mut marks.conditions[input.index()], true) {
                            open.push(*input);
                        }
                    }
                }
            }
            let Some(condition) = open.pop() else { return marks };
            tasks.extend(self.graph.conditions[condition.index()].producers.iter().map(|task| task.index()));
        }
    }

    fn tasks(
        &self,
        subnet: &SubnetDraft,
        own: &SubnetGraph,
        reached: &Marks,
        ending: &Marks,
        findings: &mut Findings<'_>,
    ) {
        let tasks = own.tasks.clone().zip(&subnet.tasks);
        for (at, task) in tasks.filter(|(_, task)| task.compensates.is_none()) {
            if !reached.tasks[at] {
                let comes = |condition: &ConditionIx| reached.conditions[condition.index()];
                let inputs = &self.graph.tasks[at].inputs;
                let hint = if !self.arcs[at].reads.iter().all(comes) {
                    "it reads a condition that no flow leads to"
                } else if !inputs.iter().any(comes) {
                    "no flow leads there from `start`"
                } else if self.graph.tasks[at].join == Join::And {
                    "its `and` join waits for a flow that only comes after it"
                } else {
                    "its join waits for flows that only come after it"
                };
                let message = format!("no case can reach the task `{}`", task.name.text);
                findings.error(Code::Unreachable, task.name.span, message, Some(hint.to_owned()));
            } else if !ending.tasks[at] {
                let message = format!("no case can get from `{}` to the end", task.name.text);
                let hint = if subnet.implicit { "let some task lead nowhere" } else { "let a flow lead to `end`" };
                findings.error(Code::DeadEnd, task.name.span, message, Some(hint.to_owned()));
            }
        }
    }
}

/// Warns of an AND join two of whose inputs hang on different flows of one XOR split: without them, they are out of reach.
fn never_joins(paths: &Paths<'_>, findings: &mut Findings<'_>) {
    let graph = paths.graph;
    let joins: Vec<usize> = (0..graph.tasks.len())
        .filter(|at| graph.tasks[*at].join == Join::And && graph.tasks[*at].inputs.len() > 1)
        .collect();
    if joins.is_empty() {
        return;
    }
    let mut reported = vec![false; graph.tasks.len()];
    for (at, task) in graph.tasks.iter().enumerate().filter(|(_, task)| task.split == Split::Xor) {
        let branches: Vec<Marks> =
            (0..task.outputs.len()).map(|place| paths.reached(Some((at, place)), &|_| true)).collect();
        for join in &joins {
            let depends = |input: &ConditionIx| branches.iter().position(|without| !without.conditions[input.index()]);
            let mut on: Vec<usize> = graph.tasks[*join].inputs.iter().filter_map(depends).collect();
            on.sort_unstable();
            on.dedup();
            if on.len() > 1 && !std::mem::replace(&mut reported[*join], true) {
                let (join, split) = (&paths.drafts[*join].name, &paths.drafts[at].name.text);
                let message = format!("`{}` waits for flows of `{split}` of which only one is taken", join.text);
                findings.warning(
                    Code::NeverJoins,
                    join.span,
                    message,
                    Some("use `join: xor`, or `split: and`".to_owned()),
                );
            }
        }
    }
}
