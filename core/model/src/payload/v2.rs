//! Payload types, schema version 2: those that changed since version 1. Frozen as those are.
//!
//! Of `WorkEnabled`, `WorkOffered` and `WorkCancelled`, version 1 is still written when it says all.

use super::frozen;

frozen! {
    /// Says also what was dropped at opening.
    EngineOpenedV2 {
        software: String,
        blocks: u64,
        events: u64,
        unacknowledged_blocks: u64,
        dropped_bytes: u64,
        torn_heads: u32,
    }
    /// Lives in a frame, or is an instance: of `family`, number `index`, for the element `each` of a list.
    WorkEnabledV2 { item: u32, task: u32, frame: u32, family: Option<u32>, index: u32, each: Option<Vec<u8>> }
    /// Perhaps without a role.
    WorkOfferedV2 { item: u32, task: u32, role: Option<u32>, to: Vec<u32> }
    /// Gives back mutexes.
    WorkCancelledV2 { item: u32, task: u32, produced: Vec<u32> }
}
