//! Feeds a log to a form of export, verifying it on the way.

use std::path::Path;

use actum_replay::Events;
use actum_replay::export::{Entry, Form, Identity, Parts, Selection, Wanted};
use actum_verify::{Trust, Verdict};
use indicatif::ProgressBar;

use super::no_case;
use crate::cli::Common;
use crate::failure::{Exit, Failure, Outcome};
use crate::log;
use crate::progress;

/// Text that is gathered before it is written.
const GATHER_BYTES: usize = 256 << 10;

/// What was fed.
pub(crate) struct Fed {
    pub(crate) verdict: Verdict,
    pub(crate) cases: u64,
    pub(crate) steps: u64,
}

/// Feeds all entries that are wanted; `write` gets the text as it grows, and empties it.
pub(crate) fn feed(
    wanted: &Wanted,
    common: &Common,
    form: &mut dyn Form,
    write: &mut dyn FnMut(&mut Parts) -> Outcome<()>,
) -> Outcome<Fed> {
    let mut parts = Parts::default();
    let bar = progress::bar(common.format, "exporting", None);
    let fed = each(wanted, &common.data, &bar, &mut |told| {
        match told {
            Told::Log(identity) => form.begin(&identity, &mut parts),
            Told::Entry(entry) => form.entry(entry, &mut parts),
            Told::Pause if parts.events.len() + parts.objects.len() < GATHER_BYTES => {}
            Told::Pause => write(&mut parts)?,
        }
        Ok(())
    })?;
    form.finish(&mut parts);
    write(&mut parts)?;
    Ok(fed)
}

/// What a reader of entries is told.
pub(crate) enum Told<'t> {
    /// Whose log it is; first of all.
    Log(Identity),
    /// What an event shows.
    Entry(&'t Entry<'t>),
    /// After each event.
    Pause,
}

/// Tells all entries that are wanted.
pub(crate) fn each(
    wanted: &Wanted,
    data: &Path,
    bar: &ProgressBar,
    tell: &mut dyn FnMut(Told<'_>) -> Outcome<()>,
) -> Outcome<Fed> {
    let mut log = log::open(data)?;
    let place = log.place.clone();
    let mut selection = Selection::new(wanted.clone());
    let (verdict, ()) = log::read(&mut log, &Trust::self_signed(), bar, |verified| {
        verified.only_one(&place, "exporting steps")?;
        let genesis = verified.genesis();
        tell(Told::Log(Identity { log: genesis.log_id, origin: genesis.origin }))?;
        let mut events = Events::of_records(verified.records());
        let mut told = Ok(());
        while let Some(event) = events.next() {
            let event = event.map_err(|error| Failure::replay(&place, &error))?;
            selection.take(&event, events.names(), &mut |entry| {
                if told.is_ok() {
                    told = tell(Told::Entry(entry));
                }
            });
            std::mem::replace(&mut told, Ok(()))?;
            tell(Told::Pause)?;
        }
        selection.finish(events.names(), &mut |entry| {
            if told.is_ok() {
                told = tell(Told::Entry(entry));
            }
        });
        told
    })?;
    if selection.cases() == 0 {
        if let Some(case) = &wanted.case {
            return Err(no_case(data, case));
        }
        if let Some(net) = &wanted.net {
            let sentence = format!("{place}: no case runs a net named {net}; see `actum log` for the nets there are");
            return Err(Failure::new(Exit::NotFound, sentence));
        }
    }
    Ok(Fed { verdict, cases: selection.cases(), steps: selection.steps() })
}
