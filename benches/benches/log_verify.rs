//! Promise: full verification (every payload re-hashed, every seal checked) of 64-byte payloads over 10,000 streams: at least 1.5 million
//! events/s per core, scaling with cores.
//!
//! Compared with, in the same run: the writer's own fold at opening, and two threads against one.

use std::ops::ControlFlow;
use std::time::Instant;

use actum_benches::log::{append, identity};
use actum_log::{EventStore, FoldOptions, FrameSource, MemoryStore, fold};
use actum_verify::{BlockInput, Context, Linker, Trust, digest_block, open_source, source_blocks, source_linker};

const EVENTS: u64 = 1_000_000;
const STREAMS: u64 = 10_000;
const ROUNDS: usize = 3;

fn main() {
    let identity = identity();
    let store = MemoryStore::new(identity.1.to_string());
    append(Box::new(store.clone()), &identity, EVENTS, |index| 1 + index % STREAMS, |_| {});
    let source = store.source();
    let one = best(|| verify(&*source, 1));
    let two = best(|| verify(&*source, 2));
    let folded = best(|| refold(&*source));
    println!("verify, one thread:  {one:>10.0} events/s");
    println!("verify, two threads: {two:>10.0} events/s, {:.2} times one", two / one);
    println!("the writer's fold:   {folded:>10.0} events/s");
}

fn best(mut run: impl FnMut() -> f64) -> f64 {
    (0..ROUNDS).map(|_| run()).fold(0.0, f64::max)
}

fn verify(source: &dyn FrameSource, threads: usize) -> f64 {
    let begin = Instant::now();
    let context = open_source(source, &Trust::self_signed()).expect("a genesis");
    let linker = source_linker(source, &context).expect("heads");
    let blocks: Vec<BlockInput> = source_blocks(source, &context).collect::<Result<_, _>>().expect("frames");
    let linker = digest_all(&blocks, &context, linker, threads);
    let verdict = linker.finish().expect("the log is whole");
    assert!(verdict.events() > EVENTS);
    EVENTS as f64 / begin.elapsed().as_secs_f64()
}

fn digest_all<'a>(blocks: &[BlockInput], context: &'a Context, mut linker: Linker<'a>, threads: usize) -> Linker<'a> {
    for batch in blocks.chunks(threads * 4) {
        let digests = std::thread::scope(|scope| {
            let parts: Vec<_> = batch
                .chunks(batch.len().div_ceil(threads))
                .map(|part| {
                    scope.spawn(move || part.iter().map(|block| digest_block(block, context)).collect::<Vec<_>>())
                })
                .collect();
            parts.into_iter().flat_map(|part| part.join().expect("digesting never panics")).collect::<Vec<_>>()
        });
        for digest in digests {
            linker.link(&digest.expect("the block is whole")).expect("the block continues the log");
        }
    }
    linker
}

fn refold(source: &dyn FrameSource) -> f64 {
    let begin = Instant::now();
    let mut events = 0_u64;
    fold(source, 0, FoldOptions::default(), |_| {
        events += 1;
        ControlFlow::Continue(())
    })
    .expect("the log is whole");
    assert!(events > EVENTS);
    EVENTS as f64 / begin.elapsed().as_secs_f64()
}
