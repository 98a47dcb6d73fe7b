//! `precedence`: `only` happens only when `after` happened before; no longer ago than `within`, if a time is given.

use actum_net::document::Table;

use super::{Found, Hit, Progress, Template, duration, elapsed};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const ONLY: usize = 0;
const AFTER: usize = 1;

#[derive(Debug)]
struct Precedence {
    within: Option<u64>,
}

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "only");
    reader.pattern(table, "after");
    let within = reader.duration(table, "within");
    Box::new(Precedence { within })
}

impl Template for Precedence {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Before { within: self.within, newest: None, is_activated: false })
    }
}

struct Before {
    within: Option<u64>,
    newest: Option<EventRef>,
    is_activated: bool,
}

impl Progress for Before {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        if hit.is(ONLY) {
            self.is_activated = true;
            match (self.newest, self.within) {
                (None, _) => found.broken("`after` had not happened", &[("only", hit.event)]),
                (Some(after), Some(within)) if elapsed(after.time, hit.event.time) > within => {
                    let ago = duration(elapsed(after.time, hit.event.time));
                    found.broken(format!("`after` was {ago} ago"), &[("after", after), ("only", hit.event)]);
                }
                _ => {}
            }
        }
        if hit.is(AFTER) {
            self.newest = Some(hit.event);
        }
    }

    fn is_activated(&self) -> bool {
        self.is_activated
    }
}
