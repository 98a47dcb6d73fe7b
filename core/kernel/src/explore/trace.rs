//! Traces of a space: shortest first, each once.
//!
//! Many ways can show the same words (a choice shows only in what follows), so traces are not ways: prefixes are followed
//! with the set of all states that they can lead to. Only prefixes from which some end is near enough are followed, so the
//! work is that of what is found, however many ways there are.

use std::collections::{HashSet, VecDeque};
use std::fmt;

use super::space::{Ending, Space};

/// How a trace ends.
pub type Outcome = Ending;

impl fmt::Display for Ending {
    /// The stable word: `done`, `stuck`, `cancelled` or `failed`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ending::Done => "done",
            Ending::Stuck => "stuck",
            Ending::Cancelled => "cancelled",
            Ending::Failed => "failed",
        })
    }
}

/// What a case can show from its beginning to where nothing more can happen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trace {
    /// Its words.
    pub words: Vec<String>,
    /// How it ends.
    pub outcome: Outcome,
}

/// The traces that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// In the order of their lengths in steps, then of their words.
    pub list: Vec<Trace>,
    /// There are more than were asked for.
    pub more: bool,
    /// These are all traces that there are: none was left out, and the space is complete.
    pub complete: bool,
}

const FAR: u32 = u32::MAX;

impl Space {
    /// At most `max` of the space's traces.
    #[must_use]
    pub fn traces(&self, max: usize) -> Traces {
        let mut walk = Walk { space: self, distances: distances(self), seen: HashSet::new(), list: Vec::new(), max };
        let mut bound = walk.distances[0];
        let mut more = false;
        while bound != FAR {
            match walk.of_length(bound) {
                Reached::All => break,
                Reached::Longer(next) => bound = next,
                Reached::Enough => {
                    more = true;
                    break;
                }
            }
        }
        Traces { list: walk.list, more, complete: !more && self.is_complete() }
    }
}

/// How far a space goes along with some words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// So many of the words are the beginning of some trace, or of what leads on without end.
    pub words: usize,
    /// The ways in which a case can have ended right after all of the words.
    pub endings: Vec<Ending>,
}

impl Space {
    /// How far the words go that somebody saw, for instance in a log.
    #[must_use]
    pub fn follow(&self, words: &[String]) -> Followed {
        let mut reached: Vec<Vec<u32>> = vec![Vec::new(); words.len() + 1];
        reached[0].push(0);
        let (mut far, mut at) = (0, 0);
        while at <= words.len() {
            let mut next = 0;
            while let Some(state) = reached[at].get(next).copied() {
                next += 1;
                for (label, target) in self.steps_of(state) {
                    let shown = self.label(*label);
                    let same = shown.iter().zip(&words[at..]).take_while(|(shown, word)| shown == word).count();
                    far = far.max(at + same);
                    if same == shown.len() && !reached[at + same].contains(target) {
                        reached[at + same].push(*target);
                    }
                }
            }
            at += 1;
        }
        let ends = reached[words.len()].iter().filter_map(|state| self.ending(*state));
        let mut endings: Vec<Ending> = ends.collect();
        endings.sort_unstable();
        endings.dedup();
        Followed { words: far, endings }
    }
}

enum Reached {
    /// No prefix leads on.
    All,
    /// There are longer ones: at least so long.
    Longer(u32),
    /// As many as were asked for, and one more.
    Enough,
}

struct Walk<'s> {
    space: &'s Space,
    /// By state: how many steps that show something lie before the nearest end.
    distances: Vec<u32>,
    seen: HashSet<Trace>,
    list: Vec<Trace>,
    max: usize,
}

/// A prefix, as it is followed.
struct Prefix {
    /// The steps that lead on, by their labels; those not yet followed come last.
    next: Vec<(u32, Vec<u32>)>,
}

impl Walk<'_> {
    /// Finds the traces of exactly `length` steps.
    fn of_length(&mut self, length: u32) -> Reached {
        let mut longer = FAR;
        let mut labels: Vec<u32> = Vec::new();
        let first = self.closure(vec![0]);
        if length == 0 && self.end(&labels, &first) {
            return Reached::Enough;
        }
        let mut path = vec![self.prefix(&first, 0, length, &mut longer)];
        while let Some(prefix) = path.last_mut() {
            let Some((label, states)) = prefix.next.pop() else {
                path.pop();
                labels.pop();
                continue;
            };
            labels.push(label);
            let depth = labels.len() as u32;
            if depth == length && self.end(&labels, &states) {
                return Reached::Enough;
            }
            path.push(self.prefix(&states, depth, length, &mut longer));
        }
        if longer == FAR { Reached::All } else { Reached::Longer(longer) }
    }

    /// Takes down the traces that end here; true if there are too many.
    fn end(&mut self, labels: &[u32], states: &[u32]) -> bool {
        let mut endings: Vec<Ending> = states.iter().filter_map(|state| self.space.ending(*state)).collect();
        endings.sort_unstable();
        endings.dedup();
        for outcome in endings {
            let words = labels.iter().flat_map(|label| self.space.label(*label)).cloned().collect();
            let trace = Trace { words, outcome };
            if self.seen.contains(&trace) {
                continue;
            }
            if self.list.len() == self.max {
                return true;
            }
            self.seen.insert(trace.clone());
            self.list.push(trace);
        }
        false
    }

    /// What leads on from a set of states and can end within `length` steps in all. `longer`: the least that is beyond.
    fn prefix(&self, states: &[u32], depth: u32, length: u32, longer: &mut u32) -> Prefix {
        let mut steps: Vec<(u32, u32)> = states
            .iter()
            .flat_map(|state| self.space.steps_of(*state))
            .copied()
            .filter(|step| self.shows(*step))
            .collect();
        steps.sort_unstable();
        steps.dedup();
        let mut next: Vec<(u32, Vec<u32>)> = Vec::new();
        for (label, target) in steps {
            match next.last_mut() {
                Some((last, targets)) if *last == label => targets.push(target),
                _ => next.push((label, vec![target])),
            }
        }
        for (_, states) in &mut next {
            *states = self.closure(std::mem::take(states));
        }
        next.retain(|(_, states)| {
            let nearest = states.iter().map(|state| self.distances[*state as usize]).min().unwrap_or(FAR);
            if nearest == FAR {
                return false;
            }
            let least = depth + 1 + nearest;
            if least > length {
                *longer = (*longer).min(least);
            }
            least <= length
        });
        // The last is followed first.
        next.sort_by(|(one, _), (other, _)| self.space.label(*other).cmp(self.space.label(*one)));
        // At the full length nothing is followed, but it must be known that more could be.
        Prefix { next }
    }

    fn shows(&self, (label, _): (u32, u32)) -> bool {
        !self.space.label(label).is_empty()
    }

    /// With the states that steps lead to that show nothing.
    fn closure(&self, mut states: Vec<u32>) -> Vec<u32> {
        let mut at = 0;
        while at < states.len() {
            for step in self.space.steps_of(states[at]) {
                if !self.shows(*step) && !states.contains(&step.1) {
                    states.push(step.1);
                }
            }
            at += 1;
        }
        states.sort_unstable();
        states
    }
}

/// By state: how many steps that show something lie before the nearest end.
fn distances(space: &Space) -> Vec<u32> {
    let count = space.states();
    let mut before: Vec<Vec<(u32, bool)>> = vec![Vec::new(); count];
    for state in 0..count as u32 {
        for (label, target) in space.steps_of(state) {
            before[*target as usize].push((state, !space.label(*label).is_empty()));
        }
    }
    let mut distances = vec![FAR; count];
    let mut open: VecDeque<(u32, u32)> =
        (0..count as u32).filter(|state| space.ending(*state).is_some()).map(|state| (state, 0)).collect();
    while let Some((state, distance)) = open.pop_front() {
        if distances[state as usize] <= distance {
            continue;
        }
        distances[state as usize] = distance;
        for (earlier, shows) in &before[state as usize] {
            if *shows {
                open.push_back((*earlier, distance + 1));
            } else {
                open.push_front((*earlier, distance));
            }
        }
    }
    distances
}
