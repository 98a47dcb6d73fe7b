//! Which cases are there, and how do they stand?

use std::sync::atomic::{AtomicU64, Ordering};

use actum_model::snapshot::wire::{self, Reader};
use actum_model::{CaseEvent, CaseId, CaseStatus, ItemId, Meta, NetHash, Seq, Time};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use rustc_hash::FxBuildHasher;

use crate::nets::Nets;
use crate::runs::{Run, runs};
use crate::{Projection, Recorded, RestoreError, Watermark, saved};

/// How a case stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The net it runs.
    pub net: NetHash,
    /// Business key, if it was started with one.
    pub key: Option<Box<str>>,
    /// Status. A case that rests is open.
    pub status: CaseStatus,
    /// It rests: nothing new begins until it is resumed.
    pub suspended: bool,
    /// Somebody ended it as completed before it came to its end.
    pub forced: bool,
    /// Number of its events.
    pub version: u64,
    /// Its newest event.
    pub last_seq: Seq,
    /// When it began.
    pub started: Time,
    /// When it last changed.
    pub changed: Time,
    /// Items that failed and wait for a retry.
    pub failed: Box<[ItemId]>,
}

/// A row as it is kept: 64 bytes, whatever the net.
#[derive(Debug, Clone)]
struct Row {
    key: Option<Box<str>>,
    /// `None` unless an item failed; then ascending.
    #[expect(clippy::box_collection, reason = "almost no case has any: a pointer is a third of a vector")]
    failed: Option<Box<Vec<ItemId>>>,
    version: u64,
    last_seq: Seq,
    started: Time,
    changed: Time,
    net: u32,
    status: CaseStatus,
    suspended: bool,
    forced: bool,
}

/// All cases, open and ended.
#[derive(Debug, Default)]
pub struct Cases {
    rows: DashMap<CaseId, Row, FxBuildHasher>,
    nets: Nets,
    /// Number of cases with each status, by the status's stored number.
    counts: [AtomicU64; 6],
    work_completed: AtomicU64,
    watermark: Watermark,
}

impl Cases {
    /// How one case stands.
    pub fn get(&self, case: CaseId) -> Option<CaseRow> {
        let row = self.rows.get(&case).map(|row| row.clone())?;
        Some(self.shown(row))
    }

    /// Number of cases.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No case was ever started.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of cases with a status. Costs nothing.
    pub fn count(&self, status: CaseStatus) -> usize {
        self.counts[saved::number_of(status)].load(Ordering::Relaxed) as usize
    }

    /// Cases that `wanted` picks, ascending. Each row is true at some moment during the call.
    pub fn select(&self, wanted: impl Fn(&CaseRow) -> bool) -> Vec<(CaseId, CaseRow)> {
        let rows = self.rows.iter().map(|row| (*row.key(), self.shown(row.value().clone())));
        let mut found: Vec<(CaseId, CaseRow)> = rows.filter(|(_, row)| wanted(row)).collect();
        found.sort_by_key(|(case, _)| *case);
        found
    }

    /// Number of work items completed.
    pub fn work_completed(&self) -> u64 {
        self.work_completed.load(Ordering::Relaxed)
    }

    fn shown(&self, row: Row) -> CaseRow {
        let Row { key, failed, version, last_seq, started, changed, net, status, suspended, forced } = row;
        let failed = failed.map(|failed| failed.into_boxed_slice()).unwrap_or_default();
        CaseRow {
            net: self.nets.hash(net),
            key,
            status,
            suspended,
            forced,
            version,
            last_seq,
            started,
            changed,
            failed,
        }
    }

    fn apply_run(&self, run: &Run<'_, '_>) {
        let mut completed = 0;
        let mut row = match self.rows.entry(run.case) {
            Entry::Occupied(row) => row.into_ref(),
            Entry::Vacant(place) => {
                let meta = run.events[0].meta;
                let key = run.events[0].case().and_then(|of| of.key).map(Into::into);
                self.counts[saved::number_of(CaseStatus::Open)].fetch_add(1, Ordering::Relaxed);
                place.insert(Row::new(self.nets.number(run.net), key, meta))
            }
        };
        let before = row.status;
        for (meta, event) in run.facts() {
            completed += u64::from(matches!(event, CaseEvent::WorkCompleted { .. }));
            row.apply(meta, event);
        }
        let after = row.status;
        drop(row);
        if before != after {
            self.counts[saved::number_of(before)].fetch_sub(1, Ordering::Relaxed);
            self.counts[saved::number_of(after)].fetch_add(1, Ordering::Relaxed);
        }
        if completed > 0 {
            self.work_completed.fetch_add(completed, Ordering::Relaxed);
        }
    }
}

impl Row {
    fn new(net: u32, key: Option<Box<str>>, meta: &Meta) -> Self {
        Row {
            key,
            failed: None,
            version: 0,
            last_seq: meta.seq,
            started: meta.time,
            changed: meta.time,
            net,
            status: CaseStatus::Open,
            suspended: false,
            forced: false,
        }
    }

    fn apply(&mut self, meta: &Meta, event: &CaseEvent) {
        (self.version, self.last_seq, self.changed) = (meta.version, meta.seq, meta.time);
        match event {
            CaseEvent::CaseCompleted => self.end(CaseStatus::Completed),
            CaseEvent::CaseCancelled { .. } => self.end(CaseStatus::Cancelled),
            CaseEvent::CaseFailed { .. } => self.end(CaseStatus::Failed),
            CaseEvent::CaseDeadlocked => self.status = CaseStatus::Deadlocked,
            CaseEvent::CaseSuspended => self.suspended = true,
            CaseEvent::CaseResumed => self.suspended = false,
            CaseEvent::CaseForced { .. } => self.forced = true,
            CaseEvent::WorkFailed { item, .. } => {
                let failed = self.failed.get_or_insert_default();
                if let Err(place) = failed.binary_search(item) {
                    failed.insert(place, *item);
                }
            }
            CaseEvent::WorkRetried { item, .. }
            | CaseEvent::WorkCancelled { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkForced { item, .. }
            | CaseEvent::WorkSkipped { item, .. } => {
                if let Some(failed) = &mut self.failed {
                    failed.retain(|one| one != item);
                    self.failed.take_if(|failed| failed.is_empty());
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, status: CaseStatus) {
        (self.status, self.suspended) = (status, false);
    }
}

impl Projection for Cases {
    fn name(&self) -> &'static str {
        "cases"
    }

    fn version(&self) -> u32 {
        2
    }

    fn apply(&self, recorded: &Recorded<'_>) {
        self.apply_all(std::slice::from_ref(recorded));
    }

    fn apply_all(&self, batch: &[Recorded<'_>]) {
        runs(batch).for_each(|run| self.apply_run(&run));
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        wire::put(&mut out, self.work_completed());
        let nets = saved::put_nets(&mut out, self.nets.all().into_iter());
        let rows = self.select(|_| true);
        wire::put_list(&mut out, &rows, |out, (case, row)| {
            wire::put(out, case.0);
            saved::put_place(out, &nets, row.net);
            wire::put_option(out, row.key.as_ref(), |out, key| wire::put_text(out, key));
            saved::put_status(out, row.status);
            out.push(u8::from(row.suspended));
            out.push(u8::from(row.forced));
            wire::put(out, row.version);
            wire::put(out, row.last_seq.0);
            wire::put(out, row.started.0);
            saved::put_since(out, row.started, row.changed);
            wire::put_list(out, &row.failed, |out, item| wire::put(out, u64::from(item.0)));
        });
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        let work_completed = from.number()?;
        let nets = saved::nets(&mut from)?;
        let rows = from.list(|from| {
            let case = CaseId(from.number()?);
            Ok((case, self.row(&nets, from)?))
        })?;
        from.end()?;
        wire::ascending(&rows, |(case, _)| *case, "cases")?;
        for (case, row) in rows {
            self.counts[saved::number_of(row.status)].fetch_add(1, Ordering::Relaxed);
            self.rows.insert(case, row);
        }
        self.work_completed.store(work_completed, Ordering::Relaxed);
        Ok(())
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

impl Cases {
    /// Reads a row of a snapshot, behind the case.
    fn row(&self, nets: &[NetHash], from: &mut Reader<'_>) -> Result<Row, RestoreError> {
        let net = self.nets.number(saved::listed(nets, from)?);
        let key = from.option(|from| Ok(from.text()?.into()))?;
        let (status, suspended, forced) = (saved::status(from)?, from.flag()?, from.flag()?);
        let (version, last_seq, started) = (from.number()?, Seq(from.number()?), Time(from.number()?));
        let changed = saved::since(from, started)?;
        let failed = from.list(|from| from.small().map(ItemId))?;
        wire::ascending(&failed, |item| *item, "failed items")?;
        let failed = (!failed.is_empty()).then(|| Box::new(failed));
        Ok(Row { key, failed, version, last_seq, started, changed, net, status, suspended, forced })
    }
}
