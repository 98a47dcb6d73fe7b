//! Events as stored bytes: one archived type per (kind, schema version).
//!
//! Kinds: 256 to 511 for the system streams, from 512 for cases. A pair that is not in the table is an error, never a guess.

mod control;
mod convert;
mod durable;
mod organisation;
mod policy;
mod runs;
mod saved;
mod v1;
mod v2;

use rkyv::rancor;

use crate::event::{CaseEvent, Event};

/// The fields of a payload type, for its description in the log.
trait Layout {
    const FIELDS: &'static [(&'static str, &'static str)];
}

/// Declares stored types with their layouts. What one says once is frozen: another layout is another version.
macro_rules! frozen {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(rkyv::Archive, rkyv::Serialize, rkyv::Deserialize, Debug, Clone, PartialEq)]
            pub(in crate::payload) struct $name { $(pub $field: $kind),* }

            impl $crate::payload::Layout for $name {
                const FIELDS: &'static [(&'static str, &'static str)] = &[$((stringify!($field), stringify!($kind))),*];
            }
        )*
    };
}

use frozen;

/// Why a stored payload is not an event of this model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// This software does not know the payload type; a newer one may.
    #[error("unknown payload type: kind {kind}, schema {schema}")]
    Unknown {
        /// Record kind.
        kind: u16,
        /// Record schema version.
        schema: u16,
    },
    /// The bytes are not a valid archive of their type.
    #[error("the payload of a {name} does not decode")]
    Invalid {
        /// Name of the payload type.
        name: &'static str,
    },
    /// A value inside is not deterministic CBOR.
    #[error("a value in a {name} does not decode")]
    Value {
        /// Name of the payload type.
        name: &'static str,
        /// What is wrong with it.
        #[source]
        source: crate::cbor::CborError,
    },
}

/// A payload type as this software writes or reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadType {
    /// Record kind.
    pub kind: u16,
    /// Record schema version.
    pub schema: u16,
    /// Name of the event.
    pub name: &'static str,
    fields: &'static [(&'static str, &'static str)],
}

impl PayloadType {
    /// Whether events are written in this version of the payload type, and not only read.
    #[must_use]
    pub fn is_written(&self) -> bool {
        // The smaller version of these says all that most events have to say.
        let is_small = matches!((self.kind, self.schema), (528 | 529 | 536, 1));
        is_small || !PAYLOAD_TYPES.iter().any(|other| other.kind == self.kind && other.schema > self.schema)
    }

    /// The layout in words, as written to the log's schema stream: the encoding, then the fields in order with their types.
    #[must_use]
    pub fn layout(&self) -> String {
        let fields: Vec<String> =
            self.fields.iter().map(|(name, kind)| format!("{name}: {}", kind.replace(' ', ""))).collect();
        format!(
            "rkyv 0.8, little-endian, unaligned, 32-bit pointers; values deterministic CBOR; {{ {} }}",
            fields.join(", ")
        )
    }
}

macro_rules! payload_types {
    ($($kind:literal $schema:literal $name:literal $version:ident::$stored:ident;)*) => {
        /// Every payload type that this software reads.
        pub const PAYLOAD_TYPES: &[PayloadType] = &[
            $(PayloadType { kind: $kind, schema: $schema, name: $name, fields: <$version::$stored as Layout>::FIELDS }),*
        ];

        /// Reads a stored payload. Call it only on bytes whose hash was checked.
        ///
        /// # Errors
        /// See [`DecodeError`].
        pub fn decode(kind: u16, schema: u16, bytes: &[u8]) -> Result<Event, DecodeError> {
            match (kind, schema) {
                $(($kind, $schema) => {
                    rkyv::from_bytes::<$version::$stored, rancor::Failure>(bytes)
                        .map_err(|_| DecodeError::Invalid { name: $name })?
                        .into_event()
                        .map_err(|source| DecodeError::Value { name: $name, source })
                })*
                _ => Err(DecodeError::Unknown { kind, schema }),
            }
        }
    };
}

payload_types! {
    256 1 "EngineOpened" v1::EngineOpenedV1;
    256 2 "EngineOpened" v2::EngineOpenedV2;
    257 1 "LogRestored" v1::LogRestoredV1;
    258 1 "StateSaved" saved::StateSavedV1;
    259 1 "StateRecovered" saved::StateRecoveredV1;
    260 1 "BreakerOpened" policy::BreakerOpenedV1;
    261 1 "BreakerHalfOpened" policy::BreakerHalfOpenedV1;
    262 1 "BreakerClosed" policy::BreakerClosedV1;
    272 1 "NetDeployed" v1::NetDeployedV1;
    276 1 "StartsSkipped" durable::StartsSkippedV1;
    277 1 "StartRefused" durable::StartRefusedV1;
    288 1 "ActorRegistered" v1::ActorRegisteredV1;
    289 1 "ActorRolesChanged" v1::ActorRolesChangedV1;
    290 1 "ActorPositionsChanged" organisation::ActorPositionsChangedV1;
    291 1 "ActorGroupsChanged" organisation::ActorGroupsChangedV1;
    292 1 "ActorCapabilitiesChanged" organisation::ActorCapabilitiesChangedV1;
    293 1 "ActorCalendarAssigned" organisation::ActorCalendarAssignedV1;
    294 1 "ActorFiguresChanged" organisation::ActorFiguresChangedV1;
    295 1 "ActorAbsenceAdded" organisation::ActorAbsenceAddedV1;
    296 1 "ActorAbsenceRemoved" organisation::ActorAbsenceRemovedV1;
    297 1 "ActorActivityChanged" organisation::ActorActivityChangedV1;
    298 1 "GroupDefined" organisation::GroupDefinedV1;
    299 1 "PositionDefined" organisation::PositionDefinedV1;
    300 1 "CalendarDefined" organisation::CalendarDefinedV1;
    301 1 "PileChanged" organisation::PileChangedV1;
    304 1 "SchemaDescribed" v1::SchemaDescribedV1;
    320 1 "MessagePublished" durable::MessagePublishedV1;
    321 1 "MessageDropped" durable::MessageDroppedV1;
    512 1 "CaseStarted" v1::CaseStartedV1;
    513 1 "CaseCompleted" v1::CaseCompletedV1;
    514 1 "CaseCancelled" v1::CaseCancelledV1;
    515 1 "CaseDeadlocked" v1::CaseDeadlockedV1;
    516 1 "CaseFailed" v1::CaseFailedV1;
    517 1 "CaseSuspended" v1::CaseSuspendedV1;
    518 1 "CaseResumed" v1::CaseResumedV1;
    519 1 "SubnetStarted" v1::SubnetStartedV1;
    520 1 "SubnetEnded" v1::SubnetEndedV1;
    521 1 "JoinAdvanced" v1::JoinAdvancedV1;
    522 1 "TokensCancelled" v1::TokensCancelledV1;
    523 1 "SignalReceived" v1::SignalReceivedV1;
    524 1 "ExceptionRaised" v1::ExceptionRaisedV1;
    525 1 "CaseTriggered" durable::CaseTriggeredV1;
    526 1 "CaseWaiting" durable::CaseWaitingV1;
    527 1 "CaseTimedOut" durable::CaseTimedOutV1;
    528 1 "WorkEnabled" v1::WorkEnabledV1;
    528 2 "WorkEnabled" v2::WorkEnabledV2;
    529 1 "WorkOffered" v1::WorkOfferedV1;
    529 2 "WorkOffered" v2::WorkOfferedV2;
    530 1 "WorkAllocated" v1::WorkAllocatedV1;
    531 1 "WorkStarted" v1::WorkStartedV1;
    532 1 "WorkCompleted" v1::WorkCompletedV1;
    533 1 "WorkFailed" v1::WorkFailedV1;
    534 1 "WorkRetried" v1::WorkRetriedV1;
    535 1 "WorkWithdrawn" v1::WorkWithdrawnV1;
    536 1 "WorkCancelled" v1::WorkCancelledV1;
    536 2 "WorkCancelled" v2::WorkCancelledV2;
    537 1 "InstancesPassed" v1::InstancesPassedV1;
    538 1 "WorkSuspended" v1::WorkSuspendedV1;
    539 1 "WorkResumed" v1::WorkResumedV1;
    540 1 "WorkTimedOut" v1::WorkTimedOutV1;
    541 1 "WorkSkipped" v1::WorkSkippedV1;
    542 1 "WorkPutBack" v1::WorkPutBackV1;
    543 1 "WorkDelegated" v1::WorkDelegatedV1;
    544 1 "WorkEscalated" v1::WorkEscalatedV1;
    545 1 "AllocationDecided" v1::AllocationDecidedV1;
    546 1 "WorkWaiting" v1::WorkWaitingV1;
    547 1 "WorkForced" control::WorkForcedV1;
    548 1 "WorkRetryScheduled" policy::WorkRetryScheduledV1;
    549 1 "WorkDeadLettered" policy::WorkDeadLetteredV1;
    550 1 "WorkShed" policy::WorkShedV1;
    560 1 "TimerFiredLate" durable::TimerFiredLateV1;
    561 1 "MessageAwaited" durable::MessageAwaitedV1;
    562 1 "MessageReceived" durable::MessageReceivedV1;
    568 1 "CompensationNoted" durable::CompensationNotedV1;
    569 1 "CompensationBegun" durable::CompensationBegunV1;
    570 1 "WorkCompensating" durable::WorkCompensatingV1;
    571 1 "SavepointReached" durable::SavepointReachedV1;
    572 1 "SavepointRestored" durable::SavepointRestoredV1;
    573 1 "CaseForced" control::CaseForcedV1;
    574 1 "RestLimited" control::RestLimitedV1;
}

/// An event ready to be put into a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Record kind.
    pub kind: u16,
    /// Record schema version.
    pub schema: u16,
    /// Payload bytes.
    pub bytes: Vec<u8>,
}

/// Encodes an event in the newest schema version of its kind.
#[must_use]
pub fn encode(event: &Event) -> Encoded {
    convert::encode(event)
}

/// Encodes a case's event in the newest schema version of its kind.
#[must_use]
pub fn encode_case(event: &CaseEvent) -> Encoded {
    convert::encode_case(event)
}

/// Name of a payload type, if known.
#[must_use]
pub fn name_of(kind: u16) -> Option<&'static str> {
    PAYLOAD_TYPES.iter().find(|known| known.kind == kind).map(|known| known.name)
}
