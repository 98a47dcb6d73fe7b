//! An engine that is driven by hand: for simulation, and wherever there are no threads.

use std::collections::VecDeque;
use std::ops::Range;
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
    partitions: Vec<Driven>,
    store: Box<dyn EventStore>,
    /// Writing ended; nothing is stored any more.
    failed: Option<WriteError>,
}

/// A partition that is driven.
struct Driven {
    runner: Runner,
    publisher: Publisher,
    writer: Writer,
    closed: Arc<Mutex<VecDeque<OpenBlock>>>,
}

impl std::fmt::Debug for Stepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stepper").field("failed", &self.failed).finish_non_exhaustive()
    }
}

pub(crate) fn open(builder: EngineBuilder, runtime: Handle) -> Result<(Engine, Stepper), OpenError> {
    let Prepared { engine, machines, store, announced } = prepare(builder, runtime)?;
    let mut partitions = Vec::with_capacity(machines.len());
    for (mut machine, writer) in machines {
        // Blocks wait in a queue that nobody empties meanwhile: to wait for room in it would be to wait for ever.
        machine.in_flight_max = u64::MAX;
        let closed = Arc::new(Mutex::new(VecDeque::new()));
        let queue = closed.clone();
        let blocks = move |block| {
            queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(block);
            Ok(())
        };
        let (runner, publisher) = machine.connect(Box::new(blocks));
        partitions.push(Driven { runner, publisher, writer, closed });
    }
    // The opening goes on until it is durable.
    for (shard, ongoing) in engine.inner.shards.iter().zip(announced) {
        let ask = Ask::Look { case: CaseId(0) };
        shard.requests.try_send(Request { ask, reply: None, ongoing }).ok();
    }
    Ok((engine, Stepper { partitions, store, failed: None }))
}

impl Stepper {
    /// Does one thing in each partition, in their order; false when there was nothing of the kind to do.
    pub fn step(&mut self, step: Step) -> bool {
        match step {
            // One commit takes the blocks of all.
            Step::Store => self.store(0..self.partitions.len()),
            _ => (0..self.partitions.len()).fold(false, |did, partition| self.step_at(partition, step) | did),
        }
    }

    /// Does one thing in one partition; false when there was nothing of the kind to do, or no such partition.
    pub fn step_in(&mut self, partition: u16, step: Step) -> bool {
        let partition = usize::from(partition);
        match step {
            _ if partition >= self.partitions.len() => false,
            Step::Store => self.store(partition..partition + 1),
            _ => self.step_at(partition, step),
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
        self.store
    }

    fn step_at(&mut self, partition: usize, step: Step) -> bool {
        let Driven { runner, publisher, .. } = &mut self.partitions[partition];
        match step {
            Step::Decide => runner.step().is_some_and(|flow| flow.is_continue()),
            Step::Close => {
                let has_staged = runner.has_staged();
                if has_staged {
                    runner.flush();
                }
                has_staged
            }
            Step::Store => false,
            Step::Publish => publisher.pump(),
        }
    }

    fn store(&mut self, range: Range<usize>) -> bool {
        let Self { partitions, store, failed } = self;
        let partitions = &mut partitions[range];
        let blocks: Vec<Vec<OpenBlock>> = partitions.iter().map(Driven::take_closed).collect();
        if blocks.iter().all(Vec::is_empty) || failed.is_some() {
            return false;
        }
        match write(partitions, blocks, &mut **store) {
            Ok(stored) => {
                for (driven, (blocks, size)) in partitions.iter().zip(stored) {
                    size.map(|size| driven.writer.size.send_replace(size));
                    driven.writer.stored.send(Ok(blocks)).ok();
                }
            }
            Err(error) => {
                *failed = Some(error.clone());
                for driven in partitions {
                    driven.writer.stored.send(Err(error.clone())).ok();
                }
            }
        }
        true
    }
}

impl Driven {
    fn take_closed(&self) -> Vec<OpenBlock> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

/// Seals and stores blocks in one commit; answers for each partition their number and the size after them.
fn write(
    partitions: &mut [Driven],
    blocks: Vec<Vec<OpenBlock>>,
    store: &mut dyn EventStore,
) -> Result<Vec<(u64, Option<u64>)>, WriteError> {
    let mut sealed = Vec::new();
    let mut stored = Vec::with_capacity(partitions.len());
    for (driven, blocks) in partitions.iter_mut().zip(blocks) {
        stored.push((blocks.len() as u64, blocks.last().map(OpenBlock::size)));
        for block in blocks {
            let Writer { sealer, signer, .. } = &mut driven.writer;
            let signer_after = block.signer_after();
            sealed.push(sealer.seal(block, &**signer).map_err(|error| WriteError(chain(&error).into()))?);
            if let Some(after) = signer_after {
                *signer = after;
            }
        }
    }
    store.commit(&sealed).map_err(|error| WriteError::from(&error))?;
    Ok(stored)
}
