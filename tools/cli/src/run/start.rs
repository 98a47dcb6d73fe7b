//! Starts cases, many at a time.

use std::collections::BTreeSet;
use std::time::Duration;

use actum::{CaseId, CommandError, Engine, NetHash};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::input::{Input, Plan};
use super::stop::Stop;

/// Requests that are on their way at the same time: enough to fill blocks, far below what the engine lets wait.
pub(crate) const CONCURRENT_MAX: usize = 4_096;

/// What came of a plan.
#[derive(Debug, Default)]
pub(crate) struct Started {
    /// Cases of the plan, new or not.
    pub(crate) cases: BTreeSet<CaseId>,
    /// Cases that did not exist before.
    pub(crate) new: u64,
    /// Keys that had started a case before.
    pub(crate) skipped: u64,
}

/// Starts the cases of a plan until somebody asks to stop.
pub(crate) async fn start(engine: &Engine, net: NetHash, plan: &Plan, stop: &Stop) -> Result<Started, CommandError> {
    let starts = plan.iter().take_while(|_| !stop.is_asked());
    stream::iter(starts)
        .map(|(key, input)| start_one(engine, net, key, input))
        .buffered(CONCURRENT_MAX)
        .try_fold(Started::default(), |mut started, one| async move {
            started.cases.insert(one.case);
            if one.is_new {
                started.new += 1;
            } else {
                started.skipped += 1;
            }
            Ok(started)
        })
        .await
}

async fn start_one(
    engine: &Engine,
    net: NetHash,
    key: Option<&str>,
    input: &Input,
) -> Result<actum::Started, CommandError> {
    loop {
        match engine.start_case(net, key, input.clone()).await {
            Err(CommandError::Busy { retry_after_ms }) => rest(retry_after_ms).await,
            other => return other,
        }
    }
}

/// Waits as long as a busy engine wants us to.
pub(crate) async fn rest(retry_after_ms: u64) {
    tokio::time::sleep(Duration::from_millis(retry_after_ms)).await;
}
