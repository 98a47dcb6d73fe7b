//! How a case stands now: what is done, what each item waits for, and when it may end.

use actum_kernel::{CaseProgress, Need, NoEstimate, Waiting, progress, tasks_done, time_left, waiting};
use actum_model::{Case, CaseEvent, CaseId, ItemId, TaskIx, Time};
use actum_net::Net;
use actum_projections::{CaseRow, Knowledge};
use rustc_hash::FxHashMap;

use crate::engine::Engine;
use crate::error::CommandError;
use crate::history::{HistoryError, LoggedEvent};
use crate::policy::{BreakerState, CallRow};

/// Items of a task that must have been done before its time says anything of the next.
const SEEN_LEAST: u64 = 5;

/// How a case stands.
#[derive(Debug, Clone)]
pub struct CaseState {
    /// The case.
    pub case: CaseId,
    /// Its net's name.
    pub net: String,
    /// Status, rest, force, and since when.
    pub row: CaseRow,
    /// When its rest ends by itself, if it rests for a time.
    pub rests_until: Option<Time>,
    /// Tasks of its own net that are done, each once however often; those that only route do not count, nor what subnets are
    /// made of.
    pub done: u32,
    /// What is possible, runs, and can still come.
    pub progress: CaseProgress,
    /// What each live item waits for, ascending by item.
    pub waits: Vec<ItemState>,
    /// When it ends at the latest by what is known of its tasks: if it goes the longest way that is open, counted from its last
    /// change; or why nothing can be said.
    pub expected_end: Result<Time, String>,
}

/// How an item stands.
#[derive(Debug, Clone)]
pub struct ItemState {
    /// The item, its task, and what it needs.
    pub waiting: Waiting,
    /// The task's name, with its subnet's before it.
    pub task: String,
    /// The newest event about it.
    pub since: Time,
    /// Its handler's call, if that waits for a limit or pool, or can say how far it is.
    pub call: Option<CallRow>,
    /// How its handler's breaker stands, if it has one that ever failed.
    pub breaker: Option<BreakerState>,
}

/// Why it is not known how a case stands.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// There is no such case, or its history cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The engine was closed or stopped.
    #[error(transparent)]
    Engine(#[from] CommandError),
    /// The case's net is not there: the log does not have it.
    #[error("the net of case {0} is not in the log")]
    NoNet(CaseId),
}

impl Engine {
    /// How a case stands: what is done and can still come, what each item waits for (a person, signal, message, time, handler and
    /// its limit or breaker, the next attempt, somebody's decision), and when it may end.
    ///
    /// As of what is durable; costs reading the case's history. The expected end rests on [`Knowledge`], which the engine keeps if
    /// it was opened with that projection; without it, or while a task ahead was done fewer than five times, it says so.
    ///
    /// # Errors
    /// See [`StatusError`].
    pub async fn status(&self, case: CaseId) -> Result<CaseState, StatusError> {
        let row = self.row(case).ok_or(HistoryError::NotFound(case))?;
        let net = self.net(row.net).ok_or(StatusError::NoNet(case))?;
        let folded = fold(case, self.history(case)?);
        let calls = self.calls(Some(case)).await?;
        let breakers = self.breakers().await?;
        let since = &folded.since;
        let waits = waiting(&net, &folded.case).into_iter().map(|waiting| {
            let breaker = match &waiting.needs {
                Need::Handler { name, .. } => breakers.iter().find(|(of, _)| of == name).map(|(_, state)| *state),
                _ => None,
            };
            ItemState {
                task: net.task_label(waiting.task),
                since: since.get(&waiting.item).copied().unwrap_or(folded.case.changed),
                call: calls.iter().find(|call| call.item == waiting.item).cloned(),
                breaker,
                waiting,
            }
        });
        Ok(CaseState {
            case,
            net: net.name.clone(),
            rests_until: folded.case.control.rest_until(None),
            done: tasks_done(&net, &folded.case, folded.completed.into_iter()),
            progress: progress(&net, &folded.case),
            waits: waits.collect(),
            expected_end: self.expected_end(&net, &folded.case),
            row,
        })
    }

    fn expected_end(&self, net: &Net, case: &Case) -> Result<Time, String> {
        let known = self.projection::<Knowledge>();
        let sojourn = |task| {
            let known = known.as_ref()?.task(net.hash, task);
            let often = known.outcomes.completed >= SEEN_LEAST;
            let mean = known.timings.waiting.mean().unwrap_or(0).checked_add(known.timings.working.mean().unwrap_or(0));
            mean.filter(|_| often)
        };
        let label = |task| net.task_label(task);
        time_left(net, case, case.changed, &sojourn).map(|ns| Time(case.changed.0.saturating_add(ns))).map_err(|no| {
            match no {
                NoEstimate::Over => format!("the case is {}", case.control.status.name()),
                NoEstimate::Rests => "it rests, and nobody said until when".to_owned(),
                NoEstimate::Loops => "it can come to the same task again".to_owned(),
                NoEstimate::Stands(item) => format!("item {item} waits for somebody's decision"),
                NoEstimate::Unseen(task) if known.is_some() => {
                    format!("{} was done fewer than {SEEN_LEAST} times", label(task))
                }
                NoEstimate::Unseen(_) => "the engine keeps no knowledge of how long tasks take".to_owned(),
                _ => "it cannot be computed".to_owned(),
            }
        })
    }
}

struct Folded {
    case: Case,
    completed: Vec<TaskIx>,
    since: FxHashMap<ItemId, Time>,
}

fn fold(id: CaseId, history: Vec<LoggedEvent>) -> Folded {
    let mut folded = Folded { case: Case::unborn(id), completed: Vec::new(), since: FxHashMap::default() };
    for LoggedEvent { meta, event, .. } in history {
        if let Some((item, task)) = event.work() {
            folded.since.insert(item, meta.time);
            folded.completed.extend(Some(task).filter(|_| matches!(event, CaseEvent::WorkCompleted { .. })));
        }
        folded.case.apply(&meta, &event);
    }
    folded
}
