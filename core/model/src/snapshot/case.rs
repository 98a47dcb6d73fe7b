//! A case as bytes.

use std::sync::Arc;

use smallvec::SmallVec;

use super::SnapshotError;
use super::wire::{Reader, ascending, put, put_list, put_option, put_text, put_value};
use super::{attempts, saga};
use crate::case::{Case, CaseStatus, Inner};
use crate::control::{Activation, Arrivals, Control, FrameState, KeptSignal, Rare, Rest};
use crate::{
    ActorId, CaseId, ConditionIx, FrameId, Instance, ItemId, Marking, NetHash, Phase, RoleIx, Seq, SubnetIx, TaskIx,
    Time, Value, VariableIx, WorkItemState,
};

/// Version of the form; it begins with it. Goes up whenever the form, or what a case's state means, changes.
pub const CASE_SNAPSHOT_VERSION: u64 = 2;

const STATUSES: [CaseStatus; 6] = [
    CaseStatus::Unborn,
    CaseStatus::Open,
    CaseStatus::Completed,
    CaseStatus::Cancelled,
    CaseStatus::Deadlocked,
    CaseStatus::Failed,
];

const PHASES: [Phase; 6] =
    [Phase::Enabled, Phase::Offered, Phase::Allocated, Phase::Started, Phase::Failed, Phase::Suspended];

// Bits of an item's second byte: which of its optional parts are there.
const SUSPENDED_FROM: u8 = 1;
const ROLE: u8 = 2;
const OFFERED: u8 = 4;
const RESOURCE: u8 = 8;
const CONSUMED: u8 = 16;
const TIMER: u8 = 32;
const TRIGGERED: u8 = 64;
const INSTANCE: u8 = 128;

// Bits of a case's byte of what is there beside the usual.
const SUSPENDED: u8 = 1;
const RARE: u8 = 2;
const INNER: u8 = 4;
const BITS: u8 = 7;

type Variables = Vec<(VariableIx, Value)>;

/// Appends a case's state.
pub fn encode_case(case: &Case, out: &mut Vec<u8>) {
    // Named one by one, so that a new field cannot be forgotten here.
    let Case { id, net, semantics, version, last_seq, started, changed, control, variables, inner } = case;
    let Control { status, suspended, marking, items, next_item, next_frame, performers, rare } = control;
    put(out, CASE_SNAPSHOT_VERSION);
    put(out, id.0);
    out.extend_from_slice(&net.0);
    put(out, u64::from(*semantics));
    put(out, *version);
    put(out, last_seq.0);
    put(out, started.0);
    put(out, changed.0);
    out.push(place(&STATUSES, status));
    let bit = |there: bool, bit: u8| if there { bit } else { 0 };
    out.push(bit(*suspended, SUSPENDED) | bit(rare.is_some(), RARE) | bit(inner.is_some(), INNER));
    put_marking(out, marking);
    put_list(out, items, put_item);
    put(out, u64::from(next_item.0));
    put(out, u64::from(next_frame.0));
    put_list(out, performers, |out, (task, actor)| {
        put(out, u64::from(task.0));
        put(out, u64::from(actor.0));
    });
    put_variables(out, variables);
    if let Some(rare) = rare {
        put_rare(out, rare);
    }
    if let Some(inner) = inner {
        put_inner(out, inner);
    }
}

/// Reads a case's state.
///
/// # Errors
/// Anything but what [`encode_case`] writes, with nothing behind it. Total: any bytes give a case or an error.
pub fn decode_case(bytes: &[u8]) -> Result<Case, SnapshotError> {
    let mut reader = Reader::new(bytes);
    let case = case(&mut reader)?;
    reader.end()?;
    Ok(case)
}

fn case(reader: &mut Reader<'_>) -> Result<Case, SnapshotError> {
    reader.version(CASE_SNAPSHOT_VERSION)?;
    let id = CaseId(reader.number()?);
    let net = NetHash(reader.array()?);
    let semantics = reader.small()?;
    let (version, last_seq) = (reader.number()?, Seq(reader.number()?));
    let (started, changed) = (Time(reader.number()?), Time(reader.number()?));
    let status = nth(&STATUSES, reader.byte()?)?;
    let bits = reader.byte()?;
    if bits & !BITS != 0 {
        return Err(SnapshotError::NotCanonical("a case"));
    }
    let marking = marking(reader)?;
    let items = reader.list(item)?;
    ascending(&items, |item| item.id, "work items")?;
    let (next_item, next_frame) = (ItemId(reader.small()?), FrameId(reader.small()?));
    let performers = reader.list(|reader| Ok((TaskIx(reader.small()?), ActorId(reader.small()?))))?;
    ascending(&performers, |pair| *pair, "performers")?;
    let variables = variables(reader)?;
    let rare = (bits & RARE != 0).then(|| rare(reader)).transpose()?.map(Box::new);
    let inner = (bits & INNER != 0).then(|| inner(reader)).transpose()?.map(Box::new);
    let control = Control {
        status,
        suspended: bits & SUSPENDED != 0,
        marking,
        items: items.into(),
        next_item,
        next_frame,
        performers: performers.into(),
        rare,
    };
    Ok(Case { id, net, semantics, version, last_seq, started, changed, control, variables, inner })
}

fn put_marking(out: &mut Vec<u8>, marking: &Marking) {
    put(out, marking.iter().len() as u64);
    for (frame, condition, count) in marking.iter() {
        put(out, u64::from(frame.0));
        put(out, u64::from(condition.0));
        put(out, u64::from(count));
    }
}

fn marking(reader: &mut Reader<'_>) -> Result<Marking, SnapshotError> {
    let marked =
        reader.list(|reader| Ok((FrameId(reader.small()?), ConditionIx(reader.small()?), reader.small::<u32>()?)))?;
    Marking::from_sorted(marked.into()).ok_or(SnapshotError::NotCanonical("the marking"))
}

fn put_variables(out: &mut Vec<u8>, variables: &Variables) {
    put_list(out, variables, |out, (variable, value)| {
        put(out, u64::from(variable.0));
        put_value(out, value);
    });
}

fn variables(reader: &mut Reader<'_>) -> Result<Variables, SnapshotError> {
    let variables = reader.list(|reader| Ok((VariableIx(reader.small()?), reader.value()?)))?;
    ascending(&variables, |(variable, _)| *variable, "variables")?;
    Ok(variables)
}

fn put_item(out: &mut Vec<u8>, item: &WorkItemState) {
    let WorkItemState {
        id,
        task,
        frame,
        phase,
        suspended_from,
        attempt,
        role,
        offered_to,
        resource,
        consumed,
        timer,
        triggered,
        instance,
        event,
    } = item;
    let parts = [
        (suspended_from.is_some(), SUSPENDED_FROM),
        (role.is_some(), ROLE),
        (!offered_to.is_empty(), OFFERED),
        (resource.is_some(), RESOURCE),
        (!consumed.is_empty(), CONSUMED),
        (timer.is_some(), TIMER),
        (*triggered, TRIGGERED),
        (instance.is_some(), INSTANCE),
    ];
    out.push(place(&PHASES, phase));
    out.push(parts.iter().filter(|(there, _)| *there).map(|(_, bit)| bit).sum());
    put(out, u64::from(id.0));
    put(out, u64::from(task.0));
    put(out, u64::from(frame.0));
    put(out, u64::from(*attempt));
    put(out, event.0);
    if let Some(phase) = suspended_from {
        out.push(place(&PHASES, phase));
    }
    role.iter().for_each(|role| put(out, u64::from(role.0)));
    if !offered_to.is_empty() {
        put_list(out, offered_to, |out, actor| put(out, u64::from(actor.0)));
    }
    resource.iter().for_each(|actor| put(out, u64::from(actor.0)));
    if !consumed.is_empty() {
        put_conditions(out, consumed);
    }
    timer.iter().for_each(|at| put(out, at.0));
    if let Some(instance) = instance {
        put(out, u64::from(instance.family.0));
        put(out, u64::from(instance.index));
        put_option(out, instance.each.as_ref(), put_value);
    }
}

fn item(reader: &mut Reader<'_>) -> Result<WorkItemState, SnapshotError> {
    let phase = nth(&PHASES, reader.byte()?)?;
    let bits = reader.byte()?;
    let has = |bit: u8| bits & bit != 0;
    let (id, task, frame) = (ItemId(reader.small()?), TaskIx(reader.small()?), FrameId(reader.small()?));
    let (attempt, event) = (reader.small()?, Seq(reader.number()?));
    let suspended_from = has(SUSPENDED_FROM).then(|| nth(&PHASES, reader.byte()?)).transpose()?;
    let role = has(ROLE).then(|| reader.small().map(RoleIx)).transpose()?;
    let offered_to = if has(OFFERED) { some(reader.list(|reader| reader.small().map(ActorId))?)? } else { Vec::new() };
    let resource = has(RESOURCE).then(|| reader.small().map(ActorId)).transpose()?;
    let consumed = if has(CONSUMED) { some(conditions(reader)?)? } else { Vec::new() };
    let timer = has(TIMER).then(|| reader.number().map(Time)).transpose()?;
    let instance = has(INSTANCE).then(|| instance(reader)).transpose()?;
    Ok(WorkItemState {
        id,
        task,
        frame,
        phase,
        suspended_from,
        attempt,
        role,
        offered_to,
        resource,
        consumed: consumed.into(),
        timer,
        triggered: has(TRIGGERED),
        instance,
        event,
    })
}

fn instance(reader: &mut Reader<'_>) -> Result<Box<Instance>, SnapshotError> {
    let (family, index) = (ItemId(reader.small()?), reader.small()?);
    Ok(Box::new(Instance { family, index, each: reader.option(Reader::value)? }))
}

fn put_conditions(out: &mut Vec<u8>, conditions: &[ConditionIx]) {
    put_list(out, conditions, |out, condition| put(out, u64::from(condition.0)));
}

fn conditions(reader: &mut Reader<'_>) -> Result<Vec<ConditionIx>, SnapshotError> {
    reader.list(|reader| reader.small().map(ConditionIx))
}

fn put_rare(out: &mut Vec<u8>, rare: &Rare) {
    let Rare { frames, arrivals, activations, signals, deadline, awaited, restarts, saga, attempts, rests } = rare;
    put_list(out, frames, |out, FrameState { id, subnet, item, parent }| {
        [id.0, subnet.0, item.0, parent.0].into_iter().for_each(|number| put(out, u64::from(number)));
    });
    put_list(out, arrivals, |out, Arrivals { frame, task, inputs }| {
        put(out, u64::from(frame.0));
        put(out, u64::from(task.0));
        put_conditions(out, inputs);
    });
    put_list(out, activations, |out, Activation { item, created, active, completed, passed }| {
        [item.0, *created, *active, *completed].into_iter().for_each(|number| put(out, u64::from(number)));
        out.push(u8::from(*passed));
    });
    put_list(out, signals, |out, signal| {
        let KeptSignal { name, data } = &**signal;
        put_text(out, name);
        put_value(out, data);
    });
    saga::put_deadline(out, deadline.as_ref());
    put_list(out, awaited, |out, one| saga::put_awaited(out, one));
    put_list(out, restarts, saga::put_restarts);
    saga::put_saga(out, saga);
    attempts::put_attempts(out, attempts);
    put_list(out, rests, |out, Rest { item, until }| {
        put_option(out, item.as_ref(), |out, item| put(out, u64::from(item.0)));
        put(out, until.0);
    });
}

fn rare(reader: &mut Reader<'_>) -> Result<Rare, SnapshotError> {
    let frames = reader.list(|reader| {
        let (id, subnet) = (FrameId(reader.small()?), SubnetIx(reader.small()?));
        Ok(FrameState { id, subnet, item: ItemId(reader.small()?), parent: FrameId(reader.small()?) })
    })?;
    ascending(&frames, |frame| frame.id, "frames")?;
    let arrivals = reader.list(|reader| {
        let (frame, task) = (FrameId(reader.small()?), TaskIx(reader.small()?));
        let inputs: SmallVec<[ConditionIx; 4]> = some(conditions(reader)?)?.into();
        Ok(Arrivals { frame, task, inputs })
    })?;
    let activations = reader.list(|reader| {
        let (item, created) = (ItemId(reader.small()?), reader.small()?);
        let (active, completed, passed) = (reader.small()?, reader.small()?, reader.flag()?);
        Ok(Activation { item, created, active, completed, passed })
    })?;
    let signals =
        reader.list(|reader| Ok(Arc::new(KeptSignal { name: reader.text()?.to_owned(), data: reader.value()? })))?;
    let deadline = saga::deadline(reader)?;
    let (awaited, restarts) = (reader.list(saga::awaited)?, reader.list(saga::restarts)?);
    let saga = saga::saga(reader)?;
    let attempts = attempts::attempts(reader)?;
    let rests = reader.list(|reader| {
        let item = reader.option(|reader| reader.small().map(ItemId))?;
        Ok(Rest { item, until: Time(reader.number()?) })
    })?;
    let rare = Rare { frames, arrivals, activations, signals, deadline, awaited, restarts, saga, attempts, rests };
    if rare.is_empty() { Err(SnapshotError::NotCanonical("a case")) } else { Ok(rare) }
}

fn put_inner(out: &mut Vec<u8>, inner: &Inner) {
    let Inner { frames, results } = inner;
    put_list(out, frames, |out, (frame, variables)| {
        put(out, u64::from(frame.0));
        put_variables(out, variables);
    });
    put_list(out, results, |out, (item, values)| {
        put(out, u64::from(item.0));
        put_list(out, values, put_value);
    });
}

fn inner(reader: &mut Reader<'_>) -> Result<Inner, SnapshotError> {
    let frames = reader.list(|reader| Ok((FrameId(reader.small()?), variables(reader)?)))?;
    let results = reader.list(|reader| Ok((ItemId(reader.small()?), reader.list(Reader::value)?)))?;
    let inner = Inner { frames, results };
    if inner == Inner::default() { Err(SnapshotError::NotCanonical("a case")) } else { Ok(inner) }
}

/// A list whose absence is said elsewhere.
fn some<T>(list: Vec<T>) -> Result<Vec<T>, SnapshotError> {
    if list.is_empty() { Err(SnapshotError::NotCanonical("an empty list")) } else { Ok(list) }
}

fn place<T: PartialEq>(all: &[T], one: &T) -> u8 {
    // Every variant is in its list: `every_phase_and_status_has_its_number` holds it to that.
    all.iter().position(|other| other == one).unwrap_or(usize::MAX) as u8
}

fn nth<T: Copy>(all: &[T], place: u8) -> Result<T, SnapshotError> {
    all.get(usize::from(place)).copied().ok_or(SnapshotError::NotCanonical("an unknown number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_and_status_has_its_number() {
        // A new variant must get a number at the end: the matches below do not compile without it.
        for status in STATUSES {
            match status {
                CaseStatus::Unborn
                | CaseStatus::Open
                | CaseStatus::Completed
                | CaseStatus::Cancelled
                | CaseStatus::Deadlocked
                | CaseStatus::Failed => assert_eq!(nth(&STATUSES, place(&STATUSES, &status)), Ok(status)),
            }
        }
        for phase in PHASES {
            match phase {
                Phase::Enabled
                | Phase::Offered
                | Phase::Allocated
                | Phase::Started
                | Phase::Failed
                | Phase::Suspended => assert_eq!(nth(&PHASES, place(&PHASES, &phase)), Ok(phase)),
            }
        }
    }
}
