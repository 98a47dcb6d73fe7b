//! Checks traces against a net.

use rustc_hash::{FxHashMap, FxHashSet};

use super::MARKINGS_MAX;
use super::align;
use super::game::{Game, Marking};
use crate::petri::PetriNet;

/// What a trace is to a net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conformance {
    /// It is a run of the net, from its beginning to its end.
    Fits,
    /// It is not.
    Deviates(Deviation),
    /// A limit was met before that was clear.
    Undecided,
}

/// Where a trace first leaves the net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// The first event that no run of the net has after those before it, from 0; the number of events if the trace ends where no
    /// run does.
    pub event: usize,
    /// What the net would have allowed instead, in alphabetical order; empty: nothing more.
    pub possible: Vec<String>,
    /// The net's run could have ended there.
    pub could_end: bool,
    /// Events to leave out and activities to put in, at least; `None`: not found within the limit.
    pub cost: Option<u32>,
}

/// How well a trace fits.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceFit {
    /// What it is to the net.
    pub conformance: Conformance,
    /// From 0 (nothing in common) to 1 (fits); `None`: not found within the limits.
    pub fitness: Option<f64>,
}

/// Checks traces against one net. Traces with the same activities share the work.
pub struct Checker<'n> {
    game: Game<'n>,
    /// Activities of the shortest run; `None`: the net has none within the limits.
    shortest: Option<u32>,
    known: FxHashMap<Vec<Option<u32>>, TraceFit>,
    limit: usize,
}

impl std::fmt::Debug for Checker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker").field("net", &self.game.net.name).field("variants", &self.known.len()).finish()
    }
}

impl<'n> Checker<'n> {
    /// Makes a net ready. Searches visit at most `limit` markings for each trace: [`MARKINGS_MAX`] is a fair choice.
    #[must_use]
    pub fn new(net: &'n PetriNet, limit: usize) -> Self {
        let game = Game::new(net);
        let shortest = align::cost(&game, &[], limit);
        Checker { game, shortest, known: FxHashMap::default(), limit: limit.min(MARKINGS_MAX) }
    }

    /// The net has a run from its beginning to its end.
    #[must_use]
    pub fn has_runs(&self) -> bool {
        self.shortest.is_some()
    }

    /// Different sequences of activities that were checked.
    #[must_use]
    pub fn variants(&self) -> usize {
        self.known.len()
    }

    /// Checks a trace: activities in their order.
    pub fn check<T: AsRef<str>>(&mut self, activities: &[T]) -> TraceFit {
        // An activity that the net does not have is `None`: all of these are alike.
        let trace: Vec<Option<u32>> = activities.iter().map(|activity| self.game.of(activity.as_ref())).collect();
        if let Some(known) = self.known.get(&trace) {
            return known.clone();
        }
        let fit = self.judge(&trace);
        self.known.insert(trace, fit.clone());
        fit
    }

    fn judge(&self, trace: &[Option<u32>]) -> TraceFit {
        let mut deviation = match self.play(trace) {
            Conformance::Fits => return TraceFit { conformance: Conformance::Fits, fitness: Some(1.0) },
            Conformance::Undecided => return TraceFit { conformance: Conformance::Undecided, fitness: None },
            Conformance::Deviates(deviation) => deviation,
        };
        deviation.cost = align::cost(&self.game, trace, self.limit);
        let worst = self.shortest.map(|shortest| shortest as usize + trace.len());
        let fitness = deviation.cost.zip(worst).map(|(cost, worst)| 1.0 - f64::from(cost) / worst.max(1) as f64);
        TraceFit { conformance: Conformance::Deviates(deviation), fitness }
    }

    /// Plays along the trace through all markings that it can have led to.
    fn play(&self, trace: &[Option<u32>]) -> Conformance {
        let mut visited = 0;
        let Some(mut markings) = self.closure(vec![self.game.initial()], &mut visited) else {
            return Conformance::Undecided;
        };
        for (event, activity) in trace.iter().enumerate() {
            let mut next: FxHashSet<Marking> = FxHashSet::default();
            for marking in &markings {
                self.game.each_step(marking, |transition, after| {
                    if activity.is_some() && self.game.shows[transition as usize] == *activity {
                        next.insert(after);
                    }
                });
            }
            if next.is_empty() {
                return Conformance::Deviates(self.deviation(event, &markings));
            }
            markings = match self.closure(next.into_iter().collect(), &mut visited) {
                Some(markings) => markings,
                None => return Conformance::Undecided,
            };
        }
        if markings.iter().any(|marking| self.game.is_final(marking)) {
            return Conformance::Fits;
        }
        Conformance::Deviates(self.deviation(trace.len(), &markings))
    }

    /// With the markings that silent transitions lead to.
    fn closure(&self, mut markings: Vec<Marking>, visited: &mut usize) -> Option<Vec<Marking>> {
        let mut seen: FxHashSet<Marking> = markings.iter().cloned().collect();
        let mut at = 0;
        while let Some(marking) = markings.get(at).cloned() {
            at += 1;
            *visited += 1;
            if *visited > self.limit {
                return None;
            }
            self.game.each_step(&marking, |transition, after| {
                if self.game.shows[transition as usize].is_none() && seen.insert(after.clone()) {
                    markings.push(after);
                }
            });
        }
        Some(markings)
    }

    fn deviation(&self, event: usize, markings: &[Marking]) -> Deviation {
        let mut possible: Vec<String> = Vec::new();
        for marking in markings {
            self.game.each_step(marking, |transition, _| {
                possible.extend(
                    self.game.shows[transition as usize].map(|label| self.game.labels[label as usize].to_owned()),
                );
            });
            possible.sort_unstable();
            possible.dedup();
        }
        let could_end = markings.iter().any(|marking| self.game.is_final(marking));
        Deviation { event, possible, could_end, cost: None }
    }
}
