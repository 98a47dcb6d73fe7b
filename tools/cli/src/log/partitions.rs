//! Logs of several partitions, where only one can be looked at: a part of the truth is not shown as all of it.

use crate::failure::{Exit, Failure, Outcome};

/// Refuses a log of several partitions; `what` is what cannot be done with one.
pub(crate) fn only_one(place: &str, partitions: u16, what: &str) -> Outcome<()> {
    if partitions <= 1 {
        return Ok(());
    }
    let sentence = format!(
        "{place} has {partitions} partitions, and {what} is not possible with several; `actum verify`, `actum log`, \
         `actum doctor` and `actum export --format log` or `jsonl` take all of them"
    );
    Err(Failure::new(Exit::Usage, sentence))
}
