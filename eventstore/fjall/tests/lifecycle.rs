//! Create, commit, reopen; who may open; what is refused.

mod plausible;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use actum_fjall::{FjallStore, OpenError, Options, Rehearsal, create, open, read};
use actum_log::{CommitError, EventStore, FrameKey, FrameType, ReadError};
use plausible::{Chain, copy_dir, genesis, read_all};

fn new(dir: &Path, partitions: u16) -> (FjallStore, Vec<Chain>) {
    let text = genesis(partitions);
    let store = create(dir, &text, partitions, &Options::default()).unwrap();
    (store, (0..partitions).map(|partition| Chain::new(&text, partition)).collect())
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let (mut store, mut chains) = new(&dir, 2);
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(store.head(0), None);
    let mut expected = [Vec::new(), Vec::new()];
    for round in 0..4 {
        let mut blocks = chains[0].take(3);
        if round % 2 == 0 {
            blocks.extend(chains[1].take(1));
        }
        store.commit(&blocks).unwrap();
        for block in blocks {
            let head = store.head(block.partition).unwrap();
            assert!(head.number >= block.number);
            expected[usize::from(block.partition)].extend(block.chunks);
            expected[usize::from(block.partition)].push(block.block);
        }
        let heads = [store.head(0), store.head(1)];
        drop(store);
        store = open(&dir, &Options::default()).unwrap();
        assert_eq!([store.head(0), store.head(1)], heads);
        assert_eq!(store.source().genesis().unwrap(), genesis(2));
        for partition in 0..2 {
            assert_eq!(read_all(store.source().as_ref(), partition).unwrap(), expected[usize::from(partition)]);
            let copy = read(&dir).unwrap();
            assert_eq!(read_all(&copy, partition).unwrap(), expected[usize::from(partition)]);
        }
    }
    let source = store.source();
    let at = |partition, seq, kind| source.frame_at_or_before(FrameKey { partition, seq, kind }).unwrap();
    assert_eq!(at(0, u64::MAX, FrameType::Block), expected[0].last().cloned());
    assert_eq!(at(1, 5, FrameType::Block).as_ref(), expected[1].first());
    assert_eq!(at(0, 0, FrameType::Chunk).as_ref(), expected[0].first());
    assert_eq!(at(7, u64::MAX, FrameType::Block), None);
}

#[test]
fn only_one_may_write_and_sources_count() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let (store, _) = new(&dir, 1);
    assert!(matches!(open(&dir, &Options::default()), Err(OpenError::Locked(_))));
    assert!(matches!(create(&dir, &genesis(1), 1, &Options::default()), Err(OpenError::Locked(_))));
    let source = store.source();
    drop(store);
    let error = open(&dir, &Options::default()).unwrap_err();
    assert!(error.to_string().contains("is open for writing elsewhere"), "{error}");
    drop(source);
    open(&dir, &Options::default()).unwrap();
}

#[test]
fn what_is_no_log_is_said_so() {
    let temp = tempfile::tempdir().unwrap();
    let missing = temp.path().join("missing");
    assert!(matches!(open(&missing, &Options::default()), Err(OpenError::NotFound(_))));
    assert!(matches!(read(&missing), Err(ReadError::NotFound(_))));
    assert!(matches!(open(temp.path(), &Options::default()), Err(OpenError::NotFound(_))));
    assert!(matches!(read(temp.path()), Err(ReadError::NotFound(_))));
    let file = temp.path().join("file");
    fs::write(&file, "text").unwrap();
    assert!(matches!(open(&file, &Options::default()), Err(OpenError::NotFound(_))));
    assert!(matches!(read(&file), Err(ReadError::NotFound(_))));
    assert!(matches!(create(temp.path(), &genesis(1), 1, &Options::default()), Err(OpenError::Exists { .. })));
    assert!(matches!(create(&missing, b"hello", 1, &Options::default()), Err(OpenError::Corrupt(_))));
    assert!(matches!(create(&missing, &genesis(1), 2, &Options::default()), Err(OpenError::Corrupt(_))));
    assert!(!missing.exists());
    let dir = temp.path().join("log");
    drop(new(&dir, 1));
    assert!(matches!(create(&dir, &genesis(1), 1, &Options::default()), Err(OpenError::Exists { .. })));
}

#[test]
fn a_creation_interrupted_anywhere_is_none_and_can_be_repeated() {
    let temp = tempfile::tempdir().unwrap();
    let made = temp.path().join("made");
    drop(new(&made, 2));
    // The order of `create`: what is in place, what is still staged.
    let parts = ["store", "head-0", "head-1", "genesis"];
    for moved in 0..=parts.len() {
        let dir = temp.path().join(format!("after-{moved}"));
        fs::create_dir_all(dir.join("creating")).unwrap();
        fs::create_dir_all(dir.join("keys")).unwrap();
        for (index, part) in parts.iter().enumerate() {
            let target = if index < moved { dir.join(part) } else { dir.join("creating").join(part) };
            if made.join(part).is_dir() {
                copy_dir(&made.join(part), &target);
            } else {
                fs::copy(made.join(part), target).unwrap();
            }
        }
        if moved == parts.len() {
            open(&dir, &Options::default()).unwrap();
            assert!(!dir.join("creating").exists());
        } else {
            assert!(matches!(open(&dir, &Options::default()), Err(OpenError::Unfinished(_))));
            assert!(matches!(read(&dir), Err(ReadError::NotFound(_))));
            drop(create(&dir, &genesis(2), 2, &Options::default()).unwrap());
            open(&dir, &Options::default()).unwrap();
        }
    }
}

#[test]
fn creating_never_removes_a_log_that_lost_its_genesis() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let (mut store, mut chains) = new(&dir, 1);
    store.commit(&chains[0].take(2)).unwrap();
    drop(store);
    fs::remove_file(dir.join("genesis")).unwrap();
    assert!(matches!(create(&dir, &genesis(1), 1, &Options::default()), Err(OpenError::Exists { .. })));
    fs::create_dir(dir.join("creating")).unwrap();
    assert!(matches!(create(&dir, &genesis(1), 1, &Options::default()), Err(OpenError::Exists { .. })));
    fs::write(dir.join("genesis"), genesis(1)).unwrap();
    assert_eq!(open(&dir, &Options::default()).unwrap().head(0).unwrap().number, 1);
}

#[test]
fn a_block_that_does_not_continue_the_store_is_a_conflict_and_harmless() {
    let temp = tempfile::tempdir().unwrap();
    let (mut store, mut chains) = new(&temp.path().join("log"), 1);
    let mut wrong = chains[0].fork();
    let good = chains[0].take(2);
    store.commit(&good[..1]).unwrap();
    let again = store.commit(&good[..1]);
    assert!(matches!(again, Err(CommitError::Conflict { partition: 0, number: 0, expected: 1 })));
    wrong.number = 1;
    wrong.size = 13;
    assert!(matches!(store.commit(&wrong.take(1)), Err(CommitError::Conflict { number: 1, expected: 1, .. })));
    let mut other = good[1].clone();
    other.partition = 4;
    assert!(matches!(store.commit(&[other]), Err(CommitError::Conflict { partition: 4, .. })));
    store.commit(&[]).unwrap();
    store.commit(&good[1..]).unwrap();
    assert_eq!(store.head(0).unwrap().number, 1);
}

#[test]
fn a_failed_commit_poisons_until_reopened() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let (mut store, mut chains) = new(&dir, 1);
    let good = chains[0].take(1);
    let mut unsealable = good[0].clone();
    unsealable.seal = vec![b'x'; 3073];
    assert!(matches!(store.commit(&[unsealable]), Err(CommitError::Engine(_))));
    assert!(matches!(store.commit(&good), Err(CommitError::Poisoned)));
    drop(store);
    let mut store = open(&dir, &Options::default()).unwrap();
    assert_eq!(store.head(0), None);
    store.commit(&good).unwrap();
}

#[test]
fn small_memtables_change_nothing_that_is_read() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let (store, mut chains) = new(&dir, 1);
    drop(store);
    let mut options = Options::default();
    options.memtable_bytes = 50_000;
    options.rehearsal = Rehearsal::Never;
    let mut expected = Vec::new();
    for _ in 0..3 {
        let mut store = open(&dir, &options).unwrap();
        for _ in 0..20 {
            let blocks = chains[0].take(2);
            store.commit(&blocks).unwrap();
            for block in blocks {
                expected.extend(block.chunks);
                expected.push(block.block);
            }
        }
        assert_eq!(read_all(store.source().as_ref(), 0).unwrap(), expected);
    }
    assert_eq!(read_all(&read(&dir).unwrap(), 0).unwrap(), expected);
    let files = |folder: &str| fs::read_dir(dir.join("store/keyspaces/1").join(folder)).unwrap().count();
    assert!(files("tables") > 0, "memtables were flushed");
    assert_eq!(files("blobs"), 0, "a power loss may take a blob file that the manifest names");
}
