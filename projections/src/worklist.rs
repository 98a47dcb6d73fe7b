//! Which work waits for people, and who has it?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use actum_model::{ActorId, CaseEvent, CaseId, ItemId, NetHash, RoleIx, TaskIx, Time};

use crate::{Projection, Recorded, Watermark};

/// Who may or does do an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Offered to a role of the case's net, or (if not empty) to some of its members only; without a role, to those named.
    Offered(Option<RoleIx>, Vec<ActorId>),
    /// Taken by somebody, not begun.
    Allocated(ActorId),
    /// Being done by somebody.
    Started(ActorId),
}

/// A work item that waits for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkRow {
    /// The case.
    pub case: CaseId,
    /// The item.
    pub item: ItemId,
    /// The net of the case.
    pub net: NetHash,
    /// The item's task.
    pub task: TaskIx,
    /// Who may or does do it.
    pub holder: Holder,
    /// It rests: nobody can go on with it until it is resumed.
    pub suspended: bool,
    /// Since when it is as it is.
    pub since: Time,
}

type Key = (CaseId, ItemId);

#[derive(Debug, Default)]
struct Rows {
    by_item: BTreeMap<Key, WorkRow>,
    offered: BTreeMap<(NetHash, RoleIx), BTreeSet<Key>>,
    /// Work that is offered to people and not to a role.
    named: BTreeMap<ActorId, BTreeSet<Key>>,
    held: BTreeMap<ActorId, BTreeSet<Key>>,
    /// Cases that rest.
    suspended: BTreeSet<CaseId>,
    /// Who did what in cases that are still open.
    done: BTreeMap<CaseId, BTreeSet<(TaskIx, ActorId)>>,
}

/// All work for people that is offered, taken or being done.
#[derive(Debug, Default)]
pub struct Worklist {
    rows: RwLock<Rows>,
    watermark: Watermark,
}

impl Worklist {
    /// Work offered to a role of a net, oldest case first, at most `limit`.
    pub fn offered(&self, net: NetHash, role: RoleIx, limit: usize) -> Vec<WorkRow> {
        self.read(|rows| rows.pick(rows.offered.get(&(net, role)), limit))
    }

    /// Work offered to a role of a net that one of its members may take, oldest case first, at most `limit`: not what is
    /// offered to others only, nor what is `apart` from a task that the actor did or has in the same case.
    pub fn offered_to(
        &self,
        actor: ActorId,
        net: NetHash,
        role: RoleIx,
        apart: impl Fn(TaskIx, TaskIx) -> bool,
        limit: usize,
    ) -> Vec<WorkRow> {
        self.read(|rows| {
            let may_take = |row: &&WorkRow| {
                let Holder::Offered(_, to) = &row.holder else { return false };
                rows.is_active(row)
                    && (to.is_empty() || to.contains(&actor))
                    && !rows.tasks_of(row.case, actor).any(|other| apart(row.task, other))
            };
            let offered = rows.offered.get(&(net, role)).into_iter().flatten();
            offered.filter_map(|key| rows.by_item.get(key)).filter(may_take).take(limit).cloned().collect()
        })
    }

    /// Work offered to somebody by name and not by a role, oldest case first, at most `limit`; without what is `apart` as in
    /// [`Worklist::offered_to`].
    pub fn offered_by_name(
        &self,
        actor: ActorId,
        apart: impl Fn(NetHash, TaskIx, TaskIx) -> bool,
        limit: usize,
    ) -> Vec<WorkRow> {
        self.read(|rows| {
            let may_take = |row: &&WorkRow| {
                rows.is_active(row) && !rows.tasks_of(row.case, actor).any(|other| apart(row.net, row.task, other))
            };
            let offered = rows.named.get(&actor).into_iter().flatten();
            offered.filter_map(|key| rows.by_item.get(key)).filter(may_take).take(limit).cloned().collect()
        })
    }

    /// Work that somebody has, oldest case first, at most `limit`.
    pub fn held(&self, actor: ActorId, limit: usize) -> Vec<WorkRow> {
        self.read(|rows| rows.pick(rows.held.get(&actor), limit))
    }

    /// All work, oldest case first, at most `limit`.
    pub fn all(&self, limit: usize) -> Vec<WorkRow> {
        self.read(|rows| rows.by_item.values().take(limit).cloned().collect())
    }

    /// Work of one case.
    pub fn of_case(&self, case: CaseId) -> Vec<WorkRow> {
        self.read(|rows| {
            rows.by_item.range((case, ItemId(0))..=(case, ItemId(u32::MAX))).map(|(_, row)| row.clone()).collect()
        })
    }

    /// Tasks of a case that somebody did, has taken or is doing. Nothing once the case has ended.
    pub fn tasks_of(&self, case: CaseId, actor: ActorId) -> Vec<TaskIx> {
        self.read(|rows| rows.tasks_of(case, actor).collect())
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.read(|rows| rows.by_item.len())
    }

    /// Nobody has anything to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Up to where this is true.
    pub fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    fn read<T>(&self, answer: impl FnOnce(&Rows) -> T) -> T {
        answer(&self.rows.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut Rows)) {
        change(&mut self.rows.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Rows {
    fn tasks_of(&self, case: CaseId, actor: ActorId) -> impl Iterator<Item = TaskIx> {
        let done = self.done.get(&case).into_iter().flatten();
        let done = done.filter(move |(_, who)| *who == actor).map(|(task, _)| *task);
        let held =
            self.by_item.range((case, ItemId(0))..=(case, ItemId(u32::MAX))).filter_map(move |(_, row)| {
                match row.holder {
                    Holder::Allocated(who) | Holder::Started(who) if who == actor => Some(row.task),
                    _ => None,
                }
            });
        done.chain(held)
    }

    /// Neither the item rests nor its case.
    fn is_active(&self, row: &WorkRow) -> bool {
        !row.suspended && !self.suspended.contains(&row.case)
    }

    fn pick(&self, keys: Option<&BTreeSet<Key>>, limit: usize) -> Vec<WorkRow> {
        keys.into_iter().flatten().take(limit).filter_map(|key| self.by_item.get(key).cloned()).collect()
    }

    fn set(&mut self, row: WorkRow) {
        let key = (row.case, row.item);
        self.remove(key);
        match &row.holder {
            Holder::Offered(Some(role), _) => drop(self.offered.entry((row.net, *role)).or_default().insert(key)),
            Holder::Offered(None, to) => to.iter().for_each(|actor| {
                self.named.entry(*actor).or_default().insert(key);
            }),
            Holder::Allocated(actor) | Holder::Started(actor) => {
                self.held.entry(*actor).or_default().insert(key);
            }
        }
        self.by_item.insert(key, row);
    }

    fn remove(&mut self, key: Key) {
        let Some(old) = self.by_item.remove(&key) else { return };
        match old.holder {
            Holder::Offered(Some(role), _) => leave(&mut self.offered, &(old.net, role), key),
            Holder::Offered(None, to) => to.into_iter().for_each(|actor| leave(&mut self.named, &actor, key)),
            Holder::Allocated(actor) | Holder::Started(actor) => leave(&mut self.held, &actor, key),
        }
    }

    fn change(&mut self, key: Key, holder: impl FnOnce(&Holder) -> Option<Holder>, since: Time) {
        let Some(row) = self.by_item.get(&key) else { return };
        if let Some(holder) = holder(&row.holder) {
            self.set(WorkRow { holder, since, ..row.clone() });
        }
    }

    fn rest(&mut self, key: Key, suspended: bool, since: Time) {
        if let Some(row) = self.by_item.get_mut(&key) {
            (row.suspended, row.since) = (suspended, since);
        }
    }

    fn rest_case(&mut self, case: CaseId, suspended: bool) {
        if suspended {
            self.suspended.insert(case);
        } else {
            self.suspended.remove(&case);
        }
    }

    fn remove_case(&mut self, case: CaseId) {
        let keys: Vec<Key> =
            self.by_item.range((case, ItemId(0))..=(case, ItemId(u32::MAX))).map(|(key, _)| *key).collect();
        keys.into_iter().for_each(|key| self.remove(key));
        self.done.remove(&case);
        self.suspended.remove(&case);
    }
}

/// Takes an item out of one of the sets of an index; sets that are empty are dropped.
fn leave<K: Ord>(index: &mut BTreeMap<K, BTreeSet<Key>>, of: &K, key: Key) {
    if let Some(set) = index.get_mut(of) {
        set.remove(&key);
        if set.is_empty() {
            index.remove(of);
        }
    }
}

impl Projection for Worklist {
    fn apply(&self, recorded: &Recorded<'_>) {
        let Recorded { case, net, meta, event, .. } = *recorded;
        let since = meta.time;
        match event {
            CaseEvent::WorkOffered { item, task, role, to } => {
                let (item, task, holder) = (*item, *task, Holder::Offered(*role, to.clone()));
                self.write(|rows| rows.set(WorkRow { case, item, net, task, holder, suspended: false, since }));
            }
            CaseEvent::WorkAllocated { item, task, to } => {
                // The engine may give what was never offered.
                let (item, task, holder) = (*item, *task, Holder::Allocated(*to));
                self.write(|rows| rows.set(WorkRow { case, item, net, task, holder, suspended: false, since }));
            }
            CaseEvent::WorkSuspended { item, .. } => self.write(|rows| rows.rest((case, *item), true, since)),
            CaseEvent::WorkResumed { item, .. } => self.write(|rows| rows.rest((case, *item), false, since)),
            CaseEvent::CaseSuspended => self.write(|rows| rows.rest_case(case, true)),
            CaseEvent::CaseResumed => self.write(|rows| rows.rest_case(case, false)),
            CaseEvent::WorkDelegated { item, to, keep_state, .. } => {
                let hand_over = |holder: &Holder| match holder {
                    Holder::Started(_) if *keep_state => Some(Holder::Started(*to)),
                    _ => Some(Holder::Allocated(*to)),
                };
                self.write(|rows| rows.change((case, *item), hand_over, since));
            }
            CaseEvent::WorkStarted { item, .. } | CaseEvent::WorkRetried { item, .. } => {
                let begin = |holder: &Holder| match holder {
                    Holder::Allocated(actor) => Some(Holder::Started(*actor)),
                    _ => None,
                };
                if self.read(|rows| rows.by_item.contains_key(&(case, *item))) {
                    self.write(|rows| rows.change((case, *item), begin, since));
                }
            }
            CaseEvent::WorkCompleted { item, task, .. } if meta.actor != ActorId::ENGINE => self.write(|rows| {
                rows.remove((case, *item));
                rows.done.entry(case).or_default().insert((*task, meta.actor));
            }),
            CaseEvent::WorkCompleted { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
            | CaseEvent::WorkPutBack { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkCancelled { item, .. }
                if self.read(|rows| rows.by_item.contains_key(&(case, *item))) =>
            {
                self.write(|rows| rows.remove((case, *item)));
            }
            ended
                if ended.is_terminal()
                    && self.read(|rows| {
                        !rows.by_item.is_empty() || rows.done.contains_key(&case) || rows.suspended.contains(&case)
                    }) =>
            {
                self.write(|rows| rows.remove_case(case));
            }
            _ => {}
        }
        self.watermark.reach(meta.seq);
    }
}
