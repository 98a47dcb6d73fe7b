//! `bisect`: the event after which a condition holds.

use actum_replay::timeline::{Condition, Found, Search, Story, bisect};
use actum_replay::{At, CaseRef, ReplayError};

use super::{history, past};
use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::number::counted;
use crate::output::{Format, Output};

/// Find the first event of a case after which a condition holds
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The condition is CEL, as in a net. It sees the case's variables by name, and (where the case has no variable of that name)
  status  tokens  items  done  seq  version  time  kind  task  actor  key  here
`here` is a map of all the others (`here.items`, where the case has items of its own), `tokens` is a map by condition, `items` a list of maps (item task phase actor attempt), `done` a list of tasks; `kind`, `task` \
and `actor` are those of the newest event. What was never set is null: `total != null && total > 100`.

By default it looks where halving leads: some twenty looks for a million events. That is right for a condition that goes on \
to hold once it holds; it must not hold after the first event and must hold after the last. --linear looks at one event after \
the other and finds the first of all, --every lists each event after which the answer changed. The log is verified while it is read.

Exit code 3 if there is no such event.

Examples:
  actum bisect 1 --when 'approved == true' --data d1
  actum bisect 1 --when 'items.exists(i, i.phase == \"failed\")' --every --data d1
  actum bisect ORD-0042 --when 'tokens[\"pay->ship\"] > 0' --linear --data d1")]
pub(crate) struct Args {
    /// Number of the case, or its business key
    #[arg(value_name = "CASE")]
    case: CaseRef,
    /// The condition
    #[arg(long, value_name = "CEL")]
    when: String,
    /// Look at one event after the other, and find the first of all
    #[arg(long, conflicts_with = "every")]
    linear: bool,
    /// List all events after which it began or ceased to hold
    #[arg(long)]
    every: bool,
    /// Begin at this point
    #[arg(long, value_name = "SEQ|@vN|TIME")]
    from: Option<At>,
    /// End at this point
    #[arg(long, value_name = "SEQ|@vN|TIME")]
    to: Option<At>,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let (place, story) = past::of_case(common, &args.case)?;
    let fail = |error: ReplayError| Failure::replay(&place, &error);
    let net = story.net().ok_or(ReplayError::NoNet { case: story.case() }).map_err(fail)?;
    let condition = Condition::compile(&args.when, net).map_err(fail)?;
    let search = match (args.linear, args.every) {
        (true, _) => Search::First,
        (_, true) => Search::Every,
        _ => Search::Halving,
    };
    let from = args.from.map_or(Ok(1), |at| story.locate(Some(at))).map_err(fail)? - 1;
    let to = story.locate(args.to).map_err(fail)?;
    let found = bisect(&story, &condition, search, from..to).map_err(fail)?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&found.to_json(&story, &condition))?,
        Format::Text => output.text(&text(&story, &found, to - from))?,
    }
    output.finish()?;
    Ok(if found.changes.is_empty() { Exit::NotFound } else { Exit::Done })
}

fn text(story: &Story, found: &Found, events: usize) -> String {
    let net = story.net().map(|net| &**net);
    let change = |(index, holds): &(usize, bool)| {
        let logged = &story.events()[*index];
        let json = actum_replay::json_of_case(logged, net, story.names());
        let answer = if *holds { "holds after" } else { "no longer holds after" };
        format!("{answer}\n{}\n", history::line(logged, &json))
    };
    let mut parts: Vec<String> = found.changes.iter().map(change).collect();
    if parts.is_empty() {
        parts.push(format!("the condition holds after none of {}\n", counted(events as u64, "event")));
    }
    parts.push(format!("looked at {} of {}\n", found.looks, counted(events as u64, "event")));
    parts.extend(found.assumed().map(|assumed| format!("assumed {assumed}\n")));
    parts.concat()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_help_names_everything_that_a_condition_sees() {
        let help = include_str!("bisect.rs");
        for (name, ..) in actum_replay::timeline::BUILT_IN {
            assert!(help.contains(&format!("{name} ")) || help.contains(&format!(" {name}\n")), "{name}");
        }
    }
}
