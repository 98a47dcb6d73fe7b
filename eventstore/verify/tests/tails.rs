//! Tails: archives that begin later, verified against a kept seal only.

mod forge;

use actum_log::Frame;
use actum_verify::{Anchor, Defect, Fault, FaultKind, Part, Trust, Verdict, verify_archive};
use forge::proving::{Prover, raw_proof_frame};
use forge::{Draft, Event, Forge, event, key, last, public};

const SECOND: u8 = 8;
const THIRD: u8 = 9;

fn verify(archive: &[u8], trust: &Trust) -> Result<Verdict, Fault> {
    verify_archive(archive, trust, &mut |_| ())
}

fn since(seal: &[u8]) -> Trust {
    Trust::self_signed().since(seal).unwrap()
}

/// Blocks 0 to 5 with rotations in 1 and 4, a checkpoint in 3, streams that go on and streams that end.
fn log() -> Forge {
    log_with(|_| ())
}

/// Block 3 is changed by `forge_it` before it is sealed. It has seqs 9 to 13: block record, streams 1, 2, a checkpoint, 30.
fn log_with(forge_it: impl FnOnce(&mut Draft)) -> Forge {
    let mut forge = Forge::with_next(1, 1, Some(&key(SECOND)));
    forge.append(0, &[event(1), event(2)]);
    forge.rotate(0, &key(SECOND), Some(&key(THIRD)), false);
    forge.append(0, &[event(1), last(20)]);
    let checkpoint = forge.checkpoint(0);
    let mut draft = forge.draft(0, &[event(1), last(2), checkpoint, event(30)]);
    forge_it(&mut draft);
    forge.seal(draft);
    forge.rotate(0, &key(THIRD), None, true);
    forge.append(0, &[last(1), event(30)]);
    forge
}

#[test]
fn a_tail_from_every_block_verifies_against_its_seal() {
    let forge = log();
    for block in 0..5 {
        let trust = since(&forge.kept(0, block));
        let verdict = verify(&forge.tail(block), &trust).unwrap();
        let partition = &verdict.partitions[0];
        let whole = verify(&forge.archive(), &trust).unwrap();
        assert_eq!((partition.size, partition.root, partition.hash), {
            let whole = &whole.partitions[0];
            (whole.size, whole.root, whole.hash)
        });
        assert_eq!((partition.blocks, partition.events + partition.skipped_events), (5 - block as u64, partition.size));
        assert_eq!(partition.key_in_force, public(&key(THIRD)));
        let anchor = Anchor::Since { partition: 0, size: partition.skipped_events, prefix_read: false };
        assert!(verdict.anchors.iter().eq([&Anchor::SelfSigned, &anchor]), "{}", verdict.anchors);
        assert!(verdict.to_string().contains("which were not read"), "{verdict}");
    }
}

#[test]
fn without_the_seal_of_its_beginning_a_tail_is_unproven() {
    let forge = log();
    let check = |trust: &Trust, defect: Defect| {
        let fault = verify(&forge.tail(2), trust).expect_err("nothing to verify it against");
        assert_eq!((fault.kind(), fault.place.part, fault.place.partition), (FaultKind::Unproven, Part::Log, Some(0)));
        assert_eq!(fault.defect, defect, "{fault}");
        assert!(fault.to_string().starts_with("unproven: the log of partition 0"), "{fault}");
    };
    check(&Trust::self_signed(), Defect::TailWithoutSince { size: 9 });
    check(&Trust::pinned(None, public(&key(7))), Defect::TailWithoutSince { size: 9 });
    check(&since(&forge.kept(0, 1)), Defect::TailSince { size: 9, kept: 6 });
    check(&since(&forge.kept(0, 3)), Defect::TailSince { size: 9, kept: 14 });
}

#[test]
fn a_tail_of_another_history_is_tampering() {
    let forge = log();
    let other = log_with(|draft| draft.records[1].payload = b"something else".to_vec());
    let check = |archive: &[u8], kept: &[u8], defect: Defect| {
        let fault = verify(archive, &since(kept)).expect_err("another history");
        assert_eq!((fault.kind(), &fault.defect), (FaultKind::Tampered, &defect), "{fault}");
    };
    check(&other.tail(3), &forge.kept(0, 3), Defect::Since("root"));
    // The proof of one history before the blocks of another.
    let (size, mixed) = (21, &other.blocks[4..]);
    let sizes = [(2, size)];
    let archive = forge.tail_of(&[forge.proof_frame(0, 3)], mixed, &sizes);
    check(&archive, &forge.kept(0, 3), Defect::PreviousHash);
    // Nothing can be left out at the beginning.
    let archive = forge.tail_of(&[forge.proof_frame(0, 2)], &forge.blocks[4..], &sizes);
    let fault = verify(&archive, &since(&forge.kept(0, 2))).unwrap_err();
    assert_eq!(fault.kind(), FaultKind::Tampered, "{fault}");
    // A genesis beside which the proof has another.
    let mut renamed = forge.clone();
    let genesis = String::from_utf8(forge.genesis.clone()).unwrap();
    renamed.genesis = genesis.replace("created 5", "created 6").into_bytes();
    let archive = renamed.tail_of(&[forge.proof_frame(0, 3)], &forge.blocks[4..], &sizes);
    check(&archive, &forge.kept(0, 3), Defect::Content("genesis"));
}

#[test]
fn the_proof_leads_from_genesis_to_the_key_in_force() {
    let forge = log();
    let prover = Prover::new(&forge, 0, 3);
    let turns = prover.turns();
    assert_eq!(turns.len(), 1);
    let tail = |text: &str| {
        let proofs = [raw_proof_frame(0, text.as_bytes())];
        let archive = forge.tail_of(&proofs, &forge.blocks[4..], &[(2, 21)]);
        verify(&archive, &since(&forge.kept(0, 3))).map(drop).map_err(|fault| fault.defect.code())
    };
    let sizes = forge.blocks[4..].iter().map(|block| block.last().unwrap().key.seq + 1).max();
    assert_eq!(sizes, Some(21));
    assert_eq!(tail(&prover.consistency(&turns)), Ok(()));
    assert_eq!(tail(&prover.consistency(&[])), Err("signature"), "a rotation left out");
    let event = prover.event(5, &turns);
    assert_eq!(tail(&event), Err("layout"), "a proof of something else");
}

#[test]
fn what_blocks_of_a_tail_say_of_their_streams() {
    let check = |forge_it: fn(&mut Draft), defect: Defect, seq: u64| {
        let forge = log_with(forge_it);
        let fault = verify(&forge.tail(2), &since(&forge.kept(0, 2))).expect_err("a forgery is found");
        assert_eq!((fault.defect, fault.place.seq), (defect, Some(seq)));
    };
    // A stream that is said to have stood where only the tail is.
    let later = |draft: &mut Draft| {
        let entry = draft.entry(2);
        (entry.version, entry.previous) = (1, 9);
        draft.records[2].previous = 9;
        draft.records[2].ext.clear();
    };
    check(later, Defect::StreamIndex { stream: 2 }, 11);
    let blocks = |draft: &mut Draft| {
        draft.entry(1 << 63).version = 4;
        draft.records[0].version = 5;
    };
    check(blocks, Defect::StreamIndex { stream: 1 << 63 }, 9);
    // A chain value of the prefix is taken on the index's word, and the next block has to agree with it.
    let forge = log_with(|draft| draft.entry(1).chain = [9; 32]);
    assert!(verify(&forge.archive(), &Trust::self_signed()).is_err());
    assert!(verify(&forge.tail(2), &since(&forge.kept(0, 2))).is_ok(), "only a full verification can know");
    let mut forge = log();
    let mut draft = forge.draft(0, &[event(30)]);
    draft.entry(30).chain = [9; 32];
    forge.seal(draft);
    let fault = verify(&forge.tail(2), &since(&forge.kept(0, 2))).unwrap_err();
    assert_eq!(fault.defect, Defect::StreamIndex { stream: 30 });
    // A stream that began in the tail has its root checked.
    let mut forge = log();
    let mut draft = forge.draft(0, &[Event { root: false, ..last(77) }]);
    draft.records[1].ext = forge::ext(7, &[5; 32]);
    forge.seal(draft);
    let fault = verify(&forge.tail(2), &since(&forge.kept(0, 2))).unwrap_err();
    assert_eq!(fault.defect, Defect::StreamRoot { stream: 77 });
}

#[test]
fn checkpoints_of_a_tail_are_not_checked() {
    let forge = log_with(|draft| draft.records[3].payload[20] ^= 1);
    assert_eq!(verify(&forge.archive(), &Trust::self_signed()).unwrap_err().defect, Defect::Checkpoint("root"));
    assert!(verify(&forge.tail(2), &since(&forge.kept(0, 2))).is_ok());
}

#[test]
fn several_partitions() {
    let mut forge = Forge::new(1, 3);
    for partition in [0, 1, 2, 0, 1, 0] {
        forge.append(partition, &[event(u64::from(partition) + 1)]);
    }
    // Partition 0 from its second block on, partition 1 whole, nothing of partition 2.
    let proof = forge.proof_frame(0, 0);
    let blocks = [&forge.blocks[3], &forge.blocks[1], &forge.blocks[4], &forge.blocks[5]].map(Vec::clone);
    let counts = [(2, 6), (2, 4), (0, 0)];
    let trust = since(&forge.kept(0, 0));
    let archive = forge.tail_of(std::slice::from_ref(&proof), &blocks, &counts);
    let verdict = verify(&archive, &trust).unwrap();
    let sizes: Vec<_> = verdict.partitions.iter().map(|partition| (partition.blocks, partition.size)).collect();
    assert_eq!(sizes, [(2, 6), (2, 4), (0, 0)]);
    // Seals of the other partitions may be given too; the one of which nothing came is not said to be continued.
    let all = trust.clone().since(&forge.kept(1, 0)).unwrap().since(&forge.kept(2, 0)).unwrap();
    let verdict = verify(&archive, &all).unwrap();
    assert_eq!([0, 1, 2].map(|partition| verdict.anchors.is_since(partition)), [true, true, false]);
    let corrupt = |proofs: &[Frame], counts: &[(u64, u64)]| {
        let fault = verify(&forge.tail_of(proofs, &blocks, counts), &all).expect_err("not as the page says");
        fault.defect.code()
    };
    assert_eq!(corrupt(&[proof.clone(), proof.clone()], &counts), "layout");
    assert_eq!(corrupt(&[forge.proof_frame(1, 0), proof.clone()], &counts), "layout");
    assert_eq!(corrupt(&[proof.clone(), forge.proof_frame(2, 0)], &[(2, 6), (2, 4), (0, 2)]), "layout");
    assert_eq!(corrupt(&[raw_proof_frame(3, b"x")], &counts), "layout");
    assert_eq!(corrupt(std::slice::from_ref(&proof), &[(3, 6), (2, 4), (0, 0)]), "end-count");
    assert_eq!(corrupt(std::slice::from_ref(&proof), &[(2, 4), (2, 4), (0, 0)]), "end-count");
    // A proof frame anywhere else.
    let mut moved = blocks.to_vec();
    moved.insert(1, vec![proof.clone()]);
    let fault = verify(&forge.tail_of(&[proof], &moved, &counts), &all).unwrap_err();
    assert_eq!(fault.defect.code(), "layout");
}

#[test]
fn every_flipped_bit_of_a_proof_frame_is_found() {
    let forge = log();
    let trust = since(&forge.kept(0, 3));
    let frame = forge.proof_frame(0, 3);
    for at in 0..frame.bytes.len() {
        let mut changed = frame.clone();
        changed.bytes[at] ^= 1 << (at % 8);
        for fit in [false, true] {
            if fit && at >= 40 {
                forge::refit(&mut changed);
            }
            let archive = forge.tail_of(std::slice::from_ref(&changed), &forge.blocks[4..], &[(2, 21)]);
            assert!(verify(&archive, &trust).is_err(), "byte {at}");
        }
    }
}
