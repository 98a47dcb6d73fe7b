//! What somebody forced, and rests that end by themselves, as stored. Frozen: a change is a new version beside these.

use super::{
    Encoded,
    convert::{changes_in, changes_out, stored},
    frozen,
    v1::ChangeV1,
};
use crate::cbor::CborError;
use crate::{CaseEvent, ConditionIx, Event, ItemId, TaskIx, Time};

frozen! {
    WorkForcedV1 { item: u32, task: u32, reason: String, consumed: Vec<u32> }
    CaseForcedV1 { reason: String, changes: Vec<ChangeV1> }
    /// `until`: nanoseconds since 1970.
    RestLimitedV1 { item: Option<u32>, until: u64 }
}

/// `None`: another module encodes it.
pub(super) fn encode(event: &CaseEvent) -> Option<Encoded> {
    Some(match event {
        CaseEvent::WorkForced { item, task, reason, consumed } => {
            let consumed = consumed.iter().map(|condition| condition.0).collect();
            stored(547, &WorkForcedV1 { item: item.0, task: task.0, reason: reason.clone(), consumed })
        }
        CaseEvent::CaseForced { reason, changes } => {
            stored(573, &CaseForcedV1 { reason: reason.clone(), changes: changes_out(changes) })
        }
        CaseEvent::RestLimited { item, until } => {
            stored(574, &RestLimitedV1 { item: item.map(|item| item.0), until: until.0 })
        }
        _ => return None,
    })
}

macro_rules! into_event {
    ($($stored:ident => |$this:ident| $event:expr;)*) => {
        $(impl $stored {
            #[allow(clippy::unnecessary_wraps, reason = "some of them hold values, which may not decode")]
            pub(super) fn into_event(self) -> Result<Event, CborError> {
                let $this = self;
                Ok(Event::Case($event))
            }
        })*
    };
}

into_event! {
    WorkForcedV1 => |v| CaseEvent::WorkForced {
        item: ItemId(v.item),
        task: TaskIx(v.task),
        reason: v.reason,
        consumed: v.consumed.into_iter().map(ConditionIx).collect(),
    };
    CaseForcedV1 => |v| CaseEvent::CaseForced { reason: v.reason, changes: changes_in(v.changes)? };
    RestLimitedV1 => |v| CaseEvent::RestLimited { item: v.item.map(ItemId), until: Time(v.until) };
}
