//! The names that conditions see, and the kinds of events that patterns name.

use actum_net::ValueKind;

macro_rules! names {
    ($($name:ident = $text:literal $kind:ident,)*) => {
        /// A name in a condition; ordinals are places in [`NAMES`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Name { $($name,)* }

        impl Name {
            pub(super) const ALL: &'static [Name] = &[$(Name::$name,)*];
        }

        /// Ascending, as expressions find their names by bisection.
        pub(super) const NAMES: [(&str, ValueKind); Name::ALL.len()] = [$(($text, ValueKind::$kind),)*];
    };
}

// The keys of an event's JSON (README of this room), `vars`, `started`, and `event` for all keys together.
names! {
    Absorbed = "absorbed" Any,
    Actor = "actor" String,
    Answer = "answer" Any,
    Arrived = "arrived" Any,
    Attempt = "attempt" Any,
    Candidates = "candidates" Any,
    Case = "case" Int,
    Cause = "cause" Int,
    Chosen = "chosen" Any,
    Code = "code" Any,
    Command = "command" Any,
    Completed = "completed" Any,
    Consumed = "consumed" Any,
    Data = "data" Any,
    Event = "event" Map,
    Exception = "exception" Any,
    Family = "family" Any,
    Frame = "frame" Int,
    Index = "index" Any,
    Item = "item" Int,
    Key = "key" String,
    Kind = "kind" String,
    Message = "message" Any,
    Called = "name" Any,
    Net = "net" String,
    NetHash = "net_hash" String,
    OnBehalfOf = "on_behalf_of" Any,
    Partition = "partition" Int,
    Produced = "produced" Any,
    Reason = "reason" Any,
    Removed = "removed" Any,
    Result = "result" Any,
    Role = "role" Any,
    Roles = "roles" Any,
    Scores = "scores" Any,
    Seq = "seq" Int,
    Signal = "signal" Any,
    Started = "started" Time,
    Strategy = "strategy" Any,
    Stream = "stream" Any,
    Subnet = "subnet" Any,
    Task = "task" String,
    Time = "time" Time,
    To = "to" Any,
    Until = "until" Any,
    Variables = "variables" Map,
    Vars = "vars" Map,
    Version = "version" Int,
}

/// Kinds of events, in no order that means anything. A test holds the list to what [`crate::LoggedEvent::kind`] gives.
pub(super) const KINDS: &[&str] = &[
    "CaseStarted",
    "CaseCompleted",
    "CaseCancelled",
    "CaseDeadlocked",
    "CaseFailed",
    "CaseSuspended",
    "CaseResumed",
    "WorkEnabled",
    "WorkOffered",
    "WorkAllocated",
    "WorkStarted",
    "WorkCompleted",
    "WorkFailed",
    "WorkRetried",
    "WorkWithdrawn",
    "WorkCancelled",
    "WorkSuspended",
    "WorkResumed",
    "WorkTimedOut",
    "WorkSkipped",
    "WorkPutBack",
    "WorkDelegated",
    "WorkEscalated",
    "WorkWaiting",
    "AllocationDecided",
    "SubnetStarted",
    "SubnetEnded",
    "JoinAdvanced",
    "TokensCancelled",
    "SignalReceived",
    "ExceptionRaised",
    "InstancesPassed",
    "WorkRetryScheduled",
    "WorkDeadLettered",
    "WorkShed",
    "WorkForced",
    "CaseForced",
    "RestLimited",
    "CaseTriggered",
    "CaseWaiting",
    "CaseTimedOut",
    "TimerFiredLate",
    "MessageAwaited",
    "MessageReceived",
    "CompensationNoted",
    "CompensationBegun",
    "WorkCompensating",
    "SavepointReached",
    "SavepointRestored",
    "CaseEvent",
    "BlockWritten",
    "KeyRotated",
    "KeyRevoked",
    "CheckpointWritten",
    "EngineOpened",
    "LogRestored",
    "StateSaved",
    "StateRecovered",
    "StateSaved",
    "StateRecovered",
    "NetDeployed",
    "ActorRegistered",
    "ActorRolesChanged",
    "ActorPositionsChanged",
    "ActorGroupsChanged",
    "ActorCapabilitiesChanged",
    "ActorCalendarAssigned",
    "ActorFiguresChanged",
    "ActorAbsenceAdded",
    "ActorAbsenceRemoved",
    "ActorActivityChanged",
    "GroupDefined",
    "PositionDefined",
    "CalendarDefined",
    "PileChanged",
    "OrganisationEvent",
    "SchemaDescribed",
    "MessagePublished",
    "MessageDropped",
    "StartsSkipped",
    "StartRefused",
    "BreakerOpened",
    "BreakerHalfOpened",
    "BreakerClosed",
    "SystemEvent",
    "Unknown",
];

/// Events of that kind belong to cases: these come first in [`KINDS`].
pub(super) fn is_of_case(kind: &str) -> bool {
    KINDS.iter().take_while(|known| **known != "BlockWritten").any(|known| *known == kind)
}

/// Events of that kind are about a work item, so that they have a task.
pub(super) fn is_of_task(kind: &str) -> bool {
    kind.starts_with("Work") || ["AllocationDecided", "InstancesPassed"].contains(&kind)
}

/// Kinds after which no event of a case can follow.
pub(super) const ENDS: [&str; 3] = ["CaseCompleted", "CaseCancelled", "CaseFailed"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| *name));
        assert_eq!(NAMES[Name::Vars as usize].0, "vars");
        assert_eq!(Name::ALL[Name::Result as usize], Name::Result);
    }

    #[test]
    fn every_kind_of_event_can_be_named() {
        let sources = [
            include_str!("../event.rs"),
            include_str!("../json_organisation.rs"),
            include_str!("../json_durable.rs"),
            include_str!("../json_policy.rs"),
        ];
        for source in sources {
            let quoted = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
            for kind in quoted.filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase())) {
                assert!(KINDS.contains(&kind), "{kind} is missing in KINDS");
            }
        }
    }
}
