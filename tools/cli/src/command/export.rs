//! `export`: the whole log in another form.

use std::io::{IsTerminal, Write, stdout};
use std::path::{Path, PathBuf};

use actum_replay::{Events, to_json};
use actum_verify::Trust;
use clap::ValueEnum;

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log::{self, Target};
use crate::number::{counted, grouped};
use crate::output::complain;
use crate::progress;

/// Write the whole log as a file that others can read
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The log is verified while it is written: what does not verify ends the export with exit code 4 or 5, and no file is left. \
jsonl has one JSON object per event, with names instead of ordinals; log is an archive, which `verify`, `log`, `show` \
and `export` take wherever they take a data directory.

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
    let mut log = log::open(&common.data)?;
    let mut target = Target::open(args.file.as_deref(), args.force)?;
    let bar = progress::bar(common.format, "exporting", None);
    let (verdict, target) = match args.format {
        Form::Log => {
            log.copy_to(target);
            let (verdict, ()) = log::read(&mut log, &Trust::SelfSigned, &bar, |_| Ok(()))?;
            (verdict, log.into_copy())
        }
        Form::Jsonl => {
            let place = log.place.clone();
            let (verdict, ()) = log::read(&mut log, &Trust::SelfSigned, &bar, |verified| {
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
