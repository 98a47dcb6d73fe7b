//! The token game.

use rustc_hash::FxHashMap;

use crate::petri::{Ending, PetriNet, Transition};

/// Most tokens in a place: a net that piles up more is not followed further.
const TOKENS_MAX: u32 = 1_000;

/// Tokens by place, ascending; places without a token are left out.
pub(super) type Marking = Vec<(u32, u32)>;

/// A net, made ready for playing: its activities are numbered.
pub(super) struct Game<'n> {
    pub(super) net: &'n PetriNet,
    pub(super) labels: Vec<&'n str>,
    numbers: FxHashMap<&'n str, u32>,
    /// By transition: its activity.
    pub(super) shows: Vec<Option<u32>>,
    /// By place: the transitions that take a token from it.
    consumers: Vec<Vec<u32>>,
    /// Transitions that take nothing.
    sources: Vec<u32>,
}

impl<'n> Game<'n> {
    pub(super) fn new(net: &'n PetriNet) -> Self {
        let mut game = Game {
            net,
            labels: Vec::new(),
            numbers: FxHashMap::default(),
            shows: Vec::new(),
            consumers: vec![Vec::new(); net.places.len()],
            sources: Vec::new(),
        };
        for (index, transition) in net.transitions.iter().enumerate() {
            let number = transition.label.as_deref().map(|label| game.number(label));
            game.shows.push(number);
            // One of its places is enough to be found by: all must be marked.
            match transition.consumes.first().and_then(|(place, _)| game.consumers.get_mut(*place as usize)) {
                Some(consumers) => consumers.push(index as u32),
                None => game.sources.push(index as u32),
            }
        }
        game
    }

    fn number(&mut self, label: &'n str) -> u32 {
        let next = self.labels.len() as u32;
        let number = *self.numbers.entry(label).or_insert(next);
        if number == next {
            self.labels.push(label);
        }
        number
    }

    /// The number of an activity, if the net has it.
    pub(super) fn of(&self, activity: &str) -> Option<u32> {
        self.numbers.get(activity).copied()
    }

    pub(super) fn initial(&self) -> Marking {
        let tokens = self.net.places.iter().enumerate().filter(|(_, place)| place.initial > 0);
        tokens.map(|(index, place)| (index as u32, place.initial)).collect()
    }

    /// A run may end here.
    pub(super) fn is_final(&self, marking: &Marking) -> bool {
        match &self.net.ending {
            Ending::Exactly(tokens) => tokens == marking,
            Ending::Marked(places) => places.iter().any(|place| count(marking, *place) > 0),
        }
    }

    /// Everything that can happen: the transition, and the marking after it.
    pub(super) fn each_step(&self, marking: &Marking, mut give: impl FnMut(u32, Marking)) {
        // Where a run ends by a token, nothing comes after it.
        if matches!(self.net.ending, Ending::Marked(_)) && self.is_final(marking) {
            return;
        }
        let fed = marking.iter().flat_map(|(place, _)| &self.consumers[*place as usize]);
        for index in self.sources.iter().chain(fed) {
            let Some(transition) = self.net.transitions.get(*index as usize) else { continue };
            if let Some(next) = fire(transition, marking) {
                give(*index, next);
            }
        }
    }
}

fn count(marking: &Marking, place: u32) -> u32 {
    marking.binary_search_by_key(&place, |(place, _)| *place).map_or(0, |at| marking[at].1)
}

fn fire(transition: &Transition, marking: &Marking) -> Option<Marking> {
    if transition.reads.iter().any(|place| count(marking, *place) == 0) {
        return None;
    }
    let mut next = marking.clone();
    for (place, tokens) in &transition.consumes {
        let at = next.binary_search_by_key(place, |(place, _)| *place).ok()?;
        next[at].1 = next[at].1.checked_sub(*tokens)?;
    }
    next.retain(|(place, tokens)| *tokens > 0 && !transition.resets.contains(place));
    for (place, tokens) in &transition.produces {
        match next.binary_search_by_key(place, |(place, _)| *place) {
            Ok(at) => next[at].1 = next[at].1.saturating_add(*tokens),
            Err(at) => next.insert(at, (*place, *tokens)),
        }
    }
    next.iter().all(|(_, tokens)| *tokens <= TOKENS_MAX).then_some(next)
}
