//! Promise: signed, durable append through the log's API, 64-byte payloads over 10,000 interleaved streams: at least 500,000 events/s,
//! and at least 1.5 times raw fjall.
//!
//! Compared with, in the same run: raw fjall, one unsigned key per event of the same record size, batches of as many events; and batpak,
//! an embedded event store with a hash chain and without signatures, in its largest batches, synced each.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actum_benches::log::{self, BLOCK_EVENTS, PAYLOAD_BYTES, Step, identity, payload};
use actum_benches::{Disk, bytes_on_disk, millis};
use fjall::{Database, KeyspaceCreateOptions, PersistMode};

const EVENTS: u64 = 2_000_000;
const STREAMS: u64 = 10_000;
const ROUNDS: u32 = 3;
/// Events for batpak, which is some ten times slower.
const BATPAK_EVENTS: u64 = 200_000;
/// A record: header and payload.
const RECORD_BYTES: usize = 64 + PAYLOAD_BYTES;
/// The first case's stream.
const CASES_FROM: u64 = 1;

fn main() {
    let disk = Disk::new();
    let (mut to_fjall, mut to_batpak) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let raw = raw_fjall(&disk, round);
        let actum = append(&disk, round);
        let batpak = batpak(&disk, round);
        to_fjall.push(actum / raw);
        to_batpak.push(actum / batpak);
    }
    println!("signed append against raw fjall in the same run: {:.2} times (median of {ROUNDS})", median(to_fjall));
    println!("signed append against batpak in the same run:    {:.1} times (median of {ROUNDS})", median(to_batpak));
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn append(disk: &Disk, round: u32) -> f64 {
    let path = disk.path(&format!("log-{round}"));
    let identity = identity();
    let text = identity.1.to_string();
    let store = actum_fjall::create(&path, text.as_bytes(), 1, &actum_fjall::Options::default()).expect("a store");
    let steps = Arc::new(Mutex::new(Vec::<(Step, Instant)>::new()));
    let seen = steps.clone();
    let begin = Instant::now();
    let on_block = move |step| seen.lock().expect("unpoisoned").push((step, Instant::now()));
    drop(log::append(Box::new(store), &identity, EVENTS, |index| CASES_FROM + index % STREAMS, on_block));
    let seconds = begin.elapsed().as_secs_f64();
    let waits = waits(&steps.lock().expect("unpoisoned"));
    let rate = EVENTS as f64 / seconds;
    println!(
        "actum, signed:      {rate:>10.0} events/s, block latency p50 {:.1} ms p99 {:.1} ms, {:.0} bytes on disk per event",
        millis(waits[waits.len() / 2]),
        millis(waits[waits.len() * 99 / 100]),
        bytes_on_disk(&path) as f64 / EVENTS as f64,
    );
    rate
}

/// From handing a block over until it was durable, sorted.
fn waits(steps: &[(Step, Instant)]) -> Vec<Duration> {
    let submitted = steps.iter().filter_map(|(step, at)| matches!(step, Step::Submitted(_)).then_some(*at));
    let durable = steps.iter().filter_map(|(step, at)| matches!(step, Step::Durable(_)).then_some(*at));
    let mut waits: Vec<Duration> = submitted.zip(durable).map(|(from, to)| to - from).collect();
    assert_eq!(waits.len() * 2, steps.len(), "every block must be durable");
    waits.sort_unstable();
    waits
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

/// Measured by a program of its own, which is built on the first call: its dependencies and ours exclude each other.
fn batpak(disk: &Disk, round: u32) -> f64 {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/batpak/Cargo.toml");
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/peers");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--release", "--quiet", "--manifest-path", manifest, "--target-dir", built, "--"])
        .arg(disk.path(&format!("batpak-{round}")))
        .args([BATPAK_EVENTS.to_string(), STREAMS.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "the peer could not be measured");
    let rate: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().expect("the peer prints a number");
    println!("batpak, unsigned:   {rate:>10.0} events/s");
    rate
}
