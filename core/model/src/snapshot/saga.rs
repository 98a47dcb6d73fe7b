//! What a case remembers of deadlines, messages, restarts and undoing, as bytes.

use std::sync::Arc;

use super::SnapshotError;
use super::wire::{Reader, put, put_list, put_option, put_text, put_value};
use crate::{
    Awaited, Change, Compensable, ConditionIx, FrameId, Goal, ItemId, Restarts, Saga, Savepoint, TaskIx, Time, Undoing,
    VariableIx,
};

pub(super) fn put_awaited(out: &mut Vec<u8>, Awaited { item, name, key }: &Awaited) {
    put(out, u64::from(item.0));
    put_text(out, name);
    put_text(out, key);
}

pub(super) fn awaited(reader: &mut Reader<'_>) -> Result<Arc<Awaited>, SnapshotError> {
    let item = ItemId(reader.small()?);
    Ok(Arc::new(Awaited { item, name: reader.text()?.to_owned(), key: reader.text()?.to_owned() }))
}

pub(super) fn put_restarts(out: &mut Vec<u8>, Restarts { frame, task, count }: &Restarts) {
    [frame.0, task.0, *count].into_iter().for_each(|number| put(out, u64::from(number)));
}

pub(super) fn restarts(reader: &mut Reader<'_>) -> Result<Restarts, SnapshotError> {
    Ok(Restarts { frame: FrameId(reader.small()?), task: TaskIx(reader.small()?), count: reader.small()? })
}

pub(super) fn put_deadline(out: &mut Vec<u8>, deadline: Option<&Time>) {
    put_option(out, deadline, |out, at| put(out, at.0));
}

pub(super) fn deadline(reader: &mut Reader<'_>) -> Result<Option<Time>, SnapshotError> {
    reader.option(|reader| reader.number().map(Time))
}

pub(super) fn put_saga(out: &mut Vec<u8>, saga: &Saga) {
    let Saga { done, noted, undoing, savepoints } = saga;
    put_list(out, done, |out, Compensable { item, task, frame, by, number }| {
        [item.0, task.0, frame.0, by.0, *number].into_iter().for_each(|number| put(out, u64::from(number)));
    });
    put(out, u64::from(*noted));
    put_list(out, undoing, |out, Undoing { left, running, goal }| {
        put_list(out, left, |out, item| put(out, u64::from(item.0)));
        put_option(out, running.as_ref(), |out, (item, of)| {
            put(out, u64::from(item.0));
            put(out, u64::from(of.0));
        });
        match goal {
            Goal::GoOn => out.push(0),
            Goal::End => out.push(1),
            Goal::Savepoint(name) => {
                out.push(2);
                put_text(out, name);
            }
            Goal::Remove(item) => {
                out.push(3);
                put(out, u64::from(item.0));
            }
        }
    });
    put_list(out, savepoints, |out, savepoint| {
        let Savepoint { name, marked, arrived, variables, after } = &**savepoint;
        put_text(out, name);
        put_list(out, marked, |out, (condition, count)| {
            put(out, u64::from(condition.0));
            put(out, u64::from(*count));
        });
        put_list(out, arrived, |out, (task, inputs)| {
            put(out, u64::from(task.0));
            put_list(out, inputs, |out, input| put(out, u64::from(input.0)));
        });
        put_list(out, variables, |out, Change { variable, value }| {
            put(out, u64::from(variable.0));
            put_value(out, value);
        });
        put(out, u64::from(*after));
    });
}

pub(super) fn saga(reader: &mut Reader<'_>) -> Result<Saga, SnapshotError> {
    let done = reader.list(|reader| {
        let (item, task) = (ItemId(reader.small()?), TaskIx(reader.small()?));
        let (frame, by) = (FrameId(reader.small()?), TaskIx(reader.small()?));
        Ok(Compensable { item, task, frame, by, number: reader.small()? })
    })?;
    let noted = reader.small()?;
    let undoing = reader.list(|reader| {
        let left = reader.list(|reader| reader.small().map(ItemId))?;
        let running = reader.option(|reader| Ok((ItemId(reader.small()?), ItemId(reader.small()?))))?;
        let goal = match reader.byte()? {
            0 => Goal::GoOn,
            1 => Goal::End,
            2 => Goal::Savepoint(reader.text()?.to_owned()),
            3 => Goal::Remove(ItemId(reader.small()?)),
            _ => return Err(SnapshotError::NotCanonical("an unknown number")),
        };
        Ok(Undoing { left, running, goal })
    })?;
    let savepoints = reader.list(|reader| savepoint(reader).map(Arc::new))?;
    Ok(Saga { done, noted, undoing, savepoints })
}

fn savepoint(reader: &mut Reader<'_>) -> Result<Savepoint, SnapshotError> {
    let name = reader.text()?.to_owned();
    let marked = reader.list(|reader| Ok((ConditionIx(reader.small()?), reader.small()?)))?;
    let arrived = reader.list(|reader| {
        let task = TaskIx(reader.small()?);
        Ok((task, reader.list(|reader| reader.small().map(ConditionIx))?))
    })?;
    let variables =
        reader.list(|reader| Ok(Change { variable: VariableIx(reader.small()?), value: reader.value()? }))?;
    Ok(Savepoint { name, marked, arrived, variables, after: reader.small()? })
}
