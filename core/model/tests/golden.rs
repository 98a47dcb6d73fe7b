//! Stored payloads, byte for byte: what was written once must decode for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use actum_model::payload::{self, PAYLOAD_TYPES};
use actum_model::{
    ActorId, CaseEvent, Change, ConditionIx, Decimal, Event, ItemId, NetHash, RoleIx, SystemEvent, TaskIx, Time, Value,
    VariableIx,
};

/// One event of every kind, with every kind of value among them.
fn samples() -> Vec<Event> {
    let (item, task) = (ItemId(7), TaskIx(3));
    let text = |text: &str| text.to_owned();
    let changes = vec![
        Change { variable: VariableIx(0), value: Value::Null },
        Change { variable: VariableIx(1), value: Value::Bool(true) },
        Change { variable: VariableIx(2), value: Value::Int(-5_000_000_000) },
        Change { variable: VariableIx(3), value: Value::Double(1.5) },
        Change { variable: VariableIx(4), value: Value::Decimal(Decimal { mantissa: 1999, scale: 2 }) },
        Change { variable: VariableIx(5), value: Value::String(text("Grüße")) },
        Change { variable: VariableIx(6), value: Value::Bytes(vec![0, 255]) },
        Change { variable: VariableIx(7), value: Value::Time(Time(1_795_000_000_000_000_001)) },
        Change { variable: VariableIx(8), value: Value::List(vec![Value::Int(1), Value::Null]) },
        Change {
            variable: VariableIx(9),
            value: Value::Map(BTreeMap::from([(text("bb"), Value::Int(1)), (text("a"), Value::Int(2))])),
        },
    ];
    let produced = vec![ConditionIx(0), ConditionIx(9)];
    vec![
        CaseEvent::CaseStarted { net: NetHash([9; 32]), semantics: 1, changes, produced: produced.clone() }.into(),
        CaseEvent::CaseCompleted.into(),
        CaseEvent::CaseCancelled { reason: text("changed my mind") }.into(),
        CaseEvent::CaseDeadlocked.into(),
        CaseEvent::CaseFailed { code: text("case/livelock"), message: text("too many") }.into(),
        CaseEvent::WorkEnabled { item, task }.into(),
        CaseEvent::WorkOffered { item, task, role: RoleIx(1), to: vec![ActorId(4)] }.into(),
        CaseEvent::WorkAllocated { item, task, to: ActorId(4) }.into(),
        CaseEvent::WorkStarted { item, task, consumed: vec![ConditionIx(2)] }.into(),
        CaseEvent::WorkCompleted {
            item,
            task,
            result: Value::Map(BTreeMap::from([(text("ok"), Value::Bool(false))])),
            changes: vec![Change { variable: VariableIx(1), value: Value::Int(0) }],
            produced,
        }
        .into(),
        CaseEvent::WorkFailed { item, task, code: text("payment/declined"), message: text("no") }.into(),
        CaseEvent::WorkRetried { item, task, attempt: 2 }.into(),
        CaseEvent::WorkWithdrawn { item, task }.into(),
        CaseEvent::WorkCancelled { item, task }.into(),
        SystemEvent::EngineOpened { software: text("actum 0.1.0"), blocks: 1, events: 2, unacknowledged_blocks: 3 }
            .into(),
        SystemEvent::NetDeployed { net: NetHash([8; 32]), name: text("n"), canonical: b"{}".to_vec() }.into(),
        SystemEvent::ActorRegistered { actor: ActorId(1), name: text("ana"), roles: vec![text("clerk")] }.into(),
        SystemEvent::ActorRolesChanged { actor: ActorId(1), roles: vec![] }.into(),
        SystemEvent::SchemaDescribed { kind: 512, schema: 1, name: text("CaseStarted"), layout: text("...") }.into(),
    ]
}

fn line(event: &Event) -> String {
    let encoded = payload::encode(event);
    let hex: String = encoded.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} {} {hex}", encoded.kind, encoded.schema)
}

#[test]
fn stored_bytes_never_change() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/payloads-1.txt");
    let now: Vec<String> = samples().iter().map(line).collect();
    if std::env::var_os("ACTUM_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, now.join("\n") + "\n").unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    assert_eq!(golden.lines().collect::<Vec<_>>(), now);
}

#[test]
fn every_payload_type_is_among_the_samples_and_reads_back() {
    let mut seen = BTreeSet::new();
    for event in samples() {
        let encoded = payload::encode(&event);
        assert_eq!(payload::decode(encoded.kind, encoded.schema, &encoded.bytes).as_ref(), Ok(&event));
        seen.insert((encoded.kind, encoded.schema));
    }
    let known: BTreeSet<_> = PAYLOAD_TYPES.iter().map(|known| (known.kind, known.schema)).collect();
    assert_eq!(seen, known);
}

/// Bytes of any other kind give an error or another event, and never a panic.
#[test]
fn damaged_payloads_do_not_panic() {
    for event in samples() {
        let encoded = payload::encode(&event);
        for at in 0..encoded.bytes.len() {
            for mask in [0x01, 0x80, 0xff] {
                let mut bytes = encoded.bytes.clone();
                bytes[at] ^= mask;
                let _decoded = payload::decode(encoded.kind, encoded.schema, &bytes);
                let _shorter = payload::decode(encoded.kind, encoded.schema, &bytes[..at]);
            }
        }
        for known in PAYLOAD_TYPES {
            let _other = payload::decode(known.kind, known.schema, &encoded.bytes);
        }
    }
    assert!(payload::decode(999, 1, &[]).is_err() && payload::decode(512, 2, &[]).is_err());
}
