//! Limits of one case and of one command. Beyond each, something says so with a stable code, and the case stays usable.

/// Most events that one command may cause. A net of routing tasks alone can run in circles; this ends it.
pub const EVENTS_MAX: usize = 10_000;

/// Most bytes of data, about, that the tasks of one command may set. Routing in circles copies data as often as it turns.
pub const DATA_BYTES_MAX: usize = 16 << 20;

/// Most subnets that run inside each other: room for deep recursion, and a bound for endless one.
pub const FRAME_DEPTH_MAX: usize = 64;

/// Most live work items of a case. Each takes about 200 bytes, and every decision copies them.
pub const ITEMS_MAX: usize = 100_000;

/// Most signals that a case keeps for tasks that will wait for them.
pub const SIGNALS_MAX: usize = 1_000;

/// Most instances that one command can begin: so that their events stay within [`EVENTS_MAX`]. More can be added by further
/// commands.
pub const INSTANCES_AT_ONCE_MAX: u32 = 3_000;

/// How often work is tried at most whose handler died, if its task has a lease and its policies do not say.
pub const LEASE_ATTEMPTS_MAX: u32 = 3;

/// How often a task is begun anew at most because its work failed (`abort: restart`), without completing in between. The item
/// that fails then stays failed.
pub const RESTARTS_MAX: u32 = 100;

/// Longest key of a message, in bytes.
pub const MESSAGE_KEY_BYTES_MAX: usize = 256;

/// Most completed items of a case that can be undone; of more, the net's author is told in the log.
pub const COMPENSABLE_MAX: usize = 10_000;

/// A timer that fires so much after its time, in nanoseconds, says so in the log: one second.
pub const LATE_LEAST: u64 = 1_000_000_000;

/// Shortest time, in nanoseconds, after which a timeout begins its work anew: one second. A shorter one is taken for it.
pub const RESTART_AFTER_LEAST: u64 = 1_000_000_000;
