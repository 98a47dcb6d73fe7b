//! Exceptions: answers that are possible, and tasks that compensate.

use super::expressions::{RESULT_FIRST, RESULT_LATER, guard};
use super::graph::Graph;
use super::names::Tables;
use super::time;
use crate::diagnostic::Code;
use crate::exception::{Answer, AnswerScope, ExceptionRule, ExceptionTrigger, TimeoutFrom};
use crate::net::TaskIx;
use crate::read::{AnswerDraft, Draft, ExceptionDraft, TaskDraft, TriggerOfException};
use crate::source::{Findings, Span};

/// The rules of a task.
pub(super) fn of_task(task: &TaskDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Vec<ExceptionRule> {
    let mut rules = Vec::new();
    for draft in &task.exceptions {
        out_of_place(task, draft, findings);
        let scope = if draft.of_case { AnswerScope::Case } else { AnswerScope::Item };
        let undoes = matches!(draft.answer, AnswerDraft::Compensate(_) | AnswerDraft::Undo | AnswerDraft::GoBack(_));
        if task.compensates.is_some() && undoes {
            let message = "what compensates is not compensated in turn";
            findings.error(Code::BadAnswer, draft.span, message, None);
        }
        rules.extend(rule(draft, scope, tables, findings));
    }
    rules.sort_by(|left, right| order(&left.trigger).cmp(&order(&right.trigger)));
    rules
}

/// The rules of the net; `tables` are the root's.
pub(super) fn of_net(draft: &Draft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Vec<ExceptionRule> {
    let rules = draft.exceptions.iter();
    let mut rules: Vec<_> = rules.filter_map(|draft| rule(draft, AnswerScope::Case, tables, findings)).collect();
    rules.sort_by(|left, right| order(&left.trigger).cmp(&order(&right.trigger)));
    rules
}

/// The order of rules is not the author's, as only one answers.
fn order(trigger: &ExceptionTrigger) -> (u8, &str) {
    match trigger {
        ExceptionTrigger::Abort => (0, ""),
        ExceptionTrigger::Timeout { .. } => (1, ""),
        ExceptionTrigger::Unavailable => (2, ""),
        ExceptionTrigger::Violation { .. } => (3, ""),
        ExceptionTrigger::External { name } => (4, name),
    }
}

/// Exceptions that such a task never has.
fn out_of_place(task: &TaskDraft, rule: &ExceptionDraft, findings: &mut Findings<'_>) {
    let mut refuse = |what: &str, hint: &str| {
        let message = format!("`{}` never has this exception: {what}", task.name.text);
        findings.error(Code::NotForThisWork, rule.key, message, Some(hint.to_owned()));
    };
    match &rule.trigger {
        TriggerOfException::Unavailable if !task.is_manual() => {
            refuse("no person does it", "it is for tasks with a `role` or `resources`");
        }
        TriggerOfException::Timeout { from, .. }
            if task.is_routing() && (task.trigger.is_none() || *from == TimeoutFrom::Started) =>
        {
            refuse("it takes no time", "it is for tasks that do something, or wait for a signal");
        }
        TriggerOfException::Timeout { .. } if task.wait.is_some() => {
            refuse("it takes as long as `wait` says", "let another task wait beside it");
        }
        _ => {}
    }
}

fn rule(
    draft: &ExceptionDraft,
    scope: AnswerScope,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<ExceptionRule> {
    let trigger = match &draft.trigger {
        TriggerOfException::Abort => Some(ExceptionTrigger::Abort),
        TriggerOfException::Timeout { limit, from } => time::wait(limit, tables.names(&[], RESULT_LATER), findings)
            .map(|limit| ExceptionTrigger::Timeout { limit, from: *from }),
        TriggerOfException::Unavailable => Some(ExceptionTrigger::Unavailable),
        TriggerOfException::Violation { when } => {
            let names = tables.names(&[], RESULT_FIRST);
            guard(when, names, findings).map(|when| ExceptionTrigger::Violation { when })
        }
        TriggerOfException::External { name } => Some(ExceptionTrigger::External { name: name.text.clone() }),
    };
    let answer = answer(draft, scope, tables, findings);
    Some(ExceptionRule { trigger: trigger?, answer: answer?, scope })
}

fn answer(
    draft: &ExceptionDraft,
    scope: AnswerScope,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<Answer> {
    Some(match &draft.answer {
        AnswerDraft::Continue => Answer::Continue,
        AnswerDraft::Suspend => Answer::Suspend,
        AnswerDraft::Remove => Answer::Remove,
        AnswerDraft::Restart if scope == AnswerScope::Case => {
            let hint = Some("answer `remove`, and start another case".to_owned());
            findings.error(Code::BadAnswer, draft.span, "a case does not begin again", hint);
            return None;
        }
        AnswerDraft::Restart => Answer::Restart,
        AnswerDraft::Escalate if scope == AnswerScope::Case => {
            let hint = Some("give the tasks of people a rule with `escalate`".to_owned());
            findings.error(Code::BadAnswer, draft.span, "nobody is above who has a case", hint);
            return None;
        }
        AnswerDraft::Escalate => Answer::Escalate,
        AnswerDraft::Undo => Answer::Undo,
        AnswerDraft::Signal(name) => Answer::Signal(waits_for(name, tables, findings)?),
        AnswerDraft::GoBack(name) => Answer::GoBack(savepoint(name, tables, findings)?),
        AnswerDraft::Complete => Answer::Complete,
        AnswerDraft::Fail => Answer::Fail,
        AnswerDraft::Compensate(name) => {
            let task = tables.task(name, findings)?;
            if tables.shared.draft_of(task).is_some_and(|task| task.compensates.is_none()) {
                let message = format!("`{}` does not compensate", name.text);
                let hint = Some("give it `compensates: true`, and no flows".to_owned());
                findings.error(Code::BadCompensation, name.span, message, hint);
            }
            Answer::Compensate(task)
        }
    })
}

/// The first task that waits for a signal.
fn waits_for(signal: &crate::read::Name, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Option<TaskIx> {
    let all = tables.shared.subnets.iter().flat_map(|subnet| &subnet.tasks);
    let waits = |task: &TaskDraft| task.trigger.as_ref().is_some_and(|trigger| trigger.signal.text == signal.text);
    let found = all.enumerate().find(|(_, task)| waits(task)).map(|(at, _)| TaskIx::of(at));
    if found.is_none() {
        let hint = Some(format!("give a task `trigger: {{ signal: {} }}`", signal.text));
        findings.error(Code::BadAnswer, signal.span, format!("no task waits for the signal `{}`", signal.text), hint);
    }
    found
}

/// The task whose savepoint it is.
fn savepoint(name: &crate::read::Name, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Option<TaskIx> {
    let tasks = &tables.shared.subnets[0].tasks;
    let has = |task: &TaskDraft| task.savepoint.as_ref().is_some_and(|savepoint| savepoint.text == name.text);
    let found = tasks.iter().position(has).map(TaskIx::of);
    if found.is_none() {
        let hint = Some(format!("give a task of the net itself `savepoint: {}`", name.text));
        findings.error(Code::BadSavepoint, name.span, format!("there is no savepoint `{}`", name.text), hint);
    }
    found
}

/// What undoes a task's work.
pub(super) fn compensation(task: &TaskDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Option<TaskIx> {
    let name = task.compensation.as_ref()?;
    if task.compensates.is_some() {
        findings.error(Code::BadCompensation, name.span, "what compensates is not compensated in turn", None);
        return None;
    }
    let by = tables.task(name, findings)?;
    if tables.shared.draft_of(by).is_some_and(|task| task.compensates.is_none()) {
        let message = format!("`{}` does not compensate", name.text);
        let hint = Some("give it `compensates: true`, and no flows".to_owned());
        findings.error(Code::BadCompensation, name.span, message, hint);
    }
    Some(by)
}

/// Savepoints are the root's, each name once, and not of what stands aside.
pub(super) fn savepoints(draft: &Draft, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for (at, subnet) in draft.subnets.iter().enumerate() {
        for task in &subnet.tasks {
            let Some(name) = &task.savepoint else { continue };
            let why = if at > 0 {
                "only tasks of the net itself have savepoints"
            } else if task.compensates.is_some() {
                "what compensates has no savepoint"
            } else if !seen.insert(name.text.as_str()) {
                "another task has a savepoint of this name"
            } else {
                continue;
            };
            findings.error(Code::BadSavepoint, name.span, why, None);
        }
    }
}

/// A task that compensates stands aside: nothing leads there or away, and somebody asks for it.
pub(super) fn compensations(draft: &Draft, tables: &[Tables<'_>], graph: &Graph, findings: &mut Findings<'_>) {
    let root = draft.exceptions.iter().map(|rule| (0, rule));
    let tasks = draft.subnets.iter().enumerate();
    let tasks = tasks.flat_map(|(at, subnet)| {
        subnet.tasks.iter().flat_map(move |task| task.exceptions.iter().map(move |rule| (at, rule)))
    });
    let asked: std::collections::HashSet<TaskIx> = root
        .chain(tasks)
        .filter_map(|(at, rule)| match &rule.answer {
            AnswerDraft::Compensate(name) => tables[at].known_task(&name.text),
            _ => None,
        })
        .chain(draft.subnets.iter().enumerate().flat_map(|(at, subnet)| {
            subnet.tasks.iter().filter_map(move |task| tables[at].known_task(&task.compensation.as_ref()?.text))
        }))
        .collect();
    let all = draft.subnets.iter().flat_map(|subnet| &subnet.tasks).enumerate();
    for (at, task) in all.filter(|(_, task)| task.compensates.is_some()) {
        let mut refuse = |span: Option<Span>, what: &str| {
            if let Some(span) = span {
                let message = format!("`{}` compensates, so {what}", task.name.text);
                findings.error(Code::BadCompensation, span, message, None);
            }
        };
        let first = |names: &[crate::read::Name]| names.first().map(|name| name.span);
        let leads = !graph.tasks[at].inputs.is_empty();
        refuse(leads.then_some(task.name.span), "nothing leads there: an exception's answer runs it");
        refuse(task.flow.first().map(|flow| flow.span), "it leads nowhere");
        refuse(task.join.map(|join| join.span), "it has no `join`");
        refuse(task.instances.as_ref().map(|instances| instances.key), "it has no `instances`");
        refuse(task.trigger.as_ref().map(|trigger| trigger.key), "it has no `trigger`");
        refuse(first(&task.reads), "it has no `reads`");
        refuse(first(&task.mutex).or(first(&task.enter)).or(first(&task.leave)), "it holds no mutex");
        refuse(first(&task.cancels), "it cancels nothing");
        refuse(task.takes.first().map(|(name, _)| name.span), "it takes no tokens");
        if !asked.contains(&TaskIx::of(at)) {
            let message = format!("nothing is compensated by `{}`", task.name.text);
            let hint = Some(format!("write `compensation: {}` on a task", task.name.text));
            findings.warning(Code::Unused, task.name.span, message, hint);
        }
    }
}
