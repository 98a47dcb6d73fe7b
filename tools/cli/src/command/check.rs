//! `check`: all diagnostics of a net, and what exploring it finds.

use std::io::stdout;
use std::path::{Path, PathBuf};

use actum_kernel::explore::{Finding, FindingKind, Problem, STATES_MAX, Soundness, soundness};
use actum_net::{Code, Diagnostic, Net, Places, Severity};

use crate::cli::Common;
use crate::failure::{Exit, Outcome};
use crate::number::{counted, grouped};
use crate::output::{Format, Output};
use crate::run::net_file::{NetFile, to_json};

/// Find all mistakes in a net
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints `file:line:column: code: message` and a hint for each finding (in colour, with the source, on a terminal). \
Exit code 0 when the net may run, 1 when it has errors. With -o json: a list of objects with the keys file, line, \
column, start, end (bytes), severity, code, message, hint.

A net that may run is explored: can a case get stuck, run in circles, end too early, or never get to some task? Guards over \
data that is not known go both ways, so what is found may need data that never occurs; these findings are warnings.

Examples:
  actum check order.yaml
  actum check order.yaml -o json | jq -r '.[].code'")]
pub(crate) struct Args {
    /// The net, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Do not look at the states that cases can be in
    #[arg(long)]
    no_explore: bool,
    /// Most states that are looked at: each takes some hundred bytes
    #[arg(long, value_name = "N", default_value_t = STATES_MAX, hide_default_value = true)]
    states: usize,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let file = NetFile::read(&args.file)?;
    let (found, name) = match actum_net::compile(&file.source) {
        Ok(checked) => {
            let mut found = checked.warnings;
            if !args.no_explore {
                found.extend(explored(&checked.net, &file, args.states));
                found.sort_by_key(|found| (found.span, found.code));
            }
            (found, Some(checked.net.name))
        }
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

/// What exploring finds, as diagnostics with the positions of the tasks.
fn explored(net: &Net, file: &NetFile, states_max: usize) -> Vec<Diagnostic> {
    let places = Places::of(&file.source);
    let found = match soundness(net, states_max) {
        Ok(found) => found,
        Err(error) => {
            return places.warning(Code::NotExplored, None, &format!("no case could be explored: {error}"), None);
        }
    };
    let mut diagnostics: Vec<Diagnostic> =
        found.findings.iter().flat_map(|one| diagnostic(net, one, &places)).collect();
    diagnostics.extend(found.problems.iter().flat_map(|problem| failure(net, problem, &places)));
    if !found.complete && !found.findings.iter().any(|one| one.kind == FindingKind::Unbounded) {
        diagnostics.extend(places.warning(Code::NotExplored, None, &unexplored(&found, states_max), None));
    }
    diagnostics
}

fn diagnostic(net: &Net, finding: &Finding, places: &Places<'_>) -> Vec<Diagnostic> {
    let task = finding.task.map(|task| net.task_label(task));
    let named = task.as_deref().map_or_else(|| "the net".to_owned(), |task| format!("`{task}`"));
    let condition = finding.condition.map_or("", |condition| net.conditions[condition.index()].name.as_str());
    let way = way(&finding.way);
    let (code, message, hint) = match finding.kind {
        FindingKind::Deadlock => (
            Code::Deadlock,
            format!("a case can get stuck, waiting for {named}{way}"),
            "see whether what it waits for can always come",
        ),
        FindingKind::NeverEnds => {
            (Code::NeverEnds, format!("a case can run in circles and never end{way}"), "give the circle a way out")
        }
        FindingKind::WorkDiscarded => (
            Code::WorkDiscarded,
            format!("a case can end while {named} is not done{way}"),
            "join the branches before `end`, or write `termination: implicit`",
        ),
        FindingKind::TokensLeft => (
            Code::TokensLeft,
            format!("a case can end with a token left in `{condition}`{way}"),
            "join the branches before `end`",
        ),
        FindingKind::Unbounded => (
            Code::Unbounded,
            format!("tokens can pile up in `{condition}` without end{way}"),
            "let each round take as many tokens as it gives",
        ),
        FindingKind::DeadTask => {
            (Code::DeadTask, format!("no case ever gets to {named}"), "see whether what it waits for can come together")
        }
        _ => return Vec::new(),
    };
    places.warning(code, task.as_deref(), &message, Some(hint.to_owned()))
}

/// Something that data which is known makes fail.
fn failure(net: &Net, problem: &Problem, places: &Places<'_>) -> Vec<Diagnostic> {
    let Problem { task, code, message } = problem;
    let label = net.task_labelled(task).map(|task| net.task_label(task));
    let what = if task.is_empty() { "a case".to_owned() } else { format!("`{task}`") };
    places.warning(Code::CanFail, label.as_deref(), &format!("{what} can fail: {code}: {message}"), None)
}

/// `: after a, b`; long ways are told by their end.
fn way(words: &[String]) -> String {
    const TOLD_MAX: usize = 12;
    match words.len() {
        0 => String::new(),
        count if count > TOLD_MAX => {
            format!(": after {count} steps, the last {}", words[count - TOLD_MAX..].join(", "))
        }
        _ => format!(": after {}", words.join(", ")),
    }
}

fn unexplored(found: &Soundness, states_max: usize) -> String {
    if found.states > states_max {
        format!("only {} states were looked at; what else a case can do is not known", grouped(states_max as u64))
    } else {
        "not every number of instances, or not every choice, was tried; what else a case can do is not known".to_owned()
    }
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
