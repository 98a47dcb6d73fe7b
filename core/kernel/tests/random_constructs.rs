//! What holds for nets with every construct, under every sequence of commands: no token comes from nowhere, the end is the
//! end, a rejection leaves no trace, the same question has the same answer, every event fits its net.

mod drawn;

use std::collections::BTreeMap;

use actum_kernel::{Context, OrJoins, decide, effects, fits, pending_effects};
use actum_model::{
    ActorId, Case, CaseCommand, CaseEvent, CaseId, CaseStatus, Control, Directory, Event, FrameId, ItemId, Meta, Seq,
    Time, payload,
};
use actum_net::Net;
use drawn::{command, drawn, net};
use proptest::prelude::*;

/// One event on its way into a state that it must fit.
fn lawful(net: &Net, control: &Control, event: &CaseEvent) -> Result<(), TestCaseError> {
    let ended = matches!(control.status, CaseStatus::Completed | CaseStatus::Cancelled | CaseStatus::Failed);
    prop_assert!(!ended, "{event:?} after the end");
    prop_assert!(fits(net, event), "{event:?}");
    if let Some((item, task)) = event.work()
        && !matches!(event, CaseEvent::WorkEnabled { .. })
    {
        prop_assert_eq!(control.item(item).map(|item| item.task), Some(task), "{:?}", event);
    }
    let frame = control.frame_of(event);
    let mut taken: BTreeMap<_, u32> = BTreeMap::new();
    event.consumed().iter().for_each(|condition| *taken.entry(*condition).or_default() += 1);
    for (condition, count) in taken {
        prop_assert!(control.marking.count(frame, condition) >= count, "{event:?} takes what is not there");
    }
    match event {
        CaseEvent::WorkEnabled { item, task, frame, instance } => {
            prop_assert_eq!(*item, control.next_item);
            prop_assert!(instance.is_some() || control.item_in(*frame, *task).is_none(), "one live item of a task");
        }
        CaseEvent::TokensCancelled { frame, removed, .. } => {
            prop_assert!(removed.iter().all(|(one, count)| control.marking.count(*frame, *one) >= *count));
        }
        CaseEvent::SubnetStarted { frame, item, .. } => {
            prop_assert!(*frame == control.next_frame && control.frame_of_item(*item).is_none());
        }
        CaseEvent::SubnetEnded { frame, .. } => {
            prop_assert!(!control.items.iter().any(|item| item.frame == *frame), "live work in a subnet that ends");
        }
        CaseEvent::WorkCompleted { item, .. } | CaseEvent::WorkCancelled { item, .. } => {
            prop_assert!(control.instances_of(*item).next().is_none() && control.frame_of_item(*item).is_none());
        }
        _ => {}
    }
    Ok(())
}

/// At rest: mutexes are there or held, each exactly once; whoever counts instances counts right.
fn settled(net: &Net, control: &Control) -> Result<(), TestCaseError> {
    if control.status != CaseStatus::Open {
        return Ok(());
    }
    let frames = control.frames().iter().map(|frame| (frame.id, frame.subnet));
    for (frame, subnet) in std::iter::once((FrameId::ROOT, actum_model::SubnetIx::ROOT)).chain(frames) {
        for mutex in &net.subnets[subnet.index()].mutexes {
            let passed = |item: ItemId| control.activation(item).is_some_and(|activation| activation.passed);
            let holds = |item: &&actum_model::WorkItemState| {
                item.frame == frame && item.consumed.contains(mutex) && !passed(item.id)
            };
            let held = control.items.iter().filter(holds).count() as u32;
            prop_assert_eq!(held + control.marking.count(frame, *mutex), 1);
        }
    }
    for activation in control.activations() {
        prop_assert_eq!(control.instances_of(activation.item).count() as u32, activation.active);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 3_000, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn nets_with_every_construct_move_lawfully(
        root in drawn(),
        sub in drawn(),
        orders in prop::collection::vec((0..34_u8, any::<u8>(), 0..7_i64), 1..50),
    ) {
        let net = net(&root, &sub);
        prop_assume!(net.is_some());
        let Some(net) = net else { return Ok(()) };
        let (directory, memo) = (Directory::default(), OrJoins::default());
        let mut case = Case::unborn(CaseId(1));
        let start = (CaseCommand::StartCase { input: BTreeMap::new() }, 1);
        let mut orders = orders.into_iter().enumerate();
        let mut next = Some(start);
        while let Some((command, time)) = next {
            let context = Context::new(Time(time), ActorId::ENGINE, &directory);
            let before = case.clone();
            let decided = decide(&net, &case, &command, &context);
            let with_memo = Context { or_joins: Some(&memo), ..context };
            prop_assert_eq!(&decide(&net, &case, &command, &with_memo), &decided, "what is remembered changes nothing");
            prop_assert_eq!(&before, &case);
            for one in decided.into_iter().flatten() {
                lawful(&net, &case.control, &one.event)?;
                let stored = payload::encode_case(&one.event);
                prop_assert_eq!(payload::decode(stored.kind, stored.schema, &stored.bytes), Ok(Event::Case(one.event.clone())));
                let meta = Meta { seq: Seq(case.version), version: case.version + 1, time: Time(time), actor: one.actor, cause: None };
                case.apply(&meta, &one.event);
                let _ = effects(&net, &case, &one.event);
            }
            settled(&net, &case.control)?;
            pending_effects(&net, &case).count();
            next = orders.next().map(|(index, order)| (command_at(&case, order), (index as u64 + 1) * 2_000_000_000));
        }
    }
}

fn command_at(case: &Case, order: (u8, u8, i64)) -> CaseCommand {
    command(case, order)
}
