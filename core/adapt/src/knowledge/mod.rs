//! How long work waits and takes, and how it ends.

mod fold;
mod open;
mod saved;

use actum_model::{ActorId, CaseId, NetHash, TaskIx};
use dashmap::DashMap;
use rustc_hash::FxBuildHasher;

use crate::Sketch;
use open::OpenCase;

/// How long work waits and takes, in nanoseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timings {
    /// From when an item became possible to when it was begun, for each item that was begun. What was put back waits anew.
    pub waiting: Sketch,
    /// From when an item was begun, or tried again, to when it completed or failed, for each such end.
    pub working: Sketch,
}

/// How work ends, or does not: numbers of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Items done.
    pub completed: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Attempts that were made again.
    pub retried: u64,
    /// Timers that fired.
    pub timed_out: u64,
    /// Items passed over.
    pub skipped: u64,
    /// Items that were no longer possible.
    pub withdrawn: u64,
    /// Items that were stopped.
    pub cancelled: u64,
}

/// What is known of a task, or of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkKnowledge {
    /// How long it waits and takes.
    pub timings: Timings,
    /// How it ends.
    pub outcomes: Outcomes,
}

/// How cases end: numbers of events. One that was deadlocked and then cancelled counts as both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaseOutcomes {
    /// Cases begun.
    pub started: u64,
    /// At their end.
    pub completed: u64,
    /// Stopped.
    pub cancelled: u64,
    /// Given up.
    pub failed: u64,
    /// Stuck.
    pub deadlocked: u64,
}

/// What is known of a net's cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetKnowledge {
    /// From a case's first event to its last, in nanoseconds, for each that reached its end.
    pub duration: Sketch,
    /// How they end.
    pub outcomes: CaseOutcomes,
}

/// What was learnt from the log. Many may ask while one feeds; each answer is of one moment.
#[derive(Debug, Default)]
pub struct Knowledge {
    tasks: DashMap<(NetHash, TaskIx), WorkKnowledge, FxBuildHasher>,
    /// People and machines; not the engine itself.
    resources: DashMap<ActorId, WorkKnowledge, FxBuildHasher>,
    nets: DashMap<NetHash, NetKnowledge, FxBuildHasher>,
    /// Work that is not over.
    open: DashMap<CaseId, OpenCase, FxBuildHasher>,
}

impl Knowledge {
    /// What is known of a task of a net; nothing yet: zeros.
    #[must_use]
    pub fn task(&self, net: NetHash, task: TaskIx) -> WorkKnowledge {
        self.tasks.get(&(net, task)).map(|known| known.clone()).unwrap_or_default()
    }

    /// What is known of who does work. Waiting counts from when an item became possible, whoever it was offered to.
    #[must_use]
    pub fn resource(&self, actor: ActorId) -> WorkKnowledge {
        self.resources.get(&actor).map(|known| known.clone()).unwrap_or_default()
    }

    /// What is known of a net's cases.
    #[must_use]
    pub fn net(&self, net: NetHash) -> NetKnowledge {
        self.nets.get(&net).map(|known| known.clone()).unwrap_or_default()
    }

    /// All of a net's work together: its tasks, merged.
    #[must_use]
    pub fn work_of_net(&self, net: NetHash) -> WorkKnowledge {
        let mut all = WorkKnowledge::default();
        self.tasks.iter().filter(|known| known.key().0 == net).for_each(|known| all.merge(&known));
        all
    }

    /// Tasks of which something is known, ascending.
    #[must_use]
    pub fn tasks(&self) -> Vec<(NetHash, TaskIx)> {
        sorted(self.tasks.iter().map(|known| *known.key()))
    }

    /// Resources of which something is known, ascending.
    #[must_use]
    pub fn resources(&self) -> Vec<ActorId> {
        sorted(self.resources.iter().map(|known| *known.key()))
    }

    /// Nets of which something is known, ascending.
    #[must_use]
    pub fn nets(&self) -> Vec<NetHash> {
        sorted(self.nets.iter().map(|known| *known.key()))
    }
}

impl WorkKnowledge {
    /// Adds what another knows.
    pub fn merge(&mut self, other: &WorkKnowledge) {
        self.timings.waiting.merge(&other.timings.waiting);
        self.timings.working.merge(&other.timings.working);
        self.outcomes
            .all_mut()
            .into_iter()
            .zip(other.outcomes.all())
            .for_each(|(own, count)| *own = own.saturating_add(count));
    }
}

impl Outcomes {
    fn all(&self) -> [u64; 7] {
        let Outcomes { completed, failed, retried, timed_out, skipped, withdrawn, cancelled } = *self;
        [completed, failed, retried, timed_out, skipped, withdrawn, cancelled]
    }

    fn all_mut(&mut self) -> [&mut u64; 7] {
        let Outcomes { completed, failed, retried, timed_out, skipped, withdrawn, cancelled } = self;
        [completed, failed, retried, timed_out, skipped, withdrawn, cancelled]
    }
}

impl CaseOutcomes {
    fn all(&self) -> [u64; 5] {
        let CaseOutcomes { started, completed, cancelled, failed, deadlocked } = *self;
        [started, completed, cancelled, failed, deadlocked]
    }

    fn all_mut(&mut self) -> [&mut u64; 5] {
        let CaseOutcomes { started, completed, cancelled, failed, deadlocked } = self;
        [started, completed, cancelled, failed, deadlocked]
    }
}

fn sorted<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<K> {
    let mut keys: Vec<K> = keys.collect();
    keys.sort_unstable();
    keys
}
