//! A part of a file that is known before what comes in front of it.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::log::Target;

/// A file without a name, in the directory for temporary files: nothing is left of it, however the process ends.
pub(super) struct Spool {
    writer: BufWriter<File>,
}

const NAME: &str = "the directory for temporary files";

impl Spool {
    pub(super) fn new() -> Outcome<Self> {
        let file = tempfile::tempfile().map_err(|error| Failure::file(Path::new(NAME), "written", &error))?;
        Ok(Spool { writer: BufWriter::with_capacity(1 << 18, file) })
    }

    /// Takes the text, and empties it.
    pub(super) fn write(&mut self, text: &mut String) -> Outcome<()> {
        self.writer.write_all(text.as_bytes()).map_err(|error| Failure::file(Path::new(NAME), "written", &error))?;
        text.clear();
        Ok(())
    }

    /// Gives everything that it took.
    pub(super) fn pour(self, target: &mut Target) -> Outcome<()> {
        let own = |error: &io::Error| Failure::file(Path::new(NAME), "written", error);
        let mut file = self.writer.into_inner().map_err(|error| own(error.error()))?;
        file.rewind().map_err(|error| own(&error))?;
        match io::copy(&mut file, target) {
            Ok(_) => Ok(()),
            Err(error) => Err(target.failure(&error)),
        }
    }
}
