//! Collects findings, and knows lines and columns.

use super::Span;
use crate::diagnostic::{Code, Diagnostic, Severity};

/// Most findings that are reported: nobody reads more, and time stays bounded.
const FINDINGS_MAX: usize = 200;

/// Longest message, in characters: names in messages may come from a hostile file.
const MESSAGE_CHARS_MAX: usize = 400;

/// Findings about one source: at most 200 are kept, the others counted.
#[derive(Debug)]
pub struct Findings<'s> {
    source: &'s str,
    line_starts: Vec<usize>,
    list: Vec<Diagnostic>,
    errors: usize,
    dropped: usize,
}

impl<'s> Findings<'s> {
    /// None yet.
    pub fn new(source: &'s str) -> Self {
        let newlines = source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let line_starts = std::iter::once(0).chain(newlines).collect();
        Self { source, line_starts, list: Vec::new(), errors: 0, dropped: 0 }
    }

    /// What they are about.
    pub fn source(&self) -> &'s str {
        self.source
    }

    /// Whether further findings are only counted. Then there is no point in looking for causes and remedies.
    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= FINDINGS_MAX
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Adds an error. The message is one sentence without a full stop; the hint says what to do.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>, hint: Option<String>) {
        self.errors += 1;
        self.push(code, Severity::Error, span, message.into(), hint);
    }

    /// Adds a warning.
    pub fn warning(&mut self, code: Code, span: Span, message: impl Into<String>, hint: Option<String>) {
        self.push(code, Severity::Warning, span, message.into(), hint);
    }

    fn push(&mut self, code: Code, severity: Severity, span: Span, message: String, hint: Option<String>) {
        if self.is_full() {
            self.dropped += 1;
            return;
        }
        let start = self.source.floor_char_boundary(span.start.min(self.source.len()));
        let end = span.end.clamp(start, self.source.len());
        let line = self.line_starts.partition_point(|first| *first <= start).saturating_sub(1);
        let first = self.line_starts.get(line).copied().unwrap_or(0);
        let column = self.source.get(first..start).map_or(0, |before| before.chars().count()) + 1;
        let message = match message.char_indices().nth(MESSAGE_CHARS_MAX) {
            Some((cut, _)) => format!("{}…", &message[..cut]),
            None => message,
        };
        let (line, column) = (line as u32 + 1, column as u32);
        self.list.push(Diagnostic { code, severity, line, column, span: (start, end), message, hint });
    }

    /// All findings, in the order of the source.
    #[must_use]
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|finding| (finding.span, finding.code));
        self.list.dedup();
        if self.dropped > 0 {
            let message = format!("{} more findings are not shown", self.dropped);
            let severity = if self.errors > 0 { Severity::Error } else { Severity::Warning };
            let span = (self.source.len(), self.source.len());
            let line = self.line_starts.len() as u32;
            self.list.push(Diagnostic {
                code: Code::MoreFindings,
                severity,
                line,
                column: 1,
                span,
                message,
                hint: None,
            });
        }
        self.list
    }
}
