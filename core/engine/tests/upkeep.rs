//! Keys that change under a running engine, wherever that is interrupted; checkpoints; restored logs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use actum::{CommandError, Engine, KeyFile, KeyFileState, KeyFiles, OpenError, RestoreSource, Restored, Signer};
use actum_log::{FileSigner, FoldOptions, Folded, FrameSource, fold, key_digest, records};
use std::ops::ControlFlow;

const NET: &str = "
actum: 1
net: echo
start: work
tasks:
  work: { handler: expr, params: {}, flow: end }
";

async fn open(dir: &Path) -> Engine {
    Engine::at(dir).open().await.unwrap()
}

async fn run_case(engine: &Engine) {
    let (net, _) = engine.deploy(NET).await.unwrap();
    let started = engine.start_case(net.hash, None, BTreeMap::new()).await.unwrap();
    assert!(engine.ended(started.case).await.is_some());
}

fn folded(dir: &Path) -> Folded {
    let source = actum_fjall::read(dir).unwrap();
    fold(&source, 0, FoldOptions::default(), |_| ControlFlow::Continue(())).unwrap()
}

fn states(dir: &Path) -> Vec<String> {
    let keys = folded(dir).resume.unwrap().keys;
    KeyFiles::of(dir).states(&(&keys).into()).into_iter().map(|(_, state)| format!("{state:?}")).collect()
}

#[tokio::test]
async fn a_running_engine_changes_its_key_and_goes_on() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let engine = open(&dir).await;
    run_case(&engine).await;
    let before = engine.keys().await.unwrap();
    for round in 1..=3 {
        let keys = engine.rotate_key().await.unwrap();
        assert_eq!((keys.rotations(), keys.past()[0]), (round, before.in_force()));
        run_case(&engine).await;
        assert_eq!(engine.keys().await.unwrap(), keys);
    }
    let keys = engine.replace_key("it may have been seen").await.unwrap();
    assert_eq!(keys.revoked(), [keys.past()[3]]);
    engine.revoke_key(keys.past()[0], "old").await.unwrap();
    for (key, why) in
        [(keys.past()[0], "revoked already"), ([7; 32], "never was in force"), (keys.in_force(), "together")]
    {
        match engine.revoke_key(key, "x").await {
            Err(CommandError::Rejected(refused)) => {
                assert_eq!(refused.code, "log/key");
                assert!(refused.message.contains(why), "{}", refused.message);
            }
            other => panic!("{other:?}"),
        }
    }
    run_case(&engine).await;
    engine.close().await.unwrap();
    assert_eq!(states(&dir), ["InForce", "Next", "Missing"]);
    let engine = open(&dir).await;
    assert_eq!(engine.keys().await.unwrap().rotations(), 4);
    run_case(&engine).await;
    engine.close().await.unwrap();
}

/// Every state of the files that a rotation passes through, with a log of before and of after it.
#[tokio::test]
async fn wherever_a_rotation_stops_the_log_opens_with_the_key_that_it_names() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let files = KeyFiles::of(&dir);
    let path = |file: KeyFile| files.path(file);
    let read = |file: KeyFile| fs::read(path(file)).unwrap();
    let put = |file: KeyFile, bytes: &[u8]| {
        fs::write(path(file), bytes).unwrap();
        #[cfg(unix)]
        fs::set_permissions(path(file), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    open(&dir).await.close().await.unwrap();
    let (first, second) = (read(KeyFile::Seal), read(KeyFile::Next));

    // The third key was made, and nothing was logged.
    FileSigner::generate().unwrap().save(&path(KeyFile::AfterNext)).unwrap();
    let third = read(KeyFile::AfterNext);
    assert_eq!(states(&dir), ["InForce", "Next", "Unknown"]);
    let engine = open(&dir).await;
    assert_eq!((read(KeyFile::Seal), read(KeyFile::Next)), (first.clone(), second.clone()), "nothing to finish");
    let keys = engine.rotate_key().await.unwrap();
    engine.close().await.unwrap();
    assert_eq!((read(KeyFile::Seal), read(KeyFile::Next)), (second.clone(), third.clone()), "the third key is used");

    // It was logged, and no file was moved; then, one was.
    let stopped: [[Option<&[u8]>; 3]; 3] = [
        [Some(&first), Some(&second), Some(&third)],
        [Some(&second), None, Some(&third)],
        [Some(b"damaged"), Some(&second), Some(&third)],
    ];
    for contents in stopped {
        for (file, content) in KeyFile::ALL.into_iter().zip(contents) {
            fs::remove_file(path(file)).ok();
            if let Some(content) = content {
                put(file, content);
            }
        }
        let engine = open(&dir).await;
        assert_eq!(engine.keys().await.unwrap(), keys);
        engine.close().await.unwrap();
        assert_eq!((read(KeyFile::Seal), read(KeyFile::Next)), (second.clone(), third.clone()));
        assert!(!path(KeyFile::AfterNext).exists());
    }

    // What does not fit is never moved or overwritten, and a rotation to it is refused.
    put(KeyFile::Next, &first);
    assert_eq!(states(&dir), ["InForce", "Past", "Missing"]);
    let engine = open(&dir).await;
    match engine.rotate_key().await {
        Err(CommandError::Rejected(refused)) => assert!(refused.message.contains("not the next key"), "{refused:?}"),
        other => panic!("{other:?}"),
    }
    engine.close().await.unwrap();
    assert_eq!(read(KeyFile::Next), first);
    fs::remove_file(path(KeyFile::Seal)).unwrap();
    assert!(matches!(Engine::at(&dir).open().await, Err(OpenError::Key(_))));
}

#[tokio::test]
async fn a_lost_key_is_replaced_by_the_one_that_was_committed() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let engine = open(&dir).await;
    run_case(&engine).await;
    let lost = engine.keys().await.unwrap().in_force();
    engine.close().await.unwrap();
    fs::remove_file(KeyFiles::of(&dir).path(KeyFile::Seal)).unwrap();
    assert!(matches!(Engine::at(&dir).open().await, Err(OpenError::Key(_))));
    let engine = Engine::at(&dir).upkeep().replace_key("the disk of the key broke").open().await.unwrap();
    let keys = engine.keys().await.unwrap();
    assert_eq!((keys.past(), keys.revoked()), (&[lost][..], &[lost][..]));
    engine.close().await.unwrap();
    assert_eq!(states(&dir), ["InForce", "Next", "Missing"]);
    let engine = open(&dir).await;
    run_case(&engine).await;
    engine.close().await.unwrap();
}

#[tokio::test]
async fn keys_that_are_kept_elsewhere_leave_no_files() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let signer = |seed: u8| -> Arc<dyn Signer> { Arc::new(FileSigner::from_seed(&[seed; 32])) };
    let digest = |seed: u8| key_digest(&signer(seed).public_key());
    let engine = Engine::at(&dir).signer(signer(1)).next_signer(signer(2)).open().await.unwrap();
    run_case(&engine).await;
    assert!(matches!(engine.rotate_key().await, Err(CommandError::Rejected(_))), "it has to be given");
    assert!(matches!(engine.rotate_key_to(signer(9), None).await, Err(CommandError::Rejected(_))), "not committed");
    engine.rotate_key_to(signer(2), Some(digest(3))).await.unwrap();
    run_case(&engine).await;
    engine.close().await.unwrap();
    assert!(!dir.join("keys").exists());
    assert!(matches!(Engine::at(&dir).signer(signer(1)).open().await, Err(OpenError::Key(_))), "not in force any more");
    // As somebody opens it who does not know yet whether the rotation was logged.
    let engine = Engine::at(&dir).signer(signer(1)).next_signer(signer(2)).open().await.unwrap();
    engine.rotate_key_to(signer(3), None).await.unwrap();
    engine.close().await.unwrap();
    let keys = folded(&dir).resume.unwrap().keys;
    assert_eq!((keys.in_force(), keys.next()), (signer(3).public_key(), None));
}

#[tokio::test]
async fn checkpoints_are_written_where_they_were_asked_for() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let engine = open(&dir).await;
    run_case(&engine).await;
    assert!(matches!(engine.checkpoint(b"").await, Err(CommandError::Rejected(_))));
    engine.close().await.unwrap();
    let engine = Engine::at(&dir).checkpoints().open().await.unwrap();
    let one = engine.checkpoint(b"mine").await.unwrap();
    run_case(&engine).await;
    let two = engine.checkpoint(b"").await.unwrap();
    assert!(one.size < one.seq.0 && one.seq.0 < two.size, "{one:?} {two:?}");
    engine.close().await.unwrap();
    let source = actum_fjall::read(&dir).unwrap();
    let options = FoldOptions { stream_table: true, ..FoldOptions::default() };
    fold(&source, 0, options, |_| ControlFlow::Continue(())).unwrap();
    let found: Vec<u64> = records(&source, 0, 0)
        .unwrap()
        .map(|record| *record.unwrap().header())
        .filter(|header| header.kind == actum_log::CHECKPOINT_KIND)
        .map(|header| header.seq)
        .collect();
    assert_eq!(found, [one.seq.0, two.seq.0]);
}

#[tokio::test]
async fn a_restored_log_says_so() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let engine = open(&dir).await;
    run_case(&engine).await;
    let head = engine.head().unwrap().unwrap();
    engine.close().await.unwrap();
    let restored = Restored { source: RestoreSource::Archive, replaced: None };
    let engine = Engine::at(&dir).existing().upkeep().restored(restored).open().await.unwrap();
    engine.close().await.unwrap();
    let source = actum_fjall::read(&dir).unwrap();
    let records = records(&source, 0, head.size).unwrap().map(Result::unwrap);
    let found = records
        .filter(|record| record.header().kind == 257)
        .map(|record| actum_model::payload::decode(257, record.header().schema, record.view().payload()).unwrap());
    let expected = actum_model::SystemEvent::LogRestored {
        source: RestoreSource::Archive,
        size: head.size,
        block: head.number,
        block_hash: head.hash,
        replaced: None,
    };
    assert_eq!(found.collect::<Vec<_>>(), [expected.into()]);
    assert!(matches!(source.head(0), Ok(Some(_))));
    let state = |state: KeyFileState| format!("{state:?}");
    assert_eq!(states(&dir)[0], state(KeyFileState::InForce));
}
