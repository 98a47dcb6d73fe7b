//! Reads `exceptions`, of a task or of the net.

use super::data::name_of;
use super::table::{Table, entries};
use super::{AnswerDraft, ExceptionDraft, TriggerOfException, WaitDraft, choice, task, text, wrong_type};
use crate::diagnostic::Code;
use crate::exception::TimeoutFrom;
use crate::source::{Data, Findings, Key, Node, Span};

/// Most rules for external exceptions of one task.
const EXTERNAL_MAX: usize = 256;

/// An answer, and whether it is the case's.
type Answered = (AnswerDraft, bool, Span);

/// Reads the rules; `scoped` says whether answers may say `scope: case`, as on tasks.
pub(super) fn exceptions(node: &Node, scoped: bool, findings: &mut Findings<'_>) -> Vec<ExceptionDraft> {
    let Some(mut table) = Table::of(node, "`exceptions`", findings) else { return Vec::new() };
    let mut rules = Vec::new();
    let mut push = |trigger: TriggerOfException, key: &Key, answered: Option<Answered>| {
        if let Some((answer, of_case, span)) = answered {
            rules.push(ExceptionDraft { trigger, key: key.span, answer, of_case, span });
        }
    };
    if let Some((key, node)) = table.take("abort") {
        push(TriggerOfException::Abort, key, answer(node, scoped, findings));
    }
    if let Some((key, node)) = table.take("timeout")
        && let Some(mut inner) = Table::of(node, "`timeout`", findings)
    {
        let at = inner.take("at").map(|(_, node)| node.clone());
        let after = if at.is_none() { inner.required("after", findings) } else { inner.take("after") };
        let calendar = inner.take("calendar").and_then(|(_, node)| text(node, findings));
        let limit = WaitDraft {
            key: key.span,
            length: after.map(|(_, node)| node.clone()),
            until: at,
            calendar,
            cron: None,
            zone: None,
        };
        if let (Some(_), Some(at)) = (&limit.length, &limit.until) {
            findings.error(Code::BadTime, at.span, "`timeout` has both `after` and `at`", None);
        }
        super::wait::fits(&limit, findings);
        let froms = [
            ("enabled", TimeoutFrom::Enabled),
            ("allocated", TimeoutFrom::Allocated),
            ("started", TimeoutFrom::Started),
        ];
        let from = if scoped { inner.take("from") } else { None };
        let from = from.and_then(|(_, node)| choice(node, &froms, findings)).unwrap_or_default();
        let answered = done(&mut inner, scoped, findings);
        inner.finish(findings);
        if limit.length.is_some() || limit.until.is_some() {
            push(TriggerOfException::Timeout { limit, from }, key, answered);
        }
    }
    if let Some((key, node)) = table.take("unavailable") {
        push(TriggerOfException::Unavailable, key, answer(node, scoped, findings));
    }
    if let Some((key, node)) = table.take("violation")
        && let Some(mut inner) = Table::of(node, "`violation`", findings)
    {
        let when = inner.required("when", findings).and_then(|(_, node)| task::guard(node, findings));
        let answered = done(&mut inner, scoped, findings);
        inner.finish(findings);
        if let Some(when) = when {
            push(TriggerOfException::Violation { when }, key, answered);
        }
    }
    if let Some((key, node)) = table.take("external") {
        let listed = entries(node, findings).unwrap_or_default();
        if listed.len() > EXTERNAL_MAX {
            let message = format!("there are at most {EXTERNAL_MAX} external exceptions");
            findings.error(Code::TooLarge, key.span, message, None);
        }
        for (name, node) in listed.iter().take(EXTERNAL_MAX) {
            let answered = answer(node, scoped, findings);
            push(TriggerOfException::External { name: name_of(name) }, name, answered);
        }
    }
    table.finish(findings);
    rules
}

/// `do` and, where it may be, `scope` of a table.
fn done(table: &mut Table<'_>, scoped: bool, findings: &mut Findings<'_>) -> Option<Answered> {
    let (_, node) = table.required("do", findings)?;
    let of_case = scoped && scope(table, findings);
    plain(node, findings).map(|answer| (answer, of_case, node.span))
}

fn scope(table: &mut Table<'_>, findings: &mut Findings<'_>) -> bool {
    let scope = table.take("scope");
    scope.and_then(|(_, node)| choice(node, &[("item", false), ("case", true)], findings)).unwrap_or(false)
}

/// A word, `{ compensate: TASK }`, or on tasks `{ do: …, scope: case }`.
fn answer(node: &Node, scoped: bool, findings: &mut Findings<'_>) -> Option<Answered> {
    match &node.data {
        Data::Map(entries) if scoped && entries.iter().any(|(key, _)| key.text == "do") => {
            let mut table = Table::of(node, "an answer", findings)?;
            let answered = done(&mut table, scoped, findings);
            table.finish(findings);
            answered
        }
        _ => plain(node, findings).map(|answer| (answer, false, node.span)),
    }
}

fn plain(node: &Node, findings: &mut Findings<'_>) -> Option<AnswerDraft> {
    let word = match &node.data {
        Data::Text(_) => text(node, findings)?,
        Data::Map(_) => {
            let mut table = Table::of(node, "an answer", findings)?;
            let signal = table.take("signal").and_then(|(_, node)| text(node, findings)).map(AnswerDraft::Signal);
            let back = table.take("rollback").and_then(|(_, node)| text(node, findings)).map(AnswerDraft::GoBack);
            let answer = signal.or(back).or_else(|| {
                let task = table.required("compensate", findings).and_then(|(_, node)| text(node, findings));
                task.map(AnswerDraft::Compensate)
            });
            table.finish(findings);
            return answer;
        }
        _ => {
            let hint =
                "write `suspend`, `{ compensate: TASK }` or, on a task, `{ do: suspend, scope: case }`".to_owned();
            wrong_type(node, "an answer", Some(hint), findings);
            return None;
        }
    };
    let answer = match word.text.as_str() {
        "continue" => AnswerDraft::Continue,
        "suspend" => AnswerDraft::Suspend,
        "remove" => AnswerDraft::Remove,
        "restart" => AnswerDraft::Restart,
        "complete" => AnswerDraft::Complete,
        "fail" => AnswerDraft::Fail,
        "escalate" => AnswerDraft::Escalate,
        "compensate" => AnswerDraft::Undo,
        unknown => {
            let hint = "answers: continue, suspend, remove, restart, complete, fail, escalate, compensate, { compensate: TASK }, { signal: NAME }, { rollback: SAVEPOINT }".to_owned();
            findings.error(Code::BadValue, word.span, format!("there is no answer `{unknown}`"), Some(hint));
            return None;
        }
    };
    Some(answer)
}
