//! Promise: a log of 10 million events opens within 10 s, and within 1 s from saved state; saving it holds the partition up for at
//! most 5 ms. Compared with, in the same run: opening without saved state, and answers while nothing is saved.
//!
//! `ACTUM_BENCH_EVENTS` sets another number of events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actum::{Engine, EngineBuilder, NetHash, Value};
use actum_benches::{Disk, bytes_on_disk, millis};
use futures_util::{StreamExt, stream};

const EVENTS: u64 = 10_000_000;
/// Cases in the air at once while the log is made.
const CONCURRENCY: usize = 5_000;
/// Every so manieth case stays open.
const OPEN_EVERY: usize = 20;

const NET: &str = r#"
actum: 1
net: five
data: { n: { type: int, input: true, default: 0 } }
start: one
tasks:
  one: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: two }
  two: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: three }
  three: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: four }
  four: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: five }
  five: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: end }
"#;

const WAITS: &str = "
actum: 1
net: waits
roles: { clerk: {} }
start: check
tasks:
  check: { role: clerk, flow: end }
";

fn main() {
    let events = std::env::var("ACTUM_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(EVENTS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(run(events));
}

fn builder(disk: &Disk) -> EngineBuilder {
    let add = |call: actum::Call| match call.input {
        Value::Map(mut input) => {
            let Some(Value::Int(n)) = input.get_mut("n") else { panic!("the net gives an int") };
            *n += 1;
            Ok(Value::Map(input))
        }
        _ => panic!("parameters are a map"),
    };
    Engine::at(disk.path("log")).handler_fn("add", add).save_every(None)
}

async fn open(builder: EngineBuilder) -> (Engine, Duration) {
    let begin = Instant::now();
    let engine = builder.open().await.expect("the engine opens");
    (engine, begin.elapsed())
}

async fn run(events: u64) {
    let disk = Disk::new();
    let (engine, _) = open(builder(&disk)).await;
    let nets = [NET, WAITS];
    let mut hashes = Vec::new();
    for net in nets {
        hashes.push(engine.deploy(net).await.expect("the net is sound").0.hash);
    }
    let begin = Instant::now();
    grow(&engine, &hashes, events * 8 / 10).await;
    println!("{} events made in {:.1} s", size(&engine), begin.elapsed().as_secs_f64());

    let quiet = answers(&engine, &hashes, async { tokio::time::sleep(Duration::from_secs(4)).await }).await;
    let begin = Instant::now();
    let saved = Arc::new(std::sync::Mutex::new(None));
    let busy = {
        let (engine, saved) = (engine.clone(), saved.clone());
        async move {
            let one = engine.save_state().await.expect("state is saved").expect("something is new");
            *saved.lock().expect("nobody panicked") = Some((one, begin.elapsed()));
        }
    };
    let busy = answers(&engine, &hashes, busy).await;
    let (first, took) = saved.lock().expect("nobody panicked").take().expect("it was saved");
    println!(
        "saving the state of {} events from the beginning, under load: {:.1} s, {:.1} MB, {:.1} bytes for each event",
        first.size,
        took.as_secs_f64(),
        first.bytes as f64 / 1e6,
        first.bytes as f64 / first.size as f64
    );
    for (what, times) in [("nothing is saved", quiet), ("state is saved", busy)] {
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
        println!(
            "answers of the partition under load while {what}: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms ({} asked)",
            millis(at(0.5)),
            millis(at(0.99)),
            millis(at(1.0)),
            times.len()
        );
    }

    grow(&engine, &hashes, events * 9 / 10).await;
    let begin = Instant::now();
    let second = engine.save_state().await.expect("state is saved").expect("something is new");
    println!(
        "saving it again after {} more events: {:.2} s, {:.1} MB",
        second.size - first.size,
        begin.elapsed().as_secs_f64(),
        second.bytes as f64 / 1e6
    );
    grow(&engine, &hashes, events).await;
    engine.close().await.expect("the engine closes");

    for (what, builder) in [("from saved state", builder(&disk)), ("the whole log", builder(&disk).full_fold())] {
        let (engine, took) = open(builder).await;
        let opened = engine.opened();
        println!(
            "opening {what}: {:.2} s, {} of {} events read, {} cases open ({:.2} M events/s)",
            took.as_secs_f64(),
            opened.recovered.reread,
            opened.events,
            opened.open_cases,
            opened.recovered.reread as f64 / took.as_secs_f64() / 1e6
        );
        engine.close().await.expect("the engine closes");
    }
    println!("{:.0} MB on disk", bytes_on_disk(&disk.path("log")) as f64 / 1e6);
}

fn size(engine: &Engine) -> u64 {
    engine.head().expect("the log has a head").expect("and a block").size
}

/// Runs cases until the log has so many events.
async fn grow(engine: &Engine, nets: &[NetHash], events: u64) {
    while size(engine) < events {
        start(engine, nets, CONCURRENCY).await;
        engine.settled().await;
    }
}

async fn start(engine: &Engine, nets: &[NetHash], count: usize) {
    let net = |number: usize| nets[usize::from(number.is_multiple_of(OPEN_EVERY))];
    let starts = (0..count).map(|number| engine.start_case(net(number), None, BTreeMap::new()));
    stream::iter(starts)
        .buffer_unordered(count)
        .for_each(|started| async move { assert!(started.expect("a start").is_new) })
        .await;
}

/// How long the partition takes to answer while cases run and `meanwhile` goes on; sorted.
async fn answers(engine: &Engine, nets: &[NetHash], meanwhile: impl Future<Output = ()>) -> Vec<Duration> {
    let over = Arc::new(AtomicBool::new(false));
    let asked = {
        let (engine, over) = (engine.clone(), over.clone());
        tokio::spawn(async move {
            let mut times = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let begin = Instant::now();
                engine.keys().await.expect("the partition answers");
                times.push(begin.elapsed());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            times
        })
    };
    let load = {
        let (engine, nets, over) = (engine.clone(), nets.to_vec(), over.clone());
        tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                start(&engine, &nets, 20).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    meanwhile.await;
    over.store(true, Ordering::Relaxed);
    load.await.expect("the load ends");
    let mut times = asked.await.expect("the asking ends");
    times.sort_unstable();
    times
}
