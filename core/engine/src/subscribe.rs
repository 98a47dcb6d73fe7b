//! Following the log: catches up from the store, then goes on as blocks become durable.

use std::collections::VecDeque;
use std::sync::Arc;

use actum_log::{FrameSource, ReadError, StoredRecord, records};
use actum_model::Seq;
use tokio::sync::watch;

use crate::shards::Shards;

/// Records read at once while catching up: bounds memory, and how long one read keeps a thread busy.
const BATCH_RECORDS: usize = 1_024;

/// All events of the log from some point on, in order, none skipped, none before it is durable.
///
/// It reads from the log, so a slow reader holds nothing up and loses nothing; it falls behind and catches up. While it
/// lives, the log stays open: nobody else can open it for writing.
pub struct Subscription {
    source: Arc<dyn FrameSource>,
    /// Tree size that is durable.
    durable: watch::Receiver<u64>,
    partition: u16,
    /// There are so many partitions, and one subscription for all is not possible.
    several: Option<u16>,
    next: u64,
    read: VecDeque<StoredRecord>,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("next", &self.position()).finish_non_exhaustive()
    }
}

impl Subscription {
    pub(crate) fn new(source: Arc<dyn FrameSource>, shards: &Shards, partition: u16, from: Seq) -> Self {
        let durable = shards.get(partition).unwrap_or_else(|| shards.owner()).durable.clone();
        Subscription { source, durable, partition, several: None, next: from.0, read: VecDeque::new() }
    }

    /// Meant for all partitions of a log.
    pub(crate) fn of_all(self, partitions: u16) -> Self {
        Subscription { several: (partitions > 1).then_some(partitions), ..self }
    }

    /// The next event, as soon as there is one; `None` once the engine has ended and everything was given.
    /// Cancel-safe: dropping the future loses nothing.
    ///
    /// # Errors
    /// When the log cannot be read. The subscription stays where it is.
    pub async fn next(&mut self) -> Result<Option<StoredRecord>, ReadError> {
        if let Some(several) = self.several {
            return Err(ReadError::Unavailable(format!("the log has {several} partitions: follow each by itself")));
        }
        loop {
            if let Some(record) = self.read.pop_front() {
                self.next = record.header().seq + 1;
                return Ok(Some(record));
            }
            let durable = *self.durable.borrow_and_update();
            if self.next < durable {
                self.read = self.catch_up(durable).await?;
            } else if self.durable.changed().await.is_err() {
                let last = *self.durable.borrow();
                if self.next >= last {
                    return Ok(None);
                }
            }
        }
    }

    /// Where it stands: the seq of the event that comes next.
    #[must_use]
    pub fn position(&self) -> Seq {
        Seq(self.next)
    }

    async fn catch_up(&self, durable: u64) -> Result<VecDeque<StoredRecord>, ReadError> {
        let (source, partition, from) = (self.source.clone(), self.partition, self.next);
        let until = durable.min(from.saturating_add(BATCH_RECORDS as u64));
        tokio::task::spawn_blocking(move || {
            let batch: VecDeque<StoredRecord> =
                records(&*source, partition, from)?.take((until - from) as usize).collect::<Result<_, _>>()?;
            if batch.is_empty() {
                return Err(ReadError::Tampered(format!("event {from} is durable and cannot be found")));
            }
            Ok(batch)
        })
        .await
        .unwrap_or_else(|_| Err(ReadError::Unavailable("reading was interrupted".to_owned())))
    }
}
