//! What everybody may read: only what is durable.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use actum_model::{CaseEvent, CaseId, Directory, NetHash};
use actum_net::Net;
use actum_projections::{Cases, Projection, Recorded, Worklist};

use tokio::sync::oneshot;

use crate::request::Update;

/// The read side.
#[derive(Debug, Default)]
pub(crate) struct Views {
    pub(crate) cases: Cases,
    pub(crate) worklist: Worklist,
    directory: RwLock<Directory>,
    nets: RwLock<HashMap<NetHash, Arc<Net>>>,
    /// Who wants to be told of a case's end.
    waiting: Mutex<HashMap<CaseId, Vec<oneshot::Sender<()>>>>,
}

impl Views {
    pub(crate) fn apply(&self, update: &Update) {
        match update {
            Update::Case { case, net, key, meta, event } => {
                self.apply_case(&Recorded { case: *case, net: *net, key: key.as_deref(), meta, event });
            }
            Update::System { event } => {
                self.directory.write().unwrap_or_else(PoisonError::into_inner).apply(event);
            }
        }
    }

    pub(crate) fn apply_case(&self, recorded: &Recorded<'_>) {
        self.cases.apply(recorded);
        self.worklist.apply(recorded);
        if recorded.event.is_terminal() || matches!(recorded.event, CaseEvent::CaseDeadlocked) {
            let told = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&recorded.case);
            // Whoever gave up waiting is not told.
            told.into_iter().flatten().for_each(|waits| waits.send(()).unwrap_or_default());
        }
    }

    /// Told when the case ends from now on.
    pub(crate) fn wait_for_end(&self, case: CaseId) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = waiting.entry(case).or_default();
        waits.retain(|other| !other.is_closed());
        waits.push(tell);
        told
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
