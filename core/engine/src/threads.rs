//! Threads that drive an engine: of each partition one decides, two seal and pack, one publishes; one stores for all.

use std::thread::{Builder, JoinHandle};

use actum_log::{EventStore, Lane, Outcome, Pipeline};

use crate::activity::Ongoing;
use crate::engine::Engine;
use crate::error::{CommandError, OpenError, WriteError, chain};
use crate::machine::{Machine, Writer};
use crate::request::{Ask, Request};
use actum_model::CaseId;

/// Starts the threads of all partitions; one of them stores for all.
pub(crate) fn start(
    machines: Vec<(Machine, Writer)>,
    store: Box<dyn EventStore>,
) -> Result<Vec<JoinHandle<()>>, OpenError> {
    let (machines, writers): (Vec<_>, Vec<_>) = machines.into_iter().unzip();
    let lanes = writers.into_iter().map(lane).collect();
    let pipelines = Pipeline::spawn_all(lanes, store).map_err(|error| OpenError::Options(chain(&error)))?;
    let thread = |name: &str| Builder::new().name(name.to_owned());
    let no_thread = |error: std::io::Error| OpenError::Options(format!("a thread cannot be started: {error}"));
    let mut threads = Vec::with_capacity(2 * machines.len());
    for (machine, pipeline) in machines.into_iter().zip(pipelines) {
        let blocks = move |block| pipeline.submit(block).map_err(|error| WriteError(chain(&error).into()));
        let (runner, publisher) = machine.connect(Box::new(blocks));
        threads.push(thread("actum-publish").spawn(move || publisher.run()).map_err(no_thread)?);
        threads.push(thread("actum-partition").spawn(move || runner.run()).map_err(no_thread)?);
    }
    Ok(threads)
}

/// Reports each stored block of a partition, or the end of writing.
fn lane(writer: Writer) -> Lane {
    let Writer { sealer, signer, size, stored } = writer;
    let on_outcome = move |outcome: Outcome<'_>| {
        let report = match outcome {
            Outcome::Durable(block) => {
                size.send_replace(block.size);
                Ok(1)
            }
            Outcome::Failed { error, .. } => Err(WriteError(chain(&**error).into())),
        };
        // The publisher lives longer than the store; if it ended badly, nobody waits.
        stored.send(report).ok();
    };
    Lane { sealer, signer, on_outcome: Box::new(on_outcome) }
}

/// Returns when the opening events of all partitions are durable, so that an engine that cannot write says so at once.
pub(crate) fn wait_until_written(engine: &Engine, announced: Vec<Ongoing>) -> Result<(), OpenError> {
    let mut answers = Vec::with_capacity(announced.len());
    for (shard, ongoing) in engine.inner.shards.iter().zip(announced) {
        let (reply, answer) = tokio::sync::oneshot::channel();
        // Behind what is told at opening, so that all partitions know what the first one does.
        shard.inner.send(Request { ask: Ask::Look { case: CaseId(0) }, reply: Some(reply), ongoing }).ok();
        answers.push(answer);
    }
    for answer in answers {
        match answer.blocking_recv() {
            Ok(Ok(_)) => {}
            Ok(Err(CommandError::Stopped(error))) => return Err(error.into()),
            Ok(Err(_)) | Err(_) => return Err(WriteError("a thread of the engine ended".into()).into()),
        }
    }
    Ok(())
}
