//! Payload types of the organisation, schema version 1, and between them and the events. Frozen as `v1.rs` is.
//!
//! Numbers are small where what they count is small: a shift takes 5 bytes, a change of one person's figures 36.

use super::{Encoded, convert::stored, frozen};
use crate::{
    Absence, ActorId, Day, Event, Figures, Group, NetHash, OrganisationEvent, Position, Shift, SystemEvent, TaskIx,
    Time, cbor::CborError,
};

frozen! {
    ActorPositionsChangedV1 { actor: u32, positions: Vec<String> }
    ActorGroupsChangedV1 { actor: u32, groups: Vec<String> }
    CapabilityV1 { name: String, level: u32 }
    ActorCapabilitiesChangedV1 { actor: u32, capabilities: Vec<CapabilityV1> }
    ActorCalendarAssignedV1 { actor: u32, calendar: Option<String> }
    /// Thousandths each.
    ActorFiguresChangedV1 { actor: u32, cost: u64, experience: u64, speed: u64, risk: u64 }
    /// Nanoseconds since 1970.
    ActorAbsenceAddedV1 { actor: u32, from: u64, until: u64, reason: String }
    ActorAbsenceRemovedV1 { actor: u32, from: u64, until: u64 }
    ActorActivityChangedV1 { actor: u32, active: bool }
    GroupDefinedV1 { name: String, parent: Option<String> }
    PositionDefinedV1 { name: String, group: Option<String>, reports_to: Option<String> }
    /// Day of the week from Monday, 0; minutes of that day.
    ShiftV1 { day: u8, from: u16, until: u16 }
    /// Closed days since 1970-01-01.
    CalendarDefinedV1 { name: String, zone: String, shifts: Vec<ShiftV1>, closed: Vec<i32> }
    PileChangedV1 { net: [u8; 32], task: u32, actor: Option<u32> }
}

pub(super) fn encode(event: &OrganisationEvent) -> Encoded {
    match event {
        OrganisationEvent::PositionsChanged { actor, positions } => {
            stored(290, &ActorPositionsChangedV1 { actor: actor.0, positions: positions.clone() })
        }
        OrganisationEvent::GroupsChanged { actor, groups } => {
            stored(291, &ActorGroupsChangedV1 { actor: actor.0, groups: groups.clone() })
        }
        OrganisationEvent::CapabilitiesChanged { actor, capabilities } => {
            let capability = |(name, level): &(String, u32)| CapabilityV1 { name: name.clone(), level: *level };
            let capabilities = capabilities.iter().map(capability).collect();
            stored(292, &ActorCapabilitiesChangedV1 { actor: actor.0, capabilities })
        }
        OrganisationEvent::CalendarAssigned { actor, calendar } => {
            stored(293, &ActorCalendarAssignedV1 { actor: actor.0, calendar: calendar.clone() })
        }
        OrganisationEvent::FiguresChanged { actor, figures } => stored(
            294,
            &ActorFiguresChangedV1 {
                actor: actor.0,
                cost: figures.cost_milli,
                experience: figures.experience_milli,
                speed: figures.speed_milli,
                risk: figures.risk_milli,
            },
        ),
        OrganisationEvent::AbsenceAdded { actor, absence: Absence { from, until, reason } } => {
            stored(295, &ActorAbsenceAddedV1 { actor: actor.0, from: from.0, until: until.0, reason: reason.clone() })
        }
        OrganisationEvent::AbsenceRemoved { actor, from, until } => {
            stored(296, &ActorAbsenceRemovedV1 { actor: actor.0, from: from.0, until: until.0 })
        }
        OrganisationEvent::ActivityChanged { actor, active } => {
            stored(297, &ActorActivityChangedV1 { actor: actor.0, active: *active })
        }
        OrganisationEvent::GroupDefined { name, group } => {
            stored(298, &GroupDefinedV1 { name: name.clone(), parent: group.parent.clone() })
        }
        OrganisationEvent::PositionDefined { name, position: Position { group, reports_to } } => {
            stored(299, &PositionDefinedV1 { name: name.clone(), group: group.clone(), reports_to: reports_to.clone() })
        }
        OrganisationEvent::CalendarDefined { name, zone, shifts, closed } => {
            let shift = |shift: &Shift| ShiftV1 { day: shift.day, from: shift.from_minute, until: shift.until_minute };
            let shifts = shifts.iter().map(shift).collect();
            let closed = closed.iter().map(|day| day.0).collect();
            stored(300, &CalendarDefinedV1 { name: name.clone(), zone: zone.clone(), shifts, closed })
        }
        OrganisationEvent::PileChanged { net, task, actor } => {
            stored(301, &PileChangedV1 { net: net.0, task: task.0, actor: actor.map(|actor| actor.0) })
        }
    }
}

macro_rules! into_event {
    ($($stored:ident => |$this:ident| $event:expr;)*) => {
        $(impl $stored {
            pub(super) fn into_event(self) -> Result<Event, CborError> {
                let $this = self;
                Ok(Event::System(SystemEvent::Organisation($event)))
            }
        })*
    };
}

into_event! {
    ActorPositionsChangedV1 => |v| OrganisationEvent::PositionsChanged { actor: ActorId(v.actor), positions: v.positions };
    ActorGroupsChangedV1 => |v| OrganisationEvent::GroupsChanged { actor: ActorId(v.actor), groups: v.groups };
    ActorCapabilitiesChangedV1 => |v| OrganisationEvent::CapabilitiesChanged {
        actor: ActorId(v.actor),
        capabilities: v.capabilities.into_iter().map(|one| (one.name, one.level)).collect(),
    };
    ActorCalendarAssignedV1 => |v| OrganisationEvent::CalendarAssigned { actor: ActorId(v.actor), calendar: v.calendar };
    ActorFiguresChangedV1 => |v| OrganisationEvent::FiguresChanged {
        actor: ActorId(v.actor),
        figures: Figures {
            cost_milli: v.cost,
            experience_milli: v.experience,
            speed_milli: v.speed,
            risk_milli: v.risk,
        },
    };
    ActorAbsenceAddedV1 => |v| OrganisationEvent::AbsenceAdded {
        actor: ActorId(v.actor),
        absence: Absence { from: Time(v.from), until: Time(v.until), reason: v.reason },
    };
    ActorAbsenceRemovedV1 => |v| OrganisationEvent::AbsenceRemoved {
        actor: ActorId(v.actor),
        from: Time(v.from),
        until: Time(v.until),
    };
    ActorActivityChangedV1 => |v| OrganisationEvent::ActivityChanged { actor: ActorId(v.actor), active: v.active };
    GroupDefinedV1 => |v| OrganisationEvent::GroupDefined { name: v.name, group: Group { parent: v.parent } };
    PositionDefinedV1 => |v| OrganisationEvent::PositionDefined {
        name: v.name,
        position: Position { group: v.group, reports_to: v.reports_to },
    };
    CalendarDefinedV1 => |v| OrganisationEvent::CalendarDefined {
        name: v.name,
        zone: v.zone,
        shifts: v
            .shifts
            .into_iter()
            .map(|shift| Shift { day: shift.day, from_minute: shift.from, until_minute: shift.until })
            .collect(),
        closed: v.closed.into_iter().map(Day).collect(),
    };
    PileChangedV1 => |v| OrganisationEvent::PileChanged {
        net: NetHash(v.net),
        task: TaskIx(v.task),
        actor: v.actor.map(ActorId),
    };
}
