//! One event of every kind that changes the organisation.

use actum_model::{
    Absence, ActorId, Day, Event, Figures, Group, NetHash, OrganisationEvent, Position, Shift, SystemEvent, TaskIx,
    Time,
};

pub(crate) fn samples() -> Vec<Event> {
    let text = |text: &str| text.to_owned();
    let actor = ActorId(7);
    let events = [
        OrganisationEvent::PositionsChanged { actor, positions: vec![text("cashier"), text("treasurer")] },
        OrganisationEvent::GroupsChanged { actor, groups: vec![text("finance")] },
        OrganisationEvent::CapabilitiesChanged { actor, capabilities: vec![(text("welding"), 3)] },
        OrganisationEvent::CalendarAssigned { actor, calendar: Some(text("office")) },
        OrganisationEvent::FiguresChanged {
            actor,
            figures: Figures { cost_milli: 45_500, experience_milli: 3_000, speed_milli: 1_200, risk_milli: 20 },
        },
        OrganisationEvent::AbsenceAdded {
            actor,
            absence: Absence { from: Time(5), until: Time(1_795_000_000_000_000_001), reason: text("leave") },
        },
        OrganisationEvent::AbsenceRemoved { actor, from: Time(5), until: Time(6) },
        OrganisationEvent::ActivityChanged { actor, active: false },
        OrganisationEvent::GroupDefined { name: text("finance"), group: Group { parent: Some(text("head-office")) } },
        OrganisationEvent::PositionDefined {
            name: text("cashier"),
            position: Position { group: Some(text("finance")), reports_to: None },
        },
        OrganisationEvent::CalendarDefined {
            name: text("office"),
            zone: text("Europe/Berlin"),
            shifts: vec![Shift { day: 0, from_minute: 480, until_minute: 1_020 }],
            closed: vec![Day(20_812)],
        },
        OrganisationEvent::PileChanged { net: NetHash([8; 32]), task: TaskIx(3), actor: Some(actor) },
    ];
    events.into_iter().map(|event| Event::System(SystemEvent::Organisation(event))).collect()
}
