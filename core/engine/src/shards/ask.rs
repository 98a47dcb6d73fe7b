//! Which partition is asked what.

use std::sync::atomic::Ordering;

use actum_model::{CaseId, NetHash, Rejection};
use crossbeam_channel::TrySendError;
use tokio::sync::oneshot;

use super::seat::{OWNER, Seat, is_limited};
use crate::activity::Ongoing;
use crate::engine::Engine;
use crate::error::CommandError;
use crate::request::{Ask, Outcome, Request};
use crate::telemetry::CommandSpan;

impl Engine {
    /// Number of partitions of the log. Its genesis says it, and it never changes.
    #[must_use]
    pub fn partitions(&self) -> u16 {
        self.inner.shards.count()
    }

    /// The partition that a case is in: the remainder of its id by the number of partitions.
    #[must_use]
    pub fn partition_of(&self, case: CaseId) -> u16 {
        Seat::of_case(self.partitions(), case)
    }

    /// The partition that starts a case.
    pub(crate) fn partition_for(&self, net: NetHash, key: Option<&str>) -> u16 {
        let of = self.partitions();
        let net = if of > 1 { self.inner.views.net(net) } else { None };
        match (net, key) {
            // Nobody knows the net: the owner says so.
            (None, _) => OWNER,
            (Some(net), _) if is_limited(&net) => OWNER,
            (Some(net), Some(key)) => Seat::of_key(of, &net.name, key),
            (Some(_), None) => self.inner.shards.next(),
        }
    }

    /// Asks the partition that a case is in.
    pub(crate) async fn ask_of<T: TryFrom<Outcome>>(&self, case: CaseId, ask: Ask) -> Result<T, CommandError> {
        self.ask(self.partition_of(case), ask).await
    }

    /// Asks all partitions, and gives their answers in order.
    pub(crate) async fn ask_all<T: TryFrom<Outcome>>(&self, ask: impl Fn() -> Ask) -> Result<Vec<T>, CommandError> {
        let mut answers = Vec::with_capacity(usize::from(self.partitions()));
        for partition in 0..self.partitions() {
            answers.push(self.ask(partition, ask()).await?);
        }
        Ok(answers)
    }

    /// Asks the owner to decide something that concerns all; returns when all partitions have it.
    pub(crate) async fn ask_for_all<T: TryFrom<Outcome>>(&self, ask: Ask) -> Result<T, CommandError> {
        let answer = self.ask(OWNER, ask).await?;
        self.heard().await?;
        Ok(answer)
    }

    /// Asks the only partition; says what cannot be done where there are several.
    pub(crate) async fn ask_only<T: TryFrom<Outcome>>(&self, what: &str, ask: Ask) -> Result<T, CommandError> {
        self.only(what)?;
        self.ask(OWNER, ask).await
    }

    /// Refuses what is not possible yet in a log of several partitions.
    pub(crate) fn only(&self, what: &str) -> Result<(), Rejection> {
        match self.partitions() {
            1 => Ok(()),
            several => {
                let message = format!("{what} is not possible in a log of {several} partitions");
                Err(Rejection::new("log/partitions", message))
            }
        }
    }

    pub(crate) async fn ask<T: TryFrom<Outcome>>(&self, partition: u16, ask: Ask) -> Result<T, CommandError> {
        if self.inner.stopping.load(Ordering::Acquire) {
            return Err(CommandError::Stopping);
        }
        let Some(instruments) = &self.inner.instruments else {
            return self.put(partition, ask, self.inner.activity.begin()).await;
        };
        let (name, case) = ask.told();
        let span = CommandSpan::begin(instruments, name, case.map(|case| case.0));
        let answer = self.put(partition, ask, self.inner.activity.begin_traced(span.context())).await;
        span.end(answer.as_ref().err());
        answer
    }

    async fn put<T: TryFrom<Outcome>>(&self, partition: u16, ask: Ask, ongoing: Ongoing) -> Result<T, CommandError> {
        let shard = self.inner.shards.get(partition).ok_or(CommandError::Closed)?;
        let (reply, answer) = oneshot::channel();
        let request = Request { ask, reply: Some(reply), ongoing };
        shard.requests.try_send(request).map_err(|error| match error {
            TrySendError::Full(_) => CommandError::Busy { retry_after_ms: self.inner.limits.busy_retry_ms },
            TrySendError::Disconnected(_) => CommandError::Closed,
        })?;
        let outcome = answer.await.unwrap_or(Err(CommandError::Closed))?;
        // Each question has one kind of answer.
        T::try_from(outcome).map_err(|_| CommandError::Closed)
    }

    /// Returns when every partition has made durable what it was told before this. What is asked here comes after that on the same
    /// way.
    async fn heard(&self) -> Result<(), CommandError> {
        let mut answers = Vec::new();
        for shard in self.inner.shards.iter().skip(1) {
            let (reply, answer) = oneshot::channel();
            let ask = Ask::Look { case: CaseId(0) };
            let request = Request { ask, reply: Some(reply), ongoing: self.inner.activity.begin() };
            shard.inner.send(request).map_err(|_| CommandError::Closed)?;
            answers.push(answer);
        }
        for answer in answers {
            answer.await.unwrap_or(Err(CommandError::Closed))?;
        }
        Ok(())
    }
}
