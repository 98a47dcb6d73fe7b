//! Where a net's parts stand in its source: for findings of those who look at compiled nets, which know no positions.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Data, Findings, Node, Span, parse};

/// Where the name of the net, and of each of its tasks, stands in a source.
#[derive(Debug)]
pub struct Places<'s> {
    source: &'s str,
    net: Span,
    tasks: BTreeMap<String, Span>,
}

impl<'s> Places<'s> {
    /// Looks at a source that compiles; of another, it knows what can be read.
    pub fn of(source: &'s str) -> Self {
        let mut places = Places { source, net: Span::default(), tasks: BTreeMap::new() };
        let Some(root) = parse(&mut Findings::new(source)) else { return places };
        if let Some(net) = entry(&root, "net") {
            places.net = net.span;
        }
        places.add("", &root);
        if let Some(Node { data: Data::Map(nets), .. }) = entry(&root, "nets") {
            nets.iter().for_each(|(name, net)| places.add(&format!("{}/", name.text), net));
        }
        places
    }

    fn add(&mut self, prefix: &str, net: &Node) {
        let Some(Node { data: Data::Map(tasks), .. }) = entry(net, "tasks") else { return };
        self.tasks.extend(tasks.iter().map(|(key, _)| (format!("{prefix}{}", key.text), key.span)));
    }

    /// A warning about a task (by its label, see [`crate::Net::task_label`]), or about the whole net.
    pub fn warning(&self, code: Code, task: Option<&str>, message: &str, hint: Option<String>) -> Vec<Diagnostic> {
        let span = task.and_then(|task| self.tasks.get(task)).unwrap_or(&self.net);
        let mut findings = Findings::new(self.source);
        findings.warning(code, *span, message, hint);
        findings.into_sorted()
    }
}

fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    let Data::Map(entries) = &node.data else { return None };
    entries.iter().find(|(found, _)| found.text == key).map(|(_, node)| node)
}
