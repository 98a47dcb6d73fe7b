//! OR-joins by their definition: a join waits while a token can still reach one of its unmarked inputs without taking those that lie
//! there, whatever else happens before; other OR-joins are seen as if one input were enough for them (optimistic).
//!
//! Looked for forwards, marking by marking. That is exact where the search ends; it shares nothing with how the kernel decides.

use std::collections::{HashSet, VecDeque};

use actum_model::{ConditionIx, FrameId, Phase, TaskIx};
use actum_net::{Join, Net, Split};

use super::tokens::taken_from;
use super::view::View;

/// Markings looked at for one question.
const MARKINGS_MAX: usize = 3_000;

/// Tokens by condition of the net: small nets, few tokens.
type Marking = Vec<u8>;

/// A step of another task: takes, needs, empties, gives.
struct Step {
    takes: Vec<(usize, u8)>,
    needs: Vec<usize>,
    empties: Vec<usize>,
    gives: Vec<usize>,
}

/// Whether a token can still reach an unmarked input of a join whose `marked` inputs are. `None`: that would take too long.
pub(super) fn more_can_come(view: &View<'_>, frame: FrameId, join: TaskIx, marked: &[ConditionIx]) -> Option<bool> {
    let (net, control) = (view.net, view.control());
    let definition = view.task(join);
    if marked.len() == definition.inputs.len() {
        return Some(false);
    }
    let subnet = definition.subnet;
    let tasks = || (0..net.tasks.len()).map(TaskIx::of).filter(|task| net.tasks[task.index()].subnet == subnet);
    // What a partial join swallows, and what an instance or an exception brings, is not modelled here.
    if tasks().any(|task| matches!(net.tasks[task.index()].join, Join::Partial { .. })) {
        return None;
    }
    let mut first: Marking = vec![0; net.conditions.len()];
    for (condition, count) in control.marking.of(frame) {
        first[condition.index()] = u8::try_from(count).ok()?;
    }
    // Work that goes on will give its tokens: a task of its own that needs no more tokens.
    let mut steps: Vec<Step> = tasks().filter(|task| *task != join).flat_map(|task| steps_of(net, task)).collect();
    let running =
        control.items.iter().filter(|item| item.frame == frame && item.instance.is_none() && item.holds_tokens());
    for item in running {
        let passed = control.activation(item.id).is_some_and(|activation| activation.passed);
        if passed || item.phase == Phase::Suspended && item.suspended_from.is_none() {
            continue;
        }
        let place = first.len();
        first.push(1);
        for mut step in steps_of(net, item.task) {
            step.takes = vec![(place, 1)];
            step.needs.clear();
            steps.push(step);
        }
    }
    let wanted: Vec<usize> =
        definition.inputs.iter().filter(|input| !marked.contains(input)).map(|one| one.index()).collect();
    let kept: Vec<(usize, u8)> = marked.iter().map(|one| (one.index(), taken_from(definition, *one) as u8)).collect();
    let wants = |marking: &Marking| {
        wanted.iter().any(|one| marking[*one] >= taken_from(definition, ConditionIx::of(*one)) as u8)
            && kept.iter().all(|(one, count)| marking[*one] >= *count)
    };
    let mut seen: HashSet<Marking> = HashSet::from([first.clone()]);
    let mut open = VecDeque::from([first]);
    while let Some(marking) = open.pop_front() {
        if wants(&marking) {
            return Some(true);
        }
        for step in &steps {
            let Some(next) = step.from(&marking)? else { continue };
            if seen.insert(next.clone()) {
                open.push_back(next);
            }
        }
        if seen.len() > MARKINGS_MAX {
            return None;
        }
    }
    Some(false)
}

impl Step {
    /// The marking after it; none where it is not possible. Nothing at all when there are more tokens than are counted.
    #[expect(clippy::option_option, reason = "not possible, and too much to count, are different answers")]
    fn from(&self, marking: &Marking) -> Option<Option<Marking>> {
        let possible = self.takes.iter().all(|(place, count)| marking[*place] >= *count)
            && self.needs.iter().all(|place| marking[*place] > 0);
        if !possible {
            return Some(None);
        }
        let mut next = marking.clone();
        self.takes.iter().for_each(|(place, count)| next[*place] -= count);
        self.empties.iter().for_each(|place| next[*place] = 0);
        for place in &self.gives {
            next[*place] = next[*place].checked_add(1)?;
        }
        Some(Some(next))
    }
}

/// Every way in which a task can fire and complete.
fn steps_of(net: &Net, task: TaskIx) -> Vec<Step> {
    let definition = &net.tasks[task.index()];
    if definition.compensates {
        return Vec::new();
    }
    let take = |input: &ConditionIx| (input.index(), taken_from(definition, *input) as u8);
    let ways_in: Vec<Vec<(usize, u8)>> = match definition.join {
        Join::And => vec![definition.inputs.iter().map(take).collect()],
        _ => definition.inputs.iter().map(|input| vec![take(input)]).collect(),
    };
    let flows: Vec<Vec<usize>> =
        definition.outputs.iter().map(|flow| vec![flow.to.index(); flow.tokens as usize]).collect();
    let ways_out: Vec<Vec<usize>> = match definition.split {
        Split::And => vec![flows.concat()],
        Split::Xor => flows,
        // All that an OR-split (or one this version does not know) may give, one flow at a time, or all: more tokens reach no more places than all of them do.
        _ => flows.iter().cloned().chain([flows.concat()]).collect(),
    };
    let mut empties: Vec<usize> = definition.cancels.conditions.iter().map(|one| one.index()).collect();
    empties.sort_unstable();
    let mut steps = Vec::new();
    for takes in &ways_in {
        for gives in &ways_out {
            let mut takes = takes.clone();
            takes.extend(definition.holds.iter().map(|one| (one.index(), 1)));
            let mut gives = gives.clone();
            gives.extend(definition.releases.iter().map(|one| one.index()));
            let needs = definition.reads.iter().map(|one| one.index()).collect();
            steps.push(Step { takes, needs, empties: empties.clone(), gives });
        }
    }
    steps
}
