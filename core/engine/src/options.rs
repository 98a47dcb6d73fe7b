//! Limits of an engine: every queue and every size has one.

use actum_log::limits::PAYLOAD_BYTES_MAX;
use tokio::sync::Semaphore;

/// Limits, each with a default that suits most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Requests that may wait for the partition; more are answered `Busy`. They also are what an overloaded engine still has to do
    /// once the load is gone: about a second of cases of a few steps.
    pub requests_max: usize,
    /// Blocks that may be on their way to the store while the next one fills. Two keep sealing and storing both busy.
    pub blocks_in_flight_max: u64,
    /// Handlers that run at the same time.
    pub handlers_max: usize,
    /// Cases open at the same time; more are answered `Busy`. Deadlocked ones do not count.
    pub cases_open_max: usize,
    /// Cases open or deadlocked, in memory or at rest; more are answered `Busy` until some end or are cancelled.
    pub cases_kept_max: usize,
    /// Open cases that are in memory, at least 1. Beyond, those that were touched longest ago and have nothing under way rest in the
    /// log: they cost a few bytes each, and come back from there when something is about them.
    pub cases_resident_max: usize,
    /// Bytes of data in one event, at least 4,096; the format's own limit holds too.
    pub payload_bytes_max: usize,
    /// Bytes of an actor's name.
    pub name_bytes_max: usize,
    /// What `Busy` tells callers to wait.
    pub busy_retry_ms: u64,
    /// Rows that one worklist call answers.
    pub worklist_rows_max: usize,
    /// Bytes of decoded events that are kept for reading histories.
    pub history_cache_bytes: usize,
}

/// What every failure needs to be recorded, with its code and message.
const PAYLOAD_BYTES_LEAST: usize = 4_096;

impl Limits {
    /// Limits that the engine can keep.
    pub(crate) fn checked(mut self) -> Result<Self, String> {
        let blocks = usize::try_from(self.blocks_in_flight_max).unwrap_or(usize::MAX);
        let least = [
            ("requests_max", self.requests_max, 1),
            ("blocks_in_flight_max", blocks, 1),
            ("handlers_max", self.handlers_max, 1),
            ("cases_resident_max", self.cases_resident_max, 1),
            ("payload_bytes_max", self.payload_bytes_max, PAYLOAD_BYTES_LEAST),
        ];
        if let Some((name, _, least)) = least.into_iter().find(|(_, limit, least)| limit < least) {
            return Err(format!("the limit {name} must be at least {least}"));
        }
        self.handlers_max = self.handlers_max.min(Semaphore::MAX_PERMITS);
        self.payload_bytes_max = self.payload_bytes_max.min(PAYLOAD_BYTES_MAX);
        Ok(self)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            requests_max: 16_384,
            blocks_in_flight_max: 2,
            handlers_max: 1_024,
            cases_open_max: 1_000_000,
            cases_kept_max: 2_000_000,
            cases_resident_max: 100_000,
            payload_bytes_max: 1 << 20,
            name_bytes_max: 200,
            busy_retry_ms: 50,
            worklist_rows_max: 10_000,
            history_cache_bytes: 16 << 20,
        }
    }
}
