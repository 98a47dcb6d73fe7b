//! `checkpoint`: an event that commits to where every case stands.

use serde_json::json;

use crate::cli::Common;
use crate::engine::{stopped, upkeep};
use crate::failure::{Exit, Outcome};
use crate::number::grouped;
use crate::output::{Format, Output};

/// Write a checkpoint: as of it, the completeness of a case can be proven
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The checkpoint is an event that commits to where every case stands: how many events it has, and its chain. `actum prove \
--as-of` then proves that a case had these events and no others. Opens the log for writing, so no engine may run on it; \
an embedded engine has a call of its own for this. No handler is called.

Example:
  actum checkpoint --data d1 && actum prove case:1 --as-of latest --data d1 -O complete.tlog-proof")]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, common: &Common) -> Outcome {
    let data = &common.data;
    let written = upkeep(data, actum::EngineBuilder::checkpoints, |engine| async move {
        engine.checkpoint(b"").await.map_err(|error| stopped(data, &error))
    })?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&json!({ "checkpoint": written.seq.0, "size": written.size }))?,
        Format::Text => {
            let (seq, size) = (written.seq.0, grouped(written.size));
            output.line(format!("{}: event {seq} is a checkpoint over the first {size} events", data.display()))?;
        }
    }
    output.finish()?;
    Ok(Exit::Done)
}
