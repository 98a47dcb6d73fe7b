//! What will happen, and when.

use std::collections::BTreeMap;
use std::collections::HashMap;

use actum::{ActorId, CaseId, ItemId, Time, Timer, Value};

pub(super) const MINUTE: u64 = 60_000_000_000;
/// Of what is under way, at least this part happens at a time, so that a run takes few blocks.
const SHARE: usize = 16;
/// What is due this much later does not happen at the same time.
const WINDOW: u64 = 60 * MINUTE;
/// Timers that are looked at: a share of more is as good as a share of these.
pub(super) const TIMERS_MAX: usize = 4_096;

/// What becomes of an item at a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Job {
    pub(super) case: CaseId,
    pub(super) item: ItemId,
    pub(super) deed: Deed,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Deed {
    /// Somebody who has begun it is done.
    Finish { actor: ActorId, result: Value },
    /// The signal comes that it waits for.
    Signal { name: String },
    /// The message comes that it waits for.
    Message { name: String },
    /// Somebody could do it who could not before.
    LookAgain,
}

/// What happens next.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// These, at this time.
    Jobs(Time, Vec<Job>),
    /// Timers of the engine that are due by this time.
    Timers(Time),
}

/// What is under way, by when it is due.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeMap<(Time, CaseId, ItemId), Job>);

impl Agenda {
    /// Something happens so many minutes after a time.
    pub(super) fn add(&mut self, job: Job, minutes: u32, since: Time) {
        let due = Time(since.0.saturating_add(u64::from(minutes) * MINUTE));
        self.0.insert((due, job.case, job.item), job);
    }

    /// What happens next, given the engine's next timers, and whether a job is still of use. One thing with all others of that
    /// time when little is under way; more, within an hour, when much is. In one case, nothing comes before what is due earlier.
    pub(super) fn next(&mut self, timers: &[Timer], is_live: impl Fn(&Job) -> bool) -> Option<Step> {
        while let Some(entry) = self.0.first_entry() {
            if is_live(entry.get()) {
                break;
            }
            entry.remove();
        }
        let first = self.0.first_key_value().map(|((due, ..), _)| *due);
        match (first, timers.first()) {
            (first, Some(timer)) if first.is_none_or(|first| timer.at <= first) => {
                Some(Step::Timers(self.timers_until(timer.at, timers)))
            }
            (Some(first), _) => Some(self.jobs(first, timers, is_live)),
            (None, _) => None,
        }
    }

    fn timers_until(&self, first: Time, timers: &[Timer]) -> Time {
        let latest = Time(first.0.saturating_add(WINDOW));
        let mut jobs: HashMap<CaseId, Time> = HashMap::new();
        for (due, case, _) in self.0.keys().take_while(|(due, ..)| *due <= latest) {
            jobs.entry(*case).or_insert(*due);
        }
        let least = timers.len().div_ceil(SHARE);
        let mut time = first;
        for (index, timer) in timers.iter().enumerate() {
            let job_is_earlier = jobs.get(&timer.case).is_some_and(|due| *due < timer.at);
            if timer.at > latest || job_is_earlier || (index >= least && timer.at > time) {
                break;
            }
            time = timer.at;
        }
        time
    }

    fn jobs(&mut self, first: Time, timers: &[Timer], is_live: impl Fn(&Job) -> bool) -> Step {
        let mut latest = Time(first.0.saturating_add(WINDOW));
        if timers.len() >= TIMERS_MAX {
            // Of later ones nothing is known.
            latest = timers.last().map_or(latest, |timer| latest.min(timer.at));
        }
        let mut timer_of: HashMap<CaseId, Time> = HashMap::new();
        for timer in timers.iter().take_while(|timer| timer.at <= latest) {
            timer_of.entry(timer.case).or_insert(timer.at);
        }
        let least = self.0.len().div_ceil(SHARE);
        let mut time = first;
        let mut taken = Vec::new();
        for (key, job) in self.0.range(..=(latest, CaseId(u64::MAX), ItemId(u32::MAX))) {
            if taken.len() >= least && key.0 > time {
                break;
            }
            if is_live(job) && timer_of.get(&key.1).is_none_or(|timer| *timer > key.0) {
                time = key.0;
                taken.push(*key);
            }
        }
        let jobs = taken.iter().filter_map(|key| self.0.remove(key)).collect();
        // Time must not reach a timer that is due after one of them.
        let time = if timers.first().is_some_and(|timer| timer.at <= time) { first } else { time };
        Step::Jobs(time, jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(case: u64, item: u32) -> Job {
        Job { case: CaseId(case), item: ItemId(item), deed: Deed::LookAgain }
    }

    fn agenda(minutes: impl IntoIterator<Item = u64>) -> Agenda {
        let entries = minutes
            .into_iter()
            .zip(0..)
            .map(|(minute, item)| ((Time(minute * MINUTE), CaseId(1), ItemId(item)), job(1, item)));
        Agenda(entries.collect())
    }

    fn timer(minute: u64, case: u64) -> Timer {
        Timer { at: Time(minute * MINUTE), case: CaseId(case), item: ItemId(99) }
    }

    fn step(agenda: &mut Agenda, timers: &[Timer]) -> Option<(&'static str, u64, usize)> {
        agenda.next(timers, |_| true).map(|step| match step {
            Step::Jobs(time, jobs) => ("jobs", time.0 / MINUTE, jobs.len()),
            Step::Timers(time) => ("timers", time.0 / MINUTE, 0),
        })
    }

    fn steps(mut agenda: Agenda) -> Vec<(u64, usize)> {
        std::iter::from_fn(|| step(&mut agenda, &[])).map(|(_, time, jobs)| (time, jobs)).collect()
    }

    #[test]
    fn little_work_is_done_minute_by_minute() {
        assert_eq!(steps(agenda([3, 3, 5, 90])), [(3, 2), (5, 1), (90, 1)]);
    }

    #[test]
    fn much_work_is_done_together_but_never_an_hour_apart() {
        let all = steps(agenda(0..160));
        assert_eq!(all[0], (9, 10), "a sixteenth of it");
        assert_eq!(all.iter().map(|(_, count)| count).sum::<usize>(), 160);
        assert_eq!(steps(agenda((0..32).map(|index| index * 61)))[0], (0, 1));
    }

    #[test]
    fn what_is_of_no_use_any_more_does_not_move_time() {
        let mut agenda = agenda([3, 5]);
        let next = agenda.next(&[], |job| job.item == ItemId(1));
        assert!(matches!(next, Some(Step::Jobs(time, jobs)) if time.0 == 5 * MINUTE && jobs.len() == 1));
        assert_eq!(agenda.next(&[], |_| true), None);
    }

    #[test]
    fn timers_and_jobs_of_a_case_keep_their_order() {
        // Thirty-two jobs of case 1, two at a time; its timer is due after the first two.
        let mut all = agenda((0..32).map(|minute| 10 + minute));
        assert_eq!(step(&mut all, &[timer(11, 1)]), Some(("jobs", 10, 1)), "the second comes after the timer");
        assert_eq!(step(&mut all, &[timer(11, 1)]), Some(("timers", 11, 0)));
        assert_eq!(step(&mut all, &[timer(11, 2), timer(12, 2)]), Some(("timers", 11, 0)));
        assert_eq!(step(&mut all, &[timer(12, 2)]), Some(("jobs", 11, 2)), "another case's timer is no matter");
        assert_eq!(step(&mut agenda([]), &[]), None);
    }

    #[test]
    fn many_timers_fire_together_but_not_past_a_job_of_theirs() {
        let timers: Vec<Timer> = (0..64).map(|minute| timer(minute, minute)).collect();
        assert_eq!(step(&mut agenda([]), &timers), Some(("timers", 3, 0)));
        let mut with_job = Agenda::default();
        with_job.add(job(2, 0), 1, Time(0));
        assert_eq!(step(&mut with_job, &timers), Some(("timers", 1, 0)));
    }
}
