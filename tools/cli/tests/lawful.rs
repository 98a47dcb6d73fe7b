//! `verify --lawful`: what really happened is lawful, and what somebody with a key of their own wrote instead is not.

mod support;

use std::path::Path;

use actum_log::{
    APPLICATION_KIND_FIRST, ArchiveSource, Clocks, Draft, EventStore, ExtensionFields, FileSigner, Genesis,
    MemoryStore, Opening, Resume, Signer, StoredRecord, records, write_archive,
};
use actum_model::{ActorId, CaseEvent, Event, Value, payload};
use support::Place;

/// An archive whose records are those of another, each as `change` makes it, sealed anew from its genesis on.
fn forged(archive: &Path, mut change: impl FnMut(&mut CaseEvent, &mut u32) -> bool) -> Vec<u8> {
    let source = ArchiveSource::open(archive).expect("an archive");
    let signer = FileSigner::from_seed(&[9; 32]);
    let genesis = Genesis::new([4; 16], "example.com/forged", 1, signer.public_key()).expect("a genesis");
    let mut store = MemoryStore::new(genesis.to_string());
    let opening = Opening::new().expect("entropy");
    let (mut stage, mut sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, opening).expect("a new log");
    let all: Vec<StoredRecord> = records(&source, 0, 0).expect("records").collect::<Result<_, _>>().expect("records");
    // Positions move when events are left out: causes move with them.
    let mut moved = std::collections::BTreeMap::new();
    for record in &all {
        let record = record.view();
        let header = record.header();
        if header.kind < APPLICATION_KIND_FIRST {
            continue;
        }
        let (mut kind, mut schema, mut bytes) = (header.kind, header.schema, record.payload().to_vec());
        let mut actor = header.actor;
        if let Ok(Event::Case(mut event)) = payload::decode(kind, schema, &bytes) {
            if !change(&mut event, &mut actor) {
                continue;
            }
            let encoded = payload::encode_case(&event);
            (kind, schema, bytes) = (encoded.kind, encoded.schema, encoded.bytes);
        }
        // What the log itself adds at the end of a case, it adds again.
        let key = record.extensions().business_key();
        let fields = ExtensionFields { business_key: key, ..ExtensionFields::default() };
        let extensions = fields.encode().expect("a key");
        let pushed = stage
            .push(&Draft {
                stream: header.stream,
                kind,
                schema,
                terminal: false,
                actor,
                cause: header.cause.and_then(|cause| moved.get(&cause).copied()),
                time: header.time,
                extensions: extensions.as_ref(),
                payload: &bytes,
            })
            .expect("it fits");
        moved.insert(header.seq, pushed.seq);
    }
    let block = stage.close(Clocks::default()).expect("events");
    store.commit(&[sealer.seal(block, &signer).expect("a seal")]).expect("a store");
    let mut bytes = Vec::new();
    write_archive(&store, &mut bytes).expect("an archive");
    bytes
}

/// A played log, and its archive.
fn place() -> Place {
    let place = Place::new();
    place.good("run manual.yaml --cases 5 --play 3 --data d");
    place.good("export --format log -O d.actum --data d");
    place
}

#[test]
fn what_an_engine_wrote_is_lawful() {
    let place = place();
    for of in ["--data d", "d.actum"] {
        let text = place.good(&format!("verify --lawful {of}"));
        assert!(text.contains("\nlawful: "), "{text}");
        assert!(text.contains("5 cases"), "{text}");
        let json = place.json(&format!("verify --lawful -o json {of}"));
        assert_eq!(json["lawfulness"]["lawful"], true, "{json}");
        assert_eq!(json["lawfulness"]["cases"], 5, "{json}");
    }
    assert!(!place.good("verify --data d").contains("lawful"));
    // Written again by somebody else, and not changed.
    place.write("same.actum", forged(&place.path("d.actum"), |_, _| true));
    place.good("verify --lawful same.actum");
}

#[test]
fn what_somebody_with_a_key_made_up_is_not() {
    type Forge = fn(&mut CaseEvent, &mut u32) -> bool;
    let forgeries: [(&str, &str, Forge); 5] = [
        ("another result", "law/", |event, _| {
            if let CaseEvent::WorkCompleted { changes, .. } = event {
                changes.iter_mut().for_each(|change| change.value = Value::Bool(change.value != Value::Bool(true)));
            }
            true
        }),
        ("another person", "law/", |event, actor| {
            if matches!(event, CaseEvent::WorkCompleted { .. } | CaseEvent::WorkStarted { .. }) && *actor != 0 {
                *actor = if *actor == 1 { 2 } else { 1 };
            }
            true
        }),
        ("somebody who is not known", "law/who", |event, actor| {
            if matches!(event, CaseEvent::WorkAllocated { .. }) {
                *actor = 77;
            }
            true
        }),
        ("the offer left out", "law/", |event, _| !matches!(event, CaseEvent::WorkOffered { .. })),
        ("given to another", "law/who", |event, _| {
            if let CaseEvent::WorkAllocated { to, .. } = event {
                *to = ActorId(if to.0 == 1 { 2 } else { 1 });
            }
            true
        }),
    ];
    let place = place();
    for (what, rule, change) in forgeries {
        place.write("forged.actum", forged(&place.path("d.actum"), change));
        place.good("verify forged.actum");
        let ran = place.run("verify --lawful forged.actum");
        assert_eq!(ran.code, 7, "{what}: {}{}", ran.text(), ran.err);
        assert!(ran.text().contains("UNLAWFUL") && ran.text().contains(rule), "{what}: {}", ran.text());
        std::fs::remove_file(place.path("forged.actum")).expect("it is there");
    }
}

#[test]
fn the_examples_are_lawful() {
    let place = Place::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    for (net, input) in [
        ("insurance-claim", "claims.jsonl"),
        ("incident-response", "incidents.jsonl"),
        ("loan-approval", "loans.jsonl"),
        ("order-fulfilment", "orders.jsonl"),
    ] {
        let text = std::fs::read_to_string(examples.join(input)).expect("inputs");
        let some: Vec<&str> = text.lines().take(40).collect();
        place.write("input.jsonl", some.join("\n"));
        place.run(&format!("run {}/{net}.yaml --input @input.jsonl --play 1 --data {net}", examples.display()));
        let text = place.good(&format!("verify --lawful --data {net}"));
        assert!(text.contains("\nlawful: "), "{text}");
    }
}
