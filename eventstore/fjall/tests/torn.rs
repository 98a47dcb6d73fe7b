//! Power loss in the middle of a commit: its later sectors are there, an earlier one is not.

mod plausible;

use std::fs;
use std::path::{Path, PathBuf};

use actum_fjall::{Found, OpenError, Options, create, open, open_rehearsed, read};
use actum_log::{EventStore, FrameSource, ReadError};
use plausible::{Chain, genesis, read_all};

fn journal(dir: &Path) -> PathBuf {
    dir.join("store").join("0.jnl")
}

/// A log of three commits; the last of them lacks a part of its middle. Gives the head file before and after it.
fn torn(dir: &Path) -> (Vec<u8>, Vec<u8>) {
    let text = genesis(1);
    let mut chain = Chain::new(&text, 0);
    let mut store = create(dir, &text, 1, &Options::default()).unwrap();
    store.commit(&chain.take(2)).unwrap();
    store.commit(&chain.take(1)).unwrap();
    let before = fs::read(dir.join("head-0")).unwrap();
    store.commit(&chain.take(1)).unwrap();
    drop(store);
    let after = fs::read(dir.join("head-0")).unwrap();
    let mut bytes = fs::read(journal(dir)).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end - 40..end - 20].fill(0);
    fs::write(journal(dir), bytes).unwrap();
    (before, after)
}

#[test]
fn a_torn_commit_that_nobody_was_promised_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let (before, _) = torn(dir.path());
    fs::write(dir.path().join("head-0"), before).unwrap();
    let damaged = fs::read(journal(dir.path())).unwrap();
    let source = read(dir.path()).unwrap();
    assert_eq!(source.head(0).unwrap().unwrap().number, 2);
    let frames = read_all(&source, 0).unwrap();
    assert_eq!(fs::read(journal(dir.path())).unwrap(), damaged, "reading does not write");

    let dropped = source.dropped().cloned().unwrap();
    let mut store = open(dir.path(), &Options::default()).unwrap();
    assert_eq!(store.found().dropped.as_ref(), Some(&dropped));
    assert!(dropped.journal == "0.jnl" && dropped.bytes > 100, "{dropped:?}");
    assert_eq!(read_all(&*store.source(), 0).unwrap(), frames);
    let mut chain = Chain::new(&genesis(1), 0);
    chain.take(3);
    store.commit(&chain.take(2)).unwrap();
    drop(store);
    assert_eq!(read(dir.path()).unwrap().head(0).unwrap().unwrap().number, 4, "the log goes on");
}

#[test]
fn a_damaged_commit_that_was_acknowledged_is_named_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (_, after) = torn(dir.path());
    assert_eq!(fs::read(dir.path().join("head-0")).unwrap(), after);
    let damaged = fs::read(journal(dir.path())).unwrap();
    assert!(matches!(read(dir.path()), Err(ReadError::Corrupt(_))));
    let opened = open(dir.path(), &Options::default());
    assert!(matches!(opened, Err(OpenError::Corrupt(_))), "{opened:?}");
    assert_eq!(fs::read(journal(dir.path())).unwrap(), damaged, "what is refused is left as it was");
}

#[test]
fn what_stops_short_is_told_too_and_a_clean_end_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (before, _) = torn(dir.path());
    fs::write(dir.path().join("head-0"), before).unwrap();
    let mut bytes = fs::read(journal(dir.path())).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end - 60..].fill(0);
    fs::write(journal(dir.path()), bytes).unwrap();
    let store = open_rehearsed(dir.path(), &Options::default(), |dir| read(dir).map(drop)).unwrap();
    assert!(store.found().dropped.as_ref().is_some_and(|dropped| dropped.bytes > 100), "{:?}", store.found());
    drop(store);
    let store = open(dir.path(), &Options::default()).unwrap();
    assert_eq!(*store.found(), Found::default());
}

#[test]
fn what_a_rehearsal_elsewhere_refuses_is_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    torn(dir.path());
    let damaged = fs::read(journal(dir.path())).unwrap();
    let opened = open_rehearsed(dir.path(), &Options::default(), |dir| {
        assert!(matches!(open(dir, &Options::default()), Err(OpenError::Locked(_))), "it is locked meanwhile");
        read(dir).map(drop)
    });
    assert!(matches!(opened, Err(OpenError::Rehearsal(ReadError::Corrupt(_)))), "{opened:?}");
    assert_eq!(fs::read(journal(dir.path())).unwrap(), damaged);
}
