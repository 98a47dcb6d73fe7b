//! Traces of our own logs, verified as they are read.

use std::collections::BTreeMap;
use std::path::Path;

use actum_model::CaseId;
use actum_replay::export::{Entry, Wanted};
use indicatif::ProgressBar;

use super::{Given, Trace};
use crate::export::feed::{Told, each};
use crate::failure::Outcome;

/// Gives cases as they end, then those that have not, by number. Memory grows with the open cases.
pub(super) fn traces(
    path: &Path,
    net: &Given,
    bar: &ProgressBar,
    give: &mut dyn FnMut(Trace) -> Outcome<()>,
) -> Outcome<()> {
    let mut open: BTreeMap<CaseId, Vec<String>> = BTreeMap::new();
    let wanted = Wanted { net: net.name.clone(), done_only: true, ..Wanted::default() };
    each(&wanted, path, bar, &mut |told| {
        let Told::Entry(entry) = told else { return Ok(()) };
        match entry {
            Entry::Began(began) => drop(open.insert(began.case, Vec::new())),
            Entry::Step(step) => open.entry(step.case).or_default().push(step.task.to_owned()),
            Entry::Ended(ended) => {
                let activities = open.remove(&ended.case).unwrap_or_default();
                let unfinished = ended.status != "completed";
                give(Trace { name: ended.case.to_string(), activities, unfinished })?;
            }
            Entry::Data(_) => {}
        }
        Ok(())
    })?;
    open.into_iter()
        .try_for_each(|(case, activities)| give(Trace { name: case.to_string(), activities, unfinished: true }))
}
