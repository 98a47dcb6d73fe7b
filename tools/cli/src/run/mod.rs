//! `run`: drives an embedded engine: starts cases, lets simulated people do the work, says what happened.

mod input;
pub(crate) mod net_file;
mod organisation;
mod play;
mod report;
mod session;
mod start;
mod stop;
mod summary;

use std::io::stderr;
use std::path::PathBuf;
use std::time::Duration;

use actum_net::{Net, Organisation};

use self::input::Plan;
use self::net_file::NetFile;
pub(crate) use self::play::{outcome, signal_minutes};
pub(crate) use self::summary::quoted;
use crate::cli::Common;
use crate::engine::runtime;
use crate::failure::{Exit, Failure, Outcome};
use crate::number::counted;
use crate::output::{Format, Output, complain};

/// Longest wait for timers, in seconds: a day. Longer ones are cut to it.
const WAIT_MAX: u64 = 86_400;

/// Run cases of a net to their end and say what happened
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Starts an engine on the data directory (making it if needed), starts the cases, and ends when every case has ended or \
waits; cases left open by an earlier run go on. Timers fire while it runs; it waits for those that are due within ten \
seconds in all (--wait). Exit code 8 when some failed, are deadlocked, or wait: it says for what.

With --input @FILE.jsonl each line is the input of one case. A line's `key` is its business key (and an input only if \
the net declares one of that name), else its line number is; a key starts one case only, so the same command can be \
given again. With --play simulated people do the manual work and signals come, in virtual time, as the net's `play` \
section says; timers fire as time reaches them; \
their results depend on the seed, the key, the task and how often it was done, on nothing else. A log that was begun \
with --play keeps simulated time for ever.

Examples:
  actum run order.yaml --input '{\"amount\": 120}'
  actum run order.yaml --input @orders.jsonl --play 7 --data d1
  actum run order.yaml --org staff.yaml             load the organisation first (see `actum schema organisation`)
  actum run order.yaml --cases 0                    only go on with open cases
  actum run order.yaml --cases 0 --retry-failed     and try what failed again")]
pub(crate) struct Args {
    /// The net, in YAML or JSON
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Cases to start, each with the same input [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) cases: Option<u64>,
    /// Input of the cases: a JSON object, or @FILE.jsonl for a case per line (@- is the standard input)
    #[arg(long, value_name = "JSON|@FILE.jsonl")]
    pub(crate) input: Option<String>,
    /// The organisation: who works, in which roles, when; loaded before the first case
    #[arg(long, value_name = "FILE")]
    pub(crate) org: Option<PathBuf>,
    /// Give a new log so many partitions, which decide beside each other; a log has its number for ever [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) partitions: Option<u16>,
    /// Let simulated people do manual work, in virtual time
    #[arg(long, value_name = "SEED")]
    pub(crate) play: Option<u64>,
    /// First try all failed work of open cases again
    #[arg(long)]
    pub(crate) retry_failed: bool,
    /// How long to wait, in all, for timers that are near when nothing else is left to do; without --play
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) wait: u64,
}

/// Everything that is known before the engine is opened.
struct Order {
    data: PathBuf,
    net_file: PathBuf,
    /// The command that goes on with what this one leaves open.
    again: String,
    source: String,
    net: Net,
    organisation: Option<Organisation>,
    plan: Plan,
    partitions: Option<u16>,
    play: Option<u64>,
    retry_failed: bool,
    wait: Duration,
    format: Format,
}

pub(crate) fn run(args: Args, common: &Common) -> Outcome {
    let file = NetFile::read(&args.file)?;
    let net = compile(&file)?;
    let organisation = args.org.as_deref().map(organisation::read).transpose()?;
    let plan = Plan::of(args.input.as_deref(), args.cases, &net)?;
    let order = Order {
        again: again(&args, common),
        data: common.data.clone(),
        net_file: args.file,
        source: file.source,
        net,
        organisation,
        plan,
        partitions: args.partitions,
        play: args.play,
        retry_failed: args.retry_failed,
        wait: Duration::from_secs(args.wait.min(WAIT_MAX)),
        format: common.format,
    };
    session::prepare(&order)?;
    let summary = runtime()?.block_on(session::run(&order))?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&summary.to_json())?,
        Format::Text => output.text(&summary.to_text())?,
    }
    output.finish()?;
    Ok(summary.exit())
}

/// Lines are started once, so the same command goes on with them; cases without keys would be started anew.
fn again(args: &Args, common: &Common) -> String {
    let mut words = vec!["actum".to_owned(), "run".to_owned(), quoted(&args.file.display().to_string())];
    match args.input.as_deref().filter(|input| input.starts_with('@')) {
        Some(input) => words.extend(["--input".to_owned(), quoted(input)]),
        None => words.extend(["--cases".to_owned(), "0".to_owned()]),
    }
    words.extend(args.org.iter().flat_map(|org| ["--org".to_owned(), quoted(&org.display().to_string())]));
    words.extend(args.play.into_iter().flat_map(|seed| ["--play".to_owned(), seed.to_string()]));
    words.extend(["--data".to_owned(), quoted(&common.data.display().to_string())]);
    words.join(" ")
}

/// The net; its findings are shown on standard error, where they are not mixed with the run's own output.
fn compile(file: &NetFile) -> Outcome<Net> {
    let (found, net) = match actum_net::compile(&file.source) {
        Ok(checked) => (checked.warnings, Some(checked.net)),
        Err(found) => (found, None),
    };
    if !found.is_empty() {
        complain(file.render(&found, &stderr()).trim_end());
    }
    net.ok_or_else(|| {
        let errors = found.iter().filter(|found| found.severity == actum_net::Severity::Error).count() as u64;
        let sentence = format!("{} has {}; mend the net, nothing was started", file.name, counted(errors, "error"));
        Failure::new(Exit::Failure, sentence)
    })
}
