//! `show`: the state of a case, now or as it was.

use actum_replay::{At, CaseRef, Events, state_at};
use actum_verify::Trust;

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log;
use crate::output::{Format, Output};
use crate::progress;

/// Show the state of a case, now or as it was
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Shows status, variables, tokens, live work, and who did what so far. The log is verified while it is read.

Examples:
  actum show 1 --data d1
  actum show ORD-0042 --data d1                    by business key
  actum show 1 --at 120 --data d1                  after the event at position 120 of the log
  actum show 1 --at @v3 --data d1.actum            after the third event of the case, from an archive
  actum show 1 --at 2026-01-05T09:30:00Z --data d1")]
pub(crate) struct Args {
    /// Number of the case, or its business key
    #[arg(value_name = "CASE")]
    case: CaseRef,
    /// Position in the log, version of the case, or time
    #[arg(long, value_name = "SEQ|@vN|TIME")]
    at: Option<At>,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let mut log = log::open(&common.data)?;
    let place = log.place.clone();
    let bar = progress::bar(common.format, "reading", None);
    let (_, view) = log::read(&mut log, &Trust::SelfSigned, &bar, |verified| {
        let mut events = Events::of_records(verified.records());
        state_at(&mut events, &args.case, args.at).map_err(|error| Failure::replay(&place, &error))
    })?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&view.to_json())?,
        Format::Text => output.text(&view.to_string())?,
    }
    output.finish()?;
    Ok(Exit::Done)
}
