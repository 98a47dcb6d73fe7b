//! What a log was found to be.

use std::collections::BTreeMap;

use actum_model::{CaseId, Seq};

use super::rule::Law;

/// An event that was not allowed. It is the first of its case: what follows it is not judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The event; where something is missing, the one that came instead, or the last of the case.
    pub seq: Seq,
    /// The case, if it is of one.
    pub case: Option<CaseId>,
    /// The rule that it breaks.
    pub law: Law,
    /// How, for people; without a full stop.
    pub sentence: String,
}

/// What was judged, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Events that were read.
    pub events: u64,
    /// Cases that were judged.
    pub cases: u64,
    /// Events that were not judged, because their case was found unlawful before.
    pub passed_over: u64,
    /// How much was found, in all.
    pub unlawful: u64,
    /// The first of what was found, in the order of the log.
    pub findings: Vec<Finding>,
    /// What was not looked at, with how often it came up.
    pub not_checked: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Whether nothing unlawful was found.
    #[must_use]
    pub fn is_lawful(&self) -> bool {
        self.unlawful == 0
    }

    pub(super) fn unchecked(&mut self, what: &'static str) {
        *self.not_checked.entry(what).or_default() += 1;
    }
}
