//! Waiting: for a while, or until a point in time.

use actum_model::{Cron, Directory, Time, Value, Zone};

use crate::expression::{EvalError, Scope, Template};
use crate::kind::time_from_text;

/// When a task that waits completes.
#[derive(Debug, Clone, PartialEq)]
pub enum Wait {
    /// So long after it starts: gives a duration as text.
    For(Template),
    /// At a point in time: gives a time, or RFC 3339 text. If it is past, at once.
    Until(Template),
    /// After so much time on duty: of a calendar of the organisation.
    Duty {
        /// How much: gives a duration as text.
        length: Template,
        /// Name of the calendar.
        calendar: String,
    },
    /// When the wall clock of a zone next shows such a time.
    Cron {
        /// Which.
        cron: Cron,
        /// Whose wall clock.
        zone: Zone,
    },
}

/// Why the end of a wait is not known.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The template cannot be evaluated.
    #[error("{0}")]
    Eval(#[from] EvalError),
    /// It gives something else than a duration.
    #[error("{0} is not a duration such as PT1H30M or P2D")]
    NotADuration(String),
    /// It gives something else than a time.
    #[error("{0} is not a point in time such as 2026-05-01T12:00:00Z")]
    NotATime(String),
    /// It lies beyond the times that can be stored.
    #[error("the time is out of range")]
    OutOfRange,
    /// The organisation has no such calendar.
    #[error("the organisation has no calendar {0}")]
    NoCalendar(String),
    /// The calendar has not so much time on duty within its next years.
    #[error("the calendar {0} has not so much time on duty")]
    NotOnDuty(String),
}

impl Wait {
    /// When a wait that starts `now` is over. The calendars are the directory's.
    ///
    /// # Errors
    /// [`WaitError`]: the item fails.
    pub fn due(&self, scope: &dyn Scope, now: Time, directory: &Directory) -> Result<Time, WaitError> {
        match self {
            Self::For(template) => due_after(template, scope, now),
            Self::Until(template) => match template.render(scope)? {
                Value::Time(time) => Ok(time),
                Value::String(text) => time_from_text(&text).ok_or(WaitError::NotATime(text)),
                other => Err(WaitError::NotATime(described(&other))),
            },
            Self::Duty { length, calendar } => {
                let length = length_of(length, scope)?;
                let known = directory.calendar(calendar).ok_or_else(|| WaitError::NoCalendar(calendar.clone()))?;
                known.after_duty(now, length).ok_or_else(|| WaitError::NotOnDuty(calendar.clone()))
            }
            Self::Cron { cron, zone } => cron.next(zone, now).ok_or(WaitError::OutOfRange),
        }
    }
}

/// The point in time that lies a template's duration after `now`.
///
/// # Errors
/// [`WaitError`], when the template gives no duration, or the sum cannot be stored.
pub fn due_after(template: &Template, scope: &dyn Scope, now: Time) -> Result<Time, WaitError> {
    let length = length_of(template, scope)?;
    // Stored times are signed where other programs read them.
    let due = now.0.checked_add(length).filter(|due| i64::try_from(*due).is_ok());
    due.map(Time).ok_or(WaitError::OutOfRange)
}

/// Nanoseconds of the duration that a template gives.
fn length_of(template: &Template, scope: &dyn Scope) -> Result<u64, WaitError> {
    match template.render(scope)? {
        Value::String(text) => duration(&text).ok_or(WaitError::NotADuration(text)),
        other => Err(WaitError::NotADuration(described(&other))),
    }
}

fn described(value: &Value) -> String {
    crate::kind::ValueKind::of(value).map_or("null", crate::kind::ValueKind::name).to_owned()
}

/// Nanoseconds of an ISO 8601 duration of weeks, days, hours, minutes and seconds: `P1W`, `P2DT12H`, `PT0.5S`. A day has 24
/// hours. Years and months are refused, as their length depends on the calendar; so are signs, and what exceeds 64 bits.
#[must_use]
pub fn duration(text: &str) -> Option<u64> {
    const SECOND: u64 = 1_000_000_000;
    const UNITS: [(char, bool, u64); 5] = [
        ('W', false, 7 * 24 * 3_600 * SECOND),
        ('D', false, 24 * 3_600 * SECOND),
        ('H', true, 3_600 * SECOND),
        ('M', true, 60 * SECOND),
        ('S', true, SECOND),
    ];
    let mut rest = text.strip_prefix('P')?;
    let (mut total, mut next, mut clock) = (0_u64, 0, false);
    loop {
        if let Some(after) = rest.strip_prefix('T') {
            if clock || after.is_empty() {
                return None;
            }
            (rest, clock) = (after, true);
        }
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let whole: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let mut nanoseconds = 0;
        let fraction = rest.strip_prefix(['.', ',']);
        if let Some(fraction) = fraction {
            let digits =
                fraction.find(|letter: char| !letter.is_ascii_digit()).filter(|digits| (1..=9).contains(digits))?;
            nanoseconds = fraction[..digits].parse::<u64>().ok()? * 10_u64.pow(9 - u32::try_from(digits).ok()?);
            rest = &fraction[digits..];
        }
        let letter = rest.chars().next()?;
        let unit = UNITS.iter().position(|(unit, after_t, _)| *unit == letter && *after_t == clock)?;
        // Each unit once, the larger first; only seconds have a fraction.
        if unit < next || (fraction.is_some() && letter != 'S') {
            return None;
        }
        next = unit + 1;
        total = whole.checked_mul(UNITS[unit].2)?.checked_add(nanoseconds)?.checked_add(total)?;
        rest = &rest[1..];
        if rest.is_empty() {
            return Some(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_read_exactly() {
        const S: u64 = 1_000_000_000;
        for (text, wanted) in [
            ("PT0S", 0),
            ("PT1H", 3_600 * S),
            ("PT1H30M", 5_400 * S),
            ("P2D", 172_800 * S),
            ("P1W", 604_800 * S),
            ("P1DT1M", 86_460 * S),
            ("PT0.5S", S / 2),
            ("PT1,000000001S", S + 1),
        ] {
            assert_eq!(duration(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1H",
            "PT1",
            "P1Y",
            "P1M",
            "P1H",
            "PT1D",
            "PT1M1H",
            "PT1H1H",
            "-PT1H",
            "PT-1H",
            "P1DT",
            "PT1HT1M",
            "PT0.5H",
            "PT.5S",
            "PT1.S",
            "PT1.0000000001S",
            "PT1S ",
            "pt1s",
            "P99999999999W",
            "PT1é",
            "P1W1W",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
