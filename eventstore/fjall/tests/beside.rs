//! Reading beside a writer: never a false alarm, never a write.

mod plausible;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::SystemTime;

use actum_fjall::{Options, Scratch, create, open_source, read, read_with};
use actum_log::{EventStore, FrameSource, ReadError};
use plausible::{Chain, genesis, read_all, tree};

/// Enough for several journals (64 MB each) to come and go on the machine this was written on.
/// More: `ACTUM_FJALL_TEST_ROUNDS=1000`.
const ROUNDS: u64 = 25;

fn rounds() -> u64 {
    std::env::var("ACTUM_FJALL_TEST_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS)
}

#[test]
fn a_reader_beside_a_busy_writer_sees_everything_that_was_acknowledged() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let text = genesis(2);
    let mut options = Options::default();
    options.memtable_bytes = 3 * 1024 * 1024;
    let mut store = create(&dir, &text, 2, &options).unwrap();
    let acknowledged = [AtomicU64::new(0), AtomicU64::new(0)];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut chains = [Chain::new(&text, 0), Chain::new(&text, 1)];
            chains[0].chunks = 12;
            chains[0].chunk_bytes = 16_000;
            while !done.load(Ordering::Relaxed) {
                let mut blocks = chains[0].take(5);
                blocks.extend(chains[1].take(1));
                store.commit(&blocks).unwrap();
                for (chain, size) in chains.iter().zip(&acknowledged) {
                    size.store(chain.size, Ordering::Release);
                }
            }
        });
        let mut grew = 0;
        for round in 0..rounds() {
            let before: Vec<_> = acknowledged.iter().map(|size| size.load(Ordering::Acquire)).collect();
            let source = match read(&dir) {
                Ok(source) => source,
                Err(error) => {
                    done.store(true, Ordering::Relaxed);
                    panic!("round {round}: {error}");
                }
            };
            for (partition, before) in before.into_iter().enumerate() {
                let head = source.head(partition as u16).unwrap().map_or(0, |head| head.size);
                assert!(head >= before, "round {round}: head {head}, acknowledged {before}");
                grew += u64::from(head > before);
                // The big partition is read to its end only now and then: it is the other test's job.
                if partition == 1 || round % 8 == 7 {
                    read_all(&source, partition as u16).unwrap();
                }
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(grew > 0, "the writer was not busy");
    });
    let journals: Vec<_> = tree(&dir).into_keys().filter(|name| name.contains(".jnl")).collect();
    println!("{acknowledged:?} events, {journals:?}");
}

fn times(dir: &Path) -> BTreeMap<String, (SystemTime, u64)> {
    let mut times: BTreeMap<_, _> = tree(dir)
        .into_keys()
        .map(|name| {
            let meta = fs::metadata(dir.join(&name)).unwrap();
            (name, (meta.modified().unwrap(), meta.len()))
        })
        .collect();
    for folder in ["", "store", "store/keyspaces", "store/keyspaces/1"] {
        times.insert(format!("{folder}/"), (fs::metadata(dir.join(folder)).unwrap().modified().unwrap(), 0));
    }
    times
}

/// Reads a log that nobody writes to meanwhile.
fn check_untouched(dir: &Path, scratches: &Path, frames: usize) {
    let (before, before_times) = (tree(dir), times(dir));
    let source = read_with(dir, Some(scratches)).unwrap();
    assert_eq!(fs::read_dir(scratches).unwrap().count(), 1);
    assert_eq!(read_all(&source, 0).unwrap().len(), frames);
    drop(source);
    assert_eq!(fs::read_dir(scratches).unwrap().count(), 0);
    assert!(tree(dir) == before);
    assert_eq!(times(dir), before_times);
}

#[test]
fn reading_leaves_no_trace() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let scratches = temp.path().join("scratches");
    fs::create_dir(&scratches).unwrap();
    // Flushed by a writer that has stopped; then one that is open, but idle, and has nothing to flush.
    let mut small = Options::default();
    small.memtable_bytes = 60_000;
    let mut store = create(&dir, &genesis(1), 1, &small).unwrap();
    let mut chain = Chain::new(&genesis(1), 0);
    for _ in 0..10 {
        store.commit(&chain.take(2)).unwrap();
    }
    drop(store);
    check_untouched(&dir, &scratches, 60);
    let idle = temp.path().join("idle");
    let mut store = create(&idle, &genesis(1), 1, &Options::default()).unwrap();
    store.commit(&Chain::new(&genesis(1), 0).take(2)).unwrap();
    check_untouched(&idle, &scratches, 6);
}

#[test]
fn the_two_halves_work_apart_and_only_a_copy_is_opened() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let mut store = create(&dir, &genesis(1), 1, &Options::default()).unwrap();
    store.commit(&Chain::new(&genesis(1), 0).take(3)).unwrap();
    assert!(matches!(open_source(&dir), Err(ReadError::NotFound(_))));
    let scratch = Scratch::of(&dir).unwrap();
    let path = scratch.path().to_owned();
    assert!(!path.starts_with(&dir));
    assert_eq!(read_all(&open_source(&path).unwrap(), 0).unwrap().len(), 9);
    let source = scratch.into_source().unwrap();
    assert_eq!(read_all(&source, 0).unwrap().len(), 9);
    drop(source);
    assert!(!path.exists());
}

#[test]
fn a_copy_whose_owner_was_killed_is_swept() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    let scratches = temp.path().join("scratches");
    fs::create_dir_all(scratches.join("actum-scratch-0123456789abcdef/store")).unwrap();
    fs::write(scratches.join("actum-scratch-0123456789abcdef/scratch"), "").unwrap();
    drop(create(&dir, &genesis(1), 1, &Options::default()).unwrap());
    let first = read_with(&dir, Some(&scratches)).unwrap();
    let second = read_with(&dir, Some(&scratches)).unwrap();
    assert_eq!(fs::read_dir(&scratches).unwrap().count(), 2, "those in use stay");
    drop((first, second));
    assert_eq!(fs::read_dir(&scratches).unwrap().count(), 0);
}
