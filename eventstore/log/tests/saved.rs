//! Saved state: what is written is read again, what is damaged is never believed, and a log goes on from it as from a fold.

mod fixture;

use std::io::Cursor;
use std::ops::ControlFlow;

use actum_log::{
    FoldOptions, Genesis, MemoryStore, Resume, SavedError, SavedFile, SavedWriter, SealCheck, fold_from,
    read_log_state, stream_table, write_log_state,
};
use fixture::{Test, changing_log, rotating_genesis as genesis};
use proptest::prelude::*;

const GENESIS_HASH: [u8; 32] = [7; 32];

fn open(bytes: &[u8]) -> Result<SavedFile, SavedError> {
    SavedFile::open(Cursor::new(bytes.to_vec()))
}

/// A plain section of two pages, a table of three, an empty one of each.
fn sample() -> Vec<u8> {
    let mut writer = SavedWriter::new(Vec::new(), GENESIS_HASH, 0, 9).unwrap();
    writer.plain("a", 1, &vec![5; 70_000]).unwrap();
    writer.plain("b", 2, &[]).unwrap();
    writer.table("c", 3).unwrap();
    for id in 0..150_u64 {
        writer.entry(id * 2 + 1, &vec![id as u8; 1_000]).unwrap();
    }
    writer.table("d", 1).unwrap();
    writer.finish().unwrap().2
}

fn all(file: &SavedFile, name: &str, version: u32) -> Result<Vec<(u64, Vec<u8>)>, SavedError> {
    let mut entries = file.entries(name, version)?;
    let mut all = Vec::new();
    while let Some((id, entry)) = entries.next_entry()? {
        all.push((id, entry.to_vec()));
    }
    Ok(all)
}

#[test]
fn what_is_written_is_read_again() -> Test {
    let file = open(&sample())?;
    let contents = file.contents();
    assert_eq!((contents.genesis_hash, contents.partition, contents.size), (GENESIS_HASH, 0, 9));
    assert_eq!(file.plain("a", 1)?, vec![5; 70_000]);
    assert!(file.plain("b", 2)?.is_empty() && all(&file, "d", 1)?.is_empty());
    let table = all(&file, "c", 3)?;
    assert_eq!(table.len(), 150);
    for (id, bytes) in table {
        assert_eq!(file.entry("c", 3, id)?, Some(bytes));
        assert_eq!(file.entry("c", 3, id + 1)?, None);
    }
    assert_eq!((file.entry("c", 3, 0)?, file.entry("d", 1, 4)?), (None, None));
    file.check()?;
    assert!(matches!(file.plain("e", 1), Err(SavedError::NoSection(_))));
    assert!(matches!(file.plain("a", 2), Err(SavedError::Version { found: 1, expected: 2, .. })));
    assert!(matches!(file.plain("c", 3), Err(SavedError::Malformed(_))));
    Ok(())
}

#[test]
fn its_bytes_are_as_the_format_says() -> Test {
    let mut writer = SavedWriter::new(Vec::new(), GENESIS_HASH, 0, 9)?;
    writer.plain("a", 1, b"hi")?;
    writer.table("t", 2)?;
    writer.entry(3, b"x")?;
    let (hash, bytes, file) = writer.finish()?;
    let page = |of: &str, bytes: &[u8]| {
        let key = blake3::derive_key(&format!("actum 2026 log format 1 {of}"), b"");
        *blake3::keyed_hash(&key, bytes).as_bytes()
    };
    let entry = [&3_u64.to_le_bytes()[..], &1_u32.to_le_bytes(), b"x"].concat();
    let contents = [
        &GENESIS_HASH[..],
        &[0; 8],
        &9_u64.to_le_bytes(),
        &2_u32.to_le_bytes(),
        &[1, b'a', 0],
        &1_u32.to_le_bytes(),
        &2_u64.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &0_u64.to_le_bytes(),
        &2_u32.to_le_bytes(),
        &page("saved page", b"hi"),
        &[1, b't', 1],
        &2_u32.to_le_bytes(),
        &1_u64.to_le_bytes(),
        &1_u32.to_le_bytes(),
        &3_u64.to_le_bytes(),
        &13_u32.to_le_bytes(),
        &page("saved page", &entry),
    ]
    .concat();
    let length = contents.len() as u64;
    let whole =
        [b"ACTUM SAVED   1\nhi", &entry[..], &contents, &length.to_le_bytes(), &page("saved", &contents)].concat();
    assert_eq!((hash, bytes), (page("saved", &contents), whole.len() as u64));
    assert_eq!(file, whole);
    Ok(())
}

#[test]
fn nothing_damaged_is_believed() -> Test {
    let good = sample();
    let hash = open(&good)?.hash();
    for at in (0..good.len()).step_by(97).chain(0..16).chain(good.len() - 600..good.len()) {
        for bit in [1, 128] {
            let mut bad = good.clone();
            bad[at] ^= bit;
            // Of another hash is as good as refused: the log names it by its hash.
            let refused =
                open(&bad).and_then(|file| if file.hash() == hash { file.check() } else { Err(SavedError::Contents) });
            assert!(refused.is_err(), "a flip at {at} went unnoticed");
        }
    }
    for length in (0..good.len()).step_by(1_013).chain(good.len() - 600..good.len()) {
        assert!(open(&good[..length]).is_err(), "{length} bytes are believed");
    }
    Ok(())
}

#[test]
fn what_cannot_be_read_again_is_not_written() -> Test {
    let writer = || SavedWriter::new(Vec::new(), GENESIS_HASH, 0, 9);
    let mut one = writer()?;
    assert!(one.entry(1, b"").is_err());
    one.plain("b", 1, b"x")?;
    assert!(one.entry(1, b"").is_err() && one.plain("b", 1, b"").is_err() && one.plain("a", 1, b"").is_err());
    assert!(one.plain("", 1, b"").is_err() && one.plain("c d", 1, b"").is_err());
    one.table("t", 1)?;
    one.entry(4, b"")?;
    assert!(one.entry(4, b"").is_err() && one.entry(3, b"").is_err());
    Ok(())
}

/// A fold from `from` to `until`, with all that saved state needs.
fn fold(store: &MemoryStore, from: Resume, until: Option<u64>) -> Result<Resume, Box<dyn std::error::Error>> {
    let options = FoldOptions { seals: SealCheck::Every, stream_roots: true, stream_table: true };
    let folded = fold_from(store, from, options, until, |_| ControlFlow::Continue(()))?;
    folded.resume.ok_or_else(|| "the fold ended early".into())
}

fn save(log: &Resume, older: Option<&SavedFile>) -> Result<(SavedFile, u64, [u8; 32]), SavedError> {
    let mut writer = SavedWriter::new(Vec::new(), genesis().hash(), 0, log.next_seq)?;
    let (streams, root) = write_log_state(&mut writer, log, older)?;
    Ok((open(&writer.finish()?.2)?, streams, root))
}

#[track_caller]
fn same(mut one: Resume, mut other: Resume) {
    for resume in [&mut one, &mut other] {
        resume.streams.sort_unstable_by_key(|tip| tip.stream);
        resume.ended_leaves = None;
    }
    assert_eq!((one.next_seq, one.last_time, one.block_number), (other.next_seq, other.last_time, other.block_number));
    assert_eq!((one.previous_block_hash, &one.frontier), (other.previous_block_hash, &other.frontier));
    assert_eq!((one.last_epoch, one.last_boot_id, &one.keys), (other.last_epoch, other.last_boot_id, &other.keys));
    assert_eq!((&one.streams, &one.stream_trees), (&other.streams, &other.stream_trees));
    assert!(one.ended.iter().eq(other.ended.iter()));
}

#[test]
fn a_log_goes_on_from_any_block_as_from_a_fold() -> Test {
    let log = changing_log();
    let whole = fold(&log.store, Resume::at_genesis(&genesis(), 0), None)?;
    let mut older: Option<(SavedFile, Resume)> = None;
    for (size, _) in &log.blocks {
        let at = fold(&log.store, Resume::at_genesis(&genesis(), 0), Some(*size))?;
        let (file, streams, root) = save(&at, None)?;
        // As it is said to be, and as the table of all streams is.
        let table = stream_table(&log.store, 0, *size)?;
        assert_eq!((streams, root), (table.leaves().len() as u64, table.root()));
        same(read_log_state(&file, &genesis())?, at.clone());
        same(fold(&log.store, read_log_state(&file, &genesis())?, None)?, whole.clone());
        // From file to file it is the same file.
        if let Some((older, before)) = older {
            let grown = fold(&log.store, before, Some(*size))?;
            let (next, ..) = save(&grown, Some(&older))?;
            assert_eq!(next.hash(), file.hash(), "at {size}");
        }
        let before = read_log_state(&file, &genesis())?;
        older = Some((file, before));
    }
    Ok(())
}

#[test]
fn a_tail_that_does_not_continue_it_is_found() -> Test {
    let log = changing_log();
    let (size, _) = log.blocks[5];
    let at = fold(&log.store, Resume::at_genesis(&genesis(), 0), Some(size))?;
    let changed = |change: &dyn Fn(&mut Resume)| {
        let mut forged = at.clone();
        change(&mut forged);
        fold(&log.store, forged, None).is_err()
    };
    assert!(!changed(&|_| {}));
    assert!(changed(&|log| log.previous_block_hash[3] ^= 1));
    assert!(changed(&|log| log.frontier[0][0] ^= 1));
    assert!(changed(&|log| log.streams[0].chain[9] ^= 1));
    assert!(changed(&|log| log.streams[0].version += 1));
    assert!(changed(&|log| log.last_epoch += 1));
    assert!(changed(&|log| log.block_number += 1));
    assert!(changed(&|log| log.keys = Resume::at_genesis(&genesis(), 0).keys));
    Ok(())
}

#[test]
fn where_no_block_ends_nothing_is_saved() -> Test {
    let log = changing_log();
    assert!(fold(&log.store, Resume::at_genesis(&genesis(), 0), Some(log.blocks[2].0 + 1)).is_err());
    let other = Genesis::parse(&genesis().to_string().replace("created 1", "created 2").into_bytes())?;
    let (file, ..) = save(&fold(&log.store, Resume::at_genesis(&genesis(), 0), Some(log.blocks[2].0))?, None)?;
    assert!(read_log_state(&file, &other).is_err());
    Ok(())
}

proptest! {
    /// Whatever is in a file whose hashes fit, reading it gives a state or an error.
    #[test]
    fn no_section_does_harm(
        plain in prop::collection::vec(any::<u8>(), 0..400),
        entries in prop::collection::btree_map(any::<u64>(), prop::collection::vec(any::<u8>(), 0..90), 0..6),
        size in any::<u64>(),
    ) {
        let mut writer = SavedWriter::new(Vec::new(), genesis().hash(), 0, size).unwrap();
        writer.plain("log", 1, &plain).unwrap();
        writer.table("log.ended", 1).unwrap();
        writer.table("log.open", 1).unwrap();
        for (id, entry) in &entries {
            writer.entry(*id, entry).unwrap();
        }
        let file = open(&writer.finish().unwrap().2).unwrap();
        if let Ok(log) = read_log_state(&file, &genesis()) {
            prop_assert_eq!(log.next_seq, size);
        }
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let bytes = [&b"ACTUM SAVED   1\n"[..], &bytes].concat();
        prop_assert!(open(&bytes).is_err());
    }
}
