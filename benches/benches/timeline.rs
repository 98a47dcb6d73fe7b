//! Promises: any case at any seq of a log of 10 million events: p99 at most 5 ms warm; all cases at any seq: at most 250 ms, with
//! checkpoints each million events.
//!
//! The log has cases of 30 events each, 10,000 of them under way at a time; a state is asked for at random positions, so that most
//! chunks are decoded anew, and besides where it costs most: just before a checkpoint. Everything is read from the store, decoded and
//! folded; what comes out is compared with how many events the case must have.
//!
//! Compared with, in the same run: reading and decompressing the same stretch of the log, which is the least that a fold of it can cost.
//! `ACTUM_BENCH_EVENTS` makes the log shorter.

use std::time::{Duration, Instant};

use actum_benches::log::{BLOCK_EVENTS, identity};
use actum_benches::{Disk, bytes_on_disk, millis};
use actum_log::{
    Clocks, Draft, EventStore, Extensions, FrameKey, FrameSource, FrameType, Opening, Outcome, Pipeline, Resume,
};
use actum_model::{
    CaseEvent, CaseId, Change, ConditionIx, Event, FrameId, ItemId, NetHash, Seq, TaskIx, Value, VariableIx, payload,
};
use actum_replay::At;
use actum_replay::timeline::{Options, Timeline};

const EVENTS: u64 = 10_000_000;
const CASE_EVENTS: u64 = 30;
const OPEN_CASES: u64 = 10_000;
const CASES_ASKED: usize = 5_000;
const STATES_ASKED: usize = 60;

fn main() {
    let events = std::env::var("ACTUM_BENCH_EVENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(EVENTS);
    let disk = Disk::new();
    let path = disk.path("log");
    let store = written(&path, events);
    println!("{events} events, {:.0} MiB on disk", bytes_on_disk(&path) as f64 / f64::from(1 << 20));
    let source = store.source();

    let begin = Instant::now();
    let options = Options::default();
    let timeline = Timeline::open(source.clone(), options).expect("the log is read");
    let took = begin.elapsed();
    println!(
        "opened in {:.1} s: {:.2} million events/s with {} threads; {}",
        took.as_secs_f64(),
        events as f64 / took.as_secs_f64() / 1e6,
        options.threads,
        memory()
    );

    let mut random = Random(7);
    let whole = events / (OPEN_CASES * CASE_EVENTS) * OPEN_CASES;
    let cases = times(CASES_ASKED, || {
        let (case, version) = (random.next() % whole, 1 + random.next() % CASE_EVENTS);
        // Anywhere between its event and the next.
        let seq = seq_of(case, version - 1) + if version < CASE_EVENTS { random.next() % (OPEN_CASES / 2) } else { 0 };
        let begin = Instant::now();
        let state = timeline.case_at(CaseId(1 + case), At::Seq(Seq(seq))).expect("it is there");
        let took = begin.elapsed();
        assert_eq!(state.version, version, "case {case}");
        took
    });
    println!("any case at any seq:    {} (promised: p99 5 ms); {}", line(&cases), memory());

    let end = timeline.end().0;
    let every = options.checkpoint_every;
    let at = |seq: u64| {
        let begin = Instant::now();
        let state = timeline.at(Seq(seq)).expect("the log is read");
        let open = state.open().count();
        let took = begin.elapsed();
        assert!(open as u64 <= 2 * OPEN_CASES, "{open} cases are open");
        took
    };
    let states = times(STATES_ASKED, || at(random.next() % end));
    println!("the whole at any seq:   {} (promised: 250 ms)", line(&states));
    let worst: Vec<u64> = (1..=end / every).map(|checkpoint| checkpoint * every - 1).collect();
    let mut worst = worst.into_iter();
    let count = worst.len();
    if count > 0 {
        let worst = times(count, || at(worst.next().unwrap_or(0)));
        println!("... before checkpoints: {} (promised: 250 ms)", line(&worst));
    }
    let bare = times(5, || {
        let begin = Instant::now();
        decompressed(&*source, every.min(end));
        begin.elapsed()
    });
    println!("decompressing as much:  {}, on one thread", line(&bare));
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

/// What happens in a case: started, seven times work that is enabled, offered, started and completed, then its end.
fn story() -> Vec<Event> {
    let change = |variable: u32, value: Value| Change { variable: VariableIx(variable), value };
    let mut events = vec![CaseEvent::CaseStarted {
        net: NetHash([7; 32]),
        semantics: 1,
        changes: vec![change(0, Value::Int(42)), change(1, Value::String("a customer's name".to_owned()))],
        produced: vec![ConditionIx(0)],
    }];
    for number in 0..7 {
        let (item, task, condition) = (ItemId(number), TaskIx(number), ConditionIx(number));
        events.push(CaseEvent::WorkEnabled { item, task, frame: FrameId::ROOT, instance: None });
        events.push(CaseEvent::WorkOffered { item, task, role: None, to: Vec::new() });
        events.push(CaseEvent::WorkStarted { item, task, consumed: vec![condition] });
        events.push(CaseEvent::WorkCompleted {
            item,
            task,
            result: Value::Int(i64::from(number)),
            changes: vec![change(2 + number, Value::Int(i64::from(number)))],
            produced: vec![ConditionIx(number + 1)],
        });
    }
    events.push(CaseEvent::CaseCompleted);
    events.into_iter().map(Event::Case).collect()
}

fn written(path: &std::path::Path, events: u64) -> Box<dyn EventStore> {
    let (signer, genesis) = identity();
    let options = actum_fjall::Options::default();
    let store = actum_fjall::create(path, genesis.to_string().as_bytes(), 1, &options).expect("a store");
    let opening = Opening::new().expect("entropy");
    let (mut stage, sealer) = Resume::at_genesis(&genesis, 0).open(&genesis, opening).expect("an empty log opens");
    let pipeline = Pipeline::spawn(sealer, signer, Box::new(store), |outcome| {
        if let Outcome::Failed { error, .. } = outcome {
            panic!("{error}");
        }
    })
    .expect("threads");
    let encoded: Vec<_> = story().iter().map(payload::encode).collect();
    assert_eq!(encoded.len() as u64, CASE_EVENTS);
    for index in 0..events {
        let step = index / OPEN_CASES % CASE_EVENTS;
        let event = &encoded[step as usize];
        let draft = Draft {
            stream: stream_of(index),
            kind: event.kind,
            schema: event.schema,
            terminal: step + 1 == CASE_EVENTS,
            actor: 0,
            cause: None,
            time: 1_767_600_000_000_000_000 + index * 1_000,
            extensions: Extensions::EMPTY,
            payload: &event.bytes,
        };
        stage.push(&draft).expect("room in the block");
        if (index + 1) % BLOCK_EVENTS == 0 || index + 1 == events {
            pipeline.submit(stage.close(Clocks::default()).expect("an open block")).expect("the log accepts");
        }
    }
    let finished = pipeline.finish();
    assert!(finished.error.is_none(), "the pipeline failed");
    finished.store.expect("the store comes back")
}

fn decompressed(source: &dyn FrameSource, events: u64) {
    let mut bytes = Vec::new();
    for frame in source.frames(FrameKey::first(0)).expect("the store answers") {
        let frame = frame.expect("a frame");
        if frame.key.seq >= events {
            break;
        }
        if frame.key.kind == FrameType::Chunk {
            bytes.clear();
            frame.decode_into(&mut bytes).expect("a chunk");
        }
    }
}

/// How long each of so many took, sorted.
fn times(count: usize, mut run: impl FnMut() -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..count).map(|_| run()).collect();
    times.sort_unstable();
    times
}

fn line(times: &[Duration]) -> String {
    let at = |per_cent: usize| millis(times[(times.len() - 1) * per_cent / 100]);
    format!("p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms", at(50), at(99), at(100))
}

fn memory() -> String {
    let text = std::fs::read_to_string("/proc/self/status").expect("the kernel tells");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the field is there");
    let kibi: f64 = line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number");
    format!("memory {:.0} MiB", kibi / 1024.0)
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
