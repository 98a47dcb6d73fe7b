//! What somebody forced, and rests that end by themselves.

use actum_model::{CaseEvent, Change, ConditionIx, Event, ItemId, TaskIx, Time, Value, VariableIx};

pub(super) fn samples() -> Vec<Event> {
    let (item, task) = (ItemId(7), TaskIx(3));
    let until = Time(1_795_000_000_000_000_000);
    let changes = vec![Change { variable: VariableIx(2), value: Value::Int(12) }];
    let reason = || "the bank is down, paid by cheque".to_owned();
    [
        CaseEvent::WorkForced { item, task, reason: reason(), consumed: vec![ConditionIx(4)] },
        CaseEvent::WorkForced { item, task, reason: String::new(), consumed: vec![] },
        CaseEvent::CaseForced { reason: reason(), changes },
        CaseEvent::RestLimited { item: None, until },
        CaseEvent::RestLimited { item: Some(item), until },
    ]
    .map(Event::from)
    .into()
}
