//! Diagnosis of a data directory: what is wrong, and what to do. Writes nothing; the store is only opened by a child process,
//! on a scratch copy. One more check: a function that gives findings, and a line in [`examine`].

mod directory;
mod keys;
mod saved;
mod store;

use std::path::Path;

use crate::failure::Exit;
use crate::output::Format;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// As it should be, and worth saying.
    Note,
    /// The log is sound and can be used; something else should be looked after.
    Warning,
    /// The log, or writing it, is affected.
    Problem,
}

impl Severity {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Problem => "problem",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// A stable word: `area/what`.
    pub(crate) code: String,
    pub(crate) severity: Severity,
    /// The exit code that a problem has.
    pub(crate) exit: Exit,
    /// What is the matter.
    pub(crate) what: String,
    /// What to do about it; empty for notes that need nothing.
    pub(crate) remedy: String,
}

impl Finding {
    fn note(code: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(code, Severity::Note, Exit::Done, what, remedy)
    }

    fn warning(code: &str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(code, Severity::Warning, Exit::Done, what, remedy)
    }

    fn problem(code: &str, exit: Exit, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(code, Severity::Problem, exit, what, remedy)
    }

    fn new(code: &str, severity: Severity, exit: Exit, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding { code: code.to_owned(), severity, exit, what: what.into(), remedy: remedy.into() }
    }
}

/// Looks at everything that can be looked at; the worst first.
pub(crate) fn examine(data: &Path, format: Format) -> Vec<Finding> {
    let mut findings = Vec::new();
    let state = directory::look(data, &mut findings);
    if let Some(state) = state {
        directory::heads(&state, data, &mut findings);
        let is_readable = findings.iter().all(|finding| finding.severity < Severity::Problem);
        // Damage to genesis and heads keeps the store from being opened at all, and is said already.
        let states = if is_readable { store::look(data, &state, format, &mut findings) } else { None };
        keys::look(data, states.as_ref(), &mut findings);
        saved::look(data, &mut findings);
        directory::surroundings(data, &state, &mut findings);
    }
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), urgency(finding.exit)));
    findings
}

/// The exit code of all findings: that of the gravest problem.
pub(crate) fn exit_of(findings: &[Finding]) -> Exit {
    let problems = findings.iter().filter(|finding| finding.severity == Severity::Problem);
    problems.map(|finding| finding.exit).min_by_key(|exit| urgency(*exit)).unwrap_or(Exit::Done)
}

/// Tampering before corruption before the rest.
fn urgency(exit: Exit) -> u8 {
    match exit {
        Exit::Tampered => 0,
        Exit::Corrupt => 1,
        Exit::Unavailable => 2,
        Exit::NotFound => 3,
        _ => 4,
    }
}
