//! Promise: every form of export writes at least 500,000 events/s (counted in events of the log): decoded, selected, and written as
//! text.
//!
//! Counted in seconds of the thread's own time on a core, as the system says it, so that a busy machine changes little. Compared
//! with, in the same run: decoding the same log and writing nothing. A database is left to the command line, and slower.

use std::time::Instant;

use actum_benches::five::written;
use actum_log::MemoryStore;
use actum_replay::export::{Csv, Form, Identity, OcelJson, OcelXml, Parts, Selection, Wanted, Xes};
use actum_replay::{events, to_json};

const CASES: usize = 40_000;
const ROUNDS: usize = 3;

/// Makes an empty form.
type Make = fn() -> Box<dyn Form>;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(written(CASES));
    let total = events(&store).expect("a genesis").count() as f64;
    println!("{total} events of {CASES} cases");
    let bare = best(|| read(&store));
    println!("decoded only: {:>10.0} events/s", total / bare);
    let lines = best(|| {
        let mut bytes = 0;
        let mut all = events(&store).expect("a genesis");
        while let Some(event) = all.next() {
            bytes += to_json(&event.expect("the log is whole"), all.names()).to_string().len();
        }
        bytes
    });
    print("JSON lines", total, lines, bare, read_lines(&store));
    let forms: [(&str, Make); 4] = [
        ("XES", || Box::new(Xes::default())),
        ("CSV", || Box::new(Csv::default())),
        ("OCEL, JSON", || Box::new(OcelJson::default())),
        ("OCEL, XML", || Box::new(OcelXml::default())),
    ];
    for (name, form) in forms {
        let mut bytes = 0;
        let time = best(|| {
            bytes = export(&store, &mut *form());
            bytes
        });
        print(name, total, time, bare, bytes);
    }
}

fn print(name: &str, total: f64, time: f64, bare: f64, bytes: usize) {
    println!(
        "{name:<11}: {:>10.0} events/s, {:.1} times decoding, {:.0} MB/s, {:.0} bytes/event",
        total / time,
        time / bare,
        bytes as f64 / time / 1e6,
        bytes as f64 / total
    );
}

/// Seconds that this thread has run; `None` where the system does not say.
fn own_time() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(nanoseconds as f64 / 1e9)
}

/// Seconds of the fastest round.
fn best(mut run: impl FnMut() -> usize) -> f64 {
    let round = |()| {
        let (begin, own) = (Instant::now(), own_time());
        assert!(run() > 0);
        match (own, own_time()) {
            (Some(from), Some(to)) => to - from,
            _ => begin.elapsed().as_secs_f64(),
        }
    };
    [(); ROUNDS].map(round).into_iter().fold(f64::INFINITY, f64::min)
}

fn read(store: &MemoryStore) -> usize {
    events(store)
        .expect("a genesis")
        .filter(|event| event.as_ref().expect("the log is whole").of_case().is_some())
        .count()
}

fn read_lines(store: &MemoryStore) -> usize {
    let mut all = events(store).expect("a genesis");
    let mut bytes = 0;
    while let Some(event) = all.next() {
        bytes += to_json(&event.expect("the log is whole"), all.names()).to_string().len() + 1;
    }
    bytes
}

fn export(store: &MemoryStore, form: &mut dyn Form) -> usize {
    let (mut parts, mut bytes) = (Parts::default(), 0);
    let mut selection = Selection::new(Wanted::default());
    form.begin(&Identity::default(), &mut parts);
    let mut all = events(store).expect("a genesis");
    while let Some(event) = all.next() {
        let event = event.expect("the log is whole");
        selection.take(&event, all.names(), &mut |entry| form.entry(entry, &mut parts));
        if parts.events.len() + parts.objects.len() > 256 << 10 {
            bytes += parts.events.len() + parts.objects.len();
            parts.events.clear();
            parts.objects.clear();
        }
    }
    form.finish(&mut parts);
    assert!(selection.steps() > 5 * CASES as u64);
    bytes + parts.events.len() + parts.objects.len()
}
