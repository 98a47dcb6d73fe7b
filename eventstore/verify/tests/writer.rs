//! What the real writer makes of rotations, checkpoints, tails and their proofs, judged by this crate.

mod written;

use actum_log::{
    CasePaths, CheckpointTable, ProofOptions, Signer, prove_case, prove_completeness, prove_consistency, prove_event,
    write_archive, write_tail,
};
use actum_verify::{Anchor, Defect, FaultKind, Proven, Trust, Verdict, verify_archive, verify_proof, verify_source};
use written::{Log, rotating_log, signer};

/// Blocks of events between two rotations, the second of which revokes, and checkpoints beside them.
fn log() -> (Log, Vec<u64>) {
    let mut log = rotating_log(50);
    log.write([30, 5], 9);
    let first = log.rotate(false);
    log.write([12], 9);
    let second = log.rotate(true);
    log.write([40, 1], 12);
    (log, vec![first, second])
}

fn archive(log: &Log) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_archive(&log.store, &mut bytes).unwrap();
    bytes
}

fn verify(bytes: &[u8], trust: &Trust) -> Result<Verdict, actum_verify::Fault> {
    verify_archive(bytes, trust, &mut |_| ())
}

/// The log's seals in order of their blocks.
fn seals(log: &Log) -> Vec<Vec<u8>> {
    let proof = |size| prove_consistency(&log.store, size, &ProofOptions::default()).unwrap();
    let seal = |size| {
        let proof = proof(size);
        let seals = proof.split_once("\n\n").unwrap().1;
        let middle = seals.match_indices("\n\n").nth(1).unwrap().0;
        seals.as_bytes()[..=middle].to_vec()
    };
    log.sizes().into_iter().map(seal).collect()
}

#[test]
fn rotated_logs_with_checkpoints_verify() {
    let (log, _) = log();
    let keys: Vec<[u8; 32]> = [50, 51, 52].map(|seed| signer(seed).public_key()).to_vec();
    for verdict in
        [verify(&archive(&log), &log.pinned()).unwrap(), verify_source(&log.store, &log.pinned(), &mut |_| ()).unwrap()]
    {
        let spans = &verdict.partitions[0].keys;
        assert_eq!(spans.iter().map(|span| span.key).collect::<Vec<_>>(), keys);
        let blocks: Vec<_> = spans.iter().map(|span| (span.first_block, span.last_block, span.revoked)).collect();
        assert_eq!(blocks, [(0, 2, false), (3, 3, true), (4, 6, false)]);
        assert_eq!(verdict.partitions[0].key_in_force, keys[2]);
    }
}

#[test]
fn tails_verify_from_every_seal() {
    let (log, _) = log();
    let whole = verify(&archive(&log), &log.pinned()).unwrap();
    let sizes = log.sizes();
    for (size, seal) in sizes.iter().zip(seals(&log)).take(sizes.len() - 1) {
        let mut tail = Vec::new();
        write_tail(&log.store, &[*size], &mut tail).unwrap();
        let trust = log.pinned().since(&seal).unwrap();
        let verdict = verify(&tail, &trust).unwrap();
        assert_eq!(
            (verdict.partitions[0].root, verdict.partitions[0].skipped_events),
            (whole.partitions[0].root, *size)
        );
        let since = Anchor::Since { partition: 0, size: *size, prefix_read: false };
        assert!(verdict.anchors.iter().eq([&Anchor::Pinned, &since]));
        let fault = verify(&tail, &log.pinned()).unwrap_err();
        assert_eq!((fault.kind(), fault.defect), (FaultKind::Unproven, Defect::TailWithoutSince { size: *size }));
        assert!(verify(&archive(&log), &trust).is_ok());
    }
}

#[test]
fn proofs_lead_over_rotations() {
    let (log, _) = log();
    let sizes = log.sizes();
    for (block, size) in sizes.iter().enumerate() {
        let options = ProofOptions { size: Some(*size), ..ProofOptions::default() };
        let rotations = usize::from(block >= 2) + usize::from(block >= 4);
        for seq in [0, 1, size - 1] {
            let proof = prove_event(&log.store, seq, &options).unwrap();
            let verdict = verify_proof(proof.as_bytes(), &log.pinned()).unwrap();
            assert_eq!((verdict.rotations, verdict.size), (rotations, *size));
        }
        let proof = prove_case(&log.store, 1, CasePaths::Each, &options).unwrap();
        verify_proof(proof.as_bytes(), &log.pinned()).unwrap();
        for old in &sizes[..=block] {
            let proof = prove_consistency(&log.store, *old, &options).unwrap();
            verify_proof(proof.as_bytes(), &log.pinned()).unwrap();
        }
    }
}

#[test]
fn checkpoints_prove_what_a_stream_has_and_that_others_have_nothing() {
    let (log, checkpoints) = log();
    for seq in checkpoints {
        let table = CheckpointTable::read(&log.store, 0, seq).unwrap();
        let as_of = table.table().size();
        for stream in (1..=20).chain([(1 << 63) + 2, (1 << 63) + 7, u64::MAX]) {
            let proof = prove_completeness(&log.store, stream, &table, &ProofOptions::default()).unwrap();
            let verdict = verify_proof(proof.as_bytes(), &log.pinned()).unwrap();
            let expected: Vec<u64> = log.seqs(stream).into_iter().filter(|seq| *seq < as_of).collect();
            let seqs: Vec<u64> = verdict.proven.events().map(|event| event.seq).collect();
            assert_eq!(seqs, expected, "stream {stream}");
            match verdict.proven {
                Proven::Complete { as_of: of, checkpoint, .. } | Proven::Absent { as_of: of, checkpoint, .. } => {
                    assert_eq!((of, checkpoint), (as_of, seq));
                }
                other => panic!("{other}"),
            }
            for at in (0..proof.len()).step_by(211) {
                let mut bytes = proof.clone().into_bytes();
                bytes[at] ^= 4;
                assert!(verify_proof(&bytes, &log.pinned()).is_err(), "byte {at}");
            }
        }
    }
}
