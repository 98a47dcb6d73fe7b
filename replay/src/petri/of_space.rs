//! The reachable states of a net as a Petri net: a place for each, a transition for each step, and one token in all.
//!
//! It says exactly what the kernel allows, whatever joins and cancellations the net has, to readers that know only places and
//! transitions; and it is as large as the net has states.

use actum_kernel::explore::{Ending as CaseEnding, Space};
use actum_net::Net;
use rustc_hash::FxHashSet;

use super::{Ending, PLACES_MAX, PetriNet, Place, TRANSITIONS_MAX, Transition};

/// Why a net's states are no Petri net.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the net {net} has more states than were visited ({states})")]
pub struct SpaceLimit {
    /// The net's name.
    pub net: String,
    /// States that were visited.
    pub states: usize,
}

/// Makes a Petri net of the states that were visited. States in which a case has completed are one place.
///
/// # Errors
/// [`SpaceLimit`]: the space is not complete, or too large.
pub fn of_space(net: &Net, space: &Space) -> Result<PetriNet, SpaceLimit> {
    let limit = || SpaceLimit { net: net.name.clone(), states: space.states() };
    if !space.is_complete() || space.states() > PLACES_MAX {
        return Err(limit());
    }
    let mut made = PetriNet { name: net.name.clone(), ..PetriNet::default() };
    let mut places: Vec<u32> = Vec::with_capacity(space.states());
    let mut done = None;
    for state in 0..space.states() as u32 {
        let is_done = space.ending(state) == Some(CaseEnding::Done);
        let place = match done.filter(|_| is_done) {
            Some(place) => place,
            None => add(&mut made, if is_done { "completed".to_owned() } else { format!("state {state}") }),
        };
        if is_done {
            done = Some(place);
        }
        places.push(place);
    }
    if let Some(first) = made.places.first_mut() {
        first.initial = 1;
    }
    // Nothing completes: no marking is final.
    let done = done.unwrap_or_else(|| add(&mut made, "completed".to_owned()));
    made.ending = Ending::Exactly(vec![(done, 1)]);
    let mut seen: FxHashSet<(u32, u32, String)> = FxHashSet::default();
    for state in 0..space.states() as u32 {
        for step in space.steps_from(state) {
            let mut at = places[state as usize];
            let target = places[step.target as usize];
            let labels: Vec<String> = step.done.iter().map(|task| net.task_label(*task)).collect();
            if made.transitions.len() > TRANSITIONS_MAX || made.places.len() > PLACES_MAX {
                return Err(limit());
            }
            if labels.len() < 2 {
                let label = labels.into_iter().next();
                let same = (at, target, label.clone().unwrap_or_default());
                if (at != target || label.is_some()) && seen.insert(same) {
                    made.transitions.push(step_of(at, target, label));
                }
                continue;
            }
            let last = labels.len() - 1;
            for (index, label) in labels.into_iter().enumerate() {
                let to = if index == last { target } else { add(&mut made, format!("within state {state}")) };
                made.transitions.push(step_of(at, to, Some(label)));
                at = to;
            }
        }
    }
    Ok(made)
}

fn add(made: &mut PetriNet, name: String) -> u32 {
    made.places.push(Place { name, initial: 0 });
    made.places.len() as u32 - 1
}

fn step_of(from: u32, to: u32, label: Option<String>) -> Transition {
    Transition {
        name: label.clone().unwrap_or_else(|| "step".to_owned()),
        label,
        consumes: vec![(from, 1)],
        produces: vec![(to, 1)],
        ..Transition::default()
    }
}
