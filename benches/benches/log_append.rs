//! Promise: signed, durable append through the log's API, 64-byte payloads over 10,000 interleaved streams: at least 500,000 events/s,
//! and at least 1.5 times raw fjall.
//!
//! Compared with, in the same run: raw fjall, one unsigned key per event of the same record size, batches of as many events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actum_benches::{Disk, bytes_on_disk, millis};
use actum_log::{Clocks, Draft, Extensions, FileSigner, Genesis, Opening, Outcome, Pipeline, Resume, Signer};
use fjall::{Database, KeyspaceCreateOptions, PersistMode};

const EVENTS: u64 = 2_000_000;
const STREAMS: u64 = 10_000;
const BLOCK_EVENTS: u64 = 8_191;
const PAYLOAD_BYTES: usize = 64;
/// A record: header and payload.
const RECORD_BYTES: usize = 64 + PAYLOAD_BYTES;
const SYSTEM_CASES_FROM: u64 = 1;

fn main() {
    let disk = Disk::new();
    let mut ratios = Vec::new();
    for round in 0..3 {
        let raw = raw_fjall(&disk, round);
        let actum = append(&disk, round);
        ratios.push(actum / raw);
    }
    ratios.sort_by(f64::total_cmp);
    println!("signed append against raw fjall in the same run: {:.2} times (median of {})", ratios[1], ratios.len());
}

/// A payload as an application has it: a few changing fields, the rest alike.
fn payload(index: u64) -> [u8; PAYLOAD_BYTES] {
    let mut bytes = [0x20; PAYLOAD_BYTES];
    // A full-period mix, so that the changing fields do not compress.
    let mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index >> 7);
    bytes[..8].copy_from_slice(&index.to_le_bytes());
    bytes[8..16].copy_from_slice(&mixed.to_le_bytes());
    bytes[16..24].copy_from_slice(&mixed.rotate_left(23).to_le_bytes());
    bytes
}

fn append(disk: &Disk, round: u32) -> f64 {
    let path = disk.path(&format!("log-{round}"));
    let signer: Arc<dyn Signer> = Arc::new(FileSigner::generate().expect("a key"));
    let genesis = Genesis::new([9; 16], "actum.local/bench", 0, signer.public_key()).expect("a genesis");
    let text = genesis.to_string();
    let store = actum_fjall::create(&path, text.as_bytes(), 1, &actum_fjall::Options::default()).expect("a store");
    let opening = Opening::new().expect("entropy");
    let (mut stage, sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, opening).expect("an empty log opens");
    let durable = Arc::new(AtomicU64::new(0));
    let latencies = Arc::new(Mutex::new(Vec::<(u64, Instant)>::new()));
    let (reached, times) = (durable.clone(), latencies.clone());
    let pipeline = Pipeline::spawn(sealer, signer, Box::new(store), move |outcome| match outcome {
        Outcome::Durable(block) => {
            reached.store(block.size, Ordering::Release);
            times.lock().expect("unpoisoned").push((block.size, Instant::now()));
        }
        Outcome::Failed { error, .. } => panic!("{error}"),
    })
    .expect("threads");

    let begin = Instant::now();
    let mut submitted = Vec::new();
    for index in 0..EVENTS {
        let payload = payload(index);
        stage
            .push(&Draft {
                stream: SYSTEM_CASES_FROM + index % STREAMS,
                kind: 600,
                schema: 1,
                terminal: false,
                actor: 0,
                cause: None,
                time: index,
                extensions: Extensions::EMPTY,
                payload: &payload,
            })
            .expect("room in the block");
        if (index + 1) % BLOCK_EVENTS == 0 || index + 1 == EVENTS {
            let block = stage.close(Clocks::default()).expect("an open block");
            submitted.push((block.size(), Instant::now()));
            pipeline.submit(block).expect("the log accepts");
        }
    }
    let finished = pipeline.finish();
    let seconds = begin.elapsed().as_secs_f64();
    assert!(finished.error.is_none(), "the pipeline failed");
    assert!(durable.load(Ordering::Acquire) >= EVENTS, "every event must be durable");
    drop(finished);
    let mut waits: Vec<Duration> =
        submitted.iter().zip(latencies.lock().expect("unpoisoned").iter()).map(|(from, to)| to.1 - from.1).collect();
    waits.sort_unstable();
    let rate = EVENTS as f64 / seconds;
    println!(
        "actum, signed:      {rate:>10.0} events/s, block latency p50 {:.1} ms p99 {:.1} ms, {:.0} bytes on disk per event",
        millis(waits[waits.len() / 2]),
        millis(waits[waits.len() * 99 / 100]),
        bytes_on_disk(&path) as f64 / EVENTS as f64,
    );
    rate
}

fn raw_fjall(disk: &Disk, round: u32) -> f64 {
    let path = disk.path(&format!("raw-{round}"));
    let database = Database::builder(&path).open().expect("a database");
    let keyspace = database.keyspace("events", KeyspaceCreateOptions::default).expect("a keyspace");
    let begin = Instant::now();
    let mut index = 0;
    while index < EVENTS {
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        for _ in 0..BLOCK_EVENTS.min(EVENTS - index) {
            let mut value = [0; RECORD_BYTES];
            value[16..24].copy_from_slice(&index.to_le_bytes());
            value[24..32].copy_from_slice(&(index % STREAMS).to_le_bytes());
            value[64..].copy_from_slice(&payload(index));
            batch.insert(&keyspace, index.to_be_bytes(), value);
            index += 1;
        }
        batch.commit().expect("a commit");
    }
    let rate = EVENTS as f64 / begin.elapsed().as_secs_f64();
    println!(
        "raw fjall, unsigned:{rate:>10.0} events/s, {:.0} bytes on disk per event",
        bytes_on_disk(&path) as f64 / EVENTS as f64
    );
    rate
}
