//! Rules, as they are judged.

use actum_net::Query;

use super::template::Template;

/// Most rules of a file: each open case remembers which concern it.
pub const RULES_MAX: usize = 256;

/// How bad it is when a rule is broken. The engine does nothing with it; reports sort by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Severity {
    /// Good to know.
    Low,
    /// To be looked into.
    #[default]
    Medium,
    /// To be answered for.
    High,
    /// To be stopped.
    Critical,
}

impl Severity {
    /// Every severity, the mildest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word in rules and output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// The rules of one file. [`super::rules()`] reads them.
#[derive(Debug)]
pub struct RuleSet {
    /// Name of the set.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// In the order of the file; ids are unique.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug)]
#[non_exhaustive]
pub struct Rule {
    /// Name within its set.
    pub id: String,
    /// For people.
    pub title: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// How bad it is when it is broken.
    pub severity: Severity,
    /// Nets that it is about; empty: all.
    pub nets: Vec<String>,
    /// Kind of rule: the key of its template.
    pub template: &'static str,
    /// Cases that it is about, judged at their first event.
    pub(super) case: Option<Query>,
    pub(super) grouping: Grouping,
    /// Ends of a case after which nothing is owed any more.
    pub(super) released_by: Vec<&'static str>,
    pub(super) patterns: Vec<Pattern>,
    pub(super) check: Box<dyn Template>,
}

/// Which events are judged together.
#[derive(Debug)]
pub(super) enum Grouping {
    /// Those of a case.
    Case,
    /// Those of a case for which an expression gives the same value.
    Each(Query),
    /// Those of all cases, and of the system, for which an expression gives the same value.
    Across(Query),
}

impl Rule {
    /// `case`, `each` or `across`: what the counts of outcomes count.
    #[must_use]
    pub fn grouping(&self) -> &'static str {
        match self.grouping {
            Grouping::Case => "case",
            Grouping::Each(_) => "each",
            Grouping::Across(_) => "across",
        }
    }

    /// Every expression of the rule.
    pub(super) fn queries(&self) -> impl Iterator<Item = &Query> {
        let grouping = match &self.grouping {
            Grouping::Case => None,
            Grouping::Each(query) | Grouping::Across(query) => Some(query),
        };
        let conditions = self.patterns.iter().filter_map(|pattern| pattern.when.as_ref());
        self.case.iter().chain(grouping).chain(conditions).chain(self.check.who())
    }

    pub(super) fn is_about(&self, net: &str) -> bool {
        self.nets.is_empty() || self.nets.iter().any(|name| name == net)
    }
}

/// Which events a part of a rule means.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The part: `after`, `then`, …
    pub(super) part: &'static str,
    /// Any of these; empty: any kind.
    pub(super) kinds: Vec<&'static str>,
    /// Any of these; empty: any task, or none.
    pub(super) tasks: Vec<String>,
    pub(super) when: Option<Query>,
}
