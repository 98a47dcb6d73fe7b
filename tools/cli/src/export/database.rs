//! OCEL 2.0 as an SQLite database.
//!
//! Each type has a table of its own with its attributes as columns. Types and attributes are not known before the log was
//! read, so tables and columns are added as they are met; indexes are made at the end, which is faster than keeping them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use actum_model::Time;
use actum_replay::export::{Object, Ocel, OcelEvent, Record, Relation};
use rusqlite::{Connection, ErrorCode, ToSql, params};

use super::feed::{Told, each};
use super::{Order, Written};
use crate::failure::{Exit, Failure, Outcome};
use crate::log::NewFile;
use crate::progress;

/// Tables that do not depend on types. Nothing is kept safe while the file has no name yet.
const BEGIN: &str = "
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA cache_size = -65536;
CREATE TABLE event_map_type (ocel_type TEXT, ocel_type_map TEXT);
CREATE TABLE object_map_type (ocel_type TEXT, ocel_type_map TEXT);
CREATE TABLE event (ocel_id TEXT, ocel_type TEXT);
CREATE TABLE object (ocel_id TEXT, ocel_type TEXT);
CREATE TABLE event_object (ocel_event_id TEXT, ocel_object_id TEXT, ocel_qualifier TEXT);
CREATE TABLE object_object (ocel_source_id TEXT, ocel_target_id TEXT, ocel_qualifier TEXT);
BEGIN;
";
const END: &str = "
CREATE UNIQUE INDEX event_id ON event (ocel_id);
CREATE UNIQUE INDEX object_id ON object (ocel_id);
CREATE INDEX event_object_event ON event_object (ocel_event_id);
CREATE INDEX event_object_object ON event_object (ocel_object_id);
CREATE INDEX object_object_source ON object_object (ocel_source_id);
COMMIT;
";
/// Most attributes of a type: SQLite's own limit on columns is 2,000.
const COLUMNS_MAX: usize = 1_900;
/// Statements that are kept ready.
const STATEMENTS_MAX: usize = 256;

/// Writes the database; it gets its name when it is complete.
pub(super) fn write(order: &Order<'_>) -> Outcome<Written> {
    let path = order.target.unwrap_or(Path::new("-"));
    let file = NewFile::create(path, order.force)?;
    let fail = |error: rusqlite::Error| failure(path, &error);
    let connection = Connection::open(file.part()).map_err(fail)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.execute_batch(BEGIN).map_err(fail)?;
    let mut tables = Tables { connection: &connection, events: BTreeMap::new(), objects: BTreeMap::new() };
    let mut ocel = Ocel::default();
    let bar = progress::bar(order.common.format, "exporting", None);
    let fed = each(&order.wanted, &order.common.data, &bar, &mut |told| {
        let Told::Entry(entry) = told else { return Ok(()) };
        let mut put = Ok(());
        ocel.entry(entry, &mut |record| {
            if put.is_ok() {
                put = tables.put(record);
            }
        });
        put.map_err(fail)
    })?;
    let mut put = Ok(());
    ocel.finish(&mut |record| {
        if put.is_ok() {
            put = tables.put(record);
        }
    });
    put.map_err(fail)?;
    connection.execute_batch(END).map_err(fail)?;
    connection.close().map_err(|(_, error)| fail(error))?;
    file.keep_it()?;
    Ok(fed.into())
}

fn failure(path: &Path, error: &rusqlite::Error) -> Failure {
    let path = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Failure::new(
            Exit::Unavailable,
            format!("{path} cannot be written: the disk is full; make room and run the command again"),
        ),
        _ => Failure::new(Exit::Failure, format!("{path} cannot be written: {error}")),
    }
}

struct Tables<'c> {
    connection: &'c Connection,
    events: BTreeMap<String, Table>,
    objects: BTreeMap<String, Table>,
}

/// The table of a type.
struct Table {
    /// Its name, quoted.
    name: String,
    /// By attribute: its column, quoted.
    columns: BTreeMap<String, String>,
    /// Names that are taken: SQLite does not tell upper case from lower case.
    taken: BTreeSet<String>,
}

type Done<T = ()> = Result<T, rusqlite::Error>;

impl Tables<'_> {
    fn put(&mut self, record: &Record<'_>) -> Done {
        match record {
            Record::Event(event) => self.event(event),
            Record::Object(object) => self.object(object),
        }
    }

    fn event(&mut self, event: &OcelEvent<'_>) -> Done {
        let connection = self.connection;
        let table = table_of(connection, &mut self.events, "event", event.of, "")?;
        connection.prepare_cached("INSERT INTO event VALUES (?1, ?2)")?.execute(params![event.id, event.of])?;
        let attributes: Vec<(&str, &str)> = event.attributes.iter().map(|one| (one.name, one.value)).collect();
        table.insert(connection, event.id, event.time, &attributes, None)?;
        relate(connection, "INSERT INTO event_object VALUES (?1, ?2, ?3)", event.id, event.relations)
    }

    fn object(&mut self, object: &Object<'_>) -> Done {
        let connection = self.connection;
        let table = table_of(connection, &mut self.objects, "object", object.of, ", ocel_changed_field TEXT")?;
        connection.prepare_cached("INSERT INTO object VALUES (?1, ?2)")?.execute(params![object.id, object.of])?;
        let first = |time: Time| time == Time(0);
        let initial = object.attributes.iter().filter(|one| first(one.time)).map(|one| (one.name, one.value));
        table.insert(connection, object.id, Time(0), &initial.collect::<Vec<_>>(), None)?;
        for change in object.attributes.iter().filter(|one| !first(one.time)) {
            let value = [(change.name, change.value)];
            table.insert(connection, object.id, change.time, &value, Some(change.name))?;
        }
        relate(connection, "INSERT INTO object_object VALUES (?1, ?2, ?3)", object.id, object.relations)
    }
}

fn relate(connection: &Connection, insert: &str, from: &str, relations: &[Relation<'_>]) -> Done {
    let mut insert = connection.prepare_cached(insert)?;
    for relation in relations {
        insert.execute(params![from, relation.object, relation.qualifier])?;
    }
    Ok(())
}

/// The table of a type, made when it is first met.
fn table_of<'t>(
    connection: &Connection,
    tables: &'t mut BTreeMap<String, Table>,
    kind: &str,
    of: &str,
    columns: &str,
) -> Done<&'t mut Table> {
    if !tables.contains_key(of) {
        // Letters and digits only, and unique without regard to case.
        let plain: String = of.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        let taken = |name: &str| {
            tables.values().any(|table| table.name.eq_ignore_ascii_case(&quoted(&format!("{kind}_{name}"))))
        };
        let name = if plain.is_empty() || taken(&plain) { format!("{plain}{}", tables.len() + 1) } else { plain };
        let mut table =
            Table { name: quoted(&format!("{kind}_{name}")), columns: BTreeMap::new(), taken: BTreeSet::new() };
        table.taken.extend(["ocel_id", "ocel_time", "ocel_changed_field"].map(str::to_owned));
        connection.execute(&format!("INSERT INTO {kind}_map_type VALUES (?1, ?2)"), params![of, name])?;
        connection.execute(&format!("CREATE TABLE {} (ocel_id TEXT, ocel_time TEXT{columns})", table.name), ())?;
        tables.insert(of.to_owned(), table);
    }
    tables.get_mut(of).ok_or(rusqlite::Error::QueryReturnedNoRows)
}

impl Table {
    fn insert(
        &mut self,
        connection: &Connection,
        id: &str,
        time: Time,
        attributes: &[(&str, &str)],
        changed: Option<&str>,
    ) -> Done {
        let mut columns = String::new();
        let mut places = String::new();
        let time = time_of(time);
        let mut values: Vec<&dyn ToSql> = vec![&id, &time];
        let mut seen: Vec<&str> = Vec::with_capacity(attributes.len());
        for (name, value) in attributes {
            // A first value that comes twice: the last one counts.
            if seen.contains(name) {
                continue;
            }
            seen.push(name);
            let column = self.column(connection, name)?;
            columns += ", ";
            columns += &column;
            places += ", ?";
            values.push(value);
        }
        let changed = changed.map(|name| self.column(connection, name)).transpose()?;
        let changed = changed.map(|column| column.trim_matches('"').replace("\"\"", "\""));
        if let Some(changed) = &changed {
            columns += ", ocel_changed_field";
            places += ", ?";
            values.push(changed);
        }
        let insert = format!("INSERT INTO {} (ocel_id, ocel_time{columns}) VALUES (?, ?{places})", self.name);
        connection.prepare_cached(&insert)?.execute(values.as_slice())?;
        Ok(())
    }

    /// The column of an attribute, made when it is first met.
    fn column(&mut self, connection: &Connection, attribute: &str) -> Done<String> {
        if let Some(column) = self.columns.get(attribute) {
            return Ok(column.clone());
        }
        if self.columns.len() >= COLUMNS_MAX {
            return Err(rusqlite::Error::InvalidParameterName(format!("{attribute} is one attribute too many")));
        }
        let folded = attribute.to_ascii_lowercase();
        let name = if self.taken.contains(&folded) {
            format!("{attribute} {}", self.columns.len() + 1)
        } else {
            attribute.to_owned()
        };
        self.taken.insert(name.to_ascii_lowercase());
        let column = quoted(&name);
        connection.execute(&format!("ALTER TABLE {} ADD COLUMN {column} TEXT", self.name), ())?;
        self.columns.insert(attribute.to_owned(), column.clone());
        Ok(column)
    }
}

/// An identifier of SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}

fn time_of(time: Time) -> String {
    if time == Time(0) { "1970-01-01T00:00:00Z".to_owned() } else { time.to_string() }
}
