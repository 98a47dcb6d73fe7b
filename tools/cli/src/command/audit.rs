//! `audit`: judges a verified log by rules.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::time::Instant;

use actum_replay::Events;
use actum_replay::rules::{Audit, Outcome as Judged, Report, RuleSet, report_json, rules};
use actum_verify::Verdict;
use serde_json::{Value as Json, json};

use super::verify::{anchors_json, key_anchor};
use crate::audit::{Page, Proofs, page, text};
use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log::{self, Target};
use crate::number::counted;
use crate::output::{Format, Output, complain, is_colourful};
use crate::progress;
use crate::run::net_file::{Shown, fancy, list, plain, read_text};
use crate::trust::TrustArgs;

/// Breaches of a rule that are written out, unless the user says otherwise.
const LISTED: usize = 100;

/// Events that are proven in a page, unless the user says otherwise.
const PROOFS: usize = 500;

/// Judge a log by compliance rules
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The log is verified first, as `actum verify` does; then each rule is judged in one pass, and its breaches are listed with the \
events that show them. The language of rules is in replay/RULES.md; `actum schema rules` gives its JSON Schema.

A rule is violated, undecided (a condition failed, or a limit was reached), pending (something is owed by a case that has not \
ended, and there is time for it), satisfied, or vacuous (nothing happened that it is about).
Exit code 7: a rule is violated; 1: none is, but one is undecided; 2: the rules have mistakes, all of which are listed.

--html writes one file that needs no server and no network: the report, the seal, how to verify again, and a proof of each \
event that shows a breach, which `actum verify-proof` checks. The proofs hold the events' data, unless --withhold-data.

Examples:
  actum audit --rules rules.yaml --data d1
  actum audit --rules rules.yaml d1.actum --key @log.vkey --require pinned --html report.html
  actum audit --rules rules.yaml -o json --data d1 | jq -r '.rules[] | select(.outcome == \"violated\") | .id'")]
pub(crate) struct Args {
    /// Data directory or archive; instead of --data
    #[arg(value_name = "DIR|FILE.actum")]
    path: Option<PathBuf>,
    /// The rules, in YAML or JSON
    #[arg(long, value_name = "FILE")]
    rules: PathBuf,
    /// Also write the report as a page that stands alone
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// List at most so many breaches of each rule; all are counted
    #[arg(long, value_name = "N", default_value_t = LISTED)]
    list: usize,
    /// Put the proofs of at most so many events into the page
    #[arg(long, value_name = "N", default_value_t = PROOFS, requires = "html")]
    proofs: usize,
    /// Prove in the page that events took place, without their data
    #[arg(long, requires = "html")]
    withhold_data: bool,
    /// Replace the page if it exists
    #[arg(long, requires = "html")]
    force: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let trust = args.trust.read()?;
    let (source, rules) = match read_rules(&args.rules, common)? {
        Ok(read) => read,
        Err(exit) => return Ok(exit),
    };
    // Before the log is read, which may take long.
    let target = args.html.as_deref().map(|file| Target::open(Some(file), args.force)).transpose()?;
    let path = args.path.as_deref().unwrap_or(&common.data);
    let mut log = log::open(path)?;
    let place = log.place.clone();
    let is_archive = log.is_archive();
    let begun = Instant::now();
    let bar = progress::bar(common.format, "judging", None);
    let (verdict, report) = log::read(&mut log, &trust, &bar, |verified| {
        verified.only_one(&place, "an audit")?;
        let mut events = Events::of_records(verified.records());
        let mut audit = Audit::new(&rules, args.list);
        while let Some(event) = events.next() {
            let event = event.map_err(|error| Failure::replay(&place, &error))?;
            audit.take(&event, events.names());
        }
        Ok(audit.finish(events.names()))
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    whole(&place, &verdict)?;
    args.trust.require(&place, |requirement| verdict.meets(requirement))?;
    let mut output = Output::new();
    match common.format {
        Format::Json => output.json(&json(&report, &verdict, &place, seconds))?,
        Format::Text => output.text(&text(&report, &verdict, &place, width(), is_colourful(&stdout())))?,
    }
    output.finish()?;
    if let (Some(mut target), Some(file)) = (target, &args.html) {
        let proofs = Proofs::make(path, is_archive, &report, &verdict, args.proofs, args.withhold_data, common)?;
        let parts = Page { report: &report, verdict: &verdict, place: &place, proofs: &proofs, rules: &source };
        target.write_all(page(&parts).as_bytes()).map_err(|error| target.failure(&error))?;
        target.keep()?;
        if file != Path::new("-") {
            let proven = counted(proofs.len() as u64, "event");
            complain(&format!("{}: the report, with proofs of {proven}", file.display()));
        }
    }
    Ok(match report.outcome() {
        Judged::Violated => Exit::Unlawful,
        Judged::Undecided => Exit::Failure,
        _ => Exit::Done,
    })
}

/// The rules and their text; or the exit code, when they have mistakes, which were said.
fn read_rules(path: &Path, common: &Common) -> Outcome<Result<(String, RuleSet), Exit>> {
    let (name, source) = read_text(path)?;
    let found = match rules(&source) {
        Ok(rules) => return Ok(Ok((source, rules))),
        Err(found) => found,
    };
    let shown: Vec<Shown<'_>> = found.iter().map(Shown::of_diagnostic).collect();
    if common.format == Format::Json {
        let mut output = Output::new();
        output.json(&json!({ "mistakes": list(&name, &shown) }))?;
        output.finish()?;
    } else if stderr().is_terminal() {
        complain(fancy(&name, &source, &shown, is_colourful(&stderr())).trim_end());
    } else {
        complain(plain(&name, &shown).trim_end());
    }
    let mistakes = counted(found.len() as u64, "mistake");
    complain(&format!("error: {name} has {mistakes}; no log was judged"));
    Ok(Err(Exit::Usage))
}

/// Rules speak of whole cases.
fn whole(place: &str, verdict: &Verdict) -> Outcome<()> {
    let skipped: u64 = verdict.partitions.iter().map(|partition| partition.skipped_events).sum();
    if skipped == 0 {
        return Ok(());
    }
    let sentence = format!(
        "{place} lacks the first {}; rules are judged over a whole log: name its directory or a whole archive",
        counted(skipped, "event")
    );
    Err(Failure::new(Exit::Usage, sentence))
}

fn json(report: &Report, verdict: &Verdict, place: &str, seconds: f64) -> Json {
    let mut json = report_json(report);
    let partition = |partition: &actum_verify::PartitionVerdict| {
        json!({
            "partition": partition.partition,
            "complete_to": partition.size,
            "root": crate::audit::base64(&partition.root),
            "seal": partition.seal,
            "verifier_key": crate::audit::verifier_key(verdict, partition),
        })
    };
    json["log"] = json!({
        "place": place,
        "verified": true,
        "anchor": key_anchor(&verdict.anchors),
        "anchors": anchors_json(&verdict.anchors),
        "origin": verdict.origin,
        "clock": if verdict.clock == actum_verify::Clock::Simulated { "simulated" } else { "real" },
        "partitions": verdict.partitions.iter().map(partition).collect::<Vec<_>>(),
    });
    json["seconds"] = json!(seconds);
    json
}

/// Columns for people: the terminal's, else what prints well.
fn width() -> usize {
    const WIDTH: usize = 100;
    let columns = console::Term::stdout().size_checked().filter(|_| stdout().is_terminal());
    columns.map_or(WIDTH, |(_, columns)| usize::from(columns)).clamp(30, WIDTH)
}
