//! What a check finds in a net, and where.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of a finding. Its text is stable: scripts and editors may depend on it. `DIAGNOSTICS.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable text, such as `net/unknown-task`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// The file is larger than a net may be, or has more parts.
    TooLarge = "net/too-large",
    /// The file is neither YAML nor JSON.
    Syntax = "net/syntax",
    /// Nested too deep.
    TooDeep = "net/too-deep",
    /// YAML anchors, aliases and tags are refused.
    AnchorOrTag = "net/anchor-or-tag",
    /// A key appears twice in one map.
    DuplicateKey = "net/duplicate-key",
    /// A value has the wrong type.
    WrongType = "net/wrong-type",
    /// A key is not part of the language.
    UnknownKey = "net/unknown-key",
    /// A key that must be there is not.
    MissingKey = "net/missing-key",
    /// A value is outside of its range.
    BadValue = "net/bad-value",
    /// The version of the net language is not known.
    UnknownVersion = "net/unknown-version",
    /// A name has a form that is not allowed.
    BadName = "net/bad-name",
    /// A name has a meaning of its own.
    ReservedName = "net/reserved-name",
    /// Two things have one name.
    DuplicateName = "net/duplicate-name",
    /// A flow, or another reference, names a task or condition that does not exist.
    UnknownNode = "net/unknown-node",
    /// A reference names a role that does not exist.
    UnknownRole = "net/unknown-role",
    /// A mapping, guard or template names a case variable that does not exist.
    UnknownVariable = "net/unknown-variable",
    /// An expression reads a field that the task's result does not have.
    UnknownField = "net/unknown-field",
    /// A task runs a subnet that does not exist.
    UnknownNet = "net/unknown-net",
    /// `play` names a signal that no task waits for.
    UnknownSignal = "net/unknown-signal",
    /// A reference names something of another net.
    OtherNet = "net/other-net",
    /// A flow leads where no flow may lead.
    BadFlow = "net/bad-flow",
    /// Two flows lead from one task to one place.
    DuplicateFlow = "net/duplicate-flow",
    /// A task with several incoming flows has no `join`.
    MissingJoin = "net/missing-join",
    /// A task with several outgoing flows has no `split`.
    MissingSplit = "net/missing-split",
    /// A join waits for more flows than there are, or looks at tokens in a way that does not fit.
    BadJoin = "net/bad-join",
    /// `takes` names a condition that is no input.
    NotAnInput = "net/not-an-input",
    /// A mutex is used as a condition, a condition as a mutex, or a mutex is entered and never left.
    BadMutex = "net/bad-mutex",
    /// A flow has a guard, or is a default, where there is no choice.
    GuardNotAllowed = "net/guard-not-allowed",
    /// A flow of a choice has neither a guard nor `default: true`, or has both.
    MissingGuard = "net/missing-guard",
    /// A choice has no default.
    MissingDefault = "net/missing-default",
    /// A choice has two defaults.
    SeveralDefaults = "net/several-defaults",
    /// The default is not the last flow.
    DefaultNotLast = "net/default-not-last",
    /// No case can get there.
    Unreachable = "net/unreachable",
    /// No case can get from there to the end.
    DeadEnd = "net/dead-end",
    /// A join waits for flows of which only one is ever taken.
    NeverJoins = "net/never-joins",
    /// A subnet runs itself whatever happens.
    EndlessRecursion = "net/endless-recursion",
    /// The numbers of a task's instances do not fit together.
    BadInstances = "net/bad-instances",
    /// A task that runs a subnet gives it what it does not take, or not what it requires.
    BadParams = "net/bad-params",
    /// Something is no duration, or no point in time.
    BadTime = "net/bad-time",
    /// An exception is answered by what is not possible.
    BadAnswer = "net/bad-answer",
    /// A policy stands where it means nothing, stands twice, or cannot be kept.
    BadPolicy = "net/bad-policy",
    /// A policy names a pool that the net does not declare.
    UnknownPool = "net/unknown-pool",
    /// A task that compensates is part of the flow, or one that does not is to compensate.
    BadCompensation = "net/bad-compensation",
    /// A savepoint is not there, is there twice, or stands where none can be.
    BadSavepoint = "net/bad-savepoint",
    /// A start is not one of by hand, by the clock, by a message, or lacks what it needs.
    BadStart = "net/bad-start",
    /// A task does two things: it is automatic and manual, for example.
    SeveralWorks = "net/several-works",
    /// A key is there that only makes sense on another kind of task.
    NotForThisWork = "net/not-for-this-work",
    /// `separate_from` or `play` names a task that no person does, or the task itself.
    NotManual = "net/not-manual",
    /// A literal does not fit the declared type.
    TypeMismatch = "net/type-mismatch",
    /// A variable is declared in a way that contradicts itself.
    BadVariable = "net/bad-variable",
    /// A template has a `{{` without `}}`.
    UnclosedTemplate = "net/unclosed-template",
    /// An expression is not CEL, or uses a part of CEL that nets do not have.
    CelSyntax = "net/cel-syntax",
    /// An expression calls a function that does not exist.
    CelUnknownFunction = "net/cel-unknown-function",
    /// An expression's types cannot fit.
    CelType = "net/cel-type",
    /// A guard cannot be true or false.
    GuardNotBool = "net/guard-not-bool",
    /// An expression iterates over a map.
    CelMapIteration = "net/cel-map-iteration",
    /// An expression is longer, or nested deeper, than the limits.
    CelTooLarge = "net/cel-too-large",
    /// A simulated result does not fit the task's form.
    PlayMismatch = "net/play-mismatch",
    /// Something is declared and never used.
    Unused = "net/unused",
    /// There are more findings than are shown.
    MoreFindings = "net/more-findings",
    /// Exploration: a case can get where nothing more is possible.
    Deadlock = "net/deadlock",
    /// Exploration: a case can get where it goes on for ever and cannot end.
    NeverEnds = "net/never-ends",
    /// Exploration: a case can end while work is possible or under way.
    WorkDiscarded = "net/work-discarded",
    /// Exploration: a case can end while tokens lie where nobody took them.
    TokensLeft = "net/tokens-left",
    /// Exploration: tokens can pile up without end.
    Unbounded = "net/unbounded",
    /// Exploration: no case ever gets to the task.
    DeadTask = "net/dead-task",
    /// Exploration: the net's own data and guards can fail a task or a case.
    CanFail = "net/can-fail",
    /// Exploration: there are more states than were looked at.
    NotExplored = "net/not-explored",
}

impl Code {
    /// What only exploring a net finds (`actum check` does it, [`crate::compile`] does not). All are warnings.
    pub const EXPLORED: &'static [Self] = &[
        Self::Deadlock,
        Self::NeverEnds,
        Self::WorkDiscarded,
        Self::TokensLeft,
        Self::Unbounded,
        Self::DeadTask,
        Self::CanFail,
        Self::NotExplored,
    ];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a finding keeps the net from running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The net cannot run.
    Error,
    /// The net can run, but hardly as meant.
    Warning,
}

/// One finding, with its place in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of finding.
    pub code: Code,
    /// Whether it keeps the net from running.
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

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.line, self.column, self.code, self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, " ({hint})"))
    }
}
