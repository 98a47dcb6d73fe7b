//! What a child process does for [`crate::log`]: reads a log and writes it to its standard output.

use std::ffi::OsString;
use std::io::{BufWriter, ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};

use actum_fjall::OpenError;
use actum_log::{ArchiveError, ArchiveSource, FrameKey, FrameSource, Genesis, ReadError, write_archive, write_tail};

use super::prove::explain;
use crate::failure::{Exit, Failure, Outcome, exit_of_read};
use crate::log::{Problem, Served};

/// First argument of such a child. Not a command of the command line, so that no help or completion shows it.
pub(crate) const NAME: &str = "__read-directory";
const PROBE: &str = "--probe";
const EXAMINE: &str = "--examine";
const TAIL: &str = "--tail";

/// What the child is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write heads and archive.
    Serve,
    /// Read all frames, then write the heads.
    Probe,
    /// As `Probe`, but what is wrong with the store is an answer and no failure.
    Examine,
    /// Write heads, then as an archive what came after these sizes of the partitions.
    Tail(Vec<u64>),
}

pub(crate) fn arguments(place: &Path, mode: &Mode) -> Vec<OsString> {
    let mode = match mode {
        Mode::Serve => vec![],
        Mode::Probe => vec![PROBE.to_owned()],
        Mode::Examine => vec![EXAMINE.to_owned()],
        Mode::Tail(sizes) => vec![TAIL.to_owned(), sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(",")],
    };
    [NAME.into(), place.into()].into_iter().chain(mode.into_iter().map(Into::into)).collect()
}

fn mode_of(mut arguments: impl Iterator<Item = OsString>) -> Option<Mode> {
    let Some(mode) = arguments.next() else { return Some(Mode::Serve) };
    match mode.to_str()? {
        PROBE => Some(Mode::Probe),
        EXAMINE => Some(Mode::Examine),
        TAIL => {
            let sizes = arguments.next()?;
            Some(Mode::Tail(sizes.to_str()?.split(',').map(|size| size.parse().ok()).collect::<Option<_>>()?))
        }
        _ => None,
    }
}

/// Takes what [`arguments`] made, behind the name.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> Outcome {
    let path = PathBuf::from(arguments.next().unwrap_or_default());
    let place = path.display().to_string();
    let mode = mode_of(arguments).ok_or_else(|| Failure::new(Exit::Usage, "nobody types this"))?;
    let opened = if path.is_file() {
        ArchiveSource::open(&path).map(|source| (Box::new(source) as Box<dyn FrameSource>, None))
    } else {
        match actum_fjall::try_read(&path, None) {
            Ok(source) => {
                let dropped = source.dropped().map(|dropped| dropped.bytes);
                Ok((Box::new(source) as _, dropped))
            }
            Err(error) if mode == Mode::Examine => {
                let problem = Problem { code: code(&error).to_owned(), exit: 0, message: String::new() };
                let Failure::Said { exit, sentence } = Failure::read(&place, &error.into()) else {
                    return Err(Failure::BrokenPipe);
                };
                let problem = Problem { exit: exit as u8, message: sentence, ..problem };
                write_line(&mut stdout().lock(), &Served { problem: Some(problem), ..Served::default() })
                    .map_err(|error| Failure::output(&error))?;
                return Ok(Exit::Done);
            }
            Err(error) => Err(ReadError::from(error)),
        }
    };
    let (source, dropped) = opened.map_err(|error| Failure::read(&place, &error))?;
    if matches!(mode, Mode::Tail(_)) {
        refuse_tail(&*source, &place)?;
    }
    serve(&*source, &mode, dropped).map_err(|error| match error {
        ArchiveError::Io(error) => Failure::output(&error),
        ArchiveError::Frame { source, .. } => Failure::new(Exit::Corrupt, format!("{place}: {source}")),
        error @ ArchiveError::Contradiction { .. } => Failure::new(Exit::Failure, format!("{place}: {error}")),
        ArchiveError::Proof(error) => explain(&place, &error),
        error => {
            let error = ReadError::from(error);
            Failure::new(exit_of_read(&error), format!("{place}: {error}"))
        }
    })?;
    Ok(Exit::Done)
}

/// An archive that begins after a seal lacks what ties a later seal to the log's beginning.
fn refuse_tail(source: &dyn FrameSource, place: &str) -> Outcome<()> {
    let failure = |error: ReadError| Failure::read(place, &error);
    let first = source.frames(FrameKey::first(0)).map_err(failure)?.next().transpose().map_err(failure)?;
    match first.map(|frame| frame.key.seq) {
        Some(seq) if seq > 0 => {
            let sentence = format!(
                "{place} has only what its log gained after its first {seq} events; a part of that is exported from the whole log"
            );
            Err(Failure::new(Exit::Failure, sentence))
        }
        _ => Ok(()),
    }
}

/// A stable word for what is wrong with a store.
fn code(error: &OpenError) -> &'static str {
    match error {
        OpenError::Behind { .. } => "store/behind-head",
        OpenError::Tampered(_) => "store/tampered",
        OpenError::Corrupt(corruption) => match corruption.path.as_deref() {
            Some(path) if path.extension().is_some_and(|extension| extension == "jnl") => "journal/corrupt",
            Some(path) if path.starts_with("store") => "store/corrupt",
            Some(path) if path.starts_with("genesis") => "genesis/corrupt",
            Some(_) => "head/corrupt",
            None => "store/corrupt",
        },
        OpenError::Inaccessible { source, .. }
            if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) =>
        {
            "disk/full"
        }
        OpenError::Inaccessible { .. } => "directory/permissions",
        OpenError::Io { .. } => "disk/failed",
        _ => "store/unavailable",
    }
}

fn serve(source: &dyn FrameSource, mode: &Mode, dropped_bytes: Option<u64>) -> Result<(), ArchiveError> {
    let partitions = Genesis::parse(&source.genesis()?)?.partitions();
    let heads = (0..partitions).map(|partition| Ok(source.head(partition)?.map(Into::into)));
    let heads = heads.collect::<Result<_, ReadError>>()?;
    if matches!(mode, Mode::Probe | Mode::Examine) {
        for partition in 0..partitions {
            for frame in source.frames(FrameKey::first(partition))? {
                frame?.header().map_err(|source| ArchiveError::Frame { offset: 0, source })?;
            }
        }
    }
    let mut output = BufWriter::with_capacity(1 << 18, stdout().lock());
    write_line(&mut output, &Served { heads, dropped_bytes, problem: None })?;
    match mode {
        Mode::Serve => drop(write_archive(source, &mut output)?),
        Mode::Tail(sizes) => drop(write_tail(source, sizes, &mut output)?),
        Mode::Probe | Mode::Examine => {}
    }
    Ok(output.flush()?)
}

fn write_line(output: &mut impl Write, served: &Served) -> std::io::Result<()> {
    let line = serde_json::to_string(served).map_err(std::io::Error::from)?;
    writeln!(output, "{line}")
}
