//! What a reviewer holds, and what each verdict then rests on: kept seals, trust files, witnesses, requirements.

mod forge;

use actum_verify::{
    Anchor, Defect, Fault, FaultKind, Part, Requirement, SinceError, Trust, UnmetRequirement, Verdict, verify_archive,
};
use forge::{Forge, cosignature_line, event, key, public, trust_file};

const SECOND: u8 = 8;
const WITNESS: &str = "witness.example/w";

fn verify(archive: &[u8], trust: &Trust) -> Result<Verdict, Fault> {
    verify_archive(archive, trust, &mut |_| ())
}

/// Four blocks of two events each; block 2 rotates the key.
fn log() -> Forge {
    grown(&[1, 2])
}

fn grown(streams: &[u64]) -> Forge {
    let mut forge = Forge::with_next(1, 1, Some(&key(SECOND)));
    streams.iter().for_each(|stream| forge.append(0, &[event(*stream)]));
    forge.rotate(0, &key(SECOND), None, false);
    forge.append(0, &[event(3)]);
    forge
}

fn since(seal: &[u8]) -> Trust {
    Trust::self_signed().since(seal).unwrap()
}

#[test]
fn a_kept_seal_anchors_every_later_log() {
    let forge = log();
    for (block, size) in [(0, 2), (1, 4), (2, 7), (3, 9)] {
        let verdict = verify(&forge.archive(), &since(&forge.kept(0, block))).unwrap();
        let expected = [Anchor::SelfSigned, Anchor::Since { partition: 0, size, prefix_read: true }];
        assert!(verdict.anchors.iter().eq(&expected), "{}", verdict.anchors);
        assert!(
            verdict
                .to_string()
                .contains(&format!("the seal you kept of {size} events in partition 0, which were read"))
        );
    }
    // More signatures under the kept seal, as a witness adds them.
    let more = [&forge.kept(0, 1)[..], "— w.example AAAAAAAA\n".as_bytes()].concat();
    assert!(verify(&forge.archive(), &since(&more)).is_ok());
}

#[test]
fn another_history_than_the_kept_one_is_tampering() {
    let forge = log();
    let check = |forge: &Forge, trust: &Trust, defect: &Defect, block: Option<u64>| {
        let fault = verify(&forge.archive(), trust).expect_err("not that history");
        assert_eq!(fault.defect, *defect, "{fault}");
        assert_eq!((fault.kind(), fault.place.part, fault.place.block), (FaultKind::Tampered, Part::Since, block));
    };
    // The same key wrote another history with blocks of the same sizes, or of others.
    let other = grown(&[1, 9]);
    check(&other, &since(&forge.kept(0, 1)), &Defect::Since("root"), Some(1));
    assert!(verify(&other.archive(), &since(&forge.kept(0, 0))).is_ok(), "they agree on the first block");
    let mut larger = Forge::with_next(1, 1, Some(&key(SECOND)));
    larger.append(0, &[event(1), event(2)]);
    check(&larger, &since(&forge.kept(0, 0)), &Defect::Since("size"), Some(0));
    // Rolled back behind the seal.
    let mut shorter = Forge::with_next(1, 1, Some(&key(SECOND)));
    shorter.append(0, &[event(1)]);
    check(&shorter, &since(&forge.kept(0, 1)), &Defect::SinceBehind { blocks: 1, kept: 1 }, None);
    check(&Forge::with_next(1, 1, None), &since(&forge.kept(0, 0)), &Defect::SinceBehind { blocks: 0, kept: 0 }, None);
}

#[test]
fn the_kept_seal_is_signed_by_the_key_in_force_then() {
    let forge = log();
    let resigned = |block: usize, keys: &[u8]| {
        let seal = String::from_utf8(forge.kept(0, block)).unwrap();
        let text = format!("{}\n", seal.split_once("\n\n").unwrap().0);
        let lines: String =
            keys.iter().map(|seed| forge::signature_line("example.org/forge/0", &key(*seed), &text)).collect();
        verify(&forge.archive(), &since(format!("{text}\n{lines}").as_bytes())).map(drop).map_err(|fault| fault.defect)
    };
    let refused = Err(Defect::Since("signature"));
    assert_eq!(resigned(1, &[7]), Ok(()));
    assert_eq!(resigned(1, &[SECOND]), refused);
    assert_eq!(resigned(2, &[7, SECOND]), Ok(()));
    assert_eq!(resigned(2, &[7]), refused, "a rotation's seal has both signatures");
    assert_eq!(resigned(2, &[SECOND]), refused);
    assert_eq!(resigned(3, &[SECOND]), Ok(()));
    assert_eq!(resigned(3, &[7]), refused);
}

#[test]
fn what_is_no_seal_cannot_be_kept() {
    let seal = log().kept(0, 1);
    let text = String::from_utf8(seal.clone()).unwrap();
    for changed in [
        text.replace("\n\n", "\n"),
        text.replace("actum-block", "actum-clock"),
        text.replace("\n4\n", "\n04\n"),
        text.replace("\n4\n", "\n0\n"),
        text.trim_end().to_owned(),
        format!("{text}\n"),
        String::new(),
    ] {
        assert!(matches!(Trust::self_signed().since(changed.as_bytes()), Err(SinceError::Form(_))), "{changed}");
    }
    assert!(matches!(Trust::self_signed().since(&[0xff; 90]), Err(SinceError::Form(_))));
    assert_eq!(since(&seal).since(&seal).unwrap_err(), SinceError::Twice);
    // Of another log.
    let elsewhere = since(text.replace("forge/0", "forge/1").as_bytes());
    let fault = verify(&log().archive(), &elsewhere).unwrap_err();
    assert_eq!((fault.defect, fault.place.part), (Defect::Since("origin"), Part::Since));
}

#[test]
fn a_trust_file_pins_the_first_key_and_the_origin() {
    let forge = log();
    let trust = |text: &str| Trust::from_trust_file(text.as_bytes()).unwrap();
    let honest = trust_file(&key(7), &[], &[]);
    let verdict = verify(&forge.archive(), &trust(&honest)).unwrap();
    assert!(verdict.anchors.iter().eq([&Anchor::Pinned]));
    let other_origin = trust(&honest.replace("/forge", "/elsewhere"));
    assert_eq!(verify(&forge.archive(), &other_origin).unwrap_err().defect, Defect::PinnedOrigin);
    let other_key = trust(&trust_file(&key(SECOND), &[], &[]));
    assert_eq!(verify(&forge.archive(), &other_key).unwrap_err().defect, Defect::PinnedKey);
    // `Trust::pinned` says the same without revocations and witnesses.
    assert_eq!(trust(&honest), Trust::pinned(Some(forge::ORIGIN), public(&key(7))));
}

/// What a stolen and revoked key signs last does not count; what newer keys cover does.
#[test]
fn the_newest_seal_is_not_by_a_revoked_key() {
    let trust = |revoked: &[u8]| {
        let revoked: Vec<_> = revoked.iter().map(|seed| key(*seed)).collect();
        let text = trust_file(&key(7), &revoked.iter().collect::<Vec<_>>(), &[]);
        Trust::from_trust_file(text.as_bytes()).unwrap()
    };
    let forge = log();
    // The second key's seals cover what the first sealed.
    let verdict = verify(&forge.archive(), &trust(&[7])).unwrap();
    let revoked: Vec<bool> = verdict.partitions[0].keys.iter().map(|span| span.revoked).collect();
    assert_eq!(revoked, [true, false]);
    let refused = |forge: &Forge, trust: &Trust, block: u64| {
        let fault = verify(&forge.archive(), trust).expect_err("a revoked key signed last");
        assert_eq!((fault.defect, fault.place.part, fault.place.block), (Defect::RevokedKey, Part::Seal, Some(block)));
    };
    refused(&forge, &trust(&[SECOND]), 3);
    // The thief of the first key goes on from before the rotation.
    let mut stolen = Forge::with_next(1, 1, Some(&key(SECOND)));
    stolen.append(0, &[event(1)]);
    stolen.append(0, &[event(66)]);
    refused(&stolen, &trust(&[7]), 1);
    // Unless the reviewer holds that very seal; an older one does not help.
    let with_since = |block| trust(&[7]).since(&stolen.kept(0, block)).unwrap();
    assert!(verify(&stolen.archive(), &with_since(1)).is_ok());
    refused(&stolen, &with_since(0), 1);
    // A rotation's seal is also by the new key: the thief of the old one cannot make it.
    let mut rotated = Forge::with_next(1, 1, Some(&key(SECOND)));
    rotated.rotate(0, &key(SECOND), None, false);
    assert!(verify(&rotated.archive(), &trust(&[7])).is_ok());
    refused(&rotated, &trust(&[7, SECOND]), 0);
}

#[test]
fn witnesses() {
    let trust = Trust::from_trust_file(trust_file(&key(7), &[], &[(WITNESS, &key(41))]).as_bytes()).unwrap();
    let signed = |patch: fn(&[u8]) -> String| {
        let mut forge = Forge::new(1, 1);
        forge.append(0, &[event(1)]);
        forge.append(0, &[event(2)]);
        let line = patch(&forge.kept(0, 1));
        let archive = with_line(&forge, &line);
        verify(&archive, &trust)
    };
    let verdict = signed(|seal| cosignature_line(WITNESS, &key(41), seal, 1_700_000_000)).unwrap();
    let witnessed = Anchor::Witnessed { partition: 0, size: 4, witness: WITNESS.to_owned(), time: 1_700_000_000 };
    assert!(verdict.anchors.iter().eq([&Anchor::Pinned, &witnessed]), "{}", verdict.anchors);
    assert_eq!(verdict.meets(Requirement::Witnessed), Ok(()));
    assert!(
        verdict
            .to_string()
            .contains("witness.example/w, who signed 4 events in partition 0 at 1700000000 s (witnessed)")
    );
    // Another key under the witness's name, another name, another text, another time, a signature without the time.
    for patch in [
        (|seal| cosignature_line(WITNESS, &key(42), seal, 1)) as fn(&[u8]) -> String,
        |seal| cosignature_line("other.example", &key(41), seal, 1),
        |_| cosignature_line(WITNESS, &key(41), b"other\n\n", 1),
        |seal| {
            let line = cosignature_line(WITNESS, &key(41), seal, 1);
            let (name, base64) = line.trim_end().rsplit_once(' ').unwrap();
            let mut bytes = forge::unbase64(base64);
            bytes[11] ^= 1;
            format!("{name} {}\n", forge::base64(&bytes))
        },
        |seal| forge::signature_line(WITNESS, &key(41), std::str::from_utf8(seal).unwrap()),
    ] {
        let verdict = signed(patch).unwrap();
        assert!(verdict.anchors.iter().eq([&Anchor::Pinned]), "{}", verdict.anchors);
        let unmet = verdict.meets(Requirement::Witnessed).unwrap_err();
        assert_eq!(unmet, UnmetRequirement::NotWitnessed { partition: 0 });
    }
}

/// The log with a further line under its newest seal, and everything fitted to it.
fn with_line(forge: &Forge, line: &str) -> Vec<u8> {
    let mut blocks = forge.blocks.clone();
    let frame = blocks.last_mut().unwrap().last_mut().unwrap();
    let seal = forge.kept(0, forge.blocks.len() - 1);
    let mut body = frame.bytes[40..frame.bytes.len() - seal.len() - 4].to_vec();
    let seal = [&seal[..], line.as_bytes()].concat();
    body.extend((seal.len() as u32).to_le_bytes());
    body.extend(seal);
    *frame = forge::frame(frame.key.kind, 0, 0, frame.key.seq, &body, false);
    let size = frame.key.seq + 1;
    forge::archive(&forge.genesis, &blocks, &[(blocks.len() as u64, size)])
}

#[test]
fn a_witness_of_the_kept_seal_counts_for_its_size() {
    let forge = log();
    let trust = Trust::from_trust_file(trust_file(&key(7), &[], &[(WITNESS, &key(41))]).as_bytes()).unwrap();
    let kept = forge.kept(0, 1);
    let line = cosignature_line(WITNESS, &key(41), &kept, 5);
    let trust = trust.since(&[&kept[..], line.as_bytes()].concat()).unwrap();
    let verdict = verify(&forge.archive(), &trust).unwrap();
    let expected = [
        Anchor::Pinned,
        Anchor::Since { partition: 0, size: 4, prefix_read: true },
        Anchor::Witnessed { partition: 0, size: 4, witness: WITNESS.to_owned(), time: 5 },
    ];
    assert!(verdict.anchors.iter().eq(&expected), "{}", verdict.anchors);
}

#[test]
fn requirements_say_what_is_missing() {
    let forge = log();
    let own = verify(&forge.archive(), &since(&forge.kept(0, 1))).unwrap();
    assert_eq!(own.meets(Requirement::Pinned), Err(UnmetRequirement::NotPinned));
    assert_eq!(own.meets(Requirement::Witnessed), Err(UnmetRequirement::NoWitnesses));
    let pinned = verify(&forge.archive(), &Trust::pinned(None, public(&key(7)))).unwrap();
    assert_eq!(pinned.meets(Requirement::Pinned), Ok(()));
    let unmet = pinned.meets(Requirement::Witnessed).unwrap_err();
    assert!(unmet.to_string().starts_with("not witnessed: no witness of the trust file signed"), "{unmet}");
}
