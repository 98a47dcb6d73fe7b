//! Facts about one case.

use super::Change;
use crate::{
    ActorId, ActorSet, ConditionIx, FrameId, Goal, ItemId, NetHash, RoleIx, Seq, SubnetIx, TaskIx, Time, Value,
};

/// Which of several a work item is: an instance of a task with multiple instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// The item of the task's firing, whose instances these are.
    pub family: ItemId,
    /// Which one, from 0.
    pub index: u32,
    /// The element of a list that it is for, if it is for one.
    pub each: Option<Value>,
}

/// What kind of thing went other than planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ExceptionKind {
    /// Work failed.
    Abort,
    /// It took too long.
    Timeout,
    /// Nobody can do it.
    Unavailable,
    /// A rule about the data is broken.
    Violation,
    /// Somebody outside said so.
    External,
}

impl ExceptionKind {
    /// Every kind, in the order of their stored numbers.
    pub const ALL: [Self; 5] = [Self::Abort, Self::Timeout, Self::Unavailable, Self::Violation, Self::External];

    /// The word used in nets and in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Abort => "abort",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::Violation => "violation",
            Self::External => "external",
        }
    }
}

/// A fact about one case.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CaseEvent {
    /// The case began.
    CaseStarted {
        /// The net it runs, for its whole life.
        net: NetHash,
        /// Version of the kernel's semantics it was decided under.
        semantics: u16,
        /// Initial variables.
        changes: Vec<Change>,
        /// Conditions that got a token.
        produced: Vec<ConditionIx>,
    },
    /// The case reached its end.
    CaseCompleted,
    /// The case was stopped on request.
    CaseCancelled {
        /// Why, in the words of who asked.
        reason: String,
    },
    /// No task is enabled or running and the end was not reached: the case can do nothing more.
    CaseDeadlocked,
    /// The case cannot go on because of a defect that no retry mends.
    CaseFailed {
        /// Stable code.
        code: String,
        /// For people.
        message: String,
    },
    /// Nothing new begins in the case and nobody may go on with it, until it is resumed. What runs outside may end.
    CaseSuspended,
    /// The case goes on.
    CaseResumed,
    /// Somebody ends the case as completed although it is not at its end. Its work is stopped and `CaseCompleted` follows.
    CaseForced {
        /// Why, in the words of who forces it.
        reason: String,
        /// Variables of the root net that they set: what the case is to have given.
        changes: Vec<Change>,
    },
    /// A rest that just began ends by itself when its time comes.
    RestLimited {
        /// The item that rests; none: the case.
        item: Option<ItemId>,
        /// When it goes on.
        until: Time,
    },
    /// A composite item runs its subnet.
    SubnetStarted {
        /// The new frame.
        frame: FrameId,
        /// The net that runs in it.
        subnet: SubnetIx,
        /// The composite item, in the frame above.
        item: ItemId,
        /// Initial variables.
        changes: Vec<Change>,
        /// Conditions that got a token.
        produced: Vec<ConditionIx>,
    },
    /// A subnet is over: its tokens and variables are gone. Its live work was withdrawn or cancelled before, one by one.
    SubnetEnded {
        /// The frame.
        frame: FrameId,
        /// The composite item.
        item: ItemId,
        /// It reached its end; otherwise it was stopped.
        completed: bool,
    },
    /// A partial join took tokens without firing, or took note of those that it fired with.
    JoinAdvanced {
        /// The task's frame.
        frame: FrameId,
        /// The task.
        task: TaskIx,
        /// Conditions that lost a token.
        absorbed: Vec<ConditionIx>,
        /// Its inputs from which tokens arrived since it was last as new; none: it is as new.
        arrived: Vec<ConditionIx>,
    },
    /// A cancellation took tokens. Work that it stopped has events of its own.
    TokensCancelled {
        /// The frame.
        frame: FrameId,
        /// The task that cancelled.
        task: TaskIx,
        /// Conditions that lost tokens, and how many each.
        removed: Vec<(ConditionIx, u32)>,
    },
    /// A signal came, or a kept one was used.
    SignalReceived {
        /// Its name.
        name: String,
        /// What came with it.
        data: Value,
        /// With an item: it was kept and is no longer. Without: it is kept until a task uses it; if not, it is lost.
        kept: bool,
        /// The item that it was meant for.
        item: Option<ItemId>,
    },
    /// Something went other than planned; what is done about it follows in events of its own.
    ExceptionRaised {
        /// The item, if it is about one.
        item: Option<ItemId>,
        /// What kind of thing.
        kind: ExceptionKind,
        /// Name of an external exception, code of a failure; otherwise empty.
        name: String,
        /// For people.
        message: String,
        /// What the net says is to be done, in its words.
        answer: String,
    },
    /// A task may fire; its tokens are still there for others.
    WorkEnabled {
        /// The new work item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Where it lives.
        frame: FrameId,
        /// If it is one of several of a firing.
        instance: Option<Box<Instance>>,
    },
    /// People may take the item.
    WorkOffered {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Role whose members may take it, if a role says who.
        role: Option<RoleIx>,
        /// Only these (of the role). None of them with a role: all of the role; without one: nobody.
        to: Vec<ActorId>,
    },
    /// One person has the item.
    WorkAllocated {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Whose it is.
        to: ActorId,
    },
    /// The task fired: its tokens are taken and work goes on.
    WorkStarted {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Conditions that lost a token.
        consumed: Vec<ConditionIx>,
    },
    /// Work is done; its results are in the case.
    WorkCompleted {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// What the handler or person gave back, as it came.
        result: Value,
        /// Variables that changed.
        changes: Vec<Change>,
        /// Conditions that got a token: the branches taken.
        produced: Vec<ConditionIx>,
    },
    /// Work was tried and did not succeed. The item keeps its tokens until it is retried or the case ends.
    WorkFailed {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Stable code.
        code: String,
        /// For people; never a secret.
        message: String,
    },
    /// A failed item is tried again.
    WorkRetried {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Number of the new attempt; the first is 1.
        attempt: u32,
    },
    /// The item is no longer possible, because another took its tokens, or the case ended before it started.
    WorkWithdrawn {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
    },
    /// Somebody takes the item over, whosever it was, and completes it with a result of theirs: that follows at once. What
    /// ran of it is stopped.
    WorkForced {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Why, in the words of who forces it.
        reason: String,
        /// Conditions that lost a token; none if it held its tokens already.
        consumed: Vec<ConditionIx>,
    },
    /// Running work was stopped.
    WorkCancelled {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Mutexes that it gives back.
        produced: Vec<ConditionIx>,
    },
    /// Enough instances are done: the case goes on, the other instances too. The item's end will give no tokens.
    InstancesPassed {
        /// The item of the firing.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// The results so far.
        result: Value,
        /// Variables that changed.
        changes: Vec<Change>,
        /// Conditions that got a token.
        produced: Vec<ConditionIx>,
    },
    /// The item rests until it is resumed.
    WorkSuspended {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
    },
    /// The item is again as it was before it was suspended.
    WorkResumed {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
    },
    /// The item's timer fired.
    WorkTimedOut {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
    },
    /// The item was passed over as if it had been done.
    WorkSkipped {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Conditions that lost a token.
        consumed: Vec<ConditionIx>,
        /// Variables that changed.
        changes: Vec<Change>,
        /// Conditions that got a token.
        produced: Vec<ConditionIx>,
    },
    /// The item is nobody's any more, and possible again. Started work keeps its tokens until it is started again.
    WorkPutBack {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
    },
    /// The item was handed to somebody else.
    WorkDelegated {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Whose it is now.
        to: ActorId,
        /// Started work stays started; otherwise it is to be started again.
        keep_state: bool,
    },
    /// Somebody above was told, or given the item.
    WorkEscalated {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Who was told, if it is one person.
        to: Option<ActorId>,
        /// Why.
        reason: String,
    },
    /// Who is to get the item was worked out. What follows from it has its own event.
    AllocationDecided {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// The newest event of the directory that was known.
        directory: Seq,
        /// Name of the strategy.
        strategy: String,
        /// Seed of a random choice; otherwise 0.
        seed: u64,
        /// Who was left to choose from.
        candidates: ActorSet,
        /// The rules that were applied in order, each with whom it ruled out.
        rules: Vec<(String, ActorSet)>,
        /// What the strategy compared; empty if it compares nothing.
        scores: Vec<(ActorId, i64)>,
        /// Who was chosen.
        chosen: Option<ActorId>,
    },
    /// A timer was set for the item; without its firing, the item stays as it is.
    WorkWaiting {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// When it fires.
        until: Time,
    },
    /// A failed item is tried again when the time comes, by its task's policy.
    WorkRetryScheduled {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// The attempt that will be made.
        attempt: u32,
        /// When.
        at: Time,
        /// Seed of the delay's random part; 0 without one.
        seed: u64,
    },
    /// An item failed for good: it waits until somebody tries it again or drops it.
    WorkDeadLettered {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// How many attempts were made since the item was new, or was last given out anew.
        attempts: u32,
        /// Why it is not tried again: `code`, `attempts`, `budget`, `deadline`, `no-retry`, or that what the net says about it
        /// cannot be done.
        reason: String,
    },
    /// The handler was not called, to protect it or the engine. What follows from it has its own event.
    WorkShed {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// The policy that refused it: `breaker` or `queue`.
        policy: String,
        /// For people.
        message: String,
        /// Until when all is refused, if that is known.
        until: Option<Time>,
    },
    /// The case was not started by hand: right after `CaseStarted`.
    CaseTriggered {
        /// Name of the start in the net.
        start: String,
        /// The time that was due, if the clock started it.
        due: Option<Time>,
        /// The event that published the message, if one started it.
        message: Option<Seq>,
    },
    /// A timer was set for the case as a whole.
    CaseWaiting {
        /// When it fires.
        until: Time,
    },
    /// The case's timer fired.
    CaseTimedOut,
    /// A timer fires late: nobody listened at its time. What it does follows.
    TimerFiredLate {
        /// The item; none for the case's own timer.
        item: Option<ItemId>,
        /// When it was due. The event's time tells how late that is.
        due: Time,
    },
    /// The item waits for a message.
    MessageAwaited {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// The message's name.
        name: String,
        /// What it must be about.
        key: String,
    },
    /// The message came that the item waited for.
    MessageReceived {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// The event that published the message.
        message: Seq,
        /// The message's name.
        name: String,
        /// What came with it.
        data: Value,
    },
    /// The item's work, which is done, can be undone.
    CompensationNoted {
        /// The item that completed.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Where it lived.
        frame: FrameId,
        /// The task that undoes it.
        by: TaskIx,
    },
    /// Done work is to be undone.
    CompensationBegun {
        /// What comes when it is.
        goal: Goal,
        /// The items, in the order in which they are undone: the last that completed first.
        items: Vec<ItemId>,
        /// Tokens that the root loses, so that nothing else begins there: all, or none.
        removed: Vec<(ConditionIx, u32)>,
    },
    /// An item undoes another.
    WorkCompensating {
        /// The item that undoes.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// The completed item that it undoes.
        of: ItemId,
    },
    /// One can go back to the state of the root net as it is now.
    SavepointReached {
        /// The savepoint's name.
        name: String,
        /// Tokens of the root, those among them that work under way has taken; ascending.
        marked: Vec<(ConditionIx, u32)>,
        /// Inputs of partial joins from which tokens arrived, by task.
        arrived: Vec<(TaskIx, Vec<ConditionIx>)>,
        /// Variables of the root that are set.
        variables: Vec<Change>,
    },
    /// The root net is again what it was at a savepoint. What ran was stopped before, by events of its own.
    SavepointRestored {
        /// The savepoint's name.
        name: String,
        /// Tokens that lie in the root from now on, and no others.
        marked: Vec<(ConditionIx, u32)>,
        /// Variables that change back.
        changes: Vec<Change>,
    },
}

impl CaseEvent {
    /// No event of the case can follow.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, CaseEvent::CaseCompleted | CaseEvent::CaseCancelled { .. } | CaseEvent::CaseFailed { .. })
    }

    /// Item and task, for events about work.
    #[must_use]
    pub fn work(&self) -> Option<(ItemId, TaskIx)> {
        match *self {
            CaseEvent::WorkEnabled { item, task, .. }
            | CaseEvent::WorkOffered { item, task, .. }
            | CaseEvent::WorkAllocated { item, task, .. }
            | CaseEvent::WorkStarted { item, task, .. }
            | CaseEvent::WorkCompleted { item, task, .. }
            | CaseEvent::WorkFailed { item, task, .. }
            | CaseEvent::WorkRetried { item, task, .. }
            | CaseEvent::WorkWithdrawn { item, task }
            | CaseEvent::WorkForced { item, task, .. }
            | CaseEvent::WorkCancelled { item, task, .. }
            | CaseEvent::InstancesPassed { item, task, .. }
            | CaseEvent::WorkSuspended { item, task }
            | CaseEvent::WorkResumed { item, task }
            | CaseEvent::WorkTimedOut { item, task }
            | CaseEvent::WorkSkipped { item, task, .. }
            | CaseEvent::WorkPutBack { item, task }
            | CaseEvent::WorkDelegated { item, task, .. }
            | CaseEvent::WorkEscalated { item, task, .. }
            | CaseEvent::AllocationDecided { item, task, .. }
            | CaseEvent::WorkWaiting { item, task, .. }
            | CaseEvent::WorkRetryScheduled { item, task, .. }
            | CaseEvent::WorkDeadLettered { item, task, .. }
            | CaseEvent::WorkShed { item, task, .. }
            | CaseEvent::MessageAwaited { item, task, .. }
            | CaseEvent::MessageReceived { item, task, .. }
            | CaseEvent::CompensationNoted { item, task, .. }
            | CaseEvent::WorkCompensating { item, task, .. } => Some((item, task)),
            _ => None,
        }
    }

    /// Variables that the event changes, in its frame (see [`Control::frame_of`](crate::Control::frame_of)).
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        match self {
            CaseEvent::CaseStarted { changes, .. }
            | CaseEvent::CaseForced { changes, .. }
            | CaseEvent::SubnetStarted { changes, .. }
            | CaseEvent::WorkCompleted { changes, .. }
            | CaseEvent::InstancesPassed { changes, .. }
            | CaseEvent::WorkSkipped { changes, .. }
            | CaseEvent::SavepointRestored { changes, .. } => changes,
            _ => &[],
        }
    }

    /// Conditions that get a token each, in the event's frame.
    #[must_use]
    pub fn produced(&self) -> &[ConditionIx] {
        match self {
            CaseEvent::CaseStarted { produced, .. }
            | CaseEvent::SubnetStarted { produced, .. }
            | CaseEvent::WorkCompleted { produced, .. }
            | CaseEvent::WorkCancelled { produced, .. }
            | CaseEvent::InstancesPassed { produced, .. }
            | CaseEvent::WorkSkipped { produced, .. } => produced,
            _ => &[],
        }
    }

    /// Conditions that lose a token each, in the event's frame.
    #[must_use]
    pub fn consumed(&self) -> &[ConditionIx] {
        match self {
            CaseEvent::WorkStarted { consumed, .. }
            | CaseEvent::WorkForced { consumed, .. }
            | CaseEvent::WorkSkipped { consumed, .. } => consumed,
            CaseEvent::JoinAdvanced { absorbed, .. } => absorbed,
            _ => &[],
        }
    }
}
