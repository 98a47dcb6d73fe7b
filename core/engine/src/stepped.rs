//! An engine that is driven by hand: for simulation, and wherever there are no threads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use actum_log::{EventStore, OpenBlock};
use actum_model::CaseId;
use tokio::runtime::Handle;

use crate::builder::EngineBuilder;
use crate::engine::Engine;
use crate::error::{OpenError, WriteError, chain};
use crate::machine::Writer;
use crate::open::{Prepared, prepare};
use crate::publish::Publisher;
use crate::request::{Ask, Request};
use crate::run::Runner;

/// What a [`Stepper`] does next. The engine's threads do the same things, several at once and in an order that nobody chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Takes the next request, handler's result, due timer or news of durable blocks: events are staged.
    Decide,
    /// Closes the open block.
    Close,
    /// Seals and stores the blocks that were closed, in one commit.
    Store,
    /// Lets go of what became durable: projections, handlers' calls, answers.
    Publish,
}

impl Step {
    /// All steps, in the order in which a request goes through them.
    pub const ALL: [Step; 4] = [Step::Decide, Step::Close, Step::Store, Step::Publish];
}

/// Drives an engine, one step at a time, on the caller's thread.
///
/// The decisions, events and bytes are those of an engine with threads, as far as these depend on order only. Dropping it is a
/// crash: what is not stored is gone.
pub struct Stepper {
    runner: Runner,
    publisher: Publisher,
    writer: Writer,
    closed: Arc<Mutex<VecDeque<OpenBlock>>>,
    /// Writing ended; nothing is stored any more.
    failed: Option<WriteError>,
}

impl std::fmt::Debug for Stepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stepper").field("failed", &self.failed).finish_non_exhaustive()
    }
}

pub(crate) fn open(builder: EngineBuilder, runtime: Handle) -> Result<(Engine, Stepper), OpenError> {
    let Prepared { engine, mut machine, announced } = prepare(builder, runtime)?;
    // Blocks wait in a queue that nobody empties meanwhile: to wait for room in it would be to wait for ever.
    machine.in_flight_max = u64::MAX;
    let closed = Arc::new(Mutex::new(VecDeque::new()));
    let queue = closed.clone();
    let (runner, publisher, writer) = machine.connect(|writer| {
        let blocks = move |block| {
            queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(block);
            Ok(())
        };
        Ok::<_, OpenError>((Box::new(blocks) as _, writer))
    })?;
    // The opening goes on until it is durable.
    let ask = Ask::Look { case: CaseId(0) };
    engine.inner.requests.try_send(Request { ask, reply: None, ongoing: announced }).ok();
    Ok((engine, Stepper { runner, publisher, writer, closed, failed: None }))
}

impl Stepper {
    /// Does one thing; false when there was nothing of the kind to do.
    pub fn step(&mut self, step: Step) -> bool {
        match step {
            Step::Decide => self.runner.step().is_some_and(|flow| flow.is_continue()),
            Step::Close => {
                let has_staged = self.runner.has_staged();
                if has_staged {
                    self.runner.flush();
                }
                has_staged
            }
            Step::Store => self.store(),
            Step::Publish => self.publisher.pump(),
        }
    }

    /// Steps until nothing is left to do but what handlers and the clock may bring.
    pub fn run(&mut self) {
        // No short cut: each step may make work for one before it.
        while Step::ALL.into_iter().fold(false, |did, step| self.step(step) | did) {}
    }

    /// Why writing ended, if it did.
    #[must_use]
    pub fn error(&self) -> Option<&WriteError> {
        self.failed.as_ref()
    }

    /// Stops as a crash does, and gives back the store.
    #[must_use]
    pub fn crash(self) -> Box<dyn EventStore> {
        self.writer.store
    }

    fn store(&mut self) -> bool {
        let blocks: Vec<OpenBlock> = self.closed.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        if blocks.is_empty() || self.failed.is_some() {
            return false;
        }
        match self.writer.write(blocks) {
            Ok(stored) => {
                self.writer.stored.send(Ok(stored)).ok();
            }
            Err(error) => {
                self.failed = Some(error.clone());
                self.writer.stored.send(Err(error)).ok();
            }
        }
        true
    }
}

impl Writer {
    /// Seals and stores blocks in one commit; answers their number.
    fn write(&mut self, blocks: Vec<OpenBlock>) -> Result<u64, WriteError> {
        let mut sealed = Vec::with_capacity(blocks.len());
        for block in blocks {
            let size = block.size();
            let signer_after = block.signer_after();
            let block = self.sealer.seal(block, &*self.signer).map_err(|error| WriteError(chain(&error).into()))?;
            sealed.push((block, size));
            if let Some(signer) = signer_after {
                self.signer = signer;
            }
        }
        let (sealed, sizes): (Vec<_>, Vec<_>) = sealed.into_iter().unzip();
        self.store.commit(&sealed).map_err(|error| WriteError::from(&error))?;
        sizes.last().map(|size| self.size.send_replace(*size));
        Ok(sealed.len() as u64)
    }
}
