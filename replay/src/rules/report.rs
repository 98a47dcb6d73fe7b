//! What came out of judging a log.

use actum_model::Time;
use serde_json::Value as Json;

use super::rule::Severity;

/// What a set of rules says of a log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Name of the set of rules.
    pub name: String,
    /// Of the set, for people.
    pub title: Option<String>,
    /// Of the set, for people.
    pub description: Option<String>,
    /// Events that were read.
    pub events: u64,
    /// Cases that were read.
    pub cases: u64,
    /// Cases that had not ended.
    pub open_cases: u64,
    /// Time of the newest event: what "its time is over" is measured by.
    pub as_of: Time,
    /// In the order of the rules.
    pub rules: Vec<RuleReport>,
}

/// What a rule says of a log, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// At least one group breaks it.
    Violated,
    /// It could not be judged everywhere: a condition failed, or a limit was reached.
    Undecided,
    /// No group breaks it, and some still owe something.
    Pending,
    /// It was kept.
    Satisfied,
    /// Nothing happened that it is about.
    Vacuous,
}

impl Outcome {
    /// The word in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Undecided => "undecided",
            Self::Pending => "pending",
            Self::Satisfied => "satisfied",
            Self::Vacuous => "vacuous",
        }
    }
}

/// One rule's part of the report. The counts are of groups: of cases, unless the rule groups by `each` or `across`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RuleReport {
    /// Name of the rule.
    pub id: String,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// How bad a breach is.
    pub severity: Severity,
    /// Key of its template.
    pub template: &'static str,
    /// `case`, `each` or `across`.
    pub grouping: &'static str,
    /// Groups that keep it.
    pub satisfied: u64,
    /// Groups that break it.
    pub violated: u64,
    /// Groups that still owe something, and have time for it.
    pub pending: u64,
    /// Groups in which nothing happened that it is about.
    pub vacuous: u64,
    /// For each part of the rule, how many events it meant.
    pub matched: Vec<(&'static str, u64)>,
    /// Breaches; a group can have several.
    pub violations: u64,
    /// The first of them.
    pub listed: Vec<Violation>,
    /// The first groups that still owe something.
    pub owing: Vec<Unsettled>,
    /// Conditions that failed.
    pub faults: u64,
    /// The first of them.
    pub failed: Vec<Unsettled>,
    /// The limit that was reached, if one was.
    pub limit: Option<String>,
    /// What a reader should know: a task or net that does not exist.
    pub notes: Vec<String>,
}

/// A breach.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Violation {
    /// The case; `None` for rules across cases.
    pub case: Option<u64>,
    /// The case's business key.
    pub key: Option<String>,
    /// Value that the events were grouped by.
    pub group: Option<Json>,
    /// What is wrong, in words.
    pub why: String,
    /// The events that show it.
    pub events: Vec<Cited>,
}

/// An event that a report names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cited {
    /// Its part in the rule: `after`, `then`, `end`, …
    pub part: &'static str,
    /// Its partition.
    pub partition: u16,
    /// Its position.
    pub seq: u64,
    /// Its case; `None` for events of the system.
    pub case: Option<u64>,
    /// Its position in its case or stream.
    pub version: u64,
    /// Its kind.
    pub kind: &'static str,
    /// Its task, if it is about work.
    pub task: Option<String>,
    /// Who.
    pub actor: String,
    /// When.
    pub time: Time,
}

/// A group that is not settled, and why.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Unsettled {
    /// The case.
    pub case: Option<u64>,
    /// The case's business key.
    pub key: Option<String>,
    /// Value that the events were grouped by.
    pub group: Option<Json>,
    /// The event at which a condition failed.
    pub seq: Option<u64>,
    /// Why it failed.
    pub why: Option<String>,
}

impl RuleReport {
    /// What the rule says of the log.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            _ if self.violations > 0 => Outcome::Violated,
            _ if self.faults > 0 || self.limit.is_some() => Outcome::Undecided,
            _ if self.pending > 0 => Outcome::Pending,
            _ if self.satisfied > 0 => Outcome::Satisfied,
            _ => Outcome::Vacuous,
        }
    }
}

impl Report {
    /// The gravest outcome of a rule.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.rules.iter().map(RuleReport::outcome).min().unwrap_or(Outcome::Vacuous)
    }

    /// How many rules have an outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.rules.iter().filter(|rule| rule.outcome() == outcome).count()
    }
}
