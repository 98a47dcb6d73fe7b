//! Proofs that somebody changed: every bit, every truncation, and forgeries by those who know the format, each refused by name.

mod written;

use actum_log::{CasePaths, ProofOptions, prove_case, prove_consistency, prove_dossier, prove_event};
use actum_verify::{Fault, FaultKind, Trust, verify_proof};
use written::{Hash, Log, Parts, log};

/// Streams 1 and 2 interleave over three blocks; stream 1 has seqs 1, 3, 5, 7, 9 and ends at 10.
fn small() -> Log {
    let mut log = log(20);
    log.write_events(&[(1, false, b"one"), (2, false, b"two"), (1, false, b"three")]);
    log.write_events(&[(1, false, b"five"), (2, false, b"six"), (1, false, b"seven")]);
    log.write_events(&[(1, false, b"nine"), (1, true, b"ten")]);
    log
}

const SIZE: u64 = 11;

fn event(log: &Log, seq: u64) -> Parts {
    Parts::of(&prove_event(&log.store, seq, &ProofOptions::default()).unwrap())
}

fn case(log: &Log, stream: u64) -> Parts {
    Parts::of(&prove_case(&log.store, stream, CasePaths::Each, &ProofOptions::default()).unwrap())
}

fn dossier(log: &Log, chosen: &[u64]) -> Parts {
    Parts::of(&prove_dossier(&log.store, 1, chosen, &ProofOptions::default()).unwrap())
}

fn consistency(log: &Log, old: u64) -> Parts {
    Parts::of(&prove_consistency(&log.store, old, &ProofOptions::default()).unwrap())
}

fn fault(parts: &Parts, trust: &Trust) -> Fault {
    verify_proof(parts.join().as_bytes(), trust).expect_err("a forgery is refused")
}

#[track_caller]
fn refused(parts: &Parts, trust: &Trust, code: &str) {
    let fault = fault(parts, trust);
    assert_eq!(fault.defect.code(), code, "{fault}");
}

fn small_proofs() -> Vec<(&'static str, String)> {
    let log = small();
    assert_eq!((log.seqs(1), log.sizes()), (vec![1, 3, 5, 7, 9, 10], vec![4, 8, SIZE]));
    let withhold = ProofOptions { withhold: &[5], ..ProofOptions::default() };
    vec![
        ("event", prove_event(&log.store, 5, &ProofOptions::default()).unwrap()),
        ("withheld", prove_event(&log.store, 5, &withhold).unwrap()),
        ("case", prove_case(&log.store, 1, CasePaths::Each, &withhold).unwrap()),
        ("dossier", prove_dossier(&log.store, 1, &[1, 5], &withhold).unwrap()),
        ("consistency", prove_consistency(&log.store, 4, &ProofOptions::default()).unwrap()),
    ]
}

#[test]
fn every_flipped_bit_is_refused() {
    let trust = small().pinned();
    for (name, proof) in small_proofs() {
        verify_proof(proof.as_bytes(), &trust).unwrap();
        let mut bytes = proof.into_bytes();
        for (at, bit) in (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            bytes[at] ^= 1 << bit;
            let verdict = verify_proof(&bytes, &trust);
            bytes[at] ^= 1 << bit;
            assert!(verdict.is_err(), "{name}: byte {at}, bit {bit}: {verdict:?}");
        }
    }
}

#[test]
fn every_flipped_bit_of_the_body_is_refused_on_its_own_word_too() {
    for (name, proof) in small_proofs() {
        let mut parts = Parts::of(&proof);
        for (at, bit) in (0..parts.body.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            parts.body[at] ^= 1 << bit;
            let verdict = verify_proof(parts.join().as_bytes(), &Trust::self_signed());
            parts.body[at] ^= 1 << bit;
            assert!(verdict.is_err(), "{name}: body byte {at}, bit {bit}: {verdict:?}");
        }
    }
}

#[test]
fn every_truncation_and_any_addition_is_refused() {
    let trust = small().pinned();
    for (name, proof) in small_proofs() {
        for length in 0..proof.len() {
            if proof.is_char_boundary(length) {
                let verdict = verify_proof(&proof.as_bytes()[..length], &trust);
                assert!(verdict.is_err(), "{name}: {length} bytes");
            }
        }
        for more in ["\n", "x", "\n\n", "\u{2014} "] {
            assert!(verify_proof((proof.clone() + more).as_bytes(), &trust).is_err(), "{name}: {more:?} added");
        }
        let mut parts = Parts::of(&proof);
        for length in 0..parts.body.len() {
            let whole = std::mem::take(&mut parts.body);
            parts.body = whole[..length].to_vec();
            assert_eq!(fault(&parts, &trust).kind(), FaultKind::Corrupt, "{name}: body of {length} bytes");
            parts.body = whole;
        }
        parts.body.push(0);
        refused(&parts, &trust, "layout");
    }
}

#[test]
fn another_place_in_the_tree_is_refused() {
    let log = small();
    let trust = log.pinned();
    let honest = event(&log, 5);
    for index in (0..20).filter(|index| *index != 5) {
        refused(&Parts { index: Some(index), ..honest.clone() }, &trust, "seq");
    }
    // The header moved along with the index.
    let mut moved = honest.clone();
    let header = moved.content(SIZE) + 33;
    moved.body[header + 16] = 4;
    moved.index = Some(4);
    refused(&moved, &trust, "path");
    // A path of a neighbour, cut, or grown.
    refused(&Parts { hashes: event(&log, 4).hashes, ..honest.clone() }, &trust, "path");
    for at in 0..honest.hashes.len() {
        let mut cut = honest.clone();
        cut.hashes.remove(at);
        refused(&cut, &trust, "path");
    }
    let mut grown = honest.clone();
    grown.hashes.push([0; 32]);
    refused(&grown, &trust, "path");
    refused(&Parts { index: None, ..honest }, &trust, "layout");
}

#[test]
fn another_seal_is_refused() {
    let (log, trust) = (small(), small().pinned());
    let honest = event(&log, 5);
    // Of the same log, of other sizes: the paths do not fit.
    let options = ProofOptions { size: Some(8), ..ProofOptions::default() };
    let older = Parts::of(&prove_event(&log.store, 5, &options).unwrap());
    let with_older = Parts { seals: older.seals.clone(), ..honest.clone() };
    assert!(["path", "layout"].contains(&fault(&with_older, &trust).defect.code()));
    // Of another log by another signer with the same origin: the key in the file does not sign it, or is not the pinned one.
    let mut other = written::log(21);
    other.write_events(&[(1, false, b"one"), (2, false, b"two"), (1, false, b"three")]);
    let foreign = event(&other, 1);
    refused(&Parts { seals: foreign.seals.clone(), ..honest.clone() }, &trust, "signature");
    refused(&foreign, &trust, "pinned-key");
    assert!(verify_proof(foreign.join().as_bytes(), &Trust::self_signed()).is_ok());
    // Of another log by the same signer, whose genesis is another: the tree does not begin with it.
    let genesis = log.genesis.to_string().replace("created 7", "created 8");
    let mut renamed = honest.clone();
    let at = honest.body.windows(9).position(|window| window == b"created 7").unwrap();
    renamed.body[at + 8] = b'8';
    assert!(renamed.body.windows(genesis.len()).any(|window| window == genesis.as_bytes()));
    refused(&renamed, &trust, "previous-hash");
    let simulated = Trust::from_verifier_key(&log.genesis.verifier_key(0).to_string().replace("written/0", "x/0"));
    assert!(simulated.is_err());
}

#[test]
fn withheld_payloads_and_hashes_cannot_be_swapped() {
    let log = small();
    let trust = log.pinned();
    let withheld = |seq: u64| {
        let options = ProofOptions { withhold: &[seq], ..ProofOptions::default() };
        Parts::of(&prove_event(&log.store, seq, &options).unwrap())
    };
    let (five, seven) = (withheld(5), withheld(7));
    // The last 32 bytes are `P`.
    let mut swapped = five.clone();
    let end = swapped.body.len() - 32;
    swapped.body[end..].copy_from_slice(&seven.body[seven.body.len() - 32..]);
    refused(&swapped, &trust, "path");
    // Another payload of the same length with the right salt.
    let mut other = event(&log, 5);
    let at = other.body.windows(4).rposition(|window| window == b"five").unwrap();
    other.body[at..at + 4].copy_from_slice(b"FIVE");
    refused(&other, &trust, "path");
}

#[test]
fn a_case_cannot_lose_gain_or_reorder_events() {
    let log = small();
    let trust = log.pinned();
    let honest = case(&log, 1);
    let start = honest.content(SIZE);
    // Entries of the case, to be rearranged.
    let payloads = [3, 5, 4, 5, 4, 3];
    let mut entries = Vec::new();
    let mut at = start + 4;
    for (index, (payload, seq)) in payloads.into_iter().zip(log.seqs(1)).enumerate() {
        let last = index == payloads.len() - 1;
        let path = if last { 0 } else { 32 * written::path_length(seq, SIZE) };
        let length = 1 + 64 + if last { 35 } else { 0 } + payload + 16 + path;
        entries.push(honest.body[at..at + length].to_vec());
        at += length;
    }
    assert_eq!(at, honest.body.len());
    let with = |entries: &[&Vec<u8>]| {
        let mut body = honest.body[..start].to_vec();
        body.extend((entries.len() as u32).to_le_bytes());
        entries.iter().for_each(|entry| body.extend(*entry));
        Parts { body, ..honest.clone() }
    };
    let all: Vec<&Vec<u8>> = entries.iter().collect();
    assert!(verify_proof(with(&all).join().as_bytes(), &trust).is_ok());
    for lost in 0..5 {
        let mut some = all.clone();
        some.remove(lost);
        refused(&with(&some), &trust, "version");
    }
    refused(&with(&all[..5]), &trust, "layout");
    let mut swapped = all.clone();
    swapped.swap(1, 2);
    refused(&with(&swapped), &trust, "version");
    let mut doubled = all.clone();
    doubled.insert(2, all[2]);
    refused(&with(&doubled), &trust, "version");
    let after_end = [&all[..], &all[5..]].concat();
    refused(&with(&after_end), &trust, "after-terminal");
    refused(&with(&[]), &trust, "layout");
    // An entry of another stream.
    let other = case(&log, 2);
    let from = other.content(SIZE) + 4;
    let foreign = other.body[from..from + 1 + 64 + 3 + 16 + 32 * written::path_length(2, SIZE)].to_vec();
    refused(&with(&[&entries[0], &foreign, &entries[2]]), &trust, "stream");
    // The path of one entry under another.
    let mut crossed = entries.clone();
    let path: Vec<u8> = entries[0][1 + 64 + 3 + 16..].to_vec();
    let at = 1 + 64 + 5 + 16;
    let length = path.len().min(crossed[1].len() - at);
    crossed[1][at..at + length].copy_from_slice(&path[..length]);
    refused(&with(&crossed.iter().collect::<Vec<_>>()), &trust, "path");
}

/// A dossier of stream 1: terminal entry, chosen entries, multi-proof.
struct Dossier {
    honest: Parts,
    head: Vec<u8>,
    entries: Vec<Vec<u8>>,
    proof: Vec<u8>,
}

fn taken_apart(log: &Log, chosen: &[u64]) -> Dossier {
    let honest = dossier(log, chosen);
    let head = honest.content(SIZE) + 32 + 1 + 64 + 35 + 3 + 16;
    let mut at = head + 4;
    let mut entries = Vec::new();
    for seq in chosen {
        let payload = match seq {
            1 => 3,
            3 | 7 => 5,
            _ => 4,
        };
        let length = 1 + 64 + payload + 16;
        entries.push(honest.body[at..at + length].to_vec());
        at += length;
    }
    Dossier { head: honest.body[..head].to_vec(), entries, proof: honest.body[at..].to_vec(), honest }
}

impl Dossier {
    fn with(&self, entries: &[&Vec<u8>], proof: &[u8]) -> Parts {
        let mut body = self.head.clone();
        body.extend((entries.len() as u32).to_le_bytes());
        entries.iter().for_each(|entry| body.extend(*entry));
        body.extend(proof);
        Parts { body, ..self.honest.clone() }
    }
}

#[test]
fn a_dossier_cannot_be_rearranged() {
    let log = small();
    let trust = log.pinned();
    let dossier = taken_apart(&log, &[1, 5]);
    let (one, five) = (&dossier.entries[0], &dossier.entries[1]);
    let proof = &dossier.proof[..];
    assert!(verify_proof(dossier.with(&[one, five], proof).join().as_bytes(), &trust).is_ok());
    // Duplicates, the way in which rs_merkle alone lets a false leaf pass, and any other order.
    refused(&dossier.with(&[one, one, five], proof), &trust, "layout");
    refused(&dossier.with(&[five, one], proof), &trust, "layout");
    let mut false_one = one.clone();
    false_one[1 + 64] ^= 0x20;
    refused(&dossier.with(&[one, &false_one, five], proof), &trust, "layout");
    refused(&dossier.with(&[&false_one, five], proof), &trust, "multi-proof");
    // Hashes too few, too many, or changed.
    refused(&dossier.with(&[one, five], &proof[32..]), &trust, "truncated");
    refused(&dossier.with(&[one, five], &[proof, &[0; 32]].concat()), &trust, "layout");
    let mut changed = proof.to_vec();
    changed[0] ^= 1;
    refused(&dossier.with(&[one, five], &changed), &trust, "multi-proof");
    refused(&dossier.with(&[], &[]), &trust, "layout");
    // Another version for an event, as if it stood elsewhere in the case.
    let mut moved = five.clone();
    moved[1 + 56] = 4;
    refused(&dossier.with(&[one, &moved], proof), &trust, "multi-proof");
    // The proof of another choice.
    let other = taken_apart(&log, &[3, 7]);
    let crossed = dossier.with(&[one, five], &other.proof);
    assert_eq!(fault(&crossed, &trust).kind(), FaultKind::Tampered);
    // An event of another stream.
    let two = event(&log, 2);
    let foreign = two.body[two.content(SIZE) + 32..].to_vec();
    refused(&dossier.with(&[&foreign, five], proof), &trust, "stream");
    // The total comes from the signed terminal event: a changed version there is no leaf of the tree.
    let mut total = dossier.with(&[one, five], proof);
    let version = total.content(SIZE) + 32 + 1 + 56;
    total.body[version] += 1;
    refused(&total, &trust, "path");
}

#[test]
fn a_dossier_needs_a_terminal_event_with_a_root() {
    let log = small();
    let trust = log.pinned();
    let dossier = taken_apart(&log, &[1, 5]);
    // An honest event that ends nothing, in the place of the terminal one.
    let nine = event(&log, 9);
    let mut body = nine.body.clone();
    body[8] = 3;
    body.extend(&dossier.honest.body[dossier.head.len()..]);
    refused(&Parts { body, ..nine }, &trust, "layout");
}

#[test]
fn seals_that_contradict_each_other_are_refused() {
    let log = small();
    let trust = log.pinned();
    let honest = consistency(&log, 4);
    assert!(verify_proof(honest.join().as_bytes(), &trust).is_ok());
    let seals = |parts: &Parts| {
        let middle = parts.seals.match_indices("\n\n").nth(1).unwrap().0;
        (parts.seals[..=middle].to_owned(), parts.seals[middle + 2..].to_owned())
    };
    let (old, new) = seals(&honest);
    let joined = |old: &str, new: &str| Parts { seals: format!("{old}\n{new}"), ..honest.clone() };
    assert_eq!(joined(&old, &new).join(), honest.join());
    // Swapped, the proof of the genesis no longer fits the seal; with the right one the order is refused.
    let swapped = fault(&joined(&new, &old), &trust);
    assert_eq!(swapped.kind(), FaultKind::Tampered, "{swapped}");
    let (middle, _) = seals(&consistency(&log, 8));
    refused(&joined(&middle, &new), &trust, "consistency");
    refused(&joined(&new, &new), &trust, "consistency");
    refused(&Parts { hashes: Vec::new(), ..honest.clone() }, &trust, "consistency");
    let mut cut = honest.clone();
    cut.hashes.pop();
    refused(&cut, &trust, "consistency");
    let mut grown = honest.clone();
    grown.hashes.push([0; 32]);
    refused(&grown, &trust, "consistency");
    // Another history of the same signer.
    let mut fork = written::log(20);
    fork.write_events(&[(1, false, b"one"), (2, false, b"two"), (1, false, b"THREE")]);
    fork.write_events(&[(1, false, b"five")]);
    let (fork_old, _) = seals(&consistency(&fork, 4));
    refused(&joined(&fork_old, &new), &trust, "consistency");
    // A proof of the same size has no hashes.
    let same = consistency(&log, SIZE);
    assert!(same.hashes.is_empty() && verify_proof(same.join().as_bytes(), &trust).is_ok());
}

#[test]
fn two_seals_of_a_dishonest_signer_must_agree() {
    use actum_log::{FileSigner, Seal, sign_seal};
    let log = small();
    let trust = log.pinned();
    let new = Parts::of(&prove_event(&log.store, 5, &ProofOptions::default()).unwrap()).seals;
    let text = Seal::parse(new.as_bytes()).unwrap().text;
    let forged = |change: fn(&mut actum_log::SealText)| {
        let mut text = text.clone();
        change(&mut text);
        let old = sign_seal(&text, &FileSigner::from_seed(&[20; 32])).unwrap();
        let seals = format!("{}\n{new}", String::from_utf8(old).unwrap());
        Parts { seals, ..consistency(&log, SIZE) }
    };
    assert!(verify_proof(forged(|_| ()).join().as_bytes(), &trust).is_ok());
    refused(&forged(|text| text.size += 1), &trust, "seal-order");
    refused(&forged(|text| text.number -= 1), &trust, "seal-order");
    refused(&forged(|text| text.root[0] ^= 1), &trust, "seal-order");
    refused(&forged(|text| text.hash[0] ^= 1), &trust, "seal-order");
    refused(&forged(|text| text.size = 4), &trust, "seal-order");
    refused(&forged(|text| (text.size, text.number) = (4, 0)), &trust, "seal-order");
    refused(&forged(|text| text.size = 0), &trust, "layout");
    refused(&forged(|text| text.partition = 1), &trust, "seal-text");
    refused(&forged(|text| text.origin.push('x')), &trust, "seal-text");
}

#[test]
fn kinds_and_first_lines_belong_together() {
    let log = small();
    let trust = log.pinned();
    for kind in (0..8_u8).filter(|kind| *kind != 1) {
        let mut other = event(&log, 5);
        other.body[8] = kind;
        let fault = fault(&other, &trust);
        assert!(fault.kind() == FaultKind::Corrupt || kind == 3, "{kind}: {fault}");
    }
    let first = "actum-consistency-proof 1".to_owned();
    refused(&Parts { first, ..event(&log, 5) }, &trust, "layout");
    let mut rotated = event(&log, 5);
    rotated.body[12] = 1;
    assert_eq!(fault(&rotated, &trust).kind(), FaultKind::Corrupt);
}

#[test]
fn random_changes_never_panic() {
    let trust = small().pinned();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for (name, proof) in small_proofs() {
        let honest = Parts::of(&proof);
        for _ in 0..4_000 {
            let mut parts = honest.clone();
            for _ in 0..=next() % 4 {
                let at = next() as usize % parts.body.len();
                match next() % 4 {
                    0 => parts.body[at] = next() as u8,
                    1 => drop(parts.body.drain(at..parts.body.len().min(at + next() as usize % 90))),
                    2 => parts.body.insert(at, next() as u8),
                    _ => {
                        let more: Vec<u8> = parts.body[at..].iter().take(next() as usize % 90).copied().collect();
                        parts.body.splice(at..at, more);
                    }
                }
            }
            if next() % 8 == 0 {
                let hash: Hash = [next() as u8; 32];
                parts.hashes.push(hash);
            }
            if parts.body != honest.body || parts.hashes != honest.hashes {
                assert!(verify_proof(parts.join().as_bytes(), &trust).is_err(), "{name}");
            }
        }
    }
}
