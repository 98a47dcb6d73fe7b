//! Work items: one firing of a task each, with a lifecycle that the type system keeps.
//!
//! Stored, an item is a [`WorkItemState`] with a [`Phase`]. To move it, take it as a [`WorkItem`] typed by its phase:
//! only the moves that its phase allows exist, each returns the item in its next phase and the event that says so.

use std::marker::PhantomData;

use crate::{ActorId, CaseEvent, Change, ConditionIx, FrameId, Instance, ItemId, RoleIx, Seq, TaskIx, Time, Value};

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
    /// Rests until it is resumed; then it is as it was before.
    Suspended,
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
            Phase::Suspended => "suspended",
        }
    }
}

/// A live work item as case state keeps it. Items that ended are forgotten; the log has them.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkItemState {
    /// Number within the case.
    pub id: ItemId,
    /// Its task.
    pub task: TaskIx,
    /// Where it lives: whose tokens it takes and whose variables it sees.
    pub frame: FrameId,
    /// Where it is in its life.
    pub phase: Phase,
    /// The phase that it had before it was suspended.
    pub suspended_from: Option<Phase>,
    /// How often it was started; 0 before the first time.
    pub attempt: u32,
    /// Role it was offered to.
    pub role: Option<RoleIx>,
    /// If not empty: only these (of the role) may take it.
    pub offered_to: Vec<ActorId>,
    /// Whose it is.
    pub resource: Option<ActorId>,
    /// Tokens it holds since it was first started.
    pub consumed: smallvec::SmallVec<[ConditionIx; 2]>,
    /// When its timer fires, if one is set.
    pub timer: Option<Time>,
    /// It got the signal that it waited for.
    pub triggered: bool,
    /// If it is one of several of a firing: which.
    pub instance: Option<Box<Instance>>,
    /// The newest event about it.
    pub event: Seq,
}

impl WorkItemState {
    /// It was started, so its tokens are taken: others cannot take them any more. It keeps them until its end, also when
    /// it is put back, fails or is suspended.
    #[must_use]
    pub fn holds_tokens(&self) -> bool {
        self.attempt > 0
    }

    /// The item of the firing that it is an instance of.
    #[must_use]
    pub fn family(&self) -> Option<ItemId> {
        self.instance.as_ref().map(|instance| instance.family)
    }
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
    /// At rest.
    #[derive(Debug)]
    pub struct Suspended;
    /// At its end; nothing more is possible.
    #[derive(Debug)]
    pub struct Ended;
}

/// A work item whose phase is known to the compiler.
///
/// ```
/// use actum_model::{ActorId, AnyWorkItem, ItemId, RoleIx, TaskIx, WorkItem};
/// let item = WorkItem::enabled(ItemId(0), TaskIx(3));
/// let (item, _offered) = item.offer(Some(RoleIx(0)), vec![]);
/// let (item, _allocated) = item.allocate(ActorId(7));
/// let (_item, _started) = item.start(vec![]);
/// ```
/// An offered item cannot start:
/// ```compile_fail
/// # use actum_model::{ItemId, RoleIx, TaskIx, WorkItem};
/// let (item, _) = WorkItem::enabled(ItemId(0), TaskIx(3)).offer(Some(RoleIx(0)), vec![]);
/// item.start(vec![]);
/// ```
/// Nor can one that was put back, or one that is suspended:
/// ```compile_fail
/// # use actum_model::{ActorId, ItemId, TaskIx, WorkItem};
/// let (item, _) = WorkItem::enabled(ItemId(0), TaskIx(3)).allocate(ActorId(7));
/// let (item, _) = item.put_back();
/// item.start(vec![]);
/// ```
/// ```compile_fail
/// # use actum_model::{ActorId, ItemId, TaskIx, WorkItem};
/// let (item, _) = WorkItem::enabled(ItemId(0), TaskIx(3)).allocate(ActorId(7));
/// let (item, _) = item.suspend();
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
    /// In phase suspended.
    Suspended(WorkItem<phase::Suspended>),
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
            Phase::Suspended => AnyWorkItem::Suspended(of(self)),
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
    pub fn enabling(&self, frame: FrameId, instance: Option<Instance>) -> CaseEvent {
        CaseEvent::WorkEnabled { item: self.id, task: self.task, frame, instance: instance.map(Box::new) }
    }

    /// Offers it to a role, or to some of its members; without a role, to those named.
    pub fn offer(self, role: Option<RoleIx>, to: Vec<ActorId>) -> (WorkItem<phase::Offered>, CaseEvent) {
        let event = CaseEvent::WorkOffered { item: self.id, task: self.task, role, to };
        (self.into(), event)
    }

    /// Gives it to one person without an offer.
    pub fn allocate(self, to: ActorId) -> (WorkItem<phase::Allocated>, CaseEvent) {
        let event = CaseEvent::WorkAllocated { item: self.id, task: self.task, to };
        (self.into(), event)
    }

    /// Work without people belongs to the engine at once; that is no event.
    pub fn allocate_to_engine(self) -> WorkItem<phase::Allocated> {
        self.into()
    }
}

impl WorkItem<phase::Offered> {
    /// Offers it to others instead.
    pub fn offer(self, role: Option<RoleIx>, to: Vec<ActorId>) -> (WorkItem<phase::Offered>, CaseEvent) {
        let event = CaseEvent::WorkOffered { item: self.id, task: self.task, role, to };
        (self, event)
    }

    /// Gives it to one person.
    pub fn allocate(self, to: ActorId) -> (WorkItem<phase::Allocated>, CaseEvent) {
        let event = CaseEvent::WorkAllocated { item: self.id, task: self.task, to };
        (self.into(), event)
    }
}

impl WorkItem<phase::Allocated> {
    /// Begins the work, taking tokens: none if it holds them already.
    pub fn start(self, consumed: Vec<ConditionIx>) -> (WorkItem<phase::Started>, CaseEvent) {
        let event = CaseEvent::WorkStarted { item: self.id, task: self.task, consumed };
        (WorkItem { attempt: self.attempt.saturating_add(1), ..self.into() }, event)
    }

    /// Makes it nobody's.
    pub fn put_back(self) -> (WorkItem<phase::Enabled>, CaseEvent) {
        let event = CaseEvent::WorkPutBack { item: self.id, task: self.task };
        (self.into(), event)
    }

    /// Hands it to somebody else.
    pub fn delegate(self, to: ActorId) -> (WorkItem<phase::Allocated>, CaseEvent) {
        let event = CaseEvent::WorkDelegated { item: self.id, task: self.task, to, keep_state: false };
        (self, event)
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

    /// Lets the case go on while instances run: tokens are given now, and none at the end.
    pub fn pass(
        self,
        result: Value,
        changes: Vec<Change>,
        produced: Vec<ConditionIx>,
    ) -> (WorkItem<phase::Started>, CaseEvent) {
        let event = CaseEvent::InstancesPassed { item: self.id, task: self.task, result, changes, produced };
        (self, event)
    }

    /// Ends the attempt without success.
    pub fn fail(self, code: &str, message: &str) -> (WorkItem<phase::Failed>, CaseEvent) {
        let (code, message) = (code.to_owned(), message.to_owned());
        let event = CaseEvent::WorkFailed { item: self.id, task: self.task, code, message };
        (self.into(), event)
    }

    /// Makes it nobody's; it keeps its tokens.
    pub fn put_back(self) -> (WorkItem<phase::Enabled>, CaseEvent) {
        let event = CaseEvent::WorkPutBack { item: self.id, task: self.task };
        (self.into(), event)
    }

    /// Hands it to somebody else as it is.
    pub fn delegate(self, to: ActorId) -> (WorkItem<phase::Started>, CaseEvent) {
        let event = CaseEvent::WorkDelegated { item: self.id, task: self.task, to, keep_state: true };
        (self, event)
    }

    /// Hands it to somebody else, who begins it again.
    pub fn hand_over(self, to: ActorId) -> (WorkItem<phase::Allocated>, CaseEvent) {
        let event = CaseEvent::WorkDelegated { item: self.id, task: self.task, to, keep_state: false };
        (self.into(), event)
    }

    /// Begins another attempt, although this one has not failed.
    pub fn restart(self) -> (WorkItem<phase::Started>, CaseEvent) {
        let attempt = self.attempt.saturating_add(1);
        let event = CaseEvent::WorkRetried { item: self.id, task: self.task, attempt };
        (WorkItem { attempt, ..self }, event)
    }
}

impl WorkItem<phase::Failed> {
    /// Begins another attempt.
    pub fn retry(self) -> (WorkItem<phase::Started>, CaseEvent) {
        let attempt = self.attempt.saturating_add(1);
        let event = CaseEvent::WorkRetried { item: self.id, task: self.task, attempt };
        (WorkItem { attempt, ..self.into() }, event)
    }
}

impl WorkItem<phase::Suspended> {
    /// Makes it what it was before; its state says what that is.
    pub fn resume(self) -> CaseEvent {
        CaseEvent::WorkResumed { item: self.id, task: self.task }
    }
}

/// A phase that is not suspended and not the end.
pub trait Active {}

impl Active for phase::Enabled {}
impl Active for phase::Offered {}
impl Active for phase::Allocated {}
impl Active for phase::Started {}
impl Active for phase::Failed {}

impl<P: Active> WorkItem<P> {
    /// Lays it to rest.
    pub fn suspend(self) -> (WorkItem<phase::Suspended>, CaseEvent) {
        let event = CaseEvent::WorkSuspended { item: self.id, task: self.task };
        (self.into(), event)
    }

    /// Sets its timer.
    pub fn wait(self, until: Time) -> (Self, CaseEvent) {
        let event = CaseEvent::WorkWaiting { item: self.id, task: self.task, until };
        (self, event)
    }
}

impl AnyWorkItem {
    /// Ends the item because its case or subnet ends or its tokens went: withdrawn before it began, cancelled after.
    #[must_use]
    pub fn discard(self) -> CaseEvent {
        let (item, task, attempt) = self.parts();
        if attempt == 0 {
            CaseEvent::WorkWithdrawn { item, task }
        } else {
            CaseEvent::WorkCancelled { item, task, produced: Vec::new() }
        }
    }

    /// Stops the item while its net goes on; it gives back what mutexes it holds. An instance counts as running from the
    /// firing of its task on, so that it is stopped even if it was not begun.
    #[must_use]
    pub fn cancel(self, mutexes: Vec<ConditionIx>) -> CaseEvent {
        let (item, task, _) = self.parts();
        CaseEvent::WorkCancelled { item, task, produced: mutexes }
    }

    /// Takes the item over to complete it, in whichever phase it is, with the tokens that it does not hold yet.
    pub fn force(self, reason: &str, consumed: Vec<ConditionIx>) -> (WorkItem<phase::Started>, CaseEvent) {
        let (item, task, attempt) = self.parts();
        let event = CaseEvent::WorkForced { item, task, reason: reason.to_owned(), consumed };
        (WorkItem { id: item, task, attempt: attempt.max(1), phase: PhantomData }, event)
    }

    /// Lays the item to rest; `None` if it is already.
    #[must_use]
    pub fn suspend(self) -> Option<CaseEvent> {
        match self {
            AnyWorkItem::Enabled(item) => Some(item.suspend().1),
            AnyWorkItem::Offered(item) => Some(item.suspend().1),
            AnyWorkItem::Allocated(item) => Some(item.suspend().1),
            AnyWorkItem::Started(item) => Some(item.suspend().1),
            AnyWorkItem::Failed(item) => Some(item.suspend().1),
            AnyWorkItem::Suspended(_) => None,
        }
    }

    fn parts(&self) -> (ItemId, TaskIx, u32) {
        fn of<P>(item: &WorkItem<P>) -> (ItemId, TaskIx, u32) {
            (item.id, item.task, item.attempt)
        }
        match self {
            AnyWorkItem::Enabled(item) => of(item),
            AnyWorkItem::Offered(item) => of(item),
            AnyWorkItem::Allocated(item) => of(item),
            AnyWorkItem::Started(item) => of(item),
            AnyWorkItem::Failed(item) => of(item),
            AnyWorkItem::Suspended(item) => of(item),
        }
    }
}
