//! How cases of a net start: by hand, by the clock, by a message.

use actum_model::{Cron, Time, Value, Zone};

use crate::expression::{EvalError, Given, Scope, Template};
use crate::net::VariableIx;

/// Most due times of the wall clock that are looked through at once for what was missed.
const MISSED_MAX: u64 = 5_000;

/// One way in which cases of a net start.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Its name in the net.
    pub name: String,
    /// What starts a case.
    pub by: StartBy,
    /// Inputs of the case: a map of templates over `message` or `due`.
    pub input: Template,
}

/// What starts a case.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StartBy {
    /// Somebody asks.
    Hand,
    /// The clock.
    Clock {
        /// When.
        times: Times,
        /// What becomes of times at which nobody listened.
        catch_up: CatchUp,
    },
    /// A message.
    Message {
        /// Its name.
        name: String,
        /// The case's business key, over `message`: text, or what is written as text. Without: the message's own key, if it has one.
        key: Option<Template>,
    },
}

/// Times that come again.
#[derive(Debug, Clone, PartialEq)]
pub enum Times {
    /// As the wall clock of a zone shows them.
    Cron {
        /// Which.
        cron: Cron,
        /// Whose wall clock.
        zone: Zone,
    },
    /// At equal distances.
    Every {
        /// Nanoseconds between two; at least a second.
        nanoseconds: u64,
        /// One of them.
        from: Time,
    },
}

/// What becomes of due times at which nobody listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum CatchUp {
    /// One case starts, for the last of them; the others are left out.
    #[default]
    Last,
    /// A case starts for each.
    All,
    /// They are left out.
    None,
}

impl CatchUp {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Last, Self::All, Self::None];

    /// The word in nets.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::All => "all",
            Self::None => "none",
        }
    }
}

impl Times {
    /// The first time after `after`; `None` when there is none that can be stored.
    #[must_use]
    pub fn next(&self, after: Time) -> Option<Time> {
        match self {
            Self::Cron { cron, zone } => cron.next(zone, after),
            Self::Every { nanoseconds, from } => {
                let (step, from, after) = (u128::from(*nanoseconds), u128::from(from.0), u128::from(after.0));
                let steps = if after < from { 0 } else { (after - from) / step + 1 };
                let next = u64::try_from(from + steps * step).ok()?;
                i64::try_from(next).is_ok().then_some(Time(next))
            }
        }
    }

    /// Of the times after `after` up to `until`: the last, the one before it, and how many there are; `None` without any. Of very
    /// many, some thousands are looked at at once.
    #[must_use]
    pub fn last_until(&self, after: Time, until: Time) -> Option<(Time, Option<Time>, u64)> {
        if let Self::Every { nanoseconds, .. } = self {
            let first = self.next(after).filter(|first| *first <= until)?;
            let more = (until.0 - first.0) / nanoseconds;
            let nth = |steps: u64| Time(first.0 + steps * nanoseconds);
            return Some((nth(more), more.checked_sub(1).map(nth), more + 1));
        }
        let (mut last, mut before, mut count) = (None, None, 0);
        let mut at = after;
        while let Some(next) = self.next(at).filter(|next| *next <= until) {
            (before, last, at) = (last, Some(next), next);
            count += 1;
            if count >= MISSED_MAX {
                break;
            }
        }
        last.map(|last| (last, before, count))
    }
}

impl Start {
    /// The inputs of a case that it starts: a map.
    ///
    /// # Errors
    /// When a template cannot be evaluated.
    pub fn inputs(&self, seen: &StartScope<'_>) -> Result<Value, EvalError> {
        self.input.render(seen)
    }
}

/// What the templates of a start see.
#[derive(Debug, Clone, Copy)]
pub struct StartScope<'a> {
    /// `message`: what came with the message, null if none starts it.
    pub message: &'a Value,
    /// `due`: the time that was due, null if the clock does not start it.
    pub due: &'a Value,
}

impl Scope for StartScope<'_> {
    fn variable(&self, _variable: VariableIx) -> Option<&Value> {
        None
    }

    fn result(&self) -> Option<&Value> {
        None
    }

    fn given(&self, name: Given) -> Option<&Value> {
        match name {
            Given::Message => Some(self.message),
            Given::Due => Some(self.due),
            _ => None,
        }
    }
}

/// What a message is about, or a business key, as text: text itself, a number, true or false. `None` for anything else.
#[must_use]
pub fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Int(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Decimal(decimal) => Some(decimal.to_string()),
        Value::Time(time) => Some(time.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    #[test]
    fn equal_distances() {
        let times = Times::Every { nanoseconds: 10, from: Time(103) };
        assert_eq!(times.next(Time(0)), Some(Time(103)));
        assert_eq!(times.next(Time(103)), Some(Time(113)));
        assert_eq!(times.next(Time(112)), Some(Time(113)));
        assert_eq!(times.last_until(Time(103), Time(112)), None);
        assert_eq!(times.last_until(Time(103), Time(140)), Some((Time(133), Some(Time(123)), 3)));
        assert_eq!(times.next(Time(u64::MAX)), None);
    }

    #[test]
    fn missed_times_of_the_wall_clock() {
        let cron = Cron::parse("0 * * * *").expect("one");
        let times = Times::Cron { cron, zone: Zone::named("UTC") };
        assert_eq!(times.last_until(Time(0), Time(5 * HOUR)), Some((Time(5 * HOUR), Some(Time(4 * HOUR)), 5)));
        assert_eq!(times.last_until(Time(0), Time(HOUR - 1)), None);
    }
}
