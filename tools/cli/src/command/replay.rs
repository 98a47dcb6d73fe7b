//! `replay`: a terminal debugger for the past of a case.

use std::path::Path;

use actum_replay::{At, CaseRef, ReplayError};

use super::past;
use crate::cli::Common;
use crate::debugger::{self, Breakpoint, End};
use crate::failure::{Exit, Failure, Outcome};
use crate::output::Format;

/// Step through the past of a case in the terminal
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Shows the net with its tokens and work, the data with what the newest event changed, and the events. Arrows or h j k l step, \
g and G go to both ends, / searches, b sets a breakpoint (task NAME, kind NAME, or a condition as of `bisect`), c goes on to it, \
? lists all keys, q quits. It only reads; the log is verified before it is shown.

Examples:
  actum replay 1 --data d1
  actum replay ORD-0042 --at @v3 --data d1.actum
  actum replay 1 --break 'task ship' --break 'amount > 100' --data d1")]
pub(crate) struct Args {
    /// Number of the case, or its business key
    #[arg(value_name = "CASE")]
    case: CaseRef,
    /// Begin at this point; without it at the first event
    #[arg(long, value_name = "SEQ|@vN|TIME")]
    at: Option<At>,
    /// Stop at this when going on
    #[arg(long = "break", value_name = "task NAME|kind NAME|CEL")]
    breakpoints: Vec<String>,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let instead = "`actum log CASE` and `actum show CASE --at @vN` say the same without one";
    if common.format == Format::Json {
        return Err(Failure::new(Exit::Usage, format!("the debugger has no JSON; {instead}")));
    }
    let (place, story) = past::of_case(common, &args.case)?;
    let fail = |error: ReplayError| Failure::replay(&place, &error);
    let count = args.at.map_or(Ok(1), |at| story.locate(Some(at))).map_err(fail)?;
    let net = story.net().map(|net| &**net);
    let breakpoints = args.breakpoints.iter().map(|text| {
        Breakpoint::parse(text, net)
            .map_err(|reason| Failure::new(Exit::Usage, format!("the breakpoint {text} cannot be set: {reason}")))
    });
    let breakpoints = breakpoints.collect::<Outcome<Vec<_>>>()?;
    match debugger::run(&story, count, breakpoints) {
        Ok(End::Quit) => Ok(Exit::Done),
        Ok(End::Interrupted) => Ok(Exit::Interrupted),
        Ok(End::NoTerminal) => {
            Err(Failure::new(Exit::Usage, format!("the debugger needs a terminal, and there is none; {instead}")))
        }
        Err(error) => Err(Failure::file(Path::new("the terminal"), "used", &error)),
    }
}
