//! The organisation as its file says it, and the events that make a directory say the same.
//!
//! The file is read here, by the same layer that reads nets: it has the same strictness, positions and limits.

use std::collections::BTreeMap;

use actum_model::{
    Absence, Actor, ActorId, Calendar, Directory, Figures, Group, OrganisationEvent, Position, SystemEvent,
};

use crate::diagnostic::Diagnostic;
use crate::read::read_organisation;
use crate::source::{Findings, parse};

/// The JSON Schema (draft 2020-12) of an organisation file, for editors.
pub const ORGANISATION_SCHEMA: &str = include_str!("../organisation.schema.json");

/// What an organisation file says. What it does not name stays as it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Groups by name.
    pub groups: BTreeMap<String, Group>,
    /// Positions by name.
    pub positions: BTreeMap<String, Position>,
    /// Calendars by name.
    pub calendars: BTreeMap<String, Calendar>,
    /// Participants by name; every list is sorted.
    pub participants: BTreeMap<String, Actor>,
}

/// Reads an organisation, in YAML or JSON.
///
/// Takes time and memory linear in the source, which may have at most [`crate::NET_BYTES_MAX`] bytes. A larger organisation
/// is several files: each says what it says of the participants that it names.
///
/// # Errors
/// All findings, in the order of the source.
pub fn organisation(source: &str) -> Result<Organisation, Vec<Diagnostic>> {
    let mut findings = Findings::new(source);
    let read = parse(&mut findings).and_then(|root| read_organisation(&root, &mut findings));
    let failed = findings.has_errors();
    match read {
        Some(read) if !failed => Ok(read),
        _ => Err(findings.into_sorted()),
    }
}

impl Organisation {
    /// The events after which the directory says what the file says: one for each change, none for what is so already.
    /// In the order in which each rests on those before: groups, positions, calendars, then people by name.
    #[must_use]
    pub fn changes(&self, directory: &Directory) -> Vec<SystemEvent> {
        let mut events = Vec::new();
        for (name, group) in &self.groups {
            if directory.group(name) != Some(group) {
                events.push(OrganisationEvent::GroupDefined { name: name.clone(), group: group.clone() }.into());
            }
        }
        for (name, position) in &self.positions {
            if directory.position_named(name) != Some(position) {
                let (name, position) = (name.clone(), position.clone());
                events.push(OrganisationEvent::PositionDefined { name, position }.into());
            }
        }
        for (name, calendar) in &self.calendars {
            if directory.calendar(name) != Some(calendar) {
                let zone = calendar.zone.name().to_owned();
                let (name, shifts, closed) = (name.clone(), calendar.shifts.clone(), calendar.closed.clone());
                events.push(OrganisationEvent::CalendarDefined { name, zone, shifts, closed }.into());
            }
        }
        let mut next = directory.next_id();
        for wanted in self.participants.values() {
            let known = directory.id_of(&wanted.name).and_then(|id| Some((id, directory.actor(id)?.clone())));
            let (actor, known) = known.unwrap_or_else(|| {
                let (actor, name, roles) = (next, wanted.name.clone(), wanted.roles.clone());
                events.push(SystemEvent::ActorRegistered { actor, name: name.clone(), roles: roles.clone() });
                next = ActorId(next.0 + 1);
                (actor, Actor::new(name, roles))
            });
            person(actor, &known, wanted, &mut events);
        }
        events
    }
}

/// What changes of one person.
fn person(actor: ActorId, known: &Actor, wanted: &Actor, events: &mut Vec<SystemEvent>) {
    if known.roles != wanted.roles {
        events.push(SystemEvent::ActorRolesChanged { actor, roles: wanted.roles.clone() });
    }
    let mut push = |event: OrganisationEvent| events.push(event.into());
    if known.positions != wanted.positions {
        push(OrganisationEvent::PositionsChanged { actor, positions: wanted.positions.clone() });
    }
    if known.groups != wanted.groups {
        push(OrganisationEvent::GroupsChanged { actor, groups: wanted.groups.clone() });
    }
    if known.capabilities != wanted.capabilities {
        push(OrganisationEvent::CapabilitiesChanged { actor, capabilities: wanted.capabilities.clone() });
    }
    if known.calendar != wanted.calendar {
        push(OrganisationEvent::CalendarAssigned { actor, calendar: wanted.calendar.clone() });
    }
    if known.figures != wanted.figures {
        let figures: Figures = wanted.figures;
        push(OrganisationEvent::FiguresChanged { actor, figures });
    }
    for Absence { from, until, .. } in known.absences.iter().filter(|absence| !wanted.absences.contains(absence)) {
        push(OrganisationEvent::AbsenceRemoved { actor, from: *from, until: *until });
    }
    for absence in wanted.absences.iter().filter(|absence| !known.absences.contains(absence)) {
        push(OrganisationEvent::AbsenceAdded { actor, absence: absence.clone() });
    }
    if known.active != wanted.active {
        push(OrganisationEvent::ActivityChanged { actor, active: wanted.active });
    }
}
