//! Which timers are set, and which comes next?

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use actum_model::snapshot::wire::{self, Reader};
use actum_model::{CaseEvent, CaseId, ItemId, Time};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::runs::{Run, runs};
use crate::{Projection, Recorded, RestoreError, Watermark};

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimerFor {
    /// The case as a whole.
    Case,
    /// An item: it waits for the time, or is to be done by then.
    Item(ItemId),
    /// The next attempt of an item that failed.
    Retry(ItemId),
    /// The end of a rest: of an item, or (with none) of the case. It goes on while that rests.
    Rest(Option<ItemId>),
}

/// A timer that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PendingTimer {
    /// When it fires; never before.
    pub due: Time,
    /// Of which case.
    pub case: CaseId,
    /// For what.
    pub of: TimerFor,
}

/// Timers of a case; and whether they stand still because it rests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct CaseTimers {
    suspended: bool,
    /// Ascending, one for each purpose.
    set: Vec<(TimerFor, Time)>,
    /// Items that rest; ascending.
    resting: Vec<ItemId>,
}

/// Timers that one look takes: so that a reader of many holds nobody up.
const LOOK_MAX: usize = 256;

/// All timers that are set. Only of cases that have some, or rest, is anything kept.
#[derive(Debug, Default)]
pub struct PendingTimers {
    cases: DashMap<CaseId, CaseTimers, FxBuildHasher>,
    by_time: RwLock<BTreeSet<PendingTimer>>,
    /// Number of cases: many logs have none, and then nothing need be looked up.
    cases_len: AtomicUsize,
    watermark: Watermark,
}

impl PendingTimers {
    /// Those that fire next, soonest first, at most `limit`; not those of what rests.
    #[must_use]
    pub fn next(&self, limit: usize) -> Vec<PendingTimer> {
        self.due_by(Time(u64::MAX), limit)
    }

    /// Those that are due at a time or before, soonest first, at most `limit`; not those of what rests.
    #[must_use]
    pub fn due_by(&self, until: Time, limit: usize) -> Vec<PendingTimer> {
        let mut found = Vec::new();
        let mut after = Bound::Unbounded;
        while found.len() < limit {
            let some: Vec<PendingTimer> = {
                let all = self.by_time.read().unwrap_or_else(PoisonError::into_inner);
                all.range((after, Bound::Unbounded))
                    .take(LOOK_MAX)
                    .take_while(|one| one.due <= until)
                    .copied()
                    .collect()
            };
            let Some(last) = some.last() else { break };
            after = Bound::Excluded(*last);
            found.extend(some.into_iter().filter(|timer| self.goes(timer)));
        }
        found.truncate(limit);
        found
    }

    /// Timers of a case, also those that stand still, by what they are for.
    #[must_use]
    pub fn of_case(&self, case: CaseId) -> Vec<PendingTimer> {
        let Some(timers) = self.cases.get(&case) else { return Vec::new() };
        timers.set.iter().map(|(of, due)| PendingTimer { due: *due, case, of: *of }).collect()
    }

    /// Number of timers that are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_time.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// None is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// It is still set, and neither its item nor its case rests; or it is the end of that rest.
    fn goes(&self, timer: &PendingTimer) -> bool {
        self.cases.get(&timer.case).is_some_and(|case| {
            let rests = match timer.of {
                TimerFor::Rest(None) => false,
                TimerFor::Case | TimerFor::Rest(Some(_)) => case.suspended,
                TimerFor::Item(item) | TimerFor::Retry(item) => {
                    case.suspended || case.resting.binary_search(&item).is_ok()
                }
            };
            !rests && case.set.binary_search(&(timer.of, timer.due)).is_ok()
        })
    }

    fn apply_run(&self, run: &Run<'_, '_>) {
        let begins = |event: &CaseEvent| {
            matches!(
                event,
                CaseEvent::WorkWaiting { .. }
                    | CaseEvent::CaseWaiting { .. }
                    | CaseEvent::WorkRetryScheduled { .. }
                    | CaseEvent::WorkSuspended { .. }
                    | CaseEvent::CaseSuspended
            )
        };
        let mut timers = if run.facts().any(|(_, event)| begins(event)) {
            self.cases.entry(run.case).or_insert_with(|| {
                self.cases_len.fetch_add(1, Ordering::Relaxed);
                CaseTimers::default()
            })
        } else if self.cases_len.load(Ordering::Relaxed) == 0 {
            return;
        } else {
            let Some(timers) = self.cases.get_mut(&run.case) else { return };
            timers
        };
        for (_, event) in run.facts() {
            self.apply_one(run.case, &mut timers, event);
        }
        let is_idle = timers.is_idle();
        drop(timers);
        if is_idle && self.cases.remove_if(&run.case, |_, timers| timers.is_idle()).is_some() {
            self.cases_len.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn apply_one(&self, case: CaseId, timers: &mut CaseTimers, event: &CaseEvent) {
        match event {
            CaseEvent::CaseWaiting { until } => self.set(case, timers, TimerFor::Case, Some(*until)),
            CaseEvent::CaseTimedOut => self.set(case, timers, TimerFor::Case, None),
            CaseEvent::WorkWaiting { item, until, .. } => self.set(case, timers, TimerFor::Item(*item), Some(*until)),
            CaseEvent::WorkTimedOut { item, .. } => self.set(case, timers, TimerFor::Item(*item), None),
            CaseEvent::WorkRetryScheduled { item, at, .. } => self.set(case, timers, TimerFor::Retry(*item), Some(*at)),
            CaseEvent::WorkRetried { item, .. } | CaseEvent::WorkDeadLettered { item, .. } => {
                self.set(case, timers, TimerFor::Retry(*item), None);
            }
            CaseEvent::WorkCompleted { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkCancelled { item, .. } => {
                self.set(case, timers, TimerFor::Item(*item), None);
                self.set(case, timers, TimerFor::Retry(*item), None);
                self.go_on(case, timers, *item);
            }
            CaseEvent::WorkSuspended { item, .. } => {
                if let Err(place) = timers.resting.binary_search(item) {
                    timers.resting.insert(place, *item);
                }
            }
            CaseEvent::WorkResumed { item, .. } | CaseEvent::WorkForced { item, .. } => self.go_on(case, timers, *item),
            CaseEvent::RestLimited { item, until } => self.set(case, timers, TimerFor::Rest(*item), Some(*until)),
            CaseEvent::CaseSuspended => timers.suspended = true,
            CaseEvent::CaseResumed => {
                timers.suspended = false;
                self.set(case, timers, TimerFor::Rest(None), None);
            }
            ended if ended.is_terminal() => {
                let over = std::mem::take(timers);
                let mut by_time = self.by_time.write().unwrap_or_else(PoisonError::into_inner);
                for (of, due) in over.set {
                    by_time.remove(&PendingTimer { due, case, of });
                }
            }
            _ => {}
        }
    }

    /// An item does not rest any more.
    fn go_on(&self, case: CaseId, timers: &mut CaseTimers, item: ItemId) {
        timers.resting.retain(|resting| *resting != item);
        self.set(case, timers, TimerFor::Rest(Some(item)), None);
    }

    /// Sets or clears the timer of a purpose.
    fn set(&self, case: CaseId, timers: &mut CaseTimers, of: TimerFor, due: Option<Time>) {
        let place = timers.set.binary_search_by_key(&of, |(of, _)| *of);
        let old = place.ok().map(|place| timers.set.remove(place).1);
        if let Some(due) = due {
            timers.set.insert(place.unwrap_or_else(|place| place), (of, due));
        }
        if old != due {
            let mut by_time = self.by_time.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(due) = old {
                by_time.remove(&PendingTimer { due, case, of });
            }
            if let Some(due) = due {
                by_time.insert(PendingTimer { due, case, of });
            }
        }
    }
}

impl CaseTimers {
    fn is_idle(&self) -> bool {
        self.set.is_empty() && self.resting.is_empty() && !self.suspended
    }
}

impl Projection for PendingTimers {
    fn name(&self) -> &'static str {
        "timers"
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
        let mut cases: Vec<(CaseId, CaseTimers)> =
            self.cases.iter().map(|timers| (*timers.key(), timers.value().clone())).collect();
        cases.sort_by_key(|(case, _)| *case);
        let mut out = Vec::new();
        wire::put_list(&mut out, &cases, |out, (case, timers)| {
            wire::put(out, case.0);
            out.push(u8::from(timers.suspended));
            wire::put_list(out, &timers.set, |out, (of, due)| {
                let (kind, item) = match of {
                    TimerFor::Case => (0, 0),
                    TimerFor::Item(item) => (1, item.0),
                    TimerFor::Retry(item) => (2, item.0),
                    TimerFor::Rest(None) => (3, 0),
                    TimerFor::Rest(Some(item)) => (4, item.0),
                };
                out.push(kind);
                wire::put(out, u64::from(item));
                wire::put(out, due.0);
            });
            wire::put_list(out, &timers.resting, |out, item| wire::put(out, u64::from(item.0)));
        });
        out
    }

    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError> {
        let mut from = Reader::new(bytes);
        let cases = from.list(|from| Ok((CaseId(from.number()?), case_timers(from)?)))?;
        from.end()?;
        wire::ascending(&cases, |(case, _)| *case, "cases with timers")?;
        let mut by_time = self.by_time.write().unwrap_or_else(PoisonError::into_inner);
        for (case, timers) in cases {
            by_time.extend(timers.set.iter().map(|(of, due)| PendingTimer { due: *due, case, of: *of }));
            self.cases.insert(case, timers);
            self.cases_len.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn by_stream(&self) -> bool {
        true
    }

    fn watermark(&self) -> &Watermark {
        &self.watermark
    }
}

fn case_timers(from: &mut Reader<'_>) -> Result<CaseTimers, RestoreError> {
    let suspended = from.flag()?;
    let set = from.list(|from| {
        let of = match (from.byte()?, from.small().map(ItemId)?) {
            (0, ItemId(0)) => TimerFor::Case,
            (1, item) => TimerFor::Item(item),
            (2, item) => TimerFor::Retry(item),
            (3, ItemId(0)) => TimerFor::Rest(None),
            (4, item) => TimerFor::Rest(Some(item)),
            _ => return Err(RestoreError::NotCanonical("what a timer is for")),
        };
        Ok((of, Time(from.number()?)))
    })?;
    wire::ascending(&set, |(of, _)| *of, "timers of a case")?;
    let resting = from.list(|from| from.small().map(ItemId))?;
    wire::ascending(&resting, |item| *item, "items that rest")?;
    Ok(CaseTimers { suspended, set, resting })
}
