//! Damage of every kind, one at a time: it is named, or changes no answer; and a refused log is left as it was.
//!
//! fjall aborts the process on some damaged files, so every damaged log is opened in a child process: this test binary
//! again, told by an environment variable to be `child`.

mod plausible;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use actum_fjall::{OpenError, Options, create, open, read};
use actum_log::{EventStore, FrameSource, ReadError};
use plausible::{Chain, copy_dir, genesis, read_all, tree};

const CHILD_DIR: &str = "ACTUM_FJALL_TEST_CHILD_DIR";
const BLOCKS_ROUNDS: usize = 12;

/// A log with flushed tables, blobs, and blocks that are in the journal only. Returns the chain for going on.
fn made(dir: &Path) -> Chain {
    let text = genesis(1);
    let mut options = Options::default();
    options.memtable_bytes = 60_000;
    let mut store = create(dir, &text, 1, &options).unwrap();
    let mut chain = Chain::new(&text, 0);
    for _ in 0..BLOCKS_ROUNDS {
        store.commit(&chain.take(2)).unwrap();
    }
    chain
}

fn digest(source: &dyn FrameSource) -> Result<String, ReadError> {
    let mut hasher = blake3::Hasher::new();
    for frame in read_all(source, 0)? {
        hasher.update(&frame.bytes);
    }
    Ok(format!("frames {}", hasher.finalize()))
}

fn class_of(error: &ReadError) -> &'static str {
    match error {
        ReadError::NotFound(_) => "NotFound",
        ReadError::Corrupt(_) => "Corrupt",
        ReadError::Tampered(_) => "Tampered",
        ReadError::Unavailable(_) => "Unavailable",
        _ => "Io",
    }
}

/// Not a test by itself: opens a log for reading, then for writing, and prints what came of it.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(CHILD_DIR).map(PathBuf::from) else { return };
    match read(&dir).and_then(|source| digest(&source)) {
        Ok(digest) => println!("\nread ok {digest}"),
        Err(error) => println!("\nread {} {error}", class_of(&error)),
    }
    match open(&dir, &Options::default()) {
        Ok(store) => match digest(store.source().as_ref()) {
            Ok(digest) => println!("\nopen ok {digest}"),
            Err(error) => println!("\nopen ok {} {error}", class_of(&error)),
        },
        Err(error) => {
            println!("\nopen error {error}");
            println!("\nopen class {}", class_of(&ReadError::from(error)));
        }
    }
}

/// What the child said: of reading, of opening; `abort` where it did not come to say it.
struct Verdict {
    read: String,
    open: String,
    class: String,
}

fn judge(dir: &Path) -> Verdict {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(CHILD_DIR, dir)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = |start: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(start));
        line.map_or_else(|| "abort".to_owned(), str::to_owned)
    };
    Verdict { read: line("read "), open: line("open "), class: line("open class ") }
}

/// Judges a damaged copy of `made`: never another answer than the intact log's, and untouched when refused.
fn check(made: &Path, name: &str, damage: impl FnOnce(&Path)) -> Verdict {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("log");
    copy_dir(made, &dir);
    let intact = format!("ok {}", digest(&read(&dir).unwrap()).unwrap());
    damage(&dir);
    let before = tree(&dir);
    let verdict = judge(&dir);
    let same_or_error = |said: &str| said == intact || !said.starts_with("ok frames");
    assert!(same_or_error(&verdict.read), "{name}: read {}\n  intact {intact}", verdict.read);
    assert!(same_or_error(&verdict.open), "{name}: open {}\n  intact {intact}", verdict.open);
    if !verdict.open.starts_with("ok") {
        let after = tree(&dir);
        let changed: Vec<_> =
            before.iter().filter(|(name, bytes)| after.get(*name) != Some(bytes)).map(|(n, _)| n).collect();
        assert!(changed.is_empty(), "{name}: {} changed {changed:?}", verdict.open);
    }
    verdict
}

fn expect(verdict: &Verdict, name: &str, classes: &[&str]) {
    assert!(classes.iter().any(|class| verdict.read.starts_with(class)), "{name}: read {}", verdict.read);
    assert!(classes.contains(&verdict.class.as_str()), "{name}: open {} {}", verdict.open, verdict.class);
}

#[test]
fn each_missing_file_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    made(&log);
    for name in tree(&log).keys() {
        let verdict = check(&log, name, |dir| fs::remove_file(dir.join(name)).unwrap());
        match name.as_str() {
            "store/lock" => assert!(verdict.open.starts_with("ok frames"), "{}", verdict.open),
            "genesis" | "head-0" | "store/version" => expect(&verdict, name, &["Corrupt"]),
            name if name.ends_with("current") => expect(&verdict, name, &["Corrupt"]),
            "store/0.jnl" => expect(&verdict, name, &["Corrupt", "Tampered"]),
            // The others may be left over from before a compaction: `check` compared the answers.
            _ => {}
        }
    }
    // Not that of blob files: it is empty.
    for folder in ["store", "store/keyspaces", "store/keyspaces/0", "store/keyspaces/1"] {
        let verdict = check(&log, folder, |dir| fs::remove_dir_all(dir.join(folder)).unwrap());
        expect(&verdict, folder, &["Corrupt", "Tampered"]);
    }
}

#[test]
fn each_shortened_file_is_named_or_harmless() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    made(&log);
    let mut aborted = 0;
    for (name, bytes) in &tree(&log) {
        for length in [0, bytes.len() / 2, bytes.len().saturating_sub(1)] {
            let verdict = check(&log, &format!("{name} cut to {length}"), |dir| {
                OpenOptions::new().write(true).open(dir.join(name)).unwrap().set_len(length as u64).unwrap();
            });
            aborted += usize::from(verdict.open == "abort");
            if name == "genesis" || name.starts_with("head") {
                expect(&verdict, name, &["Corrupt", "Tampered"]);
            }
        }
    }
    println!("{aborted} aborted");
}

#[test]
fn an_edited_genesis_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    made(&log);
    let edit = |dir: &Path| {
        let text = fs::read_to_string(dir.join("genesis")).unwrap();
        fs::write(dir.join("genesis"), text.replace("created 1", "created 2")).unwrap();
    };
    expect(&check(&log, "genesis", edit), "genesis", &["Tampered"]);
    let empty = temp.path().join("empty");
    drop(create(&empty, &genesis(1), 1, &Options::default()).unwrap());
    edit(&empty);
    assert!(matches!(open(&empty, &Options::default()), Err(OpenError::Tampered(_))));
}

#[test]
fn a_journal_cut_anywhere_is_behind_or_harmless() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    made(&log);
    let data = journal_data(&log);
    let mut behind = 0;
    for step in 0..12 {
        let at = data * step / 11;
        let verdict = check(&log, &format!("journal zeroed from {at}"), |dir| {
            let file = OpenOptions::new().write(true).open(dir.join("store/0.jnl")).unwrap();
            file.set_len(at).unwrap();
            file.set_len(data + 10_000).unwrap();
        });
        if verdict.open.starts_with("ok") {
            assert!(verdict.read.starts_with("ok frames"), "{}", verdict.read);
        } else {
            expect(&verdict, "journal", &["Tampered"]);
            behind += 1;
        }
    }
    assert!(behind > 0);
}

/// Bytes of the journal before its preallocated zeros.
fn journal_data(log: &Path) -> u64 {
    let journal = fs::read(log.join("store/0.jnl")).unwrap();
    journal.iter().rposition(|&byte| byte != 0).unwrap() as u64 + 1
}

#[test]
fn flipped_bytes_are_named_or_change_no_answer() {
    // A longer campaign: ACTUM_FJALL_TEST_FLIPS=1000.
    let flips_per_file = std::env::var("ACTUM_FJALL_TEST_FLIPS").ok().and_then(|n| n.parse().ok()).unwrap_or(8_u64);
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    made(&log);
    let data = journal_data(&log);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (name, bytes) in &tree(&log) {
        let length = if name.contains(".jnl") { data } else { bytes.len() as u64 };
        let blobs_or_tables = name.contains("/1/blobs/") || name.contains("/1/tables/");
        let flips = if blobs_or_tables { flips_per_file.div_ceil(3) } else { flips_per_file };
        for index in 0..flips.min(length) {
            // Spread over the file, and away from round offsets.
            let at = (length * index / flips + index * 37) % length;
            let byte = bytes[at as usize] ^ (1 << (index % 8));
            let verdict = check(&log, &format!("{name} byte {at}"), |dir| {
                let file = OpenOptions::new().write(true).open(dir.join(name)).unwrap();
                file.write_all_at(&[byte], at).unwrap();
            });
            let said = match verdict.open.as_str() {
                "abort" => format!("aborted ({name})"),
                said if said.starts_with("ok frames") => "unnoticed, same answers".to_owned(),
                said if said.starts_with("ok") => "noticed when read".to_owned(),
                _ => verdict.class,
            };
            *counts.entry(said).or_default() += 1;
        }
    }
    println!("{counts:?}");
}

#[test]
fn a_store_put_back_to_an_older_state_is_behind_its_head() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let mut chain = made(&log);
    let old = temp.path().join("old");
    copy_dir(&log.join("store"), &old);
    open(&log, &Options::default()).unwrap().commit(&chain.take(1)).unwrap();
    fs::remove_dir_all(log.join("store")).unwrap();
    copy_dir(&old, &log.join("store"));
    let before = tree(&log);
    let error = open(&log, &Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Behind { partition: 0, number: 24, size: 500, stored: 480 }), "{error:?}");
    assert!(matches!(read(&log), Err(ReadError::Tampered(_))));
    assert_eq!(tree(&log), before);
}

#[test]
fn a_store_with_other_blocks_than_the_head_says_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let (log, other) = (temp.path().join("log"), temp.path().join("other"));
    made(&log);
    let mut store = create(&other, &genesis(1), 1, &Options::default()).unwrap();
    let mut chain = Chain::new(&genesis(1), 0);
    for _ in 0..BLOCKS_ROUNDS * 2 {
        let mut block = chain.next();
        block.seal = b"another seal".to_vec();
        store.commit(&[block]).unwrap();
    }
    drop(store);
    fs::copy(other.join("head-0"), log.join("head-0")).unwrap();
    let error = open(&log, &Options::default()).unwrap_err();
    assert!(matches!(error, OpenError::Tampered(_)), "{error:?}");
}

#[test]
fn a_crash_before_the_head_leaves_the_store_ahead_and_it_goes_on() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let mut chain = made(&log);
    let head = fs::read(log.join("head-0")).unwrap();
    open(&log, &Options::default()).unwrap().commit(&chain.take(2)).unwrap();
    fs::write(log.join("head-0"), &head).unwrap();
    let mut store = open(&log, &Options::default()).unwrap();
    assert_eq!(store.head(0).unwrap().number, 23);
    assert_eq!(read_all(store.source().as_ref(), 0).unwrap().len(), 26 * 3);
    store.commit(&chain.take(1)).unwrap();
    assert_eq!(store.head(0).unwrap().number, 26);
    drop(store);
    assert_eq!(open(&log, &Options::default()).unwrap().head(0).unwrap().number, 26);
}

#[test]
fn a_torn_head_slot_falls_back_to_the_one_before() {
    let temp = tempfile::tempdir().unwrap();
    let log = temp.path().join("log");
    let chain = made(&log);
    // Generation 1 is the empty head, so commit n has generation n + 1: the last, 13, is in slot 1.
    for (slot, expected) in [(1, 21), (0, 23)] {
        let copy = temp.path().join(format!("slot-{slot}"));
        copy_dir(&log, &copy);
        let file = OpenOptions::new().write(true).open(copy.join("head-0")).unwrap();
        file.write_all_at(&[0xee; 2000], slot * 4096 + 100).unwrap();
        let mut store = open(&copy, &Options::default()).unwrap();
        assert_eq!(store.head(0).unwrap().number, expected);
        store.commit(&chain.fork().take(1)).unwrap();
        drop(store);
        assert_eq!(open(&copy, &Options::default()).unwrap().head(0).unwrap().number, 24);
    }
    let file = OpenOptions::new().write(true).open(log.join("head-0")).unwrap();
    file.write_all_at(&[9; 8], 40).unwrap();
    file.write_all_at(&[9; 8], 4096 + 40).unwrap();
    assert!(matches!(open(&log, &Options::default()), Err(OpenError::Corrupt(_))));
    assert!(matches!(read(&log), Err(ReadError::Corrupt(_))));
}
