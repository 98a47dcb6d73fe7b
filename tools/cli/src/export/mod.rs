//! Exports for process mining: what `actum-replay` makes, into files.

mod database;
pub(crate) mod feed;
mod net;
mod spool;

use std::io::Write;
use std::path::Path;

use actum_replay::CaseRef;
use actum_replay::export::{Csv, Form, OcelJson, OcelXml, Parts, Wanted, Xes};
use actum_verify::Verdict;

use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log::Target;
use crate::number::counted;

pub(crate) use net::{NetArgs, compiled, graph_of, pnml};

use feed::{Fed, feed};
use spool::Spool;

/// What is to be exported, and where to.
pub(crate) struct Order<'a> {
    pub(crate) wanted: Wanted,
    pub(crate) target: Option<&'a Path>,
    pub(crate) force: bool,
    pub(crate) common: &'a Common,
}

/// What an export wrote.
pub(crate) struct Written {
    /// On what was read, if a log was.
    pub(crate) verdict: Option<Verdict>,
    /// In words, if not the whole log.
    pub(crate) what: Option<String>,
}

impl From<Verdict> for Written {
    fn from(verdict: Verdict) -> Self {
        Written { verdict: Some(verdict), what: None }
    }
}

impl From<Fed> for Written {
    fn from(fed: Fed) -> Self {
        let what = format!("{} of {}", counted(fed.steps, "step"), counted(fed.cases, "case"));
        Written { verdict: Some(fed.verdict), what: Some(what) }
    }
}

/// Nothing was found of a case that was asked for.
pub(crate) fn no_case(data: &Path, case: &CaseRef) -> Failure {
    let advice = "see `actum log` for the cases there are";
    Failure::new(Exit::NotFound, format!("{}: there is no case {case}; {advice}", data.display()))
}

pub(crate) fn xes(order: &Order<'_>) -> Outcome<Written> {
    straight(order, &mut Xes::default())
}

pub(crate) fn csv(order: &Order<'_>) -> Outcome<Written> {
    straight(order, &mut Csv::default())
}

/// OCEL, in the form that the file's name asks for.
pub(crate) fn ocel(order: &Order<'_>) -> Outcome<Written> {
    let extension = order.target.and_then(|path| path.extension()).map(|text| text.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        _ if order.target.is_none_or(|path| path == Path::new("-")) => ocel_json(order),
        Some("json" | "jsonocel") => ocel_json(order),
        Some("xml" | "xmlocel") => ocel_xml(order),
        Some("sqlite" | "sqlite3" | "db") => database::write(order),
        _ => {
            let sentence = "OCEL is JSON, XML or SQLite: name the file .json, .xml or .sqlite";
            Err(Failure::new(Exit::Usage, sentence))
        }
    }
}

/// A form whose text goes to the file as it grows.
fn straight(order: &Order<'_>, form: &mut dyn Form) -> Outcome<Written> {
    let mut target = Target::open(order.target, order.force)?;
    let fed = feed(&order.wanted, order.common, form, &mut |parts| write_out(&mut target, &mut parts.events))?;
    target.keep()?;
    Ok(fed.into())
}

fn ocel_json(order: &Order<'_>) -> Outcome<Written> {
    let mut target = Target::open(order.target, order.force)?;
    let mut objects = Spool::new()?;
    let mut form = OcelJson::default();
    let fed = feed(&order.wanted, order.common, &mut form, &mut |parts| {
        objects.write(&mut parts.objects)?;
        write_out(&mut target, &mut parts.events)
    })?;
    write_out(&mut target, &mut OcelJson::JOINT.to_owned())?;
    objects.pour(&mut target)?;
    write_out(&mut target, &mut form.types())?;
    target.keep()?;
    Ok(fed.into())
}

fn ocel_xml(order: &Order<'_>) -> Outcome<Written> {
    let mut target = Target::open(order.target, order.force)?;
    let (mut events, mut objects) = (Spool::new()?, Spool::new()?);
    let mut form = OcelXml::default();
    let fed = feed(&order.wanted, order.common, &mut form, &mut |parts: &mut Parts| {
        objects.write(&mut parts.objects)?;
        events.write(&mut parts.events)
    })?;
    write_out(&mut target, &mut form.types())?;
    objects.pour(&mut target)?;
    write_out(&mut target, &mut OcelXml::JOINT.to_owned())?;
    events.pour(&mut target)?;
    write_out(&mut target, &mut OcelXml::END.to_owned())?;
    target.keep()?;
    Ok(fed.into())
}

fn write_out(target: &mut Target, text: &mut String) -> Outcome<()> {
    target.write_all(text.as_bytes()).map_err(|error| target.failure(&error))?;
    text.clear();
    Ok(())
}
