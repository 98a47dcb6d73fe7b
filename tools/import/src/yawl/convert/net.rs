//! One net.

use super::super::spec::{Body, Task};
use super::graph::Graph;
use super::{Context, flow, reach, work};
use crate::finding::{Code, Findings};
use crate::yaml::{Map, Node};

/// The parts of a net's entry.
pub(super) struct Parts {
    pub(super) data: Node,
    pub(super) conditions: Node,
    pub(super) start: Node,
    pub(super) tasks: Node,
}

pub(super) fn net(index: usize, context: &mut Context<'_, '_>, findings: &mut Findings<'_>) -> Parts {
    let decomposition = context.decomposition(index);
    let empty = || Node::map(Vec::new());
    let (Some(net), Some(declared)) = (context.net(index), context.declared.get(&index)) else {
        return Parts { data: empty(), conditions: empty(), start: empty(), tasks: empty() };
    };
    let data = declared.node();
    let scope = declared.scope(&decomposition.id);
    let mut graph = Graph::of(net, findings);
    reach::check(net, findings);
    if !net.output.flows.is_empty() {
        let message = "a flow leads from the output condition";
        findings.error(Code::BadFlow, net.output.span, message, None);
    }
    if net.tasks.is_empty() {
        findings.error(Code::Missing, decomposition.span, format!("the net `{}` has no task", decomposition.id), None);
    }
    let start = flow::of_condition(&net.input, &graph, findings);
    let mut conditions = Vec::new();
    for condition in &net.conditions {
        let name = graph.name(&condition.id).to_owned();
        let mut map = Map::default();
        map.put_text("title", title(condition.name.as_deref(), &condition.id, &name));
        map.put("flow", flow::of_condition(condition, &graph, findings));
        conditions.push((name, map.done().at(condition.span)));
    }
    let mut incoming = std::collections::HashMap::new();
    let nodes = [&net.input].into_iter().chain(&net.conditions).chain(net.tasks.iter().map(|task| &task.node));
    for flow in nodes.flat_map(|node| &node.flows) {
        *incoming.entry(flow.to.id.as_str()).or_insert(0_usize) += 1;
    }
    let mut tasks = Vec::new();
    for task in &net.tasks {
        let name = graph.name(&task.node.id).to_owned();
        let mut map = Map::default();
        about(task, &name, context, &mut map);
        if incoming.get(task.node.id.as_str()).is_some_and(|count| *count > 1) {
            map.put("join", Node::text(task.join.word()));
        }
        work::work(task, index, &scope, &graph, context, &mut map, findings);
        map.put_filled("cancels", Node::texts(graph.cancels(task, findings)));
        flow::of_task(task, &scope, &mut graph, &mut map, findings);
        tasks.push((name, map.done().tall().at(task.node.span)));
    }
    tasks.extend(std::mem::take(&mut graph.extra_tasks));
    conditions.extend(std::mem::take(&mut graph.extra_conditions));
    Parts { data, conditions: Node::map(conditions).tall(), start, tasks: Node::map(tasks).tall() }
}

/// What people call it: its name, or the id if that could not be kept.
fn title<'t>(name: Option<&'t str>, id: &'t str, kept: &str) -> Option<&'t str> {
    name.filter(|name| *name != kept).or_else(|| (id != kept && name.is_none()).then_some(id))
}

fn about(task: &Task, name: &str, context: &Context<'_, '_>, map: &mut Map) {
    let run = task.decomposes_to.as_ref().and_then(|reference| context.by_id.get(reference.id.as_str()));
    let run = run.map(|index| context.decomposition(*index));
    let of_work = run.and_then(|run| run.name.as_deref());
    map.put_text("title", title(task.node.name.as_deref().or(of_work), &task.node.id, name));
    let mut words: Vec<&str> = task.node.documentation.iter().map(String::as_str).collect();
    if let Some(run) = run
        && let Body::Service(service) = &run.body
    {
        words.extend(run.documentation.iter().chain(&service.notes).map(String::as_str));
    }
    if !words.is_empty() {
        map.put("description", Node::text(words.join("; ")));
    }
}
