//! All that a projection answers, as text for snapshots.

use std::fmt::Debug;

use actum_model::{ActorId, Time, payload};

use crate::{
    Audit, AuditQuestion, AuditRow, Cases, DeadLetters, Knowledge, Load, Loads, PendingTimers, Projection, Statistics,
    Waits, Worklist,
};

/// A projection that can show all that it answers, in an order that does not depend on hash maps.
pub trait Shown: Projection {
    /// What it answers: anything whose `Debug` shows it.
    fn shown(&self) -> Box<dyn Debug + '_>;
}

impl Shown for Cases {
    fn shown(&self) -> Box<dyn Debug + '_> {
        Box::new(self.select(|_| true))
    }
}

impl Shown for Worklist {
    fn shown(&self) -> Box<dyn Debug + '_> {
        Box::new(self.all(usize::MAX))
    }
}

impl Shown for Waits {
    fn shown(&self) -> Box<dyn Debug + '_> {
        Box::new(self.cases().into_iter().map(|case| (case, self.of_case(case))).collect::<Vec<_>>())
    }
}

impl Shown for DeadLetters {
    fn shown(&self) -> Box<dyn Debug + '_> {
        Box::new(self.list(None, usize::MAX))
    }
}

impl Shown for PendingTimers {
    fn shown(&self) -> Box<dyn Debug + '_> {
        Box::new(self.next(usize::MAX))
    }
}

impl Shown for Loads {
    fn shown(&self) -> Box<dyn Debug + '_> {
        // What runs is counted by its number: for how long, depends on when one asks.
        let shown = |(actor, load): (ActorId, Load)| {
            (actor, (load.offered, load.allocated, load.started, load.running), load.busy_ns(Time(0)))
        };
        Box::new(self.all().into_iter().map(shown).collect::<Vec<_>>())
    }
}

impl Shown for Audit {
    fn shown(&self) -> Box<dyn Debug + '_> {
        let all = self.ask(&AuditQuestion { limit: usize::MAX, ..AuditQuestion::default() });
        let shown = |row: AuditRow| (row.seq, row.time, row.actor, payload::name_of(row.kind), row.case(), row.item);
        Box::new(all.into_iter().map(shown).collect::<Vec<_>>())
    }
}

impl Shown for Statistics {
    fn shown(&self) -> Box<dyn Debug + '_> {
        let of_net = |net| (net, self.cases_of(net), self.work_of(net));
        let nets: Vec<_> = self.nets().into_iter().map(of_net).collect();
        Box::new((nets, self.throughput(Time(0), Time(u64::MAX)).buckets))
    }
}

impl Shown for Knowledge {
    fn shown(&self) -> Box<dyn Debug + '_> {
        let medians = |known: actum_adapt::WorkKnowledge| {
            (known.timings.waiting.quantile(0.5), known.timings.working.quantile(0.5), known.outcomes)
        };
        let nets: Vec<_> = self
            .nets()
            .into_iter()
            .map(|net| (net, self.net(net).duration.quantile(0.5), self.net(net).outcomes))
            .collect();
        let tasks: Vec<_> =
            self.tasks().into_iter().map(|(net, task)| (net, task, medians(self.task(net, task)))).collect();
        let resources: Vec<_> =
            self.resources().into_iter().map(|actor| (actor, medians(self.resource(actor)))).collect();
        Box::new((nets, tasks, resources))
    }
}
