//! Builds the conditions and flows, and checks joins, splits, guards' places and defaults.

use std::collections::BTreeMap;
use std::ops::Range;

use super::names::{Place, Tables, Target};
use super::policies::is_for_errors;
use crate::diagnostic::Code;
use crate::net::{Condition, ConditionIx, Join, Split, SubnetIx, TaskIx};
use crate::read::{Draft, FlowDraft, SubnetDraft, TaskDraft};
use crate::source::Findings;

/// Conditions of a subnet before the explicit ones.
const OWN_CONDITIONS: usize = 2;

/// All subnets, side by side.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) subnets: Vec<SubnetGraph>,
    pub(super) conditions: Vec<Condition>,
    pub(super) tasks: Vec<TaskNode>,
    /// The conditions that stand for flows from task to task.
    pub(super) implicit: BTreeMap<(TaskIx, TaskIx), ConditionIx>,
}

pub(super) struct SubnetGraph {
    pub(super) start: ConditionIx,
    pub(super) end: ConditionIx,
    /// How many explicit conditions it has.
    explicit: usize,
    pub(super) mutexes: Vec<ConditionIx>,
    pub(super) conditions: Range<usize>,
    pub(super) tasks: Range<usize>,
}

impl SubnetGraph {
    /// The ordinal of a condition that the author named.
    pub(super) fn place(&self, place: Place) -> ConditionIx {
        let before = match place {
            Place::Condition(at) => at,
            Place::Mutex(at) => self.explicit + at,
        };
        ConditionIx::of(self.conditions.start + OWN_CONDITIONS + before)
    }
}

pub(super) struct TaskNode {
    pub(super) join: Join,
    pub(super) split: Split,
    pub(super) inputs: Vec<ConditionIx>,
    /// Where each flow leads.
    pub(super) outputs: Vec<Output>,
    /// Whether some flow leads nowhere known.
    pub(super) incomplete: bool,
}

pub(super) struct Output {
    pub(super) to: ConditionIx,
    pub(super) tokens: u32,
    pub(super) default: bool,
    /// Its place among the author's flows.
    pub(super) flow: usize,
}

pub(super) fn build(draft: &Draft, tables: &[Tables<'_>], findings: &mut Findings<'_>) -> Graph {
    let mut graph = Graph::default();
    for (subnet, tables) in draft.subnets.iter().zip(tables) {
        graph.add(subnet, tables, findings);
    }
    graph
}

impl Graph {
    fn add(&mut self, subnet: &SubnetDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) {
        let first_task = self.tasks.len();
        let targets: Vec<Vec<Option<Target>>> = subnet
            .tasks
            .iter()
            .map(|task| task.flow.iter().map(|flow| tables.target(&flow.to, findings)).collect())
            .collect();
        let own = self.add_conditions(subnet, tables.subnet, first_task, &targets);
        for name in &subnet.start {
            if let Some(task) = tables.task(name, findings) {
                self.conditions[own.start.index()].consumers.push(task);
            }
        }
        for (at, condition) in subnet.conditions.iter().enumerate() {
            for name in &condition.flow {
                if let Some(task) = tables.task(name, findings) {
                    self.conditions[own.place(Place::Condition(at)).index()].consumers.push(task);
                }
            }
        }
        for (at, (task, targets)) in subnet.tasks.iter().zip(&targets).enumerate() {
            let from = TaskIx::of(first_task + at);
            let mut outputs: Vec<Output> = Vec::new();
            for (place, (flow, target)) in task.flow.iter().zip(targets).enumerate() {
                let to = match target {
                    None => continue,
                    Some(Target::End) => own.end,
                    Some(Target::Condition(at)) => own.place(Place::Condition(*at)),
                    Some(Target::Task(to)) => self.implicit[&(from, *to)],
                };
                if outputs.iter().any(|other| other.to == to) {
                    let message = format!("two flows of `{}` lead to `{}`", task.name.text, flow.to.text);
                    let hint = "make it one flow, with a guard that says `||`, or with `tokens`".to_owned();
                    findings.error(Code::DuplicateFlow, flow.span, message, Some(hint));
                    continue;
                }
                self.conditions[to.index()].producers.push(from);
                outputs.push(Output { to, tokens: flow.tokens, default: flow.default, flow: place });
            }
            let incomplete = targets.iter().any(Option::is_none) || task.flow.is_empty();
            let split = split(task, findings);
            self.tasks.push(TaskNode { join: Join::Xor, split, inputs: Vec::new(), outputs, incomplete });
        }
        for at in own.conditions.clone() {
            let condition = &mut self.conditions[at];
            for list in [&mut condition.producers, &mut condition.consumers] {
                list.sort_unstable();
                list.dedup();
            }
            for task in &condition.consumers {
                self.tasks[task.index()].inputs.push(ConditionIx::of(at));
            }
        }
        for (task, node) in subnet.tasks.iter().zip(&mut self.tasks[first_task..]) {
            node.join = join(task, &node.inputs, &self.conditions, findings);
        }
        self.subnets.push(own);
    }

    /// Adds a subnet's conditions, in the order of their ordinals, not connected yet.
    fn add_conditions(
        &mut self,
        subnet: &SubnetDraft,
        ordinal: SubnetIx,
        first_task: usize,
        targets: &[Vec<Option<Target>>],
    ) -> SubnetGraph {
        let first = self.conditions.len();
        let condition = |name: &str, title: Option<String>| Condition {
            name: name.to_owned(),
            subnet: ordinal,
            implicit: false,
            mutex: false,
            title,
            producers: Vec::new(),
            consumers: Vec::new(),
            readers: Vec::new(),
        };
        self.conditions.extend([condition("start", None), condition("end", None)]);
        let explicit = subnet.conditions.iter();
        self.conditions.extend(explicit.map(|explicit| condition(&explicit.name.text, explicit.title.clone())));
        let first_mutex = self.conditions.len();
        let mutexes = subnet.mutexes.iter();
        self.conditions.extend(mutexes.map(|mutex| Condition { mutex: true, ..condition(&mutex.text, None) }));
        let mutexes = (first_mutex..self.conditions.len()).map(ConditionIx::of).collect();
        let mut between = Vec::new();
        for (at, targets) in targets.iter().enumerate() {
            for target in targets {
                if let Some(Target::Task(to)) = target {
                    between.push((TaskIx::of(first_task + at), *to));
                }
            }
        }
        between.sort_unstable();
        between.dedup();
        for (from, to) in between {
            let name = |task: TaskIx| subnet.tasks[task.index() - first_task].name.text.as_str();
            self.implicit.insert((from, to), ConditionIx::of(self.conditions.len()));
            let name = format!("{}->{}", name(from), name(to));
            self.conditions.push(Condition { implicit: true, consumers: vec![to], ..condition(&name, None) });
        }
        SubnetGraph {
            start: ConditionIx::of(first),
            end: ConditionIx::of(first + 1),
            explicit: subnet.conditions.len(),
            mutexes,
            conditions: first..self.conditions.len(),
            tasks: first_task..first_task + subnet.tasks.len(),
        }
    }
}

fn join(task: &TaskDraft, inputs: &[ConditionIx], conditions: &[Condition], findings: &mut Findings<'_>) -> Join {
    if let Some(join) = task.join
        && let Join::Partial { of, .. } = join.join
        && of as usize > inputs.len()
    {
        let message = format!("`{}` waits for {of} of its flows, but has {}", task.name.text, inputs.len());
        findings.error(Code::BadJoin, join.span, message, None);
    }
    if inputs.len() <= 1 {
        return Join::Xor;
    }
    let missing = || {
        let from: Vec<&str> = inputs.iter().map(|input| conditions[input.index()].name.as_str()).collect();
        let message =
            format!("`{}` has {} incoming flows and no `join`: {}", task.name.text, from.len(), from.join(", "));
        let hint =
            "`join: xor` starts on any of them, `and` waits for all, `or` for all that can still come".to_owned();
        findings.error(Code::MissingJoin, task.name.span, message, Some(hint));
        Join::Xor
    };
    task.join.map_or_else(missing, |join| join.join)
}

fn split(task: &TaskDraft, findings: &mut Findings<'_>) -> Split {
    if task.flow.len() <= 1 {
        only_plain(task, "the task's only flow", findings);
        return Split::And;
    }
    let split = task.split.unwrap_or_else(|| {
        let guarded = task.flow.iter().any(|flow| flow.when.is_some() || flow.default);
        let message = format!("`{}` has {} outgoing flows and no `split`", task.name.text, task.flow.len());
        let hint = if guarded {
            "`split: xor` takes the first flow whose guard holds, `or` all of them"
        } else {
            "`split: and` takes all of them"
        };
        findings.error(Code::MissingSplit, task.name.span, message, Some(hint.to_owned()));
        if guarded { Split::Xor } else { Split::And }
    });
    match split {
        Split::And => only_plain(task, "a flow of an `and` split", findings),
        Split::Xor | Split::Or => choices(task, findings),
    }
    split
}

fn only_plain(task: &TaskDraft, what: &str, findings: &mut Findings<'_>) {
    for flow in task.flow.iter().filter(|flow| flow.when.is_some() || flow.default) {
        let message = format!("{what} is always taken, so it has neither `when` nor `default`");
        let hint = Some("use `split: xor` or `split: or` for a choice".to_owned());
        let span = flow.when.as_ref().map_or(flow.span, |when| when.span);
        findings.error(Code::GuardNotAllowed, span, message, hint);
    }
}

fn choices(task: &TaskDraft, findings: &mut Findings<'_>) {
    let Some((last, others)) = task.flow.split_last() else { return };
    let defaults: Vec<&FlowDraft> = task.flow.iter().filter(|flow| flow.default).collect();
    match defaults.as_slice() {
        [] => {
            let message = format!("the choice after `{}` has no default", task.name.text);
            let hint = Some("add `default: true` to the last flow, instead of `when`".to_owned());
            findings.error(Code::MissingDefault, last.span, message, hint);
        }
        [default] if default.span != last.span => {
            let message = "the default is not the last flow".to_owned();
            let hint = Some("flows are tried in order; move the default to the end".to_owned());
            findings.error(Code::DefaultNotLast, default.span, message, hint);
        }
        [_] => {}
        [_, second, ..] => {
            let message = format!("the choice after `{}` has {} defaults", task.name.text, defaults.len());
            findings.error(Code::SeveralDefaults, second.span, message, None);
        }
    }
    for flow in &task.flow {
        if flow.default && flow.when.is_some() {
            let hint = Some("the default is taken when no guard holds; drop its `when`".to_owned());
            findings.error(Code::MissingGuard, flow.span, "a flow has both `when` and `default`", hint);
        }
    }
    // A last flow without guard is a forgotten default, which is reported already.
    let unguarded = others.iter().chain((!defaults.is_empty()).then_some(last));
    for flow in unguarded.filter(|flow| !flow.default && flow.when.is_none() && !is_for_errors(task, &flow.to.text)) {
        let message = format!("the flow to `{}` has no guard", flow.to.text);
        findings.error(Code::MissingGuard, flow.span, message, Some("add `when: \"…\"`".to_owned()));
    }
}
