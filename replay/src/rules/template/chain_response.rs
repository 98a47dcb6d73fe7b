//! `chain-response`: right after `after` comes `next`; between them lies nothing of `among`.

use actum_net::document::Table;

use super::{Ending, Found, Hit, Progress, Template};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

const AFTER: usize = 0;
const NEXT: usize = 1;

#[derive(Debug)]
struct ChainResponse;

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "after");
    reader.pattern(table, "next");
    reader.pattern_or_work(table, "among");
    Box::new(ChainResponse)
}

impl Template for ChainResponse {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Link { owed: None, is_activated: false })
    }
}

struct Link {
    owed: Option<EventRef>,
    is_activated: bool,
}

impl Progress for Link {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        if let Some(after) = self.owed.take().filter(|_| !hit.is(NEXT)) {
            found.broken("something else came next", &[("after", after), ("next", hit.event)]);
        }
        if hit.is(AFTER) {
            self.is_activated = true;
            self.owed = Some(hit.event);
        }
    }

    fn end(&mut self, ending: &Ending, found: &mut Found) {
        if let Some(after) = self.owed.filter(|after| ending.breaks(after.time, None)) {
            let closing = ending.closing().map(|event| ("end", event));
            let events: Vec<_> = [Some(("after", after)), closing].into_iter().flatten().collect();
            found.broken(format!("`next` {}", ending.reason(after.time, None)), &events);
        }
    }

    fn is_activated(&self) -> bool {
        self.is_activated
    }

    fn owes(&self) -> bool {
        self.owed.is_some()
    }
}
