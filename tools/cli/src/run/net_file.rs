//! A net file, and its diagnostics for people and programs.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use actum_net::{Diagnostic, NET_BYTES_MAX, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Report};
use serde_json::{Value as Json, json};

use crate::failure::{Exit, Failure, Outcome};
use crate::output::is_colourful;

/// Widest rendering of a diagnostic with its source.
const WIDTH_MAX: usize = 100;

/// A net file as it was read.
pub(crate) struct NetFile {
    pub(crate) name: String,
    pub(crate) source: String,
}

impl NetFile {
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let fail = |error: &std::io::Error| Failure::file(path, "read", error);
        let file = File::open(path).map_err(|error| fail(&error))?;
        let mut bytes = Vec::new();
        // One byte more than a net may have: the check then says that it is too large.
        file.take(NET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| fail(&error))?;
        let name = path.display().to_string();
        match String::from_utf8(bytes) {
            Ok(source) => Ok(NetFile { name, source }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let sentence = format!("{name} is not UTF-8 text (at byte {at}); save it as UTF-8");
                Err(Failure::new(Exit::Failure, sentence))
            }
        }
    }

    /// Diagnostics for people: with the source on a terminal, else a line for each.
    pub(crate) fn render(&self, found: &[Diagnostic], output: &impl IsTerminal) -> String {
        if output.is_terminal() { self.fancy(found, is_colourful(output)) } else { self.plain(found) }
    }

    /// `file:line:column: code: message`, and the hint on a line of its own.
    pub(crate) fn plain(&self, found: &[Diagnostic]) -> String {
        let lines = |Diagnostic { code, severity, line, column, message, hint, .. }: &Diagnostic| {
            let mild = if *severity == Severity::Warning { "warning: " } else { "" };
            let hint = hint.iter().map(|hint| format!("    hint: {hint}\n")).collect::<String>();
            format!("{}:{line}:{column}: {code}: {mild}{message}\n{hint}", self.name)
        };
        found.iter().map(lines).collect()
    }

    fn fancy(&self, found: &[Diagnostic], colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(width());
        let mut text = String::new();
        for diagnostic in found {
            let report = Report::new(self.shown(diagnostic))
                .with_source_code(NamedSource::new(&self.name, self.source.clone()).with_language("yaml"));
            if handler.render_report(&mut text, report.as_ref()).is_err() {
                text += &self.plain(std::slice::from_ref(diagnostic));
            }
            text.push('\n');
        }
        text
    }

    fn shown(&self, diagnostic: &Diagnostic) -> miette::MietteDiagnostic {
        let (start, end) = diagnostic.span;
        let end = end.clamp(start.min(self.source.len()), self.source.len());
        // A finding about a whole block is shown at its first line.
        let text = self.source.get(start..end).unwrap_or_default();
        let length = text.find('\n').unwrap_or(text.len());
        let mut shown = miette::MietteDiagnostic::new(diagnostic.message.clone())
            .with_code(diagnostic.code.as_str())
            .with_severity(match diagnostic.severity {
                Severity::Error => miette::Severity::Error,
                Severity::Warning => miette::Severity::Warning,
            })
            .with_label(LabeledSpan::underline(start.min(self.source.len())..start.min(self.source.len()) + length));
        shown.help.clone_from(&diagnostic.hint);
        shown
    }
}

/// Columns of the terminal, as far as it says.
fn width() -> usize {
    let columns = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    columns.unwrap_or(WIDTH_MAX).clamp(40, WIDTH_MAX)
}

/// Diagnostics for programs.
pub(crate) fn to_json(file: &NetFile, found: &[Diagnostic]) -> Json {
    let one = |found: &Diagnostic| {
        json!({
            "file": file.name,
            "line": found.line,
            "column": found.column,
            "start": found.span.0,
            "end": found.span.1,
            "severity": match found.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "code": found.code.as_str(),
            "message": found.message,
            "hint": found.hint,
        })
    };
    found.iter().map(one).collect()
}
