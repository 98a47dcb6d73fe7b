//! Payload types of timers, messages, starts and undoing, schema version 1, and between them and the events. Frozen as `v1.rs` is.

use super::{
    Encoded,
    convert::{changes_in, changes_out, stored},
    frozen,
    v1::{ChangeV1, RemovedV1},
};
use crate::{
    CaseEvent, ConditionIx, Event, FrameId, Goal, ItemId, MessageEvent, NetHash, Seq, StartEvent, SystemEvent, TaskIx,
    Time,
    cbor::{self, CborError},
};

frozen! {
    /// Times are nanoseconds since 1970.
    StartsSkippedV1 { net: [u8; 32], start: String, until: u64, count: u64 }
    /// `message`: the position of the event that published it.
    StartRefusedV1 {
        net: [u8; 32],
        start: String,
        due: Option<u64>,
        message: Option<u64>,
        code: String,
        reason: String,
    }
    MessagePublishedV1 {
        name: String,
        key: String,
        id: Option<String>,
        data: Vec<u8>,
        to_all: bool,
        keep_until: Option<u64>,
        pending: bool,
    }
    MessageDroppedV1 { message: u64, expired: bool }

    CaseTriggeredV1 { start: String, due: Option<u64>, message: Option<u64> }
    CaseWaitingV1 { until: u64 }
    CaseTimedOutV1 { reserved: u8 }
    TimerFiredLateV1 { item: Option<u32>, due: u64 }
    MessageAwaitedV1 { item: u32, task: u32, name: String, key: String }
    MessageReceivedV1 { item: u32, task: u32, message: u64, name: String, data: Vec<u8> }
    CompensationNotedV1 { item: u32, task: u32, frame: u32, by: u32 }
    /// Goals: 0 go on, 1 end the case, 2 go back to `savepoint`, 3 remove `item`.
    CompensationBegunV1 { goal: u8, savepoint: String, item: u32, items: Vec<u32>, removed: Vec<RemovedV1> }
    WorkCompensatingV1 { item: u32, task: u32, of: u32 }
    /// Inputs of a task's join from which tokens arrived.
    ArrivedV1 { task: u32, inputs: Vec<u32> }
    /// `marked`: a condition and how many tokens it holds.
    SavepointReachedV1 { name: String, marked: Vec<RemovedV1>, arrived: Vec<ArrivedV1>, variables: Vec<ChangeV1> }
    SavepointRestoredV1 { name: String, marked: Vec<RemovedV1>, changes: Vec<ChangeV1> }
}

pub(super) fn encode_message(event: &MessageEvent) -> Encoded {
    match event {
        MessageEvent::Published { name, key, id, data, to_all, keep_until, pending } => stored(
            320,
            &MessagePublishedV1 {
                name: name.clone(),
                key: key.clone(),
                id: id.clone(),
                data: cbor::to_vec(data),
                to_all: *to_all,
                keep_until: keep_until.map(|until| until.0),
                pending: *pending,
            },
        ),
        MessageEvent::Dropped { message, expired } => {
            stored(321, &MessageDroppedV1 { message: message.0, expired: *expired })
        }
    }
}

pub(super) fn encode_start(event: &StartEvent) -> Encoded {
    match event {
        StartEvent::Skipped { net, start, until, count } => {
            stored(276, &StartsSkippedV1 { net: net.0, start: start.clone(), until: until.0, count: *count })
        }
        StartEvent::Refused { net, start, due, message, code, reason } => stored(
            277,
            &StartRefusedV1 {
                net: net.0,
                start: start.clone(),
                due: due.map(|due| due.0),
                message: message.map(|message| message.0),
                code: code.clone(),
                reason: reason.clone(),
            },
        ),
    }
}

/// Encodes what the other modules do not.
pub(super) fn encode_case(event: &CaseEvent) -> Encoded {
    match event {
        CaseEvent::CaseTriggered { start, due, message } => stored(
            525,
            &CaseTriggeredV1 {
                start: start.clone(),
                due: due.map(|due| due.0),
                message: message.map(|message| message.0),
            },
        ),
        CaseEvent::CaseWaiting { until } => stored(526, &CaseWaitingV1 { until: until.0 }),
        CaseEvent::CaseTimedOut => stored(527, &CaseTimedOutV1 { reserved: 0 }),
        CaseEvent::TimerFiredLate { item, due } => {
            stored(560, &TimerFiredLateV1 { item: item.map(|item| item.0), due: due.0 })
        }
        CaseEvent::MessageAwaited { item, task, name, key } => {
            stored(561, &MessageAwaitedV1 { item: item.0, task: task.0, name: name.clone(), key: key.clone() })
        }
        CaseEvent::MessageReceived { item, task, message, name, data } => stored(
            562,
            &MessageReceivedV1 {
                item: item.0,
                task: task.0,
                message: message.0,
                name: name.clone(),
                data: cbor::to_vec(data),
            },
        ),
        CaseEvent::CompensationNoted { item, task, frame, by } => {
            stored(568, &CompensationNotedV1 { item: item.0, task: task.0, frame: frame.0, by: by.0 })
        }
        CaseEvent::CompensationBegun { goal, items, removed } => {
            let (goal, savepoint, item) = match goal {
                Goal::GoOn => (0, String::new(), 0),
                Goal::End => (1, String::new(), 0),
                Goal::Savepoint(name) => (2, name.clone(), 0),
                Goal::Remove(item) => (3, String::new(), item.0),
            };
            let items = items.iter().map(|item| item.0).collect();
            stored(569, &CompensationBegunV1 { goal, savepoint, item, items, removed: marked_out(removed) })
        }
        CaseEvent::WorkCompensating { item, task, of } => {
            stored(570, &WorkCompensatingV1 { item: item.0, task: task.0, of: of.0 })
        }
        CaseEvent::SavepointReached { name, marked, arrived, variables } => {
            let one = |(task, inputs): &(TaskIx, Vec<ConditionIx>)| ArrivedV1 {
                task: task.0,
                inputs: inputs.iter().map(|input| input.0).collect(),
            };
            let stored_type = SavepointReachedV1 {
                name: name.clone(),
                marked: marked_out(marked),
                arrived: arrived.iter().map(one).collect(),
                variables: changes_out(variables),
            };
            stored(571, &stored_type)
        }
        CaseEvent::SavepointRestored { name, marked, changes } => stored(
            572,
            &SavepointRestoredV1 { name: name.clone(), marked: marked_out(marked), changes: changes_out(changes) },
        ),
        _ => unreachable!("an event that another module encodes"),
    }
}

fn marked_out(marked: &[(ConditionIx, u32)]) -> Vec<RemovedV1> {
    marked.iter().map(|(condition, count)| RemovedV1 { condition: condition.0, count: *count }).collect()
}

fn marked_in(marked: Vec<RemovedV1>) -> Vec<(ConditionIx, u32)> {
    marked.into_iter().map(|one| (ConditionIx(one.condition), one.count)).collect()
}

fn goal(goal: u8, savepoint: String, item: u32) -> Result<Goal, CborError> {
    match goal {
        0 => Ok(Goal::GoOn),
        1 => Ok(Goal::End),
        2 => Ok(Goal::Savepoint(savepoint)),
        3 => Ok(Goal::Remove(ItemId(item))),
        _ => Err(CborError::NotCanonical(0)),
    }
}

macro_rules! into_event {
    ($($stored:ident: $wrap:path => |$this:ident| $event:expr;)*) => {
        $(impl $stored {
            #[allow(clippy::unnecessary_wraps, reason = "some of them hold values, which may not decode")]
            pub(super) fn into_event(self) -> Result<Event, CborError> {
                let $this = self;
                Ok(Event::from($wrap($event)))
            }
        })*
    };
}

into_event! {
    StartsSkippedV1: SystemEvent::Start => |v| StartEvent::Skipped {
        net: NetHash(v.net),
        start: v.start,
        until: Time(v.until),
        count: v.count,
    };
    StartRefusedV1: SystemEvent::Start => |v| StartEvent::Refused {
        net: NetHash(v.net),
        start: v.start,
        due: v.due.map(Time),
        message: v.message.map(Seq),
        code: v.code,
        reason: v.reason,
    };
    MessagePublishedV1: SystemEvent::Message => |v| MessageEvent::Published {
        name: v.name,
        key: v.key,
        id: v.id,
        data: cbor::decode(&v.data)?,
        to_all: v.to_all,
        keep_until: v.keep_until.map(Time),
        pending: v.pending,
    };
    MessageDroppedV1: SystemEvent::Message => |v| MessageEvent::Dropped { message: Seq(v.message), expired: v.expired };
    CaseTriggeredV1: std::convert::identity => |v| CaseEvent::CaseTriggered {
        start: v.start,
        due: v.due.map(Time),
        message: v.message.map(Seq),
    };
    CaseWaitingV1: std::convert::identity => |v| CaseEvent::CaseWaiting { until: Time(v.until) };
    CaseTimedOutV1: std::convert::identity => |_v| CaseEvent::CaseTimedOut;
    TimerFiredLateV1: std::convert::identity => |v| CaseEvent::TimerFiredLate {
        item: v.item.map(ItemId),
        due: Time(v.due),
    };
    MessageAwaitedV1: std::convert::identity => |v| CaseEvent::MessageAwaited {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        name: v.name,
        key: v.key,
    };
    MessageReceivedV1: std::convert::identity => |v| CaseEvent::MessageReceived {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        message: Seq(v.message),
        name: v.name,
        data: cbor::decode(&v.data)?,
    };
    CompensationNotedV1: std::convert::identity => |v| CaseEvent::CompensationNoted {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        frame: FrameId(v.frame),
        by: TaskIx(v.by),
    };
    CompensationBegunV1: std::convert::identity => |v| CaseEvent::CompensationBegun {
        goal: goal(v.goal, v.savepoint, v.item)?,
        items: v.items.into_iter().map(ItemId).collect(),
        removed: marked_in(v.removed),
    };
    WorkCompensatingV1: std::convert::identity => |v| CaseEvent::WorkCompensating {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        of: ItemId(v.of),
    };
    SavepointReachedV1: std::convert::identity => |v| CaseEvent::SavepointReached {
        name: v.name,
        marked: marked_in(v.marked),
        arrived: v
            .arrived
            .into_iter()
            .map(|one| (TaskIx(one.task), one.inputs.into_iter().map(ConditionIx).collect()))
            .collect(),
        variables: changes_in(v.variables)?,
    };
    SavepointRestoredV1: std::convert::identity => |v| CaseEvent::SavepointRestored {
        name: v.name,
        marked: marked_in(v.marked),
        changes: changes_in(v.changes)?,
    };
}
