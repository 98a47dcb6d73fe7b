//! Builds the conditions and flows, and checks joins, splits, guards' places and defaults.

use std::collections::BTreeMap;

use super::names::{Tables, Target};
use crate::diagnostic::Code;
use crate::net::{Condition, ConditionIx, Join, Split, TaskIx};
use crate::read::{Draft, FlowDraft, TaskDraft};
use crate::source::Findings;

pub(super) const START: ConditionIx = ConditionIx(0);
pub(super) const END: ConditionIx = ConditionIx(1);

/// Conditions before the explicit ones.
pub(super) const OWN_CONDITIONS: usize = 2;

pub(super) struct Graph {
    pub(super) conditions: Vec<Condition>,
    pub(super) tasks: Vec<TaskNode>,
}

pub(super) struct TaskNode {
    pub(super) join: Join,
    pub(super) split: Split,
    pub(super) inputs: Vec<ConditionIx>,
    /// Where each flow leads, and whether it is the default.
    pub(super) outputs: Vec<(ConditionIx, bool)>,
    /// Whether some flow leads nowhere known.
    pub(super) incomplete: bool,
}

pub(super) fn build(draft: &Draft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Graph {
    let targets: Vec<Vec<Option<Target>>> = draft.tasks.iter().map(|task| targets(task, tables, findings)).collect();
    let (mut conditions, implicit) = conditions(draft, &targets);
    for name in &draft.start {
        if let Some(task) = tables.task(name, findings) {
            conditions[START.index()].consumers.push(task);
        }
    }
    for (at, condition) in draft.conditions.iter().enumerate() {
        for name in &condition.flow {
            if let Some(task) = tables.task(name, findings) {
                conditions[OWN_CONDITIONS + at].consumers.push(task);
            }
        }
    }
    let mut tasks = Vec::with_capacity(draft.tasks.len());
    for (at, (task, targets)) in draft.tasks.iter().zip(&targets).enumerate() {
        let from = TaskIx::of(at);
        let mut outputs = Vec::new();
        for (flow, target) in task.flow.iter().zip(targets) {
            let to = match target {
                None => continue,
                Some(Target::End) => END,
                Some(Target::Condition(condition)) => ConditionIx::of(OWN_CONDITIONS + condition),
                Some(Target::Task(to)) => implicit[&(from, *to)],
            };
            if outputs.iter().any(|(other, _)| *other == to) {
                let message = format!("two flows of `{}` lead to `{}`", task.name.text, flow.to.text);
                let hint = Some("make it one flow, with a guard that says `||`".to_owned());
                findings.error(Code::DuplicateFlow, flow.span, message, hint);
                continue;
            }
            conditions[to.index()].producers.push(from);
            outputs.push((to, flow.default));
        }
        let incomplete = targets.iter().any(Option::is_none) || task.flow.is_empty();
        tasks.push(TaskNode { join: Join::Xor, split: split(task, findings), inputs: Vec::new(), outputs, incomplete });
    }
    for (at, condition) in conditions.iter_mut().enumerate() {
        for list in [&mut condition.producers, &mut condition.consumers] {
            list.sort_unstable();
            list.dedup();
        }
        for task in &condition.consumers {
            tasks[task.index()].inputs.push(ConditionIx::of(at));
        }
    }
    for (task, node) in draft.tasks.iter().zip(&mut tasks) {
        node.join = join(task, &node.inputs, &conditions, findings);
    }
    Graph { conditions, tasks }
}

fn targets(task: &TaskDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Vec<Option<Target>> {
    task.flow.iter().map(|flow| tables.target(&flow.to, findings)).collect()
}

type Implicit = BTreeMap<(TaskIx, TaskIx), ConditionIx>;

/// All conditions, in the order of their ordinals, not connected yet.
fn conditions(draft: &Draft, targets: &[Vec<Option<Target>>]) -> (Vec<Condition>, Implicit) {
    let condition = |name: String, title: Option<String>, implicit| Condition {
        name,
        implicit,
        title,
        producers: Vec::new(),
        consumers: Vec::new(),
    };
    let mut list = vec![condition("start".to_owned(), None, false), condition("end".to_owned(), None, false)];
    list.extend(
        draft.conditions.iter().map(|explicit| condition(explicit.name.text.clone(), explicit.title.clone(), false)),
    );
    let mut implicit = Implicit::new();
    for (at, targets) in targets.iter().enumerate() {
        for target in targets {
            if let Some(Target::Task(to)) = target {
                implicit.insert((TaskIx::of(at), *to), ConditionIx::default());
            }
        }
    }
    for ((from, to), place) in &mut implicit {
        *place = ConditionIx::of(list.len());
        let name = format!("{}->{}", draft.tasks[from.index()].name.text, draft.tasks[to.index()].name.text);
        let mut between = condition(name, None, true);
        between.consumers.push(*to);
        list.push(between);
    }
    (list, implicit)
}

fn join(task: &TaskDraft, inputs: &[ConditionIx], conditions: &[Condition], findings: &mut Findings<'_>) -> Join {
    if inputs.len() <= 1 {
        return Join::Xor;
    }
    task.join.unwrap_or_else(|| {
        let from: Vec<&str> = inputs.iter().map(|input| conditions[input.index()].name.as_str()).collect();
        let message =
            format!("`{}` has {} incoming flows and no `join`: {}", task.name.text, from.len(), from.join(", "));
        let hint =
            "`join: xor` starts on any of them, `and` waits for all, `or` for all that can still come".to_owned();
        findings.error(Code::MissingJoin, task.name.span, message, Some(hint));
        Join::Xor
    })
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
    for flow in unguarded.filter(|flow| !flow.default && flow.when.is_none()) {
        let message = format!("the flow to `{}` has no guard", flow.to.text);
        findings.error(Code::MissingGuard, flow.span, message, Some("add `when: \"…\"`".to_owned()));
    }
}
