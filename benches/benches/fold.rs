//! Promise: at least 3 million events/s per core folded into all projections of the engine's, from decoded events in memory.
//!
//! Each log is one that an engine wrote: 1,000 cases at a time, so that their events are as mixed as they are in production. One
//! thread folds, in the batches in which the engine feeds. Given beside it, in the same run: each projection alone, decoding of the
//! payloads alone (rkyv, checked), and both together, which is what a rebuild does after reading the log.
//!
//! `fold LOG TIMES` (`automatic`, `people`) folds that log so often and measures nothing: for a profiler.

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::time::Instant;

use actum::projections::{
    Audit, Cases, DeadLetters, Factory, Knowledge, Loads, PendingTimers, Recorded, RecordedEvent, Statistics, Waits,
    Worklist,
};
use actum::{ActorId, CaseId, CaseStatus, Engine, Meta, NetHash, Seq, Time, Value};
use actum_log::StoredRecord;
use actum_model::{CaseEvent, Event, payload};
use futures_util::{StreamExt, stream};

const AUTOMATIC: &str = r"
actum: 1
net: five
start: one
tasks:
  one: { handler: done, flow: two }
  two: { handler: done, flow: three }
  three: { handler: done, flow: four }
  four: { handler: done, flow: five }
  five: { handler: done, flow: end }
";
const PEOPLE: &str = r"
actum: 1
net: office
roles: { clerk: {} }
start: one
tasks:
  one: { role: clerk, flow: two }
  two: { role: clerk, flow: end }
";
/// Cases of a log, and how many of them go on at a time.
const CASES: usize = 40_000;
const AT_ONCE: usize = 1_000;
/// Times that a row is measured; the fastest counts.
const ROUNDS: usize = 7;
const PROMISE: f64 = 3e6;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let only = arguments.next();
    let times = arguments.next().and_then(|times| times.parse().ok()).unwrap_or(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    for name in ["automatic", "people"] {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let records = runtime.block_on(if name == "automatic" { log(AUTOMATIC) } else { log(PEOPLE) });
        let events = decode(&records);
        if only.is_some() {
            (0..times).for_each(|_| fold(&events, &all()));
        } else {
            measure(name, &records, &events);
        }
    }
}

fn all() -> Vec<Factory> {
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

fn measure(name: &str, records: &[StoredRecord], events: &[RecordedEvent]) {
    println!("log of {CASES} {name} cases, {} events", events.len());
    let row = |what: &str, seconds: f64| {
        let rate = events.len() as f64 / seconds;
        println!("  {what:<34} {:>8.1} ns/event {:>8.2} M events/s", 1e9 / rate, rate / 1e6);
        rate
    };
    for factory in all() {
        row(factory.name(), fastest(|| fold(events, std::slice::from_ref(&factory))));
    }
    let rate = row("all projections (promise: 3 M)", fastest(|| fold(events, &all())));
    row("decoding payloads", fastest(|| drop(black_box(decode(records)))));
    row("decoding, then all projections", fastest(|| fold(&decode(records), &all())));
    println!("  {}", if rate >= PROMISE { "the promise is kept" } else { "THE PROMISE IS NOT KEPT" });
}

fn fastest(mut round: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let begin = Instant::now();
        round();
        begin.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Into new ones each time; what they hold is dropped within the time.
fn fold(events: &[RecordedEvent], factories: &[Factory]) {
    let projections: Vec<_> = factories.iter().map(Factory::make).collect();
    for events in events.chunks(256) {
        // As the engine does: what is fed is made once, whoever takes it in.
        let batch: Vec<Recorded<'_>> = events.iter().map(RecordedEvent::recorded).collect();
        projections.iter().for_each(|projection| projection.feed(&batch));
    }
    black_box(projections);
}

fn decode(records: &[StoredRecord]) -> Vec<RecordedEvent> {
    let mut nets: HashMap<u64, NetHash, rustc_hash::FxBuildHasher> = HashMap::default();
    let decoded = records.iter().filter(|record| record.header().kind >= actum_log::APPLICATION_KIND_FIRST);
    decoded
        .map(|record| {
            let header = record.header();
            let event = payload::decode(header.kind, header.schema, record.view().payload()).expect("it is an event");
            if let Event::Case(CaseEvent::CaseStarted { net, .. }) = &event {
                nets.insert(header.stream, *net);
            }
            RecordedEvent {
                stream: header.stream,
                kind: header.kind,
                meta: Meta {
                    seq: Seq(header.seq),
                    version: header.version,
                    time: Time(header.time),
                    actor: ActorId(header.actor),
                    cause: header.cause.map(Seq),
                },
                net: nets.get(&header.stream).copied().unwrap_or_default(),
                key: None,
                waits: false,
                event,
            }
        })
        .collect()
}

/// The records that an engine writes which runs all cases of a net.
async fn log(net: &str) -> Vec<StoredRecord> {
    let engine = Engine::in_memory().handler_fn("done", |_| Ok(Value::Null)).open().await.expect("the engine opens");
    let net = engine.deploy(net).await.expect("the net is sound").0.hash;
    let clerk = engine.register("ana", &["clerk"]).await.expect("she is registered");
    for _ in 0..CASES / AT_ONCE {
        let cases = (0..AT_ONCE).map(|_| engine.start_case(net, None, BTreeMap::new()));
        let cases: Vec<CaseId> =
            stream::iter(cases).buffer_unordered(AT_ONCE).map(|started| started.expect("a start").case).collect().await;
        engine.settled().await;
        while engine.row(cases[0]).is_some_and(|row| row.status == CaseStatus::Open) {
            let work = cases.iter().map(|case| work(&engine, *case, clerk));
            stream::iter(work).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
        }
    }
    engine.settled().await;
    assert_eq!(engine.cases().count(CaseStatus::Completed), CASES, "every case must be complete");
    let last = engine.position().expect("events");
    let mut log = engine.subscribe(Seq(0));
    let mut records = Vec::new();
    while log.position() <= last {
        records.push(log.next().await.expect("the log can be read").expect("there is more"));
    }
    records
}

/// Does what a case has for somebody.
async fn work(engine: &Engine, case: CaseId, clerk: ActorId) {
    for row in engine.worklist().of_case(case) {
        engine.take(case, row.item, clerk).await.expect("it is offered");
        engine.start(case, row.item, clerk).await.expect("it is hers");
        engine.complete(case, row.item, clerk, Value::Map(BTreeMap::new())).await.expect("it is begun");
    }
}
