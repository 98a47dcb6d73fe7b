//! Events verified per second and core, on a log made in memory: `cargo run --release -p actum-verify --example verify_throughput [EVENTS]`
//!
//! 10,000 interleaved streams, payloads of 64 random bytes, blocks of 8,192 events, chunks of about 16 KiB, LZ4.

#[path = "../tests/forge/mod.rs"]
mod forge;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use actum_verify::{Linker, Trust, digest_block, open_source, source_blocks, verify_archive};
use forge::{Event, Forge};

const STREAMS: u64 = 10_000;
const BLOCK_EVENTS: usize = 8_191;
const CHUNK_EVENTS: usize = 128;

fn log(events: usize) -> Forge {
    let mut forge = Forge::new(1, 1);
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..events.div_ceil(BLOCK_EVENTS) {
        let mut event = || {
            let payload = blake3::hash(&next().to_le_bytes()).as_bytes().repeat(2);
            Event { stream: 1 + next() % STREAMS, payload, ..Event::default() }
        };
        let events: Vec<Event> = (0..BLOCK_EVENTS).map(|_| event()).collect();
        let mut draft = forge.draft(0, &events);
        draft.chunk_sizes = vec![CHUNK_EVENTS; (BLOCK_EVENTS + 1) / CHUNK_EVENTS];
        draft.compress = true;
        forge.seal(draft);
    }
    forge
}

/// CPU time of this thread, where the system tells it, so that a shared machine does not blur the figures; else time.
fn clock() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = schedstat.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let events = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    let forge = log(events);
    let source = forge.source();
    let archive = forge.archive();
    println!("{} bytes per event as archived", archive.len() / events);
    for _ in 0..3 {
        let context = open_source(&source, &Trust::self_signed())?;
        let mut linker = Linker::new(&context);
        let (mut digesting, mut linking, mut count) = (Duration::ZERO, Duration::ZERO, 0);
        for input in source_blocks(&source, &context) {
            let input = input?;
            let begun = clock();
            let digest = digest_block(&input, &context)?;
            digesting += clock().saturating_sub(begun);
            let begun = clock();
            linker.link(&digest)?;
            linking += clock().saturating_sub(begun);
            count += digest.events();
        }
        let rate = |spent: Duration| count as f64 / spent.as_secs_f64() / 1e6;
        let begun = clock();
        verify_archive(&archive[..], &Trust::self_signed(), &mut |_| ())?;
        println!(
            "digest {:.2} M/s, link {:.2} M/s, both {:.2} M/s; whole archive {:.2} M/s",
            rate(digesting),
            rate(linking),
            rate(digesting + linking),
            rate(clock().saturating_sub(begun))
        );
    }
    Ok(())
}
