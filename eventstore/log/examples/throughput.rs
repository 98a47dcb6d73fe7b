//! Measures where the writing and reading paths spend their time: 64-byte payloads, 10,000 interleaved streams, blocks of 8,192.
//!
//! `cargo run --release -p actum-log --example throughput [blocks [roots]]`. In memory, so no disk is measured. `roots`: with the trees
//! that terminal events need to state the root over their stream.

use std::error::Error;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use actum_log::{
    Clocks, Compressor, Draft, EventStore, Extensions, FileSigner, FoldOptions, FrameKey, FrameSource, Genesis,
    MemoryStore, Opening, Resume, Signer, Stage, StageLimits, fold, records,
};

const STREAMS: u64 = 10_000;
const PAYLOAD_BYTES: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let blocks: u32 = std::env::args().nth(1).map_or(Ok(128), |text| text.parse())?;
    let signer = FileSigner::from_seed(&[1; 32]);
    let genesis = Genesis::new([2; 16], "example.org/bench", 0, signer.public_key())?;
    let opening = Opening { limits: StageLimits::default(), ..Opening::new()? };
    let resume = Resume::at_genesis(&genesis, 0);
    let with_roots = std::env::args().nth(2).is_some_and(|word| word == "roots");
    let resume = if with_roots { resume.with_stream_roots() } else { resume };
    let (mut stage, mut sealer) = resume.open(&genesis, opening)?;
    let mut store = MemoryStore::new(genesis.to_string());
    let mut compressor = Compressor::default();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;

    // The median block counts, because other processes share the machine.
    let [mut encode, mut sign, mut pack, mut commit] = [const { Vec::new() }; 4];
    let (mut events, mut stored_bytes) = (0_u64, 0_usize);
    for _ in 0..blocks {
        let started = Instant::now();
        fill(&mut stage, &mut random)?;
        let open = stage.close(Clocks::default()).ok_or("nothing was pushed")?;
        encode.push(started.elapsed());
        events += u64::from(open.records());

        let started = Instant::now();
        let signed = sealer.sign(open, &signer)?;
        sign.push(started.elapsed());

        let started = Instant::now();
        let sealed = signed.pack(&mut compressor);
        pack.push(started.elapsed());
        stored_bytes += sealed.chunks.iter().chain([&sealed.block]).map(|frame| frame.bytes.len()).sum::<usize>();

        let started = Instant::now();
        store.commit(&[sealed])?;
        commit.push(started.elapsed());
    }
    let started = Instant::now();
    (0..1_000).try_for_each(|_| signer.sign(&[3; 200]).map(|_| ()))?;
    let signature = started.elapsed() / 1_000;

    let [encode, sign, pack, commit] = [encode, sign, pack, commit].map(|times| median(times) * blocks);
    let per_event = |time: Duration| time.as_secs_f64() * 1e9 / events as f64;
    println!("{events} events in {blocks} blocks, {:.1} stored bytes per event", stored_bytes as f64 / events as f64);
    println!("encode             {:7.1} ns/event", per_event(encode));
    println!(
        "hash and sign      {:7.1} ns/event (one signature {:.1} µs)",
        per_event(sign),
        signature.as_secs_f64() * 1e6
    );
    println!("compress and frame {:7.1} ns/event", per_event(pack));
    println!(
        "seal, together     {:7.1} ns/event, {:.2} M events/s",
        per_event(sign + pack),
        1e3 / per_event(sign + pack)
    );
    println!("commit (memory)    {:7.1} ns/event", per_event(commit));
    read(&store, per_event)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn fill(stage: &mut Stage, random: &mut u64) -> Result<(), Box<dyn Error>> {
    let mut payload = *b"task=check-invoice;item=0000000000000000;resource=clerk-17;ok=1;";
    while !stage.is_full() {
        *random ^= *random << 13;
        *random ^= *random >> 7;
        *random ^= *random << 17;
        payload[24..32].copy_from_slice(&random.to_be_bytes());
        let draft = Draft {
            stream: 1 + *random % STREAMS,
            kind: 300,
            schema: 1,
            terminal: false,
            actor: 7,
            cause: None,
            time: 1_700_000_000_000_000_000 + stage.next_seq() * 900,
            extensions: Extensions::EMPTY,
            payload: &payload[..PAYLOAD_BYTES],
        };
        stage.push(&draft)?;
    }
    Ok(())
}

fn read(store: &MemoryStore, per_event: impl Fn(Duration) -> f64) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let mut body = Vec::new();
    for frame in store.frames(FrameKey::first(0))? {
        body.clear();
        frame?.decode_into(&mut body)?;
    }
    println!("decode frames      {:7.1} ns/event", per_event(started.elapsed()));

    let started = Instant::now();
    let mut bytes = 0;
    fold(store, 0, FoldOptions::default(), |view| {
        bytes += black_box(view.payload()).len();
        ControlFlow::Continue(())
    })?;
    let time = per_event(started.elapsed());
    println!("fold               {time:7.1} ns/event, {:.2} M events/s", 1e3 / time);

    let started = Instant::now();
    let count = records(store, 0, 0)?.try_fold(0_u64, |count, record| record.map(|_| count + 1))?;
    println!("records            {:7.1} ns/event, {count} records", per_event(started.elapsed()));
    Ok(())
}
