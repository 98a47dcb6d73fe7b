//! The event bus: what becomes durable, as it happens, for those who want to know at once and can bear to miss something.
//!
//! Whoever may miss nothing follows the log instead ([`crate::Engine::subscribe`]), which waits for the slowest.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use actum_model::{CaseId, Event, Meta, NetHash};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::engine::Engine;
use crate::request::Update;

/// Events that wait for one watcher at most, whatever it asks for.
const CAPACITY_MAX: usize = 1 << 20;

/// Something that is durable.
#[derive(Debug, Clone, PartialEq)]
pub struct Happened {
    /// The case, if it is about one.
    pub case: Option<CaseId>,
    /// The net of the case.
    pub net: Option<NetHash>,
    /// The partition that `meta.seq` is a position in.
    pub partition: u16,
    /// Where, when, by whom.
    pub meta: Meta,
    /// What.
    pub event: Event,
}

/// What a watcher is told.
#[derive(Debug, Clone)]
pub enum Notice {
    /// Something happened that it is interested in.
    Happened(Arc<Happened>),
    /// It was too slow: so many events that it is interested in were not kept for it, here.
    Missed(u64),
}

type Interest = Box<dyn Fn(&Happened) -> bool + Send + Sync>;

struct Watcher {
    interest: Interest,
    queue: mpsc::Sender<(u64, Arc<Happened>)>,
    /// Since the last one that found room.
    missed: Arc<AtomicU64>,
}

/// Who watches.
#[derive(Default)]
pub(crate) struct Bus {
    watchers: RwLock<Vec<Watcher>>,
    /// Most engines have none: then events are not even copied.
    len: AtomicUsize,
}

impl Bus {
    /// Tells whoever is interested. Waits for nobody.
    pub(crate) fn publish(&self, partition: u16, updates: &[Update]) {
        if self.len.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut gone = false;
        let watchers = self.watchers.read().unwrap_or_else(PoisonError::into_inner);
        for happened in updates.iter().filter_map(|update| happened(partition, update)).map(Arc::new) {
            for watcher in watchers.iter() {
                gone |= !watcher.tell(&happened);
            }
        }
        drop(watchers);
        if gone {
            let mut watchers = self.watchers.write().unwrap_or_else(PoisonError::into_inner);
            watchers.retain(|watcher| !watcher.queue.is_closed());
            self.len.store(watchers.len(), Ordering::Release);
        }
    }

    /// Nothing will happen any more.
    pub(crate) fn end(&self) {
        self.watchers.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.len.store(0, Ordering::Release);
    }

    fn watch(&self, capacity: usize, interest: Interest) -> Watch {
        let (queue, events) = mpsc::channel(capacity.clamp(1, CAPACITY_MAX));
        let missed = Arc::new(AtomicU64::new(0));
        let mut watchers = self.watchers.write().unwrap_or_else(PoisonError::into_inner);
        watchers.push(Watcher { interest, queue, missed: missed.clone() });
        self.len.store(watchers.len(), Ordering::Release);
        Watch { events, missed, next: None }
    }
}

impl Watcher {
    /// False if nobody listens any more.
    fn tell(&self, happened: &Arc<Happened>) -> bool {
        if !(self.interest)(happened) {
            return true;
        }
        // Only the publishing thread changes the count upwards, so what it reads here is what goes with the event.
        let missed = self.missed.swap(0, Ordering::AcqRel);
        match self.queue.try_send((missed, happened.clone())) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.missed.fetch_add(missed + 1, Ordering::AcqRel);
                true
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }
}

fn happened(partition: u16, update: &Update) -> Option<Happened> {
    match update {
        Update::Case { case, net, meta, event, .. } => {
            let event = Event::Case(event.clone());
            Some(Happened { case: Some(*case), net: Some(*net), partition, meta: *meta, event })
        }
        Update::System { meta, event, .. } => {
            let event = Event::System(event.clone());
            Some(Happened { case: None, net: None, partition, meta: *meta, event })
        }
        Update::Net(_) => None,
    }
}

/// Events as they become durable. Dropping it ends the watching.
pub struct Watch {
    events: mpsc::Receiver<(u64, Arc<Happened>)>,
    missed: Arc<AtomicU64>,
    /// Comes after the notice that some were missed before it.
    next: Option<Arc<Happened>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("waiting", &self.events.len()).finish_non_exhaustive()
    }
}

impl Watch {
    /// The next notice; `None` once the engine has ended and everything was told. Cancel-safe: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Notice> {
        if let Some(happened) = self.next.take() {
            return Some(Notice::Happened(happened));
        }
        // What was missed after the last event that found room is told as soon as that one was taken.
        if self.events.is_empty()
            && let Some(missed) = self.missed()
        {
            return Some(missed);
        }
        let Some((missed, happened)) = self.events.recv().await else { return self.missed() };
        if missed == 0 {
            return Some(Notice::Happened(happened));
        }
        self.next = Some(happened);
        Some(Notice::Missed(missed))
    }
}

impl Watch {
    fn missed(&self) -> Option<Notice> {
        let missed = self.missed.swap(0, Ordering::AcqRel);
        (missed > 0).then_some(Notice::Missed(missed))
    }
}

impl Engine {
    /// Watches what becomes durable from now on, as far as `interest` says yes; at most `capacity` events wait for the watcher. One
    /// that is too slow holds nothing up: it is told how many it missed. `interest` is asked on the engine's publishing thread, so
    /// it must be quick.
    #[must_use]
    pub fn watch(&self, capacity: usize, interest: impl Fn(&Happened) -> bool + Send + Sync + 'static) -> Watch {
        self.inner.bus.watch(capacity, Box::new(interest))
    }
}
