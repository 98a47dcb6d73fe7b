//! Who may do which work.

use actum_model::{ActorId, Control, Directory, Phase, Rejection, TaskIx, WorkItemState};
use actum_net::{Net, Operation, Work};

use crate::{
    draft::Draft,
    resource::{self, Purpose},
};

/// The actor may take an offered item.
pub(crate) fn may_take(draft: &Draft<'_>, item: &WorkItemState, actor: ActorId) -> Result<(), Rejection> {
    // Whoever is in no role of it hears that, whoever else it was offered to.
    resource::refusal(draft, item, actor, Purpose::Taken)?;
    if item.offered_to.is_empty() || item.offered_to.contains(&actor) {
        return Ok(());
    }
    let name = draft.context.directory.name(actor);
    Err(Rejection::new("work/not-offered", format!("item {} was offered to others, not to {name}", item.id)))
}

/// The actor may be given an item by somebody else.
pub(crate) fn may_be_given(draft: &Draft<'_>, item: &WorkItemState, actor: ActorId) -> Result<(), Rejection> {
    if draft.context.directory.actor(actor).is_none() {
        return Err(Rejection::new("actor/unknown", format!("there is no actor {actor}")));
    }
    resource::refusal(draft, item, actor, Purpose::Given)
}

/// The net lets who has the item do that with it. The engine may for whoever operates it.
pub(crate) fn may_do(draft: &Draft<'_>, item: &WorkItemState, operation: Operation) -> Result<(), Rejection> {
    let Work::Manual { resourcing, .. } = &draft.net.tasks[item.task.index()].work else {
        return Err(Rejection::new("work/automatic", format!("item {} is not work for people", item.id)));
    };
    if draft.context.actor == ActorId::ENGINE || resourcing.may.contains(operation) {
        return Ok(());
    }
    let (task, operation) = (draft.net.task_label(item.task), operation.name());
    Err(Rejection::new("work/not-allowed", format!("{task} may not be treated so: its `may` has no {operation}")))
}

/// Who asks has the item, or operates the engine, and the net lets it be treated so. Returns whose it is.
pub(crate) fn may_treat(draft: &Draft<'_>, item: &WorkItemState, operation: Operation) -> Result<ActorId, Rejection> {
    may_do(draft, item, operation)?;
    let (directory, actor) = (draft.context.directory, draft.context.actor);
    let Some(owner) = item.resource else {
        return Err(Rejection::new("work/phase", format!("item {} is nobody's: it is {}", item.id, item.phase.name())));
    };
    if actor == ActorId::ENGINE || actor == owner {
        return Ok(owner);
    }
    let (owner, asks) = (directory.name(owner), directory.name(actor));
    Err(Rejection::new("work/not-yours", format!("item {} is {owner}'s, not {asks}'s", item.id)))
}

/// Separation of duties: nobody does two tasks that one of them keeps apart, finished, under way or to be tried again.
pub(crate) fn separated(
    net: &Net,
    control: &Control,
    item: &WorkItemState,
    actor: ActorId,
    directory: &Directory,
) -> Result<(), Rejection> {
    let conflict = conflicts(net, control, item).find(|(who, _)| *who == actor);
    let Some((_, other)) = conflict else { return Ok(()) };
    let (task, other) = (net.task_label(item.task), net.task_label(other));
    let message = format!("{task} must be done by somebody else than {other}, which is {}'s", directory.name(actor));
    Err(Rejection::new("work/separation", message))
}

/// Everybody whom separation of duties keeps from an item, with what they did or have.
pub(crate) fn conflicts<'s>(
    net: &'s Net,
    control: &'s Control,
    item: &'s WorkItemState,
) -> impl Iterator<Item = (ActorId, TaskIx)> + 's {
    let is_held = |other: &&WorkItemState| {
        other.id != item.id
            && matches!(other.phase, Phase::Allocated | Phase::Started | Phase::Failed | Phase::Suspended)
    };
    let having = control.items.iter().filter(is_held).filter_map(|other| Some((other.resource?, other.task)));
    let did = control.performers.iter().map(|(task, actor)| (*actor, *task));
    did.chain(having).filter(|(_, other)| kept_apart(net, item.task, *other))
}

/// Two tasks that nobody may do both of in one case, because one of them says so.
#[must_use]
pub fn kept_apart(net: &Net, one: TaskIx, other: TaskIx) -> bool {
    let names = |task: TaskIx, other: TaskIx| match &net.tasks[task.index()].work {
        Work::Manual { separate_from, resourcing, .. } => {
            separate_from.contains(&other) || resourcing.separate_from.contains(&other)
        }
        _ => false,
    };
    names(one, other) || names(other, one)
}
