//! A hierarchical timing wheel: timers in slots by the digits of their time, so that setting and cancelling one takes the same
//! few steps however many there are (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 7).
//!
//! Time is counted in ticks of 2^20 ns (about a millisecond), in digits of six bits. A timer lies in the wheel of the highest
//! digit in which its tick differs from now, in the slot of that digit; when that slot's time comes, its timers move to lower
//! wheels, at most seven times. Within a tick they fire by their exact time: what is due is sorted.
//!
//! Memory: 32 bytes a timer in chunks that are never copied, and 10 to 20 for the index by which it is cancelled. The index is in
//! parts, so that a part that grows holds nobody up for long, and keeps half of each hash: a part that grows, and a search that comes
//! upon another timer, need not look at timers elsewhere in memory.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};

use actum_model::{CaseId, ItemId, Time};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;
use rustc_hash::FxHasher;

use super::Timer;

/// Bits of nanoseconds in a tick.
const TICK_BITS: u32 = 20;
/// Bits of a digit.
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
/// Wheels: enough for every digit of a 64-bit time.
const LEVELS: usize = 8;
/// Timers in a chunk of memory.
const CHUNK_BITS: u32 = 12;
const CHUNK: usize = 1 << CHUNK_BITS;
/// Parts of the index.
const PARTS: usize = 256;

const NONE: u32 = u32::MAX;
/// In `previous`: the first of the slot whose number is in the other bits.
const FIRST: u32 = 1 << 31;
/// In `previous`: it is among the due.
const DUE: u32 = FIRST - 1;

#[derive(Debug, Clone, Copy)]
struct Entry {
    at: u64,
    case: u64,
    item: u32,
    previous: u32,
    next: u32,
}

/// Where a timer is, as its index knows it.
#[derive(Debug, Clone, Copy)]
struct Indexed {
    number: u32,
    hash: u32,
}

/// Timers in any number: setting and cancelling one takes the same few steps, also among ten million.
///
/// ```
/// use actum::{CaseId, ItemId, NextTimer, Time, Timer, TimerWheel};
/// let timer = Timer { at: Time(5_000_000), case: CaseId(1), item: ItemId(0) };
/// let mut wheel = TimerWheel::default();
/// wheel.set(timer);
/// assert!(matches!(wheel.next(Time(0)), Some(NextTimer::NotBefore(look)) if look <= timer.at));
/// assert_eq!(wheel.next(timer.at), Some(NextTimer::Timer(timer)));
/// assert!(wheel.cancel(&timer) && wheel.is_empty());
/// ```
pub struct TimerWheel {
    chunks: Vec<Box<[Entry]>>,
    /// First of the free entries, linked by `next`.
    free: u32,
    /// Entries that were ever used.
    used: u32,
    index: Vec<HashTable<Indexed>>,
    /// First entry of each slot.
    slots: Box<[u32; LEVELS * SLOTS]>,
    /// Which slots of each wheel hold something.
    occupied: [u64; LEVELS],
    /// All before this tick's end is due.
    tick: u64,
    due: BTreeSet<(Timer, u32)>,
    count: usize,
}

/// When something is to be looked at next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextTimer {
    /// This timer fires next, at its time.
    Timer(Timer),
    /// Nothing fires before this time; look again then.
    NotBefore(Time),
}

impl Default for TimerWheel {
    fn default() -> Self {
        TimerWheel {
            chunks: Vec::new(),
            free: NONE,
            used: 0,
            index: std::iter::repeat_with(HashTable::new).take(PARTS).collect(),
            slots: Box::new([NONE; LEVELS * SLOTS]),
            occupied: [0; LEVELS],
            tick: 0,
            due: BTreeSet::new(),
            count: 0,
        }
    }
}

impl std::fmt::Debug for TimerWheel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TimerWheel").field("count", &self.count).field("tick", &self.tick).finish_non_exhaustive()
    }
}

impl TimerWheel {
    /// How many are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// None is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Sets a timer; one that is set already stays as it is.
    pub fn set(&mut self, timer: Timer) {
        let (part, hash) = place_of(&timer);
        let number = self.next_entry();
        let TimerWheel { chunks, index, .. } = self;
        let is_it = |other: &Indexed| other.hash == hash && timer_of(&entry_of(chunks, other.number)) == timer;
        let Place::Vacant(place) = index[part].entry(spread(hash), is_it, |other| spread(other.hash)) else { return };
        place.insert(Indexed { number, hash });
        self.take_entry(number);
        *self.entry_mut(number) =
            Entry { at: timer.at.0, case: timer.case.0, item: timer.item.0, previous: NONE, next: NONE };
        self.count += 1;
        self.place(number);
    }

    /// Takes a timer away. False if it was not set.
    pub fn cancel(&mut self, timer: &Timer) -> bool {
        let (part, hash) = place_of(timer);
        let TimerWheel { chunks, index, .. } = self;
        let is_it = |other: &Indexed| other.hash == hash && timer_of(&entry_of(chunks, other.number)) == *timer;
        let Ok(found) = index[part].find_entry(spread(hash), is_it) else { return false };
        let (Indexed { number, .. }, _) = found.remove();
        self.unlink(number);
        self.release(number);
        true
    }

    /// What comes next. `now` is how far time has come: what is due by then is told at its exact time.
    pub fn next(&mut self, now: Time) -> Option<NextTimer> {
        self.advance(now.0 >> TICK_BITS);
        if let Some((timer, _)) = self.due.first() {
            return Some(NextTimer::Timer(*timer));
        }
        self.next_slot().map(|(level, slot)| NextTimer::NotBefore(Time(self.start_of(level, slot) << TICK_BITS)))
    }

    /// Timers in the order of their times, as long as `take` says that it wants more. Costs as much as what it goes through, and
    /// the slot in which it stops.
    pub fn in_order(&self, mut take: impl FnMut(Timer) -> bool) {
        if !self.due.iter().all(|(timer, _)| take(*timer)) {
            return;
        }
        for level in 0..LEVELS {
            let mut slots = self.occupied[level];
            while slots != 0 {
                let slot = slots.trailing_zeros() as usize;
                slots &= slots - 1;
                let mut timers = self.timers_of(level, slot);
                timers.sort_unstable();
                if !timers.into_iter().all(&mut take) {
                    return;
                }
            }
        }
    }

    fn timers_of(&self, level: usize, slot: usize) -> Vec<Timer> {
        let mut timers = Vec::new();
        let mut number = self.slots[level * SLOTS + slot];
        while number != NONE {
            let entry = entry_of(&self.chunks, number);
            timers.push(timer_of(&entry));
            number = entry.next;
        }
        timers
    }

    fn advance(&mut self, tick: u64) {
        while self.tick < tick {
            let Some((level, slot)) = self.next_slot().filter(|(level, slot)| self.start_of(*level, *slot) <= tick)
            else {
                // Nothing lies before: every timer keeps its slot, as seen from there.
                self.tick = tick;
                return;
            };
            self.tick = self.start_of(level, slot);
            let mut number = std::mem::replace(&mut self.slots[level * SLOTS + slot], NONE);
            self.occupied[level] &= !(1 << slot);
            while number != NONE {
                let next = entry_of(&self.chunks, number).next;
                self.place(number);
                number = next;
            }
        }
    }

    /// The slot whose time comes first. Lower wheels come before higher ones, and every slot that holds something lies ahead.
    fn next_slot(&self) -> Option<(usize, usize)> {
        let level = self.occupied.iter().position(|slots| *slots != 0)?;
        Some((level, self.occupied[level].trailing_zeros() as usize))
    }

    /// The tick at which a slot's time comes.
    fn start_of(&self, level: usize, slot: usize) -> u64 {
        let shift = DIGIT_BITS * level as u32;
        let above = (self.tick >> shift) & !(SLOTS as u64 - 1);
        (above | slot as u64) << shift
    }

    /// Puts an entry where it belongs, as seen from now.
    fn place(&mut self, number: u32) {
        let entry = entry_of(&self.chunks, number);
        let tick = entry.at >> TICK_BITS;
        if tick <= self.tick {
            self.due.insert((timer_of(&entry), number));
            self.entry_mut(number).previous = DUE;
            return;
        }
        let level = (tick ^ self.tick).ilog2() / DIGIT_BITS;
        let slot = (tick >> (DIGIT_BITS * level)) as usize & (SLOTS - 1);
        let level = level as usize;
        let place = level * SLOTS + slot;
        let first = std::mem::replace(&mut self.slots[place], number);
        self.occupied[level] |= 1 << slot;
        let entry = self.entry_mut(number);
        entry.previous = FIRST | place as u32;
        entry.next = first;
        if first != NONE {
            self.entry_mut(first).previous = number;
        }
    }

    fn unlink(&mut self, number: u32) {
        let entry = entry_of(&self.chunks, number);
        if entry.previous == DUE {
            self.due.remove(&(timer_of(&entry), number));
            return;
        }
        if entry.next != NONE {
            self.entry_mut(entry.next).previous = entry.previous;
        }
        if entry.previous & FIRST == 0 {
            self.entry_mut(entry.previous).next = entry.next;
            return;
        }
        let place = (entry.previous & !FIRST) as usize;
        self.slots[place] = entry.next;
        if entry.next == NONE {
            self.occupied[place / SLOTS] &= !(1 << (place % SLOTS));
        }
    }

    /// The entry that is taken next.
    fn next_entry(&self) -> u32 {
        if self.free == NONE { self.used } else { self.free }
    }

    fn take_entry(&mut self, number: u32) {
        if self.free != NONE {
            self.free = entry_of(&self.chunks, number).next;
            return;
        }
        // More than 2^31 timers are more than memory holds.
        assert!(number < DUE, "too many timers");
        if number as usize >= self.chunks.len() << CHUNK_BITS {
            let empty = Entry { at: 0, case: 0, item: 0, previous: NONE, next: NONE };
            self.chunks.push(vec![empty; CHUNK].into_boxed_slice());
        }
        self.used += 1;
    }

    fn release(&mut self, number: u32) {
        self.entry_mut(number).next = self.free;
        self.free = number;
        self.count -= 1;
    }

    fn entry_mut(&mut self, number: u32) -> &mut Entry {
        &mut self.chunks[(number >> CHUNK_BITS) as usize][number as usize & (CHUNK - 1)]
    }
}

fn entry_of(chunks: &[Box<[Entry]>], number: u32) -> Entry {
    chunks[(number >> CHUNK_BITS) as usize][number as usize & (CHUNK - 1)]
}

fn timer_of(entry: &Entry) -> Timer {
    Timer { at: Time(entry.at), case: CaseId(entry.case), item: ItemId(entry.item) }
}

/// The part of the index, and what it keeps of the hash.
fn place_of(timer: &Timer) -> (usize, u32) {
    let mut hasher = FxHasher::default();
    (timer.case.0, timer.item.0, timer.at.0).hash(&mut hasher);
    let hash = hasher.finish();
    (hash as usize % PARTS, (hash >> 32) as u32)
}

/// A table uses the highest and the lowest bits.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(at: u64, item: u32) -> Timer {
        Timer { at: Time(at), case: CaseId(u64::from(item) % 7), item: ItemId(item) }
    }

    /// All that is set, in order.
    fn listed(wheel: &TimerWheel) -> Vec<Timer> {
        let mut timers = Vec::new();
        wheel.in_order(|timer| {
            timers.push(timer);
            true
        });
        timers
    }

    /// Goes on from look to look until nothing is left.
    fn drain(wheel: &mut TimerWheel, mut now: u64) -> Vec<Timer> {
        let mut fired = Vec::new();
        let mut looks = 0;
        while let Some(next) = wheel.next(Time(now)) {
            looks += 1;
            assert!(looks < 10 * (fired.len() + wheel.len() + 1), "it looks in vain");
            match next {
                NextTimer::Timer(timer) if timer.at.0 <= now => {
                    assert!(wheel.cancel(&timer));
                    fired.push(timer);
                }
                NextTimer::Timer(Timer { at, .. }) | NextTimer::NotBefore(at) => {
                    assert!(at.0 > now);
                    now = at.0;
                }
            }
        }
        fired
    }

    #[test]
    fn they_fire_in_the_order_of_their_exact_times() {
        let mut wheel = TimerWheel::default();
        let times = [5, 4, 1 << 20, (1 << 20) + 1, 1 << 26, (1 << 26) + 3, 1 << 40, 1 << 63, u64::MAX, 0];
        for (item, at) in times.into_iter().enumerate() {
            wheel.set(timer(at, item as u32));
            wheel.set(timer(at, item as u32));
        }
        assert_eq!(wheel.len(), times.len(), "one that is set again is one");
        let mut sorted: Vec<Timer> = listed(&wheel);
        let listed = sorted.clone();
        sorted.sort_unstable();
        assert_eq!(listed, sorted);
        assert_eq!(drain(&mut wheel, 0), sorted);
        assert_eq!((wheel.len(), wheel.next(Time(u64::MAX))), (0, None));
    }

    /// Against an ordered set, with a generator of its own: what is set, cancelled, looked at and fired in any order.
    #[test]
    fn it_does_what_an_ordered_set_does() {
        for seed in 1..=20_u64 {
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut random = |below: u64| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state % below
            };
            let (mut wheel, mut set, mut now) = (TimerWheel::default(), BTreeSet::new(), 0_u64);
            for step in 0..2_000 {
                match random(10) {
                    0..=4 => {
                        let span = 1 << (1 + random(50));
                        let one = timer(now.saturating_sub(1 << 21) + random(span), random(200) as u32);
                        wheel.set(one);
                        set.insert(one);
                    }
                    5..=6 => {
                        let nth = random(1 + set.len() as u64) as usize;
                        if let Some(one) = set.iter().nth(nth).copied() {
                            assert!(set.remove(&one) && wheel.cancel(&one));
                        }
                        assert!(!wheel.cancel(&timer(random(1 << 40), 999)));
                    }
                    _ => now += 1 << random(45),
                }
                let due = set.first().copied().filter(|first: &Timer| first.at.0 <= now);
                match wheel.next(Time(now)) {
                    None => assert!(set.is_empty(), "seed {seed}, step {step}"),
                    Some(NextTimer::Timer(first)) => assert_eq!(Some(&first), set.first(), "seed {seed}, step {step}"),
                    Some(NextTimer::NotBefore(at)) => {
                        assert!(due.is_none() && set.first().is_some_and(|first| at <= first.at && at.0 > now));
                    }
                }
                if let Some(due) = due {
                    set.remove(&due);
                    assert!(wheel.cancel(&due));
                }
                assert_eq!(wheel.len(), set.len());
            }
            assert_eq!(listed(&wheel), set.iter().copied().collect::<Vec<_>>(), "seed {seed}");
            assert_eq!(drain(&mut wheel, now), set.into_iter().collect::<Vec<_>>(), "seed {seed}");
        }
    }
}
