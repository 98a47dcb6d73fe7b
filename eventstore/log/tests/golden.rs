//! The golden log of format 1: written byte for byte as ever, and read as ever.

mod fixture;

use std::path::PathBuf;

use actum_log::{ArchiveSource, FrameSource, records, write_archive};
use fixture::{Test, check, small_log};

fn golden_file() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "golden", "format-1.actum"].iter().collect()
}

/// `ACTUM_WRITE_GOLDEN=1 cargo test -p actum-log --test golden reproduced` writes the file anew: right only while the format is not frozen.
#[test]
fn is_reproduced_byte_for_byte() -> Test {
    let mut written = Vec::new();
    write_archive(&small_log(), &mut written)?;
    if std::env::var("ACTUM_WRITE_GOLDEN").is_ok_and(|value| value == "1") {
        std::fs::write(golden_file(), &written)?;
    }
    let golden = std::fs::read(golden_file())?;
    let differs = golden.iter().zip(&written).position(|(a, b)| a != b);
    assert_eq!((differs, golden.len()), (None, written.len()), "first byte that differs, and the length");
    Ok(())
}

#[test]
fn reads_back() -> Test {
    let source = ArchiveSource::open(&golden_file())?;
    let partitions = &source.summary().partitions;
    assert_eq!(partitions.iter().map(|partition| partition.blocks).collect::<Vec<_>>(), [4, 1]);
    for partition in 0..2 {
        let folded = check(&source, partition)?;
        assert_eq!(folded.events, partitions[usize::from(partition)].size);
        assert_eq!(folded.unacknowledged_blocks(), None, "an archive keeps no head");
        let read = records(&source, partition, 0)?.collect::<Result<Vec<_>, _>>()?;
        assert_eq!(read.len() as u64, folded.events);
    }
    assert!(source.head(0)?.is_none());
    Ok(())
}

#[test]
fn its_seals_are_signed_notes() -> Test {
    use signed_note::{Note, StandardVerifier, VerifierList};

    let source = ArchiveSource::open(&golden_file())?;
    for partition in 0..2 {
        let seal = check(&source, partition)?.last_seal.ok_or("no seal")?;
        let key = fixture::genesis().verifier_key(partition).to_string();
        let verifier = StandardVerifier::new(&key).map_err(|error| format!("{error:?}"))?;
        let note = Note::from_bytes(&seal)?;
        let (good, unknown) = note.verify(&VerifierList::new(vec![Box::new(verifier)]))?;
        assert_eq!((good.len(), unknown.len()), (1, 0));
        assert_eq!(note.to_bytes(), seal);
    }
    Ok(())
}
