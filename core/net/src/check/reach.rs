//! Structure: what no case can reach, what never ends, joins that never join.
//!
//! These are the cheap checks, linear in the net; whether a net is sound for certain is the kernel's exploration.

use super::graph::{END, Graph, OWN_CONDITIONS, START};
use crate::diagnostic::Code;
use crate::net::{Join, Split};
use crate::read::Draft;
use crate::source::{Findings, Span};

/// Largest net, in conditions, whose AND joins are examined: the work grows with the square.
const EXAMINED_CONDITIONS_MAX: usize = 2_000;

pub(super) fn check(draft: &Draft, graph: &Graph, findings: &mut Findings<'_>) {
    if graph.conditions[START.index()].consumers.is_empty() {
        // Reported already; without a beginning nothing can be reached.
        return;
    }
    let reached = reached(graph, None);
    let ending = ending(graph);
    let spans = |at: usize| draft.tasks.get(at).map_or(Span::default(), |task| task.name.span);
    for (at, task) in draft.tasks.iter().enumerate() {
        if !reached.tasks[at] {
            let waits = graph.tasks[at].inputs.iter().any(|input| reached.conditions[input.index()]);
            let hint = if waits {
                "its `and` join waits for a flow that only comes after it"
            } else {
                "no flow leads there from `start`"
            };
            let message = format!("no case can reach the task `{}`", task.name.text);
            findings.error(Code::Unreachable, spans(at), message, Some(hint.to_owned()));
        } else if !ending.tasks[at] {
            let message = format!("no case can get from `{}` to the end", task.name.text);
            findings.error(Code::DeadEnd, spans(at), message, Some("let a flow lead to `end`".to_owned()));
        }
    }
    for (at, condition) in draft.conditions.iter().enumerate() {
        let place = at + OWN_CONDITIONS;
        if draft.tasks.binary_search_by(|task| task.name.text.cmp(&condition.name.text)).is_ok() {
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
    if graph.conditions.len() <= EXAMINED_CONDITIONS_MAX {
        never_joins(draft, graph, findings);
    }
}

struct Marks {
    tasks: Vec<bool>,
    conditions: Vec<bool>,
}

/// Everything a case can get to, without the flow at `without` (a task and the place of its flow).
fn reached(graph: &Graph, without: Option<(usize, usize)>) -> Marks {
    let mut marks = Marks { tasks: vec![false; graph.tasks.len()], conditions: vec![false; graph.conditions.len()] };
    let mut missing: Vec<usize> =
        graph.tasks.iter().map(|task| if task.join == Join::And { task.inputs.len() } else { 1 }).collect();
    let mut open = vec![START];
    marks.conditions[START.index()] = true;
    while let Some(condition) = open.pop() {
        for task in &graph.conditions[condition.index()].consumers {
            let at = task.index();
            missing[at] = missing[at].saturating_sub(1);
            if missing[at] > 0 || marks.tasks[at] {
                continue;
            }
            marks.tasks[at] = true;
            for (place, (to, _)) in graph.tasks[at].outputs.iter().enumerate() {
                if Some((at, place)) != without && !marks.conditions[to.index()] {
                    marks.conditions[to.index()] = true;
                    open.push(*to);
                }
            }
        }
    }
    marks
}

/// Everything from which the end can be reached.
fn ending(graph: &Graph) -> Marks {
    let mut marks = Marks { tasks: vec![false; graph.tasks.len()], conditions: vec![false; graph.conditions.len()] };
    let mut open = vec![END];
    marks.conditions[END.index()] = true;
    let incomplete = graph.tasks.iter().enumerate().filter(|(_, task)| task.incomplete).map(|(at, _)| at);
    let mut tasks: Vec<usize> = incomplete.collect();
    loop {
        while let Some(at) = tasks.pop() {
            if !std::mem::replace(&mut marks.tasks[at], true) {
                for input in &graph.tasks[at].inputs {
                    if !std::mem::replace(&mut marks.conditions[input.index()], true) {
                        open.push(*input);
                    }
                }
            }
        }
        let Some(condition) = open.pop() else { return marks };
        tasks.extend(graph.conditions[condition.index()].producers.iter().map(|task| task.index()));
    }
}

/// Warns of an AND join two of whose inputs hang on different flows of one XOR split: without them, they are out of reach.
fn never_joins(draft: &Draft, graph: &Graph, findings: &mut Findings<'_>) {
    let joins: Vec<usize> = (0..graph.tasks.len())
        .filter(|at| graph.tasks[*at].join == Join::And && graph.tasks[*at].inputs.len() > 1)
        .collect();
    if joins.is_empty() {
        return;
    }
    let mut reported = vec![false; graph.tasks.len()];
    for (at, task) in graph.tasks.iter().enumerate().filter(|(_, task)| task.split == Split::Xor) {
        let branches: Vec<Marks> = (0..task.outputs.len()).map(|place| reached(graph, Some((at, place)))).collect();
        for join in &joins {
            let depends = |input: &crate::net::ConditionIx| {
                branches.iter().position(|without| !without.conditions[input.index()])
            };
            let mut on: Vec<usize> = graph.tasks[*join].inputs.iter().filter_map(depends).collect();
            on.sort_unstable();
            on.dedup();
            if on.len() > 1 && !std::mem::replace(&mut reported[*join], true) {
                let (join, split) = (&draft.tasks[*join].name, &draft.tasks[at].name.text);
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
