//! Keys: rotation and revocation, written and read; what is refused on either side; crashes between the steps.

mod fixture;

use std::sync::{Arc, Mutex};

use actum_log::{
    Author, ChangeKeyError, Clocks, DecodeError, EventStore, Fault, FaultyStore, FileSigner, FoldError, FoldOptions,
    FrameSource, Genesis, Hash, KEY_STREAM, KeyChangeError, Keys, MemoryStore, Mismatch, Outcome, Pipeline,
    PipelineError, PushError, Resume, Revocation, Rotation, Seal, SealCheck, SealedBlock, Sealer, SignError, Signer,
    Stage, key_digest, records,
};
use fixture::forge::{Forge, Forged};
use fixture::{Test, check, draft, key, open, rotating_genesis as genesis};

#[expect(clippy::unnecessary_wraps, reason = "as rotations take it")]
fn digest(number: u8) -> Option<Hash> {
    Some(key_digest(&key(number).public_key()))
}

/// A signer whose key cannot be reached.
struct Lost(u8);

impl Signer for Lost {
    fn public_key(&self) -> [u8; 32] {
        key(self.0).public_key()
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], SignError> {
        Err(SignError::Unavailable("lost".to_owned()))
    }
}

/// Says it holds one key and signs with another.
struct Liar;

impl Signer for Liar {
    fn public_key(&self) -> [u8; 32] {
        key(1).public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        key(9).sign(message)
    }
}

fn writer() -> (MemoryStore, Stage, Sealer) {
    let (stage, sealer) = open(Resume::at_genesis(&genesis(), 0));
    (MemoryStore::new(genesis().to_string()), stage, sealer)
}

fn seal(stage: &mut Stage, sealer: &mut Sealer, signer: &dyn Signer) -> Result<SealedBlock, SignError> {
    sealer.seal(stage.close(Clocks::default()).expect("something was pushed"), signer)
}

fn keys_of(store: &dyn FrameSource) -> Keys {
    check(store, 0).expect("the log verifies").resume.expect("complete").keys
}

fn key_ids(block: &SealedBlock) -> Vec<[u8; 4]> {
    Seal::parse(&block.seal).expect("a seal").signatures.iter().map(|line| line.key_id).collect()
}

fn id(number: u8) -> [u8; 4] {
    actum_log::key_id(&actum_log::key_name(genesis().origin(), 0), &key(number).public_key())
}

#[test]
fn a_rotation_is_sealed_by_both_keys_and_then_the_new_one_is_in_force() -> Test {
    let (mut store, mut stage, mut sealer) = writer();
    stage.push(&draft(1, b"before"))?;
    let before = seal(&mut stage, &mut sealer, &key(0))?;
    let pushed = stage.rotate(Arc::new(key(1)), digest(2), Author { actor: 7, time: 9 })?;
    stage.push(&draft(1, b"in the same block"))?;
    assert_eq!(stage.keys().in_force(), key(1).public_key());
    let rotation = seal(&mut stage, &mut sealer, &key(0))?;
    assert_eq!(sealer.key_in_force(), key(1).public_key());
    stage.push(&draft(1, b"after"))?;
    let after = seal(&mut stage, &mut sealer, &key(1))?;
    assert_eq!([&before, &rotation, &after].map(key_ids), [vec![id(0)], vec![id(0), id(1)], vec![id(1)]]);
    store.commit(&[before, rotation, after])?;

    let keys = keys_of(&store);
    assert_eq!(
        (keys.in_force(), keys.next(), keys.past()),
        (key(1).public_key(), digest(2), &[key(0).public_key()][..])
    );
    let record = records(&store, 0, pushed.seq)?.next().ok_or("missing")??;
    assert_eq!((record.header().actor, record.header().stream, record.header().time), (7, KEY_STREAM, 9));
    let rotation = Rotation::from_record(&record.view())?;
    assert_eq!(rotation, Rotation { old: key(0).public_key(), new: key(1).public_key(), next: digest(2) });
    let newest = FoldOptions { seals: SealCheck::Newest, ..FoldOptions::default() };
    let folded = actum_log::fold(&store, 0, newest, |_| std::ops::ControlFlow::Continue(()))?;
    assert_eq!(folded.resume.ok_or("incomplete")?.keys, keys);

    // Reopened, the log goes on under the new key and under no other.
    for refused in [0, 2, 9] {
        let (mut stage, mut sealer) = open(check(&store, 0)?.resume.ok_or("incomplete")?);
        stage.push(&draft(1, b"reopened"))?;
        let error = seal(&mut stage, &mut sealer, &key(refused)).expect_err("is not in force");
        let [given, in_force] = [key(refused).public_key(), key(1).public_key()];
        assert_eq!(error, SignError::NotInForce { given, in_force });
        assert!(error.to_string().contains("is not the key in force, which is "), "{error}");
    }
    let (mut stage, mut sealer) = open(check(&store, 0)?.resume.ok_or("incomplete")?);
    stage.rotate(Arc::new(key(2)), None, Author::default())?;
    store.commit(&[seal(&mut stage, &mut sealer, &key(1))?])?;
    assert_eq!(keys_of(&store).rotations(), 2);
    let last = stage.rotate(Arc::new(key(3)), None, Author::default());
    assert_eq!(last, Err(KeyChangeError::NoSuccessor.into()), "no key was committed after the second rotation");
    Ok(())
}

#[test]
fn a_running_pipeline_rotates() -> Test {
    let (store, mut stage, sealer) = writer();
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let noted = outcomes.clone();
    let wrong = open(Resume::at_genesis(&genesis(), 0)).1;
    let refused = Pipeline::spawn(wrong, Arc::new(key(1)), Box::new(store.clone()), |_| {});
    assert!(matches!(refused, Err(PipelineError::Sign(SignError::NotInForce { .. }))), "before any thread runs");
    let pipeline = Pipeline::spawn(sealer, Arc::new(key(0)), Box::new(store.clone()), move |outcome| {
        noted.lock().expect("not poisoned").push(matches!(outcome, Outcome::Durable(_)));
    })?;
    for block in 0..60_u8 {
        stage.push(&draft(1, &[block]))?;
        if block % 20 == 10 {
            let number = block / 20 + 1;
            stage.rotate(Arc::new(key(number)), digest(number + 1), Author::default())?;
        }
        pipeline.submit(stage.close(Clocks::default()).ok_or("empty")?)?;
    }
    let finished = pipeline.finish();
    assert!(finished.error.is_none());
    assert_eq!(finished.sealer.ok_or("no sealer")?.key_in_force(), key(3).public_key());
    assert_eq!(*outcomes.lock().expect("not poisoned"), vec![true; 60]);
    let keys = keys_of(&store);
    assert_eq!((keys.in_force(), keys.rotations()), (key(3).public_key(), 3));
    Ok(())
}

#[test]
fn a_lost_key_is_replaced_by_the_new_one_alone() -> Test {
    let (mut store, mut stage, mut sealer) = writer();
    stage.push(&draft(1, b"before"))?;
    store.commit(&[seal(&mut stage, &mut sealer, &key(0))?])?;
    stage.replace_key(Arc::new(key(1)), digest(2), "the laptop was stolen", Author::default())?;
    stage.push(&draft(1, b"same block"))?;
    let block = seal(&mut stage, &mut sealer, &Lost(0))?;
    assert_eq!(key_ids(&block), [id(1)]);
    store.commit(&[block])?;
    stage.push(&draft(1, b"after"))?;
    store.commit(&[seal(&mut stage, &mut sealer, &key(1))?])?;
    let keys = keys_of(&store);
    assert_eq!((keys.in_force(), keys.revoked()), (key(1).public_key(), &[key(0).public_key()][..]));
    let all = records(&store, 0, 0)?.collect::<Result<Vec<_>, _>>()?;
    let revocation = all.iter().find(|record| record.header().kind == 3).ok_or("no revocation")?;
    let expected = Revocation { key: key(0).public_key(), reason: "the laptop was stolen" };
    assert_eq!(Revocation::from_record(&revocation.view())?, expected);
    let newest = FoldOptions { seals: SealCheck::Newest, ..FoldOptions::default() };
    actum_log::fold(&store, 0, newest, |_| std::ops::ControlFlow::Continue(()))?;
    Ok(())
}

#[test]
fn changes_of_keys_that_the_format_forbids_are_refused_and_change_nothing() -> Test {
    let (_, mut stage, mut sealer) = writer();
    let [k0, k1, k9] = [0, 1, 9].map(|number| key(number).public_key());
    let author = Author::default();
    let before = stage.keys();
    assert_eq!(stage.rotate(Arc::new(key(9)), None, author), Err(KeyChangeError::Digest(k9).into()));
    assert_eq!(stage.rotate(Arc::new(key(0)), None, author), Err(KeyChangeError::Digest(k0).into()));
    assert_eq!(stage.revoke(k0, "", author), Err(KeyChangeError::RevokedAlone.into()));
    assert_eq!(stage.revoke(k1, "", author), Err(KeyChangeError::NeverInForce(k1).into()), "not yet in force");
    let replaced = stage.replace_key(Arc::new(key(9)), None, "", author);
    assert_eq!(replaced, Err(KeyChangeError::Digest(k9).into()));
    let long = "r".repeat(1_025);
    assert_eq!(stage.revoke(k0, &long, author), Err(ChangeKeyError::Reason(1_025)));
    assert_eq!(stage.replace_key(Arc::new(key(1)), None, &long, author), Err(ChangeKeyError::Reason(1_025)));
    assert_eq!((stage.keys(), stage.open_events()), (before, 0));

    for (kind, stream) in [(2, 1), (3, 1), (4, 1), (256, KEY_STREAM), (2, KEY_STREAM), (256, KEY_STREAM + 5)] {
        let refused = stage.push(&actum_log::Draft { kind, ..draft(stream, b"") });
        assert!(matches!(refused, Err(PushError::Kind { .. } | PushError::Stream(_))), "{kind} {stream:#x}");
    }

    // The key that is committed next is the first one again.
    stage.rotate(Arc::new(key(1)), digest(0), author)?;
    assert_eq!(stage.rotate(Arc::new(key(1)), None, author), Err(KeyChangeError::SecondRotation.into()));
    assert_eq!(
        stage.revoke(k1, "", author),
        Err(KeyChangeError::NeverInForce(k1).into()),
        "in force from the next block on"
    );
    seal(&mut stage, &mut sealer, &key(0))?;
    assert_eq!(stage.rotate(Arc::new(key(0)), None, author), Err(KeyChangeError::Reused(k0).into()));
    stage.revoke(k0, "retired", author)?;
    assert_eq!(stage.revoke(k0, "again", author), Err(KeyChangeError::Revoked(k0).into()));
    assert_eq!(stage.rotate(Arc::new(key(0)), None, author), Err(KeyChangeError::Reused(k0).into()), "revoked or not");
    seal(&mut stage, &mut sealer, &key(1))?;
    assert_eq!(stage.revoke(k0, "in a later block", author), Err(KeyChangeError::Revoked(k0).into()));
    Ok(())
}

#[test]
fn a_key_that_is_replaced_takes_its_block_for_itself() -> Test {
    let (mut store, mut stage, mut sealer) = writer();
    let author = Author::default();
    let k = |number| key(number).public_key();
    stage.rotate(Arc::new(key(1)), digest(2), author)?;
    store.commit(&[seal(&mut stage, &mut sealer, &key(0))?])?;
    // An older key may be revoked beside a rotation, but then not the one in force.
    stage.revoke(k(0), "retired", author)?;
    let replaced = stage.replace_key(Arc::new(key(2)), digest(3), "", author);
    assert_eq!(replaced, Err(KeyChangeError::RevokedAlone.into()));
    stage.rotate(Arc::new(key(2)), digest(3), author)?;
    assert_eq!(stage.revoke(k(1), "", author), Err(KeyChangeError::RevokedAlone.into()));
    store.commit(&[seal(&mut stage, &mut sealer, &key(1))?])?;
    // `rotate`, then `revoke` is `replace_key` in two steps; nothing comes after it.
    stage.rotate(Arc::new(key(3)), None, author)?;
    stage.revoke(k(2), "", author)?;
    assert_eq!(stage.revoke(k(1), "", author), Err(KeyChangeError::RevokedAlone.into()));
    let block = seal(&mut stage, &mut sealer, &Lost(2))?;
    assert_eq!(key_ids(&block), [id(3)]);
    store.commit(&[block])?;
    let keys = keys_of(&store);
    assert_eq!((keys.in_force(), keys.revoked()), (k(3), &[k(0), k(2)][..]));
    Ok(())
}

#[test]
fn a_signer_that_signs_with_another_key_cannot_come_into_force() -> Test {
    let author = Author::default();
    for replace in [false, true] {
        let (_, mut stage, mut sealer) = writer();
        if replace {
            stage.replace_key(Arc::new(Liar), None, "", author)?;
        } else {
            stage.rotate(Arc::new(Liar), None, author)?;
        }
        assert!(matches!(seal(&mut stage, &mut sealer, &key(0)), Err(SignError::Refused(_))));
        stage.push(&draft(1, b""))?;
        assert_eq!(seal(&mut stage, &mut sealer, &key(0)).map(|_| ()), Err(SignError::Stopped));
    }
    Ok(())
}

#[test]
fn a_rotation_needs_both_keys() -> Test {
    for (old, new) in [(true, false), (false, true)] {
        let (_, mut stage, mut sealer) = writer();
        let new: Arc<dyn Signer> = if new { Arc::new(key(1)) } else { Arc::new(Lost(1)) };
        stage.rotate(new, None, Author::default())?;
        let signer: Box<dyn Signer> = if old { Box::new(key(0)) } else { Box::new(Lost(0)) };
        assert!(matches!(seal(&mut stage, &mut sealer, &*signer), Err(SignError::Unavailable(_))));
    }
    Ok(())
}

/// Power fails while a rotation is stored: before, half way, or after it was stored and before anybody knew.
#[test]
fn after_a_crash_the_log_says_which_key_is_in_force() -> Test {
    for (fault, replace) in [Fault::BeforeStoring, Fault::HalfStored, Fault::AfterStoring]
        .into_iter()
        .flat_map(|fault| [(fault, false), (fault, true)])
    {
        let (store, mut stage, mut sealer) = writer();
        let mut faulty = FaultyStore::new(store.clone(), 1, fault);
        stage.push(&draft(1, b"acknowledged"))?;
        faulty.commit(&[seal(&mut stage, &mut sealer, &key(0))?])?;
        stage.push(&draft(1, b"not acknowledged"))?;
        let before = seal(&mut stage, &mut sealer, &key(0))?;
        if replace {
            stage.replace_key(Arc::new(key(1)), digest(2), "lost", Author::default())?;
        } else {
            stage.rotate(Arc::new(key(1)), digest(2), Author::default())?;
        }
        let rotation = seal(&mut stage, &mut sealer, &key(0))?;
        faulty.commit(&[before, rotation]).expect_err("power failed");

        // Both key files are durable by now; the caller picks the one that the log names.
        let resume = check(&store, 0)?.resume.ok_or("incomplete")?;
        assert!(resume.block_number >= 1, "acknowledged means present");
        let in_force = resume.keys.in_force();
        let number = u8::from(in_force == key(1).public_key());
        assert_eq!((in_force, number), (key(number).public_key(), u8::from(fault == Fault::AfterStoring)));
        let (mut stage, mut sealer) = open(resume.clone());
        stage.push(&draft(1, b"goes on"))?;
        assert!(matches!(seal(&mut stage, &mut sealer, &key(1 - number)), Err(SignError::NotInForce { .. })));
        let (mut stage, mut sealer) = open(resume);
        stage.push(&draft(1, b"goes on"))?;
        if number == 0 {
            // And the rotation is tried again.
            stage.rotate(Arc::new(key(1)), digest(2), Author::default())?;
        }
        store.clone().commit(&[seal(&mut stage, &mut sealer, &key(number))?])?;
        assert_eq!(keys_of(&store).in_force(), key(1).public_key());
    }
    Ok(())
}

#[test]
fn a_pipeline_whose_rotation_is_not_stored_halts() -> Test {
    let (store, mut stage, sealer) = writer();
    let faulty = FaultyStore::new(store.clone(), 0, Fault::BeforeStoring);
    let pipeline = Pipeline::spawn(sealer, Arc::new(key(0)), Box::new(faulty), |_| {})?;
    stage.rotate(Arc::new(key(1)), None, Author::default())?;
    pipeline.submit(stage.close(Clocks::default()).ok_or("empty")?)?;
    let finished = pipeline.finish();
    assert!(matches!(finished.error.as_deref(), Some(PipelineError::Commit(_))));
    assert_eq!(keys_of(&store).in_force(), key(0).public_key());
    Ok(())
}

fn rotation(old: u8, new: u8, next: Option<Hash>) -> Forged {
    let [old, new] = [old, new].map(|number| key(number).public_key());
    let payload = Rotation { old, new, next }.encode().to_vec();
    Forged { stream: KEY_STREAM, kind: 2, schema: 1, terminal: false, payload }
}

fn revocation(of: u8) -> Forged {
    let payload = Revocation { key: key(of).public_key(), reason: "" }.encode();
    Forged { stream: KEY_STREAM, kind: 3, schema: 1, terminal: false, payload }
}

/// What a fold says of a log whose blocks hold these records, name these keys and are signed by these.
fn judge(blocks: &[(&[Forged], u8, &[u8])]) -> Result<Keys, FoldError> {
    let mut forge = Forge::new();
    for (records, names, signers) in blocks {
        let signers: Vec<FileSigner> = signers.iter().map(|number| key(*number)).collect();
        forge.block(records, &key(*names), &signers.iter().collect::<Vec<_>>());
    }
    let newest = FoldOptions { seals: SealCheck::Newest, ..FoldOptions::default() };
    let quick = actum_log::fold(&forge.store, 0, newest, |_| std::ops::ControlFlow::Continue(()));
    let folded = check(&forge.store, 0);
    assert_eq!(quick.is_ok(), folded.is_ok(), "no block here is under another that is fine");
    folded.map(|folded| folded.resume.expect("complete").keys)
}

#[test]
fn what_a_fold_accepts() {
    let plain = Forged { stream: 1, kind: 256, schema: 1, terminal: false, payload: Vec::new() };
    let keys = judge(&[
        (std::slice::from_ref(&plain), 0, &[0]),
        (&[plain.clone(), rotation(0, 1, digest(2))], 0, &[0, 1]),
        (&[revocation(0)], 1, &[1]),
        (&[rotation(1, 2, digest(3)), revocation(1)], 2, &[2]),
        // A line by somebody else, a witness say, and one by the lost key, which may have been found.
        (&[rotation(2, 3, digest(4)), revocation(2)], 3, &[3, 2, 9]),
        (&[rotation(3, 4, None)], 3, &[3, 4, 9]),
        (std::slice::from_ref(&plain), 4, &[4]),
    ]);
    let keys = keys.expect("the format allows it");
    assert_eq!((keys.in_force(), keys.rotations(), keys.revoked().len()), (key(4).public_key(), 4, 3));
}

#[test]
fn what_a_fold_refuses() {
    let rotated: (&[Forged], u8, &[u8]) = (&[rotation(0, 1, digest(2))], 0, &[0, 1]);
    let tampered = |blocks: &[(&[Forged], u8, &[u8])], expected: fn(&Mismatch) -> bool| match judge(blocks) {
        Err(FoldError::Tampered { block, source, .. }) => {
            assert!(expected(&source) && block + 1 == blocks.len() as u64, "{source:?} in block {block}");
        }
        other => panic!("{other:?}"),
    };
    let signature: fn(&Mismatch) -> bool = |wrong| *wrong == Mismatch::Signature;
    let key_id: fn(&Mismatch) -> bool = |wrong| *wrong == Mismatch::KeyId;
    // Who must sign, and on which line.
    tampered(&[(&[rotation(0, 1, None)], 0, &[0])], signature);
    tampered(&[(&[rotation(0, 1, None)], 0, &[1, 0])], signature);
    tampered(&[(&[rotation(0, 1, None)], 0, &[0, 9])], signature);
    tampered(&[(&[rotation(0, 1, None)], 0, &[0, 9, 1])], signature);
    tampered(&[(&[rotation(0, 1, None)], 1, &[1, 0])], key_id);
    tampered(&[(&[rotation(0, 1, None), revocation(0)], 0, &[0, 1])], key_id);
    tampered(&[(&[rotation(0, 1, None), revocation(0)], 1, &[0, 1])], signature);
    tampered(&[rotated, (&[], 0, &[0])], key_id);
    tampered(&[rotated, (&[], 1, &[0, 1])], signature);
    // Which key follows.
    let not_in_force: fn(&Mismatch) -> bool =
        |wrong| matches!(wrong, Mismatch::KeyChange(KeyChangeError::NotInForce(_)));
    let digest_of: fn(&Mismatch) -> bool = |wrong| matches!(wrong, Mismatch::KeyChange(KeyChangeError::Digest(_)));
    tampered(&[(&[rotation(9, 1, None)], 0, &[0, 1])], not_in_force);
    tampered(&[(&[rotation(0, 9, None)], 0, &[0, 9])], digest_of);
    tampered(&[rotated, (&[rotation(0, 2, None)], 1, &[1, 2])], not_in_force);
    tampered(&[rotated, (&[rotation(1, 3, None)], 1, &[1, 3])], digest_of);

    let twice = judge(&[(&[rotation(0, 1, None), rotation(0, 1, None)], 0, &[0, 1])]);
    let second = DecodeError::KeyChange(KeyChangeError::SecondRotation);
    assert!(matches!(twice, Err(FoldError::Corrupt { source, .. }) if source == second));
    let forbidden = |blocks: &[(&[Forged], u8, &[u8])], expected: fn(&KeyChangeError) -> bool| match judge(blocks) {
        Err(FoldError::Tampered { source: Mismatch::KeyChange(source), .. }) => {
            assert!(expected(&source), "{source:?}");
        }
        other => panic!("{other:?}"),
    };
    let last: (&[Forged], u8, &[u8]) = (&[rotation(0, 1, None)], 0, &[0, 1]);
    forbidden(&[last, (&[rotation(1, 2, None)], 1, &[1, 2])], |wrong| *wrong == KeyChangeError::NoSuccessor);
    let back: (&[Forged], u8, &[u8]) = (&[rotation(0, 1, digest(0))], 0, &[0, 1]);
    forbidden(&[back, (&[rotation(1, 0, None)], 1, &[1, 0])], |wrong| matches!(wrong, KeyChangeError::Reused(_)));
    let revoked: (&[Forged], u8, &[u8]) = (&[revocation(0)], 1, &[1]);
    forbidden(&[back, revoked, (&[rotation(1, 0, None)], 1, &[1, 0])], |wrong| {
        matches!(wrong, KeyChangeError::Reused(_))
    });
    forbidden(&[rotated, revoked, revoked], |wrong| matches!(wrong, KeyChangeError::Revoked(_)));
    forbidden(&[rotated, (&[revocation(0), revocation(0)], 1, &[1])], |wrong| {
        matches!(wrong, KeyChangeError::Revoked(_))
    });
    for never in [1, 9] {
        forbidden(&[(&[revocation(never)], 0, &[0])], |wrong| matches!(wrong, KeyChangeError::NeverInForce(_)));
        forbidden(&[(&[rotation(0, 1, None), revocation(never)], 0, &[0, 1])], |wrong| {
            matches!(wrong, KeyChangeError::NeverInForce(_))
        });
    }
    let alone: fn(&KeyChangeError) -> bool = |wrong| *wrong == KeyChangeError::RevokedAlone;
    forbidden(&[(&[revocation(0)], 0, &[0])], alone);
    forbidden(&[(&[revocation(0), rotation(0, 1, None)], 1, &[1])], alone);
    forbidden(&[rotated, (&[rotation(1, 2, None), revocation(1), revocation(0)], 2, &[2])], alone);
    forbidden(&[rotated, (&[rotation(1, 2, None), revocation(0), revocation(1)], 2, &[2])], alone);
}

/// A change to the record at a place.
type Change = (usize, fn(&mut Forged));

#[test]
fn records_of_another_shape_are_no_changes_of_keys() {
    let fine = [rotation(0, 1, None), revocation(0)];
    assert!(judge(&[(&fine, 1, &[1])]).is_ok());
    let long = [&key(0).public_key()[..], &[b'r'; 1_025]].concat();
    let no_text = [&key(0).public_key()[..], &[0xff]].concat();
    let wrong: [Change; 8] = [
        (0, |record| record.stream = 1),
        (0, |record| record.schema = 2),
        (0, |record| record.terminal = true),
        (0, |record| record.payload.push(0)),
        (0, |record| record.payload.truncate(95)),
        (1, |record| record.stream = KEY_STREAM + 1),
        (1, |record| record.schema = 2),
        (1, |record| record.payload.truncate(31)),
    ];
    for (place, change) in wrong {
        let mut records = fine.clone();
        change(&mut records[place]);
        let judged = judge(&[(&records, 1, &[1])]);
        let corrupt = matches!(judged, Err(FoldError::Corrupt { source: DecodeError::KeyRecord(_), .. }));
        assert!(corrupt, "{place}: {judged:?}");
    }
    for payload in [long, no_text] {
        let records = [fine[0].clone(), Forged { payload, ..fine[1].clone() }];
        let judged = judge(&[(&records, 1, &[1])]);
        assert!(matches!(judged, Err(FoldError::Corrupt { source: DecodeError::KeyRecord(_), .. })), "{judged:?}");
    }
}

#[test]
fn there_is_a_last_rotation() -> Test {
    // Seeds of 1,026 keys, each committed by the one before it.
    let seed = |number: u32| FileSigner::from_seed(&actum_log::genesis_hash(&number.to_le_bytes()));
    let digest = |number| Some(key_digest(&seed(number).public_key()));
    let genesis = Genesis::new([1; 16], "a.example", 1, seed(0).public_key())?.with_next(digest(1).ok_or("a digest")?);
    let opening = actum_log::Opening { boot_id: [1; 16], limits: actum_log::StageLimits::default() };
    let (mut stage, _) = Resume::at_genesis(&genesis, 0).open(&genesis, opening)?;
    for number in 1..=1_024 {
        stage.rotate(Arc::new(seed(number)), digest(number + 1), Author::default())?;
        stage.close(Clocks::default());
    }
    let refused = stage.rotate(Arc::new(seed(1_025)), None, Author::default());
    assert_eq!(refused, Err(ChangeKeyError::TooMany));
    Ok(())
}
