//! What no case can reach, what never ends, and nets that run themselves without end.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::super::spec::{Gate, Net, Node};
use super::Context;
use crate::finding::{Code, Findings};

/// Reports elements of a net that are on no way from its input to its output condition.
pub(super) fn check(net: &Net<'_>, findings: &mut Findings<'_>) {
    let nodes: Vec<&Node> = [&net.input, &net.output]
        .into_iter()
        .chain(&net.conditions)
        .chain(net.tasks.iter().map(|task| &task.node))
        .collect();
    let places: HashMap<&str, usize> = nodes.iter().enumerate().map(|(at, node)| (node.id.as_str(), at)).collect();
    let after: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| node.flows.iter().filter_map(|flow| places.get(flow.to.id.as_str()).copied()).collect())
        .collect();
    let mut before = vec![Vec::new(); nodes.len()];
    for (from, targets) in after.iter().enumerate() {
        targets.iter().for_each(|to| before[*to].push(from));
    }
    let reached = closure(&after, 0);
    let ending = closure(&before, 1);
    for (at, node) in nodes.iter().enumerate() {
        if !reached[at] {
            let message = format!("no flow leads from the input condition to `{}`", node.id);
            findings.error(Code::Unreachable, node.span, message, None);
        } else if !ending[at] {
            let message = format!("no flow leads from `{}` to the output condition", node.id);
            findings.error(Code::DeadEnd, node.span, message, None);
        }
    }
}

fn closure(edges: &[Vec<usize>], from: usize) -> Vec<bool> {
    let mut seen = vec![false; edges.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut seen[at], true) {
            open.extend(&edges[at]);
        }
    }
    seen
}

/// Reports nets that can only end after they themselves have ended.
pub(super) fn recursion(context: &Context<'_, '_>, used: &[usize], findings: &mut Findings<'_>) {
    let nets: Vec<usize> = used.iter().copied().filter(|index| context.net(*index).is_some()).collect();
    let mut callers: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    for index in &nets {
        for task in context.net(*index).into_iter().flat_map(|net| &net.tasks) {
            let reference = task.decomposes_to.as_ref();
            if let Some(called) = reference.and_then(|reference| context.by_id.get(reference.id.as_str())) {
                callers.entry(*called).or_default().insert(*index);
            }
        }
    }
    // A net that cannot end even if all others do is reported as a dead end.
    let mut ends: HashMap<usize, bool> = nets.iter().map(|index| (*index, true)).collect();
    let hopeful: Vec<usize> = nets.iter().copied().filter(|index| can_end(*index, context, &ends)).collect();
    ends.values_mut().for_each(|end| *end = false);
    let mut open = nets;
    while let Some(index) = open.pop() {
        if !ends[&index] && can_end(index, context, &ends) {
            ends.insert(index, true);
            open.extend(callers.get(&index).into_iter().flatten());
        }
    }
    for index in hopeful.into_iter().filter(|index| !ends[index]) {
        let decomposition = context.decomposition(index);
        let message = format!("every way through the net `{}` runs a net that never ends", decomposition.id);
        let hint = "let a choice lead past the task that runs the net again";
        findings.error(Code::EndlessRecursion, decomposition.span, message, Some(hint));
    }
}

/// Whether the output condition can get a token if only those nets end: an AND join needs all its inputs, others one.
fn can_end(index: usize, context: &Context<'_, '_>, ends: &HashMap<usize, bool>) -> bool {
    let Some(net) = context.net(index) else { return true };
    let tasks: HashMap<&str, usize> =
        net.tasks.iter().enumerate().map(|(at, task)| (task.node.id.as_str(), at)).collect();
    let conditions: HashMap<&str, &Node> =
        net.conditions.iter().chain([&net.output]).map(|node| (node.id.as_str(), node)).collect();
    let mut inputs = vec![0_usize; net.tasks.len()];
    let all = [&net.input].into_iter().chain(&net.conditions).chain(net.tasks.iter().map(|task| &task.node));
    for flow in all.flat_map(|node| &node.flows) {
        if let Some(task) = tasks.get(flow.to.id.as_str()) {
            inputs[*task] += 1;
        }
    }
    for (task, inputs) in net.tasks.iter().zip(&mut inputs) {
        if task.join != Gate::And {
            *inputs = (*inputs).min(1);
        }
    }
    let passes = |task: usize| {
        let reference = net.tasks[task].decomposes_to.as_ref();
        let to = reference.and_then(|reference| context.by_id.get(reference.id.as_str()));
        to.is_none_or(|to| ends.get(to).copied().unwrap_or(true))
    };
    let mut seen: HashSet<&str> = HashSet::new();
    let mut open = vec![&net.input];
    while let Some(node) = open.pop() {
        for flow in &node.flows {
            let to = flow.to.id.as_str();
            if let Some(task) = tasks.get(to).copied() {
                inputs[task] = inputs[task].saturating_sub(1);
                if inputs[task] == 0 && passes(task) && seen.insert(to) {
                    open.push(&net.tasks[task].node);
                }
            } else if seen.insert(to) {
                open.extend(conditions.get(to).copied());
            }
        }
    }
    seen.contains(net.output.id.as_str())
}
