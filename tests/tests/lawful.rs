//! Lawfulness of what the engine writes: a thousand orders through it are lawful, and forged causes and actors among them are found.

use std::collections::BTreeMap;
use std::path::Path;

use actum::{ActorId, Clock, Engine, Seq, Time, Value, VirtualClock};
use actum_log::{FileSigner, Genesis, MemoryStore, Signer};
use actum_replay::lawful::{Lawful, Report};
use actum_replay::{LoggedEvent, Names, Stream, events};
use actum_tests::Random;

const ORDERS: usize = 1_000;
/// Logs with one event changed, of each kind.
const FORGERIES: usize = 150;
/// Of forged causes and actors, so many in a hundred are found at least; `replay/LAW.md` says what the others are.
const FOUND_LEAST: usize = 80;

fn example(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/examples").join(name);
    std::fs::read_to_string(file).expect("the example is there")
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => number.as_i64().map_or(Value::Null, Value::Int),
        serde_json::Value::String(text) => Value::String(text.clone()),
        serde_json::Value::Array(list) => Value::List(list.iter().map(value).collect()),
        serde_json::Value::Object(map) => Value::Map(map.iter().map(|(key, one)| (key.clone(), value(one))).collect()),
    }
}

/// Orders go through, people do what they are offered; the log.
async fn orders(count: usize) -> MemoryStore {
    let signer: std::sync::Arc<dyn Signer> = std::sync::Arc::new(FileSigner::from_seed(&[5; 32]));
    let genesis = Genesis::new([4; 16], "example.com/orders", 0, signer.public_key()).unwrap();
    let store = MemoryStore::new(genesis.with_clock(actum_log::Clock::Simulated).to_string());
    let clock = VirtualClock::new(Time(1_000_000_000_000_000));
    let engine = Engine::on_store(store.clone(), signer).clock(clock.clone()).seed(1).open().await.unwrap();
    let net = engine.deploy(&example("order-fulfilment.yaml")).await.unwrap().0.hash;
    let mut people = Vec::new();
    for name in ["ana", "ben"] {
        people.push(engine.register(name, &["warehouse", "fraud-desk"]).await.unwrap());
    }
    for line in example("orders.jsonl").lines().cycle().take(count) {
        let input = serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap();
        // `key` is the business key.
        let input = input.iter().filter(|(name, _)| *name != "key");
        let input: BTreeMap<String, Value> = input.map(|(key, one)| (key.clone(), value(one))).collect();
        engine.start_case(net, None, input).await.unwrap();
        clock.advance_to(Time(clock.now().0 + 1_000_000_000));
    }
    for round in 0..400 {
        engine.settled().await;
        let actor = people[round % 2];
        for row in engine.offered_to(actor) {
            engine.take(row.case, row.item, actor).await.unwrap();
            engine.start(row.case, row.item, actor).await.unwrap();
            // One of the forms fits.
            let forms = [vec![("accept", Value::Bool(round % 3 > 0))], vec![("parcels", Value::Int(2))], vec![]];
            for form in forms {
                let form = form.into_iter().map(|(name, one)| (name.to_owned(), one)).collect();
                engine.complete(row.case, row.item, actor, Value::Map(form)).await.ok();
            }
            clock.advance_to(Time(clock.now().0 + 1_000_000));
        }
        clock.advance_to(Time(clock.now().0 + 3_600_000_000_000));
        let is_open = |row: &actum::CaseRow| row.status == actum::CaseStatus::Open;
        if engine.cases().select(is_open).is_empty() {
            break;
        }
    }
    engine.close().await.unwrap();
    store
}

/// All events, with the names as of each.
fn read(store: &MemoryStore) -> Vec<(LoggedEvent, Names)> {
    let mut all = Vec::new();
    let mut events = events(store).unwrap();
    while let Some(event) = events.next() {
        all.push((event.unwrap(), events.names().clone()));
    }
    all
}

fn judged<'a>(log: impl Iterator<Item = (&'a LoggedEvent, &'a Names)>) -> Report {
    let mut lawful = Lawful::default();
    log.for_each(|(event, names)| lawful.take(event.clone(), names));
    lawful.finish()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_orders_are_lawful() {
    let store = orders(ORDERS).await;
    let log = read(&store);
    let report = judged(log.iter().map(|(event, names)| (event, names)));
    assert!(report.is_lawful(), "{:#?}", report.findings);
    assert_eq!(report.cases, ORDERS as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_causes_and_actors_among_orders_are_found() {
    let log = read(&orders(20).await);
    let mut random = Random::new(actum_tests::seed());
    let of_cases: Vec<usize> = (0..log.len()).filter(|at| matches!(log[*at].0.stream, Stream::Case(_))).collect();
    let mut share = |what: &str, forge: &dyn Fn(&mut LoggedEvent, &mut Random) -> bool| {
        let (mut made, mut found) = (0, 0);
        let mut missed: BTreeMap<String, u32> = BTreeMap::new();
        while made < FORGERIES {
            let at = *random.pick(&of_cases);
            let mut forged = log[at].0.clone();
            if !forge(&mut forged, &mut random) {
                continue;
            }
            made += 1;
            let events = log
                .iter()
                .enumerate()
                .map(|(index, (event, names))| (if index == at { &forged } else { event }, names));
            if judged(events).is_lawful() {
                let kind: String = format!("{:?}", forged.fact).chars().take(34).collect();
                *missed.entry(kind).or_default() += 1;
            } else {
                found += 1;
            }
        }
        println!("{what}: {found} of {made} found; missed: {missed:?}");
        assert!(found * 100 >= made * FOUND_LEAST, "{what}: {found} of {made}; missed: {missed:?}");
    };
    share("causes", &|event, random| {
        let Some(cause) = event.meta.cause else { return false };
        event.meta.cause = Some(Seq(cause.0 - 1 - random.below(3) as u64));
        true
    });
    share("actors", &|event, random| {
        let other = ActorId(random.below(3) as u32);
        std::mem::replace(&mut event.meta.actor, other) != other
    });
}
