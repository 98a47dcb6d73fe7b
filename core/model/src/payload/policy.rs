//! What policies did, as stored. Frozen: a change is a new version beside these.

use super::{Encoded, convert::stored, frozen};
use crate::cbor::CborError;
use crate::event::{BreakerEvent, CaseEvent, Event, SystemEvent};
use crate::{ItemId, TaskIx, Time};

frozen! {
    /// `at`: nanoseconds since 1970.
    WorkRetryScheduledV1 { item: u32, task: u32, attempt: u32, at: u64, seed: u64 }
    WorkDeadLetteredV1 { item: u32, task: u32, attempts: u32, reason: String }
    WorkShedV1 { item: u32, task: u32, policy: String, message: String, until: Option<u64> }
    /// `until`: nanoseconds since 1970.
    BreakerOpenedV1 { handler: String, failures: u32, until: u64 }
    BreakerHalfOpenedV1 { handler: String }
    BreakerClosedV1 { handler: String }
}

/// An event about work and its policies.
pub(super) fn encode_work(event: &CaseEvent) -> Encoded {
    match event {
        CaseEvent::WorkRetryScheduled { item, task, attempt, at, seed } => {
            stored(548, &WorkRetryScheduledV1 { item: item.0, task: task.0, attempt: *attempt, at: at.0, seed: *seed })
        }
        CaseEvent::WorkDeadLettered { item, task, attempts, reason } => {
            stored(549, &WorkDeadLetteredV1 { item: item.0, task: task.0, attempts: *attempts, reason: reason.clone() })
        }
        CaseEvent::WorkShed { item, task, policy, message, until } => stored(
            550,
            &WorkShedV1 {
                item: item.0,
                task: task.0,
                policy: policy.clone(),
                message: message.clone(),
                until: until.map(|until| until.0),
            },
        ),
        _ => unreachable!("an event that is no policy's"),
    }
}

pub(super) fn encode_breaker(event: &BreakerEvent) -> Encoded {
    match event {
        BreakerEvent::Opened { handler, failures, until } => {
            stored(260, &BreakerOpenedV1 { handler: handler.clone(), failures: *failures, until: until.0 })
        }
        BreakerEvent::HalfOpened { handler } => stored(261, &BreakerHalfOpenedV1 { handler: handler.clone() }),
        BreakerEvent::Closed { handler } => stored(262, &BreakerClosedV1 { handler: handler.clone() }),
    }
}

macro_rules! into_event {
    ($($stored:ident => |$this:ident| $event:expr;)*) => {
        $(impl $stored {
            pub(super) fn into_event(self) -> Result<Event, CborError> {
                let $this = self;
                Ok($event)
            }
        })*
    };
}

into_event! {
    WorkRetryScheduledV1 => |v| Event::Case(CaseEvent::WorkRetryScheduled {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        attempt: v.attempt,
        at: Time(v.at),
        seed: v.seed,
    });
    WorkDeadLetteredV1 => |v| Event::Case(CaseEvent::WorkDeadLettered {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        attempts: v.attempts,
        reason: v.reason,
    });
    WorkShedV1 => |v| Event::Case(CaseEvent::WorkShed {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        policy: v.policy,
        message: v.message,
        until: v.until.map(Time),
    });
    BreakerOpenedV1 => |v| Event::System(SystemEvent::Breaker(BreakerEvent::Opened {
        handler: v.handler,
        failures: v.failures,
        until: Time(v.until),
    }));
    BreakerHalfOpenedV1 => |v| Event::System(SystemEvent::Breaker(BreakerEvent::HalfOpened { handler: v.handler }));
    BreakerClosedV1 => |v| Event::System(SystemEvent::Breaker(BreakerEvent::Closed { handler: v.handler }));
}
