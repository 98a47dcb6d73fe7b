//! Times of the wall clock that come again: the five fields of cron.
//!
//! `minute hour day-of-month month day-of-week`, each `*`, a number, a range `a-b`, a step `*/n` or `a-b/n`, or a list of these;
//! months and days of the week also by their first three letters, 7 is Sunday too. With both days given, either suffices, as
//! POSIX has it. Seconds, years, `L`, `W`, `#` and names such as `@daily` are not part of it.
//!
//! When clocks change (as Vixie cron does it): a time that they skip comes at the moment of the skip. Of a time that they show
//! twice, the first counts, unless the hour is `*` or begins with `*/`: then both do, since such times come by the hour.

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, Time as WallTime};

use crate::{Time, Zone};

/// Farthest that a next time is looked for: a 29 February comes again within eight years.
const DAYS_AHEAD_MAX: i32 = 8 * 366 + 1;

/// Longest text of an expression, in bytes.
const TEXT_BYTES_MAX: usize = 256;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Times of the wall clock that come again.
#[derive(Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    /// Bits of the values that fit.
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether either of the days suffices.
    either_day: bool,
    by_the_hour: bool,
}

/// Why a text is no cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CronError {
    /// It has another number of fields than five, or is too long.
    #[error("a cron expression has five fields: minute, hour, day of the month, month, day of the week")]
    Fields,
    /// A field cannot be read.
    #[error("`{text}` is not a {field}: {least} to {most}, `*`, ranges `a-b`, steps `*/n`, and lists of these")]
    Field {
        /// Which.
        field: &'static str,
        /// What it says.
        text: String,
        /// Least value.
        least: u8,
        /// Greatest value.
        most: u8,
    },
    /// No day of any month fits.
    #[error("there is no such day in any of its months")]
    Never,
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`CronError`].
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return Err(CronError::Fields) };
        if text.len() > TEXT_BYTES_MAX {
            return Err(CronError::Fields);
        }
        let mut weekdays = field("day of the week", weekday, 0, 7, &DAYS)?;
        if weekdays & 1 << 7 != 0 {
            weekdays = weekdays & !(1 << 7) | 1;
        }
        let cron = Cron {
            text: fields.join(" "),
            minutes: field("minute", minute, 0, 59, &[])?,
            hours: field("hour", hour, 0, 23, &[])?,
            days: field("day of the month", day, 1, 31, &[])?,
            months: field("month", month, 1, 12, &MONTHS)?,
            weekdays,
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
            by_the_hour: hour.starts_with('*'),
        };
        if cron.never() { Err(CronError::Never) } else { Ok(cron) }
    }

    /// The expression, its fields one space apart.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first time after `after`. `None` in a zone whose rules this program does not have, or beyond the times that can be
    /// stored.
    #[must_use]
    pub fn next(&self, zone: &Zone, after: Time) -> Option<Time> {
        let today = zone.local(after)?.date();
        // Clocks may be set back across midnight: yesterday may come again.
        for ahead in -1..DAYS_AHEAD_MAX {
            let day = today.checked_add(ahead.days()).ok()?;
            if !self.has(day) {
                continue;
            }
            if let Some(time) = self.first_of(day, zone, after) {
                return i64::try_from(time.0).is_ok().then_some(time);
            }
        }
        None
    }

    fn has(&self, day: Date) -> bool {
        let of_month = self.days & 1 << day.day() != 0;
        let of_week = self.weekdays & 1 << day.weekday().to_sunday_zero_offset() != 0;
        let fits = if self.either_day { of_month || of_week } else { of_month && of_week };
        fits && self.months & 1 << day.month() != 0
    }

    /// The first time of a day after `after`.
    fn first_of(&self, day: Date, zone: &Zone, after: Time) -> Option<Time> {
        let mut first = None;
        for hour in bits(self.hours) {
            for minute in bits(self.minutes) {
                let Ok(shown) = WallTime::new(hour, minute, 0, 0) else { continue };
                let shown = day.to_datetime(shown);
                let time = if self.by_the_hour { zone.next(shown, after) } else { zone.first(shown) };
                first = time.filter(|time| *time > after).into_iter().chain(first).min();
            }
            // What clocks show twice lies within three hours; days without such an hour are in order.
            if first.is_some() && !self.by_the_hour {
                break;
            }
        }
        first
    }

    /// A day that no month has.
    fn never(&self) -> bool {
        const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let first_day = self.days.trailing_zeros();
        let is_in = |month: usize| self.months & 1 << (month + 1) != 0 && first_day <= LENGTHS[month];
        !self.either_day && !(0..12).any(is_in)
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cron({})", self.text)
    }
}

fn bits(set: u64) -> impl Iterator<Item = i8> {
    (0..60).filter(move |bit| set & 1 << bit != 0)
}

/// The bits of a field's values.
fn field(name: &'static str, text: &str, least: u8, most: u8, words: &[&str]) -> Result<u64, CronError> {
    let bad = || CronError::Field { field: name, text: text.to_owned(), least, most };
    let mut set = 0;
    for part in text.split(',') {
        set |= span(part, least, most, words).ok_or_else(bad)?;
    }
    Ok(set)
}

fn span(part: &str, least: u8, most: u8, words: &[&str]) -> Option<u64> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
        None => (part, 1),
    };
    let value = |text: &str| {
        let word = words.iter().position(|word| text.eq_ignore_ascii_case(word));
        // Months count from 1, days of the week from 0, as `least` does.
        let value = word.map_or_else(|| number(text), |word| Some(word as u8 + least))?;
        (least..=most).contains(&value).then_some(value)
    };
    let (from, until) = match range.split_once('-') {
        _ if range == "*" => (least, most),
        Some((from, until)) => (value(from)?, value(until)?),
        // A step needs something to go through.
        None if part.contains('/') => return None,
        None => (value(range)?, value(range)?),
    };
    (from <= until).then(|| (from..=until).step_by(usize::from(step)).fold(0, |set, value| set | 1 << value))
}

fn number(text: &str) -> Option<u8> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        let time: jiff::Timestamp = text.parse().expect("a time");
        Time(u64::try_from(time.as_nanosecond()).expect("after 1970"))
    }

    #[track_caller]
    fn check(expression: &str, zone: &str, after: &str, next: &[&str]) {
        let (cron, zone) = (Cron::parse(expression).expect(expression), Zone::named(zone));
        let mut now = at(after);
        for wanted in next {
            let found = cron.next(&zone, now).expect("a next time");
            assert_eq!(found.to_string(), at(wanted).to_string(), "{expression} after {now}");
            now = found;
        }
    }

    #[test]
    fn fields_say_when() {
        let utc = |expression, after, next: &[&str]| check(expression, "UTC", after, next);
        utc("30 9 * * *", "2026-05-01T09:30:00Z", &["2026-05-02T09:30:00Z"]);
        utc("*/20 8-9 * * *", "2026-05-01T08:41:00Z", &["2026-05-01T09:00:00Z", "2026-05-01T09:20:00Z"]);
        utc("0 9 * * mon-fri", "2026-05-01T10:00:00Z", &["2026-05-04T09:00:00Z", "2026-05-05T09:00:00Z"]);
        utc("0 0 29 feb *", "2026-01-01T00:00:00Z", &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
        // Either day: the 13th, and Fridays.
        utc(
            "0 0 13 * 5",
            "2026-05-07T00:00:00Z",
            &["2026-05-08T00:00:00Z", "2026-05-13T00:00:00Z", "2026-05-15T00:00:00Z"],
        );
        utc("0 0 * * 7", "2026-05-01T00:00:00Z", &["2026-05-03T00:00:00Z", "2026-05-10T00:00:00Z"]);
        utc("59 23 31 12 *", "2026-05-01T00:00:00Z", &["2026-12-31T23:59:00Z"]);
        utc("0 12 1,15 jan,JUL *", "2026-01-15T12:00:00Z", &["2026-07-01T12:00:00Z", "2026-07-15T12:00:00Z"]);
    }

    #[test]
    fn a_time_that_clocks_skip_comes_at_the_skip() {
        // Berlin: from 02:00 to 03:00 on 2026-03-29, at 01:00 UTC.
        check("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
        // Two skipped times are one moment.
        check(
            "0,30 2 * * *",
            "Europe/Berlin",
            "2026-03-28T12:00:00Z",
            &["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"],
        );
        check(
            "*/30 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            &["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"],
        );
        // New York: from 02:00 to 03:00 on 2026-03-08, at 07:00 UTC.
        check(
            "15 2 * * *",
            "America/New_York",
            "2026-03-07T12:00:00Z",
            &["2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z"],
        );
    }

    #[test]
    fn a_time_that_clocks_show_twice_comes_once_unless_by_the_hour() {
        // Berlin: 03:00 is 02:00 again on 2026-10-25, at 01:00 UTC.
        check("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        check(
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-24T23:45:00Z",
            &["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],
        );
        // Lord Howe moves by half an hour: 02:00 is 01:30 again on 2026-04-05, at 15:00 UTC the day before.
        check(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-04T02:00:00Z",
            &["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"],
        );
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5/2 * * * *",
            "9-5 * * * *",
            "a * * * *",
            "1, * * * *",
            "- * * * *",
            "@daily",
            "1-2-3 * * * *",
            "+1 * * * *",
            "001 * * * *",
            "é * * * *",
            "* * * mon *",
        ] {
            assert!(Cron::parse(text).is_err(), "{text}");
        }
        assert_eq!(Cron::parse("0 0 30 feb *"), Err(CronError::Never));
        assert!(Cron::parse("0 0 30 feb mon").is_ok(), "Mondays of February");
        assert_eq!(Cron::parse(&format!("{} * * * *", ["1"; 200].join(","))), Err(CronError::Fields));
    }

    #[test]
    fn in_a_zone_that_nobody_knows_no_time_comes() {
        assert_eq!(Cron::parse("* * * * *").expect("one").next(&Zone::named("Mars/Olympus"), Time(0)), None);
    }
}
