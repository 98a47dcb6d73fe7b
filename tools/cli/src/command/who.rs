//! `who`: who set a variable.

use actum_replay::CaseRef;
use actum_replay::timeline::{setters, settings_text};
use serde_json::json;

use super::past;
use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{Format, Output};

/// Tell who set a variable of a case: every change, with value before and after
#[derive(Debug, clap::Args)]
#[command(after_help = "\
One line for each event that set the variable, oldest first, also if it set it to what it was: position in the log and \
version of the case, time, who (and for whom), task, value before -> value after. A variable of a subnet is SUBNET/NAME. \
The log is verified while it is read.

Examples:
  actum who 1 approved --data d1
  actum who ORD-0042 total -o json --data d1.actum")]
pub(crate) struct Args {
    /// Number of the case, or its business key
    #[arg(value_name = "CASE")]
    case: CaseRef,
    /// Name of the variable
    #[arg(value_name = "VARIABLE")]
    variable: String,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let (place, story) = past::of_case(common, &args.case)?;
    let settings = setters(&story, &args.variable).map_err(|error| Failure::replay(&place, &error))?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&json!({
            "case": story.case().0,
            "key": story.key(),
            "variable": args.variable,
            "changes": settings.iter().map(actum_replay::timeline::Setting::to_json).collect::<Vec<_>>(),
        }))?,
        Format::Text if settings.is_empty() => {
            output.line(format!("nobody set {} in case {}", args.variable, story.case()))?;
        }
        Format::Text => output.text(&settings_text(&settings))?,
    }
    output.finish()?;
    Ok(Exit::Done)
}
