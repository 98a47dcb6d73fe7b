//! Surgery on logs that an engine wrote, by somebody who mends every checksum and count: the verdict that each anchor promises.

use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use actum::Engine;
use actum_log::{
    ArchiveReader, Compressor, EventStore, FileSigner, FoldOptions, Frame, FrameKey, FrameSource, FrameType, Genesis,
    MemoryStore, Signer, fold, frame_checksum, key_digest, write_archive,
};
use actum_tests::{COUNT, Random, counting, from, seed, tries};
use actum_verify::{Anchor, Fault, FaultKind, Trust, Verdict, verify_archive, verify_source};

/// Variations of each operation in the test command; a campaign sets `ACTUM_SURGERY`.
const VARIATIONS: u64 = 100;

const OWN: [u8; 32] = [5; 32];
const FOREIGN: [u8; 32] = [6; 32];
const NEXT: [u8; 32] = [7; 32];
const ORIGIN: &str = "example.com/surgery";

fn signer(seed: [u8; 32]) -> Arc<dyn Signer> {
    Arc::new(FileSigner::from_seed(&seed))
}

fn pinned() -> Trust {
    Trust::pinned(Some(ORIGIN), signer(OWN).public_key())
}

/// What a reviewer holds who kept the seal of the newest of these blocks, and nothing else.
fn since(genesis: &[u8], blocks: &[Block]) -> Trust {
    let verdict = judge(&archive(genesis, blocks), &Trust::self_signed()).unwrap();
    Trust::self_signed().since(verdict.partitions[0].seal.as_ref().unwrap().as_bytes()).unwrap()
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn empty(key: [u8; 32]) -> MemoryStore {
    let genesis = Genesis::new([3; 16], ORIGIN, 1, signer(key).public_key()).unwrap();
    // Whatever key comes next.
    let genesis = genesis.with_next(key_digest(&signer(NEXT).public_key()));
    MemoryStore::new(genesis.to_string())
}

/// Adds a few cases to a log.
async fn go_on(store: &MemoryStore, key: [u8; 32], cases: Range<i64>) {
    let engine = counting(Engine::on_store(store.clone(), signer(key))).open().await.unwrap();
    let net = engine.deploy(COUNT).await.unwrap().0.hash;
    for n in cases {
        engine.start_case(net, Some(&format!("K-{n}")), from(n)).await.unwrap();
        engine.settled().await;
    }
    engine.close().await.unwrap();
}

fn frames(store: &MemoryStore) -> Vec<Frame> {
    store.frames(FrameKey::first(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// A store with these frames under their keys, and this one's head.
fn store_of(original: &MemoryStore, frames: &[Frame]) -> MemoryStore {
    let store = MemoryStore::new(original.genesis().unwrap());
    frames.iter().for_each(|frame| store.insert(frame.clone()));
    store.set_head(0, EventStore::head(original, 0));
    store
}

fn copy(original: &MemoryStore) -> MemoryStore {
    store_of(original, &frames(original))
}

/// A block: its chunks and its block frame.
type Block = Vec<Frame>;

fn blocks(store: &MemoryStore) -> Vec<Block> {
    let mut blocks = vec![Vec::new()];
    for frame in frames(store) {
        let ends = frame.key.kind == FrameType::Block;
        blocks.last_mut().unwrap().push(frame);
        if ends {
            blocks.push(Vec::new());
        }
    }
    blocks.retain(|block| !block.is_empty());
    blocks
}

/// An archive of these frames whose end frame fits them.
fn archive(genesis: &[u8], blocks: &[Block]) -> Vec<u8> {
    let mut compressor = Compressor::default();
    let key = |kind| FrameKey { partition: 0, seq: 0, kind };
    let mut bytes = b"ACTUM ARCHIVE 1\n".to_vec();
    bytes.extend(Frame::encode(key(FrameType::Genesis), 0, genesis, &mut compressor).bytes);
    let all: Vec<&Frame> = blocks.iter().flatten().collect();
    all.iter().for_each(|frame| bytes.extend(&frame.bytes));
    let ends: Vec<&&Frame> = all.iter().filter(|frame| frame.key.kind == FrameType::Block).collect();
    let size = ends.last().map_or(0, |frame| frame.key.seq + 1);
    let body = [0, ends.len() as u64, size, all.len() as u64 + 1].map(u64::to_le_bytes).concat();
    bytes.extend(Frame::encode(key(FrameType::End), 0, &body, &mut compressor).bytes);
    bytes
}

/// Moves a frame to another seq and mends its checksum.
fn moved(frame: &Frame, seq: u64) -> Frame {
    let mut bytes = frame.bytes.clone();
    bytes[16..24].copy_from_slice(&seq.to_le_bytes());
    let checksum = frame_checksum(&bytes[..24], &bytes[40..]);
    bytes[24..40].copy_from_slice(&checksum[..16]);
    Frame { key: FrameKey { seq, ..frame.key }, bytes }
}

/// A block in the place of another: as far as keys and checksums go.
fn in_place_of(block: &Block, other: &Block) -> Block {
    let first = |block: &Block| block[0].key.seq;
    let end = other.last().unwrap().key.seq;
    let count = block.len();
    let seq = |index: usize, frame: &Frame| {
        if index + 1 == count { end } else { (frame.key.seq - first(block) + first(other)).min(end) }
    };
    block.iter().enumerate().map(|(index, frame)| moved(frame, seq(index, frame))).collect()
}

fn judge(archive: &[u8], trust: &Trust) -> Result<Verdict, Fault> {
    verify_archive(archive, trust, &mut |_| {})
}

/// What `operate` makes of a log is found tampered with, whatever the verifier held, in an archive and in a store.
async fn always_found(operate: impl Fn(&mut Random, &mut Vec<Block>, &[Block])) {
    let store = empty(OWN);
    go_on(&store, OWN, 0..3).await;
    let fork = copy(&store);
    go_on(&store, OWN, 3..8).await;
    go_on(&fork, OWN, 20..26).await;
    let (original, other) = (blocks(&store), blocks(&fork));
    let genesis = store.genesis().unwrap();
    let mut codes: BTreeMap<&str, u64> = BTreeMap::new();
    for variation in 0..tries("ACTUM_SURGERY", VARIATIONS) {
        let name = format!("seed {}, variation {variation}", seed());
        let mut random = Random::new(seed().wrapping_mul(7_919).wrapping_add(variation));
        let mut changed = original.clone();
        operate(&mut random, &mut changed, &other);
        if changed == original {
            continue;
        }
        let bytes = archive(&genesis, &changed);
        // A seal that was kept of the beginning does not hide what comes after it.
        for trust in [Trust::self_signed(), pinned(), since(&genesis, &original[..1])] {
            let fault = judge(&bytes, &trust).err().unwrap_or_else(|| panic!("{name}: passes under {trust:?}"));
            assert_eq!(fault.kind(), FaultKind::Tampered, "{name}: {fault}");
            *codes.entry(fault.defect.code()).or_default() += 1;
        }
        let flat: Vec<Frame> = changed.into_iter().flatten().collect();
        let store = store_of(&store, &flat);
        if frames(&store) == frames(&store_of(&store, &original.concat())) {
            // In a store a frame has one place: putting it there again is nothing.
            continue;
        }
        let fault = verify_source(&store, &pinned(), &mut |_| {});
        let fault = fault.err().unwrap_or_else(|| panic!("{name}: passes in a store"));
        assert_eq!(fault.kind(), FaultKind::Tampered, "{name}: {fault}");
        // The engine's own reader agrees: it does not open such a log.
        assert!(open(store).await.is_err(), "{name}: the engine opens it");
    }
    println!("{codes:?}");
    assert!(codes.values().sum::<u64>() > 0, "something must be found");
}

async fn open(store: MemoryStore) -> Result<(), String> {
    // Reading has its own way; both must refuse.
    let folded = fold(&store, 0, FoldOptions::default(), |_| ControlFlow::Continue(()));
    let opened = counting(Engine::on_store(store, signer(OWN))).open().await;
    assert!(folded.is_err() || opened.is_ok(), "the fold takes what the engine refuses: {opened:?}");
    opened.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn reordered() {
    always_found(|random, log, _| {
        let (one, two) = (random.below(log.len()), random.below(log.len()));
        let expert = random.chance(70);
        let (first, second) = (log[one].clone(), log[two].clone());
        log[one] = if expert { in_place_of(&second, &first) } else { second.clone() };
        log[two] = if expert { in_place_of(&first, &second) } else { first };
    })
    .await;
}

#[tokio::test]
async fn dropped() {
    always_found(|random, log, _| {
        // Not the last: that is a rollback.
        let at = random.below(log.len() - 1);
        let gone = log.remove(at);
        if random.chance(50) {
            // What follows moves up.
            let mut shift = gone.last().unwrap().key.seq + 1 - gone[0].key.seq;
            if random.chance(20) {
                shift = shift.saturating_sub(1);
            }
            for frame in log[at..].iter_mut().flatten() {
                *frame = moved(frame, frame.key.seq - shift);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn duplicated() {
    always_found(|random, log, _| {
        let (from, to) = (random.below(log.len()), random.below(log.len()));
        let block = log[from].clone();
        if random.chance(30) {
            log.insert(to, block);
            return;
        }
        let shift = block.last().unwrap().key.seq + 1 - block[0].key.seq;
        let again = in_place_of(&block, &log[to]);
        for frame in log[to..].iter_mut().flatten() {
            *frame = moved(frame, frame.key.seq + shift);
        }
        log.insert(to, again);
    })
    .await;
}

#[tokio::test]
async fn spliced_from_another_log_of_the_same_key() {
    always_found(|random, log, other| {
        // The two logs agree on their beginning.
        let common = log.iter().zip(other).take_while(|(one, two)| one == two).count();
        let most = log.len().min(other.len());
        let at = common + random.below(most - common);
        let from = common + random.below(other.len() - common);
        let whole = random.chance(50);
        let block = in_place_of(&other[from], &log[at]);
        if whole {
            log[at] = block;
        } else {
            let frame = random.below(log[at].len());
            let last = block.len() - 1;
            let kind = log[at][frame].key.kind;
            let taken = if kind == FrameType::Block { last } else { 0 };
            log[at][frame] = moved(&block[taken], log[at][frame].key.seq);
        }
    })
    .await;
}

/// Whoever rewrites everything with a key of his own passes where nothing was held, and nowhere else.
#[tokio::test]
async fn signed_by_another_key() {
    let store = empty(OWN);
    go_on(&store, OWN, 0..6).await;
    let foreign = empty(FOREIGN);
    go_on(&foreign, FOREIGN, 0..6).await;
    let (own, other) = (blocks(&store), blocks(&foreign));
    let rewritten = archive(&foreign.genesis().unwrap(), &other);
    let verdict = judge(&rewritten, &Trust::self_signed()).unwrap();
    assert!(verdict.anchors.iter().eq([&Anchor::SelfSigned]), "and it says what that is worth");
    let fault = judge(&rewritten, &pinned()).unwrap_err();
    assert_eq!((fault.kind(), fault.defect.code()), (FaultKind::Tampered, "pinned-key"));
    for variation in 0..tries("ACTUM_SURGERY", VARIATIONS) {
        let mut random = Random::new(seed().wrapping_mul(104_729).wrapping_add(variation));
        let mut changed = own.clone();
        let begin = random.below(own.len().min(other.len()));
        let end = begin + 1 + random.below(own.len().min(other.len()) - begin);
        for at in begin..end {
            changed[at] = in_place_of(&other[at], &own[at]);
        }
        for (genesis, trust) in [(&store, Trust::self_signed()), (&store, pinned()), (&foreign, pinned())] {
            let bytes = archive(&genesis.genesis().unwrap(), &changed);
            let fault = judge(&bytes, &trust).expect_err("another key");
            assert_eq!(fault.kind(), FaultKind::Tampered, "variation {variation}: {fault}");
        }
    }
}

/// An archive that ends earlier is a shorter archive: it verifies, and claims no more. A head that was kept tells.
#[tokio::test]
async fn rolled_back_and_truncated() {
    let store = empty(OWN);
    go_on(&store, OWN, 0..8).await;
    let original = blocks(&store);
    let genesis = store.genesis().unwrap();
    let mut whole = Vec::new();
    write_archive(&store, &mut whole).unwrap();
    assert_eq!(archive(&genesis, &original), whole, "this test writes archives as the log does");
    assert!(ArchiveReader::new(&whole[..]).unwrap().all(|frame| frame.is_ok()));
    for variation in 0..tries("ACTUM_SURGERY", VARIATIONS) {
        let mut random = Random::new(seed().wrapping_mul(15_485_863).wrapping_add(variation));
        let left = 1 + random.below(original.len() - 1);
        for trust in [Trust::self_signed(), pinned()] {
            let verdict = judge(&archive(&genesis, &original[..left]), &trust).unwrap();
            let size = original[left - 1].last().unwrap().key.seq + 1;
            assert_eq!((verdict.blocks(), verdict.events()), (left as u64, size), "complete to what is there");
            assert!(verdict.to_string().contains(&format!("complete to {size}; nothing after that can be excluded")));
        }
        // Who kept a seal knows what has to be there at least.
        let kept = 1 + random.below(original.len());
        let verdict = judge(&archive(&genesis, &original[..left]), &since(&genesis, &original[..kept]));
        if left < kept {
            let fault = verdict.unwrap_err();
            assert_eq!((fault.kind(), fault.defect.code()), (FaultKind::Tampered, "since-behind"), "{left} of {kept}");
        } else {
            let size = original[kept - 1].last().unwrap().key.seq + 1;
            let since = Anchor::Since { partition: 0, size, prefix_read: true };
            assert!(verdict.unwrap().anchors.iter().eq([&Anchor::SelfSigned, &since]));
        }
        let shorter = store_of(&store, &original[..left].concat());
        let fault = verify_source(&shorter, &pinned(), &mut |_| {}).unwrap_err();
        assert_eq!((fault.kind(), fault.defect.code()), (FaultKind::Tampered, "head-behind"));
        assert!(open(shorter).await.is_err(), "the engine does not go on from an old state");

        let cut = random.below(whole.len());
        let fault = judge(&whole[..cut], &pinned()).unwrap_err();
        assert_eq!(fault.kind(), FaultKind::Corrupt, "cut at byte {cut}: {fault}");
    }
}

/// The holder of the key can write another history; only a head or seal that was kept tells.
#[tokio::test]
async fn rewritten_with_the_same_key() {
    let store = empty(OWN);
    go_on(&store, OWN, 0..3).await;
    let fork = copy(&store);
    go_on(&store, OWN, 3..6).await;
    go_on(&fork, OWN, 20..24).await;
    let verdict = verify_source(&fork, &pinned(), &mut |_| {}).unwrap();
    assert!(verdict.anchors.iter().eq([&Anchor::Pinned]));
    // A seal of what both have in common is continued by both; a later one by its own log only.
    let (genesis, own, other) = (store.genesis().unwrap(), blocks(&store), blocks(&fork));
    let common = own.iter().zip(&other).take_while(|(one, two)| one == two).count();
    for kept in 1..=own.len() {
        let trust = since(&genesis, &own[..kept]);
        assert!(judge(&archive(&genesis, &own), &trust).is_ok());
        let forked = judge(&archive(&genesis, &other), &trust);
        match forked {
            Ok(_) => assert!(kept <= common, "the seal of block {kept} is not of the fork"),
            Err(fault) => {
                assert!(kept > common && fault.kind() == FaultKind::Tampered, "{fault}");
                assert!(["since", "since-behind"].contains(&fault.defect.code()), "{fault}");
            }
        }
    }
    fork.set_head(0, EventStore::head(&store, 0));
    let fault = verify_source(&fork, &pinned(), &mut |_| {}).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Tampered, "{fault}");
    assert!(open(fork).await.is_err(), "the engine knows its head");
}

/// Whoever has a stolen key goes on from before its rotation; a trust file that names the key as revoked tells, a pinned key does not.
#[tokio::test]
async fn continued_with_a_stolen_key_after_its_revocation() {
    let store = empty(OWN);
    go_on(&store, OWN, 0..3).await;
    let stolen = copy(&store);
    go_on(&stolen, OWN, 40..44).await;
    let engine = counting(Engine::on_store(store.clone(), signer(OWN))).open().await.unwrap();
    engine.rotate_key_to(signer(NEXT), None).await.unwrap();
    engine.revoke_key(signer(OWN).public_key(), "stolen").await.unwrap();
    engine.close().await.unwrap();
    go_on(&store, NEXT, 3..6).await;
    let genesis = store.genesis().unwrap();
    let (own, other) = (archive(&genesis, &blocks(&store)), archive(&genesis, &blocks(&stolen)));
    let key = hex(signer(OWN).public_key());
    let file = format!("actum-trust 1\norigin {ORIGIN}\nkey {key}\nrevoked {key}\n");
    let informed = Trust::from_trust_file(file.as_bytes()).unwrap();
    let verdict = judge(&own, &informed).unwrap();
    let revoked: Vec<bool> = verdict.partitions[0].keys.iter().map(|span| span.revoked).collect();
    assert_eq!(
        (revoked.as_slice(), verdict.partitions[0].key_in_force),
        (&[true, false][..], signer(NEXT).public_key())
    );
    assert!(judge(&other, &pinned()).is_ok(), "the key alone cannot tell");
    let fault = judge(&other, &informed).unwrap_err();
    assert_eq!((fault.kind(), fault.defect.code()), (FaultKind::Tampered, "revoked-key"));
    // The stolen key cannot go on after the rotation either.
    let fault = verify_source(&stolen, &since(&genesis, &blocks(&store)), &mut |_| {}).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Tampered, "{fault}");
}
