//! Promise: the history of one case of 30 events in a log of 10 million events: p99 at most 5 ms warm, with at most 512 MiB of memory.
//! Cold, it is stated in disk reads and time.
//!
//! *Warm*: the operating system has the files in memory; the cases asked for are chosen at random, so most of their chunks are decoded
//! anew. *Cold*: the operating system was told to forget the files before each case, and the store was opened anew.
//!
//! Compared with, in the same run: reading as many single frames from the store, which is the least that it can cost.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use actum_benches::log::{BLOCK_EVENTS, append, identity};
use actum_benches::{Disk, bytes_on_disk, millis};
use actum_log::{EventReader, EventStore, FrameKey, FrameSource, FrameType};

const EVENTS: u64 = 10_000_000;
const CASE_EVENTS: u64 = 30;
/// Cases under way at the same time: the events of one lie this far apart.
const OPEN_CASES: u64 = 10_000;
const WARM_CASES: usize = 2_000;
const COLD_CASES: usize = 50;
const CACHE_BYTES: usize = 64 << 20;

fn main() {
    let disk = Disk::new();
    let path = disk.path("log");
    let identity = identity();
    let options = actum_fjall::Options::default();
    let store = actum_fjall::create(&path, identity.1.to_string().as_bytes(), 1, &options).expect("a store");
    let store = append(Box::new(store), &identity, EVENTS, stream_of, |_| {});
    println!("{EVENTS} events, {:.0} MiB on disk, after writing: {}", mebi(bytes_on_disk(&path)), memory());

    let source = store.source();
    let mut random = Random(7);
    let reader = EventReader::new(source.clone(), CACHE_BYTES);
    let warm = times(WARM_CASES, &mut random, |case| assert_eq!(history(&reader, case), CASE_EVENTS));
    let frames = times(WARM_CASES, &mut random, |case| single_frames(&*source, case));
    println!("warm:  {}; {}", line(&warm), memory());
    println!("bare reads of as many frames: {}", line(&frames));
    drop((reader, source, store));

    let (mut cold, mut reads) = (Vec::new(), 0);
    for _ in 0..COLD_CASES {
        forget(&path);
        let store = actum_fjall::open(&path, &options).expect("the log opens");
        let reader = EventReader::new(store.source(), CACHE_BYTES);
        forget(&path);
        let before = disk_bytes();
        cold.extend(times(1, &mut random, |case| assert_eq!(history(&reader, case), CASE_EVENTS)));
        reads += disk_bytes() - before;
    }
    cold.sort_unstable();
    println!("cold:  {}; {:.0} KiB read from disk for each", line(&cold), reads as f64 / 1024.0 / COLD_CASES as f64);
}

/// The stream of the event with that index: 10,000 cases take turns until each has its 30 events, then the next 10,000.
fn stream_of(index: u64) -> u64 {
    1 + index / (OPEN_CASES * CASE_EVENTS) * OPEN_CASES + index % OPEN_CASES
}

/// Seq of a case's event, from 0.
fn seq_of(case: u64, event: u64) -> u64 {
    let index = case / OPEN_CASES * OPEN_CASES * CASE_EVENTS + event * OPEN_CASES + case % OPEN_CASES;
    // A block record stands before every so many events.
    index + index / BLOCK_EVENTS + 1
}

fn history(reader: &EventReader, case: u64) -> u64 {
    let last = seq_of(case, CASE_EVENTS - 1);
    let events = reader.stream(0, 1 + case, last).expect("the case is there");
    events.map(|event| event.expect("an event").header().length).filter(|length| *length > 64).count() as u64
}

fn single_frames(source: &dyn FrameSource, case: u64) {
    for event in 0..CASE_EVENTS {
        let key = FrameKey { partition: 0, seq: seq_of(case, event), kind: FrameType::Chunk };
        assert!(source.frame_at_or_before(key).expect("the store answers").is_some());
    }
}

/// How long it takes for each of so many random cases, sorted.
fn times(cases: usize, random: &mut Random, mut run: impl FnMut(u64)) -> Vec<Duration> {
    // The last cases may not have all their events.
    let whole = EVENTS / (OPEN_CASES * CASE_EVENTS) * OPEN_CASES;
    let mut times: Vec<Duration> = (0..cases)
        .map(|_| {
            let case = random.next() % whole;
            let begin = Instant::now();
            run(case);
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    times
}

fn line(times: &[Duration]) -> String {
    let at = |per_cent: usize| millis(times[(times.len() - 1) * per_cent / 100]);
    format!("p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms", at(50), at(99), at(100))
}

/// Tells the operating system to drop what it has of the files.
fn forget(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            forget(&path);
        } else if let Ok(file) = File::open(&path) {
            file.sync_all()
                .and_then(|()| Ok(rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?))
                .expect("advice");
        }
    }
}

/// Bytes that this process has read from disk.
fn disk_bytes() -> u64 {
    field("/proc/self/io", "read_bytes:")
}

fn memory() -> String {
    let kibi = |name| field("/proc/self/status", name) as f64 / 1024.0;
    format!("memory {:.0} MiB, at most {:.0} MiB so far", kibi("VmRSS:"), kibi("VmHWM:"))
}

fn field(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).expect("the kernel tells");
    let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the field is there");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

fn mebi(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A full-period generator (Vigna's splitmix64), for choices that are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
