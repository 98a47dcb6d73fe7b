//! Events of the constructs beyond plain nets: frames, instances, partial joins, cancellation, signals, exceptions.

use actum_model::{
    ActorId, CaseEvent, Change, ConditionIx, Event, ExceptionKind, FrameId, Instance, ItemId, Seq, SubnetIx, TaskIx,
    Time, Value, VariableIx,
};

pub(crate) fn samples() -> Vec<Event> {
    let (item, task, frame) = (ItemId(7), TaskIx(3), FrameId(2));
    let text = |text: &str| text.to_owned();
    let changes = || vec![Change { variable: VariableIx(4), value: Value::Int(9) }];
    let conditions = || vec![ConditionIx(5), ConditionIx(5)];
    let instance = |each| Some(Box::new(Instance { family: ItemId(6), index: 3, each }));
    let events = vec![
        CaseEvent::CaseSuspended,
        CaseEvent::CaseResumed,
        CaseEvent::SubnetStarted { frame, subnet: SubnetIx(1), item, changes: changes(), produced: conditions() },
        CaseEvent::SubnetEnded { frame, item, completed: true },
        CaseEvent::JoinAdvanced { frame, task, absorbed: conditions(), arrived: vec![ConditionIx(5)] },
        CaseEvent::TokensCancelled { frame, task, removed: vec![(ConditionIx(5), 2), (ConditionIx(6), 1)] },
        CaseEvent::SignalReceived { name: text("paid"), data: Value::Int(3), kept: true, item: None },
        CaseEvent::SignalReceived { name: text("paid"), data: Value::Null, kept: false, item: Some(item) },
        CaseEvent::ExceptionRaised {
            item: Some(item),
            kind: ExceptionKind::External,
            name: text("fire"),
            message: text("evacuate"),
            answer: text("remove"),
        },
        CaseEvent::WorkEnabled { item, task, frame, instance: None },
        CaseEvent::WorkEnabled { item, task, frame: FrameId::ROOT, instance: instance(None) },
        CaseEvent::WorkEnabled { item, task, frame, instance: instance(Some(Value::String(text("a")))) },
        CaseEvent::WorkOffered { item, task, role: None, to: vec![ActorId(2), ActorId(4)] },
        CaseEvent::WorkCancelled { item, task, produced: vec![ConditionIx(8)] },
        CaseEvent::InstancesPassed {
            item,
            task,
            result: Value::List(vec![Value::Int(1)]),
            changes: changes(),
            produced: conditions(),
        },
        CaseEvent::WorkSuspended { item, task },
        CaseEvent::WorkResumed { item, task },
        CaseEvent::WorkTimedOut { item, task },
        CaseEvent::WorkSkipped { item, task, consumed: conditions(), changes: changes(), produced: vec![] },
        CaseEvent::WorkPutBack { item, task },
        CaseEvent::WorkDelegated { item, task, to: ActorId(4), keep_state: true },
        CaseEvent::WorkEscalated { item, task, to: Some(ActorId(4)), reason: text("late") },
        CaseEvent::AllocationDecided {
            item,
            task,
            directory: Seq(12),
            strategy: text("shortest-queue"),
            seed: 0,
            candidates: [ActorId(1), ActorId(4)].into_iter().collect(),
            rules: vec![(text("role"), [ActorId(2)].into_iter().collect())],
            scores: vec![(ActorId(1), 3), (ActorId(4), -1)],
            chosen: Some(ActorId(4)),
        },
        CaseEvent::WorkWaiting { item, task, until: Time(1_795_000_000_000_000_001) },
    ];
    events.into_iter().map(Event::from).collect()
}
