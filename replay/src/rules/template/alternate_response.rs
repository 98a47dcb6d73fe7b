//! `alternate-response`: whatever `after` happens, `then` follows before `after` happens again.

use actum_net::document::Table;

use super::{Ending, Found, Hit, Progress, Template};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const AFTER: usize = 0;
const THEN: usize = 1;

#[derive(Debug)]
struct AlternateResponse;

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "after");
    reader.pattern(table, "then");
    Box::new(AlternateResponse)
}

impl Template for AlternateResponse {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Turn { owed: None, is_activated: false })
    }
}

struct Turn {
    owed: Option<EventRef>,
    is_activated: bool,
}

impl Progress for Turn {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        let owed = self.owed;
        if hit.is(THEN) {
            self.owed = None;
        }
        if hit.is(AFTER) {
            self.is_activated = true;
            // An event that is both answers what was owed before it is asked itself.
            if let Some(earlier) = owed.filter(|_| !hit.is(THEN)) {
                found.broken("it happened again before `then`", &[("after", earlier), ("again", hit.event)]);
            }
            self.owed = Some(hit.event);
        }
    }

    fn end(&mut self, ending: &Ending, found: &mut Found) {
        if let Some(after) = self.owed.filter(|after| ending.breaks(after.time, None)) {
            let closing = ending.closing().map(|event| ("end", event));
            let events: Vec<_> = [Some(("after", after)), closing].into_iter().flatten().collect();
            found.broken(format!("`then` {}", ending.reason(after.time, None)), &events);
        }
    }

    fn is_activated(&self) -> bool {
        self.is_activated
    }

    fn owes(&self) -> bool {
        self.owed.is_some()
    }
}
