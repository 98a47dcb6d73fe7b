//! Work items: one firing of a task each, with a lifecycle that the type system keeps.
//!
//! Stored, an item is a [`WorkItemState`] with a [`Phase`]. To move it, take it as a [`WorkItem`] typed by its phase:
//! only the moves that its phase allows exist, each returns the item in its next phase and the event that says so.

use std::marker::PhantomData;

use crate::{ActorId, CaseEvent, Change, ConditionIx, ItemId, RoleIx, Seq, TaskIx, Value};

/// Where an item is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// Possible; nobody was told.
    Enabled,
    /// Offered to people.
    Offered,
    /// Somebody's, not begun.
    Allocated,
    /// Being done; holds its tokens.
    Started,
    /// Did not succeed; holds its tokens.
    Failed,
}

impl Phase {
    /// The word used in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Phase::Enabled => "enabled",
            Phase::Offered => "offered",
            Phase::Allocated => "allocated",
            Phase::Started => "started",
            Phase::Failed => "failed",
        }
    }

    /// Its tokens are taken: others cannot take them any more.
    #[must_use]
    pub fn holds_tokens(self) -> bool {
        matches!(self, Phase::Started | Phase::Failed)
    }
}

/// A live work item as case state keeps it. Items that ended are forgotten; the log has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkItemState {
    /// Number within the case.
    pub id: ItemId,
    /// Its task.
    pub task: TaskIx,
    /// Where it is in its life.
    pub phase: Phase,
    /// How often it was started; 0 before the first time.
    pub attempt: u32,
    /// Role it was offered to.
    pub role: Option<RoleIx>,
    /// If not empty: only these of the role may take it.
    pub offered_to: Vec<ActorId>,
    /// Whose it is.
    pub resource: Option<ActorId>,
    /// Tokens it holds while started or failed.
    pub consumed: smallvec::SmallVec<[ConditionIx; 2]>,
    /// The newest event about it.
    pub event: Seq,
}

/// Phases as types.
pub mod phase {
    /// Possible.
    #[derive(Debug)]
    pub struct Enabled;
    /// Offered to people.
    #[derive(Debug)]
    pub struct Offered;
    /// Somebody's, not begun.
    #[derive(Debug)]
    pub struct Allocated;
    /// Being done.
    #[derive(Debug)]
    pub struct Started;
    /// Did not succeed.
    #[derive(Debug)]
    pub struct Failed;
    /// At its end; nothing more is possible.
    #[derive(Debug)]
    pub struct Ended;
}

/// A work item whose phase is known to the compiler.
///
/// ```
/// use actum_model::{ActorId, AnyWorkItem, ItemId, RoleIx, TaskIx, WorkItem};
/// let item = WorkItem::enabled(ItemId(0), TaskIx(3));
/// let (item, _offered) = item.offer(RoleIx(0), vec![]);
/// let (item, _allocated) = item.allocate(ActorId(7));
/// let (_item, _started) = item.start(vec![]);
/// ```
/// An offered item cannot start:
/// ```compile_fail
/// # use actum_model::{ItemId, RoleIx, TaskIx, WorkItem};
/// let (item, _) = WorkItem::enabled(ItemId(0), TaskIx(3)).offer(RoleIx(0), vec![]);
/// item.start(vec![]);
/// ```
/// A completed item cannot fail:
/// ```compile_fail
/// # use actum_model::{ItemId, TaskIx, Value, WorkItem};
/// let (item, _) = WorkItem::enabled(ItemId(0), TaskIx(3)).allocate_to_engine().start(vec![]);
/// let (item, _) = item.complete(Value::Null, vec![], vec![]);
/// item.fail("code", "message");
/// ```
#[derive(Debug)]
#[must_use]
pub struct WorkItem<P> {
    id: ItemId,
    task: TaskIx,
    attempt: u32,
    phase: PhantomData<P>,
}

/// A work item in whichever phase its state says.
#[derive(Debug)]
#[non_exhaustive]
pub enum AnyWorkItem {
    /// In phase enabled.
    Enabled(WorkItem<phase::Enabled>),
    /// In phase offered.
    Offered(WorkItem<phase::Offered>),
    /// In phase allocated.
    Allocated(WorkItem<phase::Allocated>),
    /// In phase started.
    Started(WorkItem<phase::Started>),
    /// In phase failed.
    Failed(WorkItem<phase::Failed>),
}

impl WorkItemState {
    /// The item with its phase as a type.
    #[must_use]
    pub fn typed(&self) -> AnyWorkItem {
        fn of<P>(state: &WorkItemState) -> WorkItem<P> {
            WorkItem { id: state.id, task: state.task, attempt: state.attempt, phase: PhantomData }
        }
        match self.phase {
            Phase::Enabled => AnyWorkItem::Enabled(of(self)),
            Phase::Offered => AnyWorkItem::Offered(of(self)),
            Phase::Allocated => AnyWorkItem::Allocated(of(self)),
            Phase::Started => AnyWorkItem::Started(of(self)),
            Phase::Failed => AnyWorkItem::Failed(of(self)),
        }
    }
}

impl<P> WorkItem<P> {
    fn into<Q>(self) -> WorkItem<Q> {
        WorkItem { id: self.id, task: self.task, attempt: self.attempt, phase: PhantomData }
    }

    /// Number within the case.
    pub fn id(&self) -> ItemId {
        self.id
    }

    /// Its task.
    pub fn task(&self) -> TaskIx {
        self.task
    }
}

impl WorkItem<phase::Enabled> {
    /// A new item.
    pub fn enabled(id: ItemId, task: TaskIx) -> Self {
        WorkItem { id, task, attempt: 0, phase: PhantomData }
    }

    /// The event that made it.
    pub fn enabling(&self) -> CaseEvent {
        CaseEvent::WorkEnabled { item: self.id, task: self.task }
    }

    /// Offers it to a role, or to some of its members.
    pub fn offer(self, role: RoleIx, to: Vec<ActorId>) -> (WorkItem<phase::Offered>, CaseEvent) {
        let event = CaseEvent::WorkOffered { item: self.id, task: self.task, role, to };
        (self.into(), event)
    }

    /// Work without people belongs to the engine at once; that is no event.
    pub fn allocate_to_engine(self) -> WorkItem<phase::Allocated> {
        self.into()
    }

    /// Takes the possibility away.
    pub fn withdraw(self) -> (WorkItem<phase::Ended>, CaseEvent) {
        let event = CaseEvent::WorkWithdrawn { item: self.id, task: self.task };
        (self.into(), event)
    }
}

impl WorkItem<phase::Offered> {
    /// Offers it to others instead.
    pub fn offer(self, role: RoleIx, to: Vec<ActorId>) -> (WorkItem<phase::Offered>, CaseEvent) {
        let event = CaseEvent::WorkOffered { item: self.id, task: self.task, role, to };
        (self, event)
    }

    /// Gives it to one person.
    pub fn allocate(self, to: ActorId) -> (WorkItem<phase::Allocated>, CaseEvent) {
        let event = CaseEvent::WorkAllocated { item: self.id, task: self.task, to };
        (self.into(), event)
    }

    /// Takes the offer back.
    pub fn withdraw(self) -> (WorkItem<phase::Ended>, CaseEvent) {
        let event = CaseEvent::WorkWithdrawn { item: self.id, task: self.task };
        (self.into(), event)
    }
}

impl WorkItem<phase::Allocated> {
    /// Begins the work, taking tokens.
    pub fn start(self, consumed: Vec<ConditionIx>) -> (WorkItem<phase::Started>, CaseEvent) {
        let event = CaseEvent::WorkStarted { item: self.id, task: self.task, consumed };
        (WorkItem { attempt: 1, ..self.into() }, event)
    }

    /// Takes it back before it began.
    pub fn withdraw(self) -> (WorkItem<phase::Ended>, CaseEvent) {
        let event = CaseEvent::WorkWithdrawn { item: self.id, task: self.task };
        (self.into(), event)
    }
}

impl WorkItem<phase::Started> {
    /// Ends the work with a result, changing variables and giving tokens.
    pub fn complete(
        self,
        result: Value,
        changes: Vec<Change>,
        produced: Vec<ConditionIx>,
    ) -> (WorkItem<phase::Ended>, CaseEvent) {
        let event = CaseEvent::WorkCompleted { item: self.id, task: self.task, result, changes, produced };
        (self.into(), event)
    }

    /// Ends the attempt without success.
    pub fn fail(self, code: &str, message: &str) -> (WorkItem<phase::Failed>, CaseEvent) {
        let (code, message) = (code.to_owned(), message.to_owned());
        let event = CaseEvent::WorkFailed { item: self.id, task: self.task, code, message };
        (self.into(), event)
    }

    /// Stops the work.
    pub fn cancel(self) -> (WorkItem<phase::Ended>, CaseEvent) {
        let event = CaseEvent::WorkCancelled { item: self.id, task: self.task };
        (self.into(), event)
    }
}

impl WorkItem<phase::Failed> {
    /// Begins another attempt.
    pub fn retry(self) -> (WorkItem<phase::Started>, CaseEvent) {
        let attempt = self.attempt.saturating_add(1);
        let event = CaseEvent::WorkRetried { item: self.id, task: self.task, attempt };
        (WorkItem { attempt, ..self.into() }, event)
    }

    /// Gives up.
    pub fn cancel(self) -> (WorkItem<phase::Ended>, CaseEvent) {
        let event = CaseEvent::WorkCancelled { item: self.id, task: self.task };
        (self.into(), event)
    }
}

impl AnyWorkItem {
    /// Ends the item because its case ends or its tokens went: withdrawn before it began, cancelled after.
    #[must_use]
    pub fn discard(self) -> CaseEvent {
        match self {
            AnyWorkItem::Enabled(item) => item.withdraw().1,
            AnyWorkItem::Offered(item) => item.withdraw().1,
            AnyWorkItem::Allocated(item) => item.withdraw().1,
            AnyWorkItem::Started(item) => item.cancel().1,
            AnyWorkItem::Failed(item) => item.cancel().1,
        }
    }
}
