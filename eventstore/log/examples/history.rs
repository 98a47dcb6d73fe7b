//! Measures how long it takes to read the past of one case of 30 events out of a large log, warm and with caches of several sizes.
//!
//! `cargo run --release -p actum-log --example history [millions of events [directory]]`. The log is an archive file in the directory, or
//! in the temporary one; the operating system has it in memory. Each 30 events of a case are spread over the log at random.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actum_log::{
    ArchiveSource, Clocks, Draft, EventReader, EventStore, Extensions, FileSigner, FrameSource, Genesis, MemoryStore,
    Opening, Resume, Signer, records, write_archive,
};

const EVENTS_EACH: u64 = 30;
const BLOCK_EVENTS: u64 = 8_191;
const READS: u64 = 4_000;

fn main() -> Result<(), Box<dyn Error>> {
    let millions: u64 = std::env::args().nth(1).map_or(Ok(10), |text| text.parse())?;
    let directory = std::env::args().nth(2).map_or_else(std::env::temp_dir, PathBuf::from);
    let path = directory.join(format!("actum-history-{}.actum", std::process::id()));
    let last_seqs = write(&path, millions * 1_000_000)?;
    let source = Arc::new(ArchiveSource::open(&path)?);
    println!("{millions} million events, {} bytes", std::fs::metadata(&path)?.len());

    let mut random = Random(7);
    let mut pick = || last_seqs[random.below(last_seqs.len() as u64) as usize];
    report("records(), one call for each event", (0..READS).map(|_| follow(&*source, pick())))?;
    for megabytes in [0, 16, 256] {
        let reader = EventReader::new(source.clone(), megabytes << 20);
        let read = |(stream, last)| {
            let begin = Instant::now();
            let events = reader.stream(0, stream, last)?.collect::<Result<Vec<_>, _>>()?;
            assert_eq!(events.len() as u64, EVENTS_EACH);
            Ok(begin.elapsed())
        };
        (0..READS).try_for_each(|_| read(pick()).map(drop))?;
        report(&format!("EventReader, cache of {megabytes} MiB"), (0..READS).map(|_| read(pick())))?;
    }
    let reader = EventReader::new(source.clone(), 16 << 20);
    let newest = |(stream, last)| {
        let begin = Instant::now();
        assert_eq!(reader.stream_newest_first(0, stream, last).take(5).filter_map(Result::ok).count(), 5);
        Ok(begin.elapsed())
    };
    report("the newest 5 events, cache of 16 MiB", (0..READS).map(|_| newest(pick())))?;
    let mut random = Random(9);
    let at_time = |_| {
        let begin = Instant::now();
        let time = random.below(millions * 1_000_000);
        assert!(reader.seq_at_time(0, time)? >= time);
        Ok(begin.elapsed())
    };
    report("the first event of a time, cache of 16 MiB", (0..READS).map(at_time))?;
    std::fs::remove_file(&path)?;
    Ok(())
}

/// Writes the log; gives each case with the seq of its last event.
fn write(path: &PathBuf, events: u64) -> Result<Vec<(u64, u64)>, Box<dyn Error>> {
    let signer = FileSigner::generate()?;
    let genesis = Genesis::new([9; 16], "actum.local/history", 0, signer.public_key())?;
    let (mut stage, mut sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, Opening::new()?)?;
    let mut store = MemoryStore::new(genesis.to_string());
    // Every case has all its events somewhere: a shuffle of as many of each.
    let cases = events / EVENTS_EACH;
    let events = cases * EVENTS_EACH;
    let mut order: Vec<u32> = (0..events).map(|index| (index % cases) as u32).collect();
    let mut random = Random(3);
    for index in (1..order.len()).rev() {
        order.swap(index, random.below(index as u64 + 1) as usize);
    }
    let mut last_seqs = vec![(0, 0); cases as usize];
    for (index, case) in (0..).zip(order) {
        let payload = [index, index ^ 0x5555, u64::from(case), 7, 7, 7, 7, 7].map(u64::to_le_bytes);
        let stream = 1 + u64::from(case);
        let draft = Draft {
            stream,
            kind: 600,
            schema: 1,
            terminal: false,
            actor: 0,
            cause: None,
            time: index,
            extensions: Extensions::EMPTY,
            payload: payload.as_flattened(),
        };
        last_seqs[case as usize] = (stream, stage.push(&draft)?.seq);
        if (index + 1) % BLOCK_EVENTS == 0 || index + 1 == events {
            store.commit(&[sealer.seal(stage.close(Clocks::default()).ok_or("empty")?, &signer)?])?;
        }
    }
    write_archive(&store, BufWriter::new(File::create(path)?))?;
    Ok(last_seqs)
}

/// As it is done without a reader: each event is looked up by itself.
fn follow(source: &dyn FrameSource, (stream, last): (u64, u64)) -> Result<Duration, Box<dyn Error>> {
    let begin = Instant::now();
    let (mut next, mut count) = (Some(last), 0);
    while let Some(seq) = next {
        let record = records(source, 0, seq)?.next().ok_or("missing")??;
        assert_eq!(record.header().stream, stream);
        next = record.header().previous;
        count += 1;
    }
    assert_eq!(count, EVENTS_EACH);
    Ok(begin.elapsed())
}

fn report(what: &str, times: impl Iterator<Item = Result<Duration, Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    let mut times = times.collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_micros();
    println!("{what:45} p50 {:>6} µs   p99 {:>6} µs   max {:>6} µs", at(50), at(99), at(100));
    Ok(())
}

/// xorshift64*, Marsaglia 2003 and Vigna 2016.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit
    }
}
