//! `alternate-precedence`: `only` happens only when `after` happened since it last did.

use actum_net::document::Table;

use super::{Found, Hit, Progress, Template};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const ONLY: usize = 0;
const AFTER: usize = 1;

#[derive(Debug)]
struct AlternatePrecedence;

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "only");
    reader.pattern(table, "after");
    Box::new(AlternatePrecedence)
}

impl Template for AlternatePrecedence {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Leave { is_given: false, last: None })
    }
}

struct Leave {
    is_given: bool,
    last: Option<EventRef>,
}

impl Progress for Leave {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        if hit.is(ONLY) {
            if !self.is_given {
                let earlier = self.last.map(|event| ("before", event));
                let events: Vec<_> = [earlier, Some(("only", hit.event))].into_iter().flatten().collect();
                found.broken("`after` had not happened since", &events);
            }
            self.is_given = false;
            self.last = Some(hit.event);
        }
        self.is_given |= hit.is(AFTER);
    }

    fn is_activated(&self) -> bool {
        self.last.is_some()
    }
}
