//! What strategies know, kept as events come: how people stand, and who comes into question for each task.

use std::collections::HashMap;
use std::sync::Arc;

use actum_kernel::resource::{AllocationStrategy, Glance, Held, Pool, Pools, Practice, ResourceFacts, Standing};
use actum_model::{CaseEvent, Control, Directory, Meta, NetHash, TaskIx};
use actum_net::{Allocate, Net, Work};
use rustc_hash::FxHashMap;

/// Strategies of the embedder's own, by name.
pub(crate) type Strategies = HashMap<String, Arc<dyn AllocationStrategy>>;

/// A partition's facts about people: a fold of the log, but for the strategies.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    standing: Standing,
    pools: FxHashMap<NetHash, Pools>,
    /// Version of the directory that the pools are of.
    version: u64,
    pub(crate) strategies: Arc<Strategies>,
}

impl Resources {
    /// With people standing like this.
    pub(crate) fn of(standing: Standing) -> Self {
        Resources { standing, ..Resources::default() }
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Takes in an event of a case: `before` is from before it, `after` has it.
    pub(crate) fn apply(&mut self, net: NetHash, before: &Glance, after: &Control, meta: &Meta, event: &CaseEvent) {
        self.standing.apply(net, before, after, meta, event);
    }

    /// Before a decision: drops what the directory has made stale.
    pub(crate) fn refresh(&mut self, net: &Net, directory: &Directory) {
        if self.version != directory.version() {
            self.version = directory.version();
            self.pools.clear();
        }
        self.pools.entry(net.hash).or_insert_with(|| Pools::of(net));
    }
}

impl ResourceFacts for Resources {
    fn held(&self) -> Held<'_> {
        self.standing.held()
    }

    fn practice(&self, net: &Net, task: TaskIx) -> Practice<'_> {
        self.standing.practice(net.hash, task)
    }

    fn pool(&self, net: &Net, task: TaskIx, directory: &Directory) -> Option<&Pool> {
        let pools = self.pools.get(&net.hash).filter(|_| self.version == directory.version())?;
        pools.get(net, task, directory)
    }

    fn strategy(&self, name: &str) -> Option<&dyn AllocationStrategy> {
        self.strategies.get(name).map(|strategy| &**strategy)
    }
}

/// Names of strategies that a net wants and nobody registered.
pub(crate) fn unknown_strategies(net: &Net, known: &Strategies) -> Vec<String> {
    let wanted = net.tasks.iter().filter_map(|task| match &task.work {
        Work::Manual { resourcing, .. } => match &resourcing.allocate {
            Allocate::Own(name) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    });
    let mut unknown: Vec<String> = wanted.filter(|name| !known.contains_key(name)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
}
