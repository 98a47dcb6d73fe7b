//! What a case remembers of failed attempts, as bytes.

use super::SnapshotError;
use super::wire::{Reader, ascending, put, put_list, put_option};
use crate::attempts::{Attempts, ItemAttempts};
use crate::{ItemId, TaskIx, Time};

pub(super) fn put_attempts(out: &mut Vec<u8>, Attempts { items, retries }: &Attempts) {
    put_list(out, items, |out, ItemAttempts { item, at, since, dead }| {
        put(out, u64::from(item.0));
        put_option(out, at.as_ref(), |out, at| put(out, at.0));
        put(out, u64::from(*since));
        out.push(u8::from(*dead));
    });
    put_list(out, retries, |out, (task, count)| {
        put(out, u64::from(task.0));
        put(out, u64::from(*count));
    });
}

pub(super) fn attempts(reader: &mut Reader<'_>) -> Result<Attempts, SnapshotError> {
    let items = reader.list(|reader| {
        let (item, at) = (ItemId(reader.small()?), reader.option(|reader| reader.number().map(Time))?);
        Ok(ItemAttempts { item, at, since: reader.small()?, dead: reader.flag()? })
    })?;
    ascending(&items, |one| one.item, "attempts")?;
    let retries = reader.list(|reader| Ok((TaskIx(reader.small()?), reader.small()?)))?;
    ascending(&retries, |(task, _)| *task, "retries")?;
    Ok(Attempts { items, retries })
}
