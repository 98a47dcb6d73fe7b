//! Which cases are there, and how do they stand?

use std::sync::atomic::{AtomicU64, Ordering};

use actum_model::snapshot::wire::{self, Reader};
use actum_model::{CaseEvent, CaseId, CaseStatus, ItemId, Meta, NetHash, Seq, Time};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::nets::Nets;
use crate::paged::Paged;
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

/// A row as it is kept: 32 bytes, whatever the net.
#[derive(Debug, Clone, Copy)]
struct Row {
    started: Time,
    changed: Time,
    /// Above [`FORM_BITS`]: below them, the status and what there is beside.
    last_seq_and_form: u64,
    /// No case has more events.
    version: u32,
    net: u32,
}

/// Bits of a row that are no seq.
const FORM_BITS: u32 = 8;
const STATUS_MASK: u64 = 7;
const SUSPENDED: u64 = 8;
/// Items of it failed.
const FAILED: u64 = 16;
/// It has a business key.
const KEYED: u64 = 32;
/// Somebody ended it.
const FORCED: u64 = 64;

/// All cases, open and ended.
#[derive(Debug, Default)]
pub struct Cases {
    rows: Paged<Row>,
    /// Business keys. Changed, as what failed is, only while the case's row is locked.
    keys: Paged<Box<str>>,
    /// Items that failed, of cases that have some; ascending.
    failed: DashMap<CaseId, Vec<ItemId>, FxBuildHasher>,
    nets: Nets,
    /// Number of cases with each status, by the status's stored number.
    counts: [AtomicU64; 6],
    work_completed: AtomicU64,
    watermark: Watermark,
}

impl Cases {
    /// How one case stands.
    pub fn get(&self, case: CaseId) -> Option<CaseRow> {
        let rows = self.rows.read(case);
        rows.get(case).map(|row| self.shown(case, *row))
    }

    /// Number of cases.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No case was ever started.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of cases with a status. Costs nothing.
    pub fn count(&self, status: CaseStatus) -> usize {
        self.counts[saved::number_of(status)].load(Ordering::Relaxed) as usize
    }

    /// Cases that `wanted` picks, ascending. Each row is true at some moment during the call.
    pub fn select(&self, wanted: impl Fn(&CaseRow) -> bool) -> Vec<(CaseId, CaseRow)> {
        let mut found = Vec::new();
        self.rows.for_each(|case, row| {
            let row = self.shown(case, row);
            found.extend(wanted(&row).then_some((case, row)));
        });
        found.sort_by_key(|(case, _)| *case);
        found
    }

    /// Number of work items completed.
    pub fn work_completed(&self) -> u64 {
        self.work_completed.load(Ordering::Relaxed)
    }

    fn shown(&self, case: CaseId, row: Row) -> CaseRow {
        let Row { started, changed, version, net, .. } = row;
        let key = if row.is(KEYED) { self.keys.get(case) } else { None };
        let failed = if row.is(FAILED) { self.failed.get(&case).map(|failed| failed.as_slice().into()) } else { None };
        CaseRow {
            net: self.nets.hash(net),
            key,
            status: row.status(),
            suspended: row.is(SUSPENDED),
            forced: row.is(FORCED),
            version: u64::from(version),
            last_seq: Seq(row.last_seq_and_form >> FORM_BITS),
            started,
            changed,
            failed: failed.unwrap_or_default(),
        }
    }

    fn apply_run(&self, run: &Run<'_, '_>) {
        let mut completed = 0;
        let mut rows = self.rows.write(run.case);
        if rows.get(run.case).is_none() {
            let mut row = Row::new(self.nets.number(run.net), run.events[0].meta.time);
            if let Some(key) = run.events[0].case().and_then(|of| of.key) {
                self.keys.write(run.case).insert(run.case, key.into());
                row.set(KEYED, true);
            }
            self.counts[saved::number_of(CaseStatus::Open)].fetch_add(1, Ordering::Relaxed);
            rows.insert(run.case, row);
        }
        let Some(row) = rows.get_mut(run.case) else { return };
        let before = row.status();
        for (meta, event) in run.facts() {
            completed += u64::from(matches!(event, CaseEvent::WorkCompleted { .. }));
            row.apply(meta, event);
            self.apply_failed(run.case, row, event);
        }
        let after = row.status();
        drop(rows);
        if before != after {
            self.counts[saved::number_of(before)].fetch_sub(1, Ordering::Relaxed);
            self.counts[saved::number_of(after)].fetch_add(1, Ordering::Relaxed);
        }
        if completed > 0 {
            self.work_completed.fetch_add(completed, Ordering::Relaxed);
        }
    }
}

impl Cases {
    /// Keeps which items failed and wait for a retry.
    fn apply_failed(&self, case: CaseId, row: &mut Row, event: &CaseEvent) {
        match event {
            CaseEvent::WorkFailed { item, .. } => {
                let mut failed = self.failed.entry(case).or_default();
                if let Err(place) = failed.binary_search(item) {
                    failed.insert(place, *item);
                }
                row.set(FAILED, true);
            }
            CaseEvent::WorkRetried { item, .. }
            | CaseEvent::WorkCancelled { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkForced { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
                if row.is(FAILED) =>
            {
                let none_left = |_: &CaseId, failed: &mut Vec<ItemId>| {
                    failed.retain(|one| one != item);
                    failed.is_empty()
                };
                let is_over = self.failed.remove_if_mut(&case, none_left).is_some();
                row.set(FAILED, !is_over);
            }
            _ => {}
        }
    }
}

impl Row {
    fn new(net: u32, started: Time) -> Self {
        let mut row = Row { started, changed: started, last_seq_and_form: 0, version: 0, net };
        row.set_status(CaseStatus::Open);
        row
    }

    fn is(&self, flag: u64) -> bool {
        self.last_seq_and_form & flag != 0
    }

    fn set(&mut self, flag: u64, on: bool) {
        self.last_seq_and_form = self.last_seq_and_form & !flag | if on { flag } else { 0 };
    }

    fn status(&self) -> CaseStatus {
        saved::status_of(self.last_seq_and_form & STATUS_MASK)
    }

    fn set_status(&mut self, status: CaseStatus) {
        self.last_seq_and_form = self.last_seq_and_form & !STATUS_MASK | saved::number_of(status) as u64;
    }

    /// Where the newest event is. A log of 2^56 events does not come to be.
    fn set_last(&mut self, seq: Seq) {
        let form = self.last_seq_and_form & ((1 << FORM_BITS) - 1);
        self.last_seq_and_form = seq.0 << FORM_BITS | form;
    }

    fn apply(&mut self, meta: &Meta, event: &CaseEvent) {
        (self.version, self.changed) = (u32::try_from(meta.version).unwrap_or(u32::MAX), meta.time);
        self.set_last(meta.seq);
        match event {
            CaseEvent::CaseCompleted => self.end(CaseStatus::Completed),
            CaseEvent::CaseCancelled { .. } => self.end(CaseStatus::Cancelled),
            CaseEvent::CaseFailed { .. } => self.end(CaseStatus::Failed),
            CaseEvent::CaseDeadlocked => self.set_status(CaseStatus::Deadlocked),
            CaseEvent::CaseSuspended => self.set(SUSPENDED, true),
            CaseEvent::CaseResumed => self.set(SUSPENDED, false),
            CaseEvent::CaseForced { .. } => self.set(FORCED, true),
            _ => {}
        }
    }

    fn end(&mut self, status: CaseStatus) {
        self.set_status(status);
        self.set(SUSPENDED, false);
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
        for (case, (row, key, failed)) in rows {
            self.counts[saved::number_of(row.status())].fetch_add(1, Ordering::Relaxed);
            if let Some(key) = key {
                self.keys.write(case).insert(case, key);
            }
            if !failed.is_empty() {
                self.failed.insert(case, failed);
            }
            self.rows.write(case).insert(case, row);
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

/// A row, and what is kept apart from it.
type Whole = (Row, Option<Box<str>>, Vec<ItemId>);

impl Cases {
    /// Reads a row of a snapshot, behind the case.
    fn row(&self, nets: &[NetHash], from: &mut Reader<'_>) -> Result<Whole, RestoreError> {
        let net = self.nets.number(saved::listed(nets, from)?);
        let key: Option<Box<str>> = from.option(|from| Ok(from.text()?.into()))?;
        let (status, suspended, forced) = (saved::status(from)?, from.flag()?, from.flag()?);
        let (version, last_seq, started) = (from.small()?, from.number()?, Time(from.number()?));
        if last_seq > u64::MAX >> FORM_BITS {
            return Err(RestoreError::NotCanonical("a seq"));
        }
        let changed = saved::since(from, started)?;
        let failed = from.list(|from| from.small().map(ItemId))?;
        wire::ascending(&failed, |item| *item, "failed items")?;
        let mut row = Row { changed, version, ..Row::new(net, started) };
        row.set_status(status);
        row.set(SUSPENDED, suspended);
        row.set(FORCED, forced);
        row.set(KEYED, key.is_some());
        row.set(FAILED, !failed.is_empty());
        row.set_last(Seq(last_seq));
        Ok((row, key, failed))
    }
}
