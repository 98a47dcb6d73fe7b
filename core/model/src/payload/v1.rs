//! Payload types, schema version 1. Frozen: a change is a new version beside this one, with an upcast.
//!
//! Archived by rkyv 0.8 (little-endian, unaligned, 32-bit relative pointers). A value is deterministic CBOR ([`crate::cbor`]).

use super::frozen;

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

    CaseSuspendedV1 { reserved: u8 }
    CaseResumedV1 { reserved: u8 }
    SubnetStartedV1 { frame: u32, subnet: u32, item: u32, changes: Vec<ChangeV1>, produced: Vec<u32> }
    SubnetEndedV1 { frame: u32, item: u32, completed: bool }
    JoinAdvancedV1 { frame: u32, task: u32, absorbed: Vec<u32>, arrived: Vec<u32> }
    /// A condition and how many tokens it lost.
    RemovedV1 { condition: u32, count: u32 }
    TokensCancelledV1 { frame: u32, task: u32, removed: Vec<RemovedV1> }
    SignalReceivedV1 { name: String, data: Vec<u8>, kept: bool, item: Option<u32> }
    /// Kinds: 0 abort, 1 timeout, 2 unavailable, 3 violation, 4 external.
    ExceptionRaisedV1 { item: Option<u32>, kind: u8, name: String, message: String, answer: String }
    InstancesPassedV1 { item: u32, task: u32, result: Vec<u8>, changes: Vec<ChangeV1>, produced: Vec<u32> }
    WorkSuspendedV1 { item: u32, task: u32 }
    WorkResumedV1 { item: u32, task: u32 }
    WorkTimedOutV1 { item: u32, task: u32 }
    WorkSkippedV1 { item: u32, task: u32, consumed: Vec<u32>, changes: Vec<ChangeV1>, produced: Vec<u32> }
    WorkPutBackV1 { item: u32, task: u32 }
    WorkDelegatedV1 { item: u32, task: u32, to: u32, keep_state: bool }
    WorkEscalatedV1 { item: u32, task: u32, to: Option<u32>, reason: String }
    /// A rule's name and whom it ruled out.
    /// `removed` as `candidates` below.
    RuleV1 { name: String, removed: Vec<u8> }
    /// An actor and what a strategy compared.
    ScoreV1 { actor: u32, score: i64 }
    /// `candidates`: ordinals as a CBOR list of runs, each how many ordinals are left out before it, then how many follow.
    AllocationDecidedV1 {
        item: u32,
        task: u32,
        directory: u64,
        strategy: String,
        seed: u64,
        candidates: Vec<u8>,
        rules: Vec<RuleV1>,
        scores: Vec<ScoreV1>,
        chosen: Option<u32>,
    }
    /// Nanoseconds since 1970.
    WorkWaitingV1 { item: u32, task: u32, until: u64 }

    EngineOpenedV1 { software: String, blocks: u64, events: u64, unacknowledged_blocks: u64 }
    /// The last head of a replaced directory.
    ReplacedHeadV1 { size: u64, block: u64, block_hash: [u8; 32] }
    /// From an archive if not from a directory.
    LogRestoredV1 { from_directory: bool, size: u64, block: u64, block_hash: [u8; 32], replaced: Option<ReplacedHeadV1> }
    NetDeployedV1 { net: [u8; 32], name: String, canonical: Vec<u8> }
    ActorRegisteredV1 { actor: u32, name: String, roles: Vec<String> }
    ActorRolesChangedV1 { actor: u32, roles: Vec<String> }
    SchemaDescribedV1 { kind: u16, schema: u16, name: String, layout: String }
}
