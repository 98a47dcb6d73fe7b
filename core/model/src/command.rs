//! Commands: requests, imperative. Each is answered by events or by a rejection.

use std::collections::BTreeMap;

use crate::{ActorId, ExceptionKind, ItemId, Seq, Time, Value};

/// What one can ask of a case.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum CaseCommand {
    /// Begin the case with these inputs, by variable name.
    StartCase {
        /// Inputs.
        input: BTreeMap<String, Value>,
    },
    /// Begin the case because the clock or a message says so.
    TriggerCase {
        /// Inputs.
        input: BTreeMap<String, Value>,
        /// Name of the start in the net.
        start: String,
        /// The time that was due, if the clock starts it.
        due: Option<Time>,
        /// The event that published the message, if one starts it.
        message: Option<Seq>,
    },
    /// Stop the case.
    CancelCase {
        /// Why.
        reason: String,
    },
    /// End the case as completed, wherever it is.
    ForceCase {
        /// Variables of the root net that it is to have given, by name.
        output: BTreeMap<String, Value>,
        /// Why.
        reason: String,
    },
    /// Complete an item with a result of one's own, whosever it is and in whichever phase.
    ForceWork {
        /// Which item.
        item: ItemId,
        /// What is to have come out: it must fit form and output mapping. Of a firing of several, the list of their results.
        result: Value,
        /// Why.
        reason: String,
    },
    /// Offer a manual item to some people only, or (with none) to its whole role.
    OfferWork {
        /// Which item.
        item: ItemId,
        /// To whom.
        to: Vec<ActorId>,
    },
    /// Make an offered item one's own.
    TakeWork {
        /// Which item.
        item: ItemId,
    },
    /// Begin an item that one has.
    StartWork {
        /// Which item.
        item: ItemId,
    },
    /// End started work with its result.
    CompleteWork {
        /// Which item.
        item: ItemId,
        /// What came out: for a manual task a map that fits its form.
        result: Value,
    },
    /// End started work without success.
    FailWork {
        /// Which item.
        item: ItemId,
        /// Stable code.
        code: String,
        /// For people.
        message: String,
    },
    /// Do not call the handler of started work, to protect it or the engine.
    ShedWork {
        /// Which item.
        item: ItemId,
        /// The policy that refuses it: `breaker` or `queue`.
        policy: String,
        /// For people.
        message: String,
        /// Until when all is refused, if that is known.
        until: Option<Time>,
    },
    /// Try a failed item again.
    RetryWork {
        /// Which item.
        item: ItemId,
    },
    /// Stop an item, with its instances or its subnet. It gives no tokens.
    CancelWork {
        /// Which item.
        item: ItemId,
    },
    /// Add an instance to a task that runs with several.
    AddInstance {
        /// The item of the firing, or any of its instances.
        item: ItemId,
        /// What the new instance is for.
        each: Option<Value>,
    },
    /// End a task with several instances now; those that are not done are stopped.
    CompleteInstances {
        /// The item of the firing, or any of its instances.
        item: ItemId,
    },
    /// Tell the case that something happened outside.
    Signal {
        /// Its name.
        name: String,
        /// What came with it.
        data: Value,
    },
    /// The time has come that an item waits for.
    TimerFired {
        /// Which item.
        item: ItemId,
    },
    /// The time has come that the case as a whole had.
    CaseTimerFired,
    /// A message comes that an item waits for.
    ReceiveMessage {
        /// Which item.
        item: ItemId,
        /// The event that published it.
        message: Seq,
        /// Its name.
        name: String,
        /// What comes with it.
        data: Value,
    },
    /// Undo what is done.
    Compensate {
        /// How far.
        extent: Extent,
        /// Why.
        reason: String,
    },
    /// Let nothing new begin.
    SuspendCase {
        /// When it goes on by itself, if it does.
        until: Option<RestEnd>,
    },
    /// Go on.
    ResumeCase,
    /// Lay an item to rest.
    SuspendWork {
        /// Which item.
        item: ItemId,
        /// When it goes on by itself, if it does.
        until: Option<RestEnd>,
    },
    /// Go on with an item.
    ResumeWork {
        /// Which item.
        item: ItemId,
    },
    /// Say that something went other than planned.
    RaiseException {
        /// The item, if it is about one; else the case.
        item: Option<ItemId>,
        /// What kind of thing.
        kind: ExceptionKind,
        /// Name of an external exception.
        name: String,
        /// For people.
        message: String,
    },
    /// Make an item that one has nobody's again.
    PutBackWork {
        /// Which item.
        item: ItemId,
    },
    /// Hand an item that is not begun to somebody else.
    DelegateWork {
        /// Which item.
        item: ItemId,
        /// To whom.
        to: ActorId,
    },
    /// Hand an item that is begun to somebody else.
    ReallocateWork {
        /// Which item.
        item: ItemId,
        /// To whom.
        to: ActorId,
        /// It stays begun; otherwise it is to be begun again.
        keep_state: bool,
    },
    /// Pass over an item as if it had been done.
    SkipWork {
        /// Which item.
        item: ItemId,
    },
    /// Tell somebody above about an item, or give it to them.
    EscalateWork {
        /// Which item.
        item: ItemId,
        /// Why.
        reason: String,
    },
    /// Get all work of an item's task from now on, or no longer.
    PileWork {
        /// Which item.
        item: ItemId,
        /// Get it from now on.
        on: bool,
    },
}

impl CaseCommand {
    /// Its name, lower case with underscores: for logs and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            CaseCommand::StartCase { .. } => "start_case",
            CaseCommand::TriggerCase { .. } => "trigger_case",
            CaseCommand::CancelCase { .. } => "cancel_case",
            CaseCommand::ForceCase { .. } => "force_case",
            CaseCommand::ForceWork { .. } => "force_work",
            CaseCommand::OfferWork { .. } => "offer_work",
            CaseCommand::TakeWork { .. } => "take_work",
            CaseCommand::StartWork { .. } => "start_work",
            CaseCommand::CompleteWork { .. } => "complete_work",
            CaseCommand::FailWork { .. } => "fail_work",
            CaseCommand::ShedWork { .. } => "shed_work",
            CaseCommand::RetryWork { .. } => "retry_work",
            CaseCommand::CancelWork { .. } => "cancel_work",
            CaseCommand::AddInstance { .. } => "add_instance",
            CaseCommand::CompleteInstances { .. } => "complete_instances",
            CaseCommand::Signal { .. } => "signal",
            CaseCommand::TimerFired { .. } => "timer_fired",
            CaseCommand::CaseTimerFired => "case_timer_fired",
            CaseCommand::ReceiveMessage { .. } => "receive_message",
            CaseCommand::Compensate { .. } => "compensate",
            CaseCommand::SuspendCase { .. } => "suspend_case",
            CaseCommand::ResumeCase => "resume_case",
            CaseCommand::SuspendWork { .. } => "suspend_work",
            CaseCommand::ResumeWork { .. } => "resume_work",
            CaseCommand::RaiseException { .. } => "raise_exception",
            CaseCommand::PutBackWork { .. } => "put_back_work",
            CaseCommand::DelegateWork { .. } => "delegate_work",
            CaseCommand::ReallocateWork { .. } => "reallocate_work",
            CaseCommand::SkipWork { .. } => "skip_work",
            CaseCommand::EscalateWork { .. } => "escalate_work",
            CaseCommand::PileWork { .. } => "pile_work",
        }
    }
}

/// When a rest ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestEnd {
    /// At this time.
    At(Time),
    /// So long after it began.
    After {
        /// Nanoseconds.
        ns: u64,
    },
}

/// How far one goes back in a case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// Everything: then the case is cancelled.
    All,
    /// What was done on the way to an item, in its net; then the item is removed, and the rest goes on.
    Branch(ItemId),
    /// To a savepoint, from which the case goes on.
    Savepoint(String),
}

/// The domain's "no", with a code that is stable for ever. The case stays as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Rejection {
    /// Stable code such as `work/not-yours`.
    pub code: &'static str,
    /// What, where, and what to do about it.
    pub message: String,
}

impl Rejection {
    /// A rejection.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Rejection { code, message: message.into() }
    }
}
