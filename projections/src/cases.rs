//! Which cases are there, and how do they stand?

use std::sync::atomic::{AtomicU64, Ordering};

use actum_model::{CaseEvent, CaseId, CaseStatus, ItemId, NetHash, Seq, Time};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::{Projection, Recorded, Watermark};

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

/// All cases, open and ended.
#[derive(Debug, Default)]
pub struct Cases {
    rows: DashMap<CaseId, CaseRow, FxBuildHasher>,
    work_completed: AtomicU64,
    watermark: Watermark,
}

impl Cases {
    /// How one case stands.
    pub fn get(&self, case: CaseId) -> Option<CaseRow> {
        self.rows.get(&case).map(|row| row.clone())
    }

    /// Number of cases.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No case was ever started.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of cases with a status.
    pub fn count(&self, status: CaseStatus) -> usize {
        self.rows.iter().filter(|row| row.status == status).count()
    }

    /// Cases that `wanted` picks, ascending. Each row is true at some moment during the call.
    pub fn select(&self, wanted: impl Fn(&CaseRow) -> bool) -> Vec<(CaseId, CaseRow)> {
        let mut found: Vec<(CaseId, CaseRow)> =
            self.rows.iter().filter(|row| wanted(row)).map(|row| (*row.key(), row.clone())).collect();
        found.sort_by_key(|(case, _)| *case);
        found
    }

    /// Number of work items completed.
    pub fn work_completed(&self) -> u64 {
        self.work_completed.load(Ordering::Relaxed)
    }

    /// Up to where this is true.
    pub fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

impl Projection for Cases {
    fn apply(&self, recorded: &Recorded<'_>) {
        let meta = recorded.meta;
        let mut row = self.rows.entry(recorded.case).or_insert_with(|| CaseRow {
            net: recorded.net,
            key: recorded.key.map(Into::into),
            status: CaseStatus::Open,
            suspended: false,
            version: 0,
            last_seq: meta.seq,
            started: meta.time,
            changed: meta.time,
            failed: Box::default(),
        });
        row.version = meta.version;
        row.last_seq = meta.seq;
        row.changed = meta.time;
        match recorded.event {
            CaseEvent::CaseCompleted => row.status = CaseStatus::Completed,
            CaseEvent::CaseCancelled { .. } => row.status = CaseStatus::Cancelled,
            CaseEvent::CaseDeadlocked => row.status = CaseStatus::Deadlocked,
            CaseEvent::CaseFailed { .. } => row.status = CaseStatus::Failed,
            CaseEvent::CaseSuspended => row.suspended = true,
            CaseEvent::CaseResumed => row.suspended = false,
            CaseEvent::WorkCompleted { .. } => {
                self.work_completed.fetch_add(1, Ordering::Relaxed);
            }
            CaseEvent::WorkFailed { item, .. } => {
                row.failed = row.failed.iter().copied().chain([*item]).collect();
            }
            CaseEvent::WorkRetried { item, .. }
            | CaseEvent::WorkCancelled { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
                if !row.failed.is_empty() =>
            {
                row.failed = row.failed.iter().copied().filter(|failed| failed != item).collect();
            }
            _ => {}
        }
        if recorded.event.is_terminal() {
            row.suspended = false;
        }
        drop(row);
        self.watermark.reach(meta.seq);
    }
}
