//! Changes of the organisation as JSON.

use actum_model::{ActorId, OrganisationEvent};
use serde_json::{Map, Value as Json, json};

use crate::Names;
use crate::json::Put;

/// Name of the kind of change.
pub(crate) fn kind(event: &OrganisationEvent) -> &'static str {
    match event {
        OrganisationEvent::PositionsChanged { .. } => "ActorPositionsChanged",
        OrganisationEvent::GroupsChanged { .. } => "ActorGroupsChanged",
        OrganisationEvent::CapabilitiesChanged { .. } => "ActorCapabilitiesChanged",
        OrganisationEvent::CalendarAssigned { .. } => "ActorCalendarAssigned",
        OrganisationEvent::FiguresChanged { .. } => "ActorFiguresChanged",
        OrganisationEvent::AbsenceAdded { .. } => "ActorAbsenceAdded",
        OrganisationEvent::AbsenceRemoved { .. } => "ActorAbsenceRemoved",
        OrganisationEvent::ActivityChanged { .. } => "ActorActivityChanged",
        OrganisationEvent::GroupDefined { .. } => "GroupDefined",
        OrganisationEvent::PositionDefined { .. } => "PositionDefined",
        OrganisationEvent::CalendarDefined { .. } => "CalendarDefined",
        OrganisationEvent::PileChanged { .. } => "PileChanged",
        _ => "OrganisationEvent",
    }
}

pub(crate) fn put(keys: &mut Map<String, Json>, event: &OrganisationEvent, names: &Names) {
    let who = |keys: &mut Map<String, Json>, actor: ActorId| {
        keys.put("id", actor.0);
        keys.put("name", names.actor(actor));
    };
    match event {
        OrganisationEvent::PositionsChanged { actor, positions } => {
            who(keys, *actor);
            keys.put("positions", positions.as_slice());
        }
        OrganisationEvent::GroupsChanged { actor, groups } => {
            who(keys, *actor);
            keys.put("groups", groups.as_slice());
        }
        OrganisationEvent::CapabilitiesChanged { actor, capabilities } => {
            who(keys, *actor);
            let levels = capabilities.iter().map(|(name, level)| (name.clone(), json!(level)));
            keys.put("capabilities", Json::Object(levels.collect()));
        }
        OrganisationEvent::CalendarAssigned { actor, calendar } => {
            who(keys, *actor);
            keys.put("calendar", calendar.as_deref());
        }
        OrganisationEvent::FiguresChanged { actor, figures } => {
            who(keys, *actor);
            keys.put("cost_milli", figures.cost_milli);
            keys.put("experience_milli", figures.experience_milli);
            keys.put("speed_milli", figures.speed_milli);
            keys.put("risk_milli", figures.risk_milli);
        }
        OrganisationEvent::AbsenceAdded { actor, absence } => {
            who(keys, *actor);
            keys.put("from", absence.from.to_string());
            keys.put("until", absence.until.to_string());
            keys.put("reason", absence.reason.as_str());
        }
        OrganisationEvent::AbsenceRemoved { actor, from, until } => {
            who(keys, *actor);
            keys.put("from", from.to_string());
            keys.put("until", until.to_string());
        }
        OrganisationEvent::ActivityChanged { actor, active } => {
            who(keys, *actor);
            keys.put("active", *active);
        }
        OrganisationEvent::GroupDefined { name, group } => {
            keys.put("group", name.as_str());
            keys.put("parent", group.parent.as_deref());
        }
        OrganisationEvent::PositionDefined { name, position } => {
            keys.put("position", name.as_str());
            keys.put("group", position.group.as_deref());
            keys.put("reports_to", position.reports_to.as_deref());
        }
        OrganisationEvent::CalendarDefined { name, zone, shifts, closed } => {
            keys.put("calendar", name.as_str());
            keys.put("zone", zone.as_str());
            let shift = |shift: &actum_model::Shift| json!({ "day": shift.day, "from_minute": shift.from_minute, "until_minute": shift.until_minute });
            keys.put("shifts", shifts.iter().map(shift).collect::<Vec<_>>());
            keys.put("closed", closed.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        OrganisationEvent::PileChanged { net, task, actor } => {
            let known = names.net(*net).map(|net| &**net);
            keys.put("net", known.map(|net| net.name.as_str()));
            keys.put("net_hash", net.to_string());
            keys.put("task", crate::names::task(known, *task));
            keys.put("to", actor.map(|actor| names.actor(actor)));
        }
        _ => {}
    }
}
