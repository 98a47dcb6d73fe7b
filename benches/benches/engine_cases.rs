//! Promise: five automatic steps per case, in process, durable and signed: at least 5,000 cases/s on 2 cores.
//!
//! Compared with, in the same run: one case at a time, in commits' time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use actum::CaseStatus;
use actum_benches::five::{NET, open};
use actum_benches::{Disk, bytes_on_disk, millis};
use futures_util::{StreamExt, stream};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let disk = Disk::new();
        for concurrency in [1_000, 10_000] {
            throughput(&disk, concurrency).await;
        }
        one_at_a_time(&disk).await;
    });
}

async fn throughput(disk: &Disk, concurrency: usize) {
    const CASES: usize = 60_000;
    let name = format!("cases-{concurrency}");
    let engine = open(&disk.path(&name)).await;
    let net = engine.deploy(NET).await.expect("the net is sound").0.hash;
    let begin = Instant::now();
    let chunks: Vec<usize> = vec![concurrency; CASES / concurrency];
    stream::iter(chunks)
        .for_each(|count| {
            let engine = &engine;
            async move {
                let starts = (0..count).map(|_| engine.start_case(net, None, BTreeMap::new()));
                stream::iter(starts)
                    .buffer_unordered(count)
                    .for_each(|started| async move { assert!(started.expect("a start").is_new) })
                    .await;
                engine.settled().await;
            }
        })
        .await;
    let seconds = begin.elapsed().as_secs_f64();
    assert_eq!(engine.cases().count(CaseStatus::Completed), CASES, "every case must be complete");
    let events = engine.head().expect("a log").expect("blocks").size;
    engine.close().await.expect("the engine closes");
    println!(
        "{CASES} cases of five steps, {concurrency} at a time: {:.0} cases/s, {:.0} work items/s, {:.0} events/s, {:.0} bytes on disk per event",
        CASES as f64 / seconds,
        (5 * CASES) as f64 / seconds,
        events as f64 / seconds,
        bytes_on_disk(&disk.path(&name)) as f64 / events as f64,
    );
}

async fn one_at_a_time(disk: &Disk) {
    let engine = open(&disk.path("single")).await;
    let net = engine.deploy(NET).await.expect("the net is sound").0.hash;
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..200 {
        let begin = Instant::now();
        engine.start_case(net, None, BTreeMap::new()).await.expect("a start");
        engine.settled().await;
        times.push(begin.elapsed());
    }
    engine.close().await.expect("the engine closes");
    times.sort_unstable();
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    // A commit is two syncs: the store's, then the head's.
    let commit = disk.fsync() * 2;
    println!(
        "one case at a time: p50 {:.2} ms, p99 {:.2} ms = {:.1} times two fdatasyncs",
        millis(p50),
        millis(p99),
        p50.as_secs_f64() / commit.as_secs_f64()
    );
}
