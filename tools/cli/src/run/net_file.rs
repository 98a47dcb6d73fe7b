//! A net file, or a file of another format that is made into one, and its diagnostics for people and programs.

use std::fs::File;
use std::io::{IsTerminal, Read, stderr};
use std::path::Path;

use actum_import::{Finding, Imported, SOURCE_BYTES_MAX, import, is_foreign, line_and_column};
use actum_net::{Diagnostic, NET_BYTES_MAX, Severity};
use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Report};
use serde_json::{Value as Json, json};

use crate::failure::{Exit, Failure, Outcome};
use crate::number::counted;
use crate::output::{complain, is_colourful};

/// Widest rendering of a diagnostic with its source.
const WIDTH_MAX: usize = 100;

/// A net file as it was read.
pub(crate) struct NetFile {
    pub(crate) name: String,
    /// The net, in YAML or JSON.
    pub(crate) source: String,
    foreign: Option<Foreign>,
}

/// The file of another format that a net was made of.
struct Foreign {
    text: String,
    imported: Imported,
}

/// A diagnostic, of the net or of the file it was made of, with its place in the file that was named.
#[derive(Clone)]
pub(crate) struct Shown<'f> {
    pub(crate) code: &'static str,
    pub(crate) severity: Severity,
    line: u32,
    column: u32,
    span: (usize, usize),
    message: &'f str,
    hint: Option<&'f str>,
}

impl<'f> Shown<'f> {
    pub(crate) fn of_finding(finding: &'f Finding) -> Self {
        Shown {
            code: finding.code.as_str(),
            severity: match finding.severity {
                actum_import::Severity::Error => Severity::Error,
                actum_import::Severity::Warning => Severity::Warning,
            },
            line: finding.line,
            column: finding.column,
            span: finding.span,
            message: &finding.message,
            hint: finding.hint.as_deref(),
        }
    }

    pub(crate) fn of_diagnostic(found: &'f Diagnostic) -> Self {
        Shown {
            code: found.code.as_str(),
            severity: found.severity,
            line: found.line,
            column: found.column,
            span: found.span,
            message: &found.message,
            hint: found.hint.as_deref(),
        }
    }
}

impl NetFile {
    /// Reads a net; a file of another format is imported, and what that finds is said if it cannot be.
    pub(crate) fn read(path: &Path) -> Outcome<Self> {
        let (name, text) = read_text(path)?;
        if !is_foreign(&text) {
            return Ok(NetFile { name, source: text, foreign: None });
        }
        match import(&text) {
            Ok(imported) => Ok(Self::of_import(name, text, imported)),
            Err(findings) => {
                let shown: Vec<Shown<'_>> = findings.iter().map(Shown::of_finding).collect();
                let errors = findings.iter().filter(|found| found.severity == actum_import::Severity::Error).count();
                let found = if stderr().is_terminal() {
                    fancy(&name, &text, &shown, is_colourful(&stderr()))
                } else {
                    plain(&name, &shown)
                };
                complain(found.trim_end());
                let errors = counted(errors as u64, "error");
                let sentence = format!("{name} cannot be imported: {errors}; mend it there, or write the net anew");
                Err(Failure::new(Exit::Failure, sentence))
            }
        }
    }

    /// What was made of a file of another format.
    pub(crate) fn of_import(name: String, text: String, imported: Imported) -> Self {
        NetFile { name, source: imported.yaml.clone(), foreign: Some(Foreign { text, imported }) }
    }

    /// Diagnostics for people: with the source on a terminal, else a line for each.
    pub(crate) fn render(&self, found: &[Diagnostic], output: &impl IsTerminal) -> String {
        let shown = self.shown(found);
        if output.is_terminal() {
            fancy(&self.name, self.text(), &shown, is_colourful(output))
        } else {
            plain(&self.name, &shown)
        }
    }

    /// The file as it was read, which diagnostics are about.
    fn text(&self) -> &str {
        self.foreign.as_ref().map_or(&self.source, |foreign| &foreign.text)
    }

    /// What the import warned of, and diagnostics of the net where they come from in the file.
    fn shown<'f>(&'f self, found: &'f [Diagnostic]) -> Vec<Shown<'f>> {
        let Some(Foreign { text, imported }) = &self.foreign else {
            return found.iter().map(Shown::of_diagnostic).collect();
        };
        let mut shown: Vec<Shown<'_>> = imported.warnings.iter().map(Shown::of_finding).collect();
        shown.extend(found.iter().map(|diagnostic| {
            let span = imported.origin(diagnostic.line);
            let (line, column) = line_and_column(text, span.0);
            Shown { line, column, span, ..Shown::of_diagnostic(diagnostic) }
        }));
        // The order of a net's lines is not that of the file's.
        shown.sort_by_key(|one| (one.line, one.column));
        shown
    }
}

/// The name of a file for people, and its text: at most one byte more than it may have, so that whoever reads it says so.
pub(crate) fn read_text(path: &Path) -> Outcome<(String, String)> {
    let fail = |error: &std::io::Error| Failure::file(path, "read", error);
    let mut file = File::open(path).map_err(|error| fail(&error))?;
    let mut bytes = Vec::new();
    file.by_ref().take(NET_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|error| fail(&error))?;
    if bytes.len() > NET_BYTES_MAX && begins_with_tag(&bytes) {
        let rest = SOURCE_BYTES_MAX as u64 + 1 - bytes.len() as u64;
        file.take(rest).read_to_end(&mut bytes).map_err(|error| fail(&error))?;
    }
    let name = path.display().to_string();
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            // A character that the limit cut in two is not the file's mistake.
            let cut = at >= NET_BYTES_MAX.min(SOURCE_BYTES_MAX) && error.utf8_error().error_len().is_none();
            if cut {
                return Ok((name, String::from_utf8_lossy(error.as_bytes()).into_owned()));
            }
            let sentence = format!("{name} is not UTF-8 text (at byte {at}); save it as UTF-8");
            Err(Failure::new(Exit::Failure, sentence))
        }
    }
}

fn begins_with_tag(bytes: &[u8]) -> bool {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// `file:line:column: code: message`, and the hint on a line of its own.
pub(crate) fn plain(name: &str, shown: &[Shown<'_>]) -> String {
    let lines = |Shown { code, severity, line, column, message, hint, .. }: &Shown<'_>| {
        let mild = if *severity == Severity::Warning { "warning: " } else { "" };
        let hint = hint.iter().map(|hint| format!("    hint: {hint}\n")).collect::<String>();
        format!("{name}:{line}:{column}: {code}: {mild}{message}\n{hint}")
    };
    shown.iter().map(lines).collect()
}

/// As compilers show them, with the lines that they are about.
pub(crate) fn fancy(name: &str, source: &str, shown: &[Shown<'_>], colour: bool) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(width());
    let language = if is_foreign(source) { "xml" } else { "yaml" };
    let mut text = String::new();
    for one in shown {
        let report = Report::new(reported(one, source))
            .with_source_code(NamedSource::new(name, source.to_owned()).with_language(language));
        if handler.render_report(&mut text, report.as_ref()).is_err() {
            text += &plain(name, std::slice::from_ref(one));
        }
        text.push('\n');
    }
    text
}

fn reported(shown: &Shown<'_>, source: &str) -> miette::MietteDiagnostic {
    let (start, end) = shown.span;
    let end = end.clamp(start.min(source.len()), source.len());
    // A finding about a whole block is shown at its first line.
    let text = source.get(start..end).unwrap_or_default();
    let length = text.find('\n').unwrap_or(text.len());
    let mut diagnostic = miette::MietteDiagnostic::new(shown.message)
        .with_code(shown.code)
        .with_severity(match shown.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
        .with_label(LabeledSpan::underline(start.min(source.len())..start.min(source.len()) + length));
    diagnostic.help = shown.hint.map(str::to_owned);
    diagnostic
}

/// Columns of the terminal, as far as it says.
fn width() -> usize {
    let columns = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    columns.unwrap_or(WIDTH_MAX).clamp(40, WIDTH_MAX)
}

/// Diagnostics for programs.
pub(crate) fn to_json(file: &NetFile, found: &[Diagnostic]) -> Json {
    list(&file.name, &file.shown(found))
}

/// The list that [`to_json`] gives.
pub(crate) fn list(name: &str, shown: &[Shown<'_>]) -> Json {
    let one = |shown: &Shown<'_>| {
        json!({
            "file": name,
            "line": shown.line,
            "column": shown.column,
            "start": shown.span.0,
            "end": shown.span.1,
            "severity": match shown.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "code": shown.code,
            "message": shown.message,
            "hint": shown.hint,
        })
    };
    shown.iter().map(one).collect()
}
