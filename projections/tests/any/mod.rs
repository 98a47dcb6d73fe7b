//! Any events at all, and every projection to feed them to.

use actum_model::{ActorId, CaseEvent, CaseId, FrameId, ItemId, NetHash, RoleIx, SystemEvent, TaskIx, Time, Value};
use actum_projections::kit::Given;
use actum_projections::{
    Audit, Cases, DeadLetters, Factory, History, Knowledge, Loads, PendingTimers, Statistics, Waits, Worklist,
};
use proptest::prelude::*;

/// Every projection of this room.
pub(crate) fn all() -> Vec<Factory> {
    vec![
        Factory::new(Cases::default),
        Factory::new(Worklist::default),
        Factory::new(Waits::default),
        Factory::new(DeadLetters::default),
        Factory::new(Loads::default),
        Factory::new(PendingTimers::default),
        Factory::new(Audit::default),
        Factory::new(Statistics::default),
        Factory::new(Knowledge::default),
    ]
}

/// Histories of a few cases, nets, items and people, mostly of what no net would do: projections are total.
pub(crate) fn any_history() -> impl Strategy<Value = History> {
    let step = (0_u8..34, 1_u64..6, 0_u32..4, 0_u32..3, 0_u32..4, 0_u64..200_000_000_000);
    prop::collection::vec(step, 0..120).prop_map(|steps| {
        let mut given = Given::new(net(0)).step(0);
        for (kind, case, item, task, actor, ns) in steps {
            let case = CaseId(case);
            // A case keeps its net.
            given = given.net(net(case.0 as u8 % 2)).by(ActorId(actor)).after(ns).waiting(kind.is_multiple_of(2));
            given = match event(kind, case, ItemId(item), TaskIx(task), ActorId(actor), Time(ns)) {
                Some(event) if kind == 0 => given.case(case, "key", [event]),
                Some(event) => given.given(case, [event]),
                None => {
                    let (software, roles) = (String::new(), vec![]);
                    let registered = SystemEvent::ActorRegistered { actor: ActorId(actor), name: software, roles };
                    given.system((1 << 63) + 4, registered)
                }
            };
        }
        given.history()
    })
}

fn net(number: u8) -> NetHash {
    NetHash([number; 32])
}

fn event(kind: u8, case: CaseId, item: ItemId, task: TaskIx, actor: ActorId, time: Time) -> Option<CaseEvent> {
    let no = Vec::new;
    Some(match kind {
        0 => CaseEvent::CaseStarted { net: net(case.0 as u8 % 2), semantics: 1, changes: vec![], produced: no() },
        1 => CaseEvent::CaseCompleted,
        2 => CaseEvent::CaseCancelled { reason: String::new() },
        3 => CaseEvent::CaseDeadlocked,
        4 => CaseEvent::CaseFailed { code: String::new(), message: String::new() },
        5 => CaseEvent::CaseSuspended,
        6 => CaseEvent::CaseResumed,
        7 | 30 => CaseEvent::WorkEnabled { item, task, frame: FrameId::ROOT, instance: None },
        8 => CaseEvent::WorkOffered { item, task, role: Some(RoleIx(task.0)), to: vec![] },
        9 => CaseEvent::WorkOffered { item, task, role: None, to: vec![actor, ActorId(9)] },
        10 | 31 => CaseEvent::WorkAllocated { item, task, to: actor },
        11 | 32 => CaseEvent::WorkStarted { item, task, consumed: no() },
        12 | 33 => CaseEvent::WorkCompleted { item, task, result: Value::Null, changes: vec![], produced: no() },
        13 => CaseEvent::WorkFailed { item, task, code: "x".to_owned(), message: String::new() },
        14 => CaseEvent::WorkRetried { item, task, attempt: 2 },
        15 => CaseEvent::WorkWithdrawn { item, task },
        16 => CaseEvent::WorkCancelled { item, task, produced: no() },
        17 => CaseEvent::WorkSuspended { item, task },
        18 => CaseEvent::WorkResumed { item, task },
        19 => CaseEvent::WorkTimedOut { item, task },
        20 => CaseEvent::WorkSkipped { item, task, consumed: no(), changes: vec![], produced: no() },
        21 => CaseEvent::WorkPutBack { item, task },
        22 => CaseEvent::WorkDelegated { item, task, to: actor, keep_state: time.0.is_multiple_of(2) },
        23 => CaseEvent::WorkEscalated { item, task, to: Some(actor), reason: String::new() },
        24 => CaseEvent::WorkWaiting { item, task, until: time },
        25 => CaseEvent::WorkRetryScheduled { item, task, attempt: 2, at: time, seed: 0 },
        26 => CaseEvent::WorkDeadLettered { item, task, attempts: 3, reason: "attempts".to_owned() },
        27 => CaseEvent::CaseWaiting { until: time },
        28 => CaseEvent::CaseTimedOut,
        _ => return None,
    })
}
