//! What is wrong with a foreign file, or worth knowing, and where.

use std::fmt;

/// Most findings that are listed; one more says how many there are in all.
pub const FINDINGS_MAX: usize = 100;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of a finding. Its text is stable: scripts may depend on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text, such as `yawl/unknown-element`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// There are more findings than are listed.
    MoreFindings = "import/more-findings",
    /// The file is larger than it may be, or has more parts.
    TooLarge = "xml/too-large",
    /// Elements are nested too deep.
    TooDeep = "xml/too-deep",
    /// The file says that it is in another encoding than UTF-8.
    Encoding = "xml/encoding",
    /// The file is not XML.
    Syntax = "xml/syntax",
    /// A document type definition, which is refused.
    DocumentType = "xml/document-type",
    /// A reference to an entity that XML itself does not define.
    Entity = "xml/entity",
    /// An attribute appears twice in one element.
    DuplicateAttribute = "xml/duplicate-attribute",
    /// A prefix stands for no namespace.
    UnknownPrefix = "xml/unknown-prefix",
    /// The root element is of no known format.
    UnknownFormat = "import/unknown-format",
    /// An element that is not part of the format, or not there.
    UnknownElement = "yawl/unknown-element",
    /// An attribute that is not part of the format, or not there.
    UnknownAttribute = "yawl/unknown-attribute",
    /// Text where only elements may be.
    UnexpectedText = "yawl/unexpected-text",
    /// An element or attribute that must be there is not.
    Missing = "yawl/missing",
    /// An element that may be there once is there again.
    Repeated = "yawl/repeated",
    /// A value outside of its range.
    BadValue = "yawl/bad-value",
    /// A part of the format that has no counterpart in a net.
    NotSupported = "yawl/not-supported",
    /// Two things have one id, or two variables one name.
    DuplicateId = "yawl/duplicate-id",
    /// An id that nothing has.
    UnknownReference = "yawl/unknown-reference",
    /// A flow that leads where none may lead, or that is there twice.
    BadFlow = "yawl/bad-flow",
    /// The predicates and defaults of a split contradict its kind.
    BadSplit = "yawl/bad-split",
    /// No case can get there.
    Unreachable = "yawl/unreachable",
    /// No case can get from there to the end.
    DeadEnd = "yawl/dead-end",
    /// A net contains itself, and nothing ends that.
    EndlessRecursion = "yawl/endless-recursion",
    /// A type that XML Schema does not have, or that the file defines in a way that is not understood.
    BadType = "yawl/bad-type",
    /// A query or predicate that is not in the subset which is understood.
    Query = "yawl/query",
    /// A query names data that is not there.
    UnknownVariable = "yawl/unknown-variable",
    /// The types in a query, or those on both sides of a mapping, do not fit.
    QueryType = "yawl/query-type",
    /// A type that the file does not define: its values are not checked.
    UnknownType = "yawl/unknown-type",
    /// A restriction that runs unchecked.
    NotChecked = "yawl/not-checked",
    /// Something that has no effect.
    NoEffect = "yawl/no-effect",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a finding keeps the file from being imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is imported; this is worth knowing.
    Warning,
}

/// One finding, with its place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind of finding.
    pub code: Code,
    /// Whether the file is refused for it.
    pub severity: Severity,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// First byte in the source, and the byte after the last.
    pub span: (usize, usize),
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.line, self.column, self.code, self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, " ({hint})"))
    }
}

/// Bytes of the source: the first, and the one after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) usize, pub(crate) usize);

/// Collects findings.
#[derive(Debug)]
pub(crate) struct Findings<'s> {
    source: &'s str,
    found: Vec<(Span, Code, Severity, String, Option<String>)>,
    /// How many there were, listed or not.
    count: usize,
    errors: usize,
}

impl<'s> Findings<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self { source, found: Vec::new(), count: 0, errors: 0 }
    }

    pub(crate) fn error(&mut self, code: Code, span: Span, message: impl Into<String>, hint: Option<&str>) {
        self.errors += 1;
        self.add(code, Severity::Error, span, message.into(), hint);
    }

    pub(crate) fn warning(&mut self, code: Code, span: Span, message: impl Into<String>, hint: Option<&str>) {
        self.add(code, Severity::Warning, span, message.into(), hint);
    }

    fn add(&mut self, code: Code, severity: Severity, span: Span, message: String, hint: Option<&str>) {
        let same = |found: &(Span, Code, Severity, String, Option<String>)| {
            found.0 == span && found.1 == code && found.3 == message
        };
        if self.found.iter().any(same) {
            return;
        }
        self.count += 1;
        // An error must not be crowded out by warnings before it.
        if self.found.len() < FINDINGS_MAX || (severity == Severity::Error && self.errors == 1) {
            self.found.push((span, code, severity, message, hint.map(str::to_owned)));
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// In the order of the source.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|found| found.0);
        let lines = line_starts(self.source);
        let place = |(span, code, severity, message, hint): (Span, Code, Severity, String, Option<String>)| {
            let (line, column) = position(self.source, &lines, span.0);
            Finding { code, severity, line, column, span: (span.0, span.1), message, hint }
        };
        let listed = self.found.len();
        let mut findings: Vec<Finding> = self.found.into_iter().map(place).collect();
        if self.count > listed {
            let severity = if self.errors > 0 { Severity::Error } else { Severity::Warning };
            let message = format!("{} findings in all; {listed} are listed", self.count);
            findings.push(Finding {
                code: Code::MoreFindings,
                severity,
                line: 1,
                column: 1,
                span: (0, 0),
                message,
                hint: None,
            });
        }
        findings
    }
}

fn line_starts(source: &str) -> Vec<usize> {
    std::iter::once(0)
        .chain(source.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1))
        .collect()
}

fn position(source: &str, lines: &[usize], at: usize) -> (u32, u32) {
    let line = lines.partition_point(|start| *start <= at).max(1);
    let before = source.get(lines[line - 1]..at.min(source.len())).unwrap_or_default();
    (line as u32, before.chars().count() as u32 + 1)
}

/// Line and column (in characters), both from 1, of a byte of the source.
pub fn line_and_column(source: &str, at: usize) -> (u32, u32) {
    position(source, &line_starts(source), at)
}
