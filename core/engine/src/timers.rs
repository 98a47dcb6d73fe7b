//! Timers: when which item is to be told that its time has come.
//!
//! They are part of the partition's state, a fold of its events as cases are: nothing is sent from one to the other, so no
//! timer can be lost between the event that sets it and its firing. At opening they are set again from the cases.
//!
//! One ordered set holds them. Setting and firing cost O(log n). A timer whose item ended, rests or got another one stays
//! until its time comes or until more are stale than are not; so there are at most twice as many entries as items with a
//! timer. What rests is set again when it goes on.

use std::collections::BTreeSet;

use actum_model::{ActorId, Case, CaseCommand, CaseId, CaseStatus, ItemId, Phase, Time};
use rustc_hash::FxHashMap;

use crate::activity::Ongoing;
use crate::error::CommandError;
use crate::partition::{Partition, Refused};
use crate::request::Answer;

/// So few entries are never looked through for stale ones.
const TIDY_LEAST: usize = 1_024;
/// A timer that fires so much after its time (nanoseconds) is worth a word: the engine was closed, or its clock was moved.
const LATE: u64 = 1_000_000_000;

/// A timer that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// When it fires; never before.
    pub at: Time,
    /// The case.
    pub case: CaseId,
    /// The item that waits for it, or whose work is to be done by then.
    pub item: ItemId,
}

impl Timer {
    /// The item still has this timer, and could be told. Of what rests, it is looked at again when that goes on.
    fn is_set(&self, cases: &FxHashMap<CaseId, Case>) -> bool {
        let case = cases.get(&self.case);
        case.is_some_and(|case| {
            let control = &case.control;
            let item = control.item(self.item);
            control.status == CaseStatus::Open
                && !control.suspended
                && item.is_some_and(|item| item.timer == Some(self.at) && item.phase != Phase::Suspended)
        })
    }
}

/// The timers of a partition.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    set: BTreeSet<Timer>,
    /// With more entries than this, stale ones are dropped.
    tidy_above: usize,
}

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, cases: &FxHashMap<CaseId, Case>) {
        self.set.insert(timer);
        if self.set.len() > self.tidy_above.max(TIDY_LEAST) {
            self.set.retain(|timer| timer.is_set(cases));
            self.tidy_above = 2 * self.set.len();
        }
    }

    /// Sets the timers of all items of a case: it, or one of them, rested.
    pub(crate) fn set_all(&mut self, case: CaseId, cases: &FxHashMap<CaseId, Case>) {
        let items = cases.get(&case).into_iter().flat_map(|case| &case.control.items);
        let timers: Vec<Timer> =
            items.filter_map(|item| item.timer.map(|at| Timer { at, case, item: item.id })).collect();
        timers.into_iter().for_each(|timer| self.set(timer, cases));
    }

    /// The one that fires next.
    pub(crate) fn next(&mut self, cases: &FxHashMap<CaseId, Case>) -> Option<Timer> {
        while let Some(timer) = self.set.first().copied() {
            if timer.is_set(cases) {
                return Some(timer);
            }
            self.set.pop_first();
        }
        None
    }

    /// Those that fire next, soonest first.
    pub(crate) fn upcoming(&self, limit: usize, cases: &FxHashMap<CaseId, Case>) -> Vec<Timer> {
        self.set.iter().filter(|timer| timer.is_set(cases)).take(limit).copied().collect()
    }
}

/// The open block has no room for what a timer causes: close it and fire again.
pub(crate) struct NoRoom(pub(crate) Ongoing);

impl Partition {
    /// Sets the timers of all cases, after a restart. What was due meanwhile fires at once.
    pub(crate) fn set_timers(&mut self) {
        let cases: Vec<CaseId> = self.state.cases.keys().copied().collect();
        cases.into_iter().for_each(|case| self.timers.set_all(case, &self.state.cases));
    }

    /// When the next timer fires.
    pub(crate) fn next_timer(&mut self) -> Option<Time> {
        self.timers.next(&self.state.cases).map(|timer| timer.at)
    }

    /// Tells the item whose timer is due longest that its time has come. There must be one that is due.
    pub(crate) fn fire_timer(&mut self, now: Time, ongoing: Ongoing) -> Result<(), NoRoom> {
        let due = self.timers.next(&self.state.cases).filter(|timer| timer.at <= now);
        let Some(timer) = due else { return Ok(()) };
        self.timers.set.remove(&timer);
        let Timer { at, case, item } = timer;
        match self.command(case, ActorId::ENGINE, &CaseCommand::TimerFired { item }, now, &ongoing) {
            Ok(()) => {
                // The log says so too: by the time of the event, and the one that was waited for.
                let late = now.0.saturating_sub(at.0);
                if late >= LATE {
                    tracing::info!(case = case.0, item = item.0, late_ms = late / 1_000_000, "a timer fired late");
                }
            }
            Err(Refused::NoRoom) => {
                self.timers.set.insert(timer);
                return Err(NoRoom(ongoing));
            }
            // Something above it rests: all is looked at again when that goes on. Or it is a wait that is over, and failed.
            Err(Refused::Error(CommandError::Rejected(no)))
                if matches!(no.code, "work/suspended" | "work/no-timer") => {}
            Err(Refused::Error(error)) => {
                tracing::error!(case = case.0, item = item.0, "a timer fires without effect: {error}");
            }
        }
        self.release.answers.push((Answer::NOBODY, ongoing));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{CaseEvent, FrameId, Meta, NetHash, Seq, TaskIx};

    fn happen(case: &mut Case, event: &CaseEvent) {
        let version = case.version + 1;
        let meta = Meta { seq: Seq(version), version, time: Time(version), actor: ActorId::ENGINE, cause: None };
        case.apply(&meta, event);
    }

    fn waiting(items: u32) -> FxHashMap<CaseId, Case> {
        let mut case = Case::unborn(CaseId(1));
        happen(
            &mut case,
            &CaseEvent::CaseStarted { net: NetHash::default(), semantics: 1, changes: vec![], produced: vec![] },
        );
        for item in (0..items).map(ItemId) {
            let task = TaskIx(item.0);
            happen(&mut case, &CaseEvent::WorkEnabled { item, task, frame: FrameId::ROOT, instance: None });
            happen(&mut case, &CaseEvent::WorkWaiting { item, task, until: Time(100 + u64::from(item.0)) });
        }
        FxHashMap::from_iter([(CaseId(1), case)])
    }

    fn timer(item: u32) -> Timer {
        Timer { at: Time(100 + u64::from(item)), case: CaseId(1), item: ItemId(item) }
    }

    #[test]
    fn the_soonest_that_is_still_set_is_next() {
        let mut cases = waiting(3);
        let mut timers = Timers::default();
        (0..3).rev().for_each(|item| timers.set(timer(item), &cases));
        timers.set(Timer { at: Time(1), ..timer(2) }, &cases);
        assert_eq!(timers.next(&cases), Some(timer(0)), "one that was replaced does not count");
        let case = cases.get_mut(&CaseId(1)).unwrap();
        happen(case, &CaseEvent::WorkWithdrawn { item: ItemId(0), task: TaskIx(0) });
        assert_eq!(timers.next(&cases), Some(timer(1)));
        assert_eq!(timers.upcoming(9, &cases), [timer(1), timer(2)]);
        assert_eq!(timers.upcoming(1, &cases), [timer(1)]);
    }

    #[test]
    fn what_rests_is_set_again_when_it_goes_on() {
        let mut cases = waiting(1);
        let mut timers = Timers::default();
        timers.set(timer(0), &cases);
        happen(cases.get_mut(&CaseId(1)).unwrap(), &CaseEvent::CaseSuspended);
        assert_eq!(timers.next(&cases), None);
        happen(cases.get_mut(&CaseId(1)).unwrap(), &CaseEvent::CaseResumed);
        timers.set_all(CaseId(1), &cases);
        assert_eq!(timers.next(&cases), Some(timer(0)));
    }

    #[test]
    fn stale_entries_stay_within_bounds() {
        let cases = waiting(1);
        let mut timers = Timers::default();
        for at in 0..100_000 {
            timers.set(Timer { at: Time(1_000 + at), ..timer(0) }, &cases);
        }
        timers.set(timer(0), &cases);
        assert!(timers.set.len() <= TIDY_LEAST + 1, "{}", timers.set.len());
        assert_eq!(timers.next(&cases), Some(timer(0)));
    }
}
