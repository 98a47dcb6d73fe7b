//! Compliance rules: what a reviewer demands of a log, in YAML, judged in one pass over its events.
//!
//! ```text
//! read       from text to rules, with every mistake and its place (language: RULES.md of this room)
//! vocabulary the names that conditions see, and the kinds of events
//! view       an event as those names, computed only when asked for
//! plan       which rules an event of a net can concern, worked out once per net
//! audit      the pass: open cases, groups, keys, limits
//! template/  one file per kind of rule: how it is written, and what it remembers of a group
//! report     what came out; json: its stable form
//! ```
//! Pure and streaming: memory grows with open cases and with keys, never with the log, and each growth has a named limit.

mod audit;
mod json;
mod plan;
mod read;
mod report;
mod rule;
mod tally;
mod template;
#[cfg(test)]
mod tests;
mod tracked;
mod view;
mod vocabulary;

pub use audit::{Audit, KEYS_MAX};
pub use json::report_json;
pub use read::{RULES_SCHEMA, rules};
pub use report::{Cited, Outcome, Report, RuleReport, Unsettled, Violation};
pub use rule::{RULES_MAX, Rule, RuleSet, Severity};
pub use template::OWED_MAX;
