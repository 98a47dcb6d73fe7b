//! An event as the log has it, decoded.

use actum_log::{BlockRecord, Position, Rotation, Trace};
use actum_model::{ActorId, CaseEvent, CaseId, Event, Meta, SystemEvent};

const SYSTEM: u64 = actum_log::SYSTEM_STREAM;

/// An event of a log.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LoggedEvent {
    /// The partition that recorded it.
    pub partition: u16,
    /// Whose event it is.
    pub stream: Stream,
    /// Position, version, time, actor and cause.
    pub meta: Meta,
    /// Business key; only on the event that starts a case.
    pub key: Option<String>,
    /// For whom the actor acted.
    pub on_behalf_of: Option<ActorId>,
    /// The command that caused it.
    pub command: Option<[u8; 16]>,
    /// Trace context.
    pub trace: Option<Trace>,
    /// The causing event, when another partition recorded it.
    pub remote_cause: Option<Position>,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A block of the log began.
    Block(BlockRecord),
    /// Another key came into force, from the next block on.
    KeyRotated(Rotation),
    /// A key is not to be believed any more.
    KeyRevoked {
        /// Its public key.
        key: [u8; 32],
        /// Why.
        reason: String,
    },
    /// The log committed to where every stream stood.
    Checkpoint {
        /// Events that it is over.
        size: u64,
        /// Streams that they belong to.
        streams: u64,
        /// Root of the table of streams.
        root: [u8; 32],
    },
    /// An event of the log's own that this version does not know.
    Unknown,
    /// Anything else.
    Event(Event),
}

impl LoggedEvent {
    /// The case and what happened to it, for events about a case.
    #[must_use]
    pub fn of_case(&self) -> Option<(CaseId, &CaseEvent)> {
        match (self.stream, &self.fact) {
            (Stream::Case(case), Fact::Event(Event::Case(event))) => Some((case, event)),
            _ => None,
        }
    }

    /// Name of the kind of event.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.fact {
            Fact::Block(_) => "BlockWritten",
            Fact::KeyRotated(_) => "KeyRotated",
            Fact::KeyRevoked { .. } => "KeyRevoked",
            Fact::Checkpoint { .. } => "CheckpointWritten",
            Fact::Unknown => "Unknown",
            Fact::Event(Event::Case(event)) => case_kind(event),
            Fact::Event(Event::System(event)) => system_kind(event),
        }
    }
}

fn case_kind(event: &CaseEvent) -> &'static str {
    match event {
        CaseEvent::CaseStarted { .. } => "CaseStarted",
        CaseEvent::CaseCompleted => "CaseCompleted",
        CaseEvent::CaseCancelled { .. } => "CaseCancelled",
        CaseEvent::CaseDeadlocked => "CaseDeadlocked",
        CaseEvent::CaseFailed { .. } => "CaseFailed",
        CaseEvent::WorkEnabled { .. } => "WorkEnabled",
        CaseEvent::WorkOffered { .. } => "WorkOffered",
        CaseEvent::WorkAllocated { .. } => "WorkAllocated",
        CaseEvent::WorkStarted { .. } => "WorkStarted",
        CaseEvent::WorkCompleted { .. } => "WorkCompleted",
        CaseEvent::WorkFailed { .. } => "WorkFailed",
        CaseEvent::WorkRetried { .. } => "WorkRetried",
        CaseEvent::WorkWithdrawn { .. } => "WorkWithdrawn",
        CaseEvent::WorkCancelled { .. } => "WorkCancelled",
        CaseEvent::CaseSuspended => "CaseSuspended",
        CaseEvent::CaseResumed => "CaseResumed",
        CaseEvent::SubnetStarted { .. } => "SubnetStarted",
        CaseEvent::SubnetEnded { .. } => "SubnetEnded",
        CaseEvent::JoinAdvanced { .. } => "JoinAdvanced",
        CaseEvent::TokensCancelled { .. } => "TokensCancelled",
        CaseEvent::SignalReceived { .. } => "SignalReceived",
        CaseEvent::ExceptionRaised { .. } => "ExceptionRaised",
        CaseEvent::InstancesPassed { .. } => "InstancesPassed",
        CaseEvent::WorkSuspended { .. } => "WorkSuspended",
        CaseEvent::WorkResumed { .. } => "WorkResumed",
        CaseEvent::WorkTimedOut { .. } => "WorkTimedOut",
        CaseEvent::WorkSkipped { .. } => "WorkSkipped",
        CaseEvent::WorkPutBack { .. } => "WorkPutBack",
        CaseEvent::WorkDelegated { .. } => "WorkDelegated",
        CaseEvent::WorkEscalated { .. } => "WorkEscalated",
        CaseEvent::AllocationDecided { .. } => "AllocationDecided",
        CaseEvent::WorkWaiting { .. } => "WorkWaiting",
        CaseEvent::WorkForced { .. } => "WorkForced",
        CaseEvent::CaseForced { .. } => "CaseForced",
        CaseEvent::RestLimited { .. } => "RestLimited",
        other => crate::json_policy::case_kind(other).unwrap_or_else(|| crate::json_durable::case_kind(other)),
    }
}

fn system_kind(event: &SystemEvent) -> &'static str {
    match event {
        SystemEvent::EngineOpened { .. } => "EngineOpened",
        SystemEvent::LogRestored { .. } => "LogRestored",
        SystemEvent::NetDeployed { .. } => "NetDeployed",
        SystemEvent::ActorRegistered { .. } => "ActorRegistered",
        SystemEvent::ActorRolesChanged { .. } => "ActorRolesChanged",
        SystemEvent::SchemaDescribed { .. } => "SchemaDescribed",
        SystemEvent::Organisation(event) => crate::json_organisation::kind(event),
        SystemEvent::Message(event) => crate::json_durable::message_kind(event),
        SystemEvent::Start(event) => crate::json_durable::start_kind(event),
        SystemEvent::Breaker(event) => crate::json_policy::breaker_kind(event),
        SystemEvent::Saved(event) => event.name(),
        _ => "SystemEvent",
    }
}

/// The subject of an event (`FORMAT.md`, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stream {
    /// A case.
    Case(CaseId),
    /// The log's own blocks.
    Blocks,
    /// The engine as a whole.
    Engine,
    /// Signing keys.
    Keys,
    /// Nets.
    Nets,
    /// People and their roles.
    Directory,
    /// Autonomic decisions.
    Adaptation,
    /// Layouts of payload types.
    Schemas,
    /// Saved states.
    Checkpoints,
    /// Messages that were sent.
    Messages,
    /// A system stream without a meaning in format 1.
    Other(u64),
}

impl Stream {
    /// The stream of an id in the log.
    #[must_use]
    pub fn of(id: u64) -> Self {
        match id.checked_sub(SYSTEM) {
            None => Stream::Case(CaseId(id)),
            Some(0) => Stream::Blocks,
            Some(1) => Stream::Engine,
            Some(2) => Stream::Keys,
            Some(3) => Stream::Nets,
            Some(4) => Stream::Directory,
            Some(5) => Stream::Adaptation,
            Some(6) => Stream::Schemas,
            Some(7) => Stream::Checkpoints,
            Some(8) => Stream::Messages,
            Some(other) => Stream::Other(other),
        }
    }

    /// The case, if it is one.
    #[must_use]
    pub fn case(self) -> Option<CaseId> {
        match self {
            Stream::Case(case) => Some(case),
            _ => None,
        }
    }

    /// The name used in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stream::Case(_) => "case",
            Stream::Blocks => "blocks",
            Stream::Engine => "engine",
            Stream::Keys => "keys",
            Stream::Nets => "nets",
            Stream::Directory => "directory",
            Stream::Adaptation => "adaptation",
            Stream::Schemas => "schemas",
            Stream::Checkpoints => "checkpoints",
            Stream::Messages => "messages",
            Stream::Other(_) => "other",
        }
    }
}
