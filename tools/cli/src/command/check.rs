//! `check`: all diagnostics of a net.

use std::io::stdout;
use std::path::{Path, PathBuf};

use actum_net::Severity;

use crate::cli::Common;
use crate::failure::{Exit, Outcome};
use crate::number::counted;
use crate::output::{Format, Output};
use crate::run::net_file::{NetFile, to_json};

/// Find all mistakes in a net
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints `file:line:column: code: message` and a hint for each finding (in colour, with the source, on a terminal). \
Exit code 0 when the net may run, 1 when it has errors. With -o json: a list of objects with the keys file, line, \
column, start, end (bytes), severity, code, message, hint.

Examples:
  actum check order.yaml
  actum check order.yaml -o json | jq -r '.[].code'")]
pub(crate) struct Args {
    /// The net, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let file = NetFile::read(&args.file)?;
    let (found, name) = match actum_net::compile(&file.source) {
        Ok(checked) => (checked.warnings, Some(checked.net.name)),
        Err(found) => (found, None),
    };
    let errors = found.iter().filter(|found| found.severity == Severity::Error).count() as u64;
    let warnings = found.len() as u64 - errors;
    let mut output = Output::new();
    if common.format == Format::Json {
        output.json(&to_json(&file, &found))?;
    } else {
        output.text(&file.render(&found, &stdout()))?;
        output.line(verdict(&args.file, name.as_deref(), errors, warnings))?;
    }
    output.finish()?;
    Ok(if errors > 0 { Exit::Failure } else { Exit::Done })
}

fn verdict(file: &Path, name: Option<&str>, errors: u64, warnings: u64) -> String {
    let file = file.display();
    let warnings = (warnings > 0).then(|| counted(warnings, "warning"));
    match (errors, warnings, name) {
        (0, None, Some(name)) => format!("{file}: net {name} is fine"),
        (0, Some(warnings), Some(name)) => format!("{file}: net {name} may run, with {warnings}"),
        (_, warnings, _) => {
            let warnings = warnings.map(|warnings| format!(" and {warnings}")).unwrap_or_default();
            format!("{file}: {}{warnings}; it cannot run", counted(errors, "error"))
        }
    }
}
