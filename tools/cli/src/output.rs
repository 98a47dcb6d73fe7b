//! Where output goes, and in which form.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;
use serde_json::Value as Json;

use crate::failure::{Failure, Outcome};

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: stable, documented keys.
    Json,
}

/// Something was written to standard output, or will be as a file's content.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Standard output is somebody's: from now on it gets no error object.
pub(crate) fn take() {
    IS_TAKEN.store(true, Ordering::Relaxed);
}

/// Writes an error as JSON, unless standard output has got an answer already.
pub(crate) fn error_object(code: &str, exit: u8, message: &str) {
    if IS_TAKEN.load(Ordering::Relaxed) {
        return;
    }
    let object = serde_json::json!({ "error": { "code": code, "exit": exit, "message": message } });
    // The exit code says it too.
    writeln!(io::stdout(), "{object:#}").ok();
}

/// Standard output, buffered. Nothing else in this crate writes to it.
pub(crate) struct Output {
    writer: BufWriter<io::Stdout>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Output { writer: BufWriter::with_capacity(1 << 16, io::stdout()) }
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: impl std::fmt::Display) -> Outcome<()> {
        take();
        writeln!(self.writer, "{text}").map_err(|error| Failure::output(&error))
    }

    /// Writes text that has its own line ends.
    pub(crate) fn text(&mut self, text: &str) -> Outcome<()> {
        self.bytes(text.as_bytes())
    }

    /// Writes bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Outcome<()> {
        take();
        self.writer.write_all(bytes).map_err(|error| Failure::output(&error))
    }

    /// Writes JSON: on one line for programs that read lines, else indented.
    pub(crate) fn json(&mut self, json: &Json) -> Outcome<()> {
        self.line(format!("{json:#}"))
    }

    /// Writes what is still buffered. Without this an error in writing would go unnoticed.
    pub(crate) fn finish(mut self) -> Outcome<()> {
        self.writer.flush().map_err(|error| Failure::output(&error))
    }
}

/// Writes a line to standard error, where that is possible.
pub(crate) fn complain(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

/// Colours are wanted on this output.
pub(crate) fn is_colourful(output: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    output.is_terminal() && !refused && !dumb
}
