//! `verify`: checks every hash, chain and seal of a log, and says what that rests on.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use actum_log::VerifierKey;
use actum_replay::lawful::{Finding, Lawful, Report};
use actum_replay::{Events, Numbered, ReplayError};
use actum_verify::{Anchor, Anchors, Clock, Fault, FaultKind, KeySpan, Part, PartitionVerdict, Verdict};
use serde_json::{Value as Json, json};

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome, describe, exit_of_fault};
use crate::log::{self, Target};
use crate::number::{counted, grouped, rate};
use crate::output::{Format, Output};
use crate::progress;
use crate::trust::TrustArgs;

/// Check every hash, chain and seal of a log
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads a data directory (also while an engine writes to it, and never writing to it) or an archive. Exit code 4: the log \
contradicts a hash, a signature, a seal or its head; 5: it does not decode. The first bad event or block is named. \
Without --key the key comes from the log itself, so that whoever could rewrite all of it goes unnoticed; with --since the log \
must continue what you kept of it. An archive that `export --since` wrote is verified against that seal alone.

--lawful holds each event against the state before it: tokens, guards, data, who acted, allocations, timers, causes. The first \
unlawful event of each case is named, with the rule that it breaks. Exit code 7: the log is whole and sealed, and unlawful.

Examples:
  actum verify --data d1 --save-seal today.seal
  actum verify d1.actum --trust reviewers.trust --since today.seal --require pinned")]
pub(crate) struct Args {
    /// Data directory or archive; instead of --data
    #[arg(value_name = "DIR|FILE.actum")]
    path: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Also check that every recorded transition was allowed, by the net that its case runs
    #[arg(long)]
    lawful: bool,
    /// Write the newest seal to a file, to be kept and given later with --since
    #[arg(long, value_name = "FILE")]
    save_seal: Option<PathBuf>,
    /// Replace that file if it exists
    #[arg(long, requires = "save_seal")]
    force: bool,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let trust = args.trust.read()?;
    let begun = Instant::now();
    let mut log = log::open(args.path.as_deref().unwrap_or(&common.data))?;
    let place = log.place.clone();
    let bar = progress::bar(common.format, "verifying", None);
    let mut output = Output::new();
    let judged = log::judge(&mut log, &trust, &bar, |verified| {
        if !args.lawful {
            return Ok(None);
        }
        verified.only_one(&place, "--lawful")?;
        lawfulness(&place, verified.records()).map(Some)
    })?;
    let (verdict, report) = match judged {
        Ok(judged) => judged,
        Err(fault) => {
            let failure = log::explain(&fault, &mut log);
            if common.format == Format::Json {
                output.json(&fault_json(&fault, &failure))?;
                output.finish()?;
            }
            return Err(failure);
        }
    };
    let seconds = begun.elapsed().as_secs_f64();
    if report.is_some() {
        whole(&log.place, &verdict)?;
    }
    match common.format {
        Format::Json => {
            let mut json = verdict_json(&verdict, seconds);
            if let Some(report) = &report {
                json["lawfulness"] = lawfulness_json(report);
            }
            output.json(&json)?;
        }
        Format::Text => {
            let lawful = report.as_ref().map_or_else(String::new, lawfulness_text);
            output.text(&(verdict_text(&log.place, &verdict, seconds) + &lawful))?;
        }
    }
    output.finish()?;
    args.trust.require(&log.place, |requirement| verdict.meets(requirement))?;
    if let Some(file) = &args.save_seal {
        save_seal(file, args.force, &log.place, &verdict)?;
    }
    Ok(if report.is_some_and(|report| !report.is_lawful()) { Exit::Unlawful } else { Exit::Done })
}

/// The state before the first event that is there must be known.
fn whole(place: &str, verdict: &Verdict) -> Outcome<()> {
    let skipped: u64 = verdict.partitions.iter().map(|partition| partition.skipped_events).sum();
    if skipped == 0 {
        return Ok(());
    }
    let lacks = counted(skipped, "event");
    let sentence =
        format!("{place} lacks the first {lacks}; --lawful needs a whole log: name its directory or a whole archive");
    Err(Failure::new(Exit::Usage, sentence))
}

/// Holds each event of a verified log against the state before it.
fn lawfulness(place: &str, records: impl Iterator<Item = Numbered>) -> Outcome<Report> {
    let mut events = Events::of_records(records);
    let mut lawful = Lawful::default();
    while let Some(event) = events.next() {
        match event {
            Ok(event) => lawful.take(event, events.names()),
            Err(ReplayError::Net { seq, net, reason }) => {
                lawful.take_false_net(seq, &format!("the net {net} cannot be what was deployed: {reason}"));
            }
            Err(error) => return Err(Failure::replay(place, &error)),
        }
    }
    Ok(lawful.finish())
}

fn lawfulness_text(report: &Report) -> String {
    let mut lines = Vec::new();
    let (events, cases) = (counted(report.events, "event"), counted(report.cases, "case"));
    match report.findings.first() {
        None => lines.push(format!("lawful: {events} of {cases} were allowed when they happened")),
        Some(first) => {
            lines.push(format!("UNLAWFUL: the first event that was not allowed is {}", finding_text(first)));
            lines.push(format!("  judged    {events}, {cases}; {} were not allowed", grouped(report.unlawful)));
        }
    }
    lines.extend(report.findings.iter().skip(1).map(|finding| format!("  and       {}", finding_text(finding))));
    let more = report.unlawful - report.findings.len() as u64;
    if more > 0 {
        lines.push(format!("  and       {} more", grouped(more)));
    }
    if report.passed_over > 0 {
        lines.push(format!("  not judged what follows in unlawful cases: {}", counted(report.passed_over, "event")));
    }
    for (what, times) in &report.not_checked {
        lines.push(format!("  not checked {what}: {}", counted(*times, "time")));
    }
    lines.join("\n") + "\n"
}

fn finding_text(finding: &Finding) -> String {
    let case = finding.case.map_or_else(String::new, |case| format!(" (case {case})"));
    format!("{}{case}, {}: {}", finding.seq, finding.law, finding.sentence)
}

fn lawfulness_json(report: &Report) -> Json {
    let finding = |finding: &Finding| {
        json!({
            "seq": finding.seq.0,
            "case": finding.case.map(|case| case.0),
            "rule": finding.law.code(),
            "message": finding.sentence,
        })
    };
    json!({
        "lawful": report.is_lawful(),
        "events": report.events,
        "cases": report.cases,
        "unlawful": report.unlawful,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "events_passed_over": report.passed_over,
        "not_checked": report.not_checked,
    })
}

/// Saves the newest seal; that of partition `n` of several under the file's name with `.n` behind it.
fn save_seal(file: &Path, force: bool, place: &str, verdict: &Verdict) -> Outcome<()> {
    let mut saved = 0;
    for partition in &verdict.partitions {
        let Some(seal) = &partition.seal else { continue };
        let mut name = file.as_os_str().to_owned();
        if verdict.partitions.len() > 1 {
            name.push(format!(".{}", partition.partition));
        }
        let mut target = Target::open(Some(Path::new(&name)), force)?;
        target.write_all(seal.as_bytes()).map_err(|error| target.failure(&error))?;
        target.keep()?;
        saved += 1;
    }
    if saved == 0 {
        return Err(Failure::new(Exit::NotFound, format!("{place} has no block yet, so there is no seal to save")));
    }
    Ok(())
}

fn verdict_text(place: &str, verdict: &Verdict, seconds: f64) -> String {
    let mut lines = vec![format!(
        "{place}: verified, {} in {} ({:.2} s, {} events/s)",
        counted(verdict.events(), "event"),
        counted(verdict.blocks(), "block"),
        seconds,
        grouped(rate(verdict.events(), seconds)),
    )];
    let mut row = |name: &str, value: &str| lines.push(format!("  {name:<9} {value}"));
    for (index, anchor) in verdict.anchors.iter().enumerate() {
        row(if index == 0 { "rests on" } else { "and on" }, &anchor.to_string());
    }
    for partition in &verdict.partitions {
        let of =
            if verdict.partitions.len() > 1 { format!(" in partition {}", partition.partition) } else { String::new() };
        row("complete", &format!("to {}{of}; nothing after that can be excluded", grouped(partition.size)));
        if partition.skipped_events > 0 {
            let events = counted(partition.skipped_events, "event");
            row("not read", &format!("the first {events}, which the seal you kept stands for"));
        }
        if partition.unacknowledged_blocks > 0 {
            let blocks = counted(partition.unacknowledged_blocks, "block");
            row("tail", &format!("the last {blocks} were never acknowledged to anybody"));
        }
        row("root", &base64(&partition.root));
        row("key", &verifier_key(verdict, partition));
        if partition.keys.len() > 1 || partition.key_in_force != verdict.key {
            partition.keys.iter().for_each(|span| row("sealed", &span_text(span, partition)));
            if partition.keys.iter().all(|span| span.key != partition.key_in_force) {
                let id = u32::from_be_bytes(partition.key_id);
                row("in force", &format!("key {id:08x}, from the next block on"));
            }
        }
    }
    if verdict.clock == Clock::Simulated {
        row("time", "simulated: the events did not happen when they say");
    }
    lines.join("\n") + "\n"
}

fn span_text(span: &KeySpan, partition: &PartitionVerdict) -> String {
    let state = match span {
        _ if span.key == partition.key_in_force => ", in force",
        KeySpan { revoked: true, .. } => ", revoked",
        _ => "",
    };
    let (first, last) = (grouped(span.first_block), grouped(span.last_block));
    let blocks = if first == last { format!("block {first}") } else { format!("blocks {first} to {last}") };
    format!("{blocks} by key {:08x}{state}", u32::from_be_bytes(span.key_id))
}

fn verifier_key(verdict: &Verdict, partition: &PartitionVerdict) -> String {
    VerifierKey::new(&verdict.origin, partition.partition, verdict.key).to_string()
}

fn verdict_json(verdict: &Verdict, seconds: f64) -> Json {
    let partition = |partition: &PartitionVerdict| {
        let span = |span: &KeySpan| {
            json!({
                "verifier_key": span.verifier_key(&partition.key_name),
                "first_block": span.first_block,
                "last_block": span.last_block,
                "first_seq": span.first_seq,
                "last_seq": span.last_seq,
                "in_force": span.key == partition.key_in_force,
                "revoked": span.revoked,
            })
        };
        json!({
            "partition": partition.partition,
            "complete_to": partition.size,
            "skipped_events": partition.skipped_events,
            "blocks": partition.blocks,
            "record_bytes": partition.record_bytes,
            "root": base64(&partition.root),
            "block_hash": base64(&partition.hash),
            "seal": partition.seal,
            "verifier_key": verifier_key(verdict, partition),
            "keys": partition.keys.iter().map(span).collect::<Vec<_>>(),
            "head_kept": partition.head_kept,
            "unacknowledged_blocks": partition.unacknowledged_blocks,
        })
    };
    json!({
        "verified": true,
        "anchor": key_anchor(&verdict.anchors),
        "anchors": anchors_json(&verdict.anchors),
        "origin": verdict.origin,
        "log": hex(&verdict.log_id),
        "clock": if verdict.clock == Clock::Simulated { "simulated" } else { "real" },
        "events": verdict.events(),
        "blocks": verdict.blocks(),
        "partitions": verdict.partitions.iter().map(partition).collect::<Vec<_>>(),
        "seconds": seconds,
    })
}

/// `self` or `pinned`.
pub(crate) fn key_anchor(anchors: &Anchors) -> &'static str {
    if anchors.is_pinned() { Anchor::Pinned.as_str() } else { Anchor::SelfSigned.as_str() }
}

/// Everything that a verdict rests on.
pub(crate) fn anchors_json(anchors: &Anchors) -> Json {
    let one = |anchor: &Anchor| match anchor {
        Anchor::Since { partition, size, prefix_read } => {
            json!({ "anchor": "since", "partition": partition, "size": size, "prefix_read": prefix_read })
        }
        Anchor::Witnessed { partition, size, witness, time } => {
            json!({ "anchor": "witnessed", "partition": partition, "size": size, "witness": witness, "time": time })
        }
        other => json!({ "anchor": other.as_str() }),
    };
    anchors.iter().map(one).collect()
}

fn fault_json(fault: &Fault, failure: &Failure) -> Json {
    let (exit, message) = match failure {
        Failure::Said { exit, sentence } => (*exit, sentence.clone()),
        Failure::BrokenPipe => (exit_of_fault(fault), describe(fault)),
    };
    let place = fault.place;
    json!({
        "verified": false,
        "kind": match exit {
            Exit::Tampered => "tampered",
            Exit::Corrupt => "corrupt",
            Exit::NotFound => "not-found",
            _ if fault.kind() == FaultKind::Unproven => "unproven",
            _ => "unavailable",
        },
        "code": fault.defect.code(),
        "message": message,
        "place": {
            "part": match place.part {
                Part::Genesis => "genesis",
                Part::Chunk => "chunk",
                Part::Event => "event",
                Part::Block => "block",
                Part::Seal => "seal",
                Part::Head => "head",
                Part::End => "end",
                Part::Proof => "proof",
                Part::Since => "since",
                _ => "log",
            },
            "partition": place.partition,
            "block": place.block,
            "seq": place.seq,
            "seq_end": place.seq_end,
            "offset": place.offset,
        },
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
