//! The golden logs of format 1: written byte for byte as ever, and read as ever.

mod fixture;

use std::ops::ControlFlow;
use std::path::PathBuf;

use actum_log::{
    ArchiveSource, CheckpointTable, FoldOptions, FrameSource, ProofOptions, fold, prove_completeness, records,
    write_archive, write_tail,
};
use fixture::{ChangingLog, Test, changing_log, check, small_log};

fn golden_file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "golden", name].iter().collect()
}

/// `ACTUM_WRITE_GOLDEN=1 cargo test -p actum-log --test golden reproduced` writes the files anew: right only while the format is not frozen.
fn reproduces(name: &str, written: &[u8]) -> Test {
    if std::env::var("ACTUM_WRITE_GOLDEN").is_ok_and(|value| value == "1") {
        std::fs::write(golden_file(name), written)?;
    }
    let golden = std::fs::read(golden_file(name))?;
    let differs = golden.iter().zip(written).position(|(a, b)| a != b);
    assert_eq!((differs, golden.len()), (None, written.len()), "{name}: first byte that differs, and the length");
    Ok(())
}

#[test]
fn is_reproduced_byte_for_byte() -> Test {
    let mut written = Vec::new();
    write_archive(&small_log(), &mut written)?;
    reproduces("format-1.actum", &written)
}

#[test]
fn changes_of_keys_checkpoints_tails_and_proofs_are_reproduced_byte_for_byte() -> Test {
    let ChangingLog { store, blocks, checkpoints } = changing_log();
    let (mut whole, mut tail) = (Vec::new(), Vec::new());
    write_archive(&store, &mut whole)?;
    reproduces("format-1-keys.actum", &whole)?;
    write_tail(&store, &[blocks[7].0, 0], &mut tail)?;
    reproduces("format-1-keys-tail.actum", &tail)?;
    let checkpoint = CheckpointTable::read(&store, 0, checkpoints[1])?;
    for (stream, name) in [(10, "there"), (11, "not-there")] {
        let proof = prove_completeness(&store, stream, &checkpoint, &ProofOptions::default())?;
        reproduces(&format!("format-1-{name}.proof"), proof.as_bytes())?;
    }
    let source = ArchiveSource::open(&golden_file("format-1-keys.actum"))?;
    let options = FoldOptions { stream_table: true, stream_roots: true, ..FoldOptions::default() };
    let folded = fold(&source, 0, options, |_| ControlFlow::Continue(()))?;
    let keys = folded.resume.ok_or("incomplete")?.keys;
    assert_eq!((folded.blocks, keys.rotations(), keys.revoked().len()), (16, 3, 2));
    Ok(())
}

#[test]
fn reads_back() -> Test {
    let source = ArchiveSource::open(&golden_file("format-1.actum"))?;
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

    let source = ArchiveSource::open(&golden_file("format-1.actum"))?;
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
