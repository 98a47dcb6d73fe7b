//! Events of timers, messages, starts and undoing.

use actum_model::{
    CaseEvent, Change, ConditionIx, Event, FrameId, Goal, ItemId, MessageEvent, NetHash, Seq, StartEvent, SystemEvent,
    TaskIx, Time, Value, VariableIx,
};

pub(crate) fn samples() -> Vec<Event> {
    let (item, task, at) = (ItemId(7), TaskIx(3), Time(1_795_000_000_000_000_001));
    let text = |text: &str| text.to_owned();
    let changes = || vec![Change { variable: VariableIx(4), value: Value::String(text("seat 12")) }];
    let marked = || vec![(ConditionIx(2), 1), (ConditionIx(5), 3)];
    let events = vec![
        CaseEvent::CaseTriggered { start: text("nightly"), due: Some(at), message: None },
        CaseEvent::CaseTriggered { start: text("order"), due: None, message: Some(Seq(90)) },
        CaseEvent::CaseWaiting { until: at },
        CaseEvent::CaseTimedOut,
        CaseEvent::TimerFiredLate { item: Some(item), due: at },
        CaseEvent::TimerFiredLate { item: None, due: at },
        CaseEvent::MessageAwaited { item, task, name: text("payment"), key: text("order 7") },
        CaseEvent::MessageReceived { item, task, message: Seq(91), name: text("payment"), data: Value::Int(12) },
        CaseEvent::CompensationNoted { item, task, frame: FrameId(2), by: TaskIx(9) },
        CaseEvent::CompensationBegun { goal: Goal::GoOn, items: vec![], removed: vec![] },
        CaseEvent::CompensationBegun { goal: Goal::End, items: vec![ItemId(7), ItemId(3)], removed: marked() },
        CaseEvent::CompensationBegun { goal: Goal::Savepoint(text("booked")), items: vec![ItemId(7)], removed: vec![] },
        CaseEvent::CompensationBegun { goal: Goal::Remove(item), items: vec![ItemId(7)], removed: vec![] },
        CaseEvent::WorkCompensating { item: ItemId(12), task: TaskIx(9), of: item },
        CaseEvent::SavepointReached {
            name: text("booked"),
            marked: marked(),
            arrived: vec![(task, vec![ConditionIx(1)])],
            variables: changes(),
        },
        CaseEvent::SavepointRestored { name: text("booked"), marked: marked(), changes: changes() },
    ];
    let net = NetHash([8; 32]);
    let system = [
        SystemEvent::Start(StartEvent::Skipped { net, start: text("nightly"), until: at, count: 3 }),
        SystemEvent::Start(StartEvent::Refused {
            net,
            start: text("nightly"),
            due: Some(at),
            message: None,
            code: text("case/missing-input"),
            reason: text("no"),
        }),
        SystemEvent::Message(MessageEvent::Published {
            name: text("payment"),
            key: text("order 7"),
            id: Some(text("a1")),
            data: Value::List(vec![Value::Int(12)]),
            to_all: true,
            keep_until: Some(at),
            pending: true,
        }),
        SystemEvent::Message(MessageEvent::Published {
            name: text("payment"),
            key: text(""),
            id: None,
            data: Value::Null,
            to_all: false,
            keep_until: None,
            pending: false,
        }),
        SystemEvent::Message(MessageEvent::Dropped { message: Seq(91), expired: true }),
    ];
    events.into_iter().map(Event::from).chain(system.map(Event::from)).collect()
}
