//! `why`: what caused an event, and the reasons recorded for an allocation.

use actum_replay::timeline::reasons;
use actum_replay::{At, CaseRef, ReplayError};

use super::past;
use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{Format, Output};

/// Explain an event: what caused it, what the guards saw, who got work and why this one
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Shows the event, what caused it, what caused that, and so on, back to the person, handler or timer that began it. Where a task \
chose a way, its guards are worked out again over the data as it was then, by the net that the case runs. Of an event about work \
that was handed out, it shows what was recorded when that was decided: who came into question, whom each rule took out, what the \
strategy compared. The log is verified while it is read.

Examples:
  actum why 1 42 --data d1                         about the event at position 42 of the log
  actum why ORD-0042 @v5 --data d1                 about the fifth event of the case")]
pub(crate) struct Args {
    /// Number of the case, or its business key
    #[arg(value_name = "CASE")]
    case: CaseRef,
    /// The event: its position in the log, its number in the case, or a time (then the newest event before it)
    #[arg(value_name = "SEQ|@vN|TIME")]
    at: At,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let (place, story) = past::of_case(common, &args.case)?;
    let fail = |error: ReplayError| Failure::replay(&place, &error);
    let reasons = reasons(&story, story.event_at(args.at).map_err(fail)?);
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&reasons.to_json())?,
        Format::Text => output.text(&reasons.to_string())?,
    }
    output.finish()?;
    Ok(Exit::Done)
}
