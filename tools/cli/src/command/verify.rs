//! `verify`: checks every hash, chain and seal of a log, and says what that rests on.

use std::path::PathBuf;
use std::time::Instant;

use actum_log::VerifierKey;
use actum_verify::{Anchor, Clock, Fault, Part, PartitionVerdict, Trust, Verdict};
use clap::ValueEnum;
use serde_json::{Value as Json, json};

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome, describe, exit_of_fault};
use crate::log;
use crate::number::{counted, grouped, rate};
use crate::output::{Format, Output};
use crate::progress;

/// Check every hash, chain and seal of a log
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads a data directory (also while an engine writes to it, and never writing to it) or an archive. Exit code 4: the log \
contradicts a hash, a signature, a seal or its head; 5: it does not decode. The first bad event or block is named. \
Without --key the key comes from the log itself, so that whoever could rewrite all of it goes unnoticed.

Examples:
  actum verify --data d1
  actum verify d1.actum --key @trusted.vkey --require pinned")]
pub(crate) struct Args {
    /// Data directory or archive; instead of --data
    #[arg(value_name = "DIR|FILE.actum")]
    path: Option<PathBuf>,
    /// Verifier key that the log must have: itself, or a file that holds it as `@FILE`
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// Fail with exit code 1 when the verdict rests on less than this
    #[arg(long, value_name = "ANCHOR", value_enum)]
    require: Option<Required>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Required {
    /// A key that you gave with --key
    Pinned,
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let trust = args.key.as_deref().map_or(Ok(Trust::SelfSigned), trust)?;
    let begun = Instant::now();
    let mut log = log::open(args.path.as_deref().unwrap_or(&common.data))?;
    let bar = progress::bar(common.format, "verifying", None);
    let mut output = Output::new();
    let verdict = match log::judge(&mut log, &trust, &bar, |_| Ok(()))? {
        Ok((verdict, ())) => verdict,
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
    match common.format {
        Format::Json => output.json(&verdict_json(&verdict, seconds))?,
        Format::Text => output.text(&verdict_text(&log.place, &verdict, seconds))?,
    }
    output.finish()?;
    if args.require == Some(Required::Pinned) && verdict.anchor != Anchor::Pinned {
        let sentence = format!(
            "{} verifies, but only on its own word; give a key that you hold with --key to have it pinned",
            log.place
        );
        return Err(Failure::new(Exit::Failure, sentence));
    }
    Ok(Exit::Done)
}

pub(crate) fn trust(key: &str) -> Outcome<Trust> {
    let text = match key.strip_prefix('@') {
        None => key.to_owned(),
        Some(file) => {
            let file = PathBuf::from(file);
            std::fs::read_to_string(&file).map_err(|error| Failure::file(&file, "read", &error))?
        }
    };
    Trust::from_verifier_key(text.trim()).map_err(|error| {
        let advice = "copy the whole key, as `actum run` prints it";
        Failure::new(Exit::Usage, format!("--key: {error}; {advice}"))
    })
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
    row("rests on", &verdict.anchor.to_string());
    for partition in &verdict.partitions {
        let of =
            if verdict.partitions.len() > 1 { format!(" in partition {}", partition.partition) } else { String::new() };
        row("complete", &format!("to {}{of}; nothing after that can be excluded", grouped(partition.size)));
        if partition.unacknowledged_blocks > 0 {
            let blocks = counted(partition.unacknowledged_blocks, "block");
            row("tail", &format!("the last {blocks} were never acknowledged to anybody"));
        }
        row("root", &base64(&partition.root));
        row("key", &verifier_key(verdict, partition));
    }
    if verdict.clock == Clock::Simulated {
        row("time", "simulated: the events did not happen when they say");
    }
    lines.join("\n") + "\n"
}

fn verifier_key(verdict: &Verdict, partition: &PartitionVerdict) -> String {
    VerifierKey::new(&verdict.origin, partition.partition, verdict.key).to_string()
}

fn verdict_json(verdict: &Verdict, seconds: f64) -> Json {
    let partition = |partition: &PartitionVerdict| {
        json!({
            "partition": partition.partition,
            "complete_to": partition.size,
            "blocks": partition.blocks,
            "record_bytes": partition.record_bytes,
            "root": base64(&partition.root),
            "block_hash": base64(&partition.hash),
            "seal": partition.seal,
            "verifier_key": verifier_key(verdict, partition),
            "head_kept": partition.head_kept,
            "unacknowledged_blocks": partition.unacknowledged_blocks,
        })
    };
    json!({
        "verified": true,
        "anchor": verdict.anchor.as_str(),
        "origin": verdict.origin,
        "log": hex(&verdict.log_id),
        "clock": if verdict.clock == Clock::Simulated { "simulated" } else { "real" },
        "events": verdict.events(),
        "blocks": verdict.blocks(),
        "partitions": verdict.partitions.iter().map(partition).collect::<Vec<_>>(),
        "seconds": seconds,
    })
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
