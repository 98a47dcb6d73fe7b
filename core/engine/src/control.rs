//! What is asked of a case from outside beside work: signals, rests, exceptions, instances; and when timers fire.

use std::collections::BTreeMap;

use actum_model::{ActorId, CaseCommand, CaseId, ExceptionKind, Extent, ItemId, RestEnd, Value};

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
        self.command(case, actor, CaseCommand::SuspendCase { until: None }).await
    }

    /// Lays a case to rest for a time: then it goes on by itself, at once after a restart if the time came meanwhile, and the log
    /// says when that is late. Whoever resumes it before ends the rest.
    ///
    /// # Errors
    /// As [`Engine::suspend_case`]; also `case/rest` when the time is not in the future.
    pub async fn suspend_case_for(&self, case: CaseId, actor: ActorId, until: RestEnd) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::SuspendCase { until: Some(until) }).await
    }

    /// Ends a case as completed, wherever it is, deadlocked or at rest too: what runs in it is stopped, its handlers' calls are
    /// cancelled. `output` sets variables of its net, by name; the log has them, `reason` and who forced it (`CaseForced`).
    ///
    /// # Errors
    /// Rejections: `case/unknown-output`, `case/output-type` when `output` does not fit the net; `case/ended`, `case/not-found`.
    pub async fn force_case(
        &self,
        case: CaseId,
        actor: ActorId,
        output: BTreeMap<String, Value>,
        reason: &str,
    ) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::ForceCase { output, reason: reason.to_owned() }).await
    }

    /// Completes an item with a result of the actor's own, whosever it is and in whichever phase: enabled, offered, with a handler,
    /// failed, at rest. What ran of it is stopped; a handler that is under way is told, and its result is dropped. The log has
    /// `reason` and who forced it (`WorkForced`). Of a task that runs with several instances, the result is the list of theirs.
    ///
    /// # Errors
    /// Rejections: `work/result-form`, `work/output`, `work/guard` when the result does not fit what the net does with it; `work/gone`
    /// when the item's tokens are; `work/phase` when the case went on from it already; `work/not-found`, `work/suspended`,
    /// `case/suspended`.
    pub async fn force_work(
        &self,
        case: CaseId,
        item: ItemId,
        actor: ActorId,
        result: Value,
        reason: &str,
    ) -> Result<(), CommandError> {
        self.command(case, actor, CaseCommand::ForceWork { item, result, reason: reason.to_owned() }).await
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
        let mut timers = self.ask_all::<Vec<Timer>>(|| Ask::Timers { limit }).await?.concat();
        if self.partitions() > 1 {
            timers.sort_by_key(|timer| (timer.at, timer.case, timer.item));
            timers.truncate(limit);
        }
        Ok(timers)
    }
}
