//! What happened when, in buckets of equal width.

use std::collections::BTreeMap;

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{self, Reader};
use actum_model::{CaseEvent, Time};

use crate::{Fact, Recorded};

/// Width of a bucket as long as there are few, in nanoseconds: a minute.
const WIDTH_NS: u64 = 60_000_000_000;
/// Buckets at most: eleven days of busy minutes, or years in wider ones. With more, neighbours become one, twice as wide.
const BUCKETS_MAX: usize = 16_384;

/// What happened in a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bucket {
    /// When it begins.
    pub from: Time,
    /// Events, those of the system among them.
    pub events: u64,
    /// Cases begun.
    pub cases_started: u64,
    /// Cases ended, however.
    pub cases_ended: u64,
    /// Items done.
    pub work_completed: u64,
}

/// Throughput over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throughput {
    /// How wide each bucket is, in nanoseconds.
    pub width_ns: u64,
    /// Ascending; empty ones are left out.
    pub buckets: Vec<Bucket>,
}

type Counts = [u64; 4];

/// Buckets that are as wide as they must be for not being too many: which width that is does not depend on the order of events,
/// as no set of events takes fewer buckets than a part of it.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// The width was doubled so often.
    doubled: u32,
    buckets: BTreeMap<u64, Counts>,
}

impl Series {
    pub(super) fn add(&mut self, batch: &[Recorded<'_>]) {
        // Events that follow each other are mostly of the same minute.
        let mut open: (u64, Counts) = (0, [0; 4]);
        for recorded in batch {
            let minute = recorded.meta.time.0 / WIDTH_NS;
            if minute != open.0 {
                self.add_to(open.0, &open.1);
                open = (minute, [0; 4]);
            }
            open.1[0] += 1;
            if let Fact::Case(of) = recorded.fact {
                match of.event {
                    CaseEvent::CaseStarted { .. } => open.1[1] += 1,
                    CaseEvent::WorkCompleted { .. } => open.1[3] += 1,
                    ended if ended.is_terminal() => open.1[2] += 1,
                    _ => {}
                }
            }
        }
        self.add_to(open.0, &open.1);
    }

    fn add_to(&mut self, minute: u64, counts: &Counts) {
        if counts[0] == 0 {
            return;
        }
        add(self.buckets.entry(minute >> self.doubled).or_default(), counts);
        while self.buckets.len() > BUCKETS_MAX {
            self.doubled += 1;
            for (bucket, counts) in std::mem::take(&mut self.buckets) {
                add(self.buckets.entry(bucket >> 1).or_default(), &counts);
            }
        }
    }

    pub(super) fn between(&self, from: Time, until: Time) -> Throughput {
        let first = (from.0 / WIDTH_NS) >> self.doubled;
        let last = (until.0.saturating_sub(1) / WIDTH_NS) >> self.doubled;
        let shown = |(bucket, counts): (&u64, &Counts)| Bucket {
            from: Time((bucket << self.doubled).saturating_mul(WIDTH_NS)),
            events: counts[0],
            cases_started: counts[1],
            cases_ended: counts[2],
            work_completed: counts[3],
        };
        let buckets = if first <= last && from < until {
            self.buckets.range(first..=last).map(shown).collect()
        } else {
            Vec::new()
        };
        Throughput { width_ns: WIDTH_NS << self.doubled, buckets }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        wire::put(out, u64::from(self.doubled));
        let buckets: Vec<(&u64, &Counts)> = self.buckets.iter().collect();
        wire::put_list(out, &buckets, |out, (bucket, counts)| {
            wire::put(out, **bucket);
            counts.iter().for_each(|count| wire::put(out, *count));
        });
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, SnapshotError> {
        // More doublings, and one bucket would hold all time.
        let doubled = from.small().ok().filter(|doubled| *doubled <= WIDTH_NS.leading_zeros());
        let doubled = doubled.ok_or(SnapshotError::NotCanonical("a width"))?;
        let buckets = from.list(|from| {
            let bucket = from.number()?;
            Ok((bucket, [from.number()?, from.number()?, from.number()?, from.number()?]))
        })?;
        wire::ascending(&buckets, |(bucket, _)| *bucket, "buckets")?;
        let latest = (u64::MAX / WIDTH_NS) >> doubled;
        if buckets.len() > BUCKETS_MAX || buckets.last().is_some_and(|(bucket, _)| *bucket > latest) {
            return Err(SnapshotError::NotCanonical("buckets"));
        }
        Ok(Series { doubled, buckets: buckets.into_iter().collect() })
    }
}

fn add(to: &mut Counts, counts: &Counts) {
    to.iter_mut().zip(counts).for_each(|(own, count)| *own = own.saturating_add(*count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_widen_to_the_same_whatever_the_order() {
        let minutes: Vec<u64> = (0..3 * BUCKETS_MAX as u64).map(|minute| minute * 7 % 100_000).collect();
        let of = |minutes: &mut dyn Iterator<Item = u64>| {
            let mut series = Series::default();
            minutes.for_each(|minute| series.add_to(minute, &[1, 0, 0, 0]));
            let mut out = Vec::new();
            series.put(&mut out);
            (series.doubled, series.buckets.len(), out)
        };
        let ahead = of(&mut minutes.iter().copied());
        assert_eq!(of(&mut minutes.iter().rev().copied()), ahead);
        assert!(ahead.0 > 0 && ahead.1 <= BUCKETS_MAX, "{}", ahead.0);
    }
}
