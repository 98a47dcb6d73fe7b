//! Which time it is that an item's task is done, or waits for its signal, in its case.

use std::collections::{BTreeSet, HashMap};

use actum::{CaseEvent, CaseId, Engine, ItemId, Net};
use actum_model::TaskIx;
use actum_net::Work;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Visit {
    /// Somebody does it.
    Work,
    /// It waits for its signal.
    Signal,
}

#[derive(Debug, Default)]
struct Counts {
    newest: HashMap<(TaskIx, Visit), u32>,
    /// Items that were there before this run, and are not asked about yet.
    earlier: HashMap<(ItemId, Visit), u32>,
}

/// Counts items by case and task.
#[derive(Debug, Default)]
pub(super) struct Visits {
    cases: HashMap<CaseId, Counts>,
    /// Cases of an earlier run whose past is not read yet.
    resumed: BTreeSet<CaseId>,
}

impl Visits {
    pub(super) fn new(resumed: BTreeSet<CaseId>) -> Self {
        Visits { cases: HashMap::new(), resumed }
    }

    /// The number of an item among those of its task in its case, from 1. Ask once for each item.
    pub(super) fn of(
        &mut self,
        engine: &Engine,
        net: &Net,
        case: CaseId,
        task: TaskIx,
        item: ItemId,
        what: Visit,
    ) -> u32 {
        if self.resumed.remove(&case) {
            self.cases.insert(case, past(engine, net, case));
        }
        let counts = self.cases.entry(case).or_default();
        if let Some(visit) = counts.earlier.remove(&(item, what)) {
            return visit;
        }
        let newest = counts.newest.entry((task, what)).or_insert(0);
        *newest += 1;
        *newest
    }

    /// The case has ended.
    pub(super) fn forget(&mut self, case: CaseId) {
        self.cases.remove(&case);
        self.resumed.remove(&case);
    }
}

fn past(engine: &Engine, net: &Net, case: CaseId) -> Counts {
    let mut counts = Counts::default();
    for logged in engine.history(case).unwrap_or_default() {
        let CaseEvent::WorkEnabled { item, task, instance, .. } = logged.event else { continue };
        let Some(definition) = net.tasks.get(task.index()) else { continue };
        let is_done =
            matches!(definition.work, Work::Manual { .. }) && (definition.instances.is_none() || instance.is_some());
        let waits = definition.trigger.is_some() && instance.is_none();
        for (what, _) in [(Visit::Work, is_done), (Visit::Signal, waits)].into_iter().filter(|(_, counts)| *counts) {
            let newest = counts.newest.entry((task, what)).or_insert(0);
            *newest += 1;
            counts.earlier.insert((item, what), *newest);
        }
    }
    counts
}
