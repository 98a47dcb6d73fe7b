//! Which work failed, and will stay so until somebody does something about it?

use std::sync::atomic::{AtomicUsize, Ordering};

use actum_model::snapshot::wire::{self, Reader};
use actum_model::{CaseEvent, CaseId, ItemId, NetHash, TaskIx, Time};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::{OfCase, Projection, Recorded, RestoreError, Watermark, saved};

/// A work item that failed, and is not tried again by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The case.
    pub case: CaseId,
    /// The item.
    pub item: ItemId,
    /// The net of the case.
    pub net: NetHash,
    /// The item's task.
    pub task: TaskIx,
    /// When it failed.
    pub since: Time,
    /// The failure's code.
    pub code: String,
    /// The failure, for people.
    pub message: String,
    /// Attempts that its policies made; 0 if the task has none.
    pub attempts: u32,
    /// Why its policies make no other attempt; empty if the task has none.
    pub reason: String,
}

/// All failed items that wait for somebody. Only of cases that have some is anything kept.
#[derive(Debug, Default)]
pub struct DeadLetters {
    cases: DashMap<CaseId, Vec<DeadLetter>, FxBuildHasher>,
    /// Cases that have some: most logs have none, and then nothing need be looked up.
    len: AtomicUsize,
    watermark: Watermark,
}

impl DeadLetters {
    /// Those of one case, ascending by item.
    #[must_use]
    pub fn of_case(&self, case: CaseId) -> Vec<DeadLetter> {
        self.cases.get(&case).map(|rows| rows.clone()).unwrap_or_default()
    }

    /// The first ones after a place in the list, by case and item; at most `limit`.
    #[must_use]
    pub fn list(&self, after: Option<(CaseId, ItemId)>, limit: usize) -> Vec<DeadLetter> {
        let mut cases: Vec<CaseId> = self.cases.iter().map(|rows| *rows.key()).collect();
        cases.sort_unstable();
        let cases = cases.into_iter().filter(|case| after.is_none_or(|(last, _)| *case >= last));
        let rows = cases.flat_map(|case| self.of_case(case));
        rows.filter(|row| after.is_none_or(|after| (row.case, row.item) > after)).take(limit).collect()
    }

    fn add(&self, row: DeadLetter) {
        let mut rows = self.cases.entry(row.case).or_insert_with(|| {
            self.len.fetch_add(1, Ordering::Relaxed);
            Vec::with_capacity(1)
        });
        match rows.binary_search_by_key(&row.item, |row| row.item) {
            Ok(place) => rows[place] = row,
            Err(place) => rows.insert(place, row),
        }
    }

    fn remove(&self, case: CaseId, item: ItemId) {
        if let Some(mut rows) = self.cases.get_mut(&case) {
            rows.retain(|row| row.item != item);
        }
        self.forget(case, Vec::is_empty);
    }

    fn forget(&self, case: CaseId, is_over: impl FnOnce(&Vec<DeadLetter>) -> bool) {
        if self.cases.remove_if(&case, |_, rows| is_over(rows)).is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Projection for DeadLetters {
    fn name(&self) -> &'static str {
        "dead-letters"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        let (meta, Some(OfCase { case, net, event, .. })) = (recorded.meta, recorded.case()) else { return };
        match event {
            CaseEvent::WorkFailed { item, task, code, message } => {
                let (code, message) = (code.clone(), message.clone());
                let (item, task, since) = (*item, *task, meta.time);
                self.add(DeadLetter {
                    case,
                    item,
                    net,
                    task,
                    since,
                    code,
                    message,
                    attempts: 0,
                    reason: String::new(),
                });
            }
            _ if self.len.load(Ordering::Relaxed) == 0 => {}
            CaseEvent::WorkDeadLettered { item, attempts, reason, .. } => {
                if let Some(mut rows) = self.cases.get_mut(&case)
                    && let Some(row) = rows.iter_mut().find(|row| row.item == *item)
                {
                    row.attempts = *attempts;
                    row.reason.clone_from(reason);
                }
            }
            CaseEvent::WorkRetryScheduled { item, .. }
            | CaseEvent::WorkRetried { item, .. }
            | CaseEvent::WorkCompleted { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkCancelled { item, .. } => self.remove(case, *item),
            ended if ended.is_terminal() => self.forget(case, |_| true),
            _ => {}
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        let rows = self.list(None, usize::MAX);
        let mut out = Vec::new();
        let nets = saved::put_nets(&mut out, rows.iter().map(|row| row.net));
        wire::put_list(&mut out, &rows, |out, row| {
            wire::put(out, row.case.0);
            wire::put(out, u64::from(row.item.0));
            saved::put_place(out, &nets, row.net);
            wire::put(out, u64::from(row.task.0));
            wire::put(out, row.since.0);
            wire::put_text(out, &row.code);
            wire::put_text(out, &row.message);
            wire::put(out, u64::from(row.attempts));
            wire::put_text(out, &row.reason);
        });
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        let nets = saved::nets(&mut from)?;
        let rows = from.list(|from| row(&nets, from))?;
        from.end()?;
        wire::ascending(&rows, |row| (row.case, row.item), "dead letters")?;
        rows.into_iter().for_each(|row| self.add(row));
        Ok(())
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

/// Reads a row of a snapshot.
fn row(nets: &[NetHash], from: &mut Reader<'_>) -> Result<DeadLetter, RestoreError> {
    Ok(DeadLetter {
        case: CaseId(from.number()?),
        item: from.small().map(ItemId)?,
        net: saved::listed(nets, from)?,
        task: from.small().map(TaskIx)?,
        since: Time(from.number()?),
        code: from.text()?.to_owned(),
        message: from.text()?.to_owned(),
        attempts: from.small()?,
        reason: from.text()?.to_owned(),
    })
}
