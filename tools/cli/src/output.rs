//! Where output goes, and in which form.

use std::io::{self, BufWriter, IsTerminal, Write};

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
        writeln!(self.writer, "{text}").map_err(|error| Failure::output(&error))
    }

    /// Writes text that has its own line ends.
    pub(crate) fn text(&mut self, text: &str) -> Outcome<()> {
        self.bytes(text.as_bytes())
    }

    /// Writes bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Outcome<()> {
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
