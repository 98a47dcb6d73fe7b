//! Checkpoints: what they say of the streams, live, resumed and folded; what is refused; and the table itself.

mod fixture;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use actum_log::{
    Author, CHECKPOINT_STREAM, Checkpoint, CheckpointError, Clocks, DecodeError, Draft, EventStore, FoldError,
    FoldOptions, Folded, KEY_STREAM, MemoryStore, Mismatch, Pipeline, PushError, ReadError, Resume, StreamLeaf,
    StreamTable, fold, leaf_hash, records, root_of, stream_table,
};
use fixture::forge::{Forge, Forged};
use fixture::{Test, check, draft, key, open, root_by_path, rotating_genesis as genesis};

fn folded(store: &MemoryStore) -> Result<Folded, FoldError> {
    let options = FoldOptions { stream_table: true, ..FoldOptions::default() };
    fold(store, 0, options, |_| ControlFlow::Continue(()))
}

/// A log with a checkpoint in every third block, which is opened again after the sixth; and the size of each checkpoint.
fn log_with_checkpoints() -> Result<(MemoryStore, Vec<u64>), Box<dyn std::error::Error>> {
    let mut store = MemoryStore::new(genesis().to_string());
    let (mut stage, mut sealer) = open(Resume::at_genesis(&genesis(), 0).with_stream_table());
    let mut checkpoints = Vec::new();
    for block in 0..12_u64 {
        if block == 7 {
            (stage, sealer) = open(folded(&store)?.resume.ok_or("incomplete")?);
        }
        let first_seq = stage.next_seq();
        for event in 0..40 {
            let stream = 1 + (event * 7 + block * 13) % 53;
            if event == block + 5 && block % 3 == 0 {
                let application = vec![block as u8; block as usize * 100];
                stage.checkpoint(&application, Author { actor: 3, time: 0 })?;
                checkpoints.push(first_seq);
            }
            if !stage.has_ended(stream) {
                stage.push(&Draft { terminal: event % 11 == 3, ..draft(stream, &[event as u8; 30]) })?;
            }
        }
        if block == 4 {
            stage.rotate(Arc::new(key(1)), None, Author::default())?;
        }
        let signer = if block <= 4 { key(0) } else { key(1) };
        store.commit(&[sealer.seal(stage.close(Clocks::default()).ok_or("empty")?, &signer)?])?;
    }
    Ok((store, checkpoints))
}

/// The table by its definition: from the records and their chain values alone.
fn table_by_definition(store: &MemoryStore, size: u64) -> Result<Vec<StreamLeaf>, Box<dyn std::error::Error>> {
    let mut leaves = BTreeMap::<u64, StreamLeaf>::new();
    for record in records(store, 0, 0)? {
        let header = *record?.header();
        if header.seq < size && header.stream != 1 << 63 {
            let leaf = leaves.entry(header.stream).or_insert(StreamLeaf {
                stream: header.stream,
                version: 0,
                chain: [0; 32],
                ended: false,
            });
            (leaf.version, leaf.ended) = (header.version, header.terminal);
        }
    }
    Ok(leaves.into_values().collect())
}

#[test]
fn a_checkpoint_says_where_every_stream_stood_before_its_block() -> Test {
    let (store, sizes) = log_with_checkpoints()?;
    assert_eq!(sizes.len(), 4);
    let found = records(&store, 0, 0)?.collect::<Result<Vec<_>, _>>()?;
    let found: Vec<_> = found.iter().filter(|record| record.header().kind == 4).collect();
    assert_eq!(found.len(), 4);
    for (record, size) in found.iter().zip(&sizes) {
        assert_eq!((record.header().stream, record.header().actor), (CHECKPOINT_STREAM, 3));
        let checkpoint = Checkpoint::from_record(&record.view())?;
        let table = stream_table(&store, 0, *size)?;
        assert_eq!(checkpoint, Checkpoint::of(&table, checkpoint.application));
        assert_eq!((checkpoint.size, table.size()), (*size, *size));
        let without_chains = |leaves: &[StreamLeaf]| -> Vec<StreamLeaf> {
            leaves.iter().map(|leaf| StreamLeaf { chain: [0; 32], ..*leaf }).collect()
        };
        assert_eq!(without_chains(table.leaves()), without_chains(&table_by_definition(&store, *size)?));
        let leaves: Vec<_> = table.leaves().iter().map(StreamLeaf::encode).collect();
        assert_eq!(checkpoint.root, root_of(&leaves));
    }
    let last = stream_table(&store, 0, sizes[3])?;
    assert!(last.leaves().iter().any(|leaf| leaf.ended) && last.leaves().iter().any(|leaf| !leaf.ended));
    for system in [CHECKPOINT_STREAM, KEY_STREAM] {
        assert!(last.find(system).is_ok(), "system streams are in it");
    }
    assert!(last.find(1 << 63).is_err(), "but the blocks'");
    Ok(())
}

#[test]
fn the_table_of_a_fold_is_that_of_its_end() -> Test {
    let (store, _) = log_with_checkpoints()?;
    let folded = folded(&store)?;
    let resume = folded.resume.ok_or("incomplete")?;
    let table = resume.stream_table().ok_or("was asked for")?;
    assert_eq!(table, stream_table(&store, 0, folded.events)?);
    for tip in &resume.streams {
        let Ok(index) = table.find(tip.stream) else { continue };
        assert_eq!(table.leaves()[index].chain, tip.chain);
    }
    assert_eq!(check(&store, 0)?.resume.ok_or("incomplete")?.stream_table(), None, "not asked for");
    let between = stream_table(&store, 0, folded.events - 1);
    assert!(matches!(between, Err(FoldError::Read(ReadError::NotFound(_)))), "no block ends there");
    assert!(matches!(stream_table(&store, 0, folded.events + 1), Err(FoldError::Read(ReadError::NotFound(_)))));
    assert_eq!(stream_table(&store, 0, 0)?.leaves(), []);
    Ok(())
}

#[test]
fn a_running_pipeline_makes_checkpoints() -> Test {
    let store = MemoryStore::new(genesis().to_string());
    let (mut stage, sealer) = open(Resume::at_genesis(&genesis(), 0).with_stream_table());
    let pipeline = Pipeline::spawn(sealer, Arc::new(key(0)), Box::new(store.clone()), |_| {})?;
    stage.checkpoint(b"of nothing yet", Author::default())?;
    for block in 0..30_u64 {
        for event in 0..20 {
            stage.push(&Draft { terminal: event == 3, ..draft(1 + block * 20 + event, b"x") })?;
        }
        if block % 10 == 5 {
            stage.checkpoint(b"", Author::default())?;
        }
        pipeline.submit(stage.close(Clocks::default()).ok_or("empty")?)?;
    }
    assert!(pipeline.finish().error.is_none());
    folded(&store)?;
    let first = records(&store, 0, 1)?.next().ok_or("missing")??;
    let checkpoint = Checkpoint::from_record(&first.view())?;
    assert_eq!((checkpoint.size, checkpoint.streams, checkpoint.application), (0, 0, &b"of nothing yet"[..]));
    assert_eq!(checkpoint.root, root_of::<[u8; 0]>(&[]));
    Ok(())
}

#[test]
fn checkpoints_that_cannot_be_made_are_refused() -> Test {
    let (mut stage, _) = open(Resume::at_genesis(&genesis(), 0));
    assert_eq!(stage.checkpoint(b"", Author::default()), Err(PushError::NoStreamTable));
    let (mut stage, _) = open(Resume::at_genesis(&genesis(), 0).with_stream_table());
    assert_eq!(stage.checkpoint(&[0; 4_097], Author::default()), Err(PushError::PayloadTooLong(4_097)));
    assert_eq!(stage.open_events(), 0);
    stage.checkpoint(&[0; 4_096], Author::default())?;
    assert_eq!(stage.checkpoint(b"", Author::default()), Err(PushError::SecondCheckpoint));
    stage.close(Clocks::default());
    stage.checkpoint(b"", Author::default())?;
    Ok(())
}

fn forged(payload: Vec<u8>) -> Forged {
    Forged { stream: CHECKPOINT_STREAM, kind: 4, schema: 1, terminal: false, payload }
}

fn judge(records: &[Forged], with_table: bool) -> Result<Folded, FoldError> {
    let mut forge = Forge::new();
    let case = |stream| Forged { stream, kind: 256, schema: 1, terminal: stream == 2, payload: vec![1] };
    forge.block(&[case(1), case(2), case(3)], &key(0), &[&key(0)]);
    // What comes before the checkpoint in its block does not count.
    let records: Vec<_> = [&[case(1), case(9), Forged { terminal: true, ..case(3) }], records].concat();
    forge.block(&records, &key(0), &[&key(0)]);
    let options = FoldOptions { stream_table: with_table, ..FoldOptions::default() };
    fold(&forge.store, 0, options, |_| ControlFlow::Continue(()))
}

#[test]
fn checkpoints_that_say_something_else_are_found() -> Test {
    let mut store = Forge::new();
    let case = |stream| Forged { stream, kind: 256, schema: 1, terminal: stream == 2, payload: vec![1] };
    store.block(&[case(1), case(2), case(3)], &key(0), &[&key(0)]);
    let table = stream_table(&store.store, 0, 4)?;
    let right = Checkpoint::of(&table, b"application");
    let payload = |checkpoint: Checkpoint<'_>| [&checkpoint.encode_fixed()[..], checkpoint.application].concat();
    judge(&[forged(payload(right))], true)?;
    judge(&[forged(payload(right))], false)?;

    let wrong = |checkpoint, with_table| {
        let judged = judge(&[forged(payload(checkpoint))], with_table);
        matches!(judged, Err(FoldError::Tampered { block: 1, source: Mismatch::Checkpoint, .. }))
    };
    assert!(wrong(Checkpoint { size: 5, ..right }, true) && wrong(Checkpoint { size: 3, ..right }, false));
    assert!(wrong(Checkpoint { streams: 2, ..right }, true));
    assert!(wrong(Checkpoint { root: [1; 32], ..right }, true));
    let leaf = |index: usize| table.leaves()[index];
    for leaves in [
        vec![leaf(0), leaf(1)],
        vec![leaf(0), leaf(1), StreamLeaf { ended: true, ..leaf(2) }],
        vec![leaf(0), StreamLeaf { ended: false, ..leaf(1) }, leaf(2)],
        vec![StreamLeaf { version: 2, ..leaf(0) }, leaf(1), leaf(2)],
        vec![StreamLeaf { chain: [7; 32], ..leaf(0) }, leaf(1), leaf(2)],
    ] {
        assert!(wrong(Checkpoint::of(&StreamTable::new(4, leaves), b""), true));
    }

    let corrupt = |records: &[Forged], expected| {
        let judged = judge(records, false);
        let fits = matches!(judged, Err(FoldError::Corrupt { source: DecodeError::Checkpoint(error), .. }) if error == expected);
        assert!(fits, "{judged:?}");
    };
    let fine = forged(payload(right));
    corrupt(&[fine.clone(), fine.clone()], CheckpointError::Second);
    corrupt(&[Forged { stream: 5, ..fine.clone() }], CheckpointError::Shape);
    corrupt(&[Forged { schema: 2, ..fine.clone() }], CheckpointError::Shape);
    corrupt(&[Forged { terminal: true, ..fine.clone() }], CheckpointError::Shape);
    corrupt(&[forged(fine.payload[..47].to_vec())], CheckpointError::Shape);
    corrupt(&[forged(payload(Checkpoint { application: &[0; 4_097], ..right }))], CheckpointError::Shape);
    judge(&[forged(payload(Checkpoint { application: &[0; 4_096], ..right }))], true)?;
    Ok(())
}

#[test]
fn a_table_gives_root_and_paths() {
    for count in [0_u64, 1, 2, 3, 7, 8, 100] {
        let leaf =
            |stream| StreamLeaf { stream, version: stream * 3, chain: [stream as u8; 32], ended: stream % 2 == 1 };
        // In any order.
        let table = StreamTable::new(900, (0..count).map(|index| leaf(1 + index * 37 % 101)).collect());
        let bytes: Vec<_> = table.leaves().iter().map(StreamLeaf::encode).collect();
        assert_eq!((table.leaves().len() as u64, table.root()), (count, root_of(&bytes)));
        for (index, leaf) in table.leaves().iter().enumerate() {
            assert_eq!(table.find(leaf.stream), Ok(index));
            let path = table.path(index).expect("there is such a leaf");
            assert_eq!(root_by_path(index as u64, count, leaf_hash(&leaf.encode()), &path), table.root());
        }
        assert_eq!((table.path(count as usize), table.find(5_000)), (None, Err(count as usize)));
    }
}
