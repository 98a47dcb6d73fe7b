//! What everybody may read: only what is durable.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

pub(crate) use actum_kernel::waits;
use actum_model::{CaseEvent, CaseId, CaseStatus, Directory, NetHash};
use actum_net::Net;
use actum_projections::{
    Cases, DeadLetters, Fact, Factory, OfCase, Projection, Projections, Recorded, Waits, Worklist,
};

use tokio::sync::oneshot;

use crate::error::OpenError;
use crate::request::Update;

/// Events that are fed at once: enough that each projection finds its own rows in the processor's cache, few enough that the events
/// are still there for the next one.
const FEED_EVENTS_MAX: usize = 256;

/// The read side.
#[derive(Debug)]
pub(crate) struct Views {
    projections: Projections,
    /// Held while projections are fed, and while one is put in the place of another.
    feeding: Mutex<()>,
    directory: RwLock<Directory>,
    nets: RwLock<HashMap<NetHash, Arc<Net>>>,
    waiting: Mutex<Waiting>,
}

/// As projections see it, if it is an event.
fn recorded(update: &Update) -> Option<Recorded<'_>> {
    match update {
        Update::Case { case, net, key, waits, kind, meta, event } => {
            let of = OfCase { case: *case, net: *net, key: key.as_deref(), waits: *waits, event };
            Some(Recorded::of_case(*kind, meta, of))
        }
        Update::System { stream, kind, meta, event } => {
            Some(Recorded { stream: *stream, kind: *kind, meta, fact: Fact::System(event) })
        }
        Update::Net(_) => None,
    }
}

/// Who wants to be told of a case's end.
#[derive(Debug, Default)]
struct Waiting {
    by_case: HashMap<CaseId, Vec<oneshot::Sender<()>>>,
    /// No case will change any more.
    over: bool,
}

impl Views {
    /// With those that every engine has, and `own` ones.
    pub(crate) fn new(own: Vec<Factory>) -> Result<Self, OpenError> {
        let every = [
            Factory::new(Cases::default),
            Factory::new(Worklist::default),
            Factory::new(Waits::default),
            Factory::new(DeadLetters::default),
        ];
        let projections = Projections::new(every.into_iter().chain(own).collect())
            .map_err(|error| OpenError::Options(error.to_string()))?;
        Ok(Views {
            projections,
            feeding: Mutex::default(),
            directory: RwLock::default(),
            nets: RwLock::default(),
            waiting: Mutex::default(),
        })
    }

    pub(crate) fn projections(&self) -> &Projections {
        &self.projections
    }

    /// Takes in what became durable.
    pub(crate) fn take_in(&self, updates: &[Update]) {
        for update in updates {
            match update {
                Update::Case { .. } => {}
                Update::Net(net) => self.add_net(net.clone()),
                Update::System { meta, event, .. } => {
                    self.directory.write().unwrap_or_else(PoisonError::into_inner).apply_at(meta.seq, event);
                }
            }
        }
        let mut batch = Vec::with_capacity(updates.len().min(FEED_EVENTS_MAX));
        for updates in updates.chunks(FEED_EVENTS_MAX) {
            batch.extend(updates.iter().filter_map(recorded));
            self.feed(&batch);
            batch.clear();
        }
    }

    /// Feeds all projections, then tells who waits for a case's end.
    pub(crate) fn feed(&self, batch: &[Recorded<'_>]) {
        let feeding = self.hold_feeding();
        self.projections.feed(batch);
        drop(feeding);
        for of in batch.iter().filter_map(Recorded::case) {
            if of.event.is_terminal() || matches!(of.event, CaseEvent::CaseDeadlocked) {
                let told = self.waiting().by_case.remove(&of.case);
                // Whoever gave up waiting is not told.
                told.into_iter().flatten().for_each(|waits| waits.send(()).unwrap_or_default());
            }
        }
    }

    /// Nothing is fed as long as this is held.
    pub(crate) fn hold_feeding(&self) -> MutexGuard<'_, ()> {
        self.feeding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cases(&self) -> Arc<Cases> {
        self.built_in()
    }

    pub(crate) fn worklist(&self) -> Arc<Worklist> {
        self.built_in()
    }

    pub(crate) fn waits(&self) -> Arc<Waits> {
        self.built_in()
    }

    /// One of those that every engine has.
    fn built_in<P: Projection + Default>(&self) -> Arc<P> {
        self.projections.get().unwrap_or_default()
    }

    /// Told when the case ends, or dropped when it never will. `None` when there is nothing to wait for: the case is not
    /// open, or the engine has ended.
    pub(crate) fn wait_for_end(&self, case: CaseId) -> Option<oneshot::Receiver<()>> {
        let mut waiting = self.waiting();
        // A case's row changes before this lock is taken to tell of its end.
        let is_open = self.cases().get(case).is_some_and(|row| row.status == CaseStatus::Open);
        if waiting.over || !is_open {
            return None;
        }
        let (tell, told) = oneshot::channel();
        let waits = waiting.by_case.entry(case).or_default();
        waits.retain(|other| !other.is_closed());
        waits.push(tell);
        Some(told)
    }

    /// Nothing changes any more: who waits is let go.
    pub(crate) fn end(&self) {
        *self.waiting() = Waiting { by_case: HashMap::new(), over: true };
        self.projections.running().iter().for_each(|projection| projection.watermark().end());
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn directory(&self) -> RwLockReadGuard<'_, Directory> {
        self.directory.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_directory(&self, directory: Directory) {
        *self.directory.write().unwrap_or_else(PoisonError::into_inner) = directory;
    }

    pub(crate) fn net(&self, hash: NetHash) -> Option<Arc<Net>> {
        self.nets.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned()
    }

    pub(crate) fn add_net(&self, net: Arc<Net>) {
        self.nets.write().unwrap_or_else(PoisonError::into_inner).insert(net.hash, net);
    }

    pub(crate) fn nets(&self) -> Vec<Arc<Net>> {
        self.nets.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
