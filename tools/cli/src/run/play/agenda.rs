//! Who will be done with what, and when.

use std::collections::BTreeMap;

use actum::{ActorId, CaseId, ItemId, Time, Value, WorkRow};
use actum_model::TaskIx;

use super::outcome::Outcome;

const MINUTE: u64 = 60_000_000_000;
/// Of the work under way, at least this part is ended at a time, so that a run takes few blocks.
const SHARE: usize = 16;
/// Work that is due this much later is not ended at the same time.
const WINDOW: u64 = 60 * MINUTE;

/// Work that somebody has begun.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Job {
    pub(super) case: CaseId,
    pub(super) item: ItemId,
    pub(super) task: TaskIx,
    pub(super) actor: ActorId,
    pub(super) result: Value,
}

/// Work under way, by when it is done.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeMap<(Time, CaseId, ItemId), Job>);

impl Agenda {
    /// Somebody began an item at a time.
    pub(super) fn add(&mut self, row: &WorkRow, actor: ActorId, outcome: Outcome, began: Time) {
        let due = Time(began.0.saturating_add(u64::from(outcome.minutes) * MINUTE));
        let job = Job { case: row.case, item: row.item, task: row.task, actor, result: outcome.result };
        self.0.insert((due, row.case, row.item), job);
    }

    /// What is done next, and the time when all of it is. One item with all others of that time when little is under
    /// way; more, within an hour, when much is.
    pub(super) fn next(&mut self) -> Option<(Time, Vec<Job>)> {
        let ((first, ..), _) = self.0.first_key_value()?;
        let latest = first.0.saturating_add(WINDOW);
        let least = self.0.len().div_ceil(SHARE);
        let mut time = *first;
        let mut jobs = Vec::new();
        while let Some(entry) = self.0.first_entry() {
            let (due, ..) = *entry.key();
            if due.0 > latest || (jobs.len() >= least && due > time) {
                break;
            }
            time = due;
            jobs.push(entry.remove());
        }
        Some((time, jobs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agenda(minutes: impl IntoIterator<Item = u64>) -> Agenda {
        let job = |item| Job { case: CaseId(1), item, task: TaskIx(0), actor: ActorId(1), result: Value::Null };
        let entries = minutes
            .into_iter()
            .zip(0..)
            .map(|(minute, item)| ((Time(minute * MINUTE), CaseId(1), ItemId(item)), job(ItemId(item))));
        Agenda(entries.collect())
    }

    fn steps(mut agenda: Agenda) -> Vec<(u64, usize)> {
        std::iter::from_fn(|| agenda.next()).map(|(time, jobs)| (time.0 / MINUTE, jobs.len())).collect()
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
}
