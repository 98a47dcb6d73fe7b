//! `man`: writes the manual pages.

use std::path::PathBuf;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::failure::{Exit, Failure, Outcome};

/// Write manual pages, one for each command
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  actum man ~/.local/share/man/man1 && man actum-run")]
pub(crate) struct Args {
    /// Directory to write them to; made if it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

pub(crate) fn run(args: &Args) -> Outcome {
    std::fs::create_dir_all(&args.directory)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), &args.directory))
        .map_err(|error| Failure::file(&args.directory, "written", &error))?;
    Ok(Exit::Done)
}
