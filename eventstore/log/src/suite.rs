//! The conformance suite: what every `EventStore` must do. A store runs it in its own tests.
//!
//! ```
//! # use actum_log::{EventStore, MemoryStore, suite};
//! struct InMemory(Option<MemoryStore>);
//! impl suite::Fixture for InMemory {
//!     fn create(&mut self, genesis: &[u8]) -> Box<dyn EventStore> {
//!         Box::new(self.0.insert(MemoryStore::new(genesis)).clone())
//!     }
//!     fn reopen(&mut self) -> Box<dyn EventStore> {
//!         Box::new(self.0.clone().expect("was created"))
//!     }
//! }
//! suite::run(|| InMemory(None));
//! ```
//!
//! Everything here panics when the store does not conform, as tests do.

#![expect(clippy::missing_panics_doc, reason = "test code panics by design")]

use std::ops::ControlFlow;
use std::sync::{Arc, Barrier, Mutex};

use crate::limits::{ORIGIN_BYTES_MAX, SEAL_BYTES_MAX};
use crate::{
    Author, Clocks, CommitError, Draft, EventStore, Extensions, FileSigner, FoldOptions, Folded, Frame, FrameKey,
    FrameSource, FrameType, Genesis, Hash, Head, Opening, Resume, SealedBlock, Sealer, Signer, Stage, StageLimits,
    fold, key_digest,
};

/// Makes and reopens one store. Dropped at the end of each check.
pub trait Fixture {
    /// Creates the log. Called once, first.
    fn create(&mut self, genesis: &[u8]) -> Box<dyn EventStore>;

    /// Opens the log again. Called after the store from before was dropped.
    fn reopen(&mut self) -> Box<dyn EventStore>;

    /// Makes the next commit of the open store fail, where the fixture can.
    fn break_device(&mut self) -> bool {
        false
    }
}

/// Runs every check on a fixture of its own.
pub fn run<F: Fixture>(make: impl Fn() -> F) {
    starts_empty(&mut make());
    gives_back_every_byte(&mut make());
    finds_frames_by_key(&mut make());
    keeps_partitions_apart(&mut make());
    refuses_what_does_not_continue(&mut make());
    fences_a_writer_that_was_overtaken(&mut make());
    lets_one_of_many_appenders_win(&mut make());
    shows_readers_whole_blocks_while_it_is_written(&mut make());
    keeps_the_longest_seal(&mut make());
    survives_reopening(&mut make());
    run_stays_poisoned(&mut make());
}

/// Writes the blocks for a check: deterministic, some of one chunk and some of several, on two partitions.
#[derive(Debug)]
pub struct Blocks {
    signer: FileSigner,
    genesis: Genesis,
    writers: Vec<(Stage, Sealer)>,
}

impl Blocks {
    /// A writer of a log of two partitions.
    pub fn new() -> Self {
        let signer = FileSigner::from_seed(&SEED);
        let genesis = Genesis::new([1; 16], "suite.example", 1, signer.public_key())
            .and_then(|genesis| genesis.with_partitions(2));
        let genesis = genesis.expect("the genesis is valid");
        let writers = (0..2).map(|partition| open(Resume::at_genesis(&genesis, partition), &genesis, 7)).collect();
        Self { signer, genesis, writers }
    }

    /// Another writer, which opens the log that `new` began as it is now, in a new epoch. `boot` tells it from all others.
    pub fn opened(source: &dyn FrameSource, boot: u8) -> Self {
        let Self { signer, genesis, .. } = Self::new();
        let resume = |partition| verified(source, partition).resume.expect("the whole log was folded");
        let writers = (0..2).map(|partition| open(resume(partition), &genesis, boot)).collect();
        Self { signer, genesis, writers }
    }

    /// The genesis text.
    pub fn genesis(&self) -> Vec<u8> {
        self.genesis.to_string().into_bytes()
    }

    /// The partition's next block, of so many events.
    pub fn next(&mut self, partition: u16, events: u64) -> SealedBlock {
        let (stage, sealer) = &mut self.writers[usize::from(partition)];
        for event in 0..events {
            let payload: Vec<u8> = (0..300_u64).map(|i| (i * i + event) as u8).collect();
            let draft = Draft {
                stream: 1 + event % 5,
                kind: 256,
                schema: 1,
                terminal: false,
                actor: 0,
                cause: None,
                time: 1_000 + event,
                extensions: Extensions::EMPTY,
                payload: &payload,
            };
            stage.push(&draft).expect("the event is valid");
        }
        let clocks = Clocks { wall_ns: 5, monotonic_ns: 6 };
        sealer.seal(stage.close(clocks).expect("events were pushed"), &self.signer).expect("the key is at hand")
    }
}

/// Seed of the key that seals.
const SEED: [u8; 32] = [42; 32];

fn open(resume: Resume, genesis: &Genesis, boot: u8) -> (Stage, Sealer) {
    let opening = Opening { boot_id: [boot; 16], limits: StageLimits::default() };
    let (stage, sealer) = resume.open(genesis, opening).expect("the log opens");
    (stage, sealer.with_secrets(Box::new(|| Ok([9; 32]))))
}

fn verified(source: &dyn FrameSource, partition: u16) -> Folded {
    fold(source, partition, FoldOptions::default(), |_| ControlFlow::Continue(())).expect("the log verifies")
}

impl Default for Blocks {
    fn default() -> Self {
        Self::new()
    }
}

fn starts_empty(fixture: &mut impl Fixture) {
    let blocks = Blocks::new();
    let store = fixture.create(&blocks.genesis());
    assert_eq!(store.head(0), None);
    let source = store.source();
    assert_eq!(source.genesis().expect("genesis"), blocks.genesis());
    assert_eq!(source.head(0).expect("head"), None);
    assert_eq!(all(&*source, 0), []);
    assert_eq!(source.frame_at_or_before(FrameKey::last(0)).expect("frame"), None);
}

fn gives_back_every_byte(fixture: &mut impl Fixture) {
    let mut blocks = Blocks::new();
    let mut store = fixture.create(&blocks.genesis());
    let written: Vec<_> = [3, 500, 1, 90].into_iter().map(|events| blocks.next(0, events)).collect();
    store.commit(&written[..1]).expect("one block");
    let early = store.source();
    store.commit(&written[1..]).expect("a group of blocks");
    assert_eq!(all(&*store.source(), 0), frames_of(&written), "frames come back in order and unchanged");
    assert_eq!(store.head(0), Some(head_of(&written[3])));
    assert_eq!(early.head(0).expect("head"), Some(head_of(&written[3])), "an older handle sees later blocks");
    let folded = verified(&*store.source(), 0);
    assert_eq!((folded.blocks, folded.unacknowledged_blocks()), (4, Some(0)));
}

fn finds_frames_by_key(fixture: &mut impl Fixture) {
    let mut blocks = Blocks::new();
    let mut store = fixture.create(&blocks.genesis());
    let written: Vec<_> = [200, 200].into_iter().map(|events| blocks.next(0, events)).collect();
    store.commit(&written).expect("commit");
    let (source, frames) = (store.source(), frames_of(&written));
    assert!(frames.len() > 6, "several chunks in each block");
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(source.frame_at_or_before(frame.key).expect("frame").as_ref(), Some(frame), "at its key");
        let before = FrameKey { kind: FrameType::Genesis, ..frame.key };
        let expected = index.checked_sub(1).map(|index| &frames[index]);
        assert_eq!(source.frame_at_or_before(before).expect("frame").as_ref(), expected, "just before {:?}", frame.key);
        let rest: Vec<_> = source.frames(frame.key).expect("frames").map(|frame| frame.expect("frame")).collect();
        assert_eq!(rest, frames[index..], "from a key on, the key included");
    }
    assert_eq!(source.frame_at_or_before(FrameKey::last(0)).expect("frame").as_ref(), frames.last());
    assert_eq!(source.frames(FrameKey::last(0)).expect("frames").count(), 0);
}

fn keeps_partitions_apart(fixture: &mut impl Fixture) {
    let mut blocks = Blocks::new();
    let mut store = fixture.create(&blocks.genesis());
    let written = [blocks.next(1, 3), blocks.next(0, 4), blocks.next(1, 5)];
    store.commit(&written).expect("a group over two partitions");
    let source = store.source();
    assert_eq!(all(&*source, 0), frames_of(&written[1..2]));
    assert_eq!(all(&*source, 1), frames_of(&[written[0].clone(), written[2].clone()]));
    assert_eq!(source.frame_at_or_before(FrameKey::first(1)).expect("frame"), None, "never another partition's frame");
    assert_eq!((store.head(0), store.head(1)), (Some(head_of(&written[1])), Some(head_of(&written[2]))));
}

fn refuses_what_does_not_continue(fixture: &mut impl Fixture) {
    let mut blocks = Blocks::new();
    let mut store = fixture.create(&blocks.genesis());
    let [first, second, third] = [blocks.next(0, 3), blocks.next(0, 3), blocks.next(0, 3)];
    refused(&mut store, std::slice::from_ref(&second), 0);
    store.commit(std::slice::from_ref(&first)).expect("commit");
    refused(&mut store, std::slice::from_ref(&first), 1);
    refused(&mut store, &[second.clone(), second.clone()], 2);
    refused(&mut store, &[second.clone(), third.clone(), first.clone()], 3);
    assert_eq!(all(&*store.source(), 0), frames_of(std::slice::from_ref(&first)), "a conflict writes nothing");
    assert_eq!(store.head(0), Some(head_of(&first)));
    store.commit(&[second, third.clone()]).expect("a conflict does not poison");
    assert_eq!(store.head(0), Some(head_of(&third)));
}

fn refused(store: &mut Box<dyn EventStore>, given: &[SealedBlock], wanted: u64) {
    let error = store.commit(given).expect_err("must be refused");
    assert!(matches!(error, CommitError::Conflict { expected, .. } if expected == wanted), "{error:?}");
}

/// A writer of an older epoch gets nothing in any more, also not by going on as if its refused block had been stored.
fn fences_a_writer_that_was_overtaken(fixture: &mut impl Fixture) {
    let mut old = Blocks::new();
    let mut store = fixture.create(&old.genesis());
    let mut written = vec![old.next(0, 3), old.next(0, 3)];
    store.commit(&written).expect("commit");
    let mut new = Blocks::opened(&*store.source(), 8);
    let mut newer = Blocks::opened(&*store.source(), 9);
    let [second, third] = [old.next(0, 3), old.next(0, 3)];
    written.push(new.next(0, 5));
    store.commit(&written[2..]).expect("the newer writer goes on");
    refused(&mut store, std::slice::from_ref(&second), 3);
    refused(&mut store, std::slice::from_ref(&third), 3);
    refused(&mut store, &[newer.next(0, 3)], 3);
    refused(&mut store, &[newer.next(0, 3)], 3);
    written.push(new.next(0, 5));
    refused(&mut store, &[written[3].clone(), old.next(0, 3)], 4);
    assert_eq!(all(&*store.source(), 0), frames_of(&written[..3]), "nothing of a refused group is stored");
    store.commit(&written[3..]).expect("being refused poisons nobody");
    assert_eq!(verified(&*store.source(), 0).resume.map(|resume| resume.last_epoch), Some(2));
}

const APPENDERS: u8 = 4;
const BLOCKS_EACH: usize = 6;

/// Of writers that race, one gets its block in and the others are told; whoever opens the log again and tries again gets in at last.
fn lets_one_of_many_appenders_win(fixture: &mut impl Fixture) {
    let first = Blocks::new();
    let store = Mutex::new(fixture.create(&first.genesis()));
    let source = store.lock().expect("not poisoned").source();
    let (all_ready, lost) = (Barrier::new(APPENDERS.into()), Mutex::new(0));
    let append = |appender: u8| {
        let mut acknowledged: Vec<Hash> = Vec::new();
        let mut boot = appender;
        let mut blocks = Blocks::opened(&*source, boot);
        all_ready.wait();
        while acknowledged.len() < BLOCKS_EACH {
            let block = blocks.next(0, 20);
            let outcome = store.lock().expect("not poisoned").commit(std::slice::from_ref(&block));
            match outcome {
                Ok(()) => acknowledged.push(block.hash),
                Err(CommitError::Conflict { .. }) => {
                    *lost.lock().expect("not poisoned") += 1;
                    boot = boot.wrapping_add(APPENDERS);
                    blocks = Blocks::opened(&*source, boot);
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        acknowledged
    };
    let acknowledged: Vec<Hash> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..APPENDERS).map(|appender| scope.spawn(move || append(appender))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("an appender gets in at last")).collect()
    });
    assert!(*lost.lock().expect("not poisoned") >= APPENDERS - 1, "all but one of the first blocks were refused");
    let blocks = verified(&*source, 0).blocks;
    assert_eq!(blocks as usize, usize::from(APPENDERS) * BLOCKS_EACH);
    let mut stored: Vec<Hash> = all(&*source, 0).iter().filter_map(hash_of).collect();
    let mut acknowledged = acknowledged;
    stored.sort_unstable();
    acknowledged.sort_unstable();
    assert_eq!(stored, acknowledged, "what was acknowledged is stored, and nothing else");
}

/// A reader beside the writer sees the log as it was after some commit, and what the head named before is in it.
fn shows_readers_whole_blocks_while_it_is_written(fixture: &mut impl Fixture) {
    let mut blocks = Blocks::new();
    let mut store = fixture.create(&blocks.genesis());
    let source = store.source();
    let written: Vec<_> = (0..40).map(|block| blocks.next(0, 1 + block % 7 * 40)).collect();
    let whole = frames_of(&written);
    let done = Mutex::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            loop {
                let over = *done.lock().expect("not poisoned");
                let head = source.head(0).expect("head");
                let seen = all(&*source, 0);
                assert_eq!(seen, whole[..seen.len()], "a reader sees a beginning of the log");
                let size = seen.last().map_or(0, |frame| frame.key.seq + 1);
                assert!(seen.last().is_none_or(|frame| frame.key.kind == FrameType::Block), "and only whole blocks");
                assert!(head.is_none_or(|head| head.size <= size), "what is acknowledged can be read");
                if over {
                    break seen.len();
                }
            }
        });
        for group in written.chunks(3) {
            store.commit(group).expect("commit");
        }
        *done.lock().expect("not poisoned") = true;
        assert_eq!(reader.join().expect("the reader found all in order"), whole.len());
    });
}

/// The longest seal that is written: the longest origin, signed by two keys.
fn keeps_the_longest_seal(fixture: &mut impl Fixture) {
    let (old, new) = (FileSigner::from_seed(&SEED), FileSigner::from_seed(&[43; 32]));
    let origin = "o".repeat(ORIGIN_BYTES_MAX);
    let genesis = Genesis::new([1; 16], &origin, 1, old.public_key()).expect("the genesis is valid");
    let genesis = genesis.with_next(key_digest(&new.public_key()));
    let mut store = fixture.create(genesis.to_string().as_bytes());
    let (mut stage, mut sealer) = open(Resume::at_genesis(&genesis, 0), &genesis, 7);
    stage.rotate(Arc::new(new), None, Author::default()).expect("the key that was committed");
    let block = sealer.seal(stage.close(Clocks::default()).expect("a rotation"), &old).expect("both keys are at hand");
    assert!(block.seal.len() <= SEAL_BYTES_MAX);
    store.commit(std::slice::from_ref(&block)).expect("commit");
    drop(store);
    let store = fixture.reopen();
    assert_eq!(store.head(0), Some(head_of(&block)));
    assert_eq!(verified(&*store.source(), 0).blocks, 1);
}

fn survives_reopening(fixture: &mut impl Fixture) {
    let mut blocks = Blocks::new();
    let mut store = fixture.create(&blocks.genesis());
    let mut written = vec![blocks.next(0, 3), blocks.next(0, 400)];
    store.commit(&written).expect("commit");
    drop(store);
    let mut store = fixture.reopen();
    assert_eq!(store.source().genesis().expect("genesis"), blocks.genesis());
    assert_eq!(store.head(0), Some(head_of(&written[1])));
    written.push(blocks.next(0, 7));
    store.commit(&written[2..]).expect("continues where it ended");
    assert_eq!(all(&*store.source(), 0), frames_of(&written));
    drop(store);
    goes_on(fixture.reopen(), 11);
}

/// After a failed write a store refuses all others, and reopens with what it acknowledged. Alone, for fixtures that fail by the count of commits.
pub fn run_stays_poisoned(fixture: &mut impl Fixture) {
    let mut blocks = Blocks::new();
    let mut store = fixture.create(&blocks.genesis());
    let [first, second] = [blocks.next(0, 3), blocks.next(0, 3)];
    store.commit(std::slice::from_ref(&first)).expect("commit");
    if !fixture.break_device() {
        return;
    }
    let error = store.commit(std::slice::from_ref(&second)).expect_err("the device is broken");
    assert!(!matches!(error, CommitError::Conflict { .. }), "{error:?}");
    let error = store.commit(std::slice::from_ref(&second)).expect_err("nothing is written after a failed write");
    assert!(matches!(error, CommitError::Poisoned), "{error:?}");
    drop(store);
    let store = fixture.reopen();
    let head = store.head(0).expect("what was acknowledged is there");
    assert!(head == head_of(&first) || head == head_of(&second));
    goes_on(store, 10);
}

/// Whoever opens the log again can write to it.
fn goes_on(mut store: Box<dyn EventStore>, boot: u8) {
    let before = verified(&*store.source(), 0);
    let block = Blocks::opened(&*store.source(), boot).next(0, 3);
    store.commit(std::slice::from_ref(&block)).expect("the log goes on");
    assert_eq!(verified(&*store.source(), 0).blocks, before.blocks + 1);
    assert_eq!(store.head(0), Some(head_of(&block)));
}

fn all(source: &dyn FrameSource, partition: u16) -> Vec<Frame> {
    source.frames(FrameKey::first(partition)).expect("frames").map(|frame| frame.expect("frame")).collect()
}

fn hash_of(frame: &Frame) -> Option<Hash> {
    if frame.key.kind != FrameType::Block {
        return None;
    }
    let (_, raw) = frame.decode().expect("the frame decodes");
    let (body, _) = crate::split_body_and_seal(&raw).expect("a body and a seal");
    Some(crate::block_hash(body))
}

fn frames_of(blocks: &[SealedBlock]) -> Vec<Frame> {
    blocks.iter().flat_map(|block| block.chunks.iter().chain([&block.block])).cloned().collect()
}

fn head_of(block: &SealedBlock) -> Head {
    Head { number: block.number, size: block.size, hash: block.hash, seal: block.seal.clone() }
}
