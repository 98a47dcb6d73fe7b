//! Threads that drive an engine: one decides, three of the log's pipeline store, one publishes.

use std::thread::{Builder, JoinHandle};

use actum_log::{Outcome, Pipeline};

use crate::activity::Ongoing;
use crate::engine::Engine;
use crate::error::{CommandError, OpenError, WriteError, chain};
use crate::machine::{Blocks, Machine, Writer};
use crate::request::{Ask, Request};
use actum_model::CaseId;

pub(crate) fn start(machine: Machine) -> Result<Vec<JoinHandle<()>>, OpenError> {
    let (runner, publisher, ()) = machine.connect(|writer| Ok::<_, OpenError>((pipeline(writer)?, ())))?;
    let thread = |name: &str| Builder::new().name(name.to_owned());
    let no_thread = |error: std::io::Error| OpenError::Options(format!("a thread cannot be started: {error}"));
    Ok(vec![
        thread("actum-publish").spawn(move || publisher.run()).map_err(no_thread)?,
        thread("actum-partition").spawn(move || runner.run()).map_err(no_thread)?,
    ])
}

/// The sealing and storing threads; they report each stored block, or the end of writing.
fn pipeline(writer: Writer) -> Result<Blocks, OpenError> {
    let Writer { sealer, signer, store, size, stored } = writer;
    let pipeline = Pipeline::spawn(sealer, signer, store, move |outcome| {
        let report = match outcome {
            Outcome::Durable(block) => {
                size.send_replace(block.size);
                Ok(1)
            }
            Outcome::Failed { error, .. } => Err(WriteError(chain(&**error).into())),
        };
        // The publisher lives longer than the store; if it ended badly, nobody waits.
        stored.send(report).ok();
    })
    .map_err(|error| OpenError::Options(chain(&error)))?;
    Ok(Box::new(move |block| pipeline.submit(block).map_err(|error| WriteError(chain(&error).into()))))
}

/// Returns when the opening event is durable, so that an engine that cannot write says so at once.
pub(crate) fn wait_until_written(engine: &Engine, ongoing: Ongoing) -> Result<(), OpenError> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    let ask = Ask::Look { case: CaseId(0) };
    engine.inner.requests.send(Request { ask, reply: Some(reply), ongoing }).ok();
    match answer.blocking_recv() {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(CommandError::Stopped(error))) => Err(error.into()),
        Ok(Err(_)) | Err(_) => Err(WriteError("a thread of the engine ended".into()).into()),
    }
}
