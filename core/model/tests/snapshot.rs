//! Saved state: the same state gives the same bytes, bytes that decode encode to themselves, and no bytes do harm.

use std::collections::BTreeMap;

use actum_model::snapshot::{SnapshotError, decode_case, decode_directory, encode_case, encode_directory};
use actum_model::{
    Absence, ActorId, Case, CaseEvent, CaseId, Change, ConditionIx, Day, Directory, Figures, FrameId, Group, Instance,
    ItemId, Meta, NetHash, OrganisationEvent, Position, RoleIx, Seq, Shift, SubnetIx, SystemEvent, TaskIx, Time, Value,
    VariableIx,
};
use proptest::prelude::*;

fn saved(case: &Case) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_case(case, &mut bytes);
    bytes
}

fn saved_directory(directory: &Directory) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_directory(directory, &mut bytes);
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fold(events: Vec<(CaseEvent, u32)>) -> Case {
    let mut case = Case::unborn(CaseId(300));
    for (index, (event, actor)) in events.into_iter().enumerate() {
        let version = index as u64 + 1;
        let time = Time(1_795_000_000_000_000_000 + version);
        let meta = Meta { seq: Seq(version * 130), version, time, actor: ActorId(actor), cause: None };
        case.apply(&meta, &event);
    }
    case
}

/// A case with a bit of everything.
fn full() -> Case {
    let text = |text: &str| text.to_owned();
    let change = |variable, value| Change { variable: VariableIx(variable), value };
    let (outer, inner) = (ItemId(0), ItemId(1));
    let task = TaskIx(2);
    let enabled = |item, frame, instance| CaseEvent::WorkEnabled { item, task, frame, instance };
    let each = |index, value| Some(Box::new(Instance { family: ItemId(2), index, each: value }));
    let mut events = vec![
        CaseEvent::CaseStarted {
            net: NetHash([7; 32]),
            semantics: 1,
            changes: vec![change(0, Value::Int(-3)), change(4, Value::String(text("Grüße")))],
            produced: vec![ConditionIx(0), ConditionIx(3), ConditionIx(3)],
        },
        enabled(outer, FrameId::ROOT, None),
        CaseEvent::WorkStarted { item: outer, task, consumed: vec![ConditionIx(0)] },
        CaseEvent::SubnetStarted {
            frame: FrameId(1),
            subnet: SubnetIx(1),
            item: outer,
            changes: vec![change(1, Value::Map(BTreeMap::from([(text("a"), Value::Null)])))],
            produced: vec![ConditionIx(9)],
        },
        enabled(inner, FrameId(1), None),
        CaseEvent::WorkOffered { item: inner, task, role: Some(RoleIx(1)), to: vec![ActorId(4), ActorId(200)] },
        CaseEvent::WorkAllocated { item: inner, task, to: ActorId(200) },
        CaseEvent::WorkWaiting { item: inner, task, until: Time(5) },
        CaseEvent::WorkSuspended { item: inner, task },
        CaseEvent::RestLimited { item: Some(inner), until: Time(6) },
        enabled(ItemId(2), FrameId::ROOT, None),
        enabled(ItemId(3), FrameId::ROOT, each(0, Some(Value::Bool(true)))),
        enabled(ItemId(4), FrameId::ROOT, each(1, None)),
    ];
    events.push(CaseEvent::WorkCompleted {
        item: ItemId(3),
        task,
        result: Value::Int(1),
        changes: vec![],
        produced: vec![],
    });
    let name = text("paid");
    events.push(CaseEvent::SignalReceived { name, data: Value::Int(9), kept: true, item: None });
    let (absorbed, arrived) = (vec![], vec![ConditionIx(5)]);
    events.push(CaseEvent::JoinAdvanced { frame: FrameId::ROOT, task: TaskIx(8), absorbed, arrived });
    fold(events.into_iter().map(|event| (event, 200)).collect())
}

#[test]
fn a_case_keeps_its_bytes() {
    let case = full();
    same(&hex(&saved(&case)), include_str!("../golden/snapshot-case.hex"));
    assert_eq!(decode_case(&saved(&case)), Ok(case));
}

#[test]
fn an_idle_case_is_small() {
    let events = vec![
        (CaseEvent::CaseStarted { net: NetHash([7; 32]), semantics: 1, changes: vec![], produced: vec![] }, 0),
        (CaseEvent::WorkEnabled { item: ItemId(0), task: TaskIx(1), frame: FrameId::ROOT, instance: None }, 0),
    ];
    let bytes = saved(&fold(events)).len();
    assert!(bytes <= 80, "takes {bytes} bytes");
}

#[track_caller]
fn same(found: &str, golden: &str) {
    assert_eq!(found, golden.trim(), "the form changed: give it another version");
}

fn organised() -> Directory {
    let text = |text: &str| text.to_owned();
    let registered = |actor, name: &str| SystemEvent::ActorRegistered {
        actor: ActorId(actor),
        name: text(name),
        roles: vec![text("clerk")],
    };
    let of = |change: OrganisationEvent| SystemEvent::Organisation(change);
    let (ana, ben) = (ActorId(1), ActorId(2));
    let position = Position { group: Some(text("sales")), reports_to: Some(text("boss")) };
    let absence = Absence { from: Time(5), until: Time(900), reason: text("ill") };
    let shifts = vec![Shift { day: 1, from_minute: 480, until_minute: 1_020 }];
    let closed = vec![Day(-3), Day(20_000)];
    let figures = Figures { cost_milli: 1, experience_milli: 200, speed_milli: 3, risk_milli: 4 };
    let events = [
        registered(1, "ana"),
        registered(2, "ben"),
        of(OrganisationEvent::GroupDefined { name: text("sales"), group: Group { parent: Some(text("all")) } }),
        of(OrganisationEvent::PositionDefined { name: text("head"), position }),
        of(OrganisationEvent::PositionsChanged { actor: ana, positions: vec![text("head")] }),
        of(OrganisationEvent::GroupsChanged { actor: ben, groups: vec![text("sales")] }),
        of(OrganisationEvent::CapabilitiesChanged { actor: ben, capabilities: vec![(text("french"), 3)] }),
        of(OrganisationEvent::CalendarDefined { name: text("day"), zone: text("Europe/Berlin"), shifts, closed }),
        of(OrganisationEvent::CalendarAssigned { actor: ben, calendar: Some(text("day")) }),
        of(OrganisationEvent::AbsenceAdded { actor: ana, absence }),
        of(OrganisationEvent::FiguresChanged { actor: ana, figures }),
        of(OrganisationEvent::ActivityChanged { actor: ben, active: false }),
        of(OrganisationEvent::PileChanged { net: NetHash([3; 32]), task: TaskIx(4), actor: Some(ana) }),
    ];
    let mut directory = Directory::default();
    events.iter().enumerate().for_each(|(index, event)| directory.apply_at(Seq(index as u64 * 3), event));
    directory
}

#[test]
fn a_directory_keeps_its_bytes() {
    let directory = organised();
    same(&hex(&saved_directory(&directory)), include_str!("../golden/snapshot-directory.hex"));
    assert_eq!(decode_directory(&saved_directory(&directory)), Ok(directory));
    assert_eq!(decode_directory(&saved_directory(&Directory::default())), Ok(Directory::default()));
}

#[test]
fn another_version_is_refused() {
    let (mut case, mut directory) = (saved(&full()), saved_directory(&organised()));
    (case[0], directory[0]) = (9, 9);
    assert_eq!(decode_case(&case), Err(SnapshotError::Version { found: 9, expected: 2 }));
    assert_eq!(decode_directory(&directory), Err(SnapshotError::Version { found: 9, expected: 1 }));
}

#[test]
fn what_is_cut_or_flipped_never_does_harm() {
    let (case, directory) = (saved(&full()), saved_directory(&organised()));
    for length in 0..case.len() {
        assert!(decode_case(&case[..length]).is_err(), "{length} bytes decode");
    }
    for length in 0..directory.len() {
        assert!(decode_directory(&directory[..length]).is_err(), "{length} bytes decode");
    }
    for bit in 0..case.len() * 8 {
        let mut flipped = case.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = decode_case(&flipped) {
            assert_eq!(saved(&other), flipped, "bit {bit}");
        }
    }
    for bit in 0..directory.len() * 8 {
        let mut flipped = directory.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = decode_directory(&flipped) {
            assert_eq!(saved_directory(&other), flipped, "bit {bit}");
        }
    }
}

fn any_event() -> impl Strategy<Value = (CaseEvent, u32)> {
    let ids = (0_u32..5, 0_u32..4, 0_u32..3, 0_u32..6);
    (0_u8..21, ids, any::<bool>()).prop_map(|(kind, (item, task, frame, other), flag)| {
        let (item, task, frame) = (ItemId(item), TaskIx(task), FrameId(frame));
        let conditions = || vec![ConditionIx(other), ConditionIx(other / 2)];
        let changes = || vec![Change { variable: VariableIx(other), value: Value::Int(i64::from(other)) }];
        let event = match kind {
            0 => CaseEvent::CaseStarted {
                net: NetHash([2; 32]),
                semantics: 3,
                changes: changes(),
                produced: conditions(),
            },
            1 => CaseEvent::WorkEnabled { item, task, frame, instance: None },
            2 => {
                let instance = Instance { family: ItemId(other), index: task.0, each: flag.then_some(Value::Null) };
                CaseEvent::WorkEnabled { item, task, frame, instance: Some(Box::new(instance)) }
            }
            3 => CaseEvent::WorkOffered { item, task, role: flag.then_some(RoleIx(other)), to: vec![ActorId(other)] },
            4 => CaseEvent::WorkAllocated { item, task, to: ActorId(other) },
            5 => CaseEvent::WorkStarted { item, task, consumed: conditions() },
            6 => CaseEvent::WorkCompleted {
                item,
                task,
                result: Value::Bool(flag),
                changes: changes(),
                produced: conditions(),
            },
            7 => CaseEvent::WorkFailed { item, task, code: String::new(), message: String::new() },
            8 => CaseEvent::WorkSuspended { item, task },
            9 => CaseEvent::WorkResumed { item, task },
            10 => CaseEvent::WorkWaiting { item, task, until: Time(u64::from(other)) },
            11 => CaseEvent::SubnetStarted {
                frame,
                subnet: SubnetIx(1),
                item,
                changes: changes(),
                produced: conditions(),
            },
            12 => CaseEvent::SubnetEnded { frame, item, completed: flag },
            13 => CaseEvent::JoinAdvanced {
                frame,
                task,
                absorbed: conditions(),
                arrived: if flag { conditions() } else { vec![] },
            },
            14 => CaseEvent::SignalReceived {
                name: "s".to_owned(),
                data: Value::Null,
                kept: true,
                item: flag.then_some(item),
            },
            15 => CaseEvent::InstancesPassed {
                item,
                task,
                result: Value::Null,
                changes: changes(),
                produced: conditions(),
            },
            16 => CaseEvent::WorkWithdrawn { item, task },
            17 => CaseEvent::CaseDeadlocked,
            18 => CaseEvent::WorkForced { item, task, reason: String::new(), consumed: conditions() },
            19 => CaseEvent::RestLimited { item: flag.then_some(item), until: Time(9) },
            _ => CaseEvent::CaseSuspended,
        };
        (event, other)
    })
}

proptest! {
    /// Of whatever events, in whatever order: lawful or not.
    #[test]
    fn decoding_undoes_encoding(events in prop::collection::vec(any_event(), 0..40)) {
        let case = fold(events);
        prop_assert_eq!(decode_case(&saved(&case)), Ok(case));
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let bytes = [&[1][..], &bytes].concat();
        if let Ok(case) = decode_case(&bytes) {
            prop_assert_eq!(saved(&case), bytes.clone());
        }
        if let Ok(directory) = decode_directory(&bytes) {
            prop_assert_eq!(saved_directory(&directory), bytes);
        }
    }
}
