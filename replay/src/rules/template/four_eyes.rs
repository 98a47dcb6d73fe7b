//! `four-eyes`: what the patterns in `of` mean is done by different people; with one pattern, each time by somebody else.

use actum_net::Query;
use actum_net::document::Table;
use rustc_hash::FxHashMap;

use super::{Found, Hit, OWED_MAX, Progress, Template};
use crate::rules::read::Reader;
use crate::rules::tracked::EventRef;

#[derive(Debug)]
struct FourEyes {
    who: Option<Query>,
    patterns: usize,
}

pub(super) fn read(table: &mut Table<'_>, reader: &mut Reader<'_, '_>) -> Box<dyn Template> {
    let patterns = reader.pattern_list(table, "of");
    let who = reader.expression(table, "by");
    Box::new(FourEyes { who, patterns })
}

impl Template for FourEyes {
    fn begin(&self, _: &EventRef) -> Box<dyn Progress> {
        Box::new(Hands { patterns: self.patterns, by_whom: FxHashMap::default(), is_activated: false, seen: 0 })
    }

    fn who(&self) -> Option<&Query> {
        self.who.as_ref()
    }

    fn asks_who(&self) -> bool {
        true
    }
}

struct Hands {
    patterns: usize,
    /// Per person the newest event of each pattern.
    by_whom: FxHashMap<Vec<u8>, Vec<(u8, EventRef)>>,
    is_activated: bool,
    /// Patterns that happened.
    seen: u32,
}

impl Progress for Hands {
    fn step(&mut self, hit: &Hit<'_>, found: &mut Found) {
        let Some(who) = hit.who else { return };
        // With one pattern the second event already has to be somebody else's.
        let others = |pattern: usize| self.patterns == 1 || self.seen & !(1 << pattern) != 0;
        self.is_activated |= self.seen != 0 && (0..self.patterns).any(|pattern| hit.is(pattern) && others(pattern));
        self.seen |= hit.patterns;
        if !self.by_whom.contains_key(who) {
            if self.by_whom.len() >= OWED_MAX {
                found.limit = Some("people of one group");
                return;
            }
            self.by_whom.insert(who.to_vec(), Vec::new());
        }
        let Some(own) = self.by_whom.get_mut(who) else { return };
        let clash = own.iter().rev().find(|(pattern, _)| {
            self.patterns == 1 || (0..self.patterns).any(|mine| hit.is(mine) && mine != usize::from(*pattern))
        });
        if let Some((_, earlier)) = clash {
            found.broken("one person did both", &[("first", *earlier), ("second", hit.event)]);
        }
        for pattern in (0..self.patterns).filter(|pattern| hit.is(*pattern)) {
            own.retain(|(known, _)| usize::from(*known) != pattern);
            own.push((pattern as u8, hit.event));
        }
    }

    fn is_activated(&self) -> bool {
        self.is_activated
    }
}
