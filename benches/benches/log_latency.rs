//! Promise: at 100,000 events/s offered, an event is signed and durable at most 15 ms after it came, at the 99th percentile.
//!
//! Open loop: events come by the clock, whether or not the log keeps up, and their wait counts from when they were due. A block closes as
//! soon as fewer than two are under way, as the engine does it.
//!
//! Compared with, in the same run: the time of a bare sync, which every commit needs twice (store, then head).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actum_benches::log::{identity, push};
use actum_benches::{Disk, bytes_on_disk, millis};
use actum_log::{Clocks, Opening, Outcome, Pipeline, Resume};

const EVENTS_PER_SECOND: u64 = 100_000;
const SECONDS: u64 = 10;
/// The first second is not counted: files are created and preallocated then.
const WARM_UP_EVENTS: u64 = EVENTS_PER_SECOND;
const EVENTS: u64 = EVENTS_PER_SECOND * (SECONDS + 1);
const STREAMS: u64 = 10_000;
/// How often the clock is looked at.
const TICK: Duration = Duration::from_micros(200);
const UNDER_WAY_MAX: u64 = 2;

fn main() {
    let disk = Disk::new();
    let path = disk.path("log");
    let (signer, genesis) = identity();
    let store = actum_fjall::create(&path, genesis.to_string().as_bytes(), 1, &actum_fjall::Options::default())
        .expect("a store");
    let (mut stage, sealer) =
        Resume::at_genesis(&genesis, 0).open(&genesis, Opening::new().expect("entropy")).expect("an empty log opens");
    let durable = Arc::new(Mutex::new(Vec::<Instant>::new()));
    let ended = Arc::new(AtomicU64::new(0));
    let (seen, counted) = (durable.clone(), ended.clone());
    let pipeline = Pipeline::spawn(sealer, signer, Box::new(store), move |outcome| match outcome {
        Outcome::Durable(_) => {
            seen.lock().expect("unpoisoned").push(Instant::now());
            counted.fetch_add(1, Ordering::Release);
        }
        Outcome::Failed { error, .. } => panic!("{error}"),
    })
    .expect("threads");

    let begin = Instant::now();
    // For each block: how many events had come when it closed.
    let mut closed = Vec::<u64>::new();
    let mut index = 0;
    while index < EVENTS {
        let due = (begin.elapsed().as_secs_f64() * EVENTS_PER_SECOND as f64) as u64;
        while index < due.min(EVENTS) && !stage.is_full() {
            push(&mut stage, 1 + index % STREAMS, index);
            index += 1;
        }
        let under_way = closed.len() as u64 - ended.load(Ordering::Acquire);
        if (under_way < UNDER_WAY_MAX || index == EVENTS)
            && let Some(block) = stage.close(Clocks::default())
        {
            pipeline.submit(block).expect("the log accepts");
            closed.push(index);
        }
        std::thread::sleep(TICK);
    }
    assert!(pipeline.finish().error.is_none(), "the pipeline failed");
    let mut waits = waits(begin, &closed, &durable.lock().expect("unpoisoned"));
    waits.sort_unstable();
    let at = |per_mille: usize| millis(waits[(waits.len() - 1) * per_mille / 1000]);
    println!(
        "{EVENTS_PER_SECOND} events/s offered for {SECONDS} s, {} blocks: durable after p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms; {:.0} bytes on disk per event",
        closed.len(),
        at(500),
        at(990),
        at(1000),
        bytes_on_disk(&path) as f64 / EVENTS as f64
    );
    println!("p99 against one sync: {:.1} times", at(990) / millis(disk.fsync()));
}

/// From when each event was due until its block was durable.
fn waits(begin: Instant, closed: &[u64], durable: &[Instant]) -> Vec<Duration> {
    assert_eq!(closed.len(), durable.len(), "every block must be durable");
    let mut index = WARM_UP_EVENTS;
    let mut waits = Vec::with_capacity(EVENTS as usize);
    for (came, at) in closed.iter().zip(durable) {
        while index < *came {
            let due = begin + Duration::from_secs_f64(index as f64 / EVENTS_PER_SECOND as f64);
            waits.push(at.saturating_duration_since(due));
            index += 1;
        }
    }
    waits
}
