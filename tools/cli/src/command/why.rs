//! `why`: the reasons recorded for an allocation.

use actum_replay::{At, CaseRef, Events, why};
use actum_verify::Trust;

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log;
use crate::output::{Format, Output};
use crate::progress;

/// Explain who got work, who was ruled out by which rule, and why this one
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Shows what was recorded when it was decided: who came into question, whom each rule took out, what the strategy \
compared. The event is the decision itself or any later one of the same work item. The log is verified while it is read.

Examples:
  actum why 1 42 --data d1                         about the event at position 42 of the log
  actum why ORD-0042 @v5 --data d1                 about the fifth event of the case")]
pub(crate) struct Args {
    /// Number of the case, or its business key
    #[arg(value_name = "CASE")]
    case: CaseRef,
    /// The event: its position in the log, or its number in the case
    #[arg(value_name = "SEQ|@vN")]
    at: At,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let mut log = log::open(&common.data)?;
    let place = log.place.clone();
    let bar = progress::bar(common.format, "reading", None);
    let (_, explained) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        let mut events = Events::of_records(verified.records());
        why(&mut events, &args.case, args.at).map_err(|error| Failure::replay(&place, &error))
    })?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&explained.to_json())?,
        Format::Text => output.text(&explained.to_string())?,
    }
    output.finish()?;
    Ok(Exit::Done)
}
