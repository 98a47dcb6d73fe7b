//! Promise: lawfulness judges at least 300,000 events/s on one core: decoded, folded, every token, guard, output and cause looked at.
//!
//! Compared with, in the same run: decoding the same log and judging nothing. Names of archives as arguments are judged too.

use std::path::Path;
use std::time::Instant;

use actum_benches::five::written;
use actum_log::{ArchiveSource, FrameSource};
use actum_replay::events;
use actum_replay::lawful::Lawful;

const CASES: usize = 40_000;
const ROUNDS: usize = 3;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let store = runtime.block_on(written(CASES));
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
