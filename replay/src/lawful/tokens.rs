//! The token game: which tokens a task may take, by the definitions of the joins.

use actum_model::{ConditionIx, FrameId, TaskIx};
use actum_net::{Join, Task};

use super::or_join;
use super::rule::{Broken, Judged, Law, must};
use super::view::View;

/// Whether a task can fire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Can {
    /// With these tokens, each as often as it is taken, sorted.
    Fire(Vec<ConditionIx>),
    Not,
    /// Looking at its OR-join would take too long.
    Unknown,
}

/// Whether a task can fire in a frame now, and what it takes.
pub(super) fn can_fire(view: &View<'_>, frame: FrameId, task: TaskIx) -> Can {
    let definition = view.task(task);
    let marking = &view.control().marking;
    let needed = definition.reads.iter().chain(&definition.holds);
    if definition.compensates || needed.clone().any(|condition| marking.count(frame, *condition) == 0) {
        return Can::Not;
    }
    let arrived: Vec<ConditionIx> = definition
        .inputs
        .iter()
        .copied()
        .filter(|input| marking.count(frame, *input) >= taken_from(definition, *input))
        .collect();
    let inputs = match definition.join {
        Join::And if arrived.len() == definition.inputs.len() => arrived,
        Join::Xor if !arrived.is_empty() => vec![arrived[0]],
        Join::Or if arrived.is_empty() => return Can::Not,
        Join::Or => match or_join::more_can_come(view, frame, task, &arrived) {
            Some(true) => return Can::Not,
            Some(false) => arrived,
            None => return Can::Unknown,
        },
        Join::Partial { of, .. } if arrived.len() >= of as usize && view.control().arrived(frame, task).is_empty() => {
            arrived
        }
        _ => return Can::Not,
    };
    let mut tokens: Vec<ConditionIx> = inputs
        .into_iter()
        .flat_map(|input| std::iter::repeat_n(input, taken_from(definition, input) as usize))
        .chain(definition.holds.iter().copied())
        .collect();
    tokens.sort_unstable();
    Can::Fire(tokens)
}

/// Tokens that a task takes from one of its inputs at once.
pub(super) fn taken_from(task: &Task, input: ConditionIx) -> u32 {
    task.takes.iter().find(|(of, _)| *of == input).map_or(1, |(_, count)| *count)
}

/// A task takes these tokens as it fires. False when that was not looked at.
pub(super) fn fires(view: &View<'_>, frame: FrameId, task: TaskIx, taken: &[ConditionIx]) -> Result<bool, Broken> {
    let mut taken = taken.to_vec();
    taken.sort_unstable();
    match can_fire(view, frame, task) {
        Can::Unknown => Ok(false),
        Can::Fire(tokens) if tokens == taken => Ok(true),
        Can::Fire(tokens) => {
            let (label, right) = (view.net.task_label(task), view.names(&tokens));
            Err(Broken(Law::Tokens, format!("{label} takes {}, where it takes {right}", view.names(&taken))))
        }
        Can::Not => {
            let (label, taken) = (view.net.task_label(task), view.names(&taken));
            Err(Broken(Law::Tokens, format!("{label} cannot fire, so it cannot take {taken}")))
        }
    }
}

/// Tokens are there before they are taken.
pub(super) fn are_there(view: &View<'_>, frame: FrameId, taken: impl Iterator<Item = (ConditionIx, u32)>) -> Judged {
    for (condition, count) in taken {
        let there = view.control().marking.count(frame, condition);
        must(there >= count, Law::Tokens, || {
            let name = &view.net.conditions[condition.index()].name;
            format!("{count} tokens are taken from {name}, which has {there}")
        })?;
    }
    Ok(())
}

/// A list of conditions as pairs with how often each is in it.
pub(super) fn counted(conditions: &[ConditionIx]) -> impl Iterator<Item = (ConditionIx, u32)> {
    let mut sorted = conditions.to_vec();
    sorted.sort_unstable();
    let mut counted: Vec<(ConditionIx, u32)> = Vec::new();
    for condition in sorted {
        match counted.last_mut() {
            Some((last, count)) if *last == condition => *count += 1,
            _ => counted.push((condition, 1)),
        }
    }
    counted.into_iter()
}
