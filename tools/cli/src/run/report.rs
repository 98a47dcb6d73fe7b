//! How cases stand at the end of a run, and for what the open ones wait.

use std::collections::{BTreeMap, BTreeSet};

use actum::{CaseEvent, CaseId, CaseRow, CaseStatus, Engine, Holder, ItemId};
use actum_net::Work;
use serde_json::{Value as Json, json};

use crate::number::{counted, grouped};

/// Cases by how they stand.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) total: u64,
    pub(crate) completed: u64,
    pub(crate) cancelled: u64,
    pub(crate) failed: u64,
    pub(crate) deadlocked: u64,
    /// Open cases.
    pub(crate) waiting: u64,
    /// Why cases did not complete, each with their number and the first of them.
    pub(crate) reasons: BTreeMap<Reason, (u64, CaseId)>,
}

/// Why a case did not complete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// Nobody has taken the work.
    Offered { role: String, task: String },
    /// Nobody of those it was offered to by name has taken it.
    OfferedTo { people: usize, task: String },
    /// Somebody has it.
    Held { actor: String, task: String, begun: bool },
    /// Work failed.
    WorkFailed { task: String, code: String, message: String },
    /// It waits for a signal.
    Signal { signal: String, task: String },
    /// It waits for a message.
    Message { message: String, task: String },
    /// It waits for its time.
    Timer { task: String },
    /// Nobody was asked to do it: somebody must say who is, or nobody comes into question.
    Unasked { task: String },
    /// The work was laid to rest.
    WorkSuspended { task: String },
    /// The case was laid to rest.
    Suspended,
    /// Its handler did not answer yet.
    Running { task: String },
    /// Its handler is not registered here.
    NoHandler { handler: String, task: String },
    /// The case can do nothing more.
    Deadlocked,
    /// The case failed.
    CaseFailed { code: String, message: String },
}

impl Report {
    /// Looks at cases; not at why they are open, if the run was interrupted.
    pub(crate) fn of(engine: &Engine, cases: &BTreeSet<CaseId>, interrupted: bool) -> Self {
        let mut report = Report { total: cases.len() as u64, ..Report::default() };
        for &case in cases {
            let Some(row) = engine.row(case) else { continue };
            match row.status {
                CaseStatus::Completed => report.completed += 1,
                CaseStatus::Cancelled => report.cancelled += 1,
                CaseStatus::Failed => report.failed += 1,
                CaseStatus::Deadlocked => report.deadlocked += 1,
                _ => report.waiting += 1,
            }
            if row.status != CaseStatus::Open || !interrupted {
                report.explain(engine, case, &row);
            }
        }
        report
    }

    fn explain(&mut self, engine: &Engine, case: CaseId, row: &CaseRow) {
        let reasons = match row.status {
            CaseStatus::Deadlocked => vec![Reason::Deadlocked],
            CaseStatus::Failed => vec![case_failure(engine, case)],
            CaseStatus::Open => open_reasons(engine, case, row),
            _ => return,
        };
        for reason in reasons {
            self.reasons.entry(reason).or_insert((0, case)).0 += 1;
        }
    }

    /// Some work failed and can be tried again.
    pub(crate) fn has_failed_work(&self) -> bool {
        self.reasons.keys().any(|reason| matches!(reason, Reason::WorkFailed { .. }))
    }

    pub(crate) fn all_completed(&self) -> bool {
        self.failed + self.deadlocked + self.waiting == 0
    }

    /// A line for each reason.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.reasons.iter().map(|(reason, (count, example))| reason.line(*count, *example))
    }

    pub(crate) fn counts(&self) -> String {
        let parts = [
            (self.completed, "completed"),
            (self.failed, "failed"),
            (self.deadlocked, "deadlocked"),
            (self.cancelled, "cancelled"),
            (self.waiting, "waiting"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let text: Vec<String> = parts.map(|(count, what)| format!("{} {what}", grouped(*count))).collect();
        text.join(", ")
    }

    pub(crate) fn to_json(&self) -> Json {
        json!({
            "total": self.total,
            "completed": self.completed,
            "failed": self.failed,
            "deadlocked": self.deadlocked,
            "cancelled": self.cancelled,
            "waiting": self.waiting,
        })
    }

    pub(crate) fn reasons_json(&self) -> Json {
        self.reasons.iter().map(|(reason, (count, example))| reason.to_json(*count, *example)).collect()
    }
}

fn open_reasons(engine: &Engine, case: CaseId, row: &CaseRow) -> Vec<Reason> {
    let net = engine.net(row.net);
    let label = |task| net.as_ref().map(|net| net.task_label(task)).unwrap_or_default();
    let task = |task: actum_model::TaskIx| {
        net.as_ref().and_then(|net| net.tasks.get(task.index())).map_or_else(|| format!("#{task}"), |_| label(task))
    };
    let role = |role: actum_model::RoleIx| {
        net.as_ref()
            .and_then(|net| net.roles.get(role.index()))
            .map_or_else(|| format!("#{role}"), |role| role.name.clone())
    };
    if row.suspended {
        return vec![Reason::Suspended];
    }
    let mut reasons: Vec<Reason> =
        row.failed.iter().filter_map(|item| work_failure(engine, case, *item, &task)).collect();
    for work in engine.worklist().of_case(case) {
        let task = task(work.task);
        let held = |actor, begun| Reason::Held { actor: engine.name_of(actor), task: task.clone(), begun };
        if work.suspended {
            reasons.push(Reason::WorkSuspended { task });
            continue;
        }
        reasons.push(match &work.holder {
            Holder::Offered(Some(offered), to) if to.is_empty() => Reason::Offered { role: role(*offered), task },
            Holder::Offered(None, to) if to.len() != 1 => Reason::OfferedTo { people: to.len(), task },
            Holder::Offered(_, to) => {
                to.first().map_or_else(|| Reason::OfferedTo { people: 0, task: task.clone() }, |to| held(*to, false))
            }
            Holder::Allocated(actor) => held(*actor, false),
            Holder::Started(actor) if !row.failed.contains(&work.item) => held(*actor, true),
            Holder::Started(_) => continue,
        });
    }
    for wait in engine.waits().of_case(case) {
        let definition = net.as_ref().and_then(|net| net.tasks.get(wait.task.index()));
        let task = task(wait.task);
        let signal = definition.and_then(|task| task.trigger.as_ref()).filter(|_| !wait.signalled);
        reasons.push(match (signal, definition.map(|task| &task.work)) {
            _ if wait.suspended => Reason::WorkSuspended { task },
            (Some(trigger), _) => Reason::Signal { signal: trigger.signal.clone(), task },
            (None, Some(Work::Receive { message, .. })) => Reason::Message { message: message.clone(), task },
            (None, Some(Work::Manual { .. })) => Reason::Unasked { task },
            (None, _) => Reason::Timer { task },
        });
    }
    if reasons.is_empty() {
        let started = last_started(engine, case);
        let definition = started.and_then(|task| net.as_ref()?.tasks.get(task.index()));
        let task = started.map_or_else(String::new, task);
        reasons.push(match definition.map(|task| &task.work) {
            Some(Work::Automatic { handler, .. }) if !engine.has_handler(handler) => {
                Reason::NoHandler { handler: handler.clone(), task }
            }
            _ => Reason::Running { task },
        });
    }
    reasons.sort();
    reasons.dedup();
    reasons
}

fn work_failure(
    engine: &Engine,
    case: CaseId,
    wanted: ItemId,
    task: &impl Fn(actum_model::TaskIx) -> String,
) -> Option<Reason> {
    let history = engine.history(case).ok()?;
    history.into_iter().rev().find_map(|logged| match logged.event {
        CaseEvent::WorkFailed { item, task: failed, code, message } if item == wanted => {
            Some(Reason::WorkFailed { task: task(failed), code, message })
        }
        _ => None,
    })
}

fn case_failure(engine: &Engine, case: CaseId) -> Reason {
    let history = engine.history(case).unwrap_or_default();
    let failed = history.into_iter().rev().find_map(|logged| match logged.event {
        CaseEvent::CaseFailed { code, message } => Some(Reason::CaseFailed { code, message }),
        _ => None,
    });
    failed.unwrap_or(Reason::CaseFailed { code: "case/failed".to_owned(), message: String::new() })
}

fn last_started(engine: &Engine, case: CaseId) -> Option<actum_model::TaskIx> {
    let history = engine.history(case).ok()?;
    history.into_iter().rev().find_map(|logged| match logged.event {
        CaseEvent::WorkStarted { task, .. } => Some(task),
        _ => None,
    })
}

impl Reason {
    fn line(&self, count: u64, example: CaseId) -> String {
        let (cases, plural) = (counted(count, "case"), count != 1);
        let verb = |one: &'static str, many: &'static str| if plural { many } else { one };
        let text = match self {
            Reason::Offered { role, task } => {
                format!("{cases} {} for somebody with role `{role}` to do `{task}`", verb("waits", "wait"))
            }
            Reason::OfferedTo { people, task } => {
                let people = counted(*people as u64, "person");
                format!("{cases} {} for one of {people} to do `{task}`", verb("waits", "wait"))
            }
            Reason::Held { actor, task, begun: true } => {
                format!("{cases} {} for {actor}, who has begun `{task}`", verb("waits", "wait"))
            }
            Reason::Held { actor, task, begun: false } => {
                format!("{cases} {} for {actor} to do `{task}`", verb("waits", "wait"))
            }
            Reason::WorkFailed { task, code, message } => {
                format!("{cases} {} since `{task}` failed: {code}: {message}", verb("waits", "wait"))
            }
            Reason::Signal { signal, task } => {
                format!("{cases} {} for the signal `{signal}` to go on with `{task}`", verb("waits", "wait"))
            }
            Reason::Message { message, task } => {
                format!("{cases} {} for the message `{message}` to go on with `{task}`", verb("waits", "wait"))
            }
            Reason::Timer { task } => format!("{cases} {} for the time of `{task}`", verb("waits", "wait")),
            Reason::Unasked { task } => {
                format!("{cases} {} for somebody to be asked to do `{task}`", verb("waits", "wait"))
            }
            Reason::WorkSuspended { task } => {
                format!("{cases} {} for `{task}` to be resumed", verb("waits", "wait"))
            }
            Reason::Suspended => format!("{cases} {} to be resumed", verb("waits", "wait")),
            Reason::Running { task } => format!("{cases} {} for the handler of `{task}`", verb("waits", "wait")),
            Reason::NoHandler { handler, task } => {
                format!("{cases} {} for `{task}`: no handler `{handler}` is here", verb("waits", "wait"))
            }
            Reason::Deadlocked => {
                format!("{cases} {} deadlocked: no task can go on, and the end was not reached", verb("is", "are"))
            }
            Reason::CaseFailed { code, message } => format!("{cases} failed: {code}: {message}"),
        };
        if plural { format!("{text} (case {example} and others)") } else { format!("{text} (case {example})") }
    }

    fn to_json(&self, count: u64, example: CaseId) -> Json {
        let mut json = match self {
            Reason::OfferedTo { people, task } => json!({ "reason": "offered", "people": people, "task": task }),
            Reason::Offered { role, task } => json!({ "reason": "offered", "role": role, "task": task }),
            Reason::Held { actor, task, begun } => {
                json!({ "reason": if *begun { "begun" } else { "taken" }, "actor": actor, "task": task })
            }
            Reason::WorkFailed { task, code, message } => {
                json!({ "reason": "work-failed", "task": task, "code": code, "message": message })
            }
            Reason::Signal { signal, task } => json!({ "reason": "signal", "signal": signal, "task": task }),
            Reason::Message { message, task } => json!({ "reason": "message", "message": message, "task": task }),
            Reason::Timer { task } => json!({ "reason": "timer", "task": task }),
            Reason::Unasked { task } => json!({ "reason": "nobody-asked", "task": task }),
            Reason::WorkSuspended { task } => json!({ "reason": "work-suspended", "task": task }),
            Reason::Suspended => json!({ "reason": "suspended" }),
            Reason::Running { task } => json!({ "reason": "handler", "task": task }),
            Reason::NoHandler { handler, task } => json!({ "reason": "no-handler", "handler": handler, "task": task }),
            Reason::Deadlocked => json!({ "reason": "deadlocked" }),
            Reason::CaseFailed { code, message } => {
                json!({ "reason": "case-failed", "code": code, "message": message })
            }
        };
        json["cases"] = count.into();
        json["example"] = example.0.into();
        json
    }
}
