//! Rotations and revocations: honest ones verify, and each rule of FORMAT.md section 11 has a log that breaks only that one.

mod forge;

use actum_verify::{Defect, Fault, FaultKind, KeySpan, Part, Trust, Verdict, verify_archive};
use forge::{Draft, Event, Forge, KEYS, event, key, key_id, public, revocation, rotation, signature_line};

/// Keys in the order in which an honest log has them.
const SECOND: u8 = 8;
const THIRD: u8 = 9;

fn verify(archive: &[u8]) -> Result<Verdict, Fault> {
    verify_archive(archive, &Trust::self_signed(), &mut |_| ())
}

/// Keys 7 and 8; block 1, seqs 2 to 4, is the honest rotation, changed by `forge_it` before it is sealed.
fn rotated_by(forge_it: impl FnOnce(&mut Draft)) -> Forge {
    let mut forge = Forge::with_next(1, 1, Some(&key(SECOND)));
    forge.append(0, &[event(1)]);
    let mut draft = forge.rotation_draft(0, &key(SECOND), Some(&key(THIRD)), false);
    forge_it(&mut draft);
    forge.seal(draft);
    forge.key = key(SECOND);
    forge.append(0, &[event(1)]);
    forge
}

/// As `rotated_by`, but the rotation's block revokes the old key, seq 5.
fn revoked_by(forge_it: impl FnOnce(&mut Draft)) -> Forge {
    let mut forge = Forge::with_next(1, 1, Some(&key(SECOND)));
    forge.append(0, &[event(1)]);
    let mut draft = forge.rotation_draft(0, &key(SECOND), Some(&key(THIRD)), true);
    forge_it(&mut draft);
    forge.seal(draft);
    forge.key = key(SECOND);
    forge.append(0, &[event(1)]);
    forge
}

#[track_caller]
fn check(forge: &Forge, defect: &Defect, part: Part, block: u64, seq: Option<u64>) {
    let fault = verify(&forge.archive()).expect_err("a forgery is found");
    assert_eq!(fault.defect, *defect, "{fault}");
    assert_eq!((fault.place.part, fault.place.block, fault.place.seq), (part, Some(block), seq), "{fault}");
}

fn spans(verdict: &Verdict) -> Vec<([u8; 32], u64, u64, u64, u64, bool)> {
    let span =
        |span: &KeySpan| (span.key, span.first_block, span.last_block, span.first_seq, span.last_seq, span.revoked);
    verdict.partitions[0].keys.iter().map(span).collect()
}

#[test]
fn the_verdict_says_which_key_sealed_which_blocks() {
    let mut forge = rotated_by(|_| ());
    let verdict = verify(&forge.archive()).unwrap();
    let (one, two, three) = (public(&key(7)), public(&key(SECOND)), public(&key(THIRD)));
    assert_eq!(spans(&verdict), [(one, 0, 1, 0, 4, false), (two, 2, 2, 5, 6, false)]);
    assert_eq!((verdict.key, verdict.partitions[0].key_in_force), (one, two));
    assert_eq!(verdict.partitions[0].key_id, key_id("example.org/forge/0", &key(SECOND)));
    // A key that is revoked with its rotation does not seal that block.
    forge.rotate(0, &key(THIRD), None, true);
    forge.append(0, &[event(2)]);
    let verdict = verify(&forge.archive()).unwrap();
    assert_eq!(spans(&verdict), [(one, 0, 1, 0, 4, false), (two, 2, 2, 5, 6, true), (three, 3, 4, 7, 12, false)]);
    // A revocation of a key that was in force before.
    forge.append(0, &[revocation(&key(7))]);
    let verdict = verify(&forge.archive()).unwrap();
    assert_eq!(spans(&verdict)[0], (one, 0, 1, 0, 4, true));
    let name = &verdict.partitions[0].key_name;
    let verifier_key = verdict.partitions[0].keys[0].verifier_key(name);
    let trust = Trust::from_verifier_key(&verifier_key).unwrap();
    assert!(verify_archive(&forge.archive()[..], &trust, &mut |_| ()).unwrap().anchors.is_pinned());
    // Later keys pin nothing: the pinned key is that of the genesis.
    let later = Trust::from_verifier_key(&verdict.partitions[0].keys[1].verifier_key(name)).unwrap();
    let fault = verify_archive(&forge.archive()[..], &later, &mut |_| ()).unwrap_err();
    assert_eq!(fault.defect, Defect::PinnedKey);
}

#[test]
fn a_rotation_in_the_first_block_and_in_each_partition_alone() {
    let mut forge = Forge::with_next(1, 2, Some(&key(SECOND)));
    forge.rotate(0, &key(SECOND), Some(&key(THIRD)), true);
    forge.append(0, &[event(1)]);
    forge.key = key(7);
    forge.append(1, &[event(1)]);
    forge.append(1, &[event(1)]);
    let verdict = verify(&forge.archive()).unwrap();
    let spans: Vec<usize> = verdict.partitions.iter().map(|partition| partition.keys.len()).collect();
    assert_eq!(spans, [1, 1]);
    assert_eq!(verdict.partitions[0].keys[0].key, public(&key(SECOND)));
    assert_eq!(verdict.partitions[1].keys[0].key, public(&key(7)));
}

#[test]
fn the_old_key_is_the_one_in_force() {
    let forge = rotated_by(|draft| draft.records[2].payload[0] ^= 1);
    check(&forge, &Defect::OldKey, Part::Event, 1, Some(4));
}

#[test]
fn the_new_key_is_the_one_that_was_committed() {
    let stranger = |draft: &mut Draft| {
        draft.records[2].payload = rotation(&key(7), &key(THIRD), None).payload;
        draft.second = Some(key(THIRD));
    };
    check(&rotated_by(stranger), &Defect::NextKey, Part::Event, 1, Some(4));
    // The second rotation is held against the first's digest, not the genesis'.
    let mut forge = rotated_by(|_| ());
    forge.rotate(0, &key(10), None, false);
    check(&forge, &Defect::NextKey, Part::Event, 3, Some(9));
}

#[test]
fn without_a_digest_no_rotation_follows() {
    let mut forge = Forge::new(1, 1);
    forge.rotate(0, &key(SECOND), None, false);
    check(&forge, &Defect::NoNextKey, Part::Event, 0, Some(2));
    let mut forge = rotated_by(|draft| draft.records[2].payload[64..].fill(0));
    forge.rotate(0, &key(THIRD), None, false);
    check(&forge, &Defect::NoNextKey, Part::Event, 3, Some(9));
}

#[test]
fn no_key_comes_into_force_twice() {
    let back = |draft: &mut Draft| {
        draft.records[2].payload = rotation(&key(7), &key(SECOND), Some(&key(7))).payload;
    };
    let mut forge = rotated_by(back);
    forge.rotate(0, &key(7), None, false);
    check(&forge, &Defect::NewKey, Part::Event, 3, Some(9));
    // Nor does a key follow itself.
    let mut forge = Forge::with_next(1, 1, Some(&key(7)));
    let mut draft = forge.draft(0, &[rotation(&key(7), &key(7), None)]);
    draft.second = Some(key(SECOND));
    forge.seal(draft);
    check(&forge, &Defect::NewKey, Part::Event, 0, Some(1));
}

#[test]
fn both_keys_sign_a_rotation() {
    check(&rotated_by(|draft| draft.second = None), &Defect::Countersignature, Part::Seal, 1, None);
    check(&rotated_by(|draft| draft.second = Some(key(THIRD))), &Defect::Countersignature, Part::Seal, 1, None);
    let witness_between = |draft: &mut Draft| {
        draft.patch_seal = |seal| {
            let second = seal.rfind("— ").unwrap();
            format!("{}— w.example AAAAAAAA\n{}", &seal[..second], &seal[second..])
        };
    };
    check(&rotated_by(witness_between), &Defect::Countersignature, Part::Seal, 1, None);
    // The new key alone, though the old one was not revoked: the block record names another key than the one in force.
    let alone = |draft: &mut Draft| {
        draft.sign_by(&key(SECOND));
        draft.second = None;
    };
    check(&rotated_by(alone), &Defect::KeyId, Part::Block, 1, None);
    let swapped = |draft: &mut Draft| (draft.key, draft.second) = (key(SECOND), Some(key(7)));
    check(&rotated_by(swapped), &Defect::Signature, Part::Seal, 1, None);
    let changed = |draft: &mut Draft| {
        draft.patch_seal = |seal| {
            let name = "example.org/forge/0";
            let lines: Vec<&str> = seal.lines().collect();
            format!("{}\n{}", lines[..lines.len() - 1].join("\n"), signature_line(name, &key(SECOND), "other"))
        };
    };
    check(&rotated_by(changed), &Defect::Countersignature, Part::Seal, 1, None);
}

#[test]
fn after_the_rotation_the_new_key_signs_and_the_old_does_not() {
    let old_goes_on = |names: u8, signs: u8| {
        let mut forge = rotated_by(|_| ());
        let mut draft = forge.draft(0, &[event(3)]);
        draft.sign_by(&key(names));
        draft.key = key(signs);
        forge.seal(draft);
        forge
    };
    check(&old_goes_on(7, 7), &Defect::KeyId, Part::Block, 3, None);
    check(&old_goes_on(SECOND, 7), &Defect::Signature, Part::Seal, 3, None);
    check(&old_goes_on(SECOND, THIRD), &Defect::Signature, Part::Seal, 3, None);
    check(&old_goes_on(THIRD, THIRD), &Defect::KeyId, Part::Block, 3, None);
    assert!(verify(&old_goes_on(SECOND, SECOND).archive()).is_ok());
}

#[test]
fn a_block_that_revokes_the_key_in_force_is_the_new_keys() {
    assert!(verify(&revoked_by(|_| ()).archive()).is_ok());
    // The old key may sign too.
    assert!(verify(&revoked_by(|draft| draft.second = Some(key(7))).archive()).is_ok());
    let old_first = |draft: &mut Draft| {
        draft.sign_by(&key(7));
        draft.second = Some(key(SECOND));
    };
    check(&revoked_by(old_first), &Defect::KeyId, Part::Block, 1, None);
    check(&revoked_by(|draft| draft.key = key(7)), &Defect::Signature, Part::Seal, 1, None);
}

#[test]
fn what_can_be_revoked() {
    let revocation_of = |what| Defect::Revocation(what);
    // A stranger's key, and the new key of the same block.
    for stranger in [THIRD, SECOND] {
        let forge = revoked_by(|draft| draft.records[3].payload = revocation(&key(stranger)).payload);
        check(&forge, &revocation_of("was never in force before this block"), Part::Event, 1, Some(5));
    }
    let mut forge = rotated_by(|_| ());
    forge.append(0, &[revocation(&key(7))]);
    assert!(verify(&forge.archive()).is_ok());
    forge.append(0, &[revocation(&key(7))]);
    check(&forge, &revocation_of("is revoked already"), Part::Event, 4, Some(10));
    let mut forge = rotated_by(|_| ());
    forge.append(0, &[revocation(&key(7)), revocation(&key(7))]);
    check(&forge, &revocation_of("is revoked already"), Part::Event, 3, Some(9));
    let mut forge = rotated_by(|_| ());
    forge.append(0, &[revocation(&key(SECOND))]);
    let alone = revocation_of("is in force, and no rotation stands before it in the block");
    check(&forge, &alone, Part::Event, 3, Some(8));
    // The revocation before the rotation.
    let mut forge = Forge::with_next(1, 1, Some(&key(SECOND)));
    let mut draft = forge.draft(0, &[revocation(&key(7)), rotation(&key(7), &key(SECOND), None)]);
    draft.sign_by(&key(SECOND));
    forge.seal(draft);
    check(&forge, &alone, Part::Event, 0, Some(1));
    // Nothing else of the keys stream stands in a block that revokes the key in force.
    let mut forge = rotated_by(|_| ());
    let more = [rotation(&key(SECOND), &key(THIRD), None), revocation(&key(SECOND)), revocation(&key(7))];
    let mut draft = forge.draft(0, &more);
    draft.sign_by(&key(THIRD));
    forge.seal(draft);
    let crowded = revocation_of("is in force, and its block has other key records");
    check(&forge, &crowded, Part::Event, 3, Some(10));
    // An older key may be revoked beside a rotation.
    let mut forge = rotated_by(|_| ());
    let mut draft = forge.draft(0, &[rotation(&key(SECOND), &key(THIRD), None), revocation(&key(7))]);
    draft.second = Some(key(THIRD));
    forge.seal(draft);
    assert!(verify(&forge.archive()).is_ok());
}

/// What a key record is by itself: faults of form.
#[test]
fn forms_that_the_page_does_not_allow() {
    let corrupt = |forge: Forge, seq: u64| {
        let fault = verify(&forge.archive()).expect_err("a forgery is found");
        assert_eq!((fault.kind(), fault.place.seq), (FaultKind::Corrupt, Some(seq)), "{fault}");
    };
    corrupt(rotated_by(|draft| draft.records[2].payload.truncate(95)), 4);
    corrupt(rotated_by(|draft| draft.records[2].payload.push(0)), 4);
    corrupt(rotated_by(|draft| draft.records[2].schema = 2), 4);
    corrupt(rotated_by(|draft| draft.records[2].flags = 1), 4);
    corrupt(rotated_by(|draft| draft.records[1].kind = 2), 3);
    corrupt(rotated_by(|draft| draft.records[1].kind = 3), 3);
    corrupt(revoked_by(|draft| draft.records[3].payload.truncate(31)), 5);
    corrupt(revoked_by(|draft| draft.records[3].payload.push(0xff)), 5);
    corrupt(revoked_by(|draft| draft.records[3].payload.extend([b'x'; 1_021])), 5);
    assert!(verify(&revoked_by(|draft| draft.records[3].payload.extend([b'x'; 1_020])).archive()).is_ok());
    // Two rotations in a block, each right by itself.
    let mut forge = Forge::with_next(1, 1, Some(&key(SECOND)));
    let twice = [rotation(&key(7), &key(SECOND), Some(&key(THIRD))), rotation(&key(SECOND), &key(THIRD), None)];
    let mut draft = forge.draft(0, &twice);
    draft.second = Some(key(SECOND));
    forge.seal(draft);
    corrupt(forge, 2);
    // A new key that no signature can be trusted with.
    let mut forge = Forge::with_next(1, 1, None);
    let weak = [0; 32];
    let digest = forge::hex(&forge::sha(&[&weak]));
    let text = String::from_utf8(forge.genesis.clone()).unwrap().replace("next none", &format!("next {digest}"));
    forge = Forge::with_genesis(text.as_bytes());
    let payload = [&public(&key(7))[..], &weak, &[0; 32]].concat();
    forge.append(0, &[Event { stream: KEYS, kind: 2, payload, ..Event::default() }]);
    corrupt(forge, 1);
}
