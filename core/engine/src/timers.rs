//! Timers: when which item, or which case, is to be told that its time has come.
//!
//! They are part of the partition's state, a fold of its events as cases are: nothing is sent from one to the other, so no
//! timer can be lost between the event that sets it and its firing. At opening they are set again from the cases.
//!
//! A timing wheel holds them: setting and cancelling cost the same however many there are. A timer whose item ended, or got
//! another one, is cancelled with the event that says so. Of what rests it stays set; when its time comes it is dropped, and set
//! again when that goes on. Only the end of a rest is a timer of what rests.

mod wheel;

use actum_model::{ActorId, Case, CaseCommand, CaseId, CaseStatus, ItemId, Phase, Time};

use crate::activity::Ongoing;
use crate::error::CommandError;
use crate::partition::{Partition, Refused};
use crate::passive::{OpenCases, timers_of};
use crate::request::Answer;

pub use wheel::{NextTimer, TimerWheel};

/// A timer that is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// When it fires; never before.
    pub at: Time,
    /// The case.
    pub case: CaseId,
    /// The item that waits for it, or whose work is to be done by then; [`Timer::OF_CASE`] if it is the case's own.
    pub item: ItemId,
}

impl Timer {
    /// Stands for the case as a whole: no item ever has this number.
    pub const OF_CASE: ItemId = ItemId(u32::MAX);

    /// The item, or the case, still has this timer, and could be told. Of what rests, it is looked at again when that goes on.
    fn is_set(&self, cases: &OpenCases) -> bool {
        // Of one that rests, timers can be told: otherwise it would not (`passive::may_rest`).
        let Some(case) = cases.get(self.case) else { return cases.rests(self.case) };
        let control = &case.control;
        if control.status != CaseStatus::Open {
            return false;
        }
        // The end of a rest is the one timer of what rests.
        let rests = (self.item != Self::OF_CASE).then_some(self.item);
        if (rests.is_none() || !control.suspended) && control.rest_until(rests) == Some(self.at) {
            return true;
        }
        if control.suspended {
            return false;
        }
        if self.item == Self::OF_CASE {
            return control.deadline() == Some(self.at);
        }
        control.item(self.item).is_some_and(|item| {
            item.phase != Phase::Suspended
                && (item.timer == Some(self.at) || control.retry_at(item.id) == Some(self.at))
        })
    }
}

/// Timers that a case may lose by an event.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    item: Option<ItemId>,
    own: Option<Time>,
    retry: Option<Time>,
    deadline: Option<Time>,
}

/// The timers of a partition.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    wheel: TimerWheel,
    /// What is due happens; in a log that is opened for upkeep, nothing does.
    listens: bool,
    /// Nothing is told before: the log could not be read.
    held_up: Option<Time>,
}

/// What must wait because the log cannot be read is tried again so much later.
const HOLD_UP_NS: u64 = 1_000_000_000;

impl Timers {
    /// Sets a timer; one that is set already stays as it is. The same few steps, however many there are.
    pub(crate) fn set(&mut self, timer: Timer) {
        self.wheel.set(timer);
    }

    /// Sets the timers of a case and of all its items: it, or one of them, rested.
    pub(crate) fn set_all(&mut self, case: CaseId, cases: &OpenCases) {
        cases.get(case).into_iter().flat_map(timers_of).for_each(|timer| self.wheel.set(timer));
    }

    /// What an event about an item may take from a case; to be taken before the event.
    pub(crate) fn before(&self, case: Option<&Case>, item: Option<ItemId>) -> Option<Before> {
        let control = &case.filter(|_| !self.wheel.is_empty())?.control;
        let of_item = item.and_then(|item| control.item(item));
        let before = Before {
            item,
            own: of_item.and_then(|item| item.timer),
            retry: item.and_then(|item| control.retry_at(item)),
            deadline: control.deadline(),
        };
        let has_any = before.own.is_some() || before.retry.is_some() || before.deadline.is_some();
        has_any.then_some(before)
    }

    /// Cancels the timers that a case lost.
    pub(crate) fn cancel_lost(&mut self, case: CaseId, before: &Before, cases: &OpenCases) {
        let control = cases.get(case).map(|case| &case.control);
        let now = |item: ItemId| {
            let own = control.and_then(|control| control.item(item)).and_then(|item| item.timer);
            [own, control.and_then(|control| control.retry_at(item))]
        };
        if let Some(item) = before.item {
            let has = now(item);
            for at in [before.own, before.retry].into_iter().flatten().filter(|at| !has.contains(&Some(*at))) {
                self.wheel.cancel(&Timer { at, case, item });
            }
        }
        let lost = before.deadline.filter(|at| control.and_then(actum_model::Control::deadline) != Some(*at));
        if let Some(at) = lost {
            self.wheel.cancel(&Timer { at, case, item: Timer::OF_CASE });
        }
    }

    /// The timer that is due longest, or when to look again.
    pub(crate) fn next(&mut self, now: Time, cases: &OpenCases) -> Option<NextTimer> {
        loop {
            match self.wheel.next(now)? {
                // What rests is set again when it goes on.
                NextTimer::Timer(timer) if !timer.is_set(cases) => {
                    self.wheel.cancel(&timer);
                }
                next => return Some(next),
            }
        }
    }

    /// What is due waits for a while. Answers until when.
    pub(crate) fn hold_up(&mut self, now: Time) -> Time {
        let until = Time(now.0.saturating_add(HOLD_UP_NS));
        self.held_up = Some(until);
        until
    }

    /// Until when what is due waits; a clock that was set back prolongs nothing.
    fn is_held_up(&mut self, now: Time) -> Option<Time> {
        self.held_up = self.held_up.filter(|until| now < *until && until.0 - now.0 <= HOLD_UP_NS);
        self.held_up
    }

    /// Those that fire next, soonest first.
    pub(crate) fn upcoming(&self, limit: usize, cases: &OpenCases) -> Vec<Timer> {
        let mut timers = Vec::new();
        if limit > 0 {
            self.wheel.in_order(|timer| {
                timers.extend(Some(timer).filter(|timer| timer.is_set(cases)));
                timers.len() < limit
            });
        }
        timers
    }
}

/// The open block has no room for what a timer causes: close it and fire again.
pub(crate) struct NoRoom(pub(crate) Ongoing);

impl Partition {
    /// Sets the timers of all cases, after a restart. What was due meanwhile fires at once.
    pub(crate) fn set_timers(&mut self) {
        self.timers.listens = true;
        let Partition { timers, state, .. } = self;
        state.cases.residents().flat_map(timers_of).for_each(|timer| timers.wheel.set(timer));
        state.cases.take_timers().for_each(|timer| timers.wheel.set(timer));
    }

    /// When something is due next: a timer, a start by the clock, a message that is to be delivered or kept no longer. Nothing is
    /// due before; at that time, it is to be asked again.
    pub(crate) fn next_timer(&mut self, now: Time) -> Option<Time> {
        if !self.timers.listens {
            return None;
        }
        let start = self.state.starts.next().filter(|_| self.state.seat.is_owner()).map(|(due, ..)| due);
        if let Some(until) = self.timers.is_held_up(now) {
            return start.into_iter().chain([until]).min();
        }
        if self.state.messages.has_to_match() {
            return Some(now);
        }
        let timer = self.next_item_timer(now).map(|next| match next {
            NextTimer::Timer(timer) => timer.at,
            NextTimer::NotBefore(at) => at,
        });
        let expiry = self.state.messages.next_expiry().map(|(until, _)| until);
        timer.into_iter().chain(start).chain(expiry).min()
    }

    /// Does one thing that is due: a message goes before a start, and that before a timer.
    pub(crate) fn fire_timer(&mut self, now: Time, ongoing: Ongoing) -> Result<(), NoRoom> {
        let is_held_up = self.timers.is_held_up(now).is_some();
        let delivered = if is_held_up { Ok(false) } else { self.deliver(now, &ongoing) };
        let done = match delivered {
            Ok(false) => self.start_due(now, &ongoing),
            other => other,
        };
        let outcome = match done {
            Ok(false) if !is_held_up => self.fire_item(now, &ongoing),
            other => other.map(drop),
        };
        match outcome {
            Ok(()) => {}
            Err(Refused::NoRoom) => return Err(NoRoom(ongoing)),
            Err(Refused::Error(error @ CommandError::Unreadable(_))) => {
                tracing::error!("what is due must wait: {error}");
                self.timers.hold_up(now);
            }
            Err(Refused::Error(error)) => tracing::error!("what was due has no effect: {error}"),
        }
        self.release.answers.push((Answer::NOBODY, ongoing));
        Ok(())
    }

    /// Tells the item or case whose timer is due longest that its time has come.
    fn fire_item(&mut self, now: Time, ongoing: &Ongoing) -> Result<(), Refused> {
        let Some(NextTimer::Timer(timer)) = self.next_item_timer(now) else { return Ok(()) };
        let Timer { at, case, item } = timer;
        if at > now {
            return Ok(());
        }
        self.timers.wheel.cancel(&timer);
        let command =
            if item == Timer::OF_CASE { CaseCommand::CaseTimerFired } else { CaseCommand::TimerFired { item } };
        match self.command(case, ActorId::ENGINE, &command, now, ongoing) {
            // If it is late, the log says so.
            Ok(()) => Ok(()),
            Err(Refused::NoRoom) => {
                self.timers.wheel.set(timer);
                Err(Refused::NoRoom)
            }
            // Something above it rests: all is looked at again when that goes on. Or it is a wait that is over, and failed.
            Err(Refused::Error(CommandError::Rejected(no)))
                if matches!(no.code, "work/suspended" | "work/no-timer") =>
            {
                Ok(())
            }
            Err(Refused::Error(error)) => {
                tracing::error!(case = case.0, item = item.0, "a timer fires without effect: {error}");
                Ok(())
            }
        }
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

    fn next(timers: &mut Timers, cases: &OpenCases) -> Option<Timer> {
        match timers.next(Time(200), cases)? {
            NextTimer::Timer(timer) => Some(timer),
            NextTimer::NotBefore(_) => None,
        }
    }

    fn waiting(items: u32) -> OpenCases {
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
        let mut cases = OpenCases::default();
        cases.insert(case);
        cases
    }

    fn timer(item: u32) -> Timer {
        Timer { at: Time(100 + u64::from(item)), case: CaseId(1), item: ItemId(item) }
    }

    #[test]
    fn the_soonest_that_is_still_set_is_next() {
        let mut cases = waiting(3);
        let mut timers = Timers::default();
        (0..3).rev().for_each(|item| timers.set(timer(item)));
        timers.set(Timer { at: Time(1), ..timer(2) });
        assert_eq!(next(&mut timers, &cases), Some(timer(0)), "one that was replaced does not count");
        let case = cases.begin(CaseId(1));
        happen(case, &CaseEvent::WorkWithdrawn { item: ItemId(0), task: TaskIx(0) });
        assert_eq!(next(&mut timers, &cases), Some(timer(1)));
        assert_eq!(timers.upcoming(9, &cases), [timer(1), timer(2)]);
        assert_eq!(timers.upcoming(1, &cases), [timer(1)]);
    }

    #[test]
    fn what_rests_is_set_again_when_it_goes_on() {
        let mut cases = waiting(1);
        let mut timers = Timers::default();
        timers.set(timer(0));
        happen(cases.begin(CaseId(1)), &CaseEvent::CaseSuspended);
        assert_eq!(next(&mut timers, &cases), None);
        happen(cases.begin(CaseId(1)), &CaseEvent::CaseResumed);
        timers.set_all(CaseId(1), &cases);
        assert_eq!(next(&mut timers, &cases), Some(timer(0)));
    }

    #[test]
    fn a_timer_goes_with_the_event_that_ends_its_item() {
        let mut cases = waiting(2);
        let mut timers = Timers::default();
        timers.set_all(CaseId(1), &cases);
        assert_eq!(timers.wheel.len(), 2);
        let before = timers.before(cases.get(CaseId(1)), Some(ItemId(0))).expect("it has one");
        timers.cancel_lost(CaseId(1), &before, &cases);
        assert_eq!(timers.wheel.len(), 2, "nothing happened to it");
        happen(cases.begin(CaseId(1)), &CaseEvent::WorkWithdrawn { item: ItemId(0), task: TaskIx(0) });
        timers.cancel_lost(CaseId(1), &before, &cases);
        assert_eq!(timers.wheel.len(), 1);
        assert_eq!(next(&mut timers, &cases), Some(timer(1)));
    }
}
