//! What a child process does for [`crate::log`]: reads a data directory and writes it to its standard output.

use std::ffi::OsString;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use actum_log::{ArchiveError, FrameKey, FrameSource, Genesis, ReadError, write_archive};

use crate::failure::{Exit, Failure, Outcome, exit_of_read};
use crate::log::Served;

/// First argument of such a child. Not a command of the command line, so that no help or completion shows it.
pub(crate) const NAME: &str = "__read-directory";
const PROBE: &str = "--probe";

/// What the child is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Write heads and archive.
    Serve,
    /// Read all frames, then write the heads.
    Probe,
}

pub(crate) fn arguments(directory: &Path, mode: Mode) -> Vec<OsString> {
    let mode = (mode == Mode::Probe).then(|| PROBE.into());
    [NAME.into(), directory.into()].into_iter().chain(mode).collect()
}

/// Takes what [`arguments`] made, behind the name.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> Outcome {
    let directory = PathBuf::from(arguments.next().unwrap_or_default());
    let probe = arguments.next().is_some_and(|argument| argument == PROBE);
    let place = directory.display().to_string();
    let source = actum_fjall::read(&directory).map_err(|error| plainly(Failure::read(&place, &error), &place))?;
    serve(&source, probe).map_err(|error| match error {
        ArchiveError::Io(error) => Failure::output(&error),
        ArchiveError::Frame { source, .. } => Failure::new(Exit::Corrupt, format!("{place}: {source}")),
        error => {
            let error = ReadError::from(error);
            Failure::new(exit_of_read(&error), format!("{place}: {error}"))
        }
    })?;
    Ok(Exit::Done)
}

/// A failure in the user's terms: it happened in a scratch copy, which is gone, and the storage engine talks to programmers.
fn plainly(failure: Failure, place: &str) -> Failure {
    match failure {
        Failure::Said { exit, sentence } => Failure::Said { exit, sentence: tidied(&sentence, place) },
        Failure::BrokenPipe => Failure::BrokenPipe,
    }
}

fn tidied(sentence: &str, place: &str) -> String {
    const SAYS: &str = ": the storage engine says ";
    let mut words: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        let inside = word
            .split_once("/actum-scratch-")
            .map(|(_, rest)| rest.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
        words.push(inside.map_or_else(|| word.to_owned(), |rest| format!("{place}{rest}")));
    }
    let text = words.join(" ").replace("No such file or directory", "it is missing");
    match text.split_once(SAYS) {
        Some((before, after)) => {
            let advice = after.split_once("; ").map(|(_, advice)| format!("; {advice}")).unwrap_or_default();
            format!("{before}: the storage engine cannot read it{advice}")
        }
        None => text,
    }
}

fn serve(source: &dyn FrameSource, probe: bool) -> Result<(), ArchiveError> {
    let partitions = Genesis::parse(&source.genesis()?)?.partitions();
    let heads = (0..partitions).map(|partition| Ok(source.head(partition)?.map(Into::into)));
    let heads = heads.collect::<Result<_, ReadError>>()?;
    if probe {
        for partition in 0..partitions {
            for frame in source.frames(FrameKey::first(partition))? {
                frame?.header().map_err(|source| ArchiveError::Frame { offset: 0, source })?;
            }
        }
    }
    let mut output = BufWriter::with_capacity(1 << 18, stdout().lock());
    let line = serde_json::to_string(&Served { heads }).map_err(std::io::Error::from)?;
    writeln!(output, "{line}")?;
    if !probe {
        write_archive(source, &mut output)?;
    }
    Ok(output.flush()?)
}

#[cfg(test)]
mod tests {
    use super::tidied;

    #[test]
    fn the_user_sees_their_own_directory_and_no_dump() {
        let told =
            "d5: the log is corrupt: /tmp/actum-scratch-0c61/store: the storage engine says A(B { c: 1 }); keep it";
        assert_eq!(tidied(told, "d5"), "d5: the log is corrupt: d5/store: the storage engine cannot read it; keep it");
        let told =
            "d5: the log is corrupt: /tmp/actum-scratch-0c61/store/v7: No such file or directory (os error 2); keep it";
        assert_eq!(tidied(told, "d5"), "d5: the log is corrupt: d5/store/v7: it is missing (os error 2); keep it");
        assert_eq!(tidied("d5: all else", "d5"), "d5: all else");
    }
}
