//! Reading single events, ranges, streams and by time: each way gives what reading everything gives, within its memory.

mod fixture;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actum_log::{
    ArchiveSource, BLOCK_STREAM, Compressor, Draft, EventReader, EventStore, Frame, FrameKey, FrameSource, FrameType,
    Frames, Head, MemoryStore, ReadError, Resume, StoredRecord, records, write_archive, write_tail,
};
use fixture::{Test, draft, genesis, open, signer, small_log};
use proptest::prelude::*;

/// 40 blocks of many chunks, 200 streams interleaved, one event of 100 KiB in between; several events share each time.
fn log() -> MemoryStore {
    let mut store = MemoryStore::new(genesis().to_string());
    let (mut stage, mut sealer) = open(Resume::at_genesis(&genesis(), 0));
    for block in 0..40_u64 {
        for event in 0..300 {
            let payload = vec![event as u8; if (block, event) == (20, 150) { 100_000 } else { 200 }];
            let draft = draft(1 + (event * 17 + block) % 200, &payload);
            stage.push(&Draft { time: 1_000 + block * 60 + event / 7, ..draft }).expect("the event is valid");
        }
        let open = stage.close(actum_log::Clocks::default()).expect("events were pushed");
        store.commit(&[sealer.seal(open, &signer()).expect("the key is at hand")]).expect("memory has room");
    }
    store
}

/// Counts the frames that are read one by one.
struct Counting(MemoryStore, AtomicUsize);

impl FrameSource for Counting {
    fn genesis(&self) -> Result<Vec<u8>, ReadError> {
        self.0.genesis()
    }

    fn head(&self, partition: u16) -> Result<Option<Head>, ReadError> {
        FrameSource::head(&self.0, partition)
    }

    fn frames(&self, from: FrameKey) -> Result<Frames<'_>, ReadError> {
        self.0.frames(from)
    }

    fn frame_at_or_before(&self, at: FrameKey) -> Result<Option<Frame>, ReadError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.frame_at_or_before(at)
    }
}

fn everything(source: &dyn FrameSource) -> Vec<StoredRecord> {
    records(source, 0, 0).expect("frames").map(|record| record.expect("a record")).collect()
}

fn last_of(all: &[StoredRecord], stream: u64) -> u64 {
    all.iter().rfind(|record| record.header().stream == stream).expect("a stream").header().seq
}

#[test]
fn every_event_is_found_by_its_seq() -> Test {
    let store = log();
    let all = everything(&store);
    for cache_bytes in [0, 40_000, 1 << 24] {
        let reader = EventReader::new(store.source(), cache_bytes);
        for record in all.iter().step_by(7).chain(all.iter().rev().step_by(11)) {
            let found = reader.event(0, record.header().seq)?.ok_or("missing")?;
            assert_eq!((found.header(), found.payload()), (record.header(), record.payload()));
            assert_eq!(StoredRecord::from(found), *record);
        }
        assert!(reader.cached_bytes() <= cache_bytes);
        let end = all.len() as u64;
        assert!(
            reader.event(0, end)?.is_none() && reader.event(0, u64::MAX)?.is_none() && reader.event(9, 0)?.is_none()
        );
    }
    Ok(())
}

#[test]
fn a_range_is_what_lies_in_it() -> Test {
    let store = log();
    let all = everything(&store);
    let reader = EventReader::new(store.source(), 1 << 20);
    let end = all.len() as u64;
    for range in [0..0, 0..1, 5..5, 290..640, 6_100..6_200, end - 4..end, end - 4..u64::MAX, 0..end, end..end + 9] {
        let read = reader.range(0, range.clone()).map(|event| event.map(StoredRecord::from));
        let read = read.collect::<Result<Vec<_>, _>>()?;
        assert_eq!(read, all[range.start.min(end) as usize..range.end.min(end) as usize], "{range:?}");
    }
    Ok(())
}

#[test]
fn a_stream_is_read_both_ways() -> Test {
    let store = log();
    let all = everything(&store);
    let reader = EventReader::new(store.source(), 1 << 20);
    for stream in [1, 7, 133, 200, BLOCK_STREAM] {
        let expected: Vec<_> = all.iter().filter(|record| record.header().stream == stream).cloned().collect();
        let last = last_of(&all, stream);
        let stored = |events: &mut dyn Iterator<Item = Result<actum_log::SharedRecord, ReadError>>| {
            events.map(|event| event.map(StoredRecord::from)).collect::<Result<Vec<_>, _>>()
        };
        assert_eq!(stored(&mut reader.stream(0, stream, last)?)?, expected);
        let back = stored(&mut reader.stream_newest_first(0, stream, last))?;
        assert!(back.iter().eq(expected.iter().rev()));
        // From an earlier event on.
        let middle = expected.len() / 2;
        let seq = expected[middle].header().seq;
        assert_eq!(stored(&mut reader.stream(0, stream, seq)?)?, expected[..=middle]);
    }
    let newest = reader.stream_newest_first(0, 7, last_of(&all, 8)).collect::<Vec<_>>();
    assert!(matches!(newest[..], [Err(ReadError::Tampered(_))]), "that event is of another stream");
    assert!(matches!(reader.stream(0, 7, 1 << 40), Err(ReadError::Tampered(_))), "there is no such event");
    Ok(())
}

#[test]
fn reaching_an_event_reads_one_chunk_and_once_only() -> Test {
    let source = Arc::new(Counting(log(), AtomicUsize::new(0)));
    let all = everything(&source.0);
    let reader = EventReader::new(source.clone(), 1 << 24);
    let expected: Vec<u64> =
        all.iter().map(StoredRecord::header).filter(|header| header.stream == 55).map(|header| header.seq).collect();
    assert!(expected.len() >= 30);
    let count = || source.1.swap(0, Ordering::Relaxed);
    count();
    let events = reader.stream(0, 55, expected[expected.len() - 1])?.collect::<Result<Vec<_>, _>>()?;
    assert_eq!(events.len(), expected.len());
    assert!(count() <= expected.len(), "a chunk for each event, though it was walked twice");
    reader.stream(0, 55, expected[expected.len() - 1])?.for_each(drop);
    assert_eq!(count(), 0, "all of it is in the cache");
    let mut one = records(&*source, 0, expected[3])?;
    assert_eq!(one.next().ok_or("missing")??.header().seq, expected[3]);
    assert_eq!(count(), 1);
    Ok(())
}

#[test]
fn the_first_event_of_a_time_is_found() -> Test {
    let store = log();
    let all = everything(&store);
    let reader = EventReader::new(store.source(), 1 << 20);
    let last = all[all.len() - 1].header().time;
    for time in (0..2).chain(990..1_130).chain((1_130..last + 10).step_by(13)).chain([last, last + 1, u64::MAX]) {
        let expected = all.partition_point(|record| record.header().time < time) as u64;
        assert_eq!(reader.seq_at_time(0, time)?, expected, "{time}");
    }
    assert_eq!(reader.seq_at_time(1, 5)?, 0, "an empty partition");

    let mut bytes = Vec::new();
    let begin =
        store.frames(FrameKey::first(0))?.filter_map(Result::ok).find(|frame| frame.key.kind == FrameType::Block);
    let begin = begin.ok_or("no block")?.key.seq + 1;
    write_tail(&store, &[begin, 0], &mut bytes)?;
    let tail = EventReader::new(Arc::new(ArchiveSource::from_bytes(bytes)?), 1 << 20);
    assert_eq!((tail.seq_at_time(0, 0)?, tail.seq_at_time(0, last)?), (begin, reader.seq_at_time(0, last)?));
    assert!(tail.event(0, begin - 1)?.is_none() && tail.event(0, begin)?.is_some());
    Ok(())
}

#[test]
fn an_archive_reads_like_its_store() -> Test {
    let store = small_log();
    let mut bytes = Vec::new();
    write_archive(&store, &mut bytes)?;
    let [ours, theirs] =
        [EventReader::new(Arc::new(ArchiveSource::from_bytes(bytes)?), 0), EventReader::new(store.source(), 0)];
    for partition in 0..2 {
        let read = |reader: &EventReader| {
            reader
                .range(partition, 0..u64::MAX)
                .map(|event| event.map(StoredRecord::from))
                .collect::<Result<Vec<_>, _>>()
        };
        assert_eq!(read(&ours)?, read(&theirs)?);
    }
    Ok(())
}

#[test]
fn threads_share_a_reader() {
    let store = log();
    let all = everything(&store);
    let reader = EventReader::new(store.source(), 60_000);
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let (reader, all) = (&reader, &all);
            scope.spawn(move || {
                for record in all.iter().skip(thread).step_by(5) {
                    let seq = record.header().seq.wrapping_mul(7_919) % all.len() as u64;
                    let found = reader.event(0, seq).expect("frames").expect("an event");
                    assert_eq!(found.payload(), all[seq as usize].payload());
                }
            });
        }
    });
    assert!(reader.cached_bytes() <= 60_000);
}

#[test]
fn damage_is_an_error_that_ends_reading() -> Test {
    let store = log();
    let chunks: Vec<Frame> = store
        .frames(FrameKey::first(0))?
        .filter_map(Result::ok)
        .filter(|frame| frame.key.kind == FrameType::Chunk)
        .collect();
    let (victim, next) = (&chunks[3], &chunks[4]);
    let read = |store: &MemoryStore| EventReader::new(store.source(), 1 << 20).event(0, victim.key.seq + 1).map(|_| ());

    store.tamper(victim.key, |bytes| bytes[60] ^= 1);
    assert!(matches!(read(&store), Err(ReadError::Corrupt(_))));
    let reader = EventReader::new(store.source(), 1 << 20);
    let items: Vec<_> = reader.range(0, 0..u64::MAX).collect();
    assert!(
        items.len() as u64 == victim.key.seq + 1 && items.last().is_some_and(Result::is_err),
        "nothing after an error"
    );

    store.remove(victim.key);
    assert!(matches!(read(&store), Err(ReadError::Corrupt(_))), "a chunk is missing");

    // Well-formed, and not what belongs there.
    let (header, body) = next.decode()?;
    store.insert(Frame::encode(victim.key, header.count, &body, &mut Compressor::default()));
    assert!(matches!(read(&store), Err(ReadError::Corrupt(_))), "other seqs");
    let (header, body) = victim.decode()?;
    store.insert(Frame::encode(victim.key, header.count + 1, &body, &mut Compressor::default()));
    assert!(matches!(read(&store), Err(ReadError::Corrupt(_))), "another count");
    store.insert(victim.clone());
    read(&store)?;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn mutated_chunks_do_not_panic(edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), seq in 0..80_u64) {
        let store = small_log();
        let keys: Vec<FrameKey> = store.frames(FrameKey::first(0))?.filter_map(Result::ok).map(|frame| frame.key).collect();
        for (at, byte) in edits {
            let frame = store.frame_at_or_before(keys[at.index(keys.len())])?.expect("a frame");
            let Ok((header, mut body)) = frame.decode() else { continue };
            let at = at.index(body.len());
            body[at] = byte;
            store.insert(Frame::encode(frame.key, header.count, &body, &mut Compressor::default()));
        }
        let reader = EventReader::new(store.source(), 1 << 16);
        let _ = reader.event(0, seq);
        reader.range(0, 0..u64::MAX).for_each(drop);
        for stream in 1..10 {
            reader.stream_newest_first(0, stream, seq).for_each(drop);
            let _ = reader.stream(0, stream, seq).map(Iterator::count);
        }
        let _ = reader.seq_at_time(0, 1_700_000_000_010_000_000);
    }
}
