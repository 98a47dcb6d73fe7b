//! `never-after`: once `after` happened, `never` does not; not `within` a time, if one is given.

use actum_net::document::Table;

use super::{Found, Hit, Progress, Template, duration, elapsed};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const NEVER: usize = 0;
const AFTER: usize = 1;

#[derive(Debug)]
struct NeverAfter {
    within: Option<u64>,
}

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "never");
    reader.pattern(table, "after");
    let within = reader.duration(table, "within");
    Box::new(NeverAfter { within })
}

impl Template for NeverAfter {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Since { within: self.within, newest: None })
    }
}

struct Since {
    within: Option<u64>,
    /// If this is too long ago, the earlier ones are too.
    newest: Option<EventRef>,
}

impl Progress for Since {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        if hit.is(NEVER)
            && let Some(after) = self.newest
        {
            let took = elapsed(after.time, hit.event.time);
            if self.within.is_none_or(|within| took <= within) {
                let why = format!("it happened {} after", duration(took));
                found.broken(why, &[("after", after), ("never", hit.event)]);
            }
        }
        if hit.is(AFTER) {
            self.newest = Some(hit.event);
        }
    }

    fn is_activated(&self) -> bool {
        self.newest.is_some()
    }
}
