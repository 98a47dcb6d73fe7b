//! Proofs by `actum-log` convince `actum-verify` and foreign tools, on real logs of many sizes.

mod written;

use actum_log::{CasePaths, ProofError, ProofOptions, prove_case, prove_consistency, prove_dossier, prove_event};
use actum_verify::{Anchor, Proven, Trust, verify_proof, verify_source};
use ct_merkle::{RootHash, mem_backed_tree::MemoryBackedTree};
use sha2::Sha256;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{checkpoint::Checkpoint, tlog};
use written::{Hash, Log, Parts, log};

fn at(size: u64) -> ProofOptions<'static> {
    ProofOptions { size: Some(size), ..ProofOptions::default() }
}

/// The checkpoint of a note, its signature checked by `signed_note`.
fn opened(note: &str, log: &Log) -> Checkpoint {
    let key = StandardVerifier::new(&log.genesis.verifier_key(0).to_string()).unwrap();
    let note = Note::from_bytes(note.as_bytes()).unwrap();
    let (signed, _) = note.verify(&VerifierList::new(vec![Box::new(key)])).unwrap();
    assert_eq!(signed.len(), 1);
    Checkpoint::from_bytes(note.text()).unwrap()
}

fn tlog_hashes(hashes: &[Hash]) -> Vec<tlog::Hash> {
    hashes.iter().copied().map(tlog::Hash).collect()
}

/// Checks event proofs and consistency proofs of a log at each of its seals with `ct_merkle`, `tlog_tiles` and `signed_note`.
fn cross_check(log: &Log, step: impl Fn(u64) -> usize) {
    let (leaves, trust) = (log.leaves(), log.pinned());
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut older: Vec<(u64, Hash)> = Vec::new();
    for size in log.sizes() {
        (tree.len()..size).for_each(|index| tree.push(leaves[index as usize].to_vec()));
        let root: Hash = tree.root().as_bytes()[..].try_into().unwrap();
        let foreign_root = RootHash::<Sha256>::new(root.into(), size);
        for index in (0..size).step_by(step(size)).chain([size - 1]) {
            let proof = prove_event(&log.store, index, &at(size)).unwrap();
            let verdict = verify_proof(proof.as_bytes(), &trust).unwrap();
            assert_eq!((verdict.size, verdict.root, verdict.anchors.is_pinned()), (size, root, true));
            let parts = Parts::of(&proof);
            let checkpoint = opened(&parts.seals, log);
            assert_eq!((checkpoint.size(), checkpoint.hash().0), (size, root));
            assert_eq!((parts.first.as_str(), parts.index), ("c2sp.org/tlog-proof@v1", Some(index)));
            let leaf = &leaves[index as usize];
            let hash = tlog::record_hash(leaf);
            tlog::check_record(&tlog_hashes(&parts.hashes), size, tlog::Hash(root), index, hash).unwrap();
            let path = ct_merkle::InclusionProof::<Sha256>::from_bytes(parts.hashes.as_flattened().to_vec());
            foreign_root.verify_inclusion(&leaf.to_vec(), index, &path).unwrap();
        }
        older.push((size, root));
        for (old_size, old_root) in older.iter().rev().step_by(step(older.len() as u64)) {
            let proof = prove_consistency(&log.store, *old_size, &at(size)).unwrap();
            let verdict = verify_proof(proof.as_bytes(), &trust).unwrap();
            assert!(matches!(verdict.proven, Proven::Consistency { old_size: found, .. } if found == *old_size));
            let hashes = Parts::of(&proof).hashes;
            if *old_size < size {
                let heads = (tlog::Hash(root), tlog::Hash(*old_root));
                tlog::check_tree(&tlog_hashes(&hashes), size, heads.0, *old_size, heads.1).unwrap();
            }
            let path = ct_merkle::ConsistencyProof::<Sha256>::try_from_bytes(hashes.as_flattened().to_vec()).unwrap();
            foreign_root.verify_consistency(&RootHash::new((*old_root).into(), *old_size), &path).unwrap();
        }
    }
}

#[test]
fn foreign_tools_accept_proofs_at_every_size_to_300() {
    let step = |size: u64| if size <= 24 { 1 } else { size as usize / 5 };
    let (mut even, mut odd) = (log(1), log(2));
    even.write(vec![1; 150], 9);
    odd.write([2], 9);
    odd.write(vec![1; 149], 9);
    cross_check(&even, step);
    cross_check(&odd, step);
    let sizes: std::collections::BTreeSet<u64> = even.sizes().into_iter().chain(odd.sizes()).collect();
    assert_eq!(sizes, (2..=301).collect());
}

#[test]
fn foreign_tools_accept_proofs_of_a_large_log() {
    let mut log = log(3);
    log.write([6_000, 1, 1_000, 4_095, 77, 9_000], 900);
    cross_check(&log, |size| (size as usize / 3).max(1));
}

#[test]
fn a_case_is_proven_with_all_its_events() {
    let mut log = log(4);
    for _ in 0..6 {
        log.write([3, 40, 1, 17], 12);
    }
    let (trust, size) = (log.pinned(), *log.sizes().last().unwrap());
    let ended: Vec<u64> = log.ended().iter().map(|(stream, _)| *stream).collect();
    assert!(ended.len() > 3, "some streams ended");
    for stream in (1..=12).chain(ended.iter().copied()).chain([1 << 63]) {
        let seqs = log.seqs(stream);
        for paths in [CasePaths::Each, CasePaths::Last] {
            let proof = prove_case(&log.store, stream, paths, &ProofOptions::default()).unwrap();
            let verdict = verify_proof(proof.as_bytes(), &trust).unwrap();
            let Proven::Case { stream: found, ended: has_ended, events } = &verdict.proven else { panic!("{verdict}") };
            assert_eq!((*found, *has_ended, verdict.size), (stream, ended.contains(&stream), size));
            assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), seqs);
            let in_tree = events.iter().filter(|event| event.in_tree).count();
            assert_eq!(in_tree, if paths == CasePaths::Each { seqs.len() } else { 1 });
            assert!(events.iter().all(|event| event.payload.is_some()));
        }
    }
    // As of an older seal there is less of it.
    let old = log.sizes()[4];
    let proof = prove_case(&log.store, 3, CasePaths::Each, &at(old)).unwrap();
    let events = verify_proof(proof.as_bytes(), &trust).unwrap().proven.events().count();
    assert_eq!(events, log.seqs(3).iter().filter(|seq| **seq < old).count());
}

#[test]
fn withheld_payloads_are_not_in_the_file_and_the_rest_still_proves() {
    let mut log = log(5);
    log.write_events(&[
        (1, false, b"applied"),
        (2, false, b"x"),
        (1, false, b"the diagnosis of Mr Secret"),
        (1, true, b"paid"),
    ]);
    let seqs = log.seqs(1);
    let withhold = [seqs[1]];
    let options = ProofOptions { withhold: &withhold, ..ProofOptions::default() };
    let proofs = [
        prove_case(&log.store, 1, CasePaths::Each, &options).unwrap(),
        prove_dossier(&log.store, 1, &seqs, &options).unwrap(),
        prove_event(&log.store, seqs[1], &options).unwrap(),
    ];
    for proof in proofs {
        let body = Parts::of(&proof).body;
        assert!(!body.windows(9).any(|window| window == b"Mr Secret"));
        let verdict = verify_proof(proof.as_bytes(), &log.pinned()).unwrap();
        assert_eq!(verdict.proven.withheld(), 1);
        assert!(verdict.proven.events().all(|event| event.payload.is_none() == (event.seq == seqs[1])));
        assert!(verdict.to_string().contains("one payload is withheld"), "{verdict}");
    }
    let proof = prove_dossier(&log.store, 1, &seqs[..1], &ProofOptions::default()).unwrap();
    assert!(!Parts::of(&proof).body.windows(9).any(|window| window == b"Mr Secret"));
}

#[test]
fn a_dossier_shows_any_choice_of_a_stream_that_ended() {
    let mut log = log(6);
    for _ in 0..8 {
        log.write([30, 5], 4);
    }
    let trust = log.pinned();
    assert!(log.ended().len() > 5);
    for (stream, total) in log.ended() {
        let seqs = log.seqs(stream);
        let earlier = &seqs[..seqs.len() - 1];
        for step in 1..=earlier.len() {
            let chosen: Vec<u64> = earlier.iter().rev().step_by(step).copied().collect();
            let proof = prove_dossier(&log.store, stream, &chosen, &ProofOptions::default()).unwrap();
            let verdict = verify_proof(proof.as_bytes(), &trust).unwrap();
            let Proven::Dossier { total: found, events, terminal, .. } = &verdict.proven else { panic!("{verdict}") };
            assert_eq!((*found, terminal.seq), (total, seqs[seqs.len() - 1]));
            let mut shown: Vec<u64> = events.iter().map(|event| event.seq).collect();
            shown.reverse();
            assert_eq!(shown, chosen);
        }
    }
}

#[test]
fn the_writer_states_stream_roots_that_a_full_verification_accepts() {
    let mut log = log(7);
    for _ in 0..5 {
        log.write([50, 200, 3], 40);
    }
    log.write_events(&[(5_000, true, b"first and last")]);
    let verdict = verify_source(&log.store, &log.pinned(), &mut |_| ()).unwrap();
    assert_eq!(verdict.events(), *log.sizes().last().unwrap());
    let terminals = actum_log::records(&log.store, 0, 0).unwrap().map(Result::unwrap);
    let roots: Vec<bool> = terminals
        .filter(|record| record.header().terminal)
        .map(|record| record.view().extensions().stream_root().is_some())
        .collect();
    assert!(roots.len() > 5 && roots.iter().all(|has_root| *has_root), "{roots:?}");
}

#[test]
fn what_cannot_be_proven_is_said() {
    let mut log = log(8);
    log.write_events(&[(1, false, b"a"), (2, false, b"b"), (2, true, b"c")]);
    log.write_events(&[(1, false, b"d")]);
    let (store, default) = (&log.store, ProofOptions::default());
    let withhold = ProofOptions { withhold: &[2], ..default };
    assert!(matches!(prove_event(store, 99, &default), Err(ProofError::NoEvent { seq: 99, size: 6 })));
    assert!(matches!(prove_event(store, 5, &at(4)), Err(ProofError::NoEvent { seq: 5, size: 4 })));
    assert!(matches!(prove_event(store, 0, &at(5)), Err(ProofError::NoSeal(5))));
    assert!(matches!(prove_event(store, 0, &at(0)), Err(ProofError::NoSeal(0))));
    assert!(matches!(prove_event(store, 1, &withhold), Err(ProofError::NotPart(2))));
    assert!(matches!(
        prove_case(store, 9, CasePaths::Each, &default),
        Err(ProofError::NoStream { stream: 9, size: 6 })
    ));
    assert!(matches!(prove_case(store, 1, CasePaths::Each, &withhold), Err(ProofError::NotPart(2))));
    assert!(matches!(prove_dossier(store, 1, &[1], &default), Err(ProofError::NotEnded(1))));
    assert!(matches!(prove_dossier(store, 2, &[1], &default), Err(ProofError::NotPart(1))));
    assert!(matches!(prove_dossier(store, 2, &[], &default), Err(ProofError::Chosen { count: 0, .. })));
    assert!(matches!(prove_consistency(store, 6, &at(4)), Err(ProofError::Order { old: 6, new: 4 })));
    assert!(matches!(prove_consistency(store, 3, &default), Err(ProofError::NoSeal(3))));
    assert!(matches!(prove_event(&written::log(9).store, 0, &default), Err(ProofError::Empty(0))));
}

#[test]
fn a_log_that_was_changed_gives_no_proof() {
    use actum_log::{Compressor, Frame, FrameKey, FrameSource, FrameType};
    let mut log = log(10);
    log.write([9, 9, 9], 5);
    let frames: Vec<Frame> = log.store.frames(FrameKey::first(0)).unwrap().map(Result::unwrap).collect();
    for frame in frames.iter().filter(|frame| frame.key.kind == FrameType::Chunk) {
        let (header, mut body) = frame.decode().unwrap();
        *body.last_mut().unwrap() ^= 1;
        log.store.insert(Frame::encode(frame.key, header.count, &body, &mut Compressor::default()));
        let last = frame.key.seq + u64::from(header.count) - 1;
        assert!(prove_event(&log.store, last, &ProofOptions::default()).is_err(), "{:?}", frame.key);
        log.store.insert(frame.clone());
    }
    assert!(prove_event(&log.store, 3, &ProofOptions::default()).is_ok());
}

#[test]
fn a_verdict_says_what_it_rests_on() {
    let mut log = log(11);
    log.write_events(&[(1, false, b"a")]);
    let proof = prove_event(&log.store, 1, &ProofOptions::default()).unwrap();
    let verdict = verify_proof(proof.as_bytes(), &log.pinned()).unwrap();
    assert_eq!(
        verdict.to_string(),
        "proven: event 1 is version 1 of stream 1; in log 0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b of example.org/written, \
         partition 0, sealed over 2 events with block 0; rests on the key you gave (pinned)"
    );
    assert_eq!(
        verify_proof(proof.as_bytes(), &Trust::self_signed()).unwrap().anchors.to_string(),
        Anchor::SelfSigned.to_string()
    );
}
