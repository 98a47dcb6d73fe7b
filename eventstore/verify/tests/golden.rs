//! The archive that the Python writer made from the page alone.

use actum_verify::{Clock, FaultKind, Part, Place, Trust, verify_archive};

const ARCHIVE: &[u8] = include_bytes!("../golden/python-written.actum");
const VERIFIER_KEY: &str = "example.org/python/0+62e95e0f+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
const SEALED: &str = "example.org/python/0\n18\nI1hpW5jWNpn/R3ijzMfvWN8T5tXatsE37P9p1uatx88=\n\
    actum-block 2 KKmZT6HVA/kYVkEusUFh75GcqS7fKyVCTgHYc37ABnU=\n\n— example.org/python/0 YuleD";

fn verify(archive: &[u8]) -> Result<actum_verify::Verdict, actum_verify::Fault> {
    verify_archive(archive, &Trust::self_signed(), &mut |_| ())
}

#[test]
fn verifies_and_names_its_seal() {
    let verdict = verify(ARCHIVE).unwrap();
    assert_eq!(
        (verdict.anchors.is_pinned(), verdict.clock, verdict.events(), verdict.blocks()),
        (false, Clock::Real, 20, 4)
    );
    assert_eq!(verdict.log_id[..3], [0, 1, 2]);
    let first = &verdict.partitions[0];
    let seal = first.seal.as_deref().unwrap();
    assert!(seal.starts_with(SEALED), "{seal}");
    assert_eq!((first.size, first.key_name.as_str()), (18, "example.org/python/0"));
    assert_eq!((first.head_kept, first.unacknowledged_blocks), (false, 0));
    let trust = Trust::from_verifier_key(VERIFIER_KEY).unwrap();
    let verdict = verify_archive(ARCHIVE, &trust, &mut |_| ()).unwrap();
    assert_eq!(
        verdict.to_string(),
        "verified: log 000102030405060708090a0b0c0d0e0f of example.org/python, 20 events in 4 blocks, complete to 18 in \
         partition 0, 2 in partition 1; nothing after that can be excluded; rests on the key you gave (pinned)"
    );
}

#[test]
fn another_pinned_key_or_origin_is_tampering() {
    let key = verify(ARCHIVE).unwrap().key;
    let elsewhere = Trust::pinned(Some("example.org/else"), key);
    let other_key = Trust::pinned(None, [1; 32]);
    for (trust, code) in [(elsewhere, "pinned-origin"), (other_key, "pinned-key")] {
        let fault = verify_archive(ARCHIVE, &trust, &mut |_| ()).unwrap_err();
        assert_eq!((fault.kind(), fault.defect.code(), fault.place.part), (FaultKind::Tampered, code, Part::Genesis));
    }
    assert!(verify_archive(ARCHIVE, &Trust::pinned(None, key), &mut |_| ()).is_ok());
}

/// Where a frame begins and ends, and the partition and block to which it belongs.
type Extent = (std::ops::Range<usize>, Option<(u16, u64)>);

/// The magic and every frame.
fn frames() -> Vec<Extent> {
    let (mut frames, mut at, mut blocks) = (vec![(0..16, None)], 16, [0; 2]);
    while at < ARCHIVE.len() {
        let stored = u32::from_le_bytes(ARCHIVE[at + 4..at + 8].try_into().unwrap()) as usize;
        let partition = u16::from_le_bytes([ARCHIVE[at + 2], ARCHIVE[at + 3]]);
        let block = matches!(ARCHIVE[at], 2 | 3).then_some((partition, blocks[usize::from(partition)]));
        if ARCHIVE[at] == 3 {
            blocks[usize::from(partition)] += 1;
        }
        frames.push((at..at + 40 + stored, block));
        at += 40 + stored;
    }
    frames
}

#[test]
fn every_flipped_bit_is_found_and_placed() {
    let mut changed = ARCHIVE.to_vec();
    for (range, block) in frames() {
        for (byte, bit) in range.clone().flat_map(|byte| (0..8).map(move |bit| (byte, bit))) {
            changed[byte] ^= 1 << bit;
            let fault = verify(&changed).expect_err("a flipped bit is found");
            changed[byte] ^= 1 << bit;
            let Place { partition, block: number, offset, .. } = fault.place;
            let context = format!("byte {byte}, bit {bit}: {fault}");
            assert_eq!(fault.kind(), FaultKind::Corrupt, "{context}");
            assert_eq!(offset, Some(range.start as u64), "{context}");
            // Which block a frame between blocks belongs to is only known from its type and partition.
            let names_block = (range.start..range.start + 4).contains(&byte);
            if !names_block {
                assert_eq!(partition.zip(number), block, "{context}");
            }
        }
    }
}

#[test]
fn every_truncation_and_any_addition_is_found() {
    for length in 0..ARCHIVE.len() {
        let fault = verify(&ARCHIVE[..length]).expect_err("a truncation is found");
        assert_eq!(fault.kind(), FaultKind::Corrupt, "at {length}: {fault}");
    }
    let fault = verify(&[ARCHIVE, b"\0"].concat()).unwrap_err();
    assert_eq!((fault.kind(), fault.place.part), (FaultKind::Corrupt, Part::End));
    assert_eq!(fault.place.offset, Some(ARCHIVE.len() as u64));
}

#[test]
fn the_rust_writers_archive_verifies_too() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../log/golden/format-1.actum");
    let archive = std::fs::read(path).unwrap();
    let verdict = verify(&archive).unwrap();
    assert!(verdict.events() > 0, "{verdict}");
    for at in (0..archive.len()).step_by(97) {
        let mut changed = archive.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(verify(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn rotations_revocations_and_checkpoints_of_the_python_writer_verify() {
    let archive = include_bytes!("../golden/python-rotated.actum");
    let trust = Trust::pinned(Some("example.org/python"), verify(ARCHIVE).unwrap().key);
    let verdict = verify_archive(&archive[..], &trust, &mut |_| ()).unwrap();
    let partition = &verdict.partitions[0];
    let spans: Vec<_> = partition.keys.iter().map(|span| (span.first_block, span.last_block, span.revoked)).collect();
    assert_eq!(spans, [(0, 1, true), (2, 2, true), (3, 4, false)]);
    assert_eq!((partition.key_in_force, partition.size), (partition.keys[2].key, 17));
    for at in 0..archive.len() {
        for bit in [0, 5] {
            let mut changed = archive.to_vec();
            changed[at] ^= 1 << bit;
            assert!(verify(&changed).is_err(), "byte {at}, bit {bit}");
        }
    }
}
