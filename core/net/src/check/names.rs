//! What names stand for: the ordinals of what is declared.

use std::collections::BTreeMap;

use crate::diagnostic::Code;
use crate::expression::{Given, Names, ResultShape};
use crate::kind::ValueKind;
use crate::net::{RoleIx, SubnetIx, TaskIx, VariableIx};
use crate::read::{Draft, Name, SubnetDraft, TaskDraft};
use crate::source::Findings;
use crate::suggest::{did_you_mean, nearest};

/// What names stand for in the whole net.
pub(crate) struct Shared<'d> {
    pub(super) roles: BTreeMap<&'d str, RoleIx>,
    pub(super) subnets: &'d [SubnetDraft],
    /// The ordinal of each subnet's first task.
    first_tasks: Vec<usize>,
}

/// What names stand for in one subnet.
pub(crate) struct Tables<'d> {
    pub(super) shared: &'d Shared<'d>,
    pub(super) subnet: SubnetIx,
    tasks: BTreeMap<&'d str, TaskIx>,
    conditions: BTreeMap<&'d str, Place>,
    /// In the order of the ordinals.
    pub(super) variables: Vec<(&'d str, ValueKind)>,
    /// The ordinal of the first of them.
    first_variable: VariableIx,
}

/// A condition that the author named: its place among those of its kind in the subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Condition(usize),
    Mutex(usize),
}

/// The nearest known name, while somebody still reads the findings: in a hostile file, looking for it takes long.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>, findings: &Findings<'_>) -> Option<&'a str> {
    if findings.is_full() { None } else { nearest(name, known) }
}

/// What a flow may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    End,
    /// An explicit condition: its place among them.
    Condition(usize),
    Task(TaskIx),
}

impl<'d> Shared<'d> {
    pub(super) fn of(draft: &'d Draft) -> Self {
        let first = |subnets: &[SubnetDraft]| subnets.iter().map(|subnet| subnet.tasks.len()).sum();
        Self {
            roles: draft.roles.iter().enumerate().map(|(at, role)| (role.name.text.as_str(), RoleIx::of(at))).collect(),
            subnets: &draft.subnets,
            first_tasks: (0..draft.subnets.len()).map(|at| first(&draft.subnets[..at])).collect(),
        }
    }

    /// The subnet of that name; the root is not asked.
    pub(super) fn net(&self, name: &Name, findings: &mut Findings<'_>) -> Option<SubnetIx> {
        let subnets = self.subnets.get(1..).unwrap_or_default();
        let found = subnets.binary_search_by(|subnet| subnet.name.text.cmp(&name.text));
        if found.is_err() {
            let hint = near(&name.text, subnets.iter().map(|subnet| subnet.name.text.as_str()), findings)
                .map(did_you_mean)
                .or_else(|| Some("declare it under `nets:`".to_owned()));
            findings.error(Code::UnknownNet, name.span, format!("there is no net `{}`", name.text), hint);
        }
        found.ok().map(|at| SubnetIx::of(at + 1))
    }

    /// The task that a subnet calls so.
    fn task_in(&self, subnet: usize, name: &str) -> Option<TaskIx> {
        let found = self.subnets.get(subnet)?.tasks.binary_search_by(|task| task.name.text.as_str().cmp(name)).ok()?;
        Some(TaskIx::of(self.first_tasks[subnet] + found))
    }

    /// The task of an ordinal, as it was written.
    pub(super) fn draft_of(&self, task: TaskIx) -> Option<&'d TaskDraft> {
        let subnet = self.first_tasks.partition_point(|first| *first <= task.index()).checked_sub(1)?;
        // Subnets without tasks share their first ordinal with the next one, which is then the last of them.
        self.subnets.get(subnet)?.tasks.get(task.index() - self.first_tasks[subnet])
    }

    /// The net that has a task, condition or mutex of that name, besides the one given.
    fn elsewhere(&self, name: &str, besides: SubnetIx) -> Option<&'d str> {
        let has = |subnet: &&SubnetDraft| {
            subnet.tasks.binary_search_by(|task| task.name.text.as_str().cmp(name)).is_ok()
                || subnet.conditions.binary_search_by(|condition| condition.name.text.as_str().cmp(name)).is_ok()
                || subnet.mutexes.binary_search_by(|mutex| mutex.text.as_str().cmp(name)).is_ok()
        };
        let others = self.subnets.iter().enumerate().filter(|(at, _)| *at != besides.index()).map(|(_, subnet)| subnet);
        others.into_iter().find(has).map(|subnet| subnet.name.text.as_str())
    }
}

impl<'d> Tables<'d> {
    /// The tables of every subnet, in order.
    pub(super) fn all(draft: &'d Draft, shared: &'d Shared<'d>) -> Vec<Self> {
        let mut first_variable = 0;
        let mut tables = Vec::with_capacity(draft.subnets.len());
        for (at, subnet) in draft.subnets.iter().enumerate() {
            let first_task = shared.first_tasks[at];
            let tasks = subnet.tasks.iter().enumerate();
            let conditions = subnet.conditions.iter().enumerate();
            let conditions = conditions.map(|(at, condition)| (condition.name.text.as_str(), Place::Condition(at)));
            let mutexes = subnet.mutexes.iter().enumerate();
            tables.push(Self {
                shared,
                subnet: SubnetIx::of(at),
                tasks: tasks.map(|(at, task)| (task.name.text.as_str(), TaskIx::of(first_task + at))).collect(),
                conditions: conditions
                    .chain(mutexes.map(|(at, mutex)| (mutex.text.as_str(), Place::Mutex(at))))
                    .collect(),
                variables: subnet
                    .variables
                    .iter()
                    .map(|variable| (variable.name.text.as_str(), variable.kind))
                    .collect(),
                first_variable: VariableIx::of(first_variable),
            });
            first_variable += subnet.variables.len();
        }
        tables
    }

    /// What an expression of this subnet may name.
    pub(super) fn names<'t>(&'t self, given: &'t [Given], result: ResultShape<'t>) -> Names<'t> {
        Names { variables: &self.variables, first: self.first_variable, given, result }
    }

    /// The variable of that name, and what it holds.
    pub(super) fn variable(&self, name: &Name, findings: &mut Findings<'_>) -> Option<(VariableIx, ValueKind)> {
        let known = self.variables.binary_search_by(|(variable, _)| variable.cmp(&name.text.as_str()));
        if known.is_err() {
            let hint = near(&name.text, self.variables.iter().map(|(variable, _)| *variable), findings)
                .map(did_you_mean)
                .or_else(|| Some("declare it under `data:`".to_owned()));
            findings.error(
                Code::UnknownVariable,
                name.span,
                format!("there is no case variable `{}`", name.text),
                hint,
            );
        }
        known.ok().map(|at| (VariableIx::of(self.first_variable.index() + at), self.variables[at].1))
    }

    pub(super) fn role(&self, name: &Name, findings: &mut Findings<'_>) -> Option<RoleIx> {
        let known = self.shared.roles.get(name.text.as_str());
        if known.is_none() {
            let hint = near(&name.text, self.shared.roles.keys().copied(), findings)
                .map(did_you_mean)
                .or_else(|| Some("declare it under `roles:`".to_owned()));
            findings.error(Code::UnknownRole, name.span, format!("there is no role `{}`", name.text), hint);
        }
        known.copied()
    }

    /// The task of that name, for `start`, conditions, `separate_from` and the like.
    pub(super) fn task(&self, name: &Name, findings: &mut Findings<'_>) -> Option<TaskIx> {
        let text = name.text.as_str();
        if let Some(task) = self.tasks.get(text) {
            return Some(*task);
        }
        if matches!(text, "start" | "end") || self.conditions.contains_key(text) {
            let message = format!("`{text}` is a condition; a task is needed here");
            findings.error(Code::BadFlow, name.span, message, None);
            return None;
        }
        let near = near(text, self.tasks.keys().copied(), findings);
        if near.is_some() || !self.found_elsewhere(name, findings) {
            let hint = near.map(did_you_mean);
            findings.error(Code::UnknownNode, name.span, format!("there is no task `{text}`"), hint);
        }
        near.and_then(|near| self.tasks.get(near).copied())
    }

    /// The task of that name in this subnet, or `net/task` in another.
    pub(super) fn labelled(&self, name: &Name, findings: &mut Findings<'_>) -> Option<TaskIx> {
        let Some((net, task)) = name.text.split_once('/') else { return self.task(name, findings) };
        let net = self.shared.net(&Name { text: net.to_owned(), span: name.span }, findings)?;
        let found = self.shared.task_in(net.index(), task);
        if found.is_none() {
            let message = format!("the net `{}` has no task `{task}`", self.shared.subnets[net.index()].name.text);
            findings.error(Code::UnknownNode, name.span, message, None);
        }
        found
    }

    /// What a task's flow leads to. After a slip of the pen, what was probably meant: so that one mistake is reported once.
    pub(super) fn target(&self, name: &Name, findings: &mut Findings<'_>) -> Option<Target> {
        let text = name.text.as_str();
        if text == "start" {
            let hint = Some("lead to the first task instead; it then has two incoming flows".to_owned());
            findings.error(Code::BadFlow, name.span, "no flow leads to `start`", hint);
            return None;
        }
        if text == "end" && self.shared.subnets[self.subnet.index()].implicit {
            let hint = "leave `flow` out; for a choice, lead to a task that has none".to_owned();
            let message = "a net with implicit termination has no `end`";
            findings.error(Code::BadFlow, name.span, message, Some(hint));
            return None;
        }
        if let Some(Place::Mutex(_)) = self.conditions.get(text) {
            let hint = Some("a task holds it with `mutex`, or with `enter` and `leave`".to_owned());
            findings.error(Code::BadFlow, name.span, format!("`{text}` is a mutex; no flow leads there"), hint);
            return None;
        }
        if let Some(target) = self.lookup(text) {
            return Some(target);
        }
        let known = self.tasks.keys().chain(self.conditions.keys()).copied().chain(["end"]);
        let near = near(text, known, findings);
        if near.is_some() || !self.found_elsewhere(name, findings) {
            let hint = near.map(did_you_mean);
            findings.error(Code::UnknownNode, name.span, format!("there is no task or condition `{text}`"), hint);
        }
        near.and_then(|near| self.lookup(near))
    }

    fn lookup(&self, text: &str) -> Option<Target> {
        if text == "end" {
            return Some(Target::End);
        }
        if let Some(task) = self.tasks.get(text) {
            return Some(Target::Task(*task));
        }
        match self.conditions.get(text) {
            Some(Place::Condition(condition)) => Some(Target::Condition(*condition)),
            _ => None,
        }
    }

    /// A task of this subnet.
    pub(super) fn known_task(&self, name: &str) -> Option<TaskIx> {
        self.tasks.get(name).copied()
    }

    /// A condition or mutex of this subnet that the author named.
    pub(super) fn known_condition(&self, name: &str) -> Option<Place> {
        self.conditions.get(name).copied()
    }

    /// Reports that there is nothing of that name in this subnet.
    pub(super) fn unknown(&self, name: &Name, what: &str, findings: &mut Findings<'_>) {
        let known = self.tasks.keys().chain(self.conditions.keys()).copied();
        let near = near(&name.text, known, findings);
        if near.is_some() || !self.found_elsewhere(name, findings) {
            let message = format!("there is no {what} `{}`", name.text);
            findings.error(Code::UnknownNode, name.span, message, near.map(did_you_mean));
        }
    }

    /// Reports a name that another net has; true if one has it.
    fn found_elsewhere(&self, name: &Name, findings: &mut Findings<'_>) -> bool {
        let Some(other) = self.shared.elsewhere(&name.text, self.subnet) else { return false };
        let message = format!("`{}` is in the net `{other}`, which is another", name.text);
        let hint = "a net refers only to its own tasks and conditions".to_owned();
        findings.error(Code::OtherNet, name.span, message, Some(hint));
        true
    }
}
