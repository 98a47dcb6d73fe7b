//! Reads an organisation file.

use std::collections::{BTreeMap, BTreeSet};

use actum_model::{Absence, Actor, Calendar, Day, Directory, Figures, Group, Position, Time, Zone};

use super::hours::hours;
use super::resources::LEVEL_MAX;
use super::table::{Table, entries};
use super::{LANGUAGE_VERSION, Name, number, text, wrong_type};
use crate::diagnostic::Code;
use crate::kind::time_from_text;
use crate::organisation::Organisation;
use crate::source::{Data, Findings, Key, Node};
use crate::suggest::suggestion;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Largest figure: far beyond all wages, and small enough to add.
const FIGURE_MAX: f64 = 1e12;

/// Names that others refer to.
#[derive(Default)]
struct Known {
    /// `None` if the file does not list roles: then any may be named.
    roles: Option<BTreeSet<String>>,
    groups: BTreeSet<String>,
    positions: BTreeSet<String>,
    calendars: BTreeSet<String>,
}

pub(crate) fn read_organisation(root: &Node, findings: &mut Findings<'_>) -> Option<Organisation> {
    let mut table = Table::of(root, "the organisation", findings)?;
    match table.required("actum", findings) {
        Some((_, Node { data: Data::Int(LANGUAGE_VERSION), .. })) | None => {}
        Some((_, node)) => {
            let hint = Some(format!("write `actum: {LANGUAGE_VERSION}`"));
            findings.error(Code::UnknownVersion, node.span, "this version of the language is not known", hint);
        }
    }
    let name = table.required("organisation", findings).and_then(|(_, node)| text(node, findings));
    let mut list = |key, findings: &mut Findings<'_>| {
        let found = table.take(key);
        let named = found.map(|(_, node)| entries(node, findings).unwrap_or_default());
        named.iter().copied().flatten().for_each(|(key, _)| check_name(key, findings));
        named
    };
    let roles = list("roles", findings);
    let groups = list("groups", findings).unwrap_or_default();
    let positions = list("positions", findings).unwrap_or_default();
    let calendars = list("calendars", findings).unwrap_or_default();
    let participants = list("participants", findings).unwrap_or_default();
    table.finish(findings);
    let names = |list: &[(Key, Node)]| list.iter().map(|(key, _)| key.text.clone()).collect::<BTreeSet<_>>();
    let known = Known {
        roles: roles.map(names),
        groups: names(groups),
        positions: names(positions),
        calendars: names(calendars),
    };
    roles.into_iter().flatten().for_each(|(key, node)| role(key, node, findings));
    let organisation = Organisation {
        name: name.unwrap_or_default().text,
        groups: each(groups, |key, node| group(key, node, &known, findings)),
        positions: each(positions, |key, node| position(key, node, &known, findings)),
        calendars: each(calendars, |key, node| calendar(key, node, findings)),
        participants: each(participants, |key, node| participant(key, node, &known, findings)),
    };
    circles(&organisation, groups, positions, findings);
    Some(organisation)
}

fn each<T>(list: &[(Key, Node)], mut read: impl FnMut(&Key, &Node) -> Option<T>) -> BTreeMap<String, T> {
    list.iter().filter_map(|(key, node)| Some((key.text.clone(), read(key, node)?))).collect()
}

fn check_name(key: &Key, findings: &mut Findings<'_>) {
    let fits = !key.text.is_empty() && key.text.len() <= NAME_BYTES_MAX && key.text.trim() == key.text;
    if !fits || key.text.chars().any(char::is_control) {
        let message = format!("a name has 1 to {NAME_BYTES_MAX} bytes, no control characters and no blanks around it");
        findings.error(Code::BadName, key.span, message, None);
    }
}

fn role(key: &Key, node: &Node, findings: &mut Findings<'_>) {
    if let Some(mut table) = Table::of_optional(node, &format!("role `{}`", key.text), findings) {
        table.text("title", findings);
        table.finish(findings);
    }
}

fn group(key: &Key, node: &Node, known: &Known, findings: &mut Findings<'_>) -> Option<Group> {
    let mut table = Table::of_optional(node, &format!("group `{}`", key.text), findings)?;
    table.text("title", findings);
    let parent = reference(&mut table, "parent", "group", &known.groups, findings);
    table.finish(findings);
    Some(Group { parent })
}

fn position(key: &Key, node: &Node, known: &Known, findings: &mut Findings<'_>) -> Option<Position> {
    let mut table = Table::of_optional(node, &format!("position `{}`", key.text), findings)?;
    table.text("title", findings);
    let group = reference(&mut table, "group", "group", &known.groups, findings);
    let reports_to = reference(&mut table, "reports_to", "position", &known.positions, findings);
    table.finish(findings);
    Some(Position { group, reports_to })
}

fn calendar(key: &Key, node: &Node, findings: &mut Findings<'_>) -> Option<Calendar> {
    let mut table = Table::of(node, &format!("calendar `{}`", key.text), findings)?;
    table.text("title", findings);
    let zone = table.required("zone", findings).and_then(|(_, node)| text(node, findings)).map(|name| {
        let zone = Zone::named(&name.text);
        if !zone.is_known() {
            let hint = Some("write a name of the IANA time zone database, such as `Europe/Berlin`".to_owned());
            findings.error(Code::BadValue, name.span, format!("there is no time zone `{}`", name.text), hint);
        }
        zone
    });
    let shifts = table.required("hours", findings).map(|(_, node)| hours(node, findings)).unwrap_or_default();
    let mut closed = Vec::new();
    if let Some((_, node)) = table.take("closed") {
        for name in texts(node, findings) {
            if let Some(day) = Day::parse(&name.text) {
                closed.push(day);
            } else {
                let message = format!("`{}` is not a day such as 2026-12-25", name.text);
                findings.error(Code::BadValue, name.span, message, None);
            }
        }
    }
    closed.sort_unstable();
    closed.dedup();
    table.finish(findings);
    Some(Calendar { zone: zone?, shifts, closed })
}

fn participant(key: &Key, node: &Node, known: &Known, findings: &mut Findings<'_>) -> Option<Actor> {
    if key.text == Directory::ENGINE_NAME {
        let message = format!("`{}` is the name of the engine itself", key.text);
        findings.error(Code::ReservedName, key.span, message, None);
    }
    let mut table = Table::of_optional(node, &format!("participant `{}`", key.text), findings)?;
    table.text("title", findings);
    let mut actor = Actor::new(key.text.clone(), Vec::new());
    actor.roles = references(&mut table, "roles", "role", known.roles.as_ref(), findings);
    actor.positions = references(&mut table, "positions", "position", Some(&known.positions), findings);
    actor.groups = references(&mut table, "groups", "group", Some(&known.groups), findings);
    if let Some((_, node)) = table.take("capabilities") {
        for (name, node) in entries(node, findings).unwrap_or_default() {
            check_name(name, findings);
            let level = number(node, "a level", 0..=LEVEL_MAX, findings);
            actor.capabilities.extend(level.map(|level| (name.text.clone(), level)));
        }
    }
    actor.capabilities.sort_unstable();
    actor.calendar = reference(&mut table, "calendar", "calendar", &known.calendars, findings);
    if let Some((_, node)) = table.take("absences") {
        actor.absences = absences(node, findings);
    }
    let mut figure = |key| table.take(key).and_then(|(_, node)| milli(node, findings)).unwrap_or(0);
    actor.figures = Figures {
        cost_milli: figure("cost"),
        experience_milli: figure("experience"),
        speed_milli: figure("speed"),
        risk_milli: figure("risk"),
    };
    if let Some((_, node)) = table.take("active") {
        actor.active = super::truth(node, findings).unwrap_or(true);
    }
    table.finish(findings);
    Some(actor)
}

/// A number with at most three digits behind the point, in thousandths.
fn milli(node: &Node, findings: &mut Findings<'_>) -> Option<u64> {
    let number = match node.data {
        Data::Int(number) => number as f64,
        Data::Double(number) => number,
        _ => {
            wrong_type(node, "a number", None, findings);
            return None;
        }
    };
    let milli = (number * 1_000.0).round();
    let exact = (milli / 1_000.0 - number).abs() <= number.abs() * f64::EPSILON;
    if !(0.0..=FIGURE_MAX).contains(&number) || !exact {
        let message =
            format!("a figure lies between 0 and {FIGURE_MAX:e} and has at most three digits behind the point");
        findings.error(Code::BadValue, node.span, message, None);
        return None;
    }
    Some(milli as u64)
}

fn absences(node: &Node, findings: &mut Findings<'_>) -> Vec<Absence> {
    let Data::List(items) = &node.data else {
        wrong_type(node, "a list of absences", None, findings);
        return Vec::new();
    };
    let mut absences: Vec<Absence> = items.iter().filter_map(|item| absence(item, findings)).collect();
    absences.sort_by_key(|absence| (absence.from, absence.until));
    absences
}

fn absence(node: &Node, findings: &mut Findings<'_>) -> Option<Absence> {
    let mut table = Table::of(node, "an absence", findings)?;
    let mut time = |key, findings: &mut Findings<'_>| -> Option<Time> {
        let name = table.required(key, findings).and_then(|(_, node)| text(node, findings))?;
        let time = time_from_text(&name.text);
        if time.is_none() {
            let message = format!("`{}` is not a point in time such as 2026-07-01T00:00:00+02:00", name.text);
            findings.error(Code::BadValue, name.span, message, None);
        }
        time
    };
    let (from, until) = (time("from", findings), time("until", findings));
    let reason = table.text("reason", findings).unwrap_or_default();
    table.finish(findings);
    let absence = Absence { from: from?, until: until?, reason };
    if absence.from >= absence.until {
        findings.error(Code::BadValue, node.span, "an absence ends after it begins", None);
        return None;
    }
    Some(absence)
}

/// A list of texts, or one; it may be empty.
fn texts(node: &Node, findings: &mut Findings<'_>) -> Vec<Name> {
    match &node.data {
        Data::List(items) => items.iter().filter_map(|item| text(item, findings)).collect(),
        _ => text(node, findings).into_iter().collect(),
    }
}

fn reference(
    table: &mut Table<'_>,
    key: &'static str,
    what: &str,
    known: &BTreeSet<String>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let name = table.take(key).and_then(|(_, node)| text(node, findings))?;
    resolve(&name, what, Some(known), findings);
    Some(name.text)
}

fn references(
    table: &mut Table<'_>,
    key: &'static str,
    what: &str,
    known: Option<&BTreeSet<String>>,
    findings: &mut Findings<'_>,
) -> Vec<String> {
    let names = table.take(key).map(|(_, node)| texts(node, findings)).unwrap_or_default();
    names.iter().for_each(|name| resolve(name, what, known, findings));
    let mut names: Vec<String> = names.into_iter().map(|name| name.text).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn resolve(name: &Name, what: &str, known: Option<&BTreeSet<String>>, findings: &mut Findings<'_>) {
    let Some(known) = known else { return };
    if !known.contains(&name.text) {
        let hint = suggestion(&name.text, known.iter().map(String::as_str))
            .or_else(|| Some(format!("declare it under `{what}s:`")));
        let code = if what == "role" { Code::UnknownRole } else { Code::UnknownNode };
        findings.error(code, name.span, format!("there is no {what} `{}`", name.text), hint);
    }
}

/// Groups inside themselves, and positions above themselves.
fn circles(read: &Organisation, groups: &[(Key, Node)], positions: &[(Key, Node)], findings: &mut Findings<'_>) {
    let parents = read.groups.iter().filter_map(|(name, group)| Some((name.as_str(), group.parent.as_deref()?)));
    let above =
        read.positions.iter().filter_map(|(name, position)| Some((name.as_str(), position.reports_to.as_deref()?)));
    for (keys, circle, what) in
        [(groups, in_circles(&parents.collect()), "inside"), (positions, in_circles(&above.collect()), "above")]
    {
        for (key, _) in keys.iter().filter(|(key, _)| circle.contains(key.text.as_str())) {
            findings.error(Code::BadValue, key.span, format!("`{}` is {what} itself", key.text), None);
        }
    }
}

/// The names from which going on leads back to them. Each name is walked over once.
fn in_circles(next: &BTreeMap<&str, &str>) -> BTreeSet<String> {
    let mut circle = BTreeSet::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (walk, start) in next.keys().copied().enumerate() {
        let mut at = Some(start);
        while let Some(name) = at.filter(|name| !seen.contains_key(name)) {
            seen.insert(name, walk);
            at = next.get(name).copied();
        }
        // Back on this very walk: from here on it goes round.
        let Some(entry) = at.filter(|name| seen.get(name) == Some(&walk)) else { continue };
        let mut name = entry;
        while circle.insert(name.to_owned()) {
            name = next.get(name).copied().unwrap_or(entry);
        }
    }
    circle
}
