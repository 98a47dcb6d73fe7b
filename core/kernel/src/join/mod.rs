//! Joins: whether a task may start in a marking, and which tokens it takes.

mod memo;
mod or;
pub(crate) mod partial;

use actum_model::{ConditionIx, Control, FrameId, TaskIx};
use actum_net::{Join, Net, Task};

pub use memo::OrJoins;

/// Looking at an OR-join took more steps than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooComplex;

/// The tokens that `task` would take in a frame, mutexes last and each condition as often as it loses one; `None` when it is
/// not enabled. What it reads must be marked, and stays.
pub(crate) fn take(
    net: &Net,
    control: &Control,
    frame: FrameId,
    task: TaskIx,
    memo: Option<&OrJoins>,
) -> Result<Option<Vec<ConditionIx>>, TooComplex> {
    let definition = &net.tasks[task.index()];
    let marking = &control.marking;
    let is_marked = |condition: &ConditionIx| marking.count(frame, *condition) > 0;
    if definition.compensates || !definition.reads.iter().chain(&definition.holds).all(is_marked) {
        return Ok(None);
    }
    let arrived = |input: &&ConditionIx| marking.count(frame, **input) >= weight(definition, **input);
    let mut inputs = definition.inputs.iter();
    let from: Vec<ConditionIx> = match definition.join {
        Join::And if inputs.all(|input| arrived(&input)) => definition.inputs.clone(),
        Join::Xor => inputs.find(arrived).copied().into_iter().collect(),
        Join::Or => {
            let taken: Vec<ConditionIx> = inputs.filter(arrived).copied().collect();
            if taken.is_empty() || more_can_come(net, control, frame, task, &taken, memo)? { Vec::new() } else { taken }
        }
        Join::Partial { of, .. } if control.arrived(frame, task).is_empty() => {
            let taken: Vec<ConditionIx> = inputs.filter(arrived).copied().collect();
            if taken.len() >= of as usize { taken } else { Vec::new() }
        }
        // A join that this version does not know never fires; `compile` does not let such a net through.
        _ => Vec::new(),
    };
    Ok((!from.is_empty()).then(|| with_weights(definition, from)))
}

/// Tokens that a task takes from one of its inputs.
pub(crate) fn weight(task: &Task, input: ConditionIx) -> u32 {
    task.takes.iter().find(|(of, _)| *of == input).map_or(1, |(_, count)| *count)
}

fn with_weights(task: &Task, from: Vec<ConditionIx>) -> Vec<ConditionIx> {
    if task.takes.is_empty() && task.holds.is_empty() {
        return from;
    }
    let tokens = from.iter().flat_map(|input| std::iter::repeat_n(*input, weight(task, *input) as usize));
    tokens.chain(task.holds.iter().copied()).collect()
}

fn more_can_come(
    net: &Net,
    control: &Control,
    frame: FrameId,
    join: TaskIx,
    marked: &[ConditionIx],
    memo: Option<&OrJoins>,
) -> Result<bool, TooComplex> {
    if marked.len() == net.tasks[join.index()].inputs.len() {
        return Ok(false);
    }
    let answer = || or::more_can_come(net, control, frame, join, marked);
    match memo {
        Some(memo) => memo.ask(net, control, frame, join, answer),
        None => answer(),
    }
}
