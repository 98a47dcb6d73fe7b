//! `export`: the whole log in another form.

use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};

use actum_log::limits::SEAL_READ_BYTES_MAX;
use actum_log::{ArchiveSource, FrameSource, Genesis, Seal};
use actum_replay::{Events, to_json};
use actum_verify::Trust;
use clap::ValueEnum;

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome, no_log, small_file};
use crate::log::{self, Target};
use crate::number::{counted, grouped};
use crate::output::complain;
use crate::progress;
use crate::trust::TrustArgs;

/// Write the whole log as a file that others can read
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The log is verified while it is written: what does not verify ends the export with exit code 4 or 5, and no file is left. \
jsonl has one JSON object per event, with names instead of ordinals; log is an archive, which `verify`, `log`, `show` \
and `export` take wherever they take a data directory. With --since it has only what the log gained since a seal you kept, and \
is verified against that seal.

Examples:
  actum export --format jsonl --data d1 | jq -c 'select(.kind == \"WorkCompleted\")'
  actum export --format log --data d1 -O d1.actum")]
pub(crate) struct Args {
    /// Form of the file
    #[arg(long, value_enum)]
    format: Form,
    /// File to write; `-` or nothing is the standard output
    #[arg(short = 'O', long = "output-file", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only what came after this seal, as `verify --save-seal` writes it; for --format log; may be given for each partition
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
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let to_output = args.file.as_deref().is_none_or(|file| file == Path::new("-"));
    if args.format == Form::Log && to_output && stdout().is_terminal() {
        let sentence = "an archive is not text; write it to a file with -O FILE, or pipe it";
        return Err(Failure::new(Exit::Usage, sentence));
    }
    if args.format != Form::Log && !args.since.is_empty() {
        return Err(Failure::new(Exit::Usage, "only an archive can begin at a seal; use --since with --format log"));
    }
    let trust = TrustArgs { since: args.since.clone(), ..TrustArgs::default() }.read()?;
    let mut log = if args.since.is_empty() { log::open(&common.data)? } else { tail(&args.since, &common.data)? };
    let mut target = Target::open(args.file.as_deref(), args.force)?;
    let bar = progress::bar(common.format, "exporting", None);
    let (verdict, target) = match args.format {
        Form::Log => {
            log.copy_to(target);
            let (verdict, ()) = log::read(&mut log, &trust, &bar, |_| Ok(())).or_else(|failure| match failure {
                // Where the seal kept is not found, the log may have been rolled back or replaced.
                Failure::Said { exit: Exit::NotFound, .. } if !args.since.is_empty() => {
                    log::read(&mut log::open(&common.data)?, &trust, &bar, |_| Ok(()))?;
                    Err(failure)
                }
                _ => Err(failure),
            })?;
            (verdict, log.into_copy())
        }
        Form::Jsonl => {
            let place = log.place.clone();
            let (verdict, ()) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
                let mut events = Events::of_records(verified.records());
                while let Some(event) = events.next() {
                    let event = event.map_err(|error| Failure::replay(&place, &error))?;
                    let line = to_json(&event, events.names());
                    writeln!(target, "{line}").map_err(|error| target.failure(&error))?;
                }
                Ok(())
            })?;
            (verdict, Some(target))
        }
    };
    if let Some(target) = target {
        target.keep()?;
    }
    if let Some(file) = args.file.as_deref().filter(|_| !to_output) {
        let (events, blocks) = (grouped(verdict.events()), counted(verdict.blocks(), "block"));
        complain(&format!("{}: {events} events in {blocks}", file.display()));
    }
    Ok(Exit::Done)
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
