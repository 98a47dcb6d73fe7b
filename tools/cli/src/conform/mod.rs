//! What `conform` reads: nets of any form as Petri nets, logs of any form as traces.

mod json_lines;
mod net;
mod own;

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use actum_import::{CsvLog, EventLogError, ForeignTrace, XesLog};
use indicatif::ProgressBar;

use crate::failure::{Exit, Failure, Outcome, chain};

pub(crate) use net::{Given, net};

/// What happened in a case.
pub(crate) struct Trace {
    pub(crate) name: String,
    /// Activities, in the order in which they were done.
    pub(crate) activities: Vec<String>,
    /// More may come of it, or it was stopped: it need not reach the net's end.
    pub(crate) unfinished: bool,
}

/// Gives the traces of a log, in its order.
pub(crate) fn traces(
    path: &Path,
    net: &Given,
    bar: &ProgressBar,
    give: &mut dyn FnMut(Trace) -> Outcome<()>,
) -> Outcome<()> {
    let fail = |error: &std::io::Error| Failure::file(path, "read", error);
    let metadata = std::fs::metadata(path).map_err(|error| fail(&error))?;
    if metadata.is_dir() {
        return own::traces(path, net, bar, give);
    }
    let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(|error| fail(&error))?);
    let beginning = file.fill_buf().map_err(|error| fail(&error))?;
    let Some(form) = Form::of(path, beginning)? else { return own::traces(path, net, bar, give) };
    let wrong = |error: EventLogError| match error {
        EventLogError::Read(error) => fail(&error),
        error => Failure::new(Exit::Corrupt, format!("{}: {}", path.display(), chain(&error))),
    };
    let mut give = |trace| {
        bar.inc(1);
        give(trace)
    };
    match form {
        Form::Xes => {
            XesLog::new(file).enumerate().try_for_each(|(index, trace)| give(of_foreign(index, trace.map_err(wrong)?)))
        }
        Form::Csv => {
            let traces = CsvLog::read(file).map_err(wrong)?;
            traces.into_iter().enumerate().try_for_each(|(index, trace)| give(of_foreign(index, trace)))
        }
        Form::JsonLines => json_lines::traces(path, file, net, &mut give),
    }
}

/// Forms of logs that are not our own.
enum Form {
    Xes,
    Csv,
    JsonLines,
}

impl Form {
    /// `None`: it is an archive.
    fn of(path: &Path, beginning: &[u8]) -> Outcome<Option<Self>> {
        let extension = path.extension().map(|text| text.to_string_lossy().to_lowercase()).unwrap_or_default();
        let text = beginning.strip_prefix("\u{feff}".as_bytes()).unwrap_or(beginning);
        let first = text.iter().copied().find(|byte| !byte.is_ascii_whitespace());
        let usage = |what: &str| Err(Failure::new(Exit::Usage, format!("{}: {what}", path.display())));
        match (first, extension.as_str()) {
            _ if beginning.starts_with(b"ACTUM ARCHIVE") => Ok(None),
            _ if beginning.starts_with(&[0x1f, 0x8b]) => usage("it is compressed; decompress it first, with gunzip"),
            (Some(b'<'), _) => Ok(Some(Form::Xes)),
            (Some(b'{'), _) => Ok(Some(Form::JsonLines)),
            (_, "csv") => Ok(Some(Form::Csv)),
            (_, "xes" | "xml") => Ok(Some(Form::Xes)),
            _ => usage("it is no log that is known: XES, CSV (named .csv), JSON lines, a data directory or an archive"),
        }
    }
}

fn of_foreign(index: usize, trace: ForeignTrace) -> Trace {
    let name = trace.name.unwrap_or_else(|| format!("#{}", index + 1));
    let done = trace.events.into_iter().filter(actum_import::ForeignEvent::is_done);
    Trace { name, activities: done.map(|event| event.activity).collect(), unfinished: false }
}
