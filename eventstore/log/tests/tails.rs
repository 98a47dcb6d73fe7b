//! Tails: what a log gained since a seal, as an archive of its own.

mod fixture;

use std::sync::Arc;

use actum_log::{
    ArchiveError, ArchiveReader, ArchiveSource, Author, Clocks, Compressor, EventStore, FileSigner, Frame, FrameKey,
    FrameSource, FrameType, MemoryStore, ProofError, ReadError, Resume, SealedBlock, Sealer, Stage, records,
    write_archive, write_tail,
};
use fixture::{Test, check, draft, key, open, rotating_genesis as genesis, small_log};

fn block(stage: &mut Stage, sealer: &mut Sealer, signer: &FileSigner) -> SealedBlock {
    for event in 0..60_u64 {
        stage.push(&draft(1 + event % 7, &[event as u8; 700])).expect("the event is valid");
    }
    sealer.seal(stage.close(Clocks::default()).expect("events were pushed"), signer).expect("the key is at hand")
}

/// A log whose key changed; sizes after each block of partition 0. Partition 1 has one block.
fn log() -> Result<(MemoryStore, Vec<u64>), Box<dyn std::error::Error>> {
    let mut store = MemoryStore::new(genesis().to_string());
    let (mut stage, mut sealer) = open(Resume::at_genesis(&genesis(), 0));
    let mut sizes = Vec::new();
    for number in 0..6 {
        if number == 2 {
            stage.rotate(Arc::new(key(1)), None, Author::default())?;
        }
        let signer = if number <= 2 { key(0) } else { key(1) };
        let block = block(&mut stage, &mut sealer, &signer);
        sizes.push(block.size);
        store.commit(&[block])?;
    }
    let (mut stage, mut sealer) = open(Resume::at_genesis(&genesis(), 1));
    store.commit(&[block(&mut stage, &mut sealer, &key(0))])?;
    Ok((store, sizes))
}

fn tail(store: &MemoryStore, sizes: &[u64]) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    write_tail(store, sizes, &mut bytes).map(|_| bytes)
}

fn frames(source: &dyn FrameSource, from: FrameKey) -> Result<Vec<Frame>, ReadError> {
    source.frames(from)?.collect()
}

#[test]
fn a_tail_reads_like_the_end_of_the_log() -> Test {
    let (store, sizes) = log()?;
    let head = EventStore::head(&store, 0).ok_or("no head")?;
    for (number, size) in (1..).zip(&sizes[..5]) {
        let bytes = tail(&store, &[*size, 0])?;
        let source = ArchiveSource::from_bytes(bytes.clone())?;
        let [of_tail, of_whole] = [0, 1].map(|partition| source.summary().partitions[partition]);
        assert_eq!((of_tail.blocks, of_tail.size, of_tail.first_seq), (6 - number, head.size, *size));
        assert_eq!((of_whole.blocks, of_whole.first_seq), (1, 0), "from its first block on");
        assert_eq!(source.genesis()?, store.genesis()?);
        let from = FrameKey { partition: 0, seq: *size, kind: FrameType::Genesis };
        assert_eq!(frames(&source, FrameKey::first(0))?, frames(&store, from)?);
        assert_eq!(frames(&source, FrameKey::first(1))?, frames(&store, FrameKey::first(1))?);
        let read = records(&source, 0, *size)?.collect::<Result<Vec<_>, _>>()?;
        assert_eq!(read, records(&store, 0, *size)?.collect::<Result<Vec<_>, _>>()?);
        assert_eq!(records(&source, 0, sizes[5] - 3)?.count(), 3);

        assert!(source.is_tail());
        let proof = source.tail_proof(0)?.ok_or("a tail has a proof")?;
        assert_eq!(source.tail_proof(1)?, None);
        let options = actum_log::ProofOptions { size: Some(*size), ..Default::default() };
        assert_eq!(proof, actum_log::prove_consistency(&store, *size, &options)?);
        assert!(proof.contains(&format!("\n{size}\n")));
        let summary = ArchiveReader::new(&bytes[..])?;
        let items = summary.collect::<Result<Vec<_>, _>>()?;
        assert_eq!(items[0].frame.key, FrameKey { partition: 0, seq: 0, kind: FrameType::Proof });
        assert!(check(&source, 0).is_err(), "a tail has no begin to fold from");
        check(&source, 1)?;
        assert!(matches!(write_archive(&source, Vec::new()), Err(ArchiveError::Contradiction { .. })));
    }
    assert!(!ArchiveSource::from_bytes(tail(&store, &[0, 0])?)?.is_tail());
    let (mut whole, everything) = (Vec::new(), tail(&store, &[0, 0])?);
    write_archive(&store, &mut whole)?;
    assert_eq!(everything, whole, "a tail from the start is the archive");
    Ok(())
}

#[test]
fn a_partition_that_gained_nothing_is_left_out() -> Test {
    let (store, sizes) = log()?;
    let size_1 = EventStore::head(&store, 1).ok_or("no head")?.size;
    let source = ArchiveSource::from_bytes(tail(&store, &[sizes[3], size_1])?)?;
    let summary = source.summary().partitions[1];
    assert_eq!((summary.blocks, summary.size, summary.first_seq), (0, 0, 0));
    assert_eq!(source.tail_proof(1)?, None);
    assert_eq!(frames(&source, FrameKey::first(1))?, []);
    Ok(())
}

#[test]
fn a_tail_begins_at_a_seal() -> Test {
    let (store, sizes) = log()?;
    let refused = |sizes: &[u64]| tail(&store, sizes).expect_err("must be refused");
    assert!(matches!(refused(&[sizes[2] - 1, 0]), ArchiveError::Proof(ProofError::NoSeal(_))));
    assert!(matches!(refused(&[sizes[5] + 1, 0]), ArchiveError::Proof(ProofError::NoSeal(_))));
    assert!(matches!(refused(&[sizes[2]]), ArchiveError::Contradiction { .. }));
    assert!(matches!(refused(&[sizes[2], 0, 0]), ArchiveError::Contradiction { .. }));
    Ok(())
}

/// The frames of an archive with the end frame's counts made to fit.
fn put_together(genesis: &[u8], frames: &[Frame], counts: [(u64, u64); 2]) -> Vec<u8> {
    let mut compressor = Compressor::default();
    let key = |kind| FrameKey { partition: 0, seq: 0, kind };
    let mut bytes = b"ACTUM ARCHIVE 1\n".to_vec();
    bytes.extend(Frame::encode(key(FrameType::Genesis), 0, genesis, &mut compressor).bytes);
    frames.iter().for_each(|frame| bytes.extend(&frame.bytes));
    let mut body = Vec::new();
    for (partition, (blocks, size)) in (0_u64..).zip(counts) {
        body.extend([partition, blocks, size].map(u64::to_le_bytes).as_flattened());
    }
    body.extend((frames.len() as u64 + 1).to_le_bytes());
    bytes.extend(Frame::encode(key(FrameType::End), 0, &body, &mut compressor).bytes);
    bytes
}

/// What is wrong, the frames, and blocks and size of each partition.
type Wrong = (&'static str, Vec<Frame>, [(u64, u64); 2]);

#[test]
fn proofs_lie_where_the_format_wants_them() -> Test {
    let (store, sizes) = log()?;
    let bytes = tail(&store, &[sizes[4], 0])?;
    let all: Vec<Frame> =
        ArchiveReader::new(&bytes[..])?.map(|item| item.map(|item| item.frame)).collect::<Result<_, _>>()?;
    let size_1 = all.last().ok_or("empty")?.key.seq + 1;
    let counts = [(1, sizes[5]), (1, size_1)];
    let genesis = store.genesis()?;
    let read = |frames: &[Frame], counts| ArchiveSource::from_bytes(put_together(&genesis, frames, counts)).map(|_| ());
    read(&all, counts)?;
    let proof = |partition| {
        let key = FrameKey { partition, seq: 0, kind: FrameType::Proof };
        Frame::encode(key, 0, b"proof", &mut Compressor::default())
    };
    let blocks = &all[1..];
    let wrong: [Wrong; 7] = [
        ("no proof", blocks.to_vec(), counts),
        ("two proofs of one partition", [&[proof(0)], &all[..]].concat(), counts),
        ("a proof of a partition that begins with its first block", [&all[..1], &[proof(1)], blocks].concat(), counts),
        ("out of order", [&[proof(1), proof(0)], blocks].concat(), counts),
        ("after a block", [blocks, &all[..1]].concat(), counts),
        ("a proof of no partition of this log", [&all[..1], &[proof(2)], blocks].concat(), counts),
        ("a proof without blocks", vec![proof(0)], [(0, 0), (0, 0)]),
    ];
    for (what, frames, counts) in wrong {
        assert!(matches!(read(&frames, counts), Err(ReadError::Tampered(_))), "{what}");
    }
    Ok(())
}

#[test]
fn every_changed_byte_of_a_tail_is_found() -> Test {
    let (store, sizes) = log()?;
    let bytes = tail(&store, &[sizes[4], EventStore::head(&store, 1).ok_or("no head")?.size])?;
    for at in (0..bytes.len()).step_by(bytes.len() / 700) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        assert!(ArchiveSource::from_bytes(changed).is_err(), "byte {at}");
        assert!(ArchiveSource::from_bytes(bytes[..at].to_vec()).is_err(), "cut at {at}");
    }
    Ok(())
}

#[test]
fn a_log_that_never_changed_its_key_has_tails_too() -> Test {
    let store = small_log();
    let first = frames(&store, FrameKey::first(0))?.into_iter().find(|frame| frame.key.kind == FrameType::Block);
    let size = first.ok_or("no block")?.key.seq + 1;
    let source = ArchiveSource::from_bytes(tail(&store, &[size, 0])?)?;
    assert_eq!(source.summary().partitions[0].blocks, 3);
    Ok(())
}
