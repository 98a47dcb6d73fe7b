//! Makes a net of a specification.

mod data;
mod flow;
mod graph;
mod instances;
mod mapping;
mod net;
mod reach;
mod resources;
mod work;

use std::collections::{BTreeMap, HashMap};

use super::names::{Names, short};
use super::spec::{Body, Decomposition, Net, Specification};
use crate::finding::{Code, Findings};
use crate::yaml::{Map, Node};

use data::Declarations;
use resources::Roles;

/// Most nets of a specification: a net file takes no more, the root net included.
const NETS_MAX: usize = 256;

/// What all nets of a specification share.
struct Context<'s, 'x> {
    spec: &'s Specification<'x>,
    by_id: HashMap<&'s str, usize>,
    /// For each decomposition that is used, by its index.
    declared: HashMap<usize, Declarations>,
    /// The names of the nets that tasks run.
    nets: BTreeMap<usize, String>,
    roles: Roles,
}

impl<'s, 'x> Context<'s, 'x> {
    fn decomposition(&self, index: usize) -> &'s Decomposition<'x> {
        &self.spec.decompositions[index]
    }

    fn net(&self, index: usize) -> Option<&'s Net<'x>> {
        match &self.decomposition(index).body {
            Body::Net(net) => Some(net),
            Body::Service(_) => None,
        }
    }
}

/// `None` after a finding; there may be findings even so.
pub(super) fn convert(spec: &Specification<'_>, findings: &mut Findings<'_>) -> Option<Node> {
    let mut by_id = HashMap::new();
    for (index, decomposition) in spec.decompositions.iter().enumerate() {
        if by_id.insert(decomposition.id.as_str(), index).is_some() {
            let message = format!("two decompositions have the id `{}`", decomposition.id);
            findings.error(Code::DuplicateId, decomposition.span, message, None);
        }
    }
    let (used, called) = used(spec, &by_id, findings);
    for (index, decomposition) in spec.decompositions.iter().enumerate() {
        if !used.contains(&index) {
            let message = format!("no task uses the decomposition `{}`; it is left out", decomposition.id);
            findings.warning(Code::NoEffect, decomposition.span, message, None);
        }
    }
    if called.len() >= NETS_MAX {
        let message =
            format!("the specification has {} nets that tasks run; fewer than {NETS_MAX} are taken", called.len());
        findings.error(Code::TooLarge, spec.span, message, None);
        return None;
    }
    let mut names = Names::default();
    let mut nets = BTreeMap::new();
    for index in &called {
        nets.insert(*index, names.node(&spec.decompositions[*index].id));
    }
    let mut context = Context { spec, by_id, declared: HashMap::new(), nets, roles: Roles::default() };
    reach::recursion(&context, &used, findings);
    for index in &used {
        let declarations = data::declare(&spec.decompositions[*index], &spec.schema, findings);
        context.declared.insert(*index, declarations);
    }
    let root = net::net(spec.root, &mut context, findings);
    let mut subnets = Vec::new();
    for (index, name) in context.nets.clone() {
        let decomposition = context.decomposition(index);
        let mut map = Map::default();
        map.put_text(
            "title",
            decomposition.name.as_deref().or_else(|| (decomposition.id != name).then_some(decomposition.id.as_str())),
        );
        map.put_text("description", decomposition.documentation.as_deref());
        let parts = net::net(index, &mut context, findings);
        map.put_filled("data", parts.data);
        map.put_filled("conditions", parts.conditions);
        map.put("start", parts.start);
        map.put("tasks", parts.tasks);
        subnets.push((name, map.done().tall().at(decomposition.span)));
    }
    let mut file = Map::default();
    file.put("actum", Node::bare(1));
    let name = Names::default().node(short(&spec.uri));
    file.put("net", Node::text(&name).at(spec.span));
    file.put_text("version", spec.version.as_deref());
    let root_name = spec.decompositions[spec.root].name.as_deref();
    let renamed = (short(&spec.uri) != name).then_some(spec.uri.as_str());
    file.put_text("title", spec.name.as_deref().or(root_name).or(renamed));
    file.put_text("description", spec.documentation.as_deref());
    file.put_filled("data", root.data);
    file.put_filled("roles", context.roles.done());
    file.put_filled("conditions", root.conditions);
    file.put("start", root.start);
    file.put("tasks", root.tasks);
    file.put_filled("nets", Node::map(subnets));
    (!findings.has_errors()).then(|| file.done().at(spec.span))
}

/// All decompositions that the root net leads to, itself included, and those nets that some task runs. Sorted.
fn used(
    spec: &Specification<'_>,
    by_id: &HashMap<&str, usize>,
    findings: &mut Findings<'_>,
) -> (Vec<usize>, Vec<usize>) {
    let mut used = vec![false; spec.decompositions.len()];
    let mut called = vec![false; spec.decompositions.len()];
    let mut open = vec![spec.root];
    used[spec.root] = true;
    while let Some(index) = open.pop() {
        let Body::Net(net) = &spec.decompositions[index].body else { continue };
        for task in &net.tasks {
            let Some(reference) = &task.decomposes_to else { continue };
            let Some(to) = by_id.get(reference.id.as_str()).copied() else {
                let message = format!("there is no decomposition `{}`", reference.id);
                findings.error(Code::UnknownReference, reference.span, message, None);
                continue;
            };
            called[to] |= matches!(spec.decompositions[to].body, Body::Net(_));
            if !std::mem::replace(&mut used[to], true) {
                open.push(to);
            }
        }
    }
    let listed =
        |marks: Vec<bool>| marks.iter().enumerate().filter(|(_, mark)| **mark).map(|(index, _)| index).collect();
    (listed(used), listed(called))
}
