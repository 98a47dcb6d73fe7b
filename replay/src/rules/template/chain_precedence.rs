//! `chain-precedence`: right before `only` comes `after`; between them lies nothing of `among`.

use actum_net::document::Table;

use super::{Found, Hit, Progress, Template};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const ONLY: usize = 0;
const AFTER: usize = 1;

#[derive(Debug)]
struct ChainPrecedence;

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "only");
    reader.pattern(table, "after");
    reader.pattern_or_work(table, "among");
    Box::new(ChainPrecedence)
}

impl Template for ChainPrecedence {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Previous { previous: None, is_activated: false })
    }
}

struct Previous {
    /// The event before, and whether it was `after`.
    previous: Option<(EventRef, bool)>,
    is_activated: bool,
}

impl Progress for Previous {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        if hit.is(ONLY) {
            self.is_activated = true;
            match self.previous {
                Some((_, true)) => {}
                Some((other, false)) => {
                    found.broken("something else came right before", &[("before", other), ("only", hit.event)]);
                }
                None => found.broken("nothing came before", &[("only", hit.event)]),
            }
        }
        self.previous = Some((hit.event, hit.is(AFTER)));
    }

    fn is_activated(&self) -> bool {
        self.is_activated
    }
}
