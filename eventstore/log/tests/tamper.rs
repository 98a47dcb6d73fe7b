//! What a fold notices: every changed bit, everything that is dropped, moved or doubled, and a log behind its head.

mod fixture;

use std::ops::ControlFlow;

use actum_log::{
    Compressor, DecodeError, EventStore, FoldError, FoldOptions, Frame, FrameKey, FrameSource, FrameType, MemoryStore,
    Mismatch, fold, records_in,
};
use fixture::forge::{Forge, Forged};
use fixture::{Test, changing_log, check, genesis, key, small_log};

fn frames(store: &MemoryStore) -> Vec<Frame> {
    store.frames(FrameKey::first(0)).expect("frames").map(|frame| frame.expect("frame")).collect()
}

fn blocks(store: &MemoryStore) -> Vec<Frame> {
    frames(store).into_iter().filter(|frame| frame.key.kind == FrameType::Block).collect()
}

#[test]
fn every_flipped_bit_of_a_frame_is_found() {
    let store = small_log();
    for frame in frames(&store) {
        // Each bit of short frames, a sample of long ones.
        let step = (frame.bytes.len() / 150).max(1);
        for at in (0..frame.bytes.len()).step_by(step) {
            store.tamper(frame.key, |bytes| bytes[at] ^= 1 << (at % 8));
            assert!(check(&store, 0).is_err(), "{:?} byte {at}", frame.key);
            store.insert(frame.clone());
        }
    }
    assert!(check(&store, 0).is_ok());
}

/// Changes the decoded body of a frame and gives it a fitting checksum, as somebody who knows the format would.
fn forge(store: &MemoryStore, key: FrameKey, change: impl FnOnce(&mut Vec<u8>)) {
    let frame = frames(store).into_iter().find(|frame| frame.key == key).expect("the frame is there");
    let (header, mut body) = frame.decode().expect("the frame decodes");
    change(&mut body);
    store.insert(Frame::encode(key, header.count, &body, &mut Compressor::default()));
}

#[test]
fn every_forged_byte_of_records_and_blocks_is_found_in_its_block() {
    let store = small_log();
    let all = frames(&store);
    let mut block_of = 0;
    for frame in &all {
        let (_, body) = frame.decode().expect("the frame decodes");
        for at in (0..body.len()).step_by((body.len() / 300).max(1)) {
            forge(&store, frame.key, |body| body[at] ^= 0x10);
            match check(&store, 0) {
                Err(FoldError::Corrupt { block, .. } | FoldError::Tampered { block, .. }) => {
                    assert_eq!(block, block_of, "{:?} byte {at}", frame.key);
                }
                other => panic!("{:?} byte {at}: {other:?}", frame.key),
            }
            store.insert(frame.clone());
        }
        block_of += u64::from(frame.key.kind == FrameType::Block);
    }
}

/// Changes of keys and checkpoints among them: no byte of them can be changed unnoticed, and none makes a fold panic.
#[test]
fn every_forged_byte_of_a_log_whose_keys_change_is_found() {
    let store = changing_log().store;
    let options = FoldOptions { stream_table: true, ..FoldOptions::default() };
    for frame in frames(&store) {
        let (_, body) = frame.decode().expect("the frame decodes");
        let own: Vec<usize> = match frame.key.kind {
            FrameType::Chunk => own_records(&body).step_by(5).collect(),
            _ => (0..body.len()).step_by(body.len() / 12).collect(),
        };
        for at in own {
            forge(&store, frame.key, |body| body[at] ^= 0x10);
            assert!(check(&store, 0).is_err(), "{:?} byte {at}", frame.key);
            assert!(fold(&store, 0, options, |_| ControlFlow::Continue(())).is_err(), "{:?} byte {at}", frame.key);
            store.insert(frame.clone());
        }
    }
    assert!(check(&store, 0).is_ok());
}

/// Places of the bytes of records of kinds 2 to 4.
fn own_records(body: &[u8]) -> impl Iterator<Item = usize> {
    let mut end = 0;
    records_in(body).flatten().flat_map(move |record| {
        let start = end;
        end += record.bytes().len();
        let own = (2..=4).contains(&record.header().kind);
        if own { start..end } else { 0..0 }
    })
}

#[test]
fn a_changed_payload_is_named() {
    let store = small_log();
    let block_0_end = blocks(&store)[0].key;
    let chunk = frames(&store).into_iter().find(|frame| frame.key > block_0_end).expect("a second block");
    forge(&store, chunk.key, |body| *body.last_mut().expect("not empty") ^= 1);
    let error = check(&store, 0).expect_err("was tampered with");
    assert!(matches!(error, FoldError::Tampered { block: 1, source: Mismatch::Root, .. }), "{error:?}");
}

#[test]
fn dropped_moved_and_cut_blocks_are_found() {
    let store = small_log();
    for frame in frames(&store) {
        let removed = store.remove(frame.key).expect("was there");
        assert!(check(&store, 0).is_err(), "without {:?}", frame.key);
        store.insert(removed);
    }
    let last = blocks(&store).pop().expect("blocks");
    store.remove(last.key);
    let error = check(&store, 0).expect_err("chunks without a block");
    assert!(matches!(error, FoldError::Corrupt { block: 3, source: DecodeError::Unfinished, .. }), "{error:?}");
}

#[test]
fn a_whole_tail_that_is_missing_is_behind_the_head() {
    let store = small_log();
    let keep = blocks(&store)[2].key;
    for frame in frames(&store).into_iter().filter(|frame| frame.key > keep) {
        store.remove(frame.key);
    }
    let error = check(&store, 0).expect_err("acknowledged blocks are missing");
    assert!(matches!(error, FoldError::Tampered { block: 3, source: Mismatch::BehindHead, .. }), "{error:?}");
    store.set_head(0, None);
    assert_eq!(
        check(&store, 0).map(|folded| folded.blocks).ok(),
        Some(3),
        "without a head nothing after it can be excluded"
    );
}

#[test]
fn a_head_of_another_history_is_found() {
    let store = small_log();
    let mut head = EventStore::head(&store, 0).expect("a head");
    head.hash[0] ^= 1;
    store.set_head(0, Some(head));
    let error = check(&store, 0).expect_err("another head");
    assert!(matches!(error, FoldError::Tampered { block: 3, source: Mismatch::Head, .. }), "{error:?}");
}

#[test]
fn a_block_of_another_partition_or_key_is_found() -> Test {
    let store = small_log();
    let foreign: Vec<Frame> = store.frames(FrameKey::first(1))?.collect::<Result<_, _>>()?;
    let forged = MemoryStore::new(genesis().to_string());
    for frame in foreign {
        let (header, body) = frame.decode()?;
        let key = FrameKey { partition: 0, ..frame.key };
        forged.insert(Frame::encode(key, header.count, &body, &mut Compressor::default()));
    }
    assert!(matches!(check(&forged, 0), Err(FoldError::Tampered { .. })));

    let thief = key(9);
    let mut forge = Forge::new();
    let record = Forged { stream: 1, kind: 256, schema: 1, terminal: false, payload: b"forged".to_vec() };
    forge.block(&[record], &thief, &[&thief]);
    assert!(matches!(check(&forge.store, 0), Err(FoldError::Tampered { source: Mismatch::KeyId, .. })));
    Ok(())
}

#[test]
fn another_genesis_is_found() {
    let forged = MemoryStore::new(genesis().to_string().replace("clock simulated", "clock real"));
    frames(&small_log()).into_iter().for_each(|frame| forged.insert(frame));
    assert!(matches!(check(&forged, 0), Err(FoldError::Tampered { source: Mismatch::PreviousHash, .. })));
}
