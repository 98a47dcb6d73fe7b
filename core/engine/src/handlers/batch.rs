//! Calls in batches: for services that take many things at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actum_model::Value;
use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::handler::{Call, Handler, HandlerError, TimeLimits};

/// Does several work items at once.
#[async_trait]
pub trait BatchHandler: Send + Sync + 'static {
    /// See [`Handler::setup`].
    async fn setup(&self) -> Result<(), HandlerError> {
        Ok(())
    }

    /// Does the work of all calls. One answer for each call, in their order: each item succeeds or fails alone. An error instead
    /// of the answers fails all of them, and so do answers that are too many or too few (code `handler/batch`).
    async fn handle_batch(&self, calls: Vec<Call>) -> Result<Vec<Result<Value, HandlerError>>, HandlerError>;

    /// See [`Handler::cleanup`].
    async fn cleanup(&self) {}

    /// How long each phase may take; `handle` counts for each item, from when it begins to wait for its batch.
    fn time_limits(&self) -> TimeLimits {
        TimeLimits::default()
    }
}

/// When a batch is full enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchOptions {
    /// So many items at most; 0 counts as 1.
    pub max_items: usize,
    /// So long after its first item, in real time, a batch goes out as it is.
    pub max_ms: u64,
}

type Answer = oneshot::Sender<Result<Value, HandlerError>>;

/// Gathers calls for a handler of batches.
pub(crate) struct Batcher<H> {
    handler: Arc<H>,
    options: BatchOptions,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    calls: Vec<(Call, Answer)>,
    /// Which batch this is: a timer that fires for one that went out does nothing.
    number: u64,
}

impl Open {
    fn take(&mut self) -> Vec<(Call, Answer)> {
        self.number += 1;
        std::mem::take(&mut self.calls)
    }
}

impl<H: BatchHandler> Batcher<H> {
    pub(crate) fn new(handler: H, options: BatchOptions) -> Self {
        Batcher { handler: Arc::new(handler), options, open: Arc::default() }
    }

    /// Adds a call; gives the batch if it is full now.
    fn add(&self, call: Call, answer: Answer) -> Option<Vec<(Call, Answer)>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.calls.push((call, answer));
        if open.calls.len() >= self.options.max_items {
            return Some(open.take());
        }
        if open.calls.len() == 1 {
            let (number, handler, shared) = (open.number, self.handler.clone(), self.open.clone());
            let wait = Duration::from_millis(self.options.max_ms);
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                let batch = {
                    let mut open = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    if open.number == number { open.take() } else { Vec::new() }
                };
                send(&*handler, batch).await;
            });
        }
        None
    }
}

/// Does a batch, and answers each of its calls. Calls that nobody waits for any more are left out.
async fn send<H: BatchHandler>(handler: &H, batch: Vec<(Call, Answer)>) {
    let (calls, mut answers): (Vec<Call>, Vec<Answer>) =
        batch.into_iter().filter(|(call, _)| !call.is_cancelled()).unzip();
    if calls.is_empty() {
        return;
    }
    let count = calls.len();
    let outcomes = tokio::select! {
        biased;
        outcomes = handler.handle_batch(calls) => outcomes,
        // All gave up, and had their time to: it is dropped where it stands, as a call of its own would be. Otherwise one that hangs
        // would run for ever, and nothing would count it.
        _ = join_all(answers.iter_mut().map(Answer::closed)) => return,
    };
    let outcomes = match outcomes {
        Ok(outcomes) if outcomes.len() == count => outcomes,
        Ok(outcomes) => {
            let message = format!("the batch had {count} items, but {} answers", outcomes.len());
            vec![Err(HandlerError::new("handler/batch", message)); count]
        }
        Err(error) => vec![Err(error); count],
    };
    // Whoever gave up waiting is not told.
    outcomes.into_iter().zip(answers).for_each(|(outcome, answer)| answer.send(outcome).unwrap_or_default());
}

#[async_trait]
impl<H: BatchHandler> Handler for Batcher<H> {
    async fn setup(&self) -> Result<(), HandlerError> {
        self.handler.setup().await
    }

    async fn handle(&self, call: Call) -> Result<Value, HandlerError> {
        let (answer, answered) = oneshot::channel();
        if let Some(batch) = self.add(call, answer) {
            let handler = self.handler.clone();
            // On its own: one call's end is not that of the others.
            tokio::spawn(async move { send(&*handler, batch).await });
        }
        let dead = || HandlerError::new("handler/panicked", "the handler of the batch panicked");
        answered.await.unwrap_or_else(|_| Err(dead()))
    }

    async fn cleanup(&self) {
        self.handler.cleanup().await;
    }

    fn time_limits(&self) -> TimeLimits {
        self.handler.time_limits()
    }
}
