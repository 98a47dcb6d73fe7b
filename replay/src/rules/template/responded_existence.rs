//! `responded-existence`: if `if` happens, `then` happens too, before or after.

use actum_net::document::Table;

use super::{Ending, Found, Hit, Progress, Template};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const IF: usize = 0;
const THEN: usize = 1;

#[derive(Debug)]
struct RespondedExistence;

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "if");
    reader.pattern(table, "then");
    Box::new(RespondedExistence)
}

impl Template for RespondedExistence {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Both { first: None, came: false })
    }
}

struct Both {
    first: Option<EventRef>,
    came: bool,
}

impl Progress for Both {
    fn step(&mut self, hit: &Hit<'_>, _: &mut Found) {
        self.came |= hit.is(THEN);
        if hit.is(IF) {
            self.first.get_or_insert(hit.event);
        }
    }

    fn end(&mut self, ending: &Ending, found: &mut Found) {
        if let Some(first) = self.first.filter(|first| self.owes() && ending.breaks(first.time, None)) {
            let closing = ending.closing().map(|event| ("end", event));
            let events: Vec<_> = [Some(("if", first)), closing].into_iter().flatten().collect();
            found.broken(format!("`then` {}", ending.reason(first.time, None)), &events);
        }
    }

    fn is_activated(&self) -> bool {
        self.first.is_some()
    }

    fn owes(&self) -> bool {
        self.first.is_some() && !self.came
    }
}
