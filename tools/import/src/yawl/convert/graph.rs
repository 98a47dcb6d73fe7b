//! The places and tasks of one net, by id and by name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::names::Names;
use super::super::spec::{Net, Reference, Task};
use crate::finding::{Code, Findings, Span};
use crate::yaml::Node;

#[derive(Debug, Clone, Copy)]
pub(super) enum Element<'s> {
    Start,
    End,
    Condition,
    Task(&'s Task),
}

#[derive(Debug)]
pub(super) struct Graph<'s> {
    elements: HashMap<&'s str, (Element<'s>, String)>,
    pub(super) names: Names,
    /// Conditions between two tasks that need a name, by the ids of the tasks: what `removesTokensFromFlow` names.
    pub(super) between: BTreeMap<(&'s str, &'s str), String>,
    /// Conditions and tasks that the specification does not have: their entries.
    pub(super) extra_conditions: Vec<(String, Node)>,
    pub(super) extra_tasks: Vec<(String, Node)>,
}

impl<'s> Graph<'s> {
    pub(super) fn of(net: &'s Net<'_>, findings: &mut Findings<'_>) -> Self {
        let mut graph = Graph {
            elements: HashMap::new(),
            names: Names::taken(&["start", "end"]),
            between: BTreeMap::new(),
            extra_conditions: Vec::new(),
            extra_tasks: Vec::new(),
        };
        graph.add(&net.input.id, Element::Start, net.input.span, findings);
        graph.add(&net.output.id, Element::End, net.output.span, findings);
        for condition in &net.conditions {
            graph.add(&condition.id, Element::Condition, condition.span, findings);
        }
        for task in &net.tasks {
            graph.add(&task.node.id, Element::Task(task), task.node.span, findings);
        }
        for task in &net.tasks {
            for (from, to) in &task.removes_flows {
                graph.name_between(from, to, findings);
            }
        }
        graph
    }

    fn add(&mut self, id: &'s str, element: Element<'s>, span: Span, findings: &mut Findings<'_>) {
        if self.elements.contains_key(id) {
            findings.error(Code::DuplicateId, span, format!("two elements of the net have the id `{id}`"), None);
            return;
        }
        let name = match element {
            Element::Start => "start".to_owned(),
            Element::End => "end".to_owned(),
            Element::Condition | Element::Task(_) => self.names.node(id),
        };
        self.elements.insert(id, (element, name));
    }

    pub(super) fn get(&self, id: &str) -> Option<Element<'s>> {
        self.elements.get(id).map(|(element, _)| *element)
    }

    pub(super) fn name(&self, id: &str) -> &str {
        self.elements.get(id).map_or("", |(_, name)| name)
    }

    /// What a reference means; reported if there is no such thing.
    pub(super) fn find(&self, reference: &Reference, findings: &mut Findings<'_>) -> Option<Element<'s>> {
        let found = self.get(&reference.id);
        if found.is_none() {
            let message = format!("the net has no element `{}`", reference.id);
            findings.error(Code::UnknownReference, reference.span, message, None);
        }
        found
    }

    fn name_between(&mut self, from: &'s Reference, to: &'s Reference, findings: &mut Findings<'_>) {
        let (Some(first), Some(_)) = (self.find(from, findings), self.find(to, findings)) else { return };
        let leads = |task: &Task| task.node.flows.iter().any(|flow| flow.to.id == to.id);
        match (first, self.get(&to.id)) {
            (Element::Task(task), Some(Element::Task(_))) if leads(task) => {
                if !self.between.contains_key(&(from.id.as_str(), to.id.as_str())) {
                    let wanted = format!("{}.{}", self.name(&from.id), self.name(&to.id));
                    let name = self.names.node(&wanted);
                    let node = Node::map(vec![("flow".to_owned(), Node::text(self.name(&to.id)))]);
                    self.extra_conditions.push((name.clone(), node.at(from.span)));
                    self.between.insert((&from.id, &to.id), name);
                }
            }
            _ => {
                let message = format!("there is no flow from the task `{}` to a task `{}`", from.id, to.id);
                findings.error(Code::UnknownReference, from.span, message, None);
            }
        }
    }

    /// Where a flow from a task to an element puts its token.
    pub(super) fn target(&self, from: &str, to: &str) -> String {
        self.between.get(&(from, to)).cloned().unwrap_or_else(|| self.name(to).to_owned())
    }

    /// The cancellation set of a task, sorted.
    pub(super) fn cancels(&self, task: &Task, findings: &mut Findings<'_>) -> Vec<String> {
        let mut names = BTreeSet::new();
        for reference in &task.removes {
            match self.find(reference, findings) {
                None => {}
                Some(Element::End) => {
                    let message = "`removesTokens` of the output condition: the net has ended when it has a token";
                    findings.error(Code::NotSupported, reference.span, message, None);
                }
                Some(_) => drop(names.insert(self.name(&reference.id).to_owned())),
            }
        }
        for (from, to) in &task.removes_flows {
            names.extend(self.between.get(&(from.id.as_str(), to.id.as_str())).cloned());
        }
        names.into_iter().collect()
    }
}
