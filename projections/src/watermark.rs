//! Up to where an answer is true, and waiting for it.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use actum_model::Seq;

/// The number of events that a projection has taken in.
#[derive(Default)]
pub struct Watermark {
    /// Events up to here are being taken in.
    begun: AtomicU64,
    /// Events up to here are taken in.
    reached: AtomicU64,
    /// Who waits, whether in `waiting` or on `moved`: mostly nobody, and then reaching further takes no lock.
    waiters: AtomicUsize,
    waiting: Mutex<Waiting>,
    moved: Condvar,
}

type Tell = Box<dyn FnOnce(bool) + Send>;

#[derive(Default)]
struct Waiting {
    /// Number of events that each waits for.
    told: Vec<(u64, Tell)>,
    /// It will move no more.
    over: bool,
}

/// An answer and up to where it is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered<T> {
    /// The answer.
    pub value: T,
    /// All up to this event is in it; `None`: before the first.
    pub seq: Option<Seq>,
    /// Nothing after this event is in it. As `seq`, unless events were taken in meanwhile.
    pub until: Option<Seq>,
}

/// So often an answer is asked for anew when events came in between.
const ASK_AGAIN_MAX: usize = 4;

impl Watermark {
    /// Events up to `seq` are about to be taken in.
    pub fn begin(&self, seq: Seq) {
        self.begun.fetch_max(seq.0.saturating_add(1), Ordering::SeqCst);
    }

    /// Everything up to and with `seq` has been taken in.
    pub fn reach(&self, seq: Seq) {
        let count = seq.0.saturating_add(1);
        self.begun.fetch_max(count, Ordering::SeqCst);
        self.reached.fetch_max(count, Ordering::SeqCst);
        // Whoever begins to wait counts itself first and looks at `reached` after that.
        if self.waiters.load(Ordering::SeqCst) > 0 {
            self.tell(|reached, waits_for| waits_for <= reached);
        }
    }

    /// It will move no more, because what it is the watermark of is fed no more: who waits is let go.
    pub fn end(&self) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.tell(|_, _| true);
    }

    /// The newest event taken in, if any.
    pub fn seq(&self) -> Option<Seq> {
        self.reached.load(Ordering::SeqCst).checked_sub(1).map(Seq)
    }

    /// Asks, and says up to where the answer is true. Asks anew, a few times, when events came in between.
    pub fn answer<T>(&self, ask: impl Fn() -> T) -> Answered<T> {
        let mut asked = 0;
        loop {
            let seq = self.seq();
            let value = ask();
            let until = self.begun.load(Ordering::SeqCst).checked_sub(1).map(Seq);
            asked += 1;
            if seq == until || asked == ASK_AGAIN_MAX {
                return Answered { value, seq, until };
            }
        }
    }

    /// Waits until `seq` has been taken in, at most so long. False when that time is over, or the projection is fed no more.
    /// Blocks the thread: not for async code, which has [`Watermark::when`].
    pub fn wait_until(&self, seq: Seq, at_most: Duration) -> bool {
        let count = seq.0.saturating_add(1);
        self.waiters.fetch_add(1, Ordering::SeqCst);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let not_yet = |waiting: &mut Waiting| self.reached.load(Ordering::SeqCst) < count && !waiting.over;
        let waited = self.moved.wait_timeout_while(waiting, at_most, not_yet);
        drop(waited);
        self.waiters.fetch_sub(1, Ordering::SeqCst);
        self.reached.load(Ordering::SeqCst) >= count
    }

    /// Calls `tell` once: with true as soon as `seq` has been taken in, perhaps now; with false when that will never be. On the
    /// feeding thread, so it must be short.
    pub fn when(&self, seq: Seq, tell: impl FnOnce(bool) + Send + 'static) {
        let count = seq.0.saturating_add(1);
        self.waiters.fetch_add(1, Ordering::SeqCst);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = self.reached.load(Ordering::SeqCst) >= count;
        if reached || waiting.over {
            drop(waiting);
            self.waiters.fetch_sub(1, Ordering::SeqCst);
            tell(reached);
        } else {
            waiting.told.push((count, Box::new(tell)));
        }
    }

    /// Tells those whose time it is.
    fn tell(&self, is_time: impl Fn(u64, u64) -> bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = self.reached.load(Ordering::SeqCst);
        let told: Vec<(u64, Tell)> = waiting.told.extract_if(.., |(count, _)| is_time(reached, *count)).collect();
        drop(waiting);
        self.moved.notify_all();
        self.waiters.fetch_sub(told.len(), Ordering::SeqCst);
        told.into_iter().for_each(|(count, tell)| tell(count <= reached));
    }
}

impl fmt::Debug for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watermark").field("seq", &self.seq()).finish_non_exhaustive()
    }
}
