//! `exclusion`: of the patterns in `of`, at most one ever happens. A group is broken once, by the first event that shows it.

use actum_net::document::Table;

use super::{Found, Hit, Progress, Template};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

#[derive(Debug)]
struct Exclusion;

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    if reader.pattern_list(table, "of") < 2 {
        reader.missing(table, "two patterns in `of`", "one excludes nothing");
    }
    Box::new(Exclusion)
}

impl Template for Exclusion {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(First { first: None, is_broken: false })
    }
}

struct First {
    /// What happened first, and which patterns mean it.
    first: Option<(u32, EventRef)>,
    is_broken: bool,
}

impl Progress for First {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        if self.is_broken {
            return;
        }
        let (patterns, first) = *self.first.get_or_insert((hit.patterns, hit.event));
        if (patterns | hit.patterns).count_ones() > 1 {
            self.is_broken = true;
            let same = first == hit.event;
            let events = [("first", first), ("second", hit.event)];
            found.broken("both happened", if same { &events[..1] } else { &events });
        }
    }

    fn is_activated(&self) -> bool {
        self.first.is_some()
    }
}
