//! Promise: setting a timer takes at most 200 ns, with ten million pending; cancelling one likewise.
//!
//! Compared with, in the same run: an ordered set (`BTreeSet`) with the same timers in the same order.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use actum::{CaseId, ItemId, NextTimer, Time, Timer, TimerWheel};

/// Timers that are pending while others are set; another number by `ACTUM_BENCH_TIMERS`.
const PENDING: usize = 10_000_000;
/// Timers that are set, and then cancelled, on top of them.
const MORE: usize = 1_000_000;
/// They lie within so many nanoseconds: thirty days.
const SPAN: u64 = 30 * 24 * 3_600 * 1_000_000_000;

fn main() {
    let pending = std::env::var("ACTUM_BENCH_TIMERS").ok().and_then(|text| text.parse().ok()).unwrap_or(PENDING);
    println!("{pending} timers within 30 days; promise: at most 200 ns to set one, however many are pending");
    let (all, more) = (timers(pending, 0), timers(MORE, pending as u64));

    let before = resident();
    let mut wheel = TimerWheel::default();
    let (first, worst) = timed(&all, |timer| wheel.set(*timer));
    let bytes = resident().saturating_sub(before);
    println!("wheel: set, from none to {pending}:   {first:>6.0} ns each, the longest {worst:?}");
    let (set, worst) = timed(&more, |timer| wheel.set(*timer));
    println!("wheel: set, on top of them:           {set:>6.0} ns each, the longest {worst:?}");
    let (cancel, worst) = timed(&more, |timer| assert!(wheel.cancel(timer)));
    println!("wheel: cancel:                        {cancel:>6.0} ns each, the longest {worst:?}");
    println!("wheel: memory: {} MiB, {:.0} bytes a timer", bytes >> 20, bytes as f64 / pending as f64);
    let began = Instant::now();
    let fired = fire_all(&mut wheel);
    println!("wheel: fire all in order:             {:>6.0} ns each", nanos(began.elapsed(), fired));
    assert_eq!(fired, pending, "every timer fires once");

    println!("compared with");
    let before = resident();
    let mut set = BTreeSet::new();
    let (first, worst) = timed(&all, |timer| black_box(set.insert(*timer)));
    let bytes = resident().saturating_sub(before);
    println!("ordered set: set, from none:          {first:>6.0} ns each, the longest {worst:?}");
    let (more_set, worst) = timed(&more, |timer| black_box(set.insert(*timer)));
    println!("ordered set: set, on top of them:     {more_set:>6.0} ns each, the longest {worst:?}");
    let (cancelled, worst) = timed(&more, |timer| assert!(set.remove(timer)));
    println!("ordered set: cancel:                  {cancelled:>6.0} ns each, the longest {worst:?}");
    println!("ordered set: memory: {} MiB, {:.0} bytes a timer", bytes >> 20, bytes as f64 / pending as f64);
    let began = Instant::now();
    let fired = std::iter::from_fn(|| set.pop_first()).count();
    println!("ordered set: fire all in order:       {:>6.0} ns each", nanos(began.elapsed(), fired));
}

fn timers(count: usize, seed: u64) -> Vec<Timer> {
    let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..count as u64)
        .map(|at| Timer { at: Time(random() % SPAN), case: CaseId(seed + at + 1), item: ItemId((at % 5) as u32) })
        .collect()
}

/// Nanoseconds each, and the longest of a thousand at a time, each.
fn timed<R>(timers: &[Timer], mut each: impl FnMut(&Timer) -> R) -> (f64, Duration) {
    let mut longest = Duration::ZERO;
    let began = Instant::now();
    for some in timers.chunks(1_000) {
        let began = Instant::now();
        for timer in some {
            black_box(each(timer));
        }
        longest = longest.max(began.elapsed());
    }
    (nanos(began.elapsed(), timers.len()), longest)
}

fn fire_all(wheel: &mut TimerWheel) -> usize {
    let (mut now, mut fired, mut last) = (Time(0), 0, Time(0));
    while let Some(next) = wheel.next(now) {
        match next {
            NextTimer::Timer(timer) if timer.at <= now => {
                assert!(timer.at >= last, "in order");
                last = timer.at;
                wheel.cancel(&timer);
                fired += 1;
            }
            NextTimer::Timer(Timer { at, .. }) | NextTimer::NotBefore(at) => now = at,
        }
    }
    fired
}

fn nanos(time: Duration, count: usize) -> f64 {
    time.as_nanos() as f64 / count.max(1) as f64
}

/// Bytes of memory that the process holds; 0 where that cannot be read.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}
