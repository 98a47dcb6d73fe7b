//! `response`: whatever `after` happens, `then` follows; `within` a time, if one is given.

use actum_net::document::Table;

use super::{Ending, Found, Hit, OWED_MAX, Progress, Template, duration, elapsed};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const AFTER: usize = 0;
const THEN: usize = 1;

#[derive(Debug)]
struct Response {
    within: Option<u64>,
}

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "after");
    reader.pattern(table, "then");
    let within = reader.duration(table, "within");
    Box::new(Response { within })
}

impl Template for Response {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Waiting { within: self.within, owed: Vec::new(), is_activated: false })
    }
}

struct Waiting {
    within: Option<u64>,
    owed: Vec<EventRef>,
    is_activated: bool,
}

impl Progress for Waiting {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        if hit.is(THEN) {
            for after in self.owed.drain(..) {
                let took = elapsed(after.time, hit.event.time);
                if let Some(within) = self.within.filter(|within| took > *within) {
                    let why = format!("`then` came {} too late", duration(took - within));
                    found.broken(why, &[("after", after), ("then", hit.event)]);
                }
            }
        }
        if hit.is(AFTER) {
            self.is_activated = true;
            if self.owed.len() < OWED_MAX {
                self.owed.push(hit.event);
            } else {
                found.limit = Some("events that wait for an answer");
            }
        }
    }

    fn end(&mut self, ending: &Ending, found: &mut Found) {
        for after in &self.owed {
            if ending.breaks(after.time, self.within) {
                let why = format!("`then` {}", ending.reason(after.time, self.within));
                let closing = ending.closing().map(|event| ("end", event));
                found.broken(why, &[Some(("after", *after)), closing].into_iter().flatten().collect::<Vec<_>>());
            }
        }
    }

    fn is_activated(&self) -> bool {
        self.is_activated
    }

    fn owes(&self) -> bool {
        !self.owed.is_empty()
    }
}
