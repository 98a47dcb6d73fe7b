//! Stored payloads, byte for byte: what was written once must decode for ever.

mod construct;
mod control;
mod durable;
mod organisation;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use actum_model::payload::{self, PAYLOAD_TYPES};
use actum_model::{
    ActorId, CaseEvent, Change, ConditionIx, Decimal, Event, FrameId, ItemId, NetHash, ReplacedHead, RestoreSource,
    RoleIx, SavedEvent, SystemEvent, TaskIx, Time, Value, VariableIx,
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
        CaseEvent::WorkEnabled { item, task, frame: FrameId::ROOT, instance: None }.into(),
        CaseEvent::WorkOffered { item, task, role: Some(RoleIx(1)), to: vec![ActorId(4)] }.into(),
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
        CaseEvent::WorkCancelled { item, task, produced: vec![] }.into(),
        opened(4, 5).into(),
        restored(None).into(),
        restored(Some(ReplacedHead { size: 9, block: 4, block_hash: [6; 32] })).into(),
        SystemEvent::NetDeployed { net: NetHash([8; 32]), name: text("n"), canonical: b"{}".to_vec() }.into(),
        SystemEvent::ActorRegistered { actor: ActorId(1), name: text("ana"), roles: vec![text("clerk")] }.into(),
        SystemEvent::ActorRolesChanged { actor: ActorId(1), roles: vec![] }.into(),
        SystemEvent::SchemaDescribed { kind: 512, schema: 1, name: text("CaseStarted"), layout: text("...") }.into(),
    ]
    .into_iter()
    .chain(organisation::samples())
    .chain(construct::samples())
    .chain(durable::samples())
    .chain(saved())
    .chain(policy::samples())
    .chain(control::samples())
    .collect()
}

/// Saved state, and openings from it or from the whole log.
fn saved() -> Vec<Event> {
    let passed_over = vec![(90, "the log does not name it".to_owned())];
    [
        SavedEvent::Saved { size: 80, hash: [3; 32], bytes: 4_000, streams: 12, root: [4; 32] },
        SavedEvent::Recovered { size: 80, hash: [3; 32], reread: 15, passed_over },
        SavedEvent::Recovered { size: 0, hash: [0; 32], reread: 95, passed_over: vec![] },
    ]
    .map(|event| SystemEvent::Saved(event).into())
    .into()
}

fn opened(dropped_bytes: u64, torn_heads: u32) -> SystemEvent {
    let software = "actum 0.1.0".to_owned();
    SystemEvent::EngineOpened { software, blocks: 1, events: 2, unacknowledged_blocks: 3, dropped_bytes, torn_heads }
}

fn restored(replaced: Option<ReplacedHead>) -> SystemEvent {
    let source = if replaced.is_some() { RestoreSource::Directory } else { RestoreSource::Archive };
    SystemEvent::LogRestored { source, size: 7, block: 3, block_hash: [5; 32], replaced }
}

/// What older versions of the software wrote, and what it means now.
fn superseded() -> Vec<Event> {
    vec![opened(0, 0).into()]
}

fn golden(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)).unwrap()
}

fn parse(line: &str) -> (u16, u16, Vec<u8>) {
    let mut words = line.split(' ');
    let mut number = || words.next().unwrap().parse().unwrap();
    let (kind, schema) = (number(), number());
    let hex = words.next().unwrap();
    let bytes = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap());
    (kind, schema, bytes.collect())
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
    assert_eq!(golden("payloads-1.txt").lines().collect::<Vec<_>>(), now);
}

#[test]
fn what_is_no_longer_written_still_reads() {
    let golden = golden("payloads-superseded.txt");
    assert_eq!(golden.lines().count(), superseded().len());
    for (line, event) in golden.lines().zip(superseded()) {
        let (kind, schema, bytes) = parse(line);
        assert_eq!(payload::decode(kind, schema, &bytes), Ok(event), "kind {kind}, schema {schema}");
        assert!(PAYLOAD_TYPES.iter().any(|known| (known.kind, known.schema) == (kind, schema) && !known.is_written()));
    }
}

#[test]
fn every_payload_type_is_among_the_samples_and_reads_back() {
    let mut seen = BTreeSet::new();
    for event in samples() {
        let encoded = payload::encode(&event);
        assert_eq!(payload::decode(encoded.kind, encoded.schema, &encoded.bytes).as_ref(), Ok(&event));
        seen.insert((encoded.kind, encoded.schema));
    }
    seen.extend(golden("payloads-superseded.txt").lines().map(|line| {
        let (kind, schema, _) = parse(line);
        (kind, schema)
    }));
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
