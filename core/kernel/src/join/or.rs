//! OR-joins: enabled when no further token can reach an input that has none.
//!
//! Decided by backward coverability (Wynn, van der Aalst, ter Hofstede, Edmond: *Achieving a General, Formal and Decidable
//! Approach to the OR-join in Workflow using Reset nets*, 2005): from each target marking "the marked inputs and one more"
//! the minimal markings that can cover it are computed backwards, until one lies within the current marking or nothing
//! new is found. The join itself is left out; other OR-joins count as XOR-joins (optimistic). Demands on what can never be
//! marked from here, however tokens multiply, are dropped first: that alone answers most questions.

use std::collections::VecDeque;

use actum_model::{ConditionIx, Control, TaskIx};
use actum_net::{Join, Net, Split};
use smallvec::SmallVec;

use super::TooComplex;

/// Most comparisons of demands for one question: some tens of milliseconds, for which the whole partition waits.
const STEPS_MAX: usize = 2_000_000;

/// A place of the underlying Petri net: a condition, or "this task is busy".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Place {
    Condition(ConditionIx),
    Busy(TaskIx),
}

/// Tokens that are asked for, sorted by place, without zeros.
type Demand = SmallVec<[(Place, u32); 4]>;

pub(super) fn more_can_come(
    net: &Net,
    control: &Control,
    join: TaskIx,
    marked: &[ConditionIx],
) -> Result<bool, TooComplex> {
    let inputs = &net.tasks[join.index()].inputs;
    let within_reach = within_reach(net, control, join);
    let mut seen: Vec<Demand> = Vec::new();
    let mut open: VecDeque<Demand> = VecDeque::new();
    for input in inputs.iter().filter(|input| !marked.contains(input) && within_reach[input.index()]) {
        let mut target: Demand = marked.iter().map(|condition| (Place::Condition(*condition), 1)).collect();
        add(&mut target, Place::Condition(*input));
        open.push_back(target);
    }
    let mut steps = 0;
    while let Some(demand) = open.pop_front() {
        if met(control, &demand) {
            return Ok(true);
        }
        steps += 1 + seen.len();
        if steps > STEPS_MAX {
            return Err(TooComplex);
        }
        if seen.iter().any(|smaller| within(smaller, &demand)) {
            continue;
        }
        for task in producers(net, &demand) {
            if task != join {
                before(net, task, &demand, |earlier| {
                    if earlier.iter().all(|(place, count)| may_be_met(control, &within_reach, *place, *count)) {
                        open.push_back(earlier);
                    }
                });
            }
        }
        seen.retain(|larger| !within(&demand, larger));
        seen.push(demand);
    }
    Ok(false)
}

/// Which conditions could ever get a token from here if taking tokens left them where they are: more than can be, never less.
fn within_reach(net: &Net, control: &Control, join: TaskIx) -> Vec<bool> {
    let mut reached = vec![false; net.conditions.len()];
    let mut fires: Vec<bool> = (0..net.tasks.len()).map(|task| is_busy(control, TaskIx::of(task))).collect();
    let mut open: Vec<ConditionIx> = control.marking.iter().map(|(condition, _)| condition).collect();
    for (task, definition) in net.tasks.iter().enumerate() {
        if fires[task] {
            open.extend(definition.outputs.iter().map(|flow| flow.to));
        }
    }
    while let Some(condition) = open.pop() {
        if std::mem::replace(&mut reached[condition.index()], true) {
            continue;
        }
        for task in &net.conditions[condition.index()].consumers {
            let definition = &net.tasks[task.index()];
            let can = definition.join != Join::And || definition.inputs.iter().all(|input| reached[input.index()]);
            if *task != join && can && !std::mem::replace(&mut fires[task.index()], true) {
                open.extend(definition.outputs.iter().map(|flow| flow.to));
            }
        }
    }
    reached
}

fn is_busy(control: &Control, task: TaskIx) -> bool {
    control.item_of(task).is_some_and(|item| item.phase.holds_tokens())
}

fn may_be_met(control: &Control, within_reach: &[bool], place: Place, count: u32) -> bool {
    match place {
        Place::Condition(condition) => within_reach[condition.index()],
        // Nothing leads back to "busy", so it is met now or never.
        Place::Busy(task) => count <= 1 && is_busy(control, task),
    }
}

fn met(control: &Control, demand: &Demand) -> bool {
    demand.iter().all(|(place, count)| match place {
        Place::Condition(condition) => control.marking.count(*condition) >= *count,
        Place::Busy(task) => *count <= 1 && is_busy(control, *task),
    })
}

/// Every demand of `smaller` is in `larger` too, so whatever meets `larger` also meets `smaller`.
fn within(smaller: &Demand, larger: &Demand) -> bool {
    smaller.iter().all(|(place, count)| larger.iter().any(|(other, more)| other == place && more >= count))
}

fn producers(net: &Net, demand: &Demand) -> SmallVec<[TaskIx; 8]> {
    let mut tasks: SmallVec<[TaskIx; 8]> = demand
        .iter()
        .filter_map(|(place, _)| match place {
            Place::Condition(condition) => Some(&net.conditions[condition.index()].producers),
            Place::Busy(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    tasks.sort_unstable();
    tasks.dedup();
    tasks
}

/// The least that must be there before `task` fires or ends so that `demand` is met afterwards.
fn before(net: &Net, task: TaskIx, demand: &Demand, mut found: impl FnMut(Demand)) {
    let definition = &net.tasks[task.index()];
    let all: SmallVec<[ConditionIx; 4]> = definition.outputs.iter().map(|flow| flow.to).collect();
    // Giving more tokens never covers less: an OR-split is at its best when it takes every flow.
    let ways: SmallVec<[&[ConditionIx]; 4]> = match definition.split {
        Split::Xor => all.chunks(1).collect(),
        _ => std::iter::once(&all[..]).collect(),
    };
    for produced in ways {
        let mut rest = demand.clone();
        let before = rest.len();
        let helped = produced.iter().filter(|condition| remove(&mut rest, Place::Condition(**condition))).count();
        if helped == 0 {
            continue;
        }
        debug_assert!(rest.len() <= before, "removing tokens adds no place");
        let mut busy = rest.clone();
        add(&mut busy, Place::Busy(task));
        found(busy);
        match definition.join {
            Join::And => {
                let mut fired = rest;
                definition.inputs.iter().for_each(|input| add(&mut fired, Place::Condition(*input)));
                found(fired);
            }
            _ => definition.inputs.iter().for_each(|input| {
                let mut fired = rest.clone();
                add(&mut fired, Place::Condition(*input));
                found(fired);
            }),
        }
    }
}

fn add(demand: &mut Demand, place: Place) {
    match demand.binary_search_by_key(&place, |(known, _)| *known) {
        Ok(index) => demand[index].1 += 1,
        Err(index) => demand.insert(index, (place, 1)),
    }
}

fn remove(demand: &mut Demand, place: Place) -> bool {
    let Ok(index) = demand.binary_search_by_key(&place, |(known, _)| *known) else { return false };
    demand[index].1 -= 1;
    if demand[index].1 == 0 {
        demand.remove(index);
    }
    true
}
