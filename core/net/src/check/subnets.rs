//! Subnets that run each other: that recursion can end, how deep they nest, and that each is used.

use super::graph::{Graph, SubnetGraph};
use super::reach::Paths;
use super::{NESTING_MAX, SUBNETS_MAX};
use crate::diagnostic::Code;
use crate::instances::Instances;
use crate::net::{Split, Task, Work};
use crate::read::{Draft, SubnetDraft};
use crate::source::Findings;

/// Whether the number of subnets is within the limit.
pub(super) fn few(draft: &Draft, findings: &mut Findings<'_>) -> bool {
    let few = draft.subnets.len() <= SUBNETS_MAX;
    if !few {
        let message = format!("a net has at most {SUBNETS_MAX} nets, itself included");
        findings.error(Code::TooLarge, draft.subnets[SUBNETS_MAX].name.span, message, None);
    }
    few
}

/// Checks how subnets run each other.
pub(super) fn check(draft: &Draft, paths: &Paths<'_>, tasks: &[Option<Task>], findings: &mut Findings<'_>) {
    let graph = paths.graph;
    let calls = calls(graph, tasks);
    let within = within(&calls);
    for (at, subnet) in draft.subnets.iter().enumerate().skip(1) {
        if !within[0][at] {
            let message = format!("no task runs the net `{}`", subnet.name.text);
            findings.warning(Code::Unused, subnet.name.span, message, None);
        }
    }
    let depths = depths(&calls, &within);
    if let Some(at) = depths.iter().position(|depth| *depth > NESTING_MAX) {
        let message = format!("`{}` runs nets in nets, deeper than {NESTING_MAX}", draft.subnets[at].name.text);
        findings.error(Code::TooDeep, draft.subnets[at].name.span, message, None);
    }
    let mut may_end = vec![true; draft.subnets.len()];
    let with_all = ends(draft, paths, tasks, &may_end);
    may_end.fill(false);
    loop {
        let more = ends(draft, paths, tasks, &may_end);
        if more == may_end {
            break;
        }
        may_end = more;
    }
    for (at, subnet) in draft.subnets.iter().enumerate() {
        if with_all[at] && !may_end[at] && within[at][at] {
            let message = format!("every way through `{}` runs `{}` again", subnet.name.text, subnet.name.text);
            let hint = Some("let a choice lead past the task that runs it".to_owned());
            findings.error(Code::EndlessRecursion, subnet.name.span, message, hint);
        }
    }
}

/// Which subnets each one runs directly.
fn calls(graph: &Graph, tasks: &[Option<Task>]) -> Vec<Vec<usize>> {
    let of = |own: &SubnetGraph| {
        let mut called: Vec<usize> = tasks[own.tasks.clone()].iter().flatten().filter_map(composite).collect();
        called.sort_unstable();
        called.dedup();
        called
    };
    graph.subnets.iter().map(of).collect()
}

fn composite(task: &Task) -> Option<usize> {
    match task.work {
        Work::Composite { subnet, .. } => Some(subnet.index()),
        _ => None,
    }
}

/// Which subnets run within which, at whatever depth.
fn within(calls: &[Vec<usize>]) -> Vec<Vec<bool>> {
    let from = |start: &Vec<usize>| {
        let mut seen = vec![false; calls.len()];
        let mut open = start.clone();
        while let Some(at) = open.pop() {
            if !std::mem::replace(&mut seen[at], true) {
                open.extend(&calls[at]);
            }
        }
        seen
    };
    calls.iter().map(from).collect()
}

/// The longest chain of different subnets below each, itself included. Those that run each other count as one.
fn depths(calls: &[Vec<usize>], within: &[Vec<bool>]) -> Vec<usize> {
    let one = |left: usize, right: usize| left == right || (within[left][right] && within[right][left]);
    // Who runs more subnets within comes later, so that what a subnet runs is known before it.
    let mut order: Vec<usize> = (0..calls.len()).collect();
    order.sort_by_key(|at| within[*at].iter().filter(|inner| **inner).count());
    let mut depths = vec![1; calls.len()];
    for at in order {
        let group: Vec<usize> = (0..calls.len()).filter(|other| one(at, *other)).collect();
        let below = group.iter().flat_map(|member| &calls[*member]).filter(|called| !one(at, **called));
        depths[at] = below.map(|called| depths[*called] + 1).max().unwrap_or(1);
    }
    depths
}

/// Which subnets have a way to their end on which every subnet that is run may end. What else might stop a task (an
/// exception, a cancellation, a threshold of 0) counts as completing: only what is certain is reported.
fn ends(draft: &Draft, paths: &Paths<'_>, tasks: &[Option<Task>], may_end: &[bool]) -> Vec<bool> {
    let mut completes: Vec<bool> =
        tasks.iter().map(|task| task.as_ref().is_none_or(|task| may_complete(task, may_end))).collect();
    let cancelled = tasks.iter().flatten().flat_map(|task| &task.cancels.tasks);
    cancelled.for_each(|task| completes[task.index()] = true);
    let explicit = paths.reached(None, &|at| completes[at]);
    let implicit = runs_dry(paths.graph, &completes);
    let subnets = draft.subnets.iter().zip(&paths.graph.subnets);
    let ends = |(subnet, own): (&SubnetDraft, &SubnetGraph)| {
        if subnet.implicit { implicit[own.start.index()] } else { explicit.conditions[own.end.index()] }
    };
    subnets.map(ends).collect()
}

/// From which conditions all tokens may be used up: one of the consumers completes, and all flows of an AND split, one of
/// another split, lead to such conditions in turn.
fn runs_dry(graph: &Graph, completes: &[bool]) -> Vec<bool> {
    let mut dry = vec![false; graph.conditions.len()];
    let mut done = vec![false; graph.tasks.len()];
    let mut open: Vec<usize> = (0..graph.tasks.len()).filter(|at| completes[*at]).collect();
    while let Some(at) = open.pop() {
        let node = &graph.tasks[at];
        let mut flows = node.outputs.iter().map(|output| dry[output.to.index()]);
        let leads = if node.split == Split::And { flows.all(|dry| dry) } else { flows.any(|dry| dry) };
        if !leads || std::mem::replace(&mut done[at], true) {
            continue;
        }
        for input in &node.inputs {
            if !std::mem::replace(&mut dry[input.index()], true) {
                let producers = graph.conditions[input.index()].producers.iter().map(|task| task.index());
                open.extend(producers.filter(|at| completes[*at] && !done[*at]));
            }
        }
    }
    dry
}

fn may_complete(task: &Task, may_end: &[bool]) -> bool {
    let Some(subnet) = composite(task) else { return true };
    let goes_on = |instances: &Instances| instances.threshold == Some(0) || instances.min == 0;
    may_end[subnet] || !task.exceptions.is_empty() || task.instances.as_ref().is_some_and(goes_on)
}
