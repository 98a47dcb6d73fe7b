//! Optimal alignments: the cheapest way to make a trace into a run of the net.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::game::{Game, Marking};

/// The cost of an optimal alignment: events left out plus activities put in. `None`: not found within `limit` markings.
///
/// Breadth first over (position in the trace, marking) with two kinds of steps: those that cost nothing (an event that the net
/// allows, a silent transition) go to the front of the queue, the others to its back (Dijkstra's order for costs 0 and 1).
/// No events: the shortest run of the net.
pub(super) fn cost(game: &Game<'_>, trace: &[Option<u32>], limit: usize) -> Option<u32> {
    let mut markings = Numbers::default();
    let mut distances: FxHashMap<(u32, u32), u32> = FxHashMap::default();
    let first = (0_u32, markings.number(game.initial()));
    distances.insert(first, 0);
    let mut open = VecDeque::from([(first, 0_u32)]);
    let mut settled = 0;
    while let Some((state, distance)) = open.pop_front() {
        if distances.get(&state).is_some_and(|known| *known < distance) {
            continue;
        }
        let (at, number) = state;
        let marking = markings.list[number as usize].clone();
        let event = trace.get(at as usize);
        if event.is_none() && game.is_final(&marking) {
            return Some(distance);
        }
        settled += 1;
        if settled > limit {
            return None;
        }
        let mut reach = |state: (u32, u32), cost: u32| {
            let known = distances.entry(state).or_insert(u32::MAX);
            if distance + cost < *known {
                *known = distance + cost;
                if cost == 0 {
                    open.push_front((state, distance));
                } else {
                    open.push_back((state, distance + cost));
                }
            }
        };
        if event.is_some() {
            reach((at + 1, number), 1);
        }
        game.each_step(&marking, |transition, next| {
            let next = markings.number(next);
            match game.shows[transition as usize] {
                None => reach((at, next), 0),
                Some(shown) => {
                    if event == Some(&Some(shown)) {
                        reach((at + 1, next), 0);
                    }
                    reach((at, next), 1);
                }
            }
        });
    }
    None
}

/// Numbers for markings.
#[derive(Default)]
struct Numbers {
    known: FxHashMap<Marking, u32>,
    list: Vec<Marking>,
}

impl Numbers {
    fn number(&mut self, marking: Marking) -> u32 {
        if let Some(number) = self.known.get(&marking) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(marking.clone());
        self.known.insert(marking, number);
        number
    }
}
