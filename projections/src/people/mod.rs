//! Work for people in one case: what the worklist and the load of resources both fold, each with its own indexes over it.

mod saved;
mod table;

use actum_model::{ActorId, CaseEvent, ItemId, Meta, NetHash, RoleIx, TaskIx, Time};

use crate::runs::Run;

pub(crate) use table::Table;

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

/// An item that is offered, taken or being done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) item: ItemId,
    pub(crate) task: TaskIx,
    pub(crate) holder: Holder,
    pub(crate) suspended: bool,
    /// The last attempt failed.
    pub(crate) failed: bool,
    /// Since when it is as it is.
    pub(crate) since: Time,
}

/// What people have to do in one case, and what a member may not do again in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CaseWork {
    pub(crate) net: NetHash,
    /// The case rests.
    pub(crate) suspended: bool,
    /// Ascending by item.
    pub(crate) rows: Vec<Row>,
    /// Who did what so far; ascending.
    pub(crate) done: Vec<(TaskIx, ActorId)>,
}

/// A change of a row: as it was and as it is, of the net, at a time.
pub(crate) struct Changed<'a> {
    pub(crate) net: NetHash,
    pub(crate) was: Option<&'a Row>,
    pub(crate) is: Option<&'a Row>,
    pub(crate) at: Time,
}

/// A run has an event that makes something to remember of a case of which nothing was.
pub(crate) fn begins(run: &Run<'_, '_>) -> bool {
    run.facts().any(|(meta, event)| match event {
        CaseEvent::WorkOffered { .. } | CaseEvent::WorkAllocated { .. } | CaseEvent::CaseSuspended => true,
        CaseEvent::WorkCompleted { .. } => meta.actor != ActorId::ENGINE,
        _ => false,
    })
}

impl CaseWork {
    pub(crate) fn new(net: NetHash) -> Self {
        CaseWork { net, ..CaseWork::default() }
    }

    pub(crate) fn row(&self, item: ItemId) -> Option<&Row> {
        self.place(item).ok().map(|place| &self.rows[place])
    }

    /// Tasks that somebody did, has taken or is doing.
    pub(crate) fn tasks_of(&self, actor: ActorId) -> impl Iterator<Item = TaskIx> {
        let done = self.done.iter().filter(move |(_, who)| *who == actor).map(|(task, _)| *task);
        done.chain(self.rows.iter().filter(move |row| row.is_held_by(actor)).map(|row| row.task))
    }

    /// Neither the item rests nor its case.
    pub(crate) fn is_active(&self, row: &Row) -> bool {
        !row.suspended && !self.suspended
    }

    /// Takes in an event, and tells of each row that it changes.
    pub(crate) fn apply(&mut self, meta: &Meta, event: &CaseEvent, changed: &mut impl FnMut(Changed<'_>)) {
        let at = meta.time;
        match event {
            CaseEvent::WorkOffered { item, task, role, to } => {
                self.set(Row::new(*item, *task, Holder::Offered(*role, to.clone()), at), changed);
            }
            // The engine may give what was never offered.
            CaseEvent::WorkAllocated { item, task, to } => {
                self.set(Row::new(*item, *task, Holder::Allocated(*to), at), changed);
            }
            CaseEvent::WorkSuspended { item, .. } => self.change(*item, at, changed, |row| row.suspended = true),
            CaseEvent::WorkResumed { item, .. } => self.change(*item, at, changed, |row| row.suspended = false),
            CaseEvent::WorkFailed { item, .. } => self.change(*item, at, changed, |row| row.failed = true),
            CaseEvent::CaseSuspended => self.suspended = true,
            CaseEvent::CaseResumed => self.suspended = false,
            CaseEvent::WorkDelegated { item, to, keep_state, .. } => self.change(*item, at, changed, |row| {
                row.holder = match row.holder {
                    Holder::Started(_) if *keep_state => Holder::Started(*to),
                    _ => Holder::Allocated(*to),
                };
            }),
            CaseEvent::WorkStarted { item, .. } | CaseEvent::WorkRetried { item, .. }
                if self.row(*item).is_some_and(Row::can_begin) =>
            {
                self.change(*item, at, changed, Row::begin);
            }
            CaseEvent::WorkCompleted { item, task, .. } => {
                self.remove(*item, at, changed);
                let did = (*task, meta.actor);
                if meta.actor != ActorId::ENGINE
                    && let Err(place) = self.done.binary_search(&did)
                {
                    self.done.insert(place, did);
                }
            }
            CaseEvent::WorkSkipped { item, .. }
            | CaseEvent::WorkPutBack { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::WorkCancelled { item, .. } => self.remove(*item, at, changed),
            ended if ended.is_terminal() => {
                let net = self.net;
                let over = std::mem::replace(self, CaseWork::new(net));
                over.rows.iter().for_each(|row| changed(Changed { net, was: Some(row), is: None, at }));
            }
            _ => {}
        }
    }

    fn set(&mut self, row: Row, changed: &mut impl FnMut(Changed<'_>)) {
        let place = self.place(row.item);
        let was = place.ok().map(|place| &self.rows[place]);
        changed(Changed { net: self.net, was, is: Some(&row), at: row.since });
        match place {
            Ok(place) => self.rows[place] = row,
            Err(place) => self.rows.insert(place, row),
        }
    }

    fn change(&mut self, item: ItemId, at: Time, changed: &mut impl FnMut(Changed<'_>), change: impl FnOnce(&mut Row)) {
        let Some(row) = self.row(item) else { return };
        let mut row = Row { since: at, ..row.clone() };
        change(&mut row);
        self.set(row, changed);
    }

    fn remove(&mut self, item: ItemId, at: Time, changed: &mut impl FnMut(Changed<'_>)) {
        if let Ok(place) = self.place(item) {
            let row = self.rows.remove(place);
            changed(Changed { net: self.net, was: Some(&row), is: None, at });
        }
    }

    fn place(&self, item: ItemId) -> Result<usize, usize> {
        self.rows.binary_search_by_key(&item, |row| row.item)
    }
}

impl Row {
    fn new(item: ItemId, task: TaskIx, holder: Holder, since: Time) -> Self {
        Row { item, task, holder, suspended: false, failed: false, since }
    }

    fn can_begin(&self) -> bool {
        self.failed || matches!(self.holder, Holder::Allocated(_))
    }

    fn begin(&mut self) {
        self.failed = false;
        if let Holder::Allocated(actor) = self.holder {
            self.holder = Holder::Started(actor);
        }
    }

    pub(crate) fn is_held_by(&self, actor: ActorId) -> bool {
        matches!(self.holder, Holder::Allocated(who) | Holder::Started(who) if who == actor)
    }
}
