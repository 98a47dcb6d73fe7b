//! Cases with work for people, fed run by run.

use std::sync::atomic::{AtomicUsize, Ordering};

use actum_model::CaseId;
use actum_model::snapshot::wire::Reader;
use dashmap::DashMap;
use dashmap::mapref::one::Ref;
use rustc_hash::FxBuildHasher;

use super::{CaseWork, Changed, begins, saved};
use crate::RestoreError;
use crate::runs::Run;

/// Only of cases with work for people is anything kept.
#[derive(Debug, Default)]
pub(crate) struct Table {
    cases: DashMap<CaseId, CaseWork, FxBuildHasher>,
    /// Number of cases: many logs have none, and then nothing need be looked up.
    len: AtomicUsize,
}

impl Table {
    /// Takes in a run, and tells of each row that it changes while the case is locked.
    pub(crate) fn apply(&self, run: &Run<'_, '_>, mut changed: impl FnMut(CaseId, Changed<'_>)) {
        let mut work = if begins(run) {
            self.cases.entry(run.case).or_insert_with(|| {
                self.len.fetch_add(1, Ordering::Relaxed);
                CaseWork::new(run.net)
            })
        } else if self.len.load(Ordering::Relaxed) == 0 {
            return;
        } else {
            let Some(work) = self.cases.get_mut(&run.case) else { return };
            work
        };
        run.facts().for_each(|(meta, event)| work.apply(meta, event, &mut |change| changed(run.case, change)));
        let is_idle = work.is_idle();
        drop(work);
        if is_idle && self.cases.remove_if(&run.case, |_, work| work.is_idle()).is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self, case: CaseId) -> Option<Ref<'_, CaseId, CaseWork>> {
        self.cases.get(&case)
    }

    /// Number of rows in all cases.
    pub(crate) fn rows(&self) -> usize {
        self.cases.iter().map(|work| work.rows.len()).sum()
    }

    /// Cases in which people have something to do, ascending.
    pub(crate) fn cases(&self) -> Vec<CaseId> {
        let mut cases: Vec<CaseId> =
            self.cases.iter().filter(|work| !work.rows.is_empty()).map(|work| *work.key()).collect();
        cases.sort_unstable();
        cases
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let mut cases: Vec<(CaseId, CaseWork)> =
            self.cases.iter().map(|work| (*work.key(), work.value().clone())).collect();
        cases.sort_by_key(|(case, _)| *case);
        saved::put_cases(out, &cases);
    }

    /// Takes over what [`Table::put`] wrote, and tells of each row.
    pub(crate) fn read(
        &self,
        from: &mut Reader<'_>,
        mut changed: impl FnMut(CaseId, Changed<'_>),
    ) -> Result<(), RestoreError> {
        for (case, work) in saved::cases(from)? {
            for row in &work.rows {
                changed(case, Changed { net: work.net, was: None, is: Some(row), at: row.since });
            }
            self.cases.insert(case, work);
            self.len.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
