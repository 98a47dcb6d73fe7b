//! Events as stored bytes: one archived type per (kind, schema version).
//!
//! Kinds: 256 to 511 for the system streams, from 512 for cases. A pair that is not in the table is an error, never a guess.

mod convert;
mod v1;

use rkyv::rancor;

use crate::event::{CaseEvent, Event};

/// The fields of a payload type, for its description in the log.
trait Layout {
    const FIELDS: &'static [(&'static str, &'static str)];
}

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
    ($($kind:literal $schema:literal $name:literal $stored:ident;)*) => {
        /// Every payload type that this software reads.
        pub const PAYLOAD_TYPES: &[PayloadType] = &[
            $(PayloadType { kind: $kind, schema: $schema, name: $name, fields: <v1::$stored as Layout>::FIELDS }),*
        ];

        /// Reads a stored payload. Call it only on bytes whose hash was checked.
        ///
        /// # Errors
        /// See [`DecodeError`].
        pub fn decode(kind: u16, schema: u16, bytes: &[u8]) -> Result<Event, DecodeError> {
            match (kind, schema) {
                $(($kind, $schema) => {
                    rkyv::from_bytes::<v1::$stored, rancor::Failure>(bytes)
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
    256 1 "EngineOpened" EngineOpenedV1;
    272 1 "NetDeployed" NetDeployedV1;
    288 1 "ActorRegistered" ActorRegisteredV1;
    289 1 "ActorRolesChanged" ActorRolesChangedV1;
    304 1 "SchemaDescribed" SchemaDescribedV1;
    512 1 "CaseStarted" CaseStartedV1;
    513 1 "CaseCompleted" CaseCompletedV1;
    514 1 "CaseCancelled" CaseCancelledV1;
    515 1 "CaseDeadlocked" CaseDeadlockedV1;
    516 1 "CaseFailed" CaseFailedV1;
    528 1 "WorkEnabled" WorkEnabledV1;
    529 1 "WorkOffered" WorkOfferedV1;
    530 1 "WorkAllocated" WorkAllocatedV1;
    531 1 "WorkStarted" WorkStartedV1;
    532 1 "WorkCompleted" WorkCompletedV1;
    533 1 "WorkFailed" WorkFailedV1;
    534 1 "WorkRetried" WorkRetriedV1;
    535 1 "WorkWithdrawn" WorkWithdrawnV1;
    536 1 "WorkCancelled" WorkCancelledV1;
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
