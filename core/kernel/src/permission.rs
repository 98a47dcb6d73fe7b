//! Who may do which work.

use actum_model::{ActorId, Control, Directory, Phase, Rejection, RoleIx, TaskIx, WorkItemState};
use actum_net::{Net, Work};

/// The actor may take an offered item.
pub(crate) fn may_take(
    net: &Net,
    control: &Control,
    item: &WorkItemState,
    actor: ActorId,
    directory: &Directory,
) -> Result<(), Rejection> {
    has_role(net, item, actor, directory)?;
    if !item.offered_to.is_empty() && !item.offered_to.contains(&actor) {
        let message = format!("item {} was offered to others, not to {}", item.id, directory.name(actor));
        return Err(Rejection::new("work/not-offered", message));
    }
    separated(net, control, item, actor, directory)
}

/// The actor has the role that the item was offered to.
pub(crate) fn has_role(
    net: &Net,
    item: &WorkItemState,
    actor: ActorId,
    directory: &Directory,
) -> Result<(), Rejection> {
    let Some(role) = item.role.or(role_of(net, item.task)) else {
        return Err(Rejection::new("work/automatic", format!("item {} is not work for people", item.id)));
    };
    let role = &net.roles[role.index()].name;
    if directory.has_role(actor, role) {
        return Ok(());
    }
    let message = format!("item {} is for the role {role}, which {} does not have", item.id, directory.name(actor));
    Err(Rejection::new("work/role", message))
}

/// Separation of duties: nobody does two tasks that one of them keeps apart, finished, under way or to be tried again.
pub(crate) fn separated(
    net: &Net,
    control: &Control,
    item: &WorkItemState,
    actor: ActorId,
    directory: &Directory,
) -> Result<(), Rejection> {
    let has = |other: &WorkItemState| {
        other.id != item.id
            && other.resource == Some(actor)
            && matches!(other.phase, Phase::Allocated | Phase::Started | Phase::Failed)
    };
    let did = control.performers.iter().filter(|(_, who)| *who == actor).map(|(task, _)| *task);
    let conflict = did
        .chain(control.items.iter().filter(|other| has(other)).map(|other| other.task))
        .find(|other| kept_apart(net, item.task, *other));
    let Some(other) = conflict else { return Ok(()) };
    let (task, other) = (&net.tasks[item.task.index()].name, &net.tasks[other.index()].name);
    let message = format!("{task} must be done by somebody else than {other}, which is {}'s", directory.name(actor));
    Err(Rejection::new("work/separation", message))
}

/// Two tasks that nobody may do both of in one case, because one of them says so.
#[must_use]
pub fn kept_apart(net: &Net, one: TaskIx, other: TaskIx) -> bool {
    let names = |task: TaskIx, other: TaskIx| matches!(&net.tasks[task.index()].work, Work::Manual { separate_from, .. } if separate_from.contains(&other));
    names(one, other) || names(other, one)
}

pub(crate) fn role_of(net: &Net, task: TaskIx) -> Option<RoleIx> {
    match &net.tasks[task.index()].work {
        Work::Manual { role, .. } => Some(*role),
        _ => None,
    }
}
