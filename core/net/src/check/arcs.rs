//! Arcs that are no flows: tokens taken together, read arcs, mutexes, cancellation sets.

use std::collections::HashSet;

use super::graph::{Graph, SubnetGraph};
use super::names::{Place, Tables};
use crate::diagnostic::Code;
use crate::net::{ConditionIx, Join, Region, TaskIx};
use crate::read::{Name, SubnetDraft, TaskDraft};
use crate::source::Findings;

#[derive(Default)]
pub(super) struct Arcs {
    pub(super) takes: Vec<(ConditionIx, u32)>,
    pub(super) reads: Vec<ConditionIx>,
    pub(super) holds: Vec<ConditionIx>,
    pub(super) releases: Vec<ConditionIx>,
    pub(super) cancels: Region,
}

/// The arcs of every task, in order.
pub(super) fn check(
    subnets: &[SubnetDraft],
    tables: &[Tables<'_>],
    graph: &Graph,
    findings: &mut Findings<'_>,
) -> Vec<Arcs> {
    let mut all = Vec::with_capacity(graph.tasks.len());
    for ((subnet, tables), own) in subnets.iter().zip(tables).zip(&graph.subnets) {
        let look = Lookup { tables, graph, own };
        let first = all.len();
        for (at, task) in subnet.tasks.iter().enumerate() {
            all.push(look.arcs(TaskIx::of(first + at), task, findings));
        }
        mutexes(subnet, own, &all[first..], findings);
        idle_conditions(subnet, own, graph, &all[first..], findings);
    }
    all
}

/// Names of one subnet.
struct Lookup<'t> {
    tables: &'t Tables<'t>,
    graph: &'t Graph,
    own: &'t SubnetGraph,
}

impl Lookup<'_> {
    fn arcs(&self, at: TaskIx, task: &TaskDraft, findings: &mut Findings<'_>) -> Arcs {
        let mut arcs = Arcs { takes: self.takes(at, task, findings), ..Arcs::default() };
        for name in &task.reads {
            if name.text == "end" {
                let message = "nothing is read from `end`: its first token ends all";
                findings.error(Code::BadFlow, name.span, message, None);
            } else if let Some(condition) = self.condition(name, findings) {
                arcs.reads.push(condition);
            }
        }
        for (key, names, lists) in [
            ("mutex", &task.mutex, [true, true]),
            ("enter", &task.enter, [true, false]),
            ("leave", &task.leave, [false, true]),
        ] {
            for name in names {
                let Some(mutex) = self.mutex(name, findings) else { continue };
                let mut twice = false;
                for (list, there) in [&mut arcs.holds, &mut arcs.releases].into_iter().zip(lists) {
                    twice |= there && list.contains(&mutex);
                    if there {
                        list.push(mutex);
                    }
                }
                if twice {
                    let message = format!("`{}` takes or gives `{}` twice", task.name.text, name.text);
                    let hint = format!("`mutex` is `enter` and `leave` in one; drop it from `{key}`");
                    findings.error(Code::BadMutex, name.span, message, Some(hint));
                }
            }
        }
        for name in &task.cancels {
            self.cancel(name, &mut arcs.cancels, findings);
        }
        for list in [&mut arcs.reads, &mut arcs.holds, &mut arcs.releases, &mut arcs.cancels.conditions] {
            list.sort_unstable();
            list.dedup();
        }
        arcs.cancels.tasks.sort_unstable();
        arcs.cancels.tasks.dedup();
        arcs
    }

    fn takes(&self, at: TaskIx, task: &TaskDraft, findings: &mut Findings<'_>) -> Vec<(ConditionIx, u32)> {
        let node = &self.graph.tasks[at.index()];
        let mut takes = Vec::new();
        for (name, tokens) in &task.takes {
            let Some(condition) = self.condition(name, findings) else { continue };
            if !node.inputs.contains(&condition) {
                let message = format!("`{}` is no input of `{}`", name.text, task.name.text);
                let inputs: Vec<&str> =
                    node.inputs.iter().map(|input| self.graph.conditions[input.index()].name.as_str()).collect();
                let hint = Some(format!("its inputs: {}", inputs.join(", ")));
                findings.error(Code::NotAnInput, name.span, message, hint);
            } else if *tokens > 1 {
                if matches!(node.join, Join::Or | Join::Partial { .. }) {
                    let message =
                        format!("`{}` takes several tokens, but its join looks at single ones", task.name.text);
                    let hint = "use `join: and` or `xor`, or a task of its own that takes them".to_owned();
                    findings.error(Code::BadJoin, name.span, message, Some(hint));
                }
                takes.push((condition, *tokens));
            }
        }
        takes.sort_unstable();
        takes
    }

    /// Any condition of the subnet; an implicit one is called `from->to`.
    fn condition(&self, name: &Name, findings: &mut Findings<'_>) -> Option<ConditionIx> {
        let found = self.find(&name.text);
        if found.is_some() {
            return found;
        }
        if self.tables.known_task(&name.text).is_some() {
            let message = format!("`{}` is a task; a condition is needed here", name.text);
            let hint = Some("the condition between two tasks is called `from->to`".to_owned());
            findings.error(Code::BadFlow, name.span, message, hint);
            return None;
        }
        self.tables.unknown(name, "condition", findings);
        None
    }

    fn find(&self, name: &str) -> Option<ConditionIx> {
        match name {
            "start" => return Some(self.own.start),
            "end" => return Some(self.own.end),
            _ => {}
        }
        if let Some((from, to)) = name.split_once("->") {
            let between = (self.tables.known_task(from)?, self.tables.known_task(to)?);
            return self.graph.implicit.get(&between).copied();
        }
        self.tables.known_condition(name).map(|place| self.own.place(place))
    }

    fn mutex(&self, name: &Name, findings: &mut Findings<'_>) -> Option<ConditionIx> {
        match self.tables.known_condition(&name.text) {
            Some(place @ Place::Mutex(_)) => Some(self.own.place(place)),
            _ if self.find(&name.text).is_some() || self.tables.known_task(&name.text).is_some() => {
                let hint = Some("declare a name of its own under `mutexes`".to_owned());
                findings.error(Code::BadMutex, name.span, format!("`{}` is no mutex", name.text), hint);
                None
            }
            _ => {
                self.tables.unknown(name, "mutex", findings);
                None
            }
        }
    }

    fn cancel(&self, name: &Name, region: &mut Region, findings: &mut Findings<'_>) {
        if name.text == "end" {
            findings.error(Code::BadFlow, name.span, "nothing is left to cancel once `end` has a token", None);
        } else if let Some(Place::Mutex(_)) = self.tables.known_condition(&name.text) {
            let message =
                format!("a mutex is not cancelled: without its token, nobody could hold `{}` again", name.text);
            let hint = Some("cancel the tasks that hold it: they give it back".to_owned());
            findings.error(Code::BadMutex, name.span, message, hint);
        } else if let Some(task) = self.tables.known_task(&name.text) {
            region.tasks.push(task);
        } else if let Some(condition) = self.find(&name.text) {
            region.conditions.push(condition);
        } else {
            self.tables.unknown(name, "task or condition", findings);
        }
    }
}

/// Every mutex that is taken is given back somewhere, and the other way round.
fn mutexes(subnet: &SubnetDraft, own: &SubnetGraph, arcs: &[Arcs], findings: &mut Findings<'_>) {
    let holds: HashSet<ConditionIx> = arcs.iter().flat_map(|arcs| arcs.holds.iter().copied()).collect();
    let releases: HashSet<ConditionIx> = arcs.iter().flat_map(|arcs| arcs.releases.iter().copied()).collect();
    for (name, mutex) in subnet.mutexes.iter().zip(&own.mutexes) {
        let (held, released) = (holds.contains(mutex), releases.contains(mutex));
        let name_of = |list: fn(&TaskDraft) -> &Vec<Name>| {
            subnet.tasks.iter().flat_map(list).find(|other| other.text == name.text).map_or(name.span, |name| name.span)
        };
        match (held, released) {
            (true, false) => {
                let message = format!("`{}` is entered, but never left: nobody can hold it again", name.text);
                let hint = Some("add `leave` to the task that ends the section".to_owned());
                findings.error(Code::BadMutex, name_of(|task| &task.enter), message, hint);
            }
            (false, true) => {
                let message = format!("`{}` is left, but never entered: it would hold two tokens", name.text);
                let hint = Some("add `enter` to the task that begins the section".to_owned());
                findings.error(Code::BadMutex, name_of(|task| &task.leave), message, hint);
            }
            (false, false) => {
                findings.warning(Code::Unused, name.span, format!("no task holds the mutex `{}`", name.text), None);
            }
            (true, true) => {}
        }
    }
}

/// A condition without a flow is there to be read.
fn idle_conditions(subnet: &SubnetDraft, own: &SubnetGraph, graph: &Graph, arcs: &[Arcs], findings: &mut Findings<'_>) {
    let read: HashSet<ConditionIx> = arcs.iter().flat_map(|arcs| arcs.reads.iter().copied()).collect();
    for (at, condition) in subnet.conditions.iter().enumerate().filter(|(_, condition)| condition.flow.is_empty()) {
        let place = own.place(Place::Condition(at));
        if !read.contains(&place) && graph.conditions[place.index()].consumers.is_empty() {
            let message = format!("condition `{}` has no `flow`", condition.name.text);
            let hint = Some("only a condition that some task `reads` may lead nowhere".to_owned());
            findings.error(Code::MissingKey, condition.name.span, message, hint);
        }
    }
}
