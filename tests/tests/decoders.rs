//! Whatever the bytes, a decoder answers: no panic, no more than 64 MiB, no hang. Seeds are real, mutations are many.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actum::{Engine, Value};
use actum_log::{
    ArchiveSource, BlockBody, BlockRecord, Extensions, FileSigner, FoldOptions, Frame, FrameKey, FrameSource,
    FrameType, Genesis, MemoryStore, Seal, Signer, VerifierKey, fold, frame_checksum, records_in, split_body_and_seal,
    write_archive,
};
use actum_model::payload::{self, PAYLOAD_TYPES};
use actum_model::{cbor, json};
use actum_net::Net;
use actum_tests::{COUNT, Random, counting, from, seed, tries};
use actum_verify::{Trust, verify_archive, verify_source};
use peak_alloc::PeakAlloc;

/// Inputs for each decoder in the test command; a campaign sets `ACTUM_DECODER_INPUTS`.
const INPUTS: u64 = 2_000;
/// What one input may take, beyond what was taken before.
const BYTES_MAX: usize = 64 << 20;
/// What hangs; an input takes microseconds, a net milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest input that a mutation makes.
const INPUT_BYTES_MAX: usize = 256 << 10;

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

/// One decoder at a time, so that memory can be told apart where tests share a process.
static TURN: Mutex<()> = Mutex::new(());

fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = random.pick(seeds).clone();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            bytes.push(random.bits() as u8);
        }
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(64)).min(bytes.len());
        match random.below(9) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'[', b'\n', b':', b' ', b'&', b'*']),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let other = random.pick(seeds);
                let from = random.below(other.len());
                let piece = &other[from..(from + random.below(200)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            5 => {
                // Deep nesting comes of this.
                let times = 1 << random.below(13);
                let piece = bytes[at..end].repeat(times);
                bytes.splice(at..at, piece);
            }
            6 => {
                let number = *random.pick(&[0, 1, u64::MAX, 1 << 31, 1 << 32, 1 << 63, u64::from(u32::MAX), 65_536]);
                let width = *random.pick(&[1, 2, 4, 8]);
                let number = if random.chance(50) { number.to_le_bytes() } else { number.to_be_bytes() };
                (0..width).zip(at..bytes.len()).for_each(|(from, to)| bytes[to] = number[from]);
            }
            7 => bytes.insert(at, random.bits() as u8),
            _ => bytes[at..end].reverse(),
        }
        bytes.truncate(INPUT_BYTES_MAX);
    }
    bytes
}

/// Runs mutated inputs through a decoder.
fn survive(seeds: &[Vec<u8>], decode: impl Fn(&[u8])) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    for seed in seeds {
        decode(seed);
    }
    for input in 0..tries("ACTUM_DECODER_INPUTS", INPUTS) {
        let mut random = Random::new(seed().wrapping_mul(32_452_843).wrapping_add(input));
        let bytes = mutate(&mut random, seeds);
        let name = || format!("seed {}, input {input}, {} bytes", seed(), bytes.len());
        let before = ALLOCATED.current_usage();
        ALLOCATED.reset_peak_usage();
        let begun = Instant::now();
        assert!(catch_unwind(AssertUnwindSafe(|| decode(&bytes))).is_ok(), "{}: panics", name());
        let took = ALLOCATED.peak_usage().saturating_sub(before);
        assert!(took <= BYTES_MAX, "{}: takes {took} bytes of memory", name());
        assert!(begun.elapsed() < PATIENCE, "{}: hangs", name());
    }
}

/// A log that an engine wrote.
fn log() -> MemoryStore {
    let signer: Arc<dyn Signer> = Arc::new(FileSigner::from_seed(&[5; 32]));
    let genesis = Genesis::new([3; 16], "example.com/decoders", 1, signer.public_key()).unwrap();
    let store = MemoryStore::new(genesis.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let engine = counting(Engine::on_store(store.clone(), signer)).open().await.unwrap();
        let net = engine.deploy(COUNT).await.unwrap().0.hash;
        engine.register("ana", &["clerk"]).await.unwrap();
        for n in 0..6 {
            engine.start_case(net, Some(&format!("K-{n}")), from(n)).await.unwrap();
            engine.settled().await;
        }
        engine.close().await.unwrap();
    });
    store
}

fn frames(kinds: &[FrameType]) -> Vec<Frame> {
    let frames = log().frames(FrameKey::first(0)).unwrap().collect::<Result<Vec<_>, _>>().unwrap();
    frames.into_iter().filter(|frame| kinds.contains(&frame.key.kind)).collect()
}

fn bodies(kind: FrameType) -> Vec<Vec<u8>> {
    frames(&[kind]).iter().map(|frame| frame.decode().unwrap().1).collect()
}

#[test]
fn frames_and_what_is_in_them() {
    let seeds: Vec<_> = frames(&[FrameType::Chunk, FrameType::Block]).into_iter().map(|frame| frame.bytes).collect();
    survive(&seeds, |bytes| {
        let _ = Frame::from_bytes(bytes.to_vec()).map(|frame| frame.decode());
        // The same with a checksum that fits, so that the inside is reached.
        let mut mended = bytes.to_vec();
        if mended.len() < 40 {
            return;
        }
        let length = (mended.len() - 40) as u32;
        mended[4..8].copy_from_slice(&length.to_le_bytes());
        let checksum = frame_checksum(&mended[..24], &mended[40..]);
        mended[24..40].copy_from_slice(&checksum[..16]);
        let Ok(frame) = Frame::from_bytes(mended) else { return };
        let _ = frame.decode();
        let store = MemoryStore::new(log_genesis());
        store.insert(frame);
        let _ = verify_source(&store, &Trust::self_signed(), &mut |_| {});
        let _ = fold(&store, 0, FoldOptions::default(), |_| ControlFlow::Continue(()));
    });
}

fn log_genesis() -> String {
    let key = FileSigner::from_seed(&[5; 32]).public_key();
    Genesis::new([3; 16], "example.com/decoders", 1, key).unwrap().to_string()
}

#[test]
fn records() {
    survive(&bodies(FrameType::Chunk), |bytes| {
        for record in records_in(bytes).map_while(Result::ok) {
            let _ = (record.extensions().iter().count(), record.extensions().business_key(), record.payload());
            let _ = BlockRecord::from_record(&record);
        }
        let _ = Extensions::parse(bytes);
    });
}

#[test]
fn block_bodies() {
    survive(&bodies(FrameType::Block), |bytes| {
        let _ = BlockBody::decode(bytes).map(|body| body.encode());
        let _ = split_body_and_seal(bytes).map(|(body, seal)| (BlockBody::decode(body), Seal::parse(seal)));
    });
}

#[test]
fn seals_and_keys() {
    let genesis = Genesis::parse(log_genesis().as_bytes()).unwrap();
    let key = genesis.verifier_key(0);
    let mut seeds = vec![key.to_string().into_bytes()];
    seeds.extend(bodies(FrameType::Block).iter().map(|body| split_body_and_seal(body).unwrap().1.to_vec()));
    survive(&seeds, |bytes| {
        let _ = Seal::parse(bytes).map(|seal| seal.verify(&key));
        let text = String::from_utf8_lossy(bytes);
        let _ = text.parse::<VerifierKey>();
        let _ = Trust::from_verifier_key(&text);
    });
}

#[test]
fn geneses() {
    survive(&[log_genesis().into_bytes()], |bytes| drop(Genesis::parse(bytes)));
}

#[test]
fn archives() {
    let mut archive = Vec::new();
    write_archive(&log(), &mut archive).unwrap();
    survive(&[archive], |bytes| {
        let _ = ArchiveSource::from_bytes(bytes.to_vec());
        let _ = verify_archive(bytes, &Trust::self_signed(), &mut |_| {});
    });
}

#[test]
fn payloads() {
    let mut by_kind: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
    for body in bodies(FrameType::Chunk) {
        for record in records_in(&body).map(Result::unwrap).filter(|record| record.header().kind > 255) {
            by_kind.entry(record.header().kind).or_default().push(record.payload().to_vec());
        }
    }
    let seeds: Vec<Vec<u8>> = by_kind.into_values().flatten().collect();
    survive(&seeds, |bytes| {
        // As every type: bytes of one are strange to the others.
        for known in PAYLOAD_TYPES {
            let _ = payload::decode(known.kind, known.schema, bytes).map(|event| payload::encode(&event));
        }
    });
}

/// A value with something of everything.
fn value() -> Value {
    let leaves = vec![
        Value::Null,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Double(0.1),
        Value::String("täxt".to_owned()),
        Value::Bytes(vec![1, 2, 3]),
        Value::Time(actum::Time(1_700_000_000_000_000_000)),
    ];
    let list = Value::List(leaves);
    let inner = Value::Map(BTreeMap::from([("list".to_owned(), list.clone()), (String::new(), Value::Int(24))]));
    Value::Map(BTreeMap::from([("a".to_owned(), inner), ("long enough for a head".to_owned(), list)]))
}

#[test]
fn values_in_cbor() {
    survive(&[cbor::to_vec(&value()), cbor::to_vec(&Value::Int(-1))], |bytes| {
        if let Ok(value) = cbor::decode(bytes) {
            assert_eq!(cbor::to_vec(&value), bytes, "one spelling for each value");
            let _ = json::to_json(&value);
        }
    });
}

#[test]
fn values_in_json() {
    let text = json::to_json(&value()).to_string().into_bytes();
    survive(&[text, b"[1, 1e400, -0.0, \"\\u0000\", {}]".to_vec()], |bytes| {
        let Ok(parsed) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
        if let Ok(value) = json::from_json(&parsed) {
            let _ = cbor::decode(&cbor::to_vec(&value));
        }
    });
}

#[test]
fn nets() {
    let guarded = include_str!("../../tools/examples/loan-approval.yaml");
    survive(&[COUNT.as_bytes().to_vec(), guarded.as_bytes().to_vec()], |bytes| {
        if let Ok(checked) = actum_net::compile(&String::from_utf8_lossy(bytes)) {
            let _ = Net::from_canonical(&checked.net.canonical);
        }
    });
}

#[test]
fn canonical_nets() {
    let net = actum_net::compile(COUNT).unwrap().net;
    survive(std::slice::from_ref(&net.canonical), |bytes| drop(Net::from_canonical(bytes)));
}
