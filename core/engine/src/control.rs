//! What is asked of a case from outside beside work: signals, rests, exceptions, instances; and when timers fire.

use actum_model::{ActorId, CaseCommand, CaseId, ExceptionKind, Extent, ItemId, Value};

use crate::engine::Engine;
use crate::error::CommandError;
use crate::request::Ask;
use crate::timers::Timer;

impl Engine {
    /// Tells a case that something happened outside. The first item that waits for the signal goes on; if none does, it is kept
    /// for one where the net says `persistent` (at most [`actum_kernel::SIGNALS_MAX`] at a time), else it is lost, which the log
    /// records.
    ///
    /// # Errors
    /// Rejections: `case/unknown-signal` when no task of the net waits for it, `case/signal` when its data cannot be stored,
    /// `case/signals` when too many are kept, `case/suspended`, `case/ended`, `case/not-found`.
    pub async fn signal(&self, case: CaseId, actor: ActorId, name: &str, data: Value) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::Signal { name: name.to_owned(), data }).await
    }

    /// Adds an instance to a task that runs with several: `item` is the firing or any of its instances, `each` the element that the
    /// new one is for, if they are for the elements of a list.
    ///
    /// # Errors
    /// Rejections: `work/instances` when the net does not allow it, the task went on or has as many as it may, `work/limit`,
    /// `work/not-found`, `work/suspended`.
    pub async fn add_instance(
        &self,
        case: CaseId,
        item: ItemId,
        actor: ActorId,
        each: Option<Value>,
    ) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::AddInstance { item, each }).await
    }

    /// Completes a task that runs with several instances now; those that are not done are stopped.
    ///
    /// # Errors
    /// Rejections: `work/instances` when none is left to stop, `work/not-found`, `work/suspended`.
    pub async fn complete_instances(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::CompleteInstances { item }).await
    }

    /// Stops an item with its instances or its subnet. It gives no tokens, so the case may be deadlocked after it.
    ///
    /// # Errors
    /// Rejections: `work/not-found` when it has ended, `case/suspended`.
    pub async fn cancel_work(&self, case: CaseId, item: ItemId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::CancelWork { item }).await
    }

    /// Lays a case to rest: nothing new begins, people are refused, timers stand still. Handlers that run already may finish; their
    /// results are kept.
    ///
    /// # Errors
    /// Rejections: `case/suspended` when it rests already, `case/ended`, `case/not-found`.
    pub async fn suspend_case(&self, case: CaseId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::SuspendCase).await
    }

    /// Goes on with a case that rests. Timers whose time came meanwhile fire now.
    ///
    /// # Errors
    /// Rejections: `case/not-suspended`, `case/ended`, `case/not-found`.
    pub async fn resume_case(&self, case: CaseId, actor: ActorId) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::ResumeCase).await
    }

    /// Says that something went other than planned, with an item or (without one) with the case; the net's rule for it says what is
    /// done. `name` is that of an external exception, else empty.
    ///
    /// # Errors
    /// Rejections: `case/no-rule` when the net has none for it, `work/not-found`, `case/suspended`.
    pub async fn raise(
        &self,
        case: CaseId,
        item: Option<ItemId>,
        actor: ActorId,
        kind: ExceptionKind,
        name: &str,
        message: &str,
    ) -> Result<(), CommandError> {
        let (name, message) = (name.to_owned(), message.to_owned());
        self.command(case, actor, CaseCommand::RaiseException { item, kind, name, message }).await
    }

    /// Undoes what is done in a case, in reverse order, by the tasks that the net names for it: all of it, what led to an item, or
    /// what came after a savepoint, to which the case then goes back. Returns when it has begun; it goes on after a restart.
    ///
    /// # Errors
    /// Rejections: `case/compensating` when it is being undone already, `case/no-savepoint` when the case has not come to it,
    /// `work/not-found`, `case/suspended`, `case/ended`, `case/not-found`.
    pub async fn compensate(
        &self,
        case: CaseId,
        actor: ActorId,
        extent: Extent,
        reason: &str,
    ) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::Compensate { extent, reason: reason.to_owned() }).await
    }

    /// Timers that fire next, soonest first, at most `limit` and at most [`Limits::worklist_rows_max`](crate::Limits); not those of
    /// what rests.
    ///
    /// # Errors
    /// `Busy`, or when the engine was closed or stopped.
    pub async fn timers(&self, limit: usize) -> Result<Vec<Timer>, CommandError> {
        let limit = limit.min(self.inner.limits.worklist_rows_max);
        self.ask(Ask::Timers { limit }).await
    }
}
