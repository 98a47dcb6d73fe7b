//! Flows, splits and their predicates.

use super::super::cel::Scope;
use super::super::fields::Text;
use super::super::spec::{Flow, Gate, Node as Spec, Task};
use super::graph::{Element, Graph};
use super::mapping::predicate;
use crate::finding::{Code, Findings};
use crate::yaml::{Map, Node};

/// Where a condition leads: the names of tasks, as one or as a list.
pub(super) fn of_condition(condition: &Spec, graph: &Graph<'_>, findings: &mut Findings<'_>) -> Node {
    let mut names: Vec<String> = Vec::new();
    for flow in &condition.flows {
        if flow.predicate.is_some() || flow.default {
            let message = format!("a flow from the condition `{}` has a predicate or is a default", condition.id);
            let hint = "the first task to start takes the token: only tasks split";
            findings.error(Code::BadSplit, flow.span, message, Some(hint));
        }
        match graph.find(&flow.to, findings) {
            Some(Element::Task(_)) => {
                let name = graph.name(&flow.to.id).to_owned();
                if names.contains(&name) {
                    findings.error(
                        Code::BadFlow,
                        flow.span,
                        format!("two flows lead from `{}` to `{}`", condition.id, flow.to.id),
                        None,
                    );
                } else {
                    names.push(name);
                }
            }
            Some(_) => {
                let message =
                    format!("a flow leads from the condition `{}` to the condition `{}`", condition.id, flow.to.id);
                findings.error(Code::BadFlow, flow.span, message, Some("put a task between them"));
            }
            None => {}
        }
    }
    if condition.flows.is_empty() {
        let message = format!("no flow leads from the condition `{}`", condition.id);
        findings.error(Code::DeadEnd, condition.span, message, None);
    }
    match names.as_slice() {
        [one] => Node::text(one),
        _ => Node::texts(names),
    }
    .at(condition.span)
}

/// A flow of a task, its predicate understood.
struct Arc<'t> {
    flow: &'t Flow,
    to: String,
    when: Option<String>,
}

/// Adds `split` and `flow` of a task.
pub(super) fn of_task<'s>(
    task: &'s Task,
    scope: &Scope,
    graph: &mut Graph<'s>,
    map: &mut Map,
    findings: &mut Findings<'_>,
) {
    let node = &task.node;
    if node.flows.is_empty() {
        findings.error(Code::DeadEnd, node.span, format!("no flow leads from the task `{}`", node.id), None);
        return;
    }
    let mut arcs: Vec<Arc<'_>> = Vec::new();
    for flow in &node.flows {
        match graph.find(&flow.to, findings) {
            None => continue,
            Some(Element::Start) => {
                let message = format!("a flow leads from `{}` into the input condition", node.id);
                findings.error(Code::BadFlow, flow.span, message, Some("put a condition before the first task"));
                continue;
            }
            Some(_) => {}
        }
        let to = graph.target(&node.id, &flow.to.id);
        if arcs.iter().any(|arc| arc.to == to) {
            let message = format!("two flows lead from `{}` to `{}`", node.id, flow.to.id);
            findings.error(Code::BadFlow, flow.span, message, None);
            continue;
        }
        let when = flow
            .predicate
            .as_ref()
            .filter(|text| !text.text.is_empty())
            .and_then(|text| predicate(text, scope, findings));
        arcs.push(Arc { flow, to, when });
    }
    match task.split {
        Gate::And => all(task, &arcs, map, findings),
        Gate::Xor => one(task, arcs, map, findings),
        Gate::Or => some(task, arcs, graph, map, findings),
    }
}

fn plain(arcs: &[Arc<'_>]) -> Node {
    match arcs {
        [only] => Node::text(&only.to).at(only.flow.span),
        _ => Node::list(arcs.iter().map(|arc| Node::text(&arc.to).at(arc.flow.span)).collect()),
    }
}

fn guarded(arc: &Arc<'_>, when: &str) -> Node {
    let when = match when {
        "true" | "false" => Node::bare(when),
        text => Node::text(text),
    };
    Node::map(vec![("to".to_owned(), Node::text(&arc.to)), ("when".to_owned(), when)]).at(arc.flow.span)
}

fn default(arc: &Arc<'_>) -> Node {
    Node::map(vec![("to".to_owned(), Node::text(&arc.to)), ("default".to_owned(), Node::bare(true))]).at(arc.flow.span)
}

fn put_split(map: &mut Map, split: Gate, flows: Node) {
    map.put("split", Node::text(split.word()));
    map.put("flow", flows);
}

fn all(task: &Task, arcs: &[Arc<'_>], map: &mut Map, findings: &mut Findings<'_>) {
    for arc in arcs.iter().filter(|arc| arc.flow.predicate.is_some() || arc.flow.default) {
        let message = format!("a flow of the `and` split of `{}` has a predicate or is a default", task.node.id);
        let hint = "an `and` split takes all flows; use `xor` or `or` for a choice";
        findings.error(Code::BadSplit, arc.flow.span, message, Some(hint));
    }
    if arcs.len() == 1 {
        map.put("flow", plain(arcs));
    } else {
        put_split(map, Gate::And, plain(arcs));
    }
}

/// The place of the default among the flows; reported if there is not exactly one.
fn find_default(task: &Task, arcs: &[Arc<'_>], findings: &mut Findings<'_>) -> Option<usize> {
    let mut defaults = arcs.iter().enumerate().filter(|(_, arc)| arc.flow.default);
    let first = defaults.next();
    if let Some((_, second)) = defaults.next() {
        let message = format!("the split of `{}` has more than one default flow", task.node.id);
        findings.error(Code::BadSplit, second.flow.span, message, None);
    }
    if first.is_none() {
        let message = format!("the `{}` split of `{}` has no default flow", task.split.word(), task.node.id);
        findings.error(Code::BadSplit, task.node.span, message, Some("add `isDefaultFlow` to one of its flows"));
    }
    first.map(|(at, _)| at)
}

fn predicate_missing(task: &Task, arc: &Arc<'_>, findings: &mut Findings<'_>) {
    if arc.flow.predicate.as_ref().is_none_or(|text: &Text| text.text.is_empty()) {
        let message = format!("a flow of the `{}` split of `{}` has no predicate", task.split.word(), task.node.id);
        findings.error(Code::BadSplit, arc.flow.span, message, Some("add `predicate`, or make it the default"));
    }
}

fn one(task: &Task, mut arcs: Vec<Arc<'_>>, map: &mut Map, findings: &mut Findings<'_>) {
    let Some(at) = find_default(task, &arcs, findings) else { return };
    let last = arcs.remove(at);
    if last.flow.predicate.is_some() {
        let message =
            format!("the default flow of the `xor` split of `{}` is taken whatever its predicate says", task.node.id);
        findings.warning(Code::NoEffect, last.flow.span, message, None);
    }
    if arcs.is_empty() {
        map.put("flow", plain(&[last]));
        return;
    }
    if arcs.len() > 1 {
        let mut orderings: Vec<Option<i64>> = arcs.iter().map(|arc| arc.flow.ordering).collect();
        orderings.sort_unstable();
        if orderings[0].is_none() || orderings.windows(2).any(|pair| pair[0] == pair[1]) {
            let message = format!("the predicates of the `xor` split of `{}` are in no clear order", task.node.id);
            findings.error(Code::BadSplit, task.node.span, message, Some("give each an `ordering` of its own"));
        }
    }
    arcs.sort_by_key(|arc| arc.flow.ordering);
    let mut flows = Vec::new();
    for arc in &arcs {
        predicate_missing(task, arc, findings);
        flows.push(guarded(arc, arc.when.as_deref().unwrap_or("true")));
    }
    flows.push(default(&last));
    put_split(map, Gate::Xor, Node::list(flows).tall());
}

/// YAWL takes the default flow of an `or` split if its own predicate holds, and also if none holds.
fn some<'s>(task: &'s Task, mut arcs: Vec<Arc<'s>>, graph: &mut Graph<'s>, map: &mut Map, findings: &mut Findings<'_>) {
    let Some(at) = find_default(task, &arcs, findings) else { return };
    if arcs.len() == 1 {
        map.put("flow", plain(&arcs));
        return;
    }
    for arc in arcs.iter().filter(|arc| !arc.flow.default) {
        predicate_missing(task, arc, findings);
    }
    if arcs.iter().all(|arc| arc.when.as_deref() == Some("true")) {
        put_split(map, Gate::And, plain(&arcs));
        return;
    }
    let mut last = arcs.remove(at);
    let others = |arcs: &[Arc<'_>]| -> Vec<Node> {
        arcs.iter().map(|arc| guarded(arc, arc.when.as_deref().unwrap_or("true"))).collect()
    };
    let Some(when) = last.when.take().filter(|when| when != "false") else {
        let mut flows = others(&arcs);
        flows.push(default(&last));
        put_split(map, Gate::Or, Node::list(flows).tall());
        return;
    };
    // In a net a default has no guard: it goes through a task of its own to the same place.
    let place = match graph.get(&last.flow.to.id) {
        Some(Element::Task(_)) if !graph.between.contains_key(&(task.node.id.as_str(), last.flow.to.id.as_str())) => {
            let name = graph.names.node(&format!("{}.{}", graph.name(&task.node.id), last.to));
            let node = Node::map(vec![("flow".to_owned(), Node::text(&last.to))]).at(last.flow.span);
            graph.extra_conditions.push((name.clone(), node));
            graph.between.insert((&task.node.id, &last.flow.to.id), name.clone());
            name
        }
        _ => last.to.clone(),
    };
    let otherwise = graph.names.node(&format!("{}.otherwise", graph.name(&task.node.id)));
    let mut helper = Map::default();
    helper.put("title", Node::text("No predicate holds: the default flow"));
    helper.put("flow", Node::text(&place));
    graph.extra_tasks.push((otherwise.clone(), helper.done().tall().at(last.flow.span)));
    let direct = Arc { flow: last.flow, to: place, when: None };
    let mut flows = vec![guarded(&direct, &when)];
    flows.extend(others(&arcs));
    flows.push(default(&Arc { flow: last.flow, to: otherwise, when: None }));
    put_split(map, Gate::Or, Node::list(flows).tall());
}
