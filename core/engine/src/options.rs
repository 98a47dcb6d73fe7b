//! Limits of an engine: every queue and every size has one.

/// Limits, each with a default that suits most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Requests that may wait for the partition; more are answered `Busy`.
    pub requests_max: usize,
    /// Blocks that may be on their way to the store while the next one fills. Two keep sealing and storing both busy.
    pub blocks_in_flight_max: u64,
    /// Handlers that run at the same time.
    pub handlers_max: usize,
    /// Cases open at the same time; more are answered `Busy`.
    pub cases_open_max: usize,
    /// Bytes of data in one event.
    pub payload_bytes_max: usize,
    /// Bytes of an actor's name.
    pub name_bytes_max: usize,
    /// What `Busy` tells callers to wait.
    pub busy_retry_ms: u64,
    /// Rows that one worklist call answers.
    pub worklist_rows_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            requests_max: 65_536,
            blocks_in_flight_max: 2,
            handlers_max: 1_024,
            cases_open_max: 1_000_000,
            payload_bytes_max: 1 << 20,
            name_bytes_max: 200,
            busy_retry_ms: 50,
            worklist_rows_max: 10_000,
        }
    }
}
