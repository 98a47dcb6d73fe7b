//! Promise: five automatic steps per case, in process, durable and signed: at least 20,000 cases/s with 1,000 and more at once, on 2 cores; one
//! case at a time takes at most the time of six commits at the median.
//!
//! Compared with, in the same run: commits of the same log alone, one after another. Against Restate and DBOS: `peers/engines/compare`.
//!
//! A closed loop: each caller starts a case, waits for its end, and starts the next. A line with tabs has what the table of all engines has:
//! name, callers, cases each second, p50 and p99 of a case in ms.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use actum::{CaseEvent, CaseStatus, Engine, NetHash, Value};
use actum_benches::five::{NET, open};
use actum_benches::log::{identity, push};
use actum_benches::{Disk, bytes_on_disk, millis};
use actum_log::{Clocks, Opening, Outcome, Pipeline, Resume};

/// Commits of a case with five steps: its start, and each step's end with what follows from it.
const COMMITS: f64 = 6.0;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let disk = Disk::new();
    runtime.block_on(async {
        let single = measure(&disk, 1, 500).await;
        let commit = commit(&disk);
        println!(
            "one case at a time: p50 {:.2} ms; a commit of the log alone {:.2} ms: {:.1} commits' time, at most {COMMITS} promised",
            millis(single),
            millis(commit),
            single.as_secs_f64() / commit.as_secs_f64()
        );
        for (at_once, cases) in [(64, 40_000), (1_000, 100_000), (10_000, 150_000)] {
            measure(&disk, at_once, cases).await;
        }
    });
}

/// Runs so many cases; answers the median time of one.
async fn measure(disk: &Disk, at_once: usize, cases: usize) -> Duration {
    let path = disk.path(&format!("cases-{at_once}"));
    let engine = open(&path).await;
    let net = engine.deploy(NET).await.expect("the net is sound").0.hash;
    let next = std::sync::Arc::new(AtomicUsize::new(0));
    let begin = Instant::now();
    let callers: Vec<_> = (0..at_once).map(|_| tokio::spawn(call(engine.clone(), net, next.clone(), cases))).collect();
    let mut times = Vec::with_capacity(cases);
    for caller in callers {
        times.extend(caller.await.expect("a caller"));
    }
    let seconds = begin.elapsed().as_secs_f64();
    assert_eq!(engine.cases().count(CaseStatus::Completed), cases, "every case must be complete");
    let last = engine.cases().select(|_| true).pop().expect("cases").0;
    let mut results = engine.history(last).expect("a history").into_iter().filter_map(|logged| match logged.event {
        CaseEvent::WorkCompleted { result: Value::Map(result), .. } => result.get("n").cloned(),
        _ => None,
    });
    assert_eq!(results.next_back(), Some(Value::Int(5)), "five steps count to five");
    let events = engine.head().expect("a log").expect("blocks").size;
    engine.close().await.expect("the engine closes");
    times.sort_unstable();
    let at = |per_cent: usize| times[(times.len() - 1) * per_cent / 100];
    println!("Actum\t{at_once}\t{:.0}\t{:.2}\t{:.2}", cases as f64 / seconds, millis(at(50)), millis(at(99)));
    println!(
        "{cases} cases, {at_once} at once: {:.0} cases/s, {:.0} events/s, {:.0} bytes on disk per event",
        cases as f64 / seconds,
        events as f64 / seconds,
        bytes_on_disk(&path) as f64 / events as f64
    );
    at(50)
}

/// One caller: a case after the other until all are begun; how long each took.
async fn call(engine: Engine, net: NetHash, next: std::sync::Arc<AtomicUsize>, cases: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    while next.fetch_add(1, Ordering::Relaxed) < cases {
        let begin = Instant::now();
        let case = engine.start_case(net, None, BTreeMap::new()).await.expect("a start").case;
        let row = engine.ended(case).await.expect("an end");
        assert_eq!(row.status, CaseStatus::Completed);
        times.push(begin.elapsed());
    }
    times
}

/// Median time of a small block from closing until it is durable, one at a time, through the log's own threads.
fn commit(disk: &Disk) -> Duration {
    const BLOCKS: u64 = 300;
    /// What a step leaves in the log.
    const EVENTS: u64 = 3;
    let (signer, genesis) = identity();
    let options = actum_fjall::Options::default();
    let store =
        actum_fjall::create(&disk.path("commits"), genesis.to_string().as_bytes(), 1, &options).expect("a store");
    let opening = Opening::new().expect("entropy");
    let (mut stage, sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, opening).expect("an empty log opens");
    let (durable, ended) = mpsc::channel();
    let pipeline = Pipeline::spawn(sealer, signer, Box::new(store), move |outcome| match outcome {
        Outcome::Durable(_) => durable.send(()).expect("somebody waits"),
        Outcome::Failed { error, .. } => panic!("{error}"),
    })
    .expect("threads");
    let mut times: Vec<Duration> = (0..BLOCKS)
        .map(|block| {
            (0..EVENTS).for_each(|event| push(&mut stage, 1 + block, block * EVENTS + event));
            let begin = Instant::now();
            pipeline.submit(stage.close(Clocks::default()).expect("an open block")).expect("the log accepts");
            ended.recv().expect("the log stores");
            begin.elapsed()
        })
        .collect();
    assert!(pipeline.finish().error.is_none(), "the pipeline failed");
    times.sort_unstable();
    times[times.len() / 2]
}
