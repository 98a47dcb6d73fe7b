//! `import`: a workflow of another system as a net.

use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};

use actum_import::{import, is_foreign};
use actum_net::Severity;
use serde_json::json;

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log::Target;
use crate::number::counted;
use crate::output::{Format, Output, complain, is_colourful};
use crate::run::net_file::{NetFile, Shown, fancy, list, plain, read_text, to_json};

/// The first line of what is written.
const HEADER: &str = "# Made of a YAWL specification by `actum import`.\n";

/// Make a net of a workflow of another system
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads YAWL specifications: schema 4.0, 3.0, 2.x and the Beta dialects. The file is imported as a whole or not at all: what \
has no counterpart is refused with its position. Warnings name what is imported and no longer checked. `run`, `check` and \
`explore` take such files directly.

Exit code 0 when the net was written, 1 when the file is refused. With -o json: an object with the keys file, net (its \
name, or null), findings (as `check` lists them).

Examples:
  actum import Sales.yawl -O sales.yaml
  actum import Sales.yawl | actum check /dev/stdin")]
pub(crate) struct Args {
    /// The file to import
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The net to write; `-` or nothing is the standard output
    #[arg(short = 'O', long = "output-file", value_name = "NET")]
    output: Option<PathBuf>,
    /// Replace the net if it exists
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let to_output = args.output.as_deref().is_none_or(|file| file == Path::new("-"));
    if common.format == Format::Json && to_output {
        let sentence = "the net and its findings cannot both go to the standard output; name a file with -O FILE";
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let (name, text) = read_text(&args.file)?;
    if !is_foreign(&text) {
        let sentence = format!("{name} is no file of another system; if it is a net, run `actum check {name}`");
        return Err(Failure::new(Exit::Failure, sentence));
    }
    let imported = match import(&text) {
        Ok(imported) => imported,
        Err(findings) => {
            let shown: Vec<Shown<'_>> = findings.iter().map(Shown::of_finding).collect();
            let errors = shown.iter().filter(|found| found.severity == Severity::Error).count();
            let people = || {
                if stderr().is_terminal() {
                    fancy(&name, &text, &shown, is_colourful(&stderr()))
                } else {
                    plain(&name, &shown)
                }
            };
            return refused(&name, &people, &list(&name, &shown), errors, common);
        }
    };
    let file = NetFile::of_import(name, text, imported);
    let (found, net) = match actum_net::compile(&file.source) {
        Ok(checked) => (checked.warnings, Some(checked.net)),
        Err(found) => (found, None),
    };
    let people = || file.render(&found, &stderr());
    let Some(net) = net else {
        let errors = found.iter().filter(|found| found.severity == Severity::Error).count();
        return refused(&file.name, &people, &to_json(&file, &found), errors, common);
    };
    let mut target = Target::open(args.output.as_deref(), args.force)?;
    let written = target.write_all(HEADER.as_bytes()).and_then(|()| target.write_all(file.source.as_bytes()));
    written.map_err(|error| target.failure(&error))?;
    target.keep()?;
    if common.format == Format::Json {
        let mut output = Output::new();
        output.json(&json!({ "file": file.name, "net": net.name, "findings": to_json(&file, &found) }))?;
        output.finish()?;
    } else {
        let shown = people();
        if !shown.is_empty() {
            complain(shown.trim_end());
        }
        if let Some(output) = args.output.as_deref().filter(|_| !to_output) {
            complain(&format!("{}: net {}", output.display(), net.name));
        }
    }
    Ok(Exit::Done)
}

/// Says why nothing was written.
fn refused(
    name: &str,
    people: &dyn Fn() -> String,
    json: &serde_json::Value,
    errors: usize,
    common: &Common,
) -> Outcome {
    if common.format == Format::Json {
        let mut output = Output::new();
        output.json(&json!({ "file": name, "net": null, "findings": json }))?;
        output.finish()?;
    } else {
        complain(people().trim_end());
        complain(&format!("{name}: {}; it is not imported", counted(errors as u64, "error")));
    }
    Ok(Exit::Failure)
}
