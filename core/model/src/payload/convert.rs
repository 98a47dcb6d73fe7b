//! Between the events one works with and their stored types.

use rkyv::{Serialize, api::high::HighSerializer, rancor, ser::allocator::ArenaHandle, util::AlignedVec};

#[allow(clippy::wildcard_imports, reason = "every stored type, and nothing else, is in that module")]
use super::{Encoded, v1::*};
use crate::{
    ActorId, ConditionIx, ItemId, NetHash, RoleIx, TaskIx, VariableIx,
    cbor::{self, CborError},
    event::{CaseEvent, Change, Event, SystemEvent},
};

fn stored<T>(kind: u16, value: &T) -> Encoded
where
    T: for<'a> Serialize<HighSerializer<AlignedVec, ArenaHandle<'a>, rancor::Panic>>,
{
    // Archiving into memory has no way to fail but running out of it.
    let Ok(bytes) = rkyv::to_bytes::<rancor::Panic>(value);
    Encoded { kind, schema: 1, bytes: bytes.into_vec() }
}

fn changes_out(changes: &[Change]) -> Vec<ChangeV1> {
    changes.iter().map(|change| ChangeV1 { variable: change.variable.0, value: cbor::to_vec(&change.value) }).collect()
}

fn changes_in(changes: Vec<ChangeV1>) -> Result<Vec<Change>, CborError> {
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

pub(super) fn encode(event: &Event) -> Encoded {
    match event {
        Event::Case(event) => encode_case(event),
        Event::System(event) => encode_system(event),
    }
}

pub(super) fn encode_case(event: &CaseEvent) -> Encoded {
    match event {
        CaseEvent::CaseStarted { net, semantics, changes, produced } => stored(
            512,
            &CaseStartedV1 {
                net: net.0,
                semantics: *semantics,
                changes: changes_out(changes),
                produced: conditions_out(produced),
            },
        ),
        CaseEvent::CaseCompleted => stored(513, &CaseCompletedV1 { reserved: 0 }),
        CaseEvent::CaseCancelled { reason } => stored(514, &CaseCancelledV1 { reason: reason.clone() }),
        CaseEvent::CaseDeadlocked => stored(515, &CaseDeadlockedV1 { reserved: 0 }),
        CaseEvent::CaseFailed { code, message } => {
            stored(516, &CaseFailedV1 { code: code.clone(), message: message.clone() })
        }
        CaseEvent::WorkEnabled { item, task } => stored(528, &WorkEnabledV1 { item: item.0, task: task.0 }),
        CaseEvent::WorkOffered { item, task, role, to } => stored(
            529,
            &WorkOfferedV1 { item: item.0, task: task.0, role: role.0, to: to.iter().map(|actor| actor.0).collect() },
        ),
        CaseEvent::WorkAllocated { item, task, to } => {
            stored(530, &WorkAllocatedV1 { item: item.0, task: task.0, to: to.0 })
        }
        CaseEvent::WorkStarted { item, task, consumed } => {
            stored(531, &WorkStartedV1 { item: item.0, task: task.0, consumed: conditions_out(consumed) })
        }
        CaseEvent::WorkCompleted { item, task, result, changes, produced } => stored(
            532,
            &WorkCompletedV1 {
                item: item.0,
                task: task.0,
                result: cbor::to_vec(result),
                changes: changes_out(changes),
                produced: conditions_out(produced),
            },
        ),
        CaseEvent::WorkFailed { item, task, code, message } => {
            stored(533, &WorkFailedV1 { item: item.0, task: task.0, code: code.clone(), message: message.clone() })
        }
        CaseEvent::WorkRetried { item, task, attempt } => {
            stored(534, &WorkRetriedV1 { item: item.0, task: task.0, attempt: *attempt })
        }
        CaseEvent::WorkWithdrawn { item, task } => stored(535, &WorkWithdrawnV1 { item: item.0, task: task.0 }),
        CaseEvent::WorkCancelled { item, task } => stored(536, &WorkCancelledV1 { item: item.0, task: task.0 }),
    }
}

fn encode_system(event: &SystemEvent) -> Encoded {
    match event {
        SystemEvent::EngineOpened { software, blocks, events, unacknowledged_blocks } => stored(
            256,
            &EngineOpenedV1 {
                software: software.clone(),
                blocks: *blocks,
                events: *events,
                unacknowledged_blocks: *unacknowledged_blocks,
            },
        ),
        SystemEvent::NetDeployed { net, name, canonical } => {
            stored(272, &NetDeployedV1 { net: net.0, name: name.clone(), canonical: canonical.clone() })
        }
        SystemEvent::ActorRegistered { actor, name, roles } => {
            stored(288, &ActorRegisteredV1 { actor: actor.0, name: name.clone(), roles: roles.clone() })
        }
        SystemEvent::ActorRolesChanged { actor, roles } => {
            stored(289, &ActorRolesChangedV1 { actor: actor.0, roles: roles.clone() })
        }
        SystemEvent::SchemaDescribed { kind, schema, name, layout } => {
            stored(304, &SchemaDescribedV1 { kind: *kind, schema: *schema, name: name.clone(), layout: layout.clone() })
        }
    }
}

macro_rules! into_event {
    ($($stored:ident: $wrap:ident => |$this:ident| $event:expr;)*) => {
        $(impl $stored {
            pub(super) fn into_event(self) -> Result<Event, CborError> {
                let $this = self;
                Ok(Event::$wrap($event))
            }
        })*
    };
}

into_event! {
    CaseStartedV1: Case => |v| CaseEvent::CaseStarted {
        net: NetHash(v.net),
        semantics: v.semantics,
        changes: changes_in(v.changes)?,
        produced: conditions_in(v.produced),
    };
    CaseCompletedV1: Case => |_v| CaseEvent::CaseCompleted;
    CaseCancelledV1: Case => |v| CaseEvent::CaseCancelled { reason: v.reason };
    CaseDeadlockedV1: Case => |_v| CaseEvent::CaseDeadlocked;
    CaseFailedV1: Case => |v| CaseEvent::CaseFailed { code: v.code, message: v.message };
    WorkEnabledV1: Case => |v| CaseEvent::WorkEnabled { item: ItemId(v.item), task: TaskIx(v.task) };
    WorkOfferedV1: Case => |v| CaseEvent::WorkOffered {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        role: RoleIx(v.role),
        to: v.to.into_iter().map(ActorId).collect(),
    };
    WorkAllocatedV1: Case => |v| CaseEvent::WorkAllocated { item: ItemId(v.item), task: TaskIx(v.task), to: ActorId(v.to) };
    WorkStartedV1: Case => |v| CaseEvent::WorkStarted {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        consumed: conditions_in(v.consumed),
    };
    WorkCompletedV1: Case => |v| CaseEvent::WorkCompleted {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        result: cbor::decode(&v.result)?,
        changes: changes_in(v.changes)?,
        produced: conditions_in(v.produced),
    };
    WorkFailedV1: Case => |v| CaseEvent::WorkFailed {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        code: v.code,
        message: v.message,
    };
    WorkRetriedV1: Case => |v| CaseEvent::WorkRetried { item: ItemId(v.item), task: TaskIx(v.task), attempt: v.attempt };
    WorkWithdrawnV1: Case => |v| CaseEvent::WorkWithdrawn { item: ItemId(v.item), task: TaskIx(v.task) };
    WorkCancelledV1: Case => |v| CaseEvent::WorkCancelled { item: ItemId(v.item), task: TaskIx(v.task) };
    EngineOpenedV1: System => |v| SystemEvent::EngineOpened {
        software: v.software,
        blocks: v.blocks,
        events: v.events,
        unacknowledged_blocks: v.unacknowledged_blocks,
    };
    NetDeployedV1: System => |v| SystemEvent::NetDeployed { net: NetHash(v.net), name: v.name, canonical: v.canonical };
    ActorRegisteredV1: System => |v| SystemEvent::ActorRegistered { actor: ActorId(v.actor), name: v.name, roles: v.roles };
    ActorRolesChangedV1: System => |v| SystemEvent::ActorRolesChanged { actor: ActorId(v.actor), roles: v.roles };
    SchemaDescribedV1: System => |v| SystemEvent::SchemaDescribed {
        kind: v.kind,
        schema: v.schema,
        name: v.name,
        layout: v.layout,
    };
}
