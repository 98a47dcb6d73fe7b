//! What goes wrong, as one sentence and an exit code (the codes are stable: scripts depend on them).

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use actum_log::ReadError;
use actum_replay::{Kind, ReplayError};
use actum_verify::{Fault, FaultKind};

/// Exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Failure = 1,
    Usage = 2,
    NotFound = 3,
    Tampered = 4,
    Corrupt = 5,
    Unavailable = 6,
    /// What the log says was not allowed, or breaks a rule.
    Unlawful = 7,
    /// The run ended with failed, deadlocked or waiting cases.
    Unfinished = 8,
    Interrupted = 130,
}

impl Exit {
    /// Its word in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Exit::Done => "ok",
            Exit::Failure => "failure",
            Exit::Usage => "usage",
            Exit::NotFound => "not-found",
            Exit::Tampered => "tampered",
            Exit::Corrupt => "corrupt",
            Exit::Unavailable => "unavailable",
            Exit::Unlawful => "unlawful",
            Exit::Unfinished => "unfinished",
            Exit::Interrupted => "interrupted",
        }
    }

    /// The exit code of a child process, if it is one of these.
    pub(crate) fn of_code(code: i32) -> Option<Self> {
        [Exit::Failure, Exit::Usage, Exit::NotFound, Exit::Tampered, Exit::Corrupt, Exit::Unavailable]
            .into_iter()
            .find(|exit| *exit as i32 == code)
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Says it in one sentence: what, where, and what to do next.
    Said { exit: Exit, sentence: String },
    /// Nobody reads the output any more.
    BrokenPipe,
}

pub(crate) type Outcome<T = Exit> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Failure::Said { exit, sentence: sentence.into() }
    }

    /// A file that could not be read or written.
    pub(crate) fn file(path: &Path, verb: &str, error: &io::Error) -> Self {
        let path = path.display();
        match error.kind() {
            ErrorKind::NotFound => Failure::new(Exit::NotFound, format!("there is no file {path}; check the name")),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Failure::new(
                Exit::Unavailable,
                format!("{path} cannot be {verb}: the disk is full; make room and run the command again"),
            ),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Failure::new(
                Exit::Unavailable,
                format!("{path} cannot be {verb}: {}; choose another place or mend its permissions", plain(error)),
            ),
            _ => Failure::new(Exit::Failure, format!("{path} cannot be {verb}: {}", plain(error))),
        }
    }

    /// The standard output could not be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::file(Path::new("the standard output"), "written", error),
        }
    }

    /// A log that could not be read.
    pub(crate) fn read(place: &str, error: &ReadError) -> Self {
        match error {
            ReadError::NotFound(_) => no_log(place),
            ReadError::Io(error) => {
                // A place inside it is named; the place itself is not named twice.
                let text = error.to_string();
                let text = text.strip_prefix(place).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&text);
                Failure::file(Path::new(place), "read", &io::Error::new(error.kind(), text))
            }
            _ => Failure::new(exit_of_read(error), format!("{place}: {error}{}", advice(exit_of_read(error)))),
        }
    }

    /// A log that does not verify.
    pub(crate) fn fault(place: &str, fault: &Fault) -> Self {
        let exit = exit_of_fault(fault);
        let advice = if fault.kind() == FaultKind::Unproven { " with --since" } else { advice(exit) };
        Failure::new(exit, format!("{place}: {}{advice}", describe(fault)))
    }

    /// A log that verifies, but cannot be replayed, or does not have what was asked for.
    pub(crate) fn replay(place: &str, error: &ReplayError) -> Self {
        let exit = match error.kind() {
            Kind::NotFound => Exit::NotFound,
            Kind::Tampered => Exit::Tampered,
            Kind::Corrupt => Exit::Corrupt,
            Kind::Unavailable => Exit::Unavailable,
            Kind::Usage => Exit::Usage,
            _ => Exit::Failure,
        };
        Failure::new(exit, format!("{place}: {}", chain(error)))
    }
}

/// There is no log where one was asked for.
pub(crate) fn no_log(place: &str) -> Failure {
    let advice = "name its directory with --data, or start one with `actum run FILE`";
    Failure::new(Exit::NotFound, format!("there is no log at {place}; {advice}"))
}

pub(crate) fn exit_of_read(error: &ReadError) -> Exit {
    match error {
        ReadError::NotFound(_) => Exit::NotFound,
        ReadError::Corrupt(_) => Exit::Corrupt,
        ReadError::Tampered(_) => Exit::Tampered,
        ReadError::Unavailable(_) => Exit::Unavailable,
        ReadError::Io(error) => match error.kind() {
            ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::ResourceBusy
            | ErrorKind::OutOfMemory => Exit::Unavailable,
            _ => Exit::Failure,
        },
        _ => Exit::Failure,
    }
}

pub(crate) fn exit_of_fault(fault: &Fault) -> Exit {
    match fault.kind() {
        FaultKind::Corrupt => Exit::Corrupt,
        FaultKind::Tampered => Exit::Tampered,
        FaultKind::Unavailable => Exit::Unavailable,
        FaultKind::NotFound => Exit::NotFound,
        // The log may be sound; what was given does not tell.
        _ => Exit::Failure,
    }
}

/// A fault with what the source said, if it said something.
pub(crate) fn describe(fault: &Fault) -> String {
    chain(fault)
}

/// What to do about a log that cannot be believed.
pub(crate) fn advice(exit: Exit) -> &'static str {
    match exit {
        Exit::Tampered | Exit::Corrupt => "; keep it as evidence, and go on from a backup or an archive",
        Exit::Unavailable => "; try again when that has passed",
        _ => "",
    }
}

/// An error with its sources, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        // Some errors repeat their source.
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        source = error.source();
    }
    text
}

/// An error of the operating system without its number.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let Some((text, _)) = text.split_once(" (os error") else { return text };
    // What comes before may be a name, whose letters are its own.
    let at = text.rfind(": ").map_or(0, |at| at + 2);
    format!("{}{}", &text[..at], text[at..].to_lowercase())
}

/// A file that somebody named, of at most `most` bytes: what is longer is not what was meant.
pub(crate) fn small_file(path: &Path, most: usize, what: &str) -> Outcome<Vec<u8>> {
    let fail = |error: io::Error| Failure::file(path, "read", &error);
    let mut bytes = Vec::new();
    File::open(path).map_err(fail)?.take(most as u64 + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() > most {
        let sentence = format!("{} is too long to be {what}; check the name", path.display());
        return Err(Failure::new(Exit::Usage, sentence));
    }
    Ok(bytes)
}
