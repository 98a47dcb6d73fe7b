//! Who may do a task.

use std::collections::BTreeMap;

use super::super::names::Names;
use super::super::spec::{Reference, Resourcing};
use super::graph::{Element, Graph};
use crate::finding::{Code, Findings};
use crate::yaml::{Map, Node};

/// The role of tasks for which the specification names nobody.
const EVERYONE: &str = "everyone";

/// The roles that tasks name.
#[derive(Debug)]
pub(super) struct Roles {
    by_id: BTreeMap<String, String>,
    names: Names,
    everyone: bool,
}

impl Default for Roles {
    fn default() -> Self {
        Self { by_id: BTreeMap::new(), names: Names::taken(&[EVERYONE]), everyone: false }
    }
}

impl Roles {
    fn everyone(&mut self) -> String {
        self.everyone = true;
        EVERYONE.to_owned()
    }

    fn named(&mut self, id: &str) -> String {
        let names = &mut self.names;
        self.by_id.entry(id.to_owned()).or_insert_with(|| names.node(id)).clone()
    }

    /// `roles` of the net.
    pub(super) fn done(&self) -> Node {
        let mut entries: BTreeMap<String, Node> = BTreeMap::new();
        if self.everyone {
            let title = Node::text("Anybody: the specification names nobody");
            entries.insert(EVERYONE.to_owned(), Node::map(vec![("title".to_owned(), title)]));
        }
        for (id, name) in &self.by_id {
            let mut map = Map::default();
            map.put_text("title", (id != name).then_some(id));
            entries.insert(name.clone(), map.done());
        }
        Node::map(entries.into_iter().collect()).tall()
    }
}

/// Adds who may do a task, `role` or `resources`.
pub(super) fn resources(
    resourcing: Option<&Resourcing>,
    graph: &Graph<'_>,
    roles: &mut Roles,
    map: &mut Map,
    findings: &mut Findings<'_>,
) {
    let Some(read) = resourcing else {
        map.put("role", Node::text(roles.everyone()));
        return;
    };
    let mut resources = Map::default();
    let who = who(read, roles, findings);
    let by = |system: bool| Node::text(if system { "system" } else { "person" });
    resources.put("offer", by(read.offered_by_system));
    match (read.allocated_by_system, read.allocator) {
        (true, Some(strategy)) => resources.put("allocate", Node::map(vec![("by".to_owned(), Node::text(strategy))])),
        (true, None) => {
            // YAWL then takes its default, which is a random choice.
            resources.put("allocate", Node::map(vec![("by".to_owned(), Node::text("random"))]));
        }
        (false, Some(strategy)) => {
            let message = format!("the allocator ({strategy}) is not used, as a person allocates");
            findings.warning(Code::NoEffect, read.span, message, None);
            resources.put("allocate", by(false));
        }
        (false, None) => resources.put("allocate", by(false)),
    }
    resources.put("start", by(read.started_by_system));
    resources.put("who", who);
    let separate: Vec<String> = read.separate_from.iter().filter_map(|task| task_name(task, graph, findings)).collect();
    resources.put_filled("separate_from", Node::texts(separate));
    if let Some(same) = read.same_as.as_ref().and_then(|task| task_name(task, graph, findings)) {
        resources.put("same_as", Node::texts([same]));
    }
    resources.put("may", Node::texts(read.may.iter().copied()));
    map.put("resources", resources.done().at(read.span));
}

fn who(read: &Resourcing, roles: &mut Roles, findings: &mut Findings<'_>) -> Node {
    let union = !read.roles.is_empty() || !read.participants.is_empty();
    let filters = usize::from(!read.positions.is_empty()) + usize::from(!read.groups.is_empty()) + usize::from(union);
    if filters > 1 {
        let message = "people who must be in a set and in a position or group at once";
        let hint = "name a role for those who are in both";
        findings.error(Code::NotSupported, read.span, message, Some(hint));
    }
    let mut who = Map::default();
    let mut named: Vec<String> = read.roles.iter().map(|id| roles.named(id)).collect();
    if filters == 0 {
        named.push(roles.everyone());
    }
    who.put_filled("roles", Node::texts(named));
    who.put_filled("participants", Node::texts(read.participants.iter().map(String::as_str)));
    who.put_filled("positions", Node::texts(read.positions.iter().map(String::as_str)));
    who.put_filled("groups", Node::texts(read.groups.iter().map(String::as_str)));
    let capabilities = read.capabilities.iter().map(|name| (name.clone(), Node::bare(1))).collect();
    who.put_filled("capabilities", Node::map(capabilities));
    who.done()
}

fn task_name(reference: &Reference, graph: &Graph<'_>, findings: &mut Findings<'_>) -> Option<String> {
    if let Element::Task(_) = graph.find(reference, findings)? {
        return Some(graph.name(&reference.id).to_owned());
    }
    findings.error(Code::UnknownReference, reference.span, format!("`{}` is not a task", reference.id), None);
    None
}
