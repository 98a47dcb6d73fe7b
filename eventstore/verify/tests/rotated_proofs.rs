//! Proofs of logs that rotate their keys, and of checkpoints' completeness: honest ones convince, forged ones are refused by name.

mod forge;

use actum_verify::{Anchor, Defect, Fault, FaultKind, ProofVerdict, Proven, Requirement, Trust, verify_proof};
use ed25519_dalek::SigningKey;
use forge::proving::{Prover, Turn, path};
use forge::{Forge, SYSTEM, base64, event, key, last, public, rotation, trust_file, unbase64};

const SECOND: u8 = 8;
const THIRD: u8 = 9;
/// The blocks of `log`: rotations in 1 and 3, of which the second revokes.
const BLOCKS: usize = 5;

fn log() -> Forge {
    let mut forge = Forge::with_next(1, 1, Some(&key(SECOND)));
    forge.append(0, &[event(1), event(2)]);
    forge.rotate(0, &key(SECOND), Some(&key(THIRD)), false);
    forge.append(0, &[event(1)]);
    forge.rotate(0, &key(THIRD), None, true);
    forge.append(0, &[event(1)]);
    forge
}

fn pinned() -> Trust {
    Trust::pinned(Some(forge::ORIGIN), public(&key(7)))
}

fn verify(proof: &str, trust: &Trust) -> Result<ProofVerdict, Fault> {
    verify_proof(proof.as_bytes(), trust)
}

#[track_caller]
fn refused(proof: &str, code: &str) {
    let fault = verify(proof, &pinned()).expect_err("a forgery is refused");
    assert_eq!(fault.defect.code(), code, "{fault}");
}

/// The proof with another body.
fn with_body(proof: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let line = proof.lines().nth(1).unwrap();
    let mut body = unbase64(line.strip_prefix("extra ").unwrap());
    change(&mut body);
    proof.replace(line, &format!("extra {}", base64(&body)))
}

#[test]
fn a_proof_under_each_seal_leads_from_the_pinned_key() {
    let forge = log();
    let keys = [7, 7, SECOND, SECOND, THIRD].map(|seed| public(&key(seed)));
    for (block, signer) in keys.iter().enumerate() {
        let prover = Prover::new(&forge, 0, block);
        for seq in 0..prover.leaves.len() {
            let verdict = verify(&prover.event(seq, &prover.turns()), &pinned()).unwrap();
            assert_eq!((verdict.rotations, verdict.block), (prover.turns().len(), block as u64));
            // Of a rotation's block the new key is in force afterwards.
            let in_force = if block == 1 || block == 3 { keys[block + 1] } else { *signer };
            assert_eq!(verdict.key_in_force, in_force);
        }
        assert!(verify(&prover.consistency(&prover.turns()), &pinned()).is_ok());
    }
}

#[test]
fn rotations_left_out_moved_or_of_another_log_are_refused() {
    let forge = log();
    let prover = Prover::new(&forge, 0, BLOCKS - 1);
    let turns = prover.turns();
    let [first, second] = turns[..] else { panic!("two rotations") };
    refused(&prover.event(3, &[]), "signature");
    refused(&prover.event(3, &[first]), "signature");
    refused(&prover.event(3, &[second]), "old-key");
    refused(&prover.event(3, &[second, first]), "old-key");
    refused(&prover.event(3, &[first, first]), "old-key");
    // The seal of another block than the rotation's: signed by one key only, or before it, or out of order.
    let seal_of = |block| Turn { block, ..first };
    refused(&prover.event(3, &[seal_of(0), second]), "seal-order");
    // By the new key alone, as if the block revoked the old one too. What it seals the newer seal covers, so nothing false is proven.
    assert!(verify(&prover.event(3, &[seal_of(2), second]), &pinned()).is_ok());
    refused(&prover.event(3, &[first, Turn { block: 1, ..second }]), "seal-order");
    // Another record than a rotation.
    refused(&prover.event(3, &[Turn { seq: 3, ..first }, second]), "layout");
    let revocation = *forge.key_seqs(0).last().unwrap();
    refused(&prover.event(3, &[first, Turn { seq: revocation, ..second }]), "layout");
    // Under a rotation's own seal both keys sign, unless the new one alone does, which revokes the old.
    let prover = Prover::new(&forge, 0, 1);
    assert!(verify(&prover.event(3, &prover.turns()), &pinned()).is_ok());
    // Left out at the seal's own block it goes unnoticed: the old key, still in force, signed that seal first.
    assert!(verify(&prover.event(3, &[]), &pinned()).is_ok());
}

#[test]
fn a_rotation_that_breaks_a_rule_is_refused_in_a_proof_too() {
    let forged = |change: fn(&mut forge::Draft), second: Option<SigningKey>| {
        let mut forge = Forge::with_next(1, 1, Some(&key(SECOND)));
        let mut draft = forge.rotation_draft(0, &key(SECOND), None, false);
        change(&mut draft);
        draft.second = second;
        forge.seal(draft);
        forge.key = key(SECOND);
        forge.append(0, &[event(5)]);
        let prover = Prover::new(&forge, 0, 1);
        verify(&prover.event(1, &prover.turns()), &pinned()).map(drop).map_err(|fault| fault.defect.code())
    };
    let both = Some(key(SECOND));
    assert_eq!(forged(|_| (), both.clone()), Ok(()));
    assert_eq!(forged(|_| (), None), Err("countersignature"));
    assert_eq!(forged(|_| (), Some(key(THIRD))), Err("countersignature"));
    assert_eq!(forged(|draft| draft.records[2].payload[0] ^= 1, both.clone()), Err("old-key"));
    let other_new = |draft: &mut forge::Draft| draft.records[2].payload = rotation(&key(7), &key(THIRD), None).payload;
    assert_eq!(forged(other_new, Some(key(THIRD))), Err("next-key"));
    let none = |draft: &mut forge::Draft| draft.key = key(THIRD);
    assert_eq!(forged(none, both.clone()), Err("signature"));
    let more = |draft: &mut forge::Draft| draft.records[2].payload.push(0);
    assert_eq!(forged(more, both), Err("layout"));
}

#[test]
fn every_flipped_bit_of_a_rotated_proof_is_refused() {
    let forge = log();
    let prover = Prover::new(&forge, 0, BLOCKS - 1);
    let mut bytes = prover.event(4, &prover.turns()).into_bytes();
    for at in 0..bytes.len() {
        for bit in [0, 3, 6] {
            bytes[at] ^= 1 << bit;
            assert!(verify_proof(&bytes, &pinned()).is_err(), "byte {at}, bit {bit}");
            bytes[at] ^= 1 << bit;
        }
    }
    let proof = prover.event(4, &prover.turns());
    let body = unbase64(proof.lines().nth(1).unwrap().strip_prefix("extra ").unwrap());
    for at in 0..body.len() {
        for bit in 0..8 {
            // A flip in a seal's further signature lines changes nothing that is proven; there are none here.
            let changed = with_body(&proof, |body| body[at] ^= 1 << bit);
            assert!(verify(&changed, &Trust::self_signed()).is_err(), "body byte {at}, bit {bit}");
        }
        let cut = with_body(&proof, |body| body.truncate(at));
        assert_eq!(verify(&cut, &pinned()).unwrap_err().kind(), FaultKind::Corrupt, "body of {at} bytes");
    }
}

#[test]
fn revoked_keys_kept_seals_and_witnesses() {
    let forge = log();
    let file = |revoked: &[u8]| {
        let revoked: Vec<_> = revoked.iter().map(|seed| key(*seed)).collect();
        let text = trust_file(&key(7), &revoked.iter().collect::<Vec<_>>(), &[("w.example", &key(41))]);
        Trust::from_trust_file(text.as_bytes()).unwrap()
    };
    let proof = |block| {
        let prover = Prover::new(&forge, 0, block);
        prover.event(1, &prover.turns())
    };
    let code = |proof: &str, trust: &Trust| verify(proof, trust).map(drop).map_err(|fault| fault.defect.code());
    assert_eq!(code(&proof(0), &file(&[7])), Err("revoked-key"));
    assert_eq!(code(&proof(1), &file(&[7])), Ok(()), "the new key signed it too");
    assert_eq!(code(&proof(4), &file(&[7, SECOND])), Ok(()));
    assert_eq!(code(&proof(4), &file(&[THIRD])), Err("revoked-key"));
    let kept = file(&[7]).since(&forge.kept(0, 0)).unwrap();
    let verdict = verify(&proof(0), &kept).unwrap();
    let since = Anchor::Since { partition: 0, size: 3, prefix_read: false };
    assert!(verdict.anchors.iter().eq([&Anchor::Pinned, &since]), "{}", verdict.anchors);
    // A kept seal of another size says nothing of this proof, and one of the same size must be the same.
    let other = pinned().since(&forge.kept(0, 2)).unwrap();
    assert!(verify(&proof(4), &other).unwrap().anchors.iter().eq([&Anchor::Pinned]));
    let mut fork = Forge::with_next(1, 1, Some(&key(SECOND)));
    fork.append(0, &[event(1), event(3)]);
    let forked = pinned().since(&fork.kept(0, 0)).unwrap();
    assert_eq!(verify(&proof(0), &forked).unwrap_err().defect, Defect::Since("root"));
    // A witness under the proof's seal.
    let line = forge::cosignature_line("w.example", &key(41), &forge.kept(0, 2), 9);
    let verdict = verify(&(proof(2) + &line), &file(&[])).unwrap();
    assert_eq!(verdict.meets(Requirement::Witnessed), Ok(()));
    assert!(verify(&proof(2), &file(&[])).unwrap().meets(Requirement::Witnessed).is_err());
}

/// A log whose last block has a checkpoint over streams 10, 20, 30 (ended) and a system stream; its seq and table.
fn checked() -> (Forge, usize, Vec<Vec<u8>>) {
    let mut forge = Forge::new(1, 1);
    forge.append(0, &[event(10), event(20), event(10)]);
    forge.append(0, &[event(20), last(30), event(SYSTEM + 4)]);
    let (table, checkpoint) = (forge.table(0), forge.checkpoint(0));
    forge.append(0, &[event(10), checkpoint]);
    (forge, 10, table)
}

#[test]
fn all_events_of_a_stream_as_of_a_checkpoint() {
    let (forge, checkpoint, table) = checked();
    let prover = Prover::new(&forge, 0, 2);
    for (stream, count, has_ended) in [(10, 2, false), (20, 2, false), (30, 1, true), (SYSTEM + 4, 1, false)] {
        let verdict = verify(&prover.complete(checkpoint, &table, stream, 8), &pinned()).unwrap();
        let Proven::Complete { stream: found, as_of, checkpoint: seq, ended, events } = &verdict.proven else {
            panic!("{verdict}")
        };
        assert_eq!((*found, *as_of, *seq, *ended, events.len()), (stream, 8, 10, has_ended, count));
    }
    for (index, stream) in [(0, 5), (1, 15), (2, 29), (3, 31), (4, SYSTEM + 9)] {
        let verdict = verify(&prover.absent(checkpoint, &table, stream, index), &pinned()).unwrap();
        assert_eq!(verdict.proven, Proven::Absent { stream, as_of: 8, checkpoint: 10 });
    }
    // A checkpoint of a log without streams.
    let mut forge = Forge::new(1, 1);
    forge.append(0, &[]);
    let empty = forge.checkpoint(0);
    forge.append(0, &[empty]);
    let prover = Prover::new(&forge, 0, 1);
    assert!(verify(&prover.absent(2, &[], 7, 0), &pinned()).is_ok());
}

#[test]
fn completeness_cannot_be_forged() {
    let (forge, checkpoint, table) = checked();
    let prover = Prover::new(&forge, 0, 2);
    let honest = prover.complete(checkpoint, &table, 10, 8);
    let asked = |stream, index| prover.asked(checkpoint, stream, index).len();
    // Of a leaf: version, chain value, status.
    let at = asked(10, 0) + 1;
    for (offset, code) in [(0, "checkpoint"), (8, "checkpoint"), (39, "checkpoint"), (40, "checkpoint")] {
        refused(&with_body(&honest, |body| body[at + offset] ^= 1), code);
    }
    refused(&with_body(&honest, |body| body[at + 40] = 2), "layout");
    // Events left out: the leaf counts them.
    let count = at + 41 + 32 * path(0, &table).len();
    refused(&with_body(&honest, |body| body[count] = 1), "layout");
    refused(&with_body(&honest, |body| body.truncate(count + 4 + 1 + prover.disclosed(1).len())), "truncated");
    let first = prover.disclosed(1).len();
    let twice = |body: &mut Vec<u8>| {
        let entry = body[count + 4..count + 5 + first].to_vec();
        body.truncate(count + 5 + first);
        body.extend(entry);
    };
    refused(&with_body(&honest, twice), "version");
    // The later event of the same stream, which the checkpoint does not cover.
    let later = |body: &mut Vec<u8>| {
        body.truncate(count + 5 + first);
        body.push(1);
        body.extend(prover.disclosed(9));
    };
    assert!(
        ["version", "checkpoint"].contains(&verify(&with_body(&honest, later), &pinned()).unwrap_err().defect.code())
    );
    // A payload changed.
    refused(&with_body(&honest, |body| body[count + 4 + 1 + 64] ^= 1), "checkpoint");
    // Absence of a stream that is there, at every place; and of one between leaves that are no neighbours.
    for index in 0..=4 {
        refused(&prover.absent(checkpoint, &table, 20, index), "layout");
    }
    let apart = |body: &mut Vec<u8>| {
        body.truncate(asked(25, 1));
        body.push(0);
        for at in [0, 2] {
            body.extend(&table[at]);
            body.extend(path(at, &table).concat());
        }
    };
    refused(&with_body(&prover.absent(checkpoint, &table, 15, 1), apart), "checkpoint");
    let half = |body: &mut Vec<u8>| body.truncate(asked(15, 1) + 1 + 49 + 32 * path(0, &table).len());
    refused(&with_body(&prover.absent(checkpoint, &table, 15, 1), half), "truncated");
    // The table says nothing of the blocks' stream, and no stream has the id 0.
    refused(&prover.absent(checkpoint, &table, SYSTEM, 3), "layout");
    refused(&prover.absent(checkpoint, &table, 0, 0), "layout");
    refused(&with_body(&prover.absent(checkpoint, &table, 15, 1), |body| body[asked(15, 1)] = 2), "layout");
    // Beyond the table's end.
    let beyond = |body: &mut Vec<u8>| {
        let index = asked(15, 1) - 8;
        body[index] = 5;
    };
    refused(&with_body(&prover.absent(checkpoint, &table, 15, 1), beyond), "layout");
    // Another record in the checkpoint's place: an event, and the checkpoint withheld.
    let proof = {
        let mut body = prover.beginning(5, &[]);
        body.extend(prover.before(9));
        body.push(1);
        body.extend(prover.disclosed(9));
        body.extend([0; 17]);
        prover.inclusion(&body, 9)
    };
    refused(&proof, "layout");
    let form = prover.beginning(5, &[]).len() + 32;
    let withheld = with_body(&honest, |body| body[form] = 0);
    assert!(verify(&withheld, &pinned()).is_err());
}

#[test]
fn every_flipped_bit_of_a_completeness_body_is_refused() {
    let (forge, checkpoint, table) = checked();
    let prover = Prover::new(&forge, 0, 2);
    for proof in [prover.complete(checkpoint, &table, 20, 8), prover.absent(checkpoint, &table, 15, 1)] {
        let body = unbase64(proof.lines().nth(1).unwrap().strip_prefix("extra ").unwrap());
        let stream = prover.asked(checkpoint, 15, 1).len() - 16;
        for (at, bit) in (0..body.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let changed = with_body(&proof, |body| body[at] ^= 1 << bit);
            // Another stream between the same two leaves is absent as well.
            let between = verify(&changed, &pinned()).is_ok();
            assert!(!between || proof.len() == changed.len() && at == stream && bit < 4, "byte {at}, bit {bit}");
        }
    }
}
