//! The organisation file of a run.

use std::path::Path;

use actum_net::Organisation;

use super::net_file::{Shown, plain, read_text};
use crate::failure::{Exit, Failure, Outcome};
use crate::number::counted;
use crate::output::complain;

/// Reads the file; its findings are shown on standard error.
pub(super) fn read(path: &Path) -> Outcome<Organisation> {
    let (name, text) = read_text(path)?;
    actum_net::organisation(&text).map_err(|found| {
        let shown: Vec<Shown<'_>> = found.iter().map(Shown::of_diagnostic).collect();
        complain(plain(&name, &shown).trim_end());
        let errors = counted(found.len() as u64, "error");
        Failure::new(Exit::Failure, format!("{name} has {errors}; mend the organisation, nothing was started"))
    })
}
