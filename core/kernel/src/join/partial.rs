//! Partial joins after they fired: what happens to tokens that come late, and when the join is as new.

use actum_model::{CaseEvent, ConditionIx, FrameId, TaskIx};
use actum_net::{Join, Net, Rest};
use smallvec::SmallVec;

use super::weight;
use crate::draft::Draft;

/// What a partial join remembers when it fires with some of its inputs; `None` if it is as new at once.
pub(crate) fn fired(net: &Net, frame: FrameId, task: TaskIx, consumed: &[ConditionIx]) -> Option<CaseEvent> {
    let definition = &net.tasks[task.index()];
    let Join::Partial { rest: Rest::Absorb | Rest::Block, .. } = definition.join else { return None };
    let arrived: Vec<ConditionIx> =
        definition.inputs.iter().filter(|input| consumed.contains(input)).copied().collect();
    (arrived.len() < definition.inputs.len()).then(|| CaseEvent::JoinAdvanced {
        frame,
        task,
        absorbed: Vec::new(),
        arrived,
    })
}

/// Swallows what came since a partial join fired. It is as new when all its inputs have arrived; what lies there beyond that
/// is for its next firing.
pub(crate) fn advance(draft: &mut Draft<'_>, frame: FrameId, task: TaskIx, cause: usize) {
    let definition = &draft.net.tasks[task.index()];
    let Join::Partial { rest, .. } = definition.join else { return };
    let mut arrived: SmallVec<[ConditionIx; 8]> = draft.control.arrived(frame, task).iter().copied().collect();
    if arrived.is_empty() {
        return;
    }
    let mut absorbed = Vec::new();
    let mut swallow = |input: ConditionIx, times: u32| {
        let tokens = times * weight(definition, input);
        absorbed.extend(std::iter::repeat_n(input, tokens as usize));
    };
    let times = |input: ConditionIx| draft.control.marking.count(frame, input) / weight(definition, input);
    if rest == Rest::Absorb {
        arrived.iter().for_each(|input| swallow(*input, times(*input)));
    }
    for input in &definition.inputs {
        if !arrived.contains(input) && times(*input) > 0 {
            arrived.push(*input);
            // Until the reset, the others on it are late too.
            let is_last = arrived.len() == definition.inputs.len();
            swallow(*input, if rest == Rest::Absorb && !is_last { times(*input) } else { 1 });
        }
    }
    if absorbed.is_empty() {
        return;
    }
    if arrived.len() == definition.inputs.len() {
        arrived.clear();
    }
    arrived.sort_unstable();
    draft.follow(cause, CaseEvent::JoinAdvanced { frame, task, absorbed, arrived: arrived.into_vec() });
}
