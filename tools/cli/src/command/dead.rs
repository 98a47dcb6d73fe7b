//! `dead`: work that failed and is not tried again by itself.

use std::collections::HashMap;

use actum_model::payload;
use actum_model::{CaseId, ItemId, NetHash};
use actum_projections::{DeadLetter, DeadLetters, OfCase, Projection as _, Recorded};
use actum_replay::{Events, Names};
use actum_verify::Trust;
use serde_json::json;

use crate::cli::Common;
use crate::engine::{stopped, upkeep};
use crate::failure::{Exit, Failure, Outcome};
use crate::log;
use crate::number::counted;
use crate::output::{Format, Output};
use crate::progress;

/// Look at work that failed for good, give it out anew, or drop it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`list` reads the log, also beside a running engine. `requeue` and `drop` open it for writing, so no engine may run on it; an embedded \
engine has calls of its own. Work that is given out anew is done when an engine with its handler opens the log.

Examples:
  actum dead list --data d1
  actum dead requeue 17 0 --data d1      item 0 of case 17; its policies count its attempts from here
  actum dead drop 17 0 --data d1         its tokens are gone, and it gives none")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List failed work that waits for somebody
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 1_000)]
        limit: usize,
    },
    /// Give failed work out anew
    Requeue(Which),
    /// Drop failed work
    Drop(Which),
}

#[derive(Debug, Clone, Copy, clap::Args)]
struct Which {
    /// Number of the case
    #[arg(value_name = "CASE")]
    case: u64,
    /// Number of the item within the case
    #[arg(value_name = "ITEM")]
    item: u32,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    match args.action {
        Action::List { limit } => list(limit, common),
        Action::Requeue(which) => change(which, true, common),
        Action::Drop(which) => change(which, false, common),
    }
}

fn list(limit: usize, common: &Common) -> Outcome {
    let mut log = log::open(&common.data)?;
    let place = log.place.clone();
    let bar = progress::bar(common.format, "reading", None);
    let letters = DeadLetters::default();
    let mut nets: HashMap<CaseId, NetHash> = HashMap::new();
    let mut output = Output::new();
    let (_, ()) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        verified.only_one(&place, "a list of failed work")?;
        let mut events = Events::of_records(verified.records());
        for event in events.by_ref() {
            let event = event.map_err(|error| Failure::replay(&place, &error))?;
            let Some((case, fact)) = event.of_case() else { continue };
            if let actum_model::CaseEvent::CaseStarted { net, .. } = fact {
                nets.insert(case, *net);
            }
            let net = nets.get(&case).copied().unwrap_or_default();
            let of = OfCase { case, net, key: None, waits: false, event: fact };
            letters.apply(&Recorded::of_case(payload::encode_case(fact).kind, &event.meta, of));
            if fact.is_terminal() {
                nets.remove(&case);
            }
        }
        say(&letters.list(None, limit), events.names(), common.format, &mut output)
    })?;
    output.finish()?;
    Ok(Exit::Done)
}

fn say(letters: &[DeadLetter], names: &Names, format: Format, output: &mut Output) -> Outcome<()> {
    for letter in letters {
        let DeadLetter { case, item, net, task, since, code, message, attempts, reason } = letter;
        let task = names.net(*net).map_or_else(|| task.to_string(), |net| net.task_label(*task));
        match format {
            Format::Json => output.json(&json!({
                "case": case.0, "item": item.0, "task": task, "since": since.to_string(), "code": code,
                "message": message, "attempts": attempts, "reason": reason,
            }))?,
            Format::Text => {
                let why = if reason.is_empty() { String::new() } else { format!(" ({reason}, {attempts} made)") };
                output.line(format!("case {case} item {item} {task} since {since}: {code}: {message}{why}"))?;
            }
        }
    }
    if letters.is_empty() && format == Format::Text {
        output.line("no work has failed and waits")?;
    }
    Ok(())
}

fn change(Which { case, item }: Which, requeue: bool, common: &Common) -> Outcome {
    let data = &common.data;
    let (case, item) = (CaseId(case), ItemId(item));
    let outcome = upkeep(
        data,
        |builder| builder,
        |engine| async move {
            let failed = engine.dead_letters(None, usize::MAX);
            if !failed.iter().any(|letter| (letter.case, letter.item) == (case, item)) {
                let known = counted(failed.len() as u64, "failed item");
                let sentence =
                    format!("item {item} of case {case} has not failed; the log has {known} (see `actum dead list`)");
                return Err(Failure::new(Exit::NotFound, sentence));
            }
            let done = if requeue { engine.requeue(case, item).await } else { engine.drop_work(case, item).await };
            match done {
                Err(actum::CommandError::Rejected(no)) => Err(Failure::new(Exit::Failure, no.to_string())),
                done => done.map_err(|error| stopped(data, &error)),
            }
        },
    );
    outcome?;
    let mut output = Output::new();
    let word = if requeue { "requeued" } else { "dropped" };
    match common.format {
        Format::Json => output.json(&json!({ "case": case.0, "item": item.0, "done": word }))?,
        Format::Text => output.line(format!("item {item} of case {case} is {word}"))?,
    }
    output.finish()?;
    Ok(Exit::Done)
}
