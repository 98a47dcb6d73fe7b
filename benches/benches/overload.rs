//! Promise: under ten times the load that the engine can do, for a minute: memory stays bounded, refusals come within 50 ms, nothing
//! acknowledged is lost, and 5 s after the load is gone all is as before. `ACTUM_OVERLOAD_SECONDS` shortens it.
//!
//! Compared with, in the same run: what the engine does when it is asked for no more than it can, and one case alone before and after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actum::{CaseStatus, CommandError, Engine, NetHash};
use actum_benches::five::{NET, open};
use actum_benches::{Disk, millis};
use futures_util::{StreamExt, stream};

/// Cases that tell what the engine can do.
const CALM_CASES: usize = 30_000;
const CALM_AT_ONCE: usize = 1_000;
/// How much more than that is asked for.
const TIMES: f64 = 10.0;
/// Callers who ask by the clock, whether or not they were answered.
const CALLERS: u64 = 8;
const TICK: Duration = Duration::from_millis(5);

fn main() {
    let seconds = std::env::var("ACTUM_OVERLOAD_SECONDS").map_or(60, |text| text.parse().expect("a number of seconds"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(overload(seconds));
}

/// What callers saw.
#[derive(Default)]
struct Seen {
    asked: AtomicU64,
    started: AtomicU64,
    refused: AtomicU64,
    /// Longest time until a refusal, in nanoseconds.
    slowest_refusal: AtomicU64,
}

async fn overload(seconds: u64) {
    let disk = Disk::new();
    let path = disk.path("overload");
    let engine = open(&path).await;
    let net = engine.deploy(NET).await.expect("the net is sound").0.hash;
    let can = calm(&engine, net).await;
    let alone_before = alone(&engine, net).await;
    let memory_before = resident();
    println!(
        "asked for what it can do: {can:.0} cases/s; one case alone p50 {:.2} ms; {memory_before} MiB",
        millis(alone_before)
    );

    let (seen, over) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(call(engine.clone(), net, can * TIMES / CALLERS as f64, seen.clone(), over.clone())))
        .collect();
    let (mut memory, begin, done_before) = (memory_before, Instant::now(), engine.cases().count(CaseStatus::Completed));
    while begin.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_millis(250)).await;
        memory = memory.max(resident());
    }
    let took = begin.elapsed();
    over.store(true, Ordering::Release);
    for caller in callers {
        caller.await.expect("a caller");
    }
    let calm_again = Instant::now();
    let done = engine.cases().count(CaseStatus::Completed) - done_before;
    engine.settled().await;
    let settled = calm_again.elapsed();
    let alone_after = alone(&engine, net).await;
    let asked = seen.asked.load(Ordering::Relaxed);
    let (started, refused) = (seen.started.load(Ordering::Relaxed), seen.refused.load(Ordering::Relaxed));
    println!(
        "asked for {:.0} cases/s for {seconds} s: {started} started, {refused} refused; {:.0} cases/s completed; slowest refusal {:.2} ms; at most {memory} MiB",
        asked as f64 / took.as_secs_f64(),
        done as f64 / took.as_secs_f64(),
        seen.slowest_refusal.load(Ordering::Relaxed) as f64 / 1e6,
    );
    println!(
        "all settled {:.2} s after the load was gone; one case alone then p50 {:.2} ms",
        settled.as_secs_f64(),
        millis(alone_after)
    );
    let cases = engine.cases().len();
    engine.close().await.expect("the engine closes");
    let engine = open(&path).await;
    assert_eq!(engine.cases().len(), cases, "cases are lost");
    assert_eq!(engine.cases().count(CaseStatus::Completed), cases, "cases did not end");
    assert!(cases as u64 >= started, "{started} starts were acknowledged, {cases} are there");
    println!("opened again: all {started} acknowledged cases are there and complete");
    engine.close().await.expect("the engine closes");
}

/// Cases each second when no more is asked for than is answered.
async fn calm(engine: &Engine, net: NetHash) -> f64 {
    let begin = Instant::now();
    for _ in 0..CALM_CASES / CALM_AT_ONCE {
        let starts = (0..CALM_AT_ONCE).map(|_| engine.start_case(net, None, BTreeMap::new()));
        stream::iter(starts)
            .buffer_unordered(CALM_AT_ONCE)
            .for_each(|started| async move { assert!(started.is_ok(), "a start") })
            .await;
        engine.settled().await;
    }
    CALM_CASES as f64 / begin.elapsed().as_secs_f64()
}

/// Median time of a case that is alone.
async fn alone(engine: &Engine, net: NetHash) -> Duration {
    let mut times = Vec::new();
    for _ in 0..51 {
        let begin = Instant::now();
        engine.start_case(net, None, BTreeMap::new()).await.expect("a start");
        engine.settled().await;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// Asks for `rate` cases each second until told to stop. Answers are waited for elsewhere.
async fn call(engine: Engine, net: NetHash, rate: f64, seen: Arc<Seen>, over: Arc<AtomicBool>) {
    let begin = Instant::now();
    let mut asked = 0_u64;
    let mut ticks = tokio::time::interval(TICK);
    while !over.load(Ordering::Acquire) {
        ticks.tick().await;
        let due = (begin.elapsed().as_secs_f64() * rate) as u64;
        while asked < due && !over.load(Ordering::Acquire) {
            asked += 1;
            seen.asked.fetch_add(1, Ordering::Relaxed);
            ask(&engine, net, &seen);
        }
    }
}

/// One start; its answer is counted when it comes.
fn ask(engine: &Engine, net: NetHash, seen: &Arc<Seen>) {
    let (begin, engine, counted) = (Instant::now(), engine.clone(), seen.clone());
    let mut start = Box::pin(async move { engine.start_case(net, None, BTreeMap::new()).await });
    let count = move |answer: Result<actum::Started, CommandError>| match answer {
        Ok(_) => drop(counted.started.fetch_add(1, Ordering::Relaxed)),
        Err(CommandError::Busy { .. }) => {
            counted.refused.fetch_add(1, Ordering::Relaxed);
            let took = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
            counted.slowest_refusal.fetch_max(took, Ordering::Relaxed);
        }
        Err(other) => panic!("{other}"),
    };
    // A full queue refuses at once; whoever got in waits for the disk.
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match start.as_mut().poll(&mut context) {
        std::task::Poll::Ready(answer) => count(answer),
        std::task::Poll::Pending => drop(tokio::spawn(async move { count(start.await) })),
    }
}

/// Memory in use, in MiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") / 1024
}
