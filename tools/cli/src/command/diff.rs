//! `diff`: what is other between two points.

use actum_replay::timeline::{Point, diff};

use super::past;
use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{Format, Output};

/// Compare a case at two points, or two cases: variables, tokens, work, and who holds what
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A point is a case (number or business key) and where in it: CASE@SEQ (position in the log), CASE@vN (version of the case), \
CASE@TIME, or CASE alone for its end. Two cases are compared by the names in their nets, which may be other versions. \
The log is verified while it is read. The exit code is 0 whether they differ or not; -o json has `same`.

Examples:
  actum diff 1@v3 1@v7 --data d1
  actum diff ORD-0042@120 ORD-0042 --data d1       what happened since position 120
  actum diff 1 2 --data d1                         how the ends of two cases differ
  actum diff 1@2026-01-05T09:30:00Z 1@2026-01-05T12:00:00Z --data d1")]
pub(crate) struct Args {
    /// Where to compare from
    #[arg(value_name = "CASE@POINT")]
    before: Point,
    /// Where to compare to
    #[arg(value_name = "CASE@POINT")]
    after: Point,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let mut wanted = vec![args.before.case.clone()];
    if args.after.case != args.before.case {
        wanted.push(args.after.case.clone());
    }
    let past = past::of_cases(common, &wanted)?;
    let fail = |error| Failure::replay(&past.place, &error);
    let (Some(first), Some(second)) = (past.stories.first(), past.stories.last()) else {
        return Err(Failure::new(Exit::NotFound, format!("{}: there are no such cases", past.place)));
    };
    let before = first.view(first.locate(args.before.at).map_err(fail)?);
    let after = second.view(second.locate(args.after.at).map_err(fail)?);
    let difference = diff(&before, &after);
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&difference.to_json())?,
        Format::Text => output.text(&difference.to_string())?,
    }
    output.finish()?;
    Ok(Exit::Done)
}
