//! The past of cases, for the commands that look into it: one verified reading of the log.

use actum_replay::timeline::{Story, stories};
use actum_replay::{CaseRef, Events};
use actum_verify::Trust;

use crate::cli::Common;
use crate::failure::{Failure, Outcome};
use crate::{log, progress};

/// A log was read and verified.
pub(crate) struct Past {
    /// How errors name the log.
    pub(crate) place: String,
    /// One for each case that was asked for.
    pub(crate) stories: Vec<Story>,
}

/// Reads the stories of some cases.
pub(crate) fn of_cases(common: &Common, wanted: &[CaseRef]) -> Outcome<Past> {
    let mut log = log::open(&common.data)?;
    let place = log.place.clone();
    let bar = progress::bar(common.format, "reading", None);
    let (_, stories) = log::read(&mut log, &Trust::self_signed(), &bar, |verified| {
        verified.only_one(&place, "a look into the past of a case")?;
        let mut events = Events::of_records(verified.records());
        stories(&mut events, wanted).map_err(|error| Failure::replay(&place, &error))
    })?;
    Ok(Past { place, stories })
}

/// Reads the story of one case.
pub(crate) fn of_case(common: &Common, wanted: &CaseRef) -> Outcome<(String, Story)> {
    let Past { place, mut stories } = of_cases(common, std::slice::from_ref(wanted))?;
    match stories.pop() {
        Some(story) => Ok((place, story)),
        None => Err(Failure::new(crate::failure::Exit::NotFound, format!("{place}: there is no case {wanted}"))),
    }
}
