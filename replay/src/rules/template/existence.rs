//! `existence`: in every case `of` happens `at-least` and `at-most` so many times; those it takes at least `within` a time of the
//! case's start, if one is given.

use actum_net::document::Table;

use super::{Ending, Found, Hit, Progress, Template, elapsed};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const COUNT_MAX: u32 = 1_000_000;

#[derive(Debug)]
struct Existence {
    at_least: u32,
    at_most: Option<u32>,
    within: Option<u64>,
}

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "of");
    let at_most = reader.count(table, "at-most", COUNT_MAX);
    let at_least = reader.count(table, "at-least", COUNT_MAX).unwrap_or(u32::from(at_most != Some(0)));
    let within = reader.duration(table, "within");
    if at_most.is_some_and(|at_most| at_most < at_least) {
        reader.contradiction(table, "at-most", "is less than `at-least`");
    }
    Box::new(Existence { at_least, at_most, within })
}

impl Template for Existence {
    fn begin(&self, first: &EventRef) -> Box<dyn Progress> {
        Box::new(Counted {
            at_least: self.at_least,
            at_most: self.at_most,
            within: self.within,
            first: *first,
            count: 0,
            in_time: 0,
        })
    }

    fn is_about_every_case(&self) -> bool {
        true
    }
}

struct Counted {
    at_least: u32,
    at_most: Option<u32>,
    within: Option<u64>,
    first: EventRef,
    count: u32,
    in_time: u32,
}

impl Progress for Counted {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        self.count = self.count.saturating_add(1);
        if self.within.is_none_or(|within| elapsed(self.first.time, hit.event.time) <= within) {
            self.in_time = self.in_time.saturating_add(1);
        }
        if let Some(most) = self.at_most.filter(|most| self.count > *most) {
            found.broken(format!("{} times, at most {most} allowed", self.count), &[("of", hit.event)]);
        }
    }

    fn end(&mut self, ending: &Ending, found: &mut Found) {
        if self.owes() && ending.breaks(self.first.time, self.within) {
            let why = format!(
                "{} of {} {}",
                self.in_time,
                self.at_least,
                ending.reason(self.first.time, self.within).replace("did not come", "came")
            );
            let closing = ending.closing().map(|event| ("end", event));
            found.broken(why, &[Some(("start", self.first)), closing].into_iter().flatten().collect::<Vec<_>>());
        }
    }

    fn is_activated(&self) -> bool {
        true
    }

    fn owes(&self) -> bool {
        self.in_time < self.at_least
    }
}
