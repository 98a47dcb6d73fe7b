//! Cases with work for people, fed run by run.

use std::sync::atomic::{AtomicUsize, Ordering};

use actum_model::snapshot::wire::Reader;
use actum_model::{ActorId, CaseId, ItemId, RoleIx, TaskIx, Time};

use super::{CaseWork, Changed, Holder, Row, begins, saved};
use crate::RestoreError;
use crate::compact::{ByCase, Compact};
use crate::nets::Nets;
use crate::runs::Run;

/// Only of cases with work for people is anything kept.
#[derive(Debug, Default)]
pub(crate) struct Table {
    cases: ByCase<CaseWork>,
    /// Something was kept ever: many logs have no people, and then nothing need be looked up.
    begun: AtomicUsize,
}

/// One item, in a case that does not rest and of which nothing else is to be remembered: 24 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneItem {
    since: Time,
    item: ItemId,
    task: TaskIx,
    /// Role or actor.
    who: u32,
    /// Low bits: whose it is, and whether it rests; the rest is the net's number.
    net_and_form: u32,
}

const OFFERED: u32 = 0;
const ALLOCATED: u32 = 1;
const STARTED: u32 = 2;
const FORM_MASK: u32 = 3;
const SUSPENDED: u32 = 4;
const FORM_BITS: u32 = 3;

impl Compact for CaseWork {
    type Packed = OneItem;

    fn pack(&self, nets: &Nets) -> Option<OneItem> {
        let CaseWork { net, suspended: false, rows, done } = self else { return None };
        let [Row { item, task, holder, suspended, failed: false, since }] = &**rows else { return None };
        let (form, who) = match holder {
            Holder::Offered(Some(role), to) if to.is_empty() => (OFFERED, role.0),
            Holder::Offered(..) => return None,
            Holder::Allocated(actor) => (ALLOCATED, actor.0),
            Holder::Started(actor) => (STARTED, actor.0),
        };
        let net = nets.number(*net);
        if !done.is_empty() || net > u32::MAX >> FORM_BITS {
            return None;
        }
        let form = form | if *suspended { SUSPENDED } else { 0 };
        Some(OneItem { since: *since, item: *item, task: *task, who, net_and_form: net << FORM_BITS | form })
    }

    fn unpack(packed: OneItem, nets: &Nets) -> Self {
        let OneItem { since, item, task, who, net_and_form } = packed;
        let holder = match net_and_form & FORM_MASK {
            ALLOCATED => Holder::Allocated(ActorId(who)),
            STARTED => Holder::Started(ActorId(who)),
            _ => Holder::Offered(Some(RoleIx(who)), Vec::new()),
        };
        let suspended = net_and_form & SUSPENDED != 0;
        let row = Row { suspended, ..Row::new(item, task, holder, since) };
        CaseWork { rows: vec![row], ..CaseWork::new(nets.hash(net_and_form >> FORM_BITS)) }
    }

    fn is_idle(&self) -> bool {
        self.rows.is_empty() && self.done.is_empty() && !self.suspended
    }
}

impl Table {
    /// Takes in a run, and tells of each row that it changes while the case is locked.
    pub(crate) fn apply(&self, run: &Run<'_, '_>, mut changed: impl FnMut(CaseId, Changed<'_>)) {
        let begins = begins(run);
        if begins {
            self.begun.store(1, Ordering::Relaxed);
        } else if self.begun.load(Ordering::Relaxed) == 0 {
            return;
        }
        let new = || begins.then(|| CaseWork::new(run.net));
        self.cases.change(run.case, new, |work| {
            run.facts().for_each(|(meta, event)| work.apply(meta, event, &mut |change| changed(run.case, change)));
        });
    }

    pub(crate) fn get(&self, case: CaseId) -> Option<CaseWork> {
        self.cases.get(case)
    }

    /// Number of rows in all cases.
    pub(crate) fn rows(&self) -> usize {
        self.cases.count(|work| work.rows.len())
    }

    /// Cases in which people have something to do, ascending.
    pub(crate) fn cases(&self) -> Vec<CaseId> {
        let mut cases = Vec::new();
        self.cases.for_each(|case, work| cases.extend((!work.rows.is_empty()).then_some(case)));
        cases.sort_unstable();
        cases.dedup();
        cases
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        saved::put_cases(out, &self.cases.all());
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
            self.begun.store(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
