//! OR-joins: enabled when no further token can reach an input that has none.
//!
//! Decided by backward coverability on the reset net (Wynn, van der Aalst, ter Hofstede, Edmond: *Achieving a General, Formal
//! and Decidable Approach to the OR-join in Workflow using Reset nets*, 2005): from each target marking "the marked inputs
//! and one more" the minimal markings that can cover it are computed backwards, until one lies within the current marking or
//! nothing new is found. The join itself is left out; other OR-joins count as XOR-joins (optimistic). Demands on what can
//! never be marked from here, however tokens multiply, are dropped first: that alone answers most questions.

mod steps;

use std::collections::VecDeque;

use actum_model::{ConditionIx, Control, FrameId, TaskIx};
use actum_net::Net;
use smallvec::SmallVec;

use super::{TooComplex, weight};
use steps::{Bag, Place, ResetNet, Step, put, tokens};

/// Most comparisons of demands for one question: some tens of milliseconds, for which the whole partition waits.
const STEPS_MAX: usize = 2_000_000;

pub(super) fn more_can_come(
    net: &Net,
    control: &Control,
    frame: FrameId,
    join: TaskIx,
    marked: &[ConditionIx],
) -> Result<bool, TooComplex> {
    let definition = &net.tasks[join.index()];
    if marked.len() == definition.inputs.len() {
        return Ok(false);
    }
    let all = ResetNet::of(net, control, frame, join);
    let reach = reach(&all);
    let mut open: VecDeque<Bag> = VecDeque::new();
    let mut target = Bag::new();
    marked.iter().for_each(|input| put(&mut target, all.condition(*input), weight(definition, *input)));
    for input in definition.inputs.iter().filter(|input| !marked.contains(input)) {
        let place = all.condition(*input);
        if reach[place as usize] {
            let mut target = target.clone();
            put(&mut target, place, weight(definition, *input));
            open.push_back(target);
        }
    }
    if open.is_empty() { Ok(false) } else { search(&all, &reach, open) }
}

/// Whether one of the demands can be met, now or after some steps.
fn search(net: &ResetNet, reach: &[bool], mut open: VecDeque<Bag>) -> Result<bool, TooComplex> {
    let givers = by_place(net, |step| &step.gives);
    let mut seen: Vec<Bag> = Vec::new();
    let mut compared = 0;
    let mut helpers: SmallVec<[u32; 16]> = SmallVec::new();
    while let Some(demand) = open.pop_front() {
        if demand.iter().all(|(place, count)| net.tokens[*place as usize] >= *count) {
            return Ok(true);
        }
        compared += 1 + seen.len();
        if compared > STEPS_MAX {
            return Err(TooComplex);
        }
        if seen.iter().any(|smaller| within(smaller, &demand)) {
            continue;
        }
        helpers.clear();
        helpers.extend(demand.iter().flat_map(|(place, _)| givers.of(*place)).copied());
        helpers.sort_unstable();
        helpers.dedup();
        for step in &helpers {
            let earlier = before(&net.steps[*step as usize], &demand);
            open.extend(earlier.filter(|earlier| earlier.iter().all(|(place, _)| reach[*place as usize])));
        }
        seen.retain(|larger| !within(&demand, larger));
        seen.push(demand);
    }
    Ok(false)
}

/// The least that must be there before a step so that `demand` is met after it; `None` if the step does not help.
fn before(step: &Step, demand: &Bag) -> Option<Bag> {
    let mut earlier = step.takes.clone();
    let mut helps = false;
    for (place, count) in demand {
        let given = tokens(&step.gives, *place);
        helps |= given > 0;
        let left = count.saturating_sub(given);
        if left > 0 {
            if step.empties.contains(place) {
                return None;
            }
            put(&mut earlier, *place, left);
        }
    }
    helps.then_some(earlier)
}

/// Which places could ever get a token from here if taking tokens left them where they are: more than can be, never less.
fn reach(net: &ResetNet) -> Vec<bool> {
    let takers = by_place(net, |step| &step.takes);
    let mut needs: Vec<u32> = net.steps.iter().map(|step| step.takes.len() as u32).collect();
    let mut reached = vec![false; net.tokens.len()];
    let mut open: Vec<Place> = (0..net.tokens.len() as Place).filter(|place| net.tokens[*place as usize] > 0).collect();
    open.iter().for_each(|place| reached[*place as usize] = true);
    while let Some(place) = open.pop() {
        for step in takers.of(place) {
            let needs = &mut needs[*step as usize];
            *needs -= 1;
            if *needs == 0 {
                for (given, _) in &net.steps[*step as usize].gives {
                    if !std::mem::replace(&mut reached[*given as usize], true) {
                        open.push(*given);
                    }
                }
            }
        }
    }
    reached
}

/// Every demand of `smaller` is in `larger` too, so whatever meets `larger` also meets `smaller`.
fn within(smaller: &Bag, larger: &Bag) -> bool {
    smaller.len() <= larger.len() && smaller.iter().all(|(place, count)| tokens(larger, *place) >= *count)
}

/// ResetNet by the places that they take from or give to.
struct ByPlace {
    starts: Vec<u32>,
    steps: Vec<u32>,
}

impl ByPlace {
    fn of(&self, place: Place) -> &[u32] {
        let place = place as usize;
        &self.steps[self.starts[place] as usize..self.starts[place + 1] as usize]
    }
}

fn by_place(net: &ResetNet, side: impl Fn(&Step) -> &Bag) -> ByPlace {
    let mut starts = vec![0_u32; net.tokens.len() + 1];
    let places =
        || net.steps.iter().enumerate().flat_map(|(index, step)| side(step).iter().map(move |one| (index, one.0)));
    places().for_each(|(_, place)| starts[place as usize + 1] += 1);
    for place in 1..starts.len() {
        starts[place] += starts[place - 1];
    }
    let mut next = starts.clone();
    let mut steps = vec![0; starts.last().map_or(0, |last| *last as usize)];
    for (index, place) in places() {
        let slot = &mut next[place as usize];
        steps[*slot as usize] = index as u32;
        *slot += 1;
    }
    ByPlace { starts, steps }
}
