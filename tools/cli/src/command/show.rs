//! `show`: the state of a case, now or as it was.

use actum_model::{CaseStatus, Phase};
use actum_replay::{At, CaseRef, CaseView, Events, state_at};
use actum_verify::Trust;

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log;
use crate::output::{Format, Output};
use crate::progress;
use crate::run::quoted;

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

/// How to try failed work again, where there is some and the log can be written.
fn retry(view: &CaseView, args: &Args, common: &Common) -> String {
    let control = &view.case.control;
    let failed = control.items.iter().any(|item| item.phase == Phase::Failed);
    if !failed || control.status != CaseStatus::Open || args.at.is_some() || !common.data.is_dir() {
        return String::new();
    }
    let net = view.net.as_ref().map_or("the net", |net| &net.name);
    let data = quoted(&common.data.display().to_string());
    format!("next\n  actum run FILE --cases 0 --retry-failed --data {data}    tries it again; FILE is that of {net}\n")
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let mut log = log::open(&common.data)?;
    let place = log.place.clone();
    let bar = progress::bar(common.format, "reading", None);
    let (_, view) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        verified.only_one(&place, "showing a case")?;
        let mut events = Events::of_records(verified.records());
        state_at(&mut events, &args.case, args.at).map_err(|error| Failure::replay(&place, &error))
    })?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&view.to_json())?,
        Format::Text => output.text(&(view.to_string() + &retry(&view, args, common)))?,
    }
    output.finish()?;
    Ok(Exit::Done)
}
