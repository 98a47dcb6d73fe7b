//! The log's own order, nets and the organisation.

use actum_model::{ActorSet, Directory, OrganisationEvent, SystemEvent};

use super::rule::{Judged, Law, must};

/// The organisation can change like this.
pub(super) fn directory(directory: &Directory, event: &SystemEvent) -> Judged {
    let known = |actor| directory.actor(actor).is_some();
    let there = |actor: actum_model::ActorId| {
        must(known(actor), Law::Directory, || format!("the organisation knows no actor {actor}"))
    };
    match event {
        SystemEvent::ActorRegistered { actor, name, .. } => {
            let next = directory.next_id();
            must(*actor == next && actor.0 <= ActorSet::ORDINAL_MAX, Law::Directory, || {
                format!("the next actor is {next}, and {name} is registered as {actor}")
            })?;
            must(directory.id_of(name).is_none(), Law::Directory, || format!("{name} is registered twice"))
        }
        SystemEvent::ActorRolesChanged { actor, .. }
        | SystemEvent::Organisation(
            OrganisationEvent::PositionsChanged { actor, .. }
            | OrganisationEvent::GroupsChanged { actor, .. }
            | OrganisationEvent::CapabilitiesChanged { actor, .. }
            | OrganisationEvent::CalendarAssigned { actor, .. }
            | OrganisationEvent::FiguresChanged { actor, .. }
            | OrganisationEvent::AbsenceAdded { actor, .. }
            | OrganisationEvent::AbsenceRemoved { actor, .. }
            | OrganisationEvent::ActivityChanged { actor, .. }
            | OrganisationEvent::PileChanged { actor: Some(actor), .. },
        ) => there(*actor),
        _ => Ok(()),
    }
}
