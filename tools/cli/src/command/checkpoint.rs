//! `checkpoint`: an event that commits to where every case stands, and saved state.

use serde_json::json;

use crate::cli::Common;
use crate::engine::{stopped, upkeep};
use crate::failure::{Exit, Outcome};
use crate::number::grouped;
use crate::output::{Format, Output};

/// Write a checkpoint: as of it, the completeness of a case can be proven, and opening need not read what came before
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The checkpoint is an event that commits to where every case stands: how many events it has, and its chain. `actum prove \
--as-of` then proves that a case had these events and no others. The state is saved beside the log, so that the next opening reads only \
what comes after; an engine does that by itself, every million events and when it is closed. Opens the log for writing, so no engine may run on it; \
an embedded engine has a call of its own for this. No handler is called.

Example:
  actum checkpoint --data d1 && actum prove case:1 --as-of latest --data d1 -O complete.tlog-proof")]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, common: &Common) -> Outcome {
    let data = &common.data;
    let (written, saved) = upkeep(data, actum::EngineBuilder::checkpoints, |engine| async move {
        let written = engine.checkpoint(b"").await.map_err(|error| stopped(data, &error))?;
        let saved = engine.save_state().await.map_err(|error| stopped(data, &error))?;
        Ok((written, saved))
    })?;
    let mut output = Output::new();
    match common.format {
        Format::Json => {
            let saved =
                saved.map(|saved| json!({ "size": saved.size, "bytes": saved.bytes, "hash": hex(&saved.hash) }));
            output.json(&json!({ "checkpoint": written.seq.0, "size": written.size, "saved": saved }))?;
        }
        Format::Text => {
            let (seq, size) = (written.seq.0, grouped(written.size));
            output.line(format!("{}: event {seq} is a checkpoint over the first {size} events", data.display()))?;
            if let Some(saved) = saved {
                let (size, bytes) = (grouped(saved.size), grouped(saved.bytes));
                output.line(format!(
                    "state after {size} events is saved, {bytes} bytes: opening reads what comes after"
                ))?;
            }
        }
    }
    output.finish()?;
    Ok(Exit::Done)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
