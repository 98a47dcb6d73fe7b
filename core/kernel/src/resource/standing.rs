//! How people stand: what they have and what they did. Counters that each event moves by one.

use actum_model::snapshot::SnapshotError;
use actum_model::snapshot::wire::{Reader, put, put_list};
use actum_model::{ActorId, ActorSet, CaseEvent, Control, Meta, NetHash, Phase, TaskIx, WorkItemState};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::{Held, Practice};

/// Version of the saved form, which begins with it. Goes up whenever the form, or what is counted, changes.
pub const STANDING_SNAPSHOT_VERSION: u64 = 1;

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

    /// Appends the counters as bytes. Canonical: the same counters give the same bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let Standing { queued, all, practice } = self;
        put(out, STANDING_SNAPSHOT_VERSION);
        put_column(out, queued);
        put_column(out, all);
        let mut tasks: Vec<_> = practice.iter().collect();
        tasks.sort_unstable_by_key(|(task, _)| **task);
        put_list(out, &tasks, |out, ((net, task), Record { last, given, done })| {
            out.extend_from_slice(&net.0);
            put(out, u64::from(task.0));
            put_list(out, last, |out, seq| put(out, *seq));
            put_column(out, given);
            put_column(out, done);
        });
    }

    /// Reads what [`Standing::encode`] wrote.
    ///
    /// # Errors
    /// Anything else. Total: any bytes give counters or an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let mut reader = Reader::new(bytes);
        reader.version(STANDING_SNAPSHOT_VERSION)?;
        let (queued, all) = (column(&mut reader)?, column(&mut reader)?);
        let tasks = reader.list(|reader| {
            let task = (NetHash(reader.array()?), TaskIx(reader.small()?));
            let last = reader.list(Reader::number)?;
            Ok((task, Record { last, given: column(reader)?, done: column(reader)? }))
        })?;
        reader.end()?;
        actum_model::snapshot::wire::ascending(&tasks, |(task, _)| *task, "tasks")?;
        Ok(Standing { queued, all, practice: tasks.into_iter().collect() })
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

fn put_column(out: &mut Vec<u8>, column: &[u32]) {
    put_list(out, column, |out, count| put(out, u64::from(*count)));
}

fn column(reader: &mut Reader<'_>) -> Result<Vec<u32>, SnapshotError> {
    reader.list(Reader::small)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_keep_their_bytes_and_no_bytes_do_harm() {
        let columns = (&[1, 0, 300][..], &[2, 0, 400][..]);
        let mut standing = Standing::of_columns(NetHash([9; 32]), TaskIx(3), columns, (&[7, 9_000], &[1, 2], &[1]));
        standing.foresee(NetHash([1; 32]), TaskIx(200), ActorId(2), 500);
        let saved = |standing: &Standing| {
            let mut bytes = Vec::new();
            standing.encode(&mut bytes);
            bytes
        };
        let bytes = saved(&standing);
        assert_eq!(Standing::decode(&bytes), Ok(standing));
        assert_eq!(Standing::decode(&saved(&Standing::default())), Ok(Standing::default()));
        for length in 0..bytes.len() {
            assert!(Standing::decode(&bytes[..length]).is_err(), "{length} bytes decode");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = Standing::decode(&flipped) {
                assert_eq!(saved(&other), flipped, "bit {bit}");
            }
        }
    }
}
