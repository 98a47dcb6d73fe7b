//! Between the events one works with and their stored types.

mod case;
mod system;
mod work;

use rkyv::{Serialize, api::high::HighSerializer, rancor, ser::allocator::ArenaHandle, util::AlignedVec};

use super::{Encoded, v1::ChangeV1};
use crate::{
    ActorId, ConditionIx, VariableIx,
    cbor::{self, CborError},
    event::{CaseEvent, Change, Event},
};

pub(super) fn stored<T>(kind: u16, value: &T) -> Encoded
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, rancor::Panic>>,
{
    stored_as(kind, 1, value)
}

fn stored_as<T>(kind: u16, schema: u16, value: &T) -> Encoded
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, rancor::Panic>>,
{
    // Archiving into memory has no way to fail but running out of it.
    let Ok(bytes) = rkyv::to_bytes::<rancor::Panic>(value);
    Encoded { kind, schema, bytes: bytes.into_vec() }
}

pub(super) fn changes_out(changes: &[Change]) -> Vec<ChangeV1> {
    changes.iter().map(|change| ChangeV1 { variable: change.variable.0, value: cbor::to_vec(&change.value) }).collect()
}

pub(super) fn changes_in(changes: Vec<ChangeV1>) -> Result<Vec<Change>, CborError> {
    changes
        .into_iter()
        .map(|change| Ok(Change { variable: VariableIx(change.variable), value: cbor::decode(&change.value)? }))
        .collect()
}

fn conditions_out(conditions: &[ConditionIx]) -> Vec<u32> {
    conditions.iter().map(|condition| condition.0).collect()
}

fn conditions_in(conditions: Vec<u32>) -> Vec<ConditionIx> {
    conditions.into_iter().map(ConditionIx).collect()
}

fn actors_out(actors: &[ActorId]) -> Vec<u32> {
    actors.iter().map(|actor| actor.0).collect()
}

fn actors_in(actors: Vec<u32>) -> Vec<ActorId> {
    actors.into_iter().map(ActorId).collect()
}

pub(super) fn encode(event: &Event) -> Encoded {
    match event {
        Event::Case(event) => encode_case(event),
        Event::System(event) => system::encode(event),
    }
}

pub(super) fn encode_case(event: &CaseEvent) -> Encoded {
    if let Some(encoded) = super::control::encode(event) {
        return encoded;
    }
    if event.work().is_some() { work::encode(event) } else { case::encode(event) }
}

macro_rules! into_event {
    ($($stored:ident: $wrap:ident => |$this:ident| $event:expr;)*) => {
        $(impl $stored {
            pub(in crate::payload) fn into_event(self) -> Result<Event, CborError> {
                let $this = self;
                Ok(Event::$wrap($event))
            }
        })*
    };
}

use into_event;
