//! Payload types, schema version 1. Frozen: a change is a new version beside this one, with an upcast.
//!
//! Archived by rkyv 0.8 (little-endian, unaligned, 32-bit relative pointers). A value is deterministic CBOR ([`crate::cbor`]).

use rkyv::{Archive, Deserialize, Serialize};

macro_rules! frozen {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Archive, Serialize, Deserialize, Debug, Clone, PartialEq)]
            pub(super) struct $name { $(pub $field: $kind),* }

            impl super::Layout for $name {
                const FIELDS: &'static [(&'static str, &'static str)] = &[$((stringify!($field), stringify!($kind))),*];
            }
        )*
    };
}

frozen! {
    /// A variable's ordinal and its value in CBOR.
    ChangeV1 { variable: u32, value: Vec<u8> }

    CaseStartedV1 { net: [u8; 32], semantics: u16, changes: Vec<ChangeV1>, produced: Vec<u32> }
    CaseCompletedV1 { reserved: u8 }
    CaseCancelledV1 { reason: String }
    CaseDeadlockedV1 { reserved: u8 }
    CaseFailedV1 { code: String, message: String }
    WorkEnabledV1 { item: u32, task: u32 }
    WorkOfferedV1 { item: u32, task: u32, role: u32, to: Vec<u32> }
    WorkAllocatedV1 { item: u32, task: u32, to: u32 }
    WorkStartedV1 { item: u32, task: u32, consumed: Vec<u32> }
    WorkCompletedV1 { item: u32, task: u32, result: Vec<u8>, changes: Vec<ChangeV1>, produced: Vec<u32> }
    WorkFailedV1 { item: u32, task: u32, code: String, message: String }
    WorkRetriedV1 { item: u32, task: u32, attempt: u32 }
    WorkWithdrawnV1 { item: u32, task: u32 }
    WorkCancelledV1 { item: u32, task: u32 }

    EngineOpenedV1 { software: String, blocks: u64, events: u64, unacknowledged_blocks: u64 }
    NetDeployedV1 { net: [u8; 32], name: String, canonical: Vec<u8> }
    ActorRegisteredV1 { actor: u32, name: String, roles: Vec<String> }
    ActorRolesChangedV1 { actor: u32, roles: Vec<String> }
    SchemaDescribedV1 { kind: u16, schema: u16, name: String, layout: String }
}
