//! Kinds of rules. One more is a file with `read`, and a line in [`TEMPLATES`].
//!
//! A [`Template`] is what a rule says; a [`Progress`] is what it remembers of one group of events. Definitions are those of
//! Declare (Pesic, Schonenberg, van der Aalst 2007) over finite traces, with time; RULES.md states each over positions, and
//! `tests/naive.rs` holds each to that.

mod absence;
mod alternate_precedence;
mod alternate_response;
mod chain_precedence;
mod chain_response;
mod exclusion;
mod existence;
mod four_eyes;
mod never_after;
mod precedence;
mod responded_existence;
mod response;
mod within;

use std::fmt;

use actum_model::Time;
use actum_net::Query;
use actum_net::document::Table;

use super::read::Reader;
use super::tracked::EventRef;

/// Most events of a group that a rule remembers because they are still owed something: beyond, the rule is not judged.
pub const OWED_MAX: usize = 10_000;

/// Reads the parts of a template.
pub(super) type Read = fn(&mut Table<'_>, &mut Reader<'_, '_>) -> Box<dyn Template>;

/// Every kind of rule, by its key in the language.
pub(super) const TEMPLATES: [(&str, Read); 13] = [
    ("response", response::read),
    ("precedence", precedence::read),
    ("absence", absence::read),
    ("existence", existence::read),
    ("four-eyes", four_eyes::read),
    ("within", within::read),
    ("never-after", never_after::read),
    ("exclusion", exclusion::read),
    ("responded-existence", responded_existence::read),
    ("alternate-response", alternate_response::read),
    ("alternate-precedence", alternate_precedence::read),
    ("chain-response", chain_response::read),
    ("chain-precedence", chain_precedence::read),
];

/// What a rule says.
pub(super) trait Template: fmt::Debug + Send + Sync {
    /// A new group; `first` is its first event: of a case, the one that started it.
    fn begin(&self, first: &EventRef) -> Box<dyn Progress>;

    /// The rule says something of cases in which none of its events happens.
    fn is_about_every_case(&self) -> bool {
        false
    }

    /// A group in which none of its events happened is as demanded, and not beside the point.
    fn is_kept_by_silence(&self) -> bool {
        false
    }

    /// Who did it, in place of the actor.
    fn who(&self) -> Option<&Query> {
        None
    }

    /// The rule compares who did things.
    fn asks_who(&self) -> bool {
        false
    }
}

/// What a rule remembers of a group.
pub(super) trait Progress: Send {
    /// Takes in an event that some of the rule's patterns mean. Events come in the order of the log.
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found);

    /// The group has no further event, or none is known.
    fn end(&mut self, _ending: &Ending, _found: &mut Found) {}

    /// Something happened that the rule is about.
    fn is_activated(&self) -> bool;

    /// Something is still owed.
    fn owes(&self) -> bool {
        false
    }
}

/// An event, and which parts of the rule mean it.
pub(super) struct Hit<'h> {
    pub(super) patterns: u32,
    pub(super) event: EventRef,
    /// Encoded; where the rule asks for it, and it is not null.
    pub(super) who: Option<&'h [u8]>,
}

impl Hit<'_> {
    pub(super) fn is(&self, pattern: usize) -> bool {
        self.patterns & (1 << pattern) != 0
    }
}

/// Why no further event comes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    /// The case ended with this event. If it is released, nothing is owed whose time was not over.
    Closed { event: EventRef, is_released: bool },
    /// The log ends here.
    Open { now: Time },
}

impl Ending {
    pub(super) fn time(&self) -> Time {
        match self {
            Ending::Closed { event, .. } => event.time,
            Ending::Open { now } => *now,
        }
    }

    pub(super) fn closing(&self) -> Option<EventRef> {
        match self {
            Ending::Closed { event, .. } => Some(*event),
            Ending::Open { .. } => None,
        }
    }

    /// What was owed since `since` is now broken: its time is over, or the case ended and owes it.
    pub(super) fn breaks(&self, since: Time, within: Option<u64>) -> bool {
        let is_over = within.is_some_and(|within| elapsed(since, self.time()) > within);
        is_over || matches!(self, Ending::Closed { is_released: false, .. })
    }

    /// Why nothing came.
    pub(super) fn reason(&self, since: Time, within: Option<u64>) -> String {
        match (within, self) {
            (Some(within), _) if elapsed(since, self.time()) > within => {
                format!("did not come within {}", duration(within))
            }
            (_, Ending::Closed { .. }) => "did not come before the case ended".to_owned(),
            (_, Ending::Open { .. }) => "did not come".to_owned(),
        }
    }
}

/// What a step or an end found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) broken: Vec<Break>,
    /// A limit that was reached, by what it limits.
    pub(super) limit: Option<&'static str>,
}

/// One breach, with the events that show it, each with its part in the rule.
#[derive(Debug)]
pub(super) struct Break {
    pub(super) why: String,
    pub(super) events: Vec<(&'static str, EventRef)>,
}

impl Found {
    pub(super) fn broken(&mut self, why: impl Into<String>, events: &[(&'static str, EventRef)]) {
        self.broken.push(Break { why: why.into(), events: events.to_vec() });
    }
}

/// Nanoseconds from one event to a later one; between partitions, clocks may differ, and then it is 0.
pub(super) fn elapsed(from: Time, to: Time) -> u64 {
    to.0.saturating_sub(from.0)
}

/// A duration for people: `2 d 3 h`, the two largest units that say something.
pub(super) fn duration(nanoseconds: u64) -> String {
    const UNITS: [(&str, u64); 5] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("min", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ];
    let mut left = nanoseconds;
    let mut parts = Vec::new();
    for (unit, length) in UNITS {
        if left >= length && parts.len() < 2 {
            parts.push(format!("{} {unit}", left / length));
            left %= length;
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() { format!("{nanoseconds} ns") } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_two_units_at_most() {
        let second = 1_000_000_000;
        assert_eq!(duration(0), "0 ns");
        assert_eq!(duration(90 * second), "1 min 30 s");
        assert_eq!(duration(86_400 * second), "1 d");
        assert_eq!(duration(86_400 * second + 5 * second), "1 d");
        assert_eq!(duration(26 * 3_600 * second + 61 * second), "1 d 2 h");
    }
}
