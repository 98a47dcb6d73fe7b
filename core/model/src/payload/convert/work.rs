//! Events about work items.

#[allow(clippy::wildcard_imports, reason = "every stored type, and nothing else, is in that module")]
use super::super::{Encoded, runs, v1::*, v2::*};
use super::{
    actors_in, actors_out, changes_in, changes_out, conditions_in, conditions_out, into_event, stored, stored_as,
};
use crate::{
    ActorId, ActorSet, FrameId, ItemId, RoleIx, Seq, TaskIx, Time,
    cbor::{self, CborError},
    event::{CaseEvent, Event, Instance},
};

pub(super) fn encode(event: &CaseEvent) -> Encoded {
    match event {
        CaseEvent::WorkEnabled { item, task, frame: FrameId::ROOT, instance: None } => {
            stored(528, &WorkEnabledV1 { item: item.0, task: task.0 })
        }
        CaseEvent::WorkEnabled { item, task, frame, instance } => {
            let instance = instance.as_deref();
            let stored = WorkEnabledV2 {
                item: item.0,
                task: task.0,
                frame: frame.0,
                family: instance.map(|instance| instance.family.0),
                index: instance.map_or(0, |instance| instance.index),
                each: instance.and_then(|instance| instance.each.as_ref()).map(cbor::to_vec),
            };
            stored_as(528, 2, &stored)
        }
        CaseEvent::WorkOffered { item, task, role: Some(role), to } => {
            stored(529, &WorkOfferedV1 { item: item.0, task: task.0, role: role.0, to: actors_out(to) })
        }
        CaseEvent::WorkOffered { item, task, role: None, to } => {
            stored_as(529, 2, &WorkOfferedV2 { item: item.0, task: task.0, role: None, to: actors_out(to) })
        }
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
        CaseEvent::WorkCancelled { item, task, produced } if produced.is_empty() => {
            stored(536, &WorkCancelledV1 { item: item.0, task: task.0 })
        }
        CaseEvent::WorkCancelled { item, task, produced } => {
            stored_as(536, 2, &WorkCancelledV2 { item: item.0, task: task.0, produced: conditions_out(produced) })
        }
        CaseEvent::InstancesPassed { item, task, result, changes, produced } => stored(
            537,
            &InstancesPassedV1 {
                item: item.0,
                task: task.0,
                result: cbor::to_vec(result),
                changes: changes_out(changes),
                produced: conditions_out(produced),
            },
        ),
        CaseEvent::WorkSuspended { item, task } => stored(538, &WorkSuspendedV1 { item: item.0, task: task.0 }),
        CaseEvent::WorkResumed { item, task } => stored(539, &WorkResumedV1 { item: item.0, task: task.0 }),
        CaseEvent::WorkTimedOut { item, task } => stored(540, &WorkTimedOutV1 { item: item.0, task: task.0 }),
        CaseEvent::WorkSkipped { item, task, consumed, changes, produced } => stored(
            541,
            &WorkSkippedV1 {
                item: item.0,
                task: task.0,
                consumed: conditions_out(consumed),
                changes: changes_out(changes),
                produced: conditions_out(produced),
            },
        ),
        CaseEvent::WorkPutBack { item, task } => stored(542, &WorkPutBackV1 { item: item.0, task: task.0 }),
        CaseEvent::WorkDelegated { item, task, to, keep_state } => {
            stored(543, &WorkDelegatedV1 { item: item.0, task: task.0, to: to.0, keep_state: *keep_state })
        }
        CaseEvent::WorkEscalated { item, task, to, reason } => {
            stored(544, &WorkEscalatedV1 { item: item.0, task: task.0, to: to.map(|to| to.0), reason: reason.clone() })
        }
        CaseEvent::AllocationDecided { .. } => allocation(event),
        CaseEvent::WorkWaiting { item, task, until } => {
            stored(546, &WorkWaitingV1 { item: item.0, task: task.0, until: until.0 })
        }
        CaseEvent::WorkRetryScheduled { .. } | CaseEvent::WorkDeadLettered { .. } | CaseEvent::WorkShed { .. } => {
            crate::payload::policy::encode_work(event)
        }
        other => crate::payload::durable::encode_case(other),
    }
}

fn allocation(event: &CaseEvent) -> Encoded {
    let CaseEvent::AllocationDecided { item, task, directory, strategy, seed, candidates, rules, scores, chosen } =
        event
    else {
        unreachable!("another event");
    };
    let rule = |(name, removed): &(String, ActorSet)| RuleV1 { name: name.clone(), removed: runs::to_cbor(removed) };
    let stored_type = AllocationDecidedV1 {
        item: item.0,
        task: task.0,
        directory: directory.0,
        strategy: strategy.clone(),
        seed: *seed,
        candidates: runs::to_cbor(candidates),
        rules: rules.iter().map(rule).collect(),
        scores: scores.iter().map(|(actor, score)| ScoreV1 { actor: actor.0, score: *score }).collect(),
        chosen: chosen.map(|chosen| chosen.0),
    };
    stored(545, &stored_type)
}

into_event! {
    WorkEnabledV1: Case => |v| CaseEvent::WorkEnabled {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        frame: FrameId::ROOT,
        instance: None,
    };
    WorkEnabledV2: Case => |v| CaseEvent::WorkEnabled {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        frame: FrameId(v.frame),
        instance: match v.family {
            Some(family) => Some(Box::new(Instance {
                family: ItemId(family),
                index: v.index,
                each: v.each.map(|each| cbor::decode(&each)).transpose()?,
            })),
            None => None,
        },
    };
    WorkOfferedV1: Case => |v| CaseEvent::WorkOffered {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        role: Some(RoleIx(v.role)),
        to: actors_in(v.to),
    };
    WorkOfferedV2: Case => |v| CaseEvent::WorkOffered {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        role: v.role.map(RoleIx),
        to: actors_in(v.to),
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
    WorkCancelledV1: Case => |v| CaseEvent::WorkCancelled {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        produced: Vec::new(),
    };
    WorkCancelledV2: Case => |v| CaseEvent::WorkCancelled {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        produced: conditions_in(v.produced),
    };
    InstancesPassedV1: Case => |v| CaseEvent::InstancesPassed {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        result: cbor::decode(&v.result)?,
        changes: changes_in(v.changes)?,
        produced: conditions_in(v.produced),
    };
    WorkSuspendedV1: Case => |v| CaseEvent::WorkSuspended { item: ItemId(v.item), task: TaskIx(v.task) };
    WorkResumedV1: Case => |v| CaseEvent::WorkResumed { item: ItemId(v.item), task: TaskIx(v.task) };
    WorkTimedOutV1: Case => |v| CaseEvent::WorkTimedOut { item: ItemId(v.item), task: TaskIx(v.task) };
    WorkSkippedV1: Case => |v| CaseEvent::WorkSkipped {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        consumed: conditions_in(v.consumed),
        changes: changes_in(v.changes)?,
        produced: conditions_in(v.produced),
    };
    WorkPutBackV1: Case => |v| CaseEvent::WorkPutBack { item: ItemId(v.item), task: TaskIx(v.task) };
    WorkDelegatedV1: Case => |v| CaseEvent::WorkDelegated {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        to: ActorId(v.to),
        keep_state: v.keep_state,
    };
    WorkEscalatedV1: Case => |v| CaseEvent::WorkEscalated {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        to: v.to.map(ActorId),
        reason: v.reason,
    };
    AllocationDecidedV1: Case => |v| CaseEvent::AllocationDecided {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        directory: Seq(v.directory),
        strategy: v.strategy,
        seed: v.seed,
        candidates: runs::from_cbor(&v.candidates)?,
        rules: v
            .rules
            .into_iter()
            .map(|rule| Ok((rule.name, runs::from_cbor(&rule.removed)?)))
            .collect::<Result<_, CborError>>()?,
        scores: v.scores.into_iter().map(|score| (ActorId(score.actor), score.score)).collect(),
        chosen: v.chosen.map(ActorId),
    };
    WorkWaitingV1: Case => |v| CaseEvent::WorkWaiting {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        until: Time(v.until),
    };
}
