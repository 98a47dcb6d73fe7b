//! Which work waits for a signal, for a time, or for somebody to say who is asked to do it?

use std::sync::atomic::{AtomicUsize, Ordering};

use actum_model::{CaseEvent, CaseId, ItemId, NetHash, TaskIx, Time};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use actum_model::snapshot::wire::{self, Reader};

use crate::{OfCase, Projection, Recorded, RestoreError, Watermark, saved};

/// A work item that waits for something outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitRow {
    /// The item.
    pub item: ItemId,
    /// The net of the case.
    pub net: NetHash,
    /// The item's task: it says for what signal, if `signalled` is false and it wants one.
    pub task: TaskIx,
    /// Since when it waits.
    pub since: Time,
    /// The signal that it wanted came.
    pub signalled: bool,
    /// When its timer fires, if one is set.
    pub until: Option<Time>,
    /// It rests.
    pub suspended: bool,
}

/// All items that wait for a signal, a time, or for somebody to say who is asked to do them. Only of cases that have some is anything kept.
#[derive(Debug, Default)]
pub struct Waits {
    cases: DashMap<CaseId, Vec<WaitRow>, FxBuildHasher>,
    /// Cases that have some: most logs have none, and then nothing need be looked up.
    len: AtomicUsize,
    watermark: Watermark,
}

impl Waits {
    /// What waits in one case, ascending by item.
    pub fn of_case(&self, case: CaseId) -> Vec<WaitRow> {
        self.cases.get(&case).map(|rows| rows.clone()).unwrap_or_default()
    }

    /// Cases in which something waits, ascending.
    pub fn cases(&self) -> Vec<CaseId> {
        let mut cases: Vec<CaseId> = self.cases.iter().map(|rows| *rows.key()).collect();
        cases.sort_unstable();
        cases
    }

    fn change(&self, case: CaseId, item: ItemId, change: impl FnOnce(&mut WaitRow)) {
        if let Some(mut rows) = self.cases.get_mut(&case)
            && let Some(row) = rows.iter_mut().find(|row| row.item == item)
        {
            change(row);
        }
    }

    fn remove(&self, case: CaseId, item: ItemId) {
        if let Some(mut rows) = self.cases.get_mut(&case) {
            rows.retain(|row| row.item != item);
        }
        self.forget(case, Vec::is_empty);
    }

    fn forget(&self, case: CaseId, is_over: impl FnOnce(&Vec<WaitRow>) -> bool) {
        if self.cases.remove_if(&case, |_, rows| is_over(rows)).is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Projection for Waits {
    fn name(&self) -> &'static str {
        "waits"
    }

    fn version(&self) -> u32 {
        1
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        let (meta, Some(OfCase { case, net, event, waits, .. })) = (recorded.meta, recorded.case()) else { return };
        match event {
            CaseEvent::WorkEnabled { item, task, .. } | CaseEvent::WorkPutBack { item, task } if waits => {
                let (item, task, since) = (*item, *task, meta.time);
                let row = WaitRow {
                    item,
                    net,
                    task,
                    since,
                    signalled: matches!(event, CaseEvent::WorkPutBack { .. }),
                    until: None,
                    suspended: false,
                };
                let mut rows = self.cases.entry(case).or_insert_with(|| {
                    self.len.fetch_add(1, Ordering::Relaxed);
                    Vec::with_capacity(1)
                });
                match rows.binary_search_by_key(&item, |row| row.item) {
                    Ok(place) => rows[place] = row,
                    Err(place) => rows.insert(place, row),
                }
            }
            _ if self.len.load(Ordering::Relaxed) == 0 => {}
            CaseEvent::WorkWaiting { item, until, .. } => self.change(case, *item, |row| row.until = Some(*until)),
            CaseEvent::WorkTimedOut { item, .. } => self.change(case, *item, |row| row.until = None),
            CaseEvent::SignalReceived { item: Some(item), .. } => self.change(case, *item, |row| row.signalled = true),
            CaseEvent::WorkSuspended { item, .. } => self.change(case, *item, |row| row.suspended = true),
            CaseEvent::WorkResumed { item, .. } => self.change(case, *item, |row| row.suspended = false),
            CaseEvent::WorkOffered { item, .. }
            | CaseEvent::WorkAllocated { item, .. }
            | CaseEvent::WorkStarted { item, .. }
            | CaseEvent::WorkForced { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkCancelled { item, .. } => self.remove(case, *item),
            ended if ended.is_terminal() => self.forget(case, |_| true),
            _ => {}
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        let cases: Vec<(CaseId, Vec<WaitRow>)> =
            self.cases().into_iter().map(|case| (case, self.of_case(case))).collect();
        let mut out = Vec::new();
        let nets = saved::put_nets(&mut out, cases.iter().flat_map(|(_, rows)| rows).map(|row| row.net));
        wire::put_list(&mut out, &cases, |out, (case, rows)| {
            wire::put(out, case.0);
            wire::put_list(out, rows, |out, row| {
                wire::put(out, u64::from(row.item.0));
                saved::put_place(out, &nets, row.net);
                wire::put(out, u64::from(row.task.0));
                wire::put(out, row.since.0);
                out.push(u8::from(row.signalled));
                wire::put_option(out, row.until.as_ref(), |out, until| wire::put(out, until.0));
                out.push(u8::from(row.suspended));
            });
        });
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        let nets = saved::nets(&mut from)?;
        let cases = from.list(|from| {
            let case = CaseId(from.number()?);
            let rows = from.list(|from| row(&nets, from))?;
            wire::ascending(&rows, |row| row.item, "items that wait")?;
            Ok((case, rows))
        })?;
        from.end()?;
        wire::ascending(&cases, |(case, _)| *case, "cases that wait")?;
        self.len.store(cases.len(), Ordering::Relaxed);
        cases.into_iter().for_each(|(case, rows)| drop(self.cases.insert(case, rows)));
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
fn row(nets: &[NetHash], from: &mut Reader<'_>) -> Result<WaitRow, RestoreError> {
    Ok(WaitRow {
        item: from.small().map(ItemId)?,
        net: saved::listed(nets, from)?,
        task: from.small().map(TaskIx)?,
        since: Time(from.number()?),
        signalled: from.flag()?,
        until: from.option(|from| from.number().map(Time))?,
        suspended: from.flag()?,
    })
}
