//! `export`: a log in another form.

use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};

use actum_log::limits::SEAL_READ_BYTES_MAX;
use actum_log::{ArchiveSource, FrameSource, Genesis, Seal};
use actum_model::{CaseEvent, CaseId, Event};
use actum_replay::export::Wanted;
use actum_replay::{CaseRef, Events, Fact, Names, to_json};
use actum_verify::{Trust, Verdict};
use clap::ValueEnum;

use crate::cli::Common;
use crate::export::{self, Written};
use crate::failure::{Exit, Failure, Outcome, no_log, small_file};
use crate::log::{self, Target};
use crate::number::{counted, grouped};
use crate::output::complain;
use crate::progress;
use crate::trust::TrustArgs;

/// Write a log as a file that others can read
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The log is verified while it is written: what does not verify ends the export with exit code 4 or 5, and no file is left.

  jsonl  one JSON object per event, with names instead of ordinals: everything that the log says
  log    an archive, which `verify`, `log`, `show` and `export` take wherever they take a data directory. With --since it \
has only what the log gained since a seal you kept, and is verified against that seal
  xes    IEEE 1849, a trace per case
  ocel   OCEL 2.0: events about cases, work items and resources. The name of the file says how: .json (also for the standard \
output), .xml or .sqlite
  csv    RFC 4180, a row per step; text that a spreadsheet would take for a formula gets an apostrophe in front
  pnml   a net as a Petri net (ISO/IEC 15909-2), of a net file, or of the log's net (--net, --case, or its only one)

xes, ocel and csv show activities in the words of the standard lifecycle (schedule, assign, reassign, start, suspend, resume, \
complete, autoskip, manualskip, withdraw, ate_abort, pi_abort), without tasks that only route or run a subnet. To check them \
against the net as pnml, use --steps done, or keep only complete, autoskip and manualskip in the reader.

Examples:
  actum export --format jsonl --data d1 | jq -c 'select(.kind == \"WorkCompleted\")'
  actum export --format log --data d1 -O d1.actum
  actum export --format xes --data d1 --net order --steps done -O order.xes
  actum export --format pnml order.yaml -O order.pnml
  actum export --format ocel --data d1.actum -O d1.sqlite")]
pub(crate) struct Args {
    /// The net file to write as PNML
    #[arg(value_name = "NET")]
    file_of_net: Option<PathBuf>,
    /// Form of the file
    #[arg(long, value_enum)]
    format: Form,
    /// File to write; `-` or nothing is the standard output
    #[arg(short = 'O', long = "output-file", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only this case, by its number or key; not for log
    #[arg(long, value_name = "CASE")]
    case: Option<String>,
    /// Only cases of nets of this name, or with a hash that begins so; for xes, ocel, csv, pnml
    #[arg(long, value_name = "NET")]
    net: Option<String>,
    /// Which steps of activities; for xes, ocel, csv
    #[arg(long, value_enum, default_value = "all")]
    steps: Steps,
    /// Write the net's reachable states instead of its tasks; for pnml
    #[arg(long)]
    graph: bool,
    /// Only what came after this seal, as `verify --save-seal` writes it; for log; may be given for each partition
    #[arg(long, value_name = "SEALFILE")]
    since: Vec<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// One JSON object per event and line
    Jsonl,
    /// An archive: the log itself, with everything that proves it
    Log,
    /// XES, a trace per case
    Xes,
    /// OCEL 2.0 as JSON, XML or SQLite
    Ocel,
    /// A row per step
    Csv,
    /// A net as a Petri net
    Pnml,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Steps {
    /// The whole lifecycle
    All,
    /// One step for each firing of a task: when it was done, or passed over
    Done,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    refuse_misfits(args)?;
    let trust = TrustArgs { since: args.since.clone(), ..TrustArgs::default() }.read()?;
    let Written { verdict, what } = match args.format {
        Form::Log => archive(args, &trust, common)?,
        Form::Jsonl => lines(args, common)?,
        Form::Xes | Form::Csv | Form::Ocel => steps(args, common)?,
        Form::Pnml => export::pnml(&export::NetArgs {
            file: args.file_of_net.as_deref(),
            case: args.case.as_deref(),
            net: args.net.as_deref(),
            graph: args.graph,
            target: args.file.as_deref(),
            force: args.force,
            common,
        })?,
    };
    if let Some(file) = args.file.as_deref().filter(|file| *file != Path::new("-")) {
        let what = match (what, verdict) {
            (Some(what), _) => what,
            (None, Some(verdict)) => {
                format!("{} events in {}", grouped(verdict.events()), counted(verdict.blocks(), "block"))
            }
            (None, None) => return Ok(Exit::Done),
        };
        complain(&format!("{}: {what}", file.display()));
    }
    Ok(Exit::Done)
}

/// Options that say nothing about the form that was asked for are mistakes.
fn refuse_misfits(args: &Args) -> Outcome<()> {
    let mining = matches!(args.format, Form::Xes | Form::Ocel | Form::Csv);
    let to_output = args.file.as_deref().is_none_or(|file| file == Path::new("-"));
    let misfits = [
        (
            args.format == Form::Log && to_output && stdout().is_terminal(),
            "an archive is not text; write it to a file with -O FILE, or pipe it",
        ),
        (
            args.format != Form::Log && !args.since.is_empty(),
            "only an archive can begin at a seal; use --since with --format log",
        ),
        (
            args.format == Form::Log && args.case.is_some(),
            "an archive is whole; prove a single case with `actum prove CASE`",
        ),
        (args.net.is_some() && !mining && args.format != Form::Pnml, "--net goes with xes, ocel, csv and pnml"),
        (args.steps == Steps::Done && !mining, "--steps goes with xes, ocel and csv"),
        (args.graph && args.format != Form::Pnml, "--graph goes with pnml"),
        (
            args.file_of_net.is_some() && args.format != Form::Pnml,
            "only --format pnml takes a net file; name the log with --data",
        ),
        (
            args.file_of_net.is_some() && (args.net.is_some() || args.case.is_some()),
            "name a net file, or a net of the log with --net or --case, not both",
        ),
    ];
    match misfits.iter().find(|(is, _)| *is) {
        Some((_, sentence)) => Err(Failure::new(Exit::Usage, *sentence)),
        None => Ok(()),
    }
}

fn archive(args: &Args, trust: &Trust, common: &Common) -> Outcome<Written> {
    let mut log = if args.since.is_empty() { log::open(&common.data)? } else { tail(&args.since, &common.data)? };
    let target = Target::open(args.file.as_deref(), args.force)?;
    let bar = progress::bar(common.format, "exporting", None);
    log.copy_to(target);
    let (verdict, ()) = log::read(&mut log, trust, &bar, |_| Ok(())).or_else(|failure| match failure {
        // Where the seal kept is not found, the log may have been rolled back or replaced.
        Failure::Said { exit: Exit::NotFound, .. } if !args.since.is_empty() => {
            log::read(&mut log::open(&common.data)?, trust, &bar, |_| Ok(()))?;
            Err(failure)
        }
        _ => Err(failure),
    })?;
    if let Some(target) = log.into_copy() {
        target.keep()?;
    }
    Ok(verdict.into())
}

fn lines(args: &Args, common: &Common) -> Outcome<Written> {
    let Ok(case) = args.case.as_deref().map(str::parse::<CaseRef>).transpose();
    let mut log = log::open(&common.data)?;
    let mut target = Target::open(args.file.as_deref(), args.force)?;
    let bar = progress::bar(common.format, "exporting", None);
    let place = log.place.clone();
    let mut line = String::new();
    let mut of_cases: Vec<CaseId> = Vec::new();
    let (verdict, ()): (Verdict, ()) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        let mut events = Events::of_records(verified.records());
        while let Some(event) = events.next() {
            let event = event.map_err(|error| Failure::replay(&place, &error))?;
            if let Some(wanted) = &case {
                if matches!(&event.fact, Fact::Event(Event::Case(CaseEvent::CaseStarted { .. })))
                    && wanted.begins_with(&event)
                {
                    of_cases.extend(event.stream.case());
                }
                if !event.stream.case().is_some_and(|case| of_cases.contains(&case)) {
                    continue;
                }
            }
            line.clear();
            write_line(&event, events.names(), &mut line);
            target.write_all(line.as_bytes()).map_err(|error| target.failure(&error))?;
        }
        Ok(())
    })?;
    if let Some(case) = case.filter(|_| of_cases.is_empty()) {
        return Err(export::no_case(&common.data, &case));
    }
    target.keep()?;
    Ok(verdict.into())
}

fn write_line(event: &actum_replay::LoggedEvent, names: &Names, line: &mut String) {
    use std::fmt::Write as _;
    // A string takes everything.
    writeln!(line, "{}", to_json(event, names)).unwrap_or_default();
}

fn steps(args: &Args, common: &Common) -> Outcome<Written> {
    let Ok(case) = args.case.as_deref().map(str::parse::<CaseRef>).transpose();
    let wanted = Wanted { case, net: args.net.clone(), done_only: args.steps == Steps::Done };
    let order = export::Order { wanted, target: args.file.as_deref(), force: args.force, common };
    match args.format {
        Form::Xes => export::xes(&order),
        Form::Csv => export::csv(&order),
        _ => export::ocel(&order),
    }
}

/// What the log gained since these seals; all of a partition without one.
fn tail(seals: &[PathBuf], data: &Path) -> Outcome<log::OpenLog> {
    let genesis = genesis_of(data)?;
    let mut sizes = vec![0; usize::from(genesis.partitions())];
    for file in seals {
        let bytes = small_file(file, SEAL_READ_BYTES_MAX, "a seal")?;
        let seal = Seal::parse(&bytes)
            .map_err(|error| Failure::new(Exit::Usage, format!("--since: {}: {error}; name a seal", file.display())))?;
        let partition = seal.text.partition;
        if seal.text.origin != genesis.origin() || partition >= genesis.partitions() {
            let sentence = format!(
                "--since: {} is a seal of another log than {}; name a seal of this one",
                file.display(),
                data.display()
            );
            return Err(Failure::new(Exit::Usage, sentence));
        }
        sizes[usize::from(partition)] = seal.text.size;
    }
    log::open_tail(data, sizes)
}

fn genesis_of(data: &Path) -> Outcome<Genesis> {
    let place = data.display().to_string();
    let corrupt = |error: &dyn std::fmt::Display| Failure::new(Exit::Corrupt, format!("{place}: {error}"));
    match std::fs::metadata(data) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(no_log(&place)),
        Err(error) => Err(Failure::file(data, "read", &error)),
        Ok(meta) if meta.is_dir() => {
            let state = actum_fjall::state(data).map_err(|error| Failure::read(&place, &error.into()))?;
            let text = state.genesis.map_err(|error| Failure::read(&place, &error.into()))?;
            Genesis::parse(&text).map_err(|error| corrupt(&error))
        }
        Ok(_) => {
            let source = ArchiveSource::open(data).map_err(|error| Failure::read(&place, &error))?;
            let text = source.genesis().map_err(|error| Failure::read(&place, &error))?;
            Genesis::parse(&text).map_err(|error| corrupt(&error))
        }
    }
}
