//! The directory as bytes. Which sets somebody is in follows from the people and is not saved.

use super::SnapshotError;
use super::wire::{Reader, put, put_list, put_option, put_text};
use crate::directory::{Actor, Directory};
use crate::{Absence, ActorId, Calendar, Day, Figures, Group, NetHash, Position, Seq, Shift, TaskIx, Time, Zone};

/// Version of the form; it begins with it. Goes up whenever the form, or what the directory means, changes.
pub const DIRECTORY_SNAPSHOT_VERSION: u64 = 1;

/// Appends the directory's state.
pub fn encode_directory(directory: &Directory, out: &mut Vec<u8>) {
    // Named one by one, so that a new field cannot be forgotten here.
    let Directory { actors, by_name: _, groups, positions, calendars, piles, sets: _, position, version } = directory;
    put(out, DIRECTORY_SNAPSHOT_VERSION);
    put(out, position.0);
    put(out, *version);
    put_list(out, actors, put_actor);
    put(out, groups.len() as u64);
    for (name, Group { parent }) in groups {
        put_text(out, name);
        put_option(out, parent.as_ref(), |out, parent| put_text(out, parent));
    }
    put(out, positions.len() as u64);
    for (name, Position { group, reports_to }) in positions {
        put_text(out, name);
        put_option(out, group.as_ref(), |out, group| put_text(out, group));
        put_option(out, reports_to.as_ref(), |out, above| put_text(out, above));
    }
    put(out, calendars.len() as u64);
    for (name, calendar) in calendars {
        put_text(out, name);
        put_calendar(out, calendar);
    }
    put(out, piles.len() as u64);
    for ((net, task), actor) in piles {
        out.extend_from_slice(&net.0);
        put(out, u64::from(task.0));
        put(out, u64::from(actor.0));
    }
}

/// Reads the directory's state.
///
/// # Errors
/// Anything but what [`encode_directory`] writes, with nothing behind it. Total: any bytes give a directory or an error.
pub fn decode_directory(bytes: &[u8]) -> Result<Directory, SnapshotError> {
    let mut reader = Reader::new(bytes);
    reader.version(DIRECTORY_SNAPSHOT_VERSION)?;
    let (position, version) = (Seq(reader.number()?), reader.number()?);
    let actors = reader.list(actor)?;
    let groups = reader.list(|reader| Ok((text(reader)?, Group { parent: reader.option(text)? })))?;
    let positions = reader.list(|reader| {
        let name = text(reader)?;
        Ok((name, Position { group: reader.option(text)?, reports_to: reader.option(text)? }))
    })?;
    let calendars = reader.list(|reader| Ok((text(reader)?, calendar(reader)?)))?;
    let piles = reader.list(|reader| {
        let task = (NetHash(reader.array()?), TaskIx(reader.small()?));
        Ok((task, ActorId(reader.small()?)))
    })?;
    reader.end()?;
    let mut directory = Directory::of_actors(actors);
    directory.groups = groups.into_iter().collect();
    directory.positions = positions.into_iter().collect();
    directory.calendars = calendars.into_iter().collect();
    directory.piles = piles.into_iter().collect();
    (directory.position, directory.version) = (position, version);
    // Order and repetition are what the maps make of them.
    let mut again = Vec::with_capacity(bytes.len());
    encode_directory(&directory, &mut again);
    if again == bytes { Ok(directory) } else { Err(SnapshotError::NotCanonical("the directory")) }
}

fn put_actor(out: &mut Vec<u8>, actor: &Actor) {
    let Actor { name, roles, positions, groups, capabilities, calendar, absences, figures, active } = actor;
    put_text(out, name);
    out.push(u8::from(*active));
    for names in [roles, positions, groups] {
        put_list(out, names, |out, name| put_text(out, name));
    }
    put_list(out, capabilities, |out, (name, level)| {
        put_text(out, name);
        put(out, u64::from(*level));
    });
    put_option(out, calendar.as_ref(), |out, name| put_text(out, name));
    put_list(out, absences, |out, Absence { from, until, reason }| {
        put(out, from.0);
        put(out, until.0);
        put_text(out, reason);
    });
    let Figures { cost_milli, experience_milli, speed_milli, risk_milli } = figures;
    [cost_milli, experience_milli, speed_milli, risk_milli].into_iter().for_each(|figure| put(out, *figure));
}

fn actor(reader: &mut Reader<'_>) -> Result<Actor, SnapshotError> {
    let name = text(reader)?;
    let active = reader.flag()?;
    let (roles, positions, groups) = (reader.list(text)?, reader.list(text)?, reader.list(text)?);
    let capabilities = reader.list(|reader| Ok((text(reader)?, reader.small()?)))?;
    let calendar = reader.option(text)?;
    let absences = reader.list(|reader| {
        let (from, until) = (Time(reader.number()?), Time(reader.number()?));
        Ok(Absence { from, until, reason: text(reader)? })
    })?;
    let (cost_milli, experience_milli) = (reader.number()?, reader.number()?);
    let figures = Figures { cost_milli, experience_milli, speed_milli: reader.number()?, risk_milli: reader.number()? };
    Ok(Actor { name, roles, positions, groups, capabilities, calendar, absences, figures, active })
}

fn put_calendar(out: &mut Vec<u8>, calendar: &Calendar) {
    let Calendar { zone, shifts, closed } = calendar;
    put_text(out, zone.name());
    put_list(out, shifts, |out, Shift { day, from_minute, until_minute }| {
        out.push(*day);
        put(out, u64::from(*from_minute));
        put(out, u64::from(*until_minute));
    });
    put_list(out, closed, |out, day| out.extend_from_slice(&day.0.to_le_bytes()));
}

fn calendar(reader: &mut Reader<'_>) -> Result<Calendar, SnapshotError> {
    let zone = Zone::named(reader.text()?);
    let shifts = reader.list(|reader| {
        let (day, from_minute) = (reader.byte()?, reader.small()?);
        Ok(Shift { day, from_minute, until_minute: reader.small()? })
    })?;
    let closed = reader.list(|reader| Ok(Day(i32::from_le_bytes(reader.array()?))))?;
    Ok(Calendar { zone, shifts, closed })
}

fn text(reader: &mut Reader<'_>) -> Result<String, SnapshotError> {
    reader.text().map(str::to_owned)
}
