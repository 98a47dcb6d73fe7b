//! A token bucket, as the generic cell rate algorithm (ITU-T I.371): one number instead of tokens that are refilled.

use actum_model::Time;

/// Lets so many calls through in a time, and so many at once after a rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    /// Nanoseconds between two calls at the full rate.
    interval: u64,
    /// How much earlier than that a call may come.
    tolerance: u64,
    /// When the next call would come if all came at the full rate.
    next: u64,
}

impl Bucket {
    /// An empty one: what was let through before the engine was opened is not known, and counts as a whole burst.
    pub(super) fn empty(calls: u32, per_ns: u64, burst: u32, now: Time) -> Self {
        let interval = (per_ns / u64::from(calls.max(1))).max(1);
        let tolerance = interval.saturating_mul(u64::from(burst.max(1)) - 1);
        Bucket { interval, tolerance, next: now.0.saturating_add(tolerance) }
    }

    /// One that was never used.
    pub(super) fn full(calls: u32, per_ns: u64, burst: u32) -> Self {
        Bucket { next: 0, ..Self::empty(calls, per_ns, burst, Time(0)) }
    }

    /// When a call may come; not after `now` means now.
    pub(super) fn ready_at(&self) -> Time {
        Time(self.next.saturating_sub(self.tolerance))
    }

    /// Lets a call through.
    pub(super) fn take(&mut self, now: Time) {
        self.next = self.next.max(now.0).saturating_add(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many calls come through until each time, if there are always more.
    fn through(mut bucket: Bucket, times: &[u64]) -> Vec<u32> {
        let mut count = 0;
        let mut counts = Vec::new();
        for time in times {
            while bucket.ready_at() <= Time(*time) {
                bucket.take(Time(*time));
                count += 1;
            }
            counts.push(count);
        }
        counts
    }

    #[test]
    fn a_burst_comes_at_once_and_then_the_rate() {
        assert_eq!(through(Bucket::full(10, 1_000, 3), &[5_000, 5_050, 5_100, 5_200, 5_300]), [3, 3, 4, 5, 6]);
        assert_eq!(through(Bucket::full(1, 60, 1), &[100, 159, 160, 221]), [1, 1, 2, 3]);
    }

    #[test]
    fn after_a_rest_there_is_one_burst_and_not_more() {
        assert_eq!(through(Bucket::full(10, 1_000, 3), &[0, 1_000_000]), [3, 6]);
    }

    #[test]
    fn one_that_was_just_opened_begins_with_nothing_saved() {
        assert_eq!(through(Bucket::empty(10, 1_000, 3, Time(7_000)), &[7_000, 7_100]), [1, 2]);
    }

    #[test]
    fn extreme_numbers_do_no_harm() {
        let mut bucket = Bucket::empty(u32::MAX, 1, u32::MAX, Time(u64::MAX));
        bucket.take(Time(u64::MAX));
        assert!(bucket.ready_at() <= Time(u64::MAX));
    }
}
