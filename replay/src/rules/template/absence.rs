//! `absence`: `never` happens, or not more than `at-most` times; in any stretch of `within`, if a time is given.

use std::collections::VecDeque;

use actum_net::document::Table;

use super::{Found, Hit, Progress, Template, duration, elapsed};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

/// Most that can be allowed: each group remembers so many events.
const AT_MOST_MAX: u32 = 1_000;

#[derive(Debug)]
struct Absence {
    at_most: usize,
    within: Option<u64>,
}

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    reader.pattern(table, "never");
    let at_most = reader.count(table, "at-most", AT_MOST_MAX).unwrap_or(0) as usize;
    let within = reader.duration(table, "within");
    Box::new(Absence { at_most, within })
}

impl Template for Absence {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Recent { at_most: self.at_most, within: self.within, newest: VecDeque::new() })
    }

    fn is_kept_by_silence(&self) -> bool {
        true
    }
}

struct Recent {
    at_most: usize,
    within: Option<u64>,
    /// The newest `at_most + 1`: enough to tell.
    newest: VecDeque<EventRef>,
}

impl Progress for Recent {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        self.newest.push_back(hit.event);
        if self.newest.len() <= self.at_most {
            return;
        }
        let oldest = self.newest.front().map_or(hit.event, |oldest| *oldest);
        let took = elapsed(oldest.time, hit.event.time);
        if self.within.is_none_or(|within| took <= within) {
            let why = match (self.at_most, self.within) {
                (0, _) => "it happened".to_owned(),
                (most, Some(_)) => format!("{} times within {}, at most {most} allowed", most + 1, duration(took)),
                (most, None) => format!("more than {most} times"),
            };
            let events: Vec<_> = self.newest.iter().map(|event| ("never", *event)).collect();
            found.broken(why, &events);
        }
        self.newest.pop_front();
    }

    fn is_activated(&self) -> bool {
        true
    }
}
