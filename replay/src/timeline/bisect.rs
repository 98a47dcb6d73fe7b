//! Where a condition becomes true.

use serde_json::{Value as Json, json};

use super::{Condition, Cursor, Story};
use crate::ReplayError;

/// How to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Search {
    /// Halving what is left: some twenty looks for a million events. Right for conditions that stay true once they are;
    /// of another it finds one of the events after which it became true.
    #[default]
    Halving,
    /// From the first event on to the first after which it holds: no assumption.
    First,
    /// All events after which it became true or false: no assumption.
    Every,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Indices of the events after which the answer changed, each with the answer from there on.
    pub changes: Vec<(usize, bool)>,
    /// Of how many events the condition was worked out.
    pub looks: usize,
    /// How it was looked for.
    pub search: Search,
}

/// Finds the first event of a case after which a condition holds, among its events from index `from` to before `to`.
///
/// # Errors
/// [`ReplayError::NoChange`] when the condition holds after the first of them already, or does not after the last
/// ([`Search::Halving`]), or never ([`Search::First`]); [`ReplayError::Undecided`] when it has no answer where it was asked.
pub fn bisect(
    story: &Story,
    condition: &Condition,
    search: Search,
    range: std::ops::Range<usize>,
) -> Result<Found, ReplayError> {
    let (from, to) = (range.start, range.end.min(story.len()));
    let mut look = Look { cursor: Cursor::new(story), story, condition, looks: 0 };
    if from >= to {
        return Err(no_change("there are no events to look at"));
    }
    let changes = match search {
        Search::Halving => vec![(look.halve(from, to)?, true)],
        Search::First => vec![(look.first(from, to)?, true)],
        Search::Every => look.every(from, to)?,
    };
    Ok(Found { changes, looks: look.looks, search })
}

struct Look<'a> {
    cursor: Cursor<'a>,
    story: &'a Story,
    condition: &'a Condition,
    looks: usize,
}

impl Look<'_> {
    fn holds(&mut self, index: usize) -> Result<bool, ReplayError> {
        self.looks += 1;
        if index == self.cursor.count() {
            self.cursor.forward();
        } else {
            self.cursor.jump(index + 1);
        }
        self.cursor.holds(self.condition)
    }

    fn halve(&mut self, from: usize, to: usize) -> Result<usize, ReplayError> {
        let seq = |index: usize| self.story.events()[index].meta.seq;
        let (first, last) = (seq(from), seq(to - 1));
        if self.holds(from)? {
            return Err(no_change(format!(
                "the condition holds already after event {first}, the first that is looked at; begin earlier, or list all changes with --every"
            )));
        }
        if !self.holds(to - 1)? {
            return Err(no_change(format!(
                "the condition does not hold after event {last}, the last that is looked at; if it held in between, --every tells"
            )));
        }
        // After `low` it does not hold, after `high` it does.
        let (mut low, mut high) = (from, to - 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.holds(middle)? {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(high)
    }

    fn first(&mut self, from: usize, to: usize) -> Result<usize, ReplayError> {
        for index in from..to {
            if self.holds(index)? {
                return Ok(index);
            }
        }
        Err(no_change(format!("the condition holds after none of {} events", to - from)))
    }

    fn every(&mut self, from: usize, to: usize) -> Result<Vec<(usize, bool)>, ReplayError> {
        let (mut held, mut changes) = (false, Vec::new());
        for index in from..to {
            let holds = self.holds(index)?;
            if holds != held {
                changes.push((index, holds));
            }
            held = holds;
        }
        Ok(changes)
    }
}

fn no_change(reason: impl Into<String>) -> ReplayError {
    ReplayError::NoChange { reason: reason.into() }
}

impl Found {
    /// What was assumed, in a sentence; nothing where nothing was.
    #[must_use]
    pub fn assumed(&self) -> Option<&'static str> {
        (self.search == Search::Halving).then_some(
            "that the condition, once it holds, goes on to hold; if it changes back and forth, this is one of the changes (--linear finds the first, --every all)",
        )
    }

    /// What was found as JSON; the keys are listed in `TIMELINE.md`.
    #[must_use]
    pub fn to_json(&self, story: &Story, condition: &Condition) -> Json {
        let change = |(index, holds): &(usize, bool)| {
            let logged = &story.events()[*index];
            let mut event = crate::json_of_case(logged, story.net().map(|net| &**net), story.names());
            event["holds"] = Json::Bool(*holds);
            event
        };
        json!({
            "case": story.case().0,
            "when": condition.source(),
            "search": match self.search {
                Search::Halving => "halving",
                Search::First => "linear",
                Search::Every => "every",
            },
            "assumed": self.assumed(),
            "looks": self.looks,
            "events": story.len(),
            "changes": self.changes.iter().map(change).collect::<Vec<_>>(),
        })
    }
}
