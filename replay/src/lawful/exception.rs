//! Exceptions: raised as the net foresees them, answered as it says.

use actum_kernel::RESTARTS_MAX;
use actum_model::{ActorSet, CaseEvent, ExceptionKind, ItemId, TaskIx};
use actum_net::{Answer, AnswerScope, ExceptionRule, ExceptionTrigger, Net};

use super::rule::{Judged, Law, must};
use super::time::is_timeout;
use super::view::{Sees, View};

/// What is not a rule's but the engine's own or an operator's.
const ON_RECORD: &str = "continue";
const COMPENSATE: &str = "compensate";

/// An exception is raised, with its answer.
pub(super) fn raised(view: &View<'_>, item: Option<ItemId>, kind: ExceptionKind, name: &str, answer: &str) -> Judged {
    let state = item.and_then(|id| view.control().item(id));
    must(item.is_none() || state.is_some(), Law::Phase, || {
        "an exception is about an item that is not there".to_owned()
    })?;
    let asked_to_undo = kind == ExceptionKind::External && name == COMPENSATE && view.cause().is_none();
    if asked_to_undo || (kind == ExceptionKind::Violation && !name.is_empty() && answer == ON_RECORD) {
        return Ok(());
    }
    let own = state.map_or(&[][..], |item| &view.task(item.task).exceptions);
    let fits = |rule: &&ExceptionRule| is_for(rule, kind, name);
    let rule = own.iter().find(fits).or_else(|| view.net.subnets[0].exceptions.iter().find(fits));
    let what = || format!("{} {name}", kind.name()).trim_end().to_owned();
    let Some(rule) = rule else {
        return Err(super::rule::Broken(Law::Net, format!("the net has no rule for the exception {}", what())));
    };
    let again = state.map_or(0, |item| view.control().restarts_of(item.frame, item.task));
    let gives_up = (kind == ExceptionKind::Abort && rule.answer == Answer::Restart && again >= RESTARTS_MAX)
        || (kind == ExceptionKind::Violation && rule.answer == Answer::Complete);
    let right = words(view.net, rule.answer, rule.scope);
    let continues = gives_up && answer.trim_start_matches("case: ") == ON_RECORD;
    must(answer == right || continues, Law::Net, || {
        format!("the net answers the exception {} by `{right}`, and `{answer}` is recorded", what())
    })?;
    happened(view, item, kind, name, rule)
}

/// What it is raised because of was so.
fn happened(view: &View<'_>, item: Option<ItemId>, kind: ExceptionKind, name: &str, rule: &ExceptionRule) -> Judged {
    let cause = view.cause().map(|cause| &cause.event);
    // Anybody may say that something happened outside; what the engine notices itself it noticed just before.
    let Some(cause) = cause else {
        return must(
            kind == ExceptionKind::External || view.decision.past.is_empty() || kind == ExceptionKind::Violation,
            Law::Cause,
            || format!("nothing brought about the exception {}", kind.name()),
        );
    };
    let about = |event: &CaseEvent| event.work().map(|(item, _)| item) == item;
    match (kind, &rule.trigger) {
        (ExceptionKind::Abort, _) => {
            let failed = view.decision.past.iter().rev().any(|past| {
                matches!(&past.event, CaseEvent::WorkFailed { code, .. } if code == name) && about(&past.event)
            });
            must(failed, Law::Cause, || format!("nothing failed with {name}"))
        }
        (ExceptionKind::Timeout, _) => {
            must(is_timeout(cause), Law::Cause, || "no timer fired before the timeout".to_owned())
        }
        (ExceptionKind::Unavailable, _) => {
            let nobody = matches!(cause, CaseEvent::AllocationDecided { chosen: None, candidates, .. } if ActorSet::is_empty(candidates));
            let none = matches!(cause, CaseEvent::AllocationDecided { chosen: None, .. });
            must(nobody || none, Law::Cause, || "somebody was available".to_owned())
        }
        (ExceptionKind::Violation, ExceptionTrigger::Violation { when }) if item.is_none() => {
            let sees = Sees::data(view.case, actum_model::FrameId::ROOT);
            must(when.eval(&sees) != Ok(false), Law::Data, || format!("`{}` does not hold", when.source()))
        }
        _ => Ok(()),
    }
}

fn is_for(rule: &ExceptionRule, kind: ExceptionKind, name: &str) -> bool {
    match &rule.trigger {
        ExceptionTrigger::Abort => kind == ExceptionKind::Abort,
        ExceptionTrigger::Timeout { .. } => kind == ExceptionKind::Timeout,
        ExceptionTrigger::Unavailable => kind == ExceptionKind::Unavailable,
        ExceptionTrigger::Violation { .. } => kind == ExceptionKind::Violation,
        ExceptionTrigger::External { name: known } => kind == ExceptionKind::External && known == name,
        _ => false,
    }
}

/// An answer in the words that events have for it.
fn words(net: &Net, answer: Answer, scope: AnswerScope) -> String {
    let of = |task: TaskIx| &net.tasks[task.index()];
    let (word, more) = match answer {
        Answer::Continue => ("continue", None),
        Answer::Suspend => ("suspend", None),
        Answer::Remove => ("remove", None),
        Answer::Restart => ("restart", None),
        Answer::Complete => ("complete", None),
        Answer::Fail => ("fail", None),
        Answer::Escalate => ("escalate", None),
        Answer::Undo => ("compensate", None),
        Answer::Compensate(task) => ("compensate", Some(net.task_label(task))),
        Answer::Signal(task) => ("signal", of(task).trigger.as_ref().map(|trigger| trigger.signal.clone())),
        Answer::GoBack(task) => ("rollback", of(task).savepoint.clone()),
        _ => ("unknown", None),
    };
    let case = if scope == AnswerScope::Case { "case: " } else { "" };
    more.map_or_else(|| format!("{case}{word}"), |more| format!("{case}{word} {more}"))
}
