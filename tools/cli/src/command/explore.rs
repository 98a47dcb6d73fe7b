//! `explore`: what can a net do? Every trace that the kernel allows.

use std::path::{Path, PathBuf};

use actum_kernel::explore::{Ending, Exploration, Problem, STATES_MAX, Space, Traces, View, explore};
use actum_net::{Net, Scenario};
use clap::ValueEnum;
use serde_json::{Value as Json, json};

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::number::{counted, grouped};
use crate::output::{Format, Output, complain};
use crate::run::net_file::NetFile;

/// List what a net can do: every trace, shortest first
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A trace is what a case can show from its beginning to where nothing more can happen: `done` (it completed), `stuck` (it is \
deadlocked, or waits for what the scenario does not supply), `cancelled` or `failed`. Tasks that only route, and tasks that run \
a subnet, are not shown. Guards over data that nobody knows go both ways; a scenario says what is known, how splits choose, and \
what happens from outside. Who may do the work, times and exceptions are left out.

Views:
  completion        B     B is done; start and completion are one step
  lifecycle         B+ B- B was started, B was completed; both interleave with others
  cancel            completion, and B~ withdrawn before it started, B! stopped while it ran, B# discarded because the case was through
  lifecycle+cancel  both

With -o json: a list of objects with the keys trace (a list of words) and outcome; whether there are more is said on standard \
error. Exit code 0 also when some traces are stuck.

Examples:
  actum explore order.yaml
  actum explore order.yaml --view lifecycle+cancel --max 20
  actum explore order.yaml --scenario two-tries.yaml -o json | jq '.[] | select(.outcome == \"stuck\")'")]
pub(crate) struct Args {
    /// The net, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the environment does (see `actum schema scenario`)
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// What is shown
    #[arg(long, value_name = "VIEW", default_value = "completion")]
    view: ViewName,
    /// Most traces that are listed
    #[arg(long, value_name = "N", default_value = "100")]
    max: usize,
    /// Most states that are looked at: each takes some hundred bytes
    #[arg(long, value_name = "N", default_value_t = STATES_MAX, hide_default_value = true)]
    states: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ViewName {
    /// Completions
    Completion,
    /// Starts and completions
    Lifecycle,
    /// Completions and cancellations
    #[value(alias = "completion+cancel")]
    Cancel,
    /// Starts, completions and cancellations
    #[value(name = "lifecycle+cancel")]
    LifecycleCancel,
}

impl ViewName {
    fn view(self) -> View {
        View {
            lifecycle: matches!(self, ViewName::Lifecycle | ViewName::LifecycleCancel),
            cancel: matches!(self, ViewName::Cancel | ViewName::LifecycleCancel),
        }
    }
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let file = NetFile::read(&args.file)?;
    let net = match actum_net::compile(&file.source) {
        Ok(checked) => checked.net,
        Err(found) => return refused(&file, &found, "the net cannot run"),
    };
    let scenario = match &args.scenario {
        None => Scenario::default(),
        Some(path) => {
            let file = NetFile::read(path)?;
            match actum_net::scenario(&file.source, &net) {
                Ok(scenario) => scenario,
                Err(found) => return refused(&file, &found, "the scenario does not fit the net"),
            }
        }
    };
    let exploration = Exploration { net: &net, scenario: &scenario, view: args.view.view(), states_max: args.states };
    let space =
        explore(&exploration).map_err(|error| Failure::new(Exit::Failure, format!("{}: {error}", file.name)))?;
    let traces = space.traces(args.max);
    let mut output = Output::new();
    if common.format == Format::Json {
        output.json(&to_json(&traces))?;
    } else {
        output.text(&list(&traces))?;
        output.line(summary(&args.file, &net, &space, &traces))?;
    }
    output.finish()?;
    let remarks = remarks(args, &space, &traces);
    if common.format == Format::Json {
        remarks.iter().for_each(|remark| complain(remark));
    } else {
        let mut output = Output::new();
        remarks.iter().try_for_each(|remark| output.line(remark))?;
        output.finish()?;
    }
    space.problems().iter().for_each(|problem| complain(&told(problem)));
    Ok(Exit::Done)
}

fn refused(file: &NetFile, found: &[actum_net::Diagnostic], why: &str) -> Outcome {
    complain(file.render(found, &std::io::stderr()).trim_end());
    Err(Failure::new(Exit::Failure, format!("{}: {why}; mend what is named above", file.name)))
}

/// Numbered, outcomes in a column of their own.
fn list(traces: &Traces) -> String {
    let digits = traces.list.len().to_string().len().max(3);
    let one = |(index, trace): (usize, &actum_kernel::explore::Trace)| {
        let words = if trace.words.is_empty() { "(nothing is shown)".to_owned() } else { trace.words.join(" ") };
        format!("{:>digits$}  {:<9}  {words}\n", index + 1, trace.outcome.to_string())
    };
    traces.list.iter().enumerate().map(one).collect()
}

fn summary(file: &Path, net: &Net, space: &Space, traces: &Traces) -> String {
    let counts: Vec<String> = [Ending::Done, Ending::Stuck, Ending::Cancelled, Ending::Failed]
        .into_iter()
        .map(|ending| (ending, traces.list.iter().filter(|trace| trace.outcome == ending).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(ending, count)| format!("{} {ending}", grouped(count as u64)))
        .collect();
    let counts = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
    let number = counted(traces.list.len() as u64, "trace");
    let number = match (traces.complete, traces.more) {
        (true, _) => format!("{number} in all"),
        (_, true) => format!("the first {number}, and more"),
        _ => format!("{number}, and perhaps more"),
    };
    let (states, steps) = (counted(space.states() as u64, "state"), counted(space.steps() as u64, "step"));
    format!("{}: net {}: {number}{counts}; {states}, {steps}", file.display(), net.name)
}

/// What the reader must know about what is not there.
fn remarks(args: &Args, space: &Space, traces: &Traces) -> Vec<String> {
    let mut remarks = Vec::new();
    if traces.more {
        remarks.push(format!("more: only the {} shortest traces are listed; --max N lists more", args.max));
    }
    if !space.is_complete() {
        let states = grouped(space.states() as u64);
        remarks.push(format!(
            "incomplete: a limit was met after {states} states, so other traces may be missing; \
             bound loops and numbers of instances in a scenario, or look at more with --states N"
        ));
    }
    if space.is_exhausted() {
        remarks.push(
            "cut: on some ways the scenario's bounds left a split nothing to choose; they are in no trace".to_owned(),
        );
    }
    if traces.list.is_empty() && traces.complete {
        remarks.push("no case comes to an end of any kind".to_owned());
    }
    remarks
}

fn told(problem: &Problem) -> String {
    let Problem { task, code, message } = problem;
    if task.is_empty() { format!("note: {code}: {message}") } else { format!("note: {task}: {code}: {message}") }
}

fn to_json(traces: &Traces) -> Json {
    let one =
        |trace: &actum_kernel::explore::Trace| json!({ "trace": trace.words, "outcome": trace.outcome.to_string() });
    traces.list.iter().map(one).collect()
}
