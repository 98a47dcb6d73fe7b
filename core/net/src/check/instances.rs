//! Multiple instances: their numbers fit together, and what their expressions see.

use actum_model::Value;

use super::expressions::{RESULT_LATER, fits, guard, template};
use super::names::Tables;
use crate::diagnostic::Code;
use crate::expression::{Given, ResultShape};
use crate::instances::{INSTANCES_MAX, InstanceCount, Instances};
use crate::kind::ValueKind;
use crate::read::{InstancesDraft, TaskDraft};
use crate::source::{Findings, Span};

/// What `params` and `input` of a task see besides variables.
pub(super) fn given(task: &TaskDraft) -> &'static [Given] {
    match &task.instances {
        Some(InstancesDraft { each: Some(_), .. }) => &[Given::Each, Given::Index],
        Some(_) => &[Given::Index],
        None => &[],
    }
}

/// The instances of a task; `None` after a finding.
pub(super) fn check(draft: &InstancesDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) -> Option<Instances> {
    let min = draft.min.map_or(1, |(min, _)| min);
    let max = draft.max.map_or(INSTANCES_MAX, |(max, _)| max);
    let mut refuse = |span: Span, message: String| findings.error(Code::BadInstances, span, message, None);
    if let Some((_, span)) = draft.max.or(draft.min)
        && min > max
    {
        refuse(span, format!("there are at least {min} instances, but at most {max}"));
    }
    if let Some((threshold, span)) = draft.threshold
        && threshold > max
    {
        refuse(span, format!("the task goes on after {threshold} completions, but there are at most {max}"));
    }
    hidden(draft, tables, findings);
    let count = count(draft, min, max, tables, findings);
    let until = draft.until.as_ref().map(|until| {
        let given = [Given::Completed, Given::Active, Given::Results];
        let hint = ResultShape::Absent("`results` has what the instances gave back");
        guard(until, tables.names(&given, hint), findings)
    });
    let until = match until {
        Some(until) => Some(until?),
        None => None,
    };
    let threshold = draft.threshold.map(|(threshold, _)| threshold);
    Some(Instances { count: count?, min, max, add: draft.add, threshold, until, rest: draft.rest })
}

fn count(
    draft: &InstancesDraft,
    min: u32,
    max: u32,
    tables: &Tables<'_>,
    findings: &mut Findings<'_>,
) -> Option<InstanceCount> {
    let names = tables.names(&[], RESULT_LATER);
    if let Some(node) = &draft.each {
        let (list, kind) = template(node, names, findings)?;
        if !fits(&list, kind, ValueKind::List) || list.literal() == Some(&Value::Null) {
            let message = format!("`each` takes a list, not {}", kind.name());
            findings.error(Code::TypeMismatch, node.span, message, None);
        }
        return Some(InstanceCount::Each(list));
    }
    let node = draft.count.as_ref()?;
    let (count, kind) = template(node, names, findings)?;
    match count.literal() {
        Some(Value::Int(number)) => {
            let within = u32::try_from(*number).is_ok_and(|number| (min..=max).contains(&number));
            if !within {
                let message = format!("there are {number} instances, but the task has {min} to {max}");
                findings.error(Code::BadInstances, node.span, message, None);
            } else if let Some((threshold, span)) = draft.threshold
                && i64::from(threshold) > *number
                && !draft.add
            {
                let message = format!("{threshold} completions never come: there are {number} instances");
                let hint = Some("the task goes on when all are done; `add: true` lets more come".to_owned());
                findings.warning(Code::BadInstances, span, message, hint);
            }
        }
        None if kind.may_fill(ValueKind::Int) => {}
        _ => {
            let message = format!("`count` takes an integer, not {}", kind.name());
            findings.error(Code::TypeMismatch, node.span, message, None);
        }
    }
    Some(InstanceCount::Count(count))
}

/// A variable of a name that instances give a meaning of its own could not be read.
fn hidden(draft: &InstancesDraft, tables: &Tables<'_>, findings: &mut Findings<'_>) {
    let mut given = vec![Given::Index, Given::Results];
    given.extend(draft.each.as_ref().map(|_| Given::Each));
    given.extend(draft.until.iter().flat_map(|_| [Given::Completed, Given::Active]));
    for name in given.into_iter().map(Given::name) {
        if tables.variables.binary_search_by(|(variable, _)| (*variable).cmp(name)).is_ok() {
            let message =
                format!("`{name}` is a variable here, and something else in expressions of a task with instances");
            findings.error(Code::ReservedName, draft.key, message, Some("rename the variable".to_owned()));
        }
    }
}
