//! The writing path: what is pushed comes back, writing resumes where it ended, every limit holds, failures halt the pipeline.

mod fixture;

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use actum_log::limits::{BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX, PAYLOAD_BYTES_MAX};
use actum_log::{
    BLOCK_STREAM, Clocks, CommitError, Draft, EventStore, ExtensionFields, Fault, FaultyStore, FoldOptions,
    FrameSource, Genesis, Head, Lane, MemoryStore, Opening, Outcome, Pipeline, PipelineError, PushError, Resume,
    ResumeError, SealCheck, SealedBlock, SignError, Signer, Stage, StageLimits, StoredRecord, fold, records,
};
use fixture::{Test, check, draft, genesis, open, signer, small_log};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Event {
    stream: u64,
    terminal: bool,
    time: u64,
    command_id: Option<[u8; 16]>,
    payload: Vec<u8>,
    ends_block: bool,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let payload = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..300),
        1 => (any::<u8>(), 900..20_000_usize).prop_map(|(byte, length)| vec![byte; length]),
    ];
    let event = (
        1..12_u64,
        prop::bool::weighted(0.1),
        any::<u32>(),
        any::<Option<[u8; 16]>>(),
        payload,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(stream, terminal, time, command_id, payload, ends_block)| Event {
            stream,
            terminal,
            time: u64::from(time),
            command_id,
            payload,
            ends_block,
        });
    prop::collection::vec(event, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_pushed_comes_back(events in events(), reopen_at in 0..120_usize) {
        let mut store = MemoryStore::new(genesis().to_string());
        let (mut stage, mut sealer) = open(Resume::at_genesis(&genesis(), 0));
        let mut expected = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let fields = ExtensionFields { command_id: event.command_id, ..Default::default() };
            let extensions = fields.encode()?;
            let draft = Draft { terminal: event.terminal, time: event.time, extensions: extensions.as_ref(), ..draft(event.stream, &event.payload) };
            match stage.push(&draft) {
                Ok(pushed) => expected.push((pushed, event)),
                Err(error) => prop_assert_eq!(error, PushError::Ended(event.stream)),
            }
            if event.ends_block || index == reopen_at || index + 1 == events.len() {
                let Some(block) = stage.close(Clocks::default()) else { continue };
                store.commit(&[sealer.seal(block, &signer())?])?;
            }
            if index == reopen_at {
                (stage, sealer) = open(check(&store, 0)?.resume.expect("complete"));
            }
        }
        let mut folded = Vec::new();
        fold(&store, 0, FoldOptions::default(), |view| {
            folded.push(StoredRecord::from(view.record));
            ControlFlow::Continue(())
        })?;
        let read = records(&store, 0, 0)?.collect::<Result<Vec<_>, _>>()?;
        prop_assert_eq!(&folded, &read);
        folded.retain(|record| record.header().stream != BLOCK_STREAM);
        prop_assert_eq!(folded.len(), expected.len());
        for (record, (pushed, event)) in folded.iter().zip(expected) {
            let header = record.header();
            prop_assert_eq!((header.seq, header.version, header.time), (pushed.seq, pushed.version, pushed.time));
            prop_assert_eq!((header.stream, header.terminal), (event.stream, event.terminal));
            prop_assert_eq!(record.payload(), &event.payload[..]);
            prop_assert_eq!(record.view().extensions().command_id(), event.command_id);
        }
    }
}

#[test]
fn records_start_anywhere() -> Test {
    let store = small_log();
    let all = records(&store, 0, 0)?.collect::<Result<Vec<_>, _>>()?;
    for from in 0..all.len() {
        let rest = records(&store, 0, from as u64)?.collect::<Result<Vec<_>, _>>()?;
        assert_eq!(rest, all[from..]);
    }
    assert_eq!(records(&store, 0, u64::MAX)?.count(), 0);
    Ok(())
}

#[test]
fn a_fold_can_stop_and_can_check_only_the_newest_seal() -> Test {
    let store = small_log();
    let mut seen = 0;
    let folded = fold(&store, 0, FoldOptions::default(), |_| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    assert_eq!((seen, folded.resume.is_none()), (5, true));
    let newest = fold(&store, 0, FoldOptions { seals: SealCheck::Newest, ..FoldOptions::default() }, |_| {
        ControlFlow::Continue(())
    })?;
    assert_eq!(newest.blocks, 4);
    Ok(())
}

#[test]
fn an_unacknowledged_tail_is_counted() -> Test {
    let mut store = small_log();
    let head = EventStore::head(&store, 0);
    let (mut stage, mut sealer) = open(check(&store, 0)?.resume.ok_or("incomplete")?);
    stage.push(&draft(500, b"stored, never acknowledged"))?;
    store.commit(&[sealer.seal(stage.close(Clocks::default()).ok_or("empty")?, &signer())?])?;
    store.set_head(0, head);
    assert_eq!(check(&store, 0)?.unacknowledged_blocks(), Some(1));
    Ok(())
}

#[test]
fn every_opening_is_a_new_epoch() -> Test {
    let store = small_log();
    let resume = check(&store, 0)?.resume.ok_or("incomplete")?;
    assert_eq!((resume.last_epoch, resume.block_number), (1, 4));
    let mut store = store;
    let (mut stage, mut sealer) = open(resume);
    stage.push(&draft(500, b""))?;
    store.commit(&[sealer.seal(stage.close(Clocks::default()).ok_or("empty")?, &signer())?])?;
    assert_eq!(check(&store, 0)?.resume.ok_or("incomplete")?.last_epoch, 2);
    Ok(())
}

#[test]
fn an_opening_cannot_pose_as_the_one_before() -> Test {
    let resume = check(&small_log(), 0)?.resume.ok_or("incomplete")?;
    let opening = Opening { boot_id: resume.last_boot_id, limits: StageLimits::default() };
    assert!(matches!(resume.open(&genesis(), opening), Err(ResumeError::BootId)));
    Ok(())
}

#[test]
fn drafts_that_the_format_forbids_are_refused_and_change_nothing() -> Test {
    let (mut stage, _) = open(Resume::at_genesis(&genesis(), 0));
    let long = vec![0; PAYLOAD_BYTES_MAX + 1];
    let root = ExtensionFields { stream_root: Some([0; 32]), ..Default::default() }.encode()?;
    let fine = draft(1, b"");
    let refused = [
        (Draft { payload: &long, ..fine }, PushError::PayloadTooLong(long.len())),
        (Draft { kind: 1, ..fine }, PushError::Kind { kind: 1, schema: 1 }),
        (Draft { kind: 0, ..fine }, PushError::Kind { kind: 0, schema: 1 }),
        (Draft { schema: 0, ..fine }, PushError::Kind { kind: 256, schema: 0 }),
        (Draft { stream: 0, ..fine }, PushError::Stream(0)),
        (Draft { stream: BLOCK_STREAM, ..fine }, PushError::Stream(BLOCK_STREAM)),
        (Draft { stream: BLOCK_STREAM + 9, ..fine }, PushError::Stream(BLOCK_STREAM + 9)),
        (Draft { cause: Some(1), ..fine }, PushError::Cause { cause: 1, seq: 1 }),
        (Draft { extensions: root.as_ref(), ..fine }, PushError::StreamRoot),
    ];
    for (draft, error) in refused {
        assert_eq!(stage.push(&draft), Err(error));
    }
    assert!(stage.close(Clocks::default()).is_none());
    stage.push(&Draft { terminal: true, ..fine })?;
    assert_eq!(stage.push(&fine), Err(PushError::Ended(1)));
    stage.close(Clocks::default());
    assert_eq!(stage.push(&fine), Err(PushError::Ended(1)), "in later blocks too");
    Ok(())
}

#[test]
fn a_block_never_outgrows_the_format() -> Test {
    let mut store = MemoryStore::new(genesis().to_string());
    let opening = Opening { boot_id: [1; 16], limits: StageLimits { records: usize::MAX, bytes: usize::MAX } };
    let (mut stage, mut sealer) = Resume::at_genesis(&genesis(), 0).open(&genesis(), opening)?;
    for _ in 1..BLOCK_RECORDS_MAX {
        stage.push(&draft(1, b""))?;
    }
    assert!(!stage.has_room(1, 64));
    assert_eq!(stage.push(&draft(1, b"")), Err(PushError::BlockFull));
    store.commit(&[sealer.seal(stage.close(Clocks::default()).ok_or("empty")?, &signer())?])?;

    let payload = vec![7; PAYLOAD_BYTES_MAX];
    let mut pushed = 0;
    while stage.push(&draft(2, &payload)).is_ok() {
        pushed += 1;
    }
    assert_eq!(pushed, BLOCK_BYTES_MAX / PAYLOAD_BYTES_MAX - 1);
    store.commit(&[sealer.seal(stage.close(Clocks::default()).ok_or("empty")?, &signer())?])?;
    assert_eq!(check(&store, 0)?.events, BLOCK_RECORDS_MAX as u64 + 1 + pushed as u64);
    Ok(())
}

#[test]
fn configured_limits_make_a_block_full() -> Test {
    let opening = Opening { boot_id: [1; 16], limits: StageLimits { records: 3, bytes: 1_000 } };
    let (mut stage, _) = Resume::at_genesis(&genesis(), 0).open(&genesis(), opening)?;
    stage.push(&draft(1, b""))?;
    assert!(!stage.is_full());
    stage.push(&draft(1, b""))?;
    assert!(stage.is_full(), "three records");
    stage.close(Clocks::default());
    stage.push(&draft(1, &[0; 900]))?;
    assert!(stage.is_full(), "a thousand bytes");
    Ok(())
}

struct NoKey;

impl Signer for NoKey {
    fn public_key(&self) -> [u8; 32] {
        signer().public_key()
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], SignError> {
        Err(SignError::Unavailable("gone".to_owned()))
    }
}

#[test]
fn nothing_is_sealed_after_a_block_that_was_not() -> Test {
    let (mut stage, mut sealer) = open(Resume::at_genesis(&genesis(), 0));
    stage.push(&draft(1, b""))?;
    let first = stage.close(Clocks::default()).ok_or("empty")?;
    assert!(matches!(sealer.seal(first.clone(), &NoKey), Err(SignError::Unavailable(_))));
    assert!(matches!(sealer.seal(first, &signer()), Err(SignError::Stopped)));
    Ok(())
}

/// What became of each block, by its first seq.
type Outcomes = Arc<Mutex<Vec<(u64, bool)>>>;

fn run_pipeline(
    store: Box<dyn EventStore>,
    signer: Arc<dyn Signer>,
    blocks: u64,
) -> (actum_log::Finished, Vec<(u64, bool)>) {
    let (mut stage, sealer) = open(Resume::at_genesis(&genesis(), 0));
    let outcomes = Outcomes::default();
    let noted = outcomes.clone();
    let on_outcome = move |outcome: Outcome<'_>| {
        let outcome = match outcome {
            Outcome::Durable(block) => (block.first_seq, true),
            Outcome::Failed { first_seq, .. } => (first_seq, false),
        };
        noted.lock().expect("not poisoned").push(outcome);
    };
    let pipeline = Pipeline::spawn(sealer, signer, store, on_outcome).expect("threads start");
    for number in 0..blocks {
        stage.push(&draft(1 + number % 3, &number.to_le_bytes())).expect("the event is valid");
        let block = stage.close(Clocks::default()).expect("an event was pushed");
        if pipeline.submit(block).is_err() {
            break;
        }
    }
    let finished = pipeline.finish();
    let outcomes = outcomes.lock().expect("not poisoned").clone();
    (finished, outcomes)
}

#[test]
fn a_pipeline_makes_blocks_durable_in_order() -> Test {
    let store = MemoryStore::new(genesis().to_string());
    let (finished, outcomes) = run_pipeline(Box::new(store.clone()), Arc::new(signer()), 200);
    assert!(finished.error.is_none() && finished.store.is_some());
    assert_eq!(outcomes, (0..200).map(|number| (2 * number, true)).collect::<Vec<_>>());
    assert_eq!(check(&store, 0)?.blocks, 200);
    Ok(())
}

#[test]
fn a_failed_commit_halts_the_pipeline_and_loses_nothing_acknowledged() -> Test {
    for fault in [Fault::BeforeStoring, Fault::HalfStored, Fault::AfterStoring] {
        let store = MemoryStore::new(genesis().to_string());
        let (finished, outcomes) =
            run_pipeline(Box::new(FaultyStore::new(store.clone(), 3, fault)), Arc::new(signer()), 200);
        let error = finished.error.ok_or("did not fail")?;
        assert!(matches!(*error, PipelineError::Commit(CommitError::Io(_))), "{error:?}");
        let durable = outcomes.iter().take_while(|(_, durable)| *durable).count();
        assert!(durable >= 3 && outcomes[durable..].iter().all(|(_, durable)| !durable), "{outcomes:?}");
        assert!(outcomes.windows(2).all(|pair| pair[0].0 + 2 == pair[1].0), "each block has one outcome, in order");
        let found = check(&store, 0)?;
        assert!(found.blocks >= durable as u64, "acknowledged means present");
        let (mut stage, mut sealer) = open(found.resume.ok_or("incomplete")?);
        stage.push(&draft(9, b"continues"))?;
        store.clone().commit(&[sealer.seal(stage.close(Clocks::default()).ok_or("empty")?, &signer())?])?;
        check(&store, 0)?;
    }
    Ok(())
}

#[test]
fn a_lost_key_halts_the_pipeline() -> Test {
    let store = MemoryStore::new(genesis().to_string());
    let (finished, outcomes) = run_pipeline(Box::new(store.clone()), Arc::new(NoKey), 20);
    assert!(matches!(finished.error.as_deref(), Some(PipelineError::Sign(SignError::Unavailable(_)))));
    assert!(outcomes.iter().all(|(_, durable)| !durable));
    assert_eq!(check(&store, 0)?.blocks, 0);
    Ok(())
}

/// A store that tells of each commit, by the partitions of its blocks, and waits until it may go on.
struct Gated {
    inner: MemoryStore,
    begun: Sender<Vec<u16>>,
    gate: Receiver<()>,
}

impl EventStore for Gated {
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        self.begun.send(blocks.iter().map(|block| block.partition).collect()).expect("the test listens");
        self.gate.recv().expect("the test lets it go on");
        self.inner.commit(blocks)
    }

    fn head(&self, partition: u16) -> Option<Head> {
        EventStore::head(&self.inner, partition)
    }

    fn source(&self) -> Arc<dyn FrameSource> {
        self.inner.source()
    }
}

/// Stages and pipelines of a log of so many partitions, and what becomes of blocks: partition, first seq, whether it is durable.
type Shared = (Vec<Stage>, Vec<Pipeline>, Arc<Mutex<Vec<(u16, u64, bool)>>>);

fn share(genesis: &Genesis, store: Box<dyn EventStore>) -> Result<Shared, Box<dyn std::error::Error>> {
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let (mut stages, mut lanes) = (Vec::new(), Vec::new());
    for partition in 0..genesis.partitions() {
        let (stage, sealer) = Resume::at_genesis(genesis, partition).open(genesis, Opening::new()?)?;
        let noted = outcomes.clone();
        let on_outcome = move |outcome: Outcome<'_>| {
            let outcome = match outcome {
                Outcome::Durable(block) => (partition, block.first_seq, true),
                Outcome::Failed { first_seq, .. } => (partition, first_seq, false),
            };
            noted.lock().expect("not poisoned").push(outcome);
        };
        stages.push(stage);
        lanes.push(Lane { sealer, signer: Arc::new(signer()), on_outcome: Box::new(on_outcome) });
    }
    Ok((stages, Pipeline::spawn_all(lanes, store)?, outcomes))
}

fn submit(stage: &mut Stage, pipeline: &Pipeline, blocks: u64) {
    for number in 0..blocks {
        stage.push(&draft(1, &number.to_le_bytes())).expect("the event is valid");
        if pipeline.submit(stage.close(Clocks::default()).expect("an event was pushed")).is_err() {
            return;
        }
    }
}

#[test]
fn blocks_of_several_partitions_share_a_commit() -> Test {
    let genesis = genesis().with_partitions(3)?;
    let inner = MemoryStore::new(genesis.to_string());
    let ((begun, commits), (go_on, gate)) = (channel(), channel());
    let (mut stages, mut pipelines, outcomes) = share(&genesis, Box::new(Gated { inner: inner.clone(), begun, gate }))?;
    submit(&mut stages[2], &pipelines[2], 1);
    assert_eq!(commits.recv()?, [2]);
    // While that one is stored, the others hand over all that they have.
    let last = pipelines.pop().ok_or("three pipelines")?;
    for (stage, pipeline) in stages.iter_mut().zip(pipelines) {
        submit(stage, &pipeline, 3);
        let finished = pipeline.finish();
        assert!(finished.error.is_none() && finished.store.is_none(), "the store is still needed");
    }
    go_on.send(())?;
    assert_eq!(commits.recv()?, [0, 0, 0, 1, 1, 1]);
    go_on.send(())?;
    let finished = last.finish();
    assert!(finished.error.is_none() && finished.store.is_some());
    assert!(commits.try_recv().is_err(), "there were two commits");
    let outcomes = outcomes.lock().expect("not poisoned").clone();
    let of = |partition: u16| outcomes.iter().filter(move |outcome| outcome.0 == partition).copied();
    assert!(of(0).eq((0..3).map(|number| (0, 2 * number, true))), "{outcomes:?}");
    assert!(of(1).eq((0..3).map(|number| (1, 2 * number, true))), "{outcomes:?}");
    for (partition, blocks) in [(0, 3), (1, 3), (2, 1)] {
        let folded = fold(&inner, partition, FoldOptions::default(), |_| ControlFlow::Continue(()))?;
        assert_eq!(folded.blocks, blocks);
    }
    Ok(())
}

#[test]
fn a_failed_commit_halts_all_partitions() -> Test {
    for fault in [Fault::BeforeStoring, Fault::HalfStored, Fault::AfterStoring] {
        let inner = MemoryStore::new(genesis().to_string());
        let (mut stages, pipelines, outcomes) = share(&genesis(), Box::new(FaultyStore::new(inner.clone(), 2, fault)))?;
        std::thread::scope(|scope| {
            for (stage, pipeline) in stages.iter_mut().zip(&pipelines) {
                scope.spawn(|| submit(stage, pipeline, 100));
            }
        });
        let errors: Vec<_> = pipelines.into_iter().map(|pipeline| pipeline.finish().error).collect();
        assert!(errors.iter().all(|error| matches!(error.as_deref(), Some(PipelineError::Commit(_)))), "{errors:?}");
        let outcomes = outcomes.lock().expect("not poisoned").clone();
        let durable = outcomes.iter().take_while(|(.., durable)| *durable).count();
        assert!(outcomes[durable..].iter().all(|(.., durable)| !durable), "nothing after the failure: {outcomes:?}");
        for partition in 0..2 {
            let acknowledged = outcomes.iter().filter(|(of, _, durable)| *of == partition && *durable).count();
            assert!(check(&inner, partition)?.blocks >= acknowledged as u64, "acknowledged means present");
        }
    }
    Ok(())
}
