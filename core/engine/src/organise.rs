//! The partition's part of changing the organisation.

use actum_model::{ActorId, CaseCommand, CaseId, OrganisationEvent, Rejection, SystemEvent, Time, Zone};
use actum_net::Organisation;

use crate::error::CommandError;
use crate::partition::{Partition, Refused, stream};

impl Partition {
    /// Stages as many of the organisation's changes as find room. Returns how many, and how many are left.
    pub(crate) fn organise(&mut self, organisation: &Organisation, now: Time) -> Result<(usize, usize), Refused> {
        let changes = organisation.changes(&self.state.directory);
        let all = changes.len();
        for (staged, change) in changes.into_iter().enumerate() {
            match self.stage_system(stream::DIRECTORY, change, now) {
                Ok(()) => {}
                Err(Refused::NoRoom) if staged > 0 => return Ok((staged, all - staged)),
                Err(refused) => return Err(refused),
            }
        }
        Ok((all, 0))
    }

    /// Stages one change.
    pub(crate) fn change_organisation(&mut self, change: OrganisationEvent, now: Time) -> Result<(), Refused> {
        self.check(&change)?;
        self.stage_system(stream::DIRECTORY, SystemEvent::Organisation(change), now)
    }

    fn check(&self, change: &OrganisationEvent) -> Result<(), CommandError> {
        let actor = match change {
            OrganisationEvent::PositionsChanged { actor, .. }
            | OrganisationEvent::GroupsChanged { actor, .. }
            | OrganisationEvent::CapabilitiesChanged { actor, .. }
            | OrganisationEvent::CalendarAssigned { actor, .. }
            | OrganisationEvent::FiguresChanged { actor, .. }
            | OrganisationEvent::AbsenceAdded { actor, .. }
            | OrganisationEvent::AbsenceRemoved { actor, .. }
            | OrganisationEvent::ActivityChanged { actor, .. } => Some(*actor),
            OrganisationEvent::PileChanged { actor, .. } => *actor,
            _ => None,
        };
        let directory = &self.state.directory;
        if let Some(actor) = actor.filter(|actor| directory.actor(*actor).is_none()) {
            return Err(Rejection::new("actor/unknown", format!("there is no actor {actor}")).into());
        }
        let cannot_be = match change {
            OrganisationEvent::CalendarDefined { zone, .. } if !Zone::named(zone).is_known() => {
                format!("there is no time zone {zone}")
            }
            OrganisationEvent::CalendarDefined { shifts, .. } if !shifts.iter().all(actum_model::Shift::is_valid) => {
                "a shift begins within its day and lasts a day at most".to_owned()
            }
            OrganisationEvent::CalendarAssigned { calendar: Some(name), .. } if directory.calendar(name).is_none() => {
                format!("there is no calendar {name}")
            }
            OrganisationEvent::AbsenceAdded { absence, .. } if absence.from >= absence.until => {
                "an absence ends after it begins".to_owned()
            }
            _ => return Ok(()),
        };
        Err(Rejection::new("directory/change", cannot_be).into())
    }

    /// What a decided command changes beside its case: a pile is the directory's.
    pub(crate) fn stage_pile(
        &mut self,
        case: CaseId,
        actor: ActorId,
        command: &CaseCommand,
        now: Time,
    ) -> Result<(), Refused> {
        let CaseCommand::PileWork { item, on } = command else { return Ok(()) };
        if self.state.seat.is_shared() {
            let message = "piling work is not possible in a log of several partitions";
            return Err(Rejection::new("log/partitions", message).into());
        }
        let found = self.state.cases.get(case).and_then(|case| Some((case.net, case.control.item(*item)?.task)));
        let Some((net, task)) = found else { return Ok(()) };
        let to = on.then_some(actor);
        if self.state.directory.pile_of(net, task) == to {
            return Ok(());
        }
        let change = OrganisationEvent::PileChanged { net, task, actor: to };
        self.stage_system(stream::DIRECTORY, SystemEvent::Organisation(change), now)
    }
}
