//! How people stand: what they have and what they did. Counters that each event moves by one.

use actum_model::{ActorId, ActorSet, CaseEvent, Control, Meta, NetHash, Phase, TaskIx, WorkItemState};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{Held, Practice};

/// The counters that strategies compare: a fold of all cases' events, kept by whoever decides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    queued: Vec<u32>,
    all: Vec<u32>,
    practice: FxHashMap<(NetHash, TaskIx), Record>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Record {
    last: Vec<u64>,
    given: Vec<u32>,
    done: Vec<u32>,
}

/// Who has an item, and whether it is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holding {
    actor: ActorId,
    begun: bool,
}

impl Holding {
    fn of(item: &WorkItemState) -> Option<Self> {
        let phase = item.suspended_from.unwrap_or(item.phase);
        Some(Holding { actor: item.resource?, begun: phase != Phase::Allocated })
    }
}

/// Who had what an event is about, before it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Glance(SmallVec<[Holding; 1]>);

impl Glance {
    /// Looks at a case before an event is applied to it.
    #[must_use]
    pub fn at(control: &Control, event: &CaseEvent) -> Self {
        if event.is_terminal() {
            // A lawful log has ended every item before.
            return Glance(control.items.iter().filter_map(Holding::of).collect());
        }
        let item = event.work().and_then(|(item, _)| control.item(item));
        Glance(item.and_then(Holding::of).into_iter().collect())
    }
}

impl Standing {
    /// What people have.
    #[must_use]
    pub fn held(&self) -> Held<'_> {
        Held { queued: &self.queued, all: &self.all }
    }

    /// What people did of a task.
    #[must_use]
    pub fn practice(&self, net: NetHash, task: TaskIx) -> Practice<'_> {
        let record = self.practice.get(&(net, task));
        record.map_or_else(Practice::default, |record| Practice {
            last: &record.last,
            given: &record.given,
            done: &record.done,
        })
    }

    /// Takes in an event of a case: `before` is what [`Glance::at`] saw, `after` the case's state with the event.
    pub fn apply(&mut self, net: NetHash, before: &Glance, after: &Control, meta: &Meta, event: &CaseEvent) {
        before.0.iter().for_each(|holding| self.hold(*holding, false));
        if event.is_terminal() {
            return;
        }
        let Some((item, task)) = event.work() else { return };
        after.item(item).and_then(Holding::of).into_iter().for_each(|holding| self.hold(holding, true));
        match event {
            CaseEvent::WorkAllocated { to, .. } | CaseEvent::WorkDelegated { to, .. } => {
                self.given(net, task, *to, meta.seq.0);
            }
            CaseEvent::WorkCompleted { .. } => self.done(net, task, meta.actor),
            _ => {}
        }
    }

    /// The counters of one task alone, as they are given.
    pub(super) fn of_columns(
        net: NetHash,
        task: TaskIx,
        (queued, all): (&[u32], &[u32]),
        (last, given, done): (&[u64], &[u32], &[u32]),
    ) -> Self {
        let record = Record { last: last.to_vec(), given: given.to_vec(), done: done.to_vec() };
        Standing { queued: queued.to_vec(), all: all.to_vec(), practice: [((net, task), record)].into_iter().collect() }
    }

    /// As if somebody had got an item of the task: what one decision hands out in turn sees what it handed out before.
    pub(super) fn foresee(&mut self, net: NetHash, task: TaskIx, actor: ActorId, seq: u64) {
        self.hold(Holding { actor, begun: false }, true);
        self.given(net, task, actor, seq);
    }

    fn given(&mut self, net: NetHash, task: TaskIx, actor: ActorId, seq: u64) {
        if let Some(index) = place(actor) {
            let record = self.practice.entry((net, task)).or_default();
            *at(&mut record.last, index) = seq;
            let given = at(&mut record.given, index);
            *given = given.saturating_add(1);
        }
    }

    fn done(&mut self, net: NetHash, task: TaskIx, actor: ActorId) {
        if let Some(index) = place(actor) {
            let done = at(&mut self.practice.entry((net, task)).or_default().done, index);
            *done = done.saturating_add(1);
        }
    }

    fn hold(&mut self, holding: Holding, more: bool) {
        let Some(index) = place(holding.actor) else { return };
        let step = |count: &mut u32| *count = if more { count.saturating_add(1) } else { count.saturating_sub(1) };
        step(at(&mut self.all, index));
        if !holding.begun {
            step(at(&mut self.queued, index));
        }
    }
}

/// Where somebody's counters are; the engine has none.
fn place(actor: ActorId) -> Option<usize> {
    (actor.0 <= ActorSet::ORDINAL_MAX).then(|| (actor.0 as usize).checked_sub(1)).flatten()
}

fn at<T: Default + Clone>(column: &mut Vec<T>, index: usize) -> &mut T {
    if column.len() <= index {
        column.resize(index + 1, T::default());
    }
    &mut column[index]
}
