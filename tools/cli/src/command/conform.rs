//! `conform`: does a log follow a net?

use std::path::PathBuf;

use actum_replay::conform::{Checker, Conformance, Deviation, MARKINGS_MAX, TraceFit};
use serde_json::{Value as Json, json};

use crate::cli::Common;
use crate::conform::{self, Trace};
use crate::failure::{Exit, Failure, Outcome};
use crate::number::counted;
use crate::output::{Format, Output};
use crate::progress;

/// Deviating traces that are shown unless all are asked for.
const SHOWN_MAX: u64 = 20;

/// Check whether a log, also one of another system, follows a net
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The log is XES, CSV (with columns for case and activity), JSON lines of `actum export`, a data directory or an archive; the \
net is a net file, or a Petri net in PNML. Activities count when they are done: by events without a lifecycle, or with \
complete, autoskip, manualskip. Only the order of activities is checked, not data, people or times. A net with OR-joins and \
the like is checked by its reachable states.

For each trace: where it first leaves the net, what was possible there instead, and its fitness: 1 less the fewest events to \
leave out and activities to put in, over that number at worst (an optimal alignment). The fitness of the log is the average. \
A case of a data directory or archive that has not completed only has to be the beginning of a run.

Exit code 0 when every trace follows the net, 7 when one or more do not, 1 when none was found that does not, but some were \
too hard to decide, 3 when the log has no trace. With -o json: an object with the keys log, net, traces, fitting, \
unfinished, deviating, undecided, variants, fitness, list; list has for each trace: trace, events, result, fitness, and \
where it deviates event (from 1), activity, possible, could_end, cost.

Examples:
  actum conform --net order.yaml --log order.xes
  actum conform --net mined.pnml --log d1 -o json")]
pub(crate) struct Args {
    /// The net: a net file, or PNML
    #[arg(long, value_name = "NET")]
    net: PathBuf,
    /// The log: .xes, .csv, .jsonl, a data directory or an archive
    #[arg(long, value_name = "LOG")]
    log: PathBuf,
    /// Most markings that are visited for one trace
    #[arg(long, value_name = "N", default_value_t = MARKINGS_MAX)]
    max: usize,
    /// Show every trace that deviates
    #[arg(long)]
    all: bool,
}

#[derive(Default)]
struct Counts {
    traces: u64,
    fitting: u64,
    unfinished: u64,
    deviating: u64,
    undecided: u64,
    /// Sum of what is known, and of how many.
    fitness: (f64, u64),
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let net = conform::net(&args.net)?;
    let mut checker = Checker::new(&net.petri, args.max);
    if !checker.has_runs() {
        let sentence = format!(
            "{} has no run from its beginning to its end that was found within {}; mend the net, or allow more with --max",
            args.net.display(),
            counted(args.max as u64, "marking")
        );
        return Err(Failure::new(Exit::Failure, sentence));
    }
    let bar = progress::bar(common.format, "checking", None);
    let mut output = Output::new();
    let (mut counts, mut list, mut more) = (Counts::default(), Vec::new(), 0_u64);
    conform::traces(&args.log, &net, &bar, &mut |trace: Trace| {
        let fit = checker.check(&trace.activities);
        let unfinished = trace.unfinished && at_end(&fit, &trace);
        counts.add(&fit, unfinished);
        if common.format == Format::Json {
            list.push(to_json(&trace, &fit, unfinished));
        } else if let Conformance::Deviates(deviation) = &fit.conformance
            && !unfinished
        {
            if args.all || counts.deviating <= SHOWN_MAX {
                let text = sentence(&trace, deviation, fit.fitness);
                bar.suspend(|| output.line(text))?;
            } else {
                more += 1;
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    if counts.traces == 0 {
        return Err(Failure::new(Exit::NotFound, format!("{} has no traces", args.log.display())));
    }
    let average = (counts.fitness.1 > 0).then(|| counts.fitness.0 / counts.fitness.1 as f64);
    if common.format == Format::Json {
        output.json(&json!({
            "log": args.log.display().to_string(), "net": net.petri.name, "traces": counts.traces, "fitting": counts.fitting,
            "unfinished": counts.unfinished, "deviating": counts.deviating, "undecided": counts.undecided,
            "variants": checker.variants(), "fitness": average, "list": list,
        }))?;
    } else {
        if more > 0 {
            output.line(format!("and {} more; --all shows them", counted(more, "trace")))?;
        }
        output.line(counts.summary(average))?;
    }
    output.finish()?;
    Ok(match (counts.deviating, counts.undecided) {
        (1.., _) => Exit::Unlawful,
        (0, 1..) => Exit::Failure,
        (0, 0) => Exit::Done,
    })
}

/// The trace leaves the net only by not going on.
fn at_end(fit: &TraceFit, trace: &Trace) -> bool {
    matches!(&fit.conformance, Conformance::Deviates(deviation) if deviation.event == trace.activities.len())
}

impl Counts {
    fn add(&mut self, fit: &TraceFit, unfinished: bool) {
        self.traces += 1;
        match &fit.conformance {
            Conformance::Fits => self.fitting += 1,
            Conformance::Deviates(_) if unfinished => self.unfinished += 1,
            Conformance::Deviates(_) => self.deviating += 1,
            Conformance::Undecided => self.undecided += 1,
        }
        if let Some(fitness) = fit.fitness.filter(|_| !unfinished) {
            self.fitness.0 += fitness;
            self.fitness.1 += 1;
        }
    }

    fn summary(&self, average: Option<f64>) -> String {
        let parts = [
            (self.unfinished, "unfinished, and on the way"),
            (self.deviating, "not following it"),
            (self.undecided, "too hard to decide"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
        let fitness = average.map_or_else(String::new, |average| format!("; fitness {average:.4}"));
        let all = counted(self.traces, "trace");
        format!("{} of {all} follow the net{}{fitness}", self.fitting, parts.collect::<String>())
    }
}

fn sentence(trace: &Trace, deviation: &Deviation, fitness: Option<f64>) -> String {
    let fitness =
        fitness.map_or_else(|| "fitness not found within --max".to_owned(), |fitness| format!("fitness {fitness:.4}"));
    let mut instead = deviation.possible.clone();
    if deviation.could_end {
        instead.push("the end".to_owned());
    }
    let instead = if instead.is_empty() { "nothing more".to_owned() } else { instead.join(", ") };
    let what = match trace.activities.get(deviation.event) {
        Some(activity) => format!("event {} ({activity}) is not possible", deviation.event + 1),
        None => format!("it ends after event {}", deviation.event),
    };
    format!("trace {}: {what}, instead: {instead}; {fitness}", trace.name)
}

fn to_json(trace: &Trace, fit: &TraceFit, unfinished: bool) -> Json {
    let result = match &fit.conformance {
        Conformance::Fits => "fits",
        Conformance::Deviates(_) if unfinished => "unfinished",
        Conformance::Deviates(_) => "deviates",
        Conformance::Undecided => "undecided",
    };
    let fitness = fit.fitness.filter(|_| !unfinished);
    let mut json =
        json!({ "trace": trace.name, "events": trace.activities.len(), "result": result, "fitness": fitness });
    if let Conformance::Deviates(deviation) = &fit.conformance
        && !unfinished
    {
        json["event"] = (deviation.event + 1).into();
        json["activity"] = trace.activities.get(deviation.event).cloned().into();
        json["possible"] = deviation.possible.clone().into();
        json["could_end"] = deviation.could_end.into();
        json["cost"] = deviation.cost.into();
    }
    json
}
