//! What everybody may read: only what is durable.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use actum_model::{CaseEvent, CaseId, CaseStatus, Directory, NetHash};
use actum_net::{Net, Resourcing, Work};
use actum_projections::{Cases, Projection, Recorded, Waits, Worklist};

use tokio::sync::oneshot;

use crate::request::Update;

/// The read side.
#[derive(Debug, Default)]
pub(crate) struct Views {
    pub(crate) cases: Cases,
    pub(crate) worklist: Worklist,
    pub(crate) waits: Waits,
    directory: RwLock<Directory>,
    nets: RwLock<HashMap<NetHash, Arc<Net>>>,
    waiting: Mutex<Waiting>,
}

/// Whether an event leaves an item waiting for a signal, a time, or for somebody to say who is asked to do it.
pub(crate) fn waits(net: &Net, event: &CaseEvent) -> bool {
    let (task, begins) = match event {
        CaseEvent::WorkEnabled { task, instance, .. } => (task, instance.is_none()),
        CaseEvent::WorkPutBack { task, .. } => (task, false),
        _ => return false,
    };
    let Some(task) = net.tasks.get(task.index()) else { return false };
    let waits = match &task.work {
        Work::Wait(_) => true,
        // Work for a role as a whole is offered at once.
        Work::Manual { role: Some(_), resourcing, .. } if *resourcing == Resourcing::default() => false,
        Work::Manual { resourcing, .. } => resourcing.open_role().is_none(),
        _ => false,
    };
    waits || (begins && task.trigger.is_some())
}

/// Who wants to be told of a case's end.
#[derive(Debug, Default)]
struct Waiting {
    by_case: HashMap<CaseId, Vec<oneshot::Sender<()>>>,
    /// No case will change any more.
    over: bool,
}

impl Views {
    pub(crate) fn apply(&self, update: &Update) {
        match update {
            Update::Case { case, net, key, waits, meta, event } => {
                let (key, waits) = (key.as_deref(), *waits);
                self.apply_case(&Recorded { case: *case, net: *net, key, waits, meta, event });
            }
            Update::Net(net) => self.add_net(net.clone()),
            Update::System { seq, event } => {
                self.directory.write().unwrap_or_else(PoisonError::into_inner).apply_at(*seq, event);
            }
        }
    }

    pub(crate) fn apply_case(&self, recorded: &Recorded<'_>) {
        self.cases.apply(recorded);
        self.worklist.apply(recorded);
        self.waits.apply(recorded);
        if recorded.event.is_terminal() || matches!(recorded.event, CaseEvent::CaseDeadlocked) {
            let told = self.waiting().by_case.remove(&recorded.case);
            // Whoever gave up waiting is not told.
            told.into_iter().flatten().for_each(|waits| waits.send(()).unwrap_or_default());
        }
    }

    /// Told when the case ends, or dropped when it never will. `None` when there is nothing to wait for: the case is not
    /// open, or the engine has ended.
    pub(crate) fn wait_for_end(&self, case: CaseId) -> Option<oneshot::Receiver<()>> {
        let mut waiting = self.waiting();
        // A case's row changes before this lock is taken to tell of its end.
        let is_open = self.cases.get(case).is_some_and(|row| row.status == CaseStatus::Open);
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
