//! `verify-proof`: checks a proof file with a key, without the log.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use actum_log::limits::PROOF_BYTES_MAX;
use actum_model::{Time, payload};
use actum_verify::{Clock, ProofVerdict, Proven, ProvenEvent, verify_proof};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use crate::cli::Common;
use crate::command::verify::{anchors_json, key_anchor};
use crate::failure::{Exit, Failure, Outcome, describe, exit_of_fault};
use crate::log;
use crate::number::counted;
use crate::output::{Format, Output};
use crate::trust::TrustArgs;

/// Check a proof file with the log's verifier key, without the log
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Says what is proven: an event, all events of a case, some of them, or that a log continues an older one. Exit code 4: the
proof contradicts itself, its seal or your key; 5: it does not decode.

Examples:
  actum verify-proof event.tlog-proof --key @trusted.vkey
  actum verify-proof case.tlog-proof --key example.org/log/0+1a2b3c4d+AbCd... -o json")]
pub(crate) struct Args {
    /// The proof
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    if args.trust.key.is_none() && args.trust.trust.is_none() {
        let sentence =
            "a proof is worth what its key is worth; give the log's key, as you hold it, with --key or --trust";
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let trust = args.trust.read()?;
    let proof = read(&args.file)?;
    let place = args.file.display().to_string();
    let mut output = Output::new();
    let verdict = match verify_proof(&proof, &trust) {
        Ok(verdict) => verdict,
        Err(fault) => {
            let exit = exit_of_fault(&fault);
            let sentence = match log::what(&proof).filter(|what| !what.starts_with("a proof")) {
                Some(what) => format!("{place} is {what}, not a proof"),
                None => format!("{place}: {}; do not rely on it", describe(&fault)),
            };
            if common.format == Format::Json {
                output.json(&json!({
                    "proven": false,
                    "kind": fault.kind().as_str(),
                    "code": fault.defect.code(),
                    "message": sentence,
                    "seq": fault.place.seq,
                }))?;
                output.finish()?;
            }
            return Err(Failure::new(exit, sentence));
        }
    };
    match common.format {
        Format::Json => output.json(&verdict_json(&verdict))?,
        Format::Text => output.text(&verdict_text(&args.file, &verdict, !args.trust.since.is_empty()))?,
    }
    output.finish()?;
    args.trust.require(&place, |requirement| verdict.meets(requirement))?;
    Ok(Exit::Done)
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(PROOF_BYTES_MAX as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::file(path, "read", &error))?;
    Ok(bytes)
}

/// `has_seal`: a seal was given that the proof could be held against.
fn verdict_text(file: &Path, verdict: &ProofVerdict, has_seal: bool) -> String {
    let mut lines = vec![format!("{}: proven: {}", file.display(), verdict.proven)];
    let mut row = |name: &str, value: &str| lines.push(format!("  {name:<9} {value}"));
    for (index, anchor) in verdict.anchors.iter().enumerate() {
        row(if index == 0 { "rests on" } else { "and on" }, &anchor.to_string());
    }
    if has_seal && !verdict.anchors.is_since(verdict.partition) {
        row(
            "not on",
            "the seal you kept, which this proof says nothing of; `actum prove seal:SIZE` proves that the log continues it",
        );
    }
    row("log", &format!("{} of {}, partition {}", hex(&verdict.log_id), verdict.origin, verdict.partition));
    row("sealed", &format!("over {} events, with block {}", verdict.size, verdict.block));
    row("root", &STANDARD.encode(verdict.root));
    if verdict.rotations > 0 {
        row("key", &format!("in force after {}, from yours on", counted(verdict.rotations as u64, "rotation")));
    }
    if verdict.clock == Clock::Simulated {
        row("time", "simulated: the events did not happen when they say");
    }
    lines.extend(verdict.proven.events().map(event_line));
    lines.join("\n") + "\n"
}

fn event_line(event: &ProvenEvent) -> String {
    let data = match &event.payload {
        Some(payload) => format!("{} bytes", payload.len()),
        None => "data withheld".to_owned(),
    };
    let ends = if event.terminal { ", ends it" } else { "" };
    let (seq, version, time) = (event.seq, event.version, Time(event.time));
    format!("{seq:>7}  {time}  version {version}  actor {}  {}  {data}{ends}", event.actor, kind(event))
}

/// The event's name, where this version of the software knows it.
fn kind(event: &ProvenEvent) -> String {
    let known = payload::PAYLOAD_TYPES.iter().find(|known| (known.kind, known.schema) == (event.kind, event.schema));
    known.map_or_else(|| format!("kind {}", event.kind), |known| known.name.to_owned())
}

fn verdict_json(verdict: &ProofVerdict) -> Json {
    let mut json = json!({
        "proven": true,
        "what": verdict.proven.as_str(),
        "anchor": key_anchor(&verdict.anchors),
        "anchors": anchors_json(&verdict.anchors),
        "origin": verdict.origin,
        "log": hex(&verdict.log_id),
        "clock": if verdict.clock == Clock::Simulated { "simulated" } else { "real" },
        "partition": verdict.partition,
        "size": verdict.size,
        "root": STANDARD.encode(verdict.root),
        "block": verdict.block,
        "block_hash": STANDARD.encode(verdict.block_hash),
        "key_in_force": hex(&verdict.key_in_force),
        "rotations": verdict.rotations,
    });
    let more = match &verdict.proven {
        Proven::Case { stream, ended, .. } => json!({ "stream": stream, "ended": ended }),
        Proven::Dossier { stream, total, .. } => json!({ "stream": stream, "ended": true, "total": total }),
        Proven::Complete { stream, as_of, checkpoint, ended, .. } => {
            json!({ "stream": stream, "as_of": as_of, "checkpoint": checkpoint, "ended": ended })
        }
        Proven::Absent { stream, as_of, checkpoint } => {
            json!({ "stream": stream, "as_of": as_of, "checkpoint": checkpoint })
        }
        Proven::Consistency { old_size, old_root, old_block } => {
            json!({ "old_size": old_size, "old_root": STANDARD.encode(old_root), "old_block": old_block })
        }
        _ => json!({}),
    };
    json["events"] = verdict.proven.events().map(event_json).collect();
    if let (Some(json), Json::Object(more)) = (json.as_object_mut(), more) {
        json.extend(more);
    }
    json
}

fn event_json(event: &ProvenEvent) -> Json {
    json!({
        "seq": event.seq,
        "case": (event.stream < actum_log::SYSTEM_STREAM).then_some(event.stream),
        "version": event.version,
        "kind": kind(event),
        "time": Time(event.time).to_string(),
        "actor": event.actor,
        "stream": event.stream,
        "terminal": event.terminal,
        "in_tree": event.in_tree,
        "head": STANDARD.encode(&event.head),
        "payload": event.payload.as_ref().map(|payload| STANDARD.encode(payload)),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
