//! `within`: from `from` (or the case's start) to the next `to` (or the case's end) it takes `at-most` and `at-least` so long. That
//! `to` comes at all is not demanded: a case that ends before, in time, owes nothing.

use actum_net::document::Table;

use super::{Ending, Found, Hit, Progress, Template, duration, elapsed};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

#[derive(Debug)]
struct Within {
    from: Option<usize>,
    to: Option<usize>,
    at_most: Option<u64>,
    at_least: Option<u64>,
}

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    let from = reader.pattern_optional(table, "from");
    let to = reader.pattern_optional(table, "to");
    let at_most = reader.duration(table, "at-most");
    let at_least = reader.duration(table, "at-least");
    if at_most.is_none() && at_least.is_none() {
        reader.missing(table, "`at-most` or `at-least`", "write a duration, such as `at-most: P1D`");
    }
    if let (Some(most), Some(least)) = (at_most, at_least)
        && most < least
    {
        reader.contradiction(table, "at-most", "is less than `at-least`");
    }
    Box::new(Within { from, to, at_most, at_least })
}

impl Template for Within {
    fn begin(&self, first: &EventRef) -> Box<dyn Progress> {
        let &Within { from, to, at_most, at_least } = self;
        let open = from.is_none().then_some(*first);
        Box::new(Measured { from, to, at_most, at_least, open, is_activated: open.is_some() })
    }

    fn is_about_every_case(&self) -> bool {
        self.from.is_none()
    }
}

struct Measured {
    from: Option<usize>,
    to: Option<usize>,
    at_most: Option<u64>,
    at_least: Option<u64>,
    /// The earliest event since the last measurement.
    open: Option<EventRef>,
    is_activated: bool,
}

impl Measured {
    fn measure(&self, from: EventRef, to: EventRef, found: &mut Found) {
        let took = elapsed(from.time, to.time);
        let events = [("from", from), ("to", to)];
        match (self.at_most, self.at_least) {
            (Some(most), _) if took > most => {
                found.broken(format!("it took {}, {} too long", duration(took), duration(took - most)), &events);
            }
            (_, Some(least)) if took < least => {
                found.broken(format!("it took {}, less than {}", duration(took), duration(least)), &events);
            }
            _ => {}
        }
    }
}

impl Progress for Measured {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        if self.to.is_some_and(|to| hit.is(to))
            && let Some(from) = self.open.take()
        {
            self.measure(from, hit.event, found);
        }
        if self.from.is_some_and(|from| hit.is(from)) {
            self.is_activated = true;
            self.open.get_or_insert(hit.event);
        }
    }

    fn end(&mut self, ending: &Ending, found: &mut Found) {
        let Some(from) = self.open else { return };
        match (self.to, ending.closing()) {
            (None, Some(end)) => self.measure(from, end, found),
            (_, closing) => {
                let took = elapsed(from.time, ending.time());
                if let Some(most) = self.at_most.filter(|most| took > *most) {
                    let events = [Some(("from", from)), closing.map(|event| ("end", event))];
                    let why = format!("it is not done, {} too long", duration(took - most));
                    found.broken(why, &events.into_iter().flatten().collect::<Vec<_>>());
                }
            }
        }
    }

    fn is_activated(&self) -> bool {
        self.is_activated
    }

    fn owes(&self) -> bool {
        self.open.is_some()
    }
}
