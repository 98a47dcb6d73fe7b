//! Promise: lawfulness judges at least 300,000 events/s on one core: decoded, folded, every token, guard, output and cause looked at.
//!
//! Compared with, in the same run: decoding the same log and judging nothing. Names of archives as arguments are judged too.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use actum::{Engine, Value};
use actum_benches::log::identity;
use actum_log::{ArchiveSource, FrameSource, MemoryStore};
use actum_replay::events;
use actum_replay::lawful::Lawful;
use futures_util::{StreamExt, stream};

const NET: &str = r#"
actum: 1
net: five
data: { n: { type: int, input: true, default: 0 }, note: { type: string, default: "an order like others" } }
start: one
tasks:
  one: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: two }
  two: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: three }
  three: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: four }
  four: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: five }
  five: { handler: add, params: { n: "{{ n }}" }, output: { n: "{{ result.n }}" }, flow: end }
"#;
const CASES: usize = 40_000;
const ROUNDS: usize = 3;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(written());
    measure("five automatic steps", &store);
    for archive in std::env::args().skip(1).filter(|name| Path::new(name).is_file()) {
        measure(&archive, &ArchiveSource::open(Path::new(&archive)).expect("an archive"));
    }
}

fn measure(name: &str, source: &dyn FrameSource) {
    let total = events(source).expect("a genesis").count() as f64;
    let bare = best(|| read(source));
    let judged = best(|| judge(source));
    println!("{name}: {total} events");
    println!("decoded only   : {:>10.0} events/s", total / bare);
    println!("judged         : {:>10.0} events/s, {:.2} times decoding", total / judged, judged / bare);
}

/// Seconds of the fastest round.
fn best(mut run: impl FnMut() -> usize) -> f64 {
    let round = |()| {
        let begin = Instant::now();
        assert!(run() > 0);
        begin.elapsed().as_secs_f64()
    };
    [(); ROUNDS].map(round).into_iter().fold(f64::INFINITY, f64::min)
}

fn read(source: &dyn FrameSource) -> usize {
    events(source)
        .expect("a genesis")
        .filter(|event| event.as_ref().expect("the log is whole").of_case().is_some())
        .count()
}

fn judge(source: &dyn FrameSource) -> usize {
    let mut lawful = Lawful::default();
    let mut all = events(source).expect("a genesis");
    while let Some(event) = all.next() {
        lawful.take(event.expect("the log is whole"), all.names());
    }
    let report = lawful.finish();
    assert!(report.is_lawful(), "{:#?}", report.findings);
    report.events as usize
}

async fn written() -> MemoryStore {
    let (signer, genesis) = identity();
    let store = MemoryStore::new(genesis.to_string());
    let add = |call: actum::Call| match call.input {
        Value::Map(mut input) => {
            let Some(Value::Int(n)) = input.get_mut("n") else { panic!("the net gives an int") };
            *n += 1;
            Ok(Value::Map(input))
        }
        _ => panic!("parameters are a map"),
    };
    let engine = Engine::on_store(store.clone(), signer).handler_fn("add", add).open().await.expect("the engine opens");
    let net = engine.deploy(NET).await.expect("the net is sound").0.hash;
    let keys: Vec<String> = (0..CASES).map(|index| format!("ORD-{index}")).collect();
    let starts = keys.iter().map(|key| engine.start_case(net, Some(key), BTreeMap::new()));
    stream::iter(starts).buffer_unordered(1_000).for_each(|started| async move { assert!(started.is_ok()) }).await;
    engine.settled().await;
    engine.close().await.expect("the engine closes");
    store
}
