//! `prove`: a file that convinces whoever holds it and the log's verifier key.

use std::convert::Infallible;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use actum_log::{
    ArchiveSource, CHECKPOINT_KIND, CasePaths, CheckpointTable, FrameSource, ProofError, ProofOptions, ReadError,
    SYSTEM_STREAM, prove_case, prove_completeness, prove_consistency, prove_dossier, prove_event, records,
};
use actum_verify::{Trust, verify_proof};

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log::{self, Target};
use crate::output::complain;
use crate::progress;

/// Write a proof of an event or a case for somebody who does not have the log
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file is text in the form of a C2SP tlog-proof. `actum verify-proof` checks it with the log's verifier key alone, and \
standard tools check that the event is in the signed tree.
A number is an event's position in the log; `case:N` is a case by its number; everything else is a case's business key. \
`seal:SIZE` proves that the log continues what was sealed over its first SIZE events.

Examples:
  actum prove 120 --data d1 -O event.tlog-proof
  actum prove case:1 --withhold 14,20 --data d1 -O case.tlog-proof     without the data of two events
  actum prove case:1 --as-of latest --data d1 -O complete.tlog-proof   and no other events of it
  actum prove ORD-0042 --only 9,31 --data d1.actum -O dossier.tlog-proof   some events of a case that ended")]
pub(crate) struct Args {
    /// What to prove
    #[arg(value_name = "SEQ|CASE")]
    subject: Subject,
    /// File to write; `-` is the standard output
    #[arg(short = 'O', long = "output-file", value_name = "FILE")]
    file: PathBuf,
    /// Do not show the data of these events, by position in the log; that they took place is still shown
    #[arg(long, value_name = "SEQ,...", value_delimiter = ',')]
    withhold: Vec<u64>,
    /// Show these events of a case that ended, by position in the log, and of the others only their number
    #[arg(long, value_name = "SEQ,...", value_delimiter = ',')]
    only: Vec<u64>,
    /// Prove that these are all events which the case had as of a checkpoint, or that it had none: the checkpoint's position in the
    /// log, or `latest`; `actum checkpoint` writes one
    #[arg(long, value_name = "SEQ|latest", conflicts_with = "only")]
    as_of: Option<AsOf>,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

/// Which checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AsOf {
    Latest,
    Seq(u64),
}

impl FromStr for AsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "latest" {
            return Ok(AsOf::Latest);
        }
        text.parse()
            .map(AsOf::Seq)
            .map_err(|_| "a checkpoint is named by its position in the log, or `latest`".to_owned())
    }
}

/// What is to be proven.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subject {
    Event(u64),
    Case(u64),
    Key(String),
    Seal(u64),
}

impl FromStr for Subject {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let number = |prefix: &str| text.strip_prefix(prefix)?.parse().ok();
        Ok(number("")
            .map(Subject::Event)
            .or_else(|| number("case:").map(Subject::Case))
            .or_else(|| number("seal:").map(Subject::Seal))
            .unwrap_or_else(|| Subject::Key(text.to_owned())))
    }
}

pub(crate) fn run(args: &Args, common: &Common) -> Outcome {
    let place = common.data.display().to_string();
    if !args.only.is_empty() && matches!(args.subject, Subject::Event(_) | Subject::Seal(_)) {
        let sentence = "--only chooses events of a case; name one by its key, or as case:N";
        return Err(Failure::new(Exit::Usage, sentence));
    }
    if args.as_of.is_some() && matches!(args.subject, Subject::Event(_) | Subject::Seal(_)) {
        let sentence = "--as-of proves the events of a case; name one by its key, or as case:N";
        return Err(Failure::new(Exit::Usage, sentence));
    }
    let source = open(common)?;
    let proof = prove(&*source, args, &place)?;
    // Whoever gets the file will do the same.
    verify_proof(proof.as_bytes(), &Trust::self_signed()).map_err(|fault| Failure::fault(&place, &fault))?;
    let mut target = Target::open(Some(&args.file), args.force)?;
    target.write_all(proof.as_bytes()).map_err(|error| target.failure(&error))?;
    target.keep()?;
    if args.file != Path::new("-") {
        complain(&format!("{}: {} bytes; check it with `actum verify-proof`", args.file.display(), proof.len()));
    }
    Ok(Exit::Done)
}

/// A log that can be read at any place, and of which all was verified before: a proof says nothing of what lies between. A child
/// reads a data directory first: the storage engine aborts on some damaged files.
fn open(common: &Common) -> Outcome<Box<dyn FrameSource>> {
    let path = &common.data;
    let mut log = log::open(path)?;
    let bar = progress::bar(common.format, "verifying", None);
    let place = log.place.clone();
    log::read(&mut log, &Trust::self_signed(), &bar, |verified| verified.only_one(&place, "a proof"))?;
    let failure = |error: ReadError| Failure::read(&log.place, &error);
    Ok(if log.is_archive() {
        Box::new(ArchiveSource::open(path).map_err(failure)?)
    } else {
        Box::new(actum_fjall::read(path).map_err(failure)?)
    })
}

fn prove(source: &dyn FrameSource, args: &Args, place: &str) -> Outcome<String> {
    let options = ProofOptions { withhold: &args.withhold, ..ProofOptions::default() };
    let stream = match &args.subject {
        Subject::Event(seq) => return prove_event(source, *seq, &options).map_err(|error| explain(place, &error)),
        Subject::Seal(size) => {
            return prove_consistency(source, *size, &options).map_err(|error| explain(place, &error));
        }
        Subject::Case(case) if (1..SYSTEM_STREAM).contains(case) => *case,
        Subject::Case(_) => return Err(Failure::new(Exit::Usage, "cases are numbered from 1")),
        Subject::Key(key) => case_with_key(source, key, place)?,
    };
    let proof = if let Some(as_of) = args.as_of {
        let checkpoint = checkpoint(source, as_of, place)?;
        prove_completeness(source, stream, &checkpoint, &options)
    } else if args.only.is_empty() {
        prove_case(source, stream, CasePaths::Each, &options)
    } else {
        prove_dossier(source, stream, &args.only, &options)
    };
    proof.map_err(|error| explain(place, &error))
}

fn checkpoint(source: &dyn FrameSource, as_of: AsOf, place: &str) -> Outcome<CheckpointTable> {
    let seq = match as_of {
        AsOf::Seq(seq) => seq,
        AsOf::Latest => latest_checkpoint(source, place)?,
    };
    CheckpointTable::read(source, 0, seq).map_err(|error| explain(place, &error))
}

/// Reads the log through.
fn latest_checkpoint(source: &dyn FrameSource, place: &str) -> Outcome<u64> {
    let failure = |error: ReadError| Failure::read(place, &error);
    let mut latest = None;
    for record in records(source, 0, 0).map_err(failure)? {
        let header = *record.map_err(failure)?.header();
        if header.kind == CHECKPOINT_KIND {
            latest = Some(header.seq);
        }
    }
    latest.ok_or_else(|| {
        let sentence = format!("{place} has no checkpoint; write one with `actum checkpoint --data {place}`");
        Failure::new(Exit::NotFound, sentence)
    })
}

/// The case that was started with a business key. Reads the log through.
fn case_with_key(source: &dyn FrameSource, key: &str, place: &str) -> Outcome<u64> {
    let failure = |error: ReadError| Failure::read(place, &error);
    let mut found: Option<u64> = None;
    for record in records(source, 0, 0).map_err(failure)? {
        let record = record.map_err(failure)?;
        let stream = record.header().stream;
        if stream >= SYSTEM_STREAM || record.view().extensions().business_key() != Some(key) {
            continue;
        }
        if let Some(other) = found.replace(stream).filter(|other| *other != stream) {
            let sentence = format!("{place}: cases {other} and {stream} have the key {key}; name one as case:{other}");
            return Err(Failure::new(Exit::Usage, sentence));
        }
    }
    found.ok_or_else(|| {
        let sentence = format!("{place}: no case has the key {key}; `actum log --data {place}` lists what there is");
        Failure::new(Exit::NotFound, sentence)
    })
}

/// Why something cannot be proven of the log at `place`.
pub(crate) fn explain(place: &str, error: &ProofError) -> Failure {
    let exit = match error {
        ProofError::Read(error) => return Failure::read(place, error),
        ProofError::Empty(_)
        | ProofError::NoSeal(_)
        | ProofError::NoEvent { .. }
        | ProofError::NoStream { .. }
        | ProofError::Order { .. }
        | ProofError::NoCheckpoint(_)
        | ProofError::NotPart(_) => Exit::NotFound,
        ProofError::Chosen { .. } => Exit::Usage,
        _ => Exit::Failure,
    };
    let hint =
        if let ProofError::NoEvent { .. } = error { "; to prove a case by its number, write case:N" } else { "" };
    Failure::new(exit, format!("{place}: {error}{hint}"))
}

#[cfg(test)]
mod tests {
    use super::Subject;

    #[test]
    fn subjects_are_told_apart() {
        let subject = |text: &str| text.parse::<Subject>().unwrap();
        assert_eq!(subject("17"), Subject::Event(17));
        assert_eq!(subject("case:17"), Subject::Case(17));
        assert_eq!(subject("seal:17"), Subject::Seal(17));
        assert_eq!(subject("ORD-17"), Subject::Key("ORD-17".to_owned()));
        assert_eq!(subject("case:x"), Subject::Key("case:x".to_owned()));
    }
}
