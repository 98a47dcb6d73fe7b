//! `what-if`: a case forked in memory, with other data or another net.

use std::collections::BTreeMap;
use std::io::stderr;
use std::path::PathBuf;
use std::sync::Arc;

use actum_model::{Value, json};
use actum_net::{Net, TaskIx};
use actum_replay::ReplayError;
use actum_replay::timeline::{Point, Premise, World, what_if};

use super::{history, past};
use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::output::{Format, Output, complain};
use crate::run::net_file::NetFile;
use crate::run::{outcome, signal_minutes};

/// Show what might have been: fork a case at an event, with other data or another net
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Takes the case as it was after an event (at the end of the decision that the event is part of), changes it in memory, and lets \
the kernel go on. What people, handlers and the outside did is taken from what happened, where the same task asks again; the \
handlers expr and log are computed anew. Where nothing is recorded, it stops and says so. With --play simulated people do the work \
from there on, and signals come, as the net's `play` section says. Another net gets the case's tokens, work and data by name. \
Nothing is written; the log is verified while it is read.

Examples:
  actum what-if 1@120 --set 'amount=5000' --data d1
  actum what-if ORD-0042@v6 --set 'approved=false' --set 'note=\"too late\"' --data d1
  actum what-if 1@v1 --net order-v2.yaml --data d1
  actum what-if 1@v1 --play 8 -o json --data d1")]
pub(crate) struct Args {
    /// The case, and where to fork it
    #[arg(value_name = "CASE@POINT")]
    point: Point,
    /// Give a variable another value
    #[arg(long, value_name = "VARIABLE=JSON")]
    set: Vec<Set>,
    /// Go on with another net, in YAML or JSON
    #[arg(long, value_name = "FILE")]
    net: Option<PathBuf>,
    /// Let simulated people do the work from there on
    #[arg(long, value_name = "SEED", conflicts_with = "recorded")]
    play: Option<u64>,
    /// Go on with what people did in the past: so it is without --play
    #[arg(long)]
    recorded: bool,
}

#[derive(Debug, Clone)]
struct Set(String, Value);

impl std::str::FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write VARIABLE=JSON, such as `amount=5000`")?;
        let json = serde_json::from_str(value)
            .map_err(|_| format!("`{value}` is not JSON; text needs its quotes: {}='\"{value}\"'", name.trim()))?;
        let value = json::from_json(&json).map_err(|error| error.to_string())?;
        Ok(Set(name.trim().to_owned(), value))
    }
}

/// What the net's `play` section says, as in `run --play`.
struct Played {
    seed: Option<u64>,
    key: String,
}

impl World for Played {
    fn person(&self, net: &Net, task: TaskIx, visit: u32) -> Option<(u32, Value)> {
        let outcome = outcome(self.seed?, &self.key, net, task, visit);
        Some((outcome.minutes, outcome.result))
    }

    fn signal(&self, net: &Net, signal: &str, visit: u32) -> Option<u32> {
        signal_minutes(self.seed?, &self.key, net, signal, visit)
    }

    fn handler(&self, handler: &str, input: &Value) -> Option<Value> {
        match handler {
            "expr" => Some(input.clone()),
            "log" => Some(Value::Map(BTreeMap::new())),
            _ => None,
        }
    }
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let net = args.net.as_ref().map(|path| compiled(&NetFile::read(path)?)).transpose()?;
    let (place, story) = past::of_case(common, &args.point.case)?;
    let fail = |error: ReplayError| Failure::replay(&place, &error);
    let count = story.locate(args.point.at).map_err(fail)?;
    let set = args.set.iter().map(|Set(name, value)| (name.clone(), value.clone())).collect();
    let premise = Premise { set, net: net.map(Arc::new), simulated: args.play.is_some() };
    // As `run --play` names a case, so that the same seed gives the same people.
    let key = story.key().map_or_else(|| format!("#{}", story.case()), str::to_owned);
    let found = what_if(&story, count, &premise, &Played { seed: args.play, key }).map_err(fail)?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&found.to_json(&story))?,
        Format::Text => output.text(&found.to_text(&story, &|logged, json| history::what(logged, json)))?,
    }
    output.finish()?;
    Ok(Exit::Done)
}

fn compiled(file: &NetFile) -> Outcome<Net> {
    actum_net::compile(&file.source).map(|checked| checked.net).map_err(|found| {
        complain(file.render(&found, &stderr()).trim_end());
        Failure::new(Exit::Failure, format!("{} has mistakes; mend the net", file.name))
    })
}
