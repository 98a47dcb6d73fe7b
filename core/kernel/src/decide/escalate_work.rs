//! Give an item to somebody above: above who has it, or above those it was offered to.

use actum_model::{ActorId, ActorSet, AnyWorkItem, CaseEvent, Phase, Rejection, WorkItemState};
use actum_net::{Operation, Work};

use super::{belongs_to, not_signalled, wrong_phase};
use crate::{
    draft::{Cause, Draft},
    permission::{may_do, may_take},
    resource,
};

pub(super) fn decide(draft: &mut Draft<'_>, item: &WorkItemState, reason: &str) -> Result<(), Rejection> {
    may_do(draft, item, Operation::Escalate)?;
    let context = draft.context;
    if context.actor != ActorId::ENGINE {
        match item.resource {
            Some(_) => belongs_to(item, context.actor, context)?,
            None => may_take(draft, item, context.actor)?,
        }
    }
    if matches!(item.phase, Phase::Failed | Phase::Suspended) {
        return Err(wrong_phase(item, "enabled, offered, allocated or started"));
    }
    not_signalled(draft, item)?;
    let above = superiors(draft, item);
    let (decided, chosen) = resource::choose_above(draft, item, &above);
    let Some(chosen) = chosen else {
        let task = draft.net.task_label(item.task);
        return Err(Rejection::new("work/no-superior", format!("nobody is above who could do {task}")));
    };
    let decided = draft.push(context.actor, Cause::Logged(item.event), decided);
    let event =
        CaseEvent::WorkEscalated { item: item.id, task: item.task, to: Some(chosen), reason: reason.to_owned() };
    let escalated = draft.push(context.actor, Cause::Staged(decided), event);
    let given = given_to(item, chosen);
    if let Some(given) = given {
        draft.push(context.actor, Cause::Staged(escalated), given);
    }
    Ok(())
}

/// The engine escalates an item because of a rule. If nobody is above, that is on record. Returns the index of the newest event.
pub(crate) fn escalate(draft: &mut Draft<'_>, item: &WorkItemState, reason: &str, cause: usize) -> usize {
    let is_manual = matches!(draft.net.tasks[item.task.index()].work, Work::Manual { .. });
    let can_move = is_manual && !matches!(item.phase, Phase::Failed | Phase::Suspended);
    let (mut cause, mut chosen) = (cause, None);
    if can_move {
        let above = superiors(draft, item);
        let (decided, found) = resource::choose_above(draft, item, &above);
        cause = draft.follow(cause, decided);
        chosen = found;
    }
    let event = CaseEvent::WorkEscalated { item: item.id, task: item.task, to: chosen, reason: reason.to_owned() };
    let escalated = draft.follow(cause, event);
    let given = chosen.and_then(|chosen| given_to(item, chosen));
    given.map_or(escalated, |given| draft.follow(escalated, given))
}

fn given_to(item: &WorkItemState, chosen: ActorId) -> Option<CaseEvent> {
    Some(match item.typed() {
        AnyWorkItem::Enabled(enabled) => enabled.allocate(chosen).1,
        AnyWorkItem::Offered(offered) => offered.allocate(chosen).1,
        AnyWorkItem::Allocated(allocated) => allocated.delegate(chosen).1,
        AnyWorkItem::Started(started) => started.delegate(chosen).1,
        _ => return None,
    })
}

/// Who is above the one who has the item; if nobody has it, above anybody who may do it.
fn superiors(draft: &Draft<'_>, item: &WorkItemState) -> ActorSet {
    let directory = draft.context.directory;
    let below: ActorSet = match item.resource {
        Some(owner) => ActorSet::from_iter([owner]),
        None if !item.offered_to.is_empty() => item.offered_to.iter().copied().collect(),
        None => resource::able(draft, item.task),
    };
    let mut above = ActorSet::default();
    below.iter().for_each(|actor| above.unite(&directory.superiors(actor)));
    item.resource.iter().for_each(|owner| {
        above.remove(*owner);
    });
    above
}
