//! Events: facts, past tense. What happened is recorded, never recomputed.
//!
//! Every event carries its changes of tokens and variables, so that [`Case::apply`](crate::Case::apply) needs no net.

use crate::{ActorId, ConditionIx, ItemId, NetHash, RoleIx, Seq, TaskIx, Time, Value, VariableIx};

/// What the log says about an event beside its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Position in the partition.
    pub seq: Seq,
    /// Position in the stream, from 1.
    pub version: u64,
    /// When it was recorded.
    pub time: Time,
    /// Who caused it.
    pub actor: ActorId,
    /// The event that caused it.
    pub cause: Option<Seq>,
}

/// A variable's new value.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which variable.
    pub variable: VariableIx,
    /// Its value from now on.
    pub value: Value,
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
    /// A task may fire; its tokens are still there for others.
    WorkEnabled {
        /// The new work item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
    },
    /// People may take the item.
    WorkOffered {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
        /// Role whose members may take it.
        role: RoleIx,
        /// If not empty: only these of them.
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
    /// Running work was stopped.
    WorkCancelled {
        /// The item.
        item: ItemId,
        /// Its task.
        task: TaskIx,
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
            CaseEvent::WorkEnabled { item, task }
            | CaseEvent::WorkOffered { item, task, .. }
            | CaseEvent::WorkAllocated { item, task, .. }
            | CaseEvent::WorkStarted { item, task, .. }
            | CaseEvent::WorkCompleted { item, task, .. }
            | CaseEvent::WorkFailed { item, task, .. }
            | CaseEvent::WorkRetried { item, task, .. }
            | CaseEvent::WorkWithdrawn { item, task }
            | CaseEvent::WorkCancelled { item, task } => Some((item, task)),
            _ => None,
        }
    }
}

/// A fact about the log or the engine as a whole, in one of the system streams.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SystemEvent {
    /// The log was opened for writing.
    EngineOpened {
        /// Version of the software.
        software: String,
        /// Blocks found and verified.
        blocks: u64,
        /// Events found and verified.
        events: u64,
        /// Blocks of these that were stored but not yet acknowledged when the last writer stopped.
        unacknowledged_blocks: u64,
    },
    /// A net may be run from now on.
    NetDeployed {
        /// Its identity.
        net: NetHash,
        /// Its name.
        name: String,
        /// Its canonical form, whose hash is `net`.
        canonical: Vec<u8>,
    },
    /// Somebody who acts got an ordinal.
    ActorRegistered {
        /// The ordinal, the next free one.
        actor: ActorId,
        /// Unique name.
        name: String,
        /// Roles that the actor has.
        roles: Vec<String>,
    },
    /// An actor's roles changed.
    ActorRolesChanged {
        /// Who.
        actor: ActorId,
        /// All roles from now on.
        roles: Vec<String>,
    },
    /// The layout of a payload type, before its first use, so that the log can be read without this software.
    SchemaDescribed {
        /// Record kind.
        kind: u16,
        /// Record schema version.
        schema: u16,
        /// Name of the event.
        name: String,
        /// Its layout in words (see `payload`).
        layout: String,
    },
}

/// Any event of this model.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// About a case.
    Case(CaseEvent),
    /// About the log or engine.
    System(SystemEvent),
}

impl From<CaseEvent> for Event {
    fn from(event: CaseEvent) -> Self {
        Event::Case(event)
    }
}

impl From<SystemEvent> for Event {
    fn from(event: SystemEvent) -> Self {
        Event::System(event)
    }
}
