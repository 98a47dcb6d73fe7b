//! Events about a case as a whole.

#[allow(clippy::wildcard_imports, reason = "every stored type, and nothing else, is in that module")]
use super::super::{Encoded, v1::*};
use super::{changes_in, changes_out, conditions_in, conditions_out, into_event, stored};
use crate::{
    ConditionIx, ExceptionKind, FrameId, ItemId, NetHash, SubnetIx, TaskIx,
    cbor::{self, CborError},
    event::{CaseEvent, Event},
};

pub(super) fn encode(event: &CaseEvent) -> Encoded {
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
        CaseEvent::CaseSuspended => stored(517, &CaseSuspendedV1 { reserved: 0 }),
        CaseEvent::CaseResumed => stored(518, &CaseResumedV1 { reserved: 0 }),
        CaseEvent::SubnetStarted { frame, subnet, item, changes, produced } => stored(
            519,
            &SubnetStartedV1 {
                frame: frame.0,
                subnet: subnet.0,
                item: item.0,
                changes: changes_out(changes),
                produced: conditions_out(produced),
            },
        ),
        CaseEvent::SubnetEnded { frame, item, completed } => {
            stored(520, &SubnetEndedV1 { frame: frame.0, item: item.0, completed: *completed })
        }
        CaseEvent::JoinAdvanced { frame, task, absorbed, arrived } => stored(
            521,
            &JoinAdvancedV1 {
                frame: frame.0,
                task: task.0,
                absorbed: conditions_out(absorbed),
                arrived: conditions_out(arrived),
            },
        ),
        CaseEvent::TokensCancelled { frame, task, removed } => {
            let removed =
                removed.iter().map(|(condition, count)| RemovedV1 { condition: condition.0, count: *count }).collect();
            stored(522, &TokensCancelledV1 { frame: frame.0, task: task.0, removed })
        }
        CaseEvent::SignalReceived { name, data, kept, item } => stored(
            523,
            &SignalReceivedV1 {
                name: name.clone(),
                data: cbor::to_vec(data),
                kept: *kept,
                item: item.map(|item| item.0),
            },
        ),
        CaseEvent::ExceptionRaised { item, kind, name, message, answer } => stored(
            524,
            &ExceptionRaisedV1 {
                item: item.map(|item| item.0),
                kind: ExceptionKind::ALL.iter().position(|known| known == kind).unwrap_or(0) as u8,
                name: name.clone(),
                message: message.clone(),
                answer: answer.clone(),
            },
        ),
        other => crate::payload::durable::encode_case(other),
    }
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
    CaseSuspendedV1: Case => |_v| CaseEvent::CaseSuspended;
    CaseResumedV1: Case => |_v| CaseEvent::CaseResumed;
    SubnetStartedV1: Case => |v| CaseEvent::SubnetStarted {
        frame: FrameId(v.frame),
        subnet: SubnetIx(v.subnet),
        item: ItemId(v.item),
        changes: changes_in(v.changes)?,
        produced: conditions_in(v.produced),
    };
    SubnetEndedV1: Case => |v| CaseEvent::SubnetEnded {
        frame: FrameId(v.frame),
        item: ItemId(v.item),
        completed: v.completed,
    };
    JoinAdvancedV1: Case => |v| CaseEvent::JoinAdvanced {
        frame: FrameId(v.frame),
        task: TaskIx(v.task),
        absorbed: conditions_in(v.absorbed),
        arrived: conditions_in(v.arrived),
    };
    TokensCancelledV1: Case => |v| CaseEvent::TokensCancelled {
        frame: FrameId(v.frame),
        task: TaskIx(v.task),
        removed: v.removed.into_iter().map(|one| (ConditionIx(one.condition), one.count)).collect(),
    };
    SignalReceivedV1: Case => |v| CaseEvent::SignalReceived {
        name: v.name,
        data: cbor::decode(&v.data)?,
        kept: v.kept,
        item: v.item.map(ItemId),
    };
    ExceptionRaisedV1: Case => |v| CaseEvent::ExceptionRaised {
        item: v.item.map(ItemId),
        kind: *ExceptionKind::ALL.get(usize::from(v.kind)).ok_or(CborError::NotCanonical(0))?,
        name: v.name,
        message: v.message,
        answer: v.answer,
    };
}
