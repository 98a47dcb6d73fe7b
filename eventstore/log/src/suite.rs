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

use crate::{
    Clocks, CommitError, Draft, EventStore, Extensions, FileSigner, FoldOptions, Frame, FrameKey, FrameSource,
    FrameType, Genesis, Head, Opening, Resume, SealedBlock, Sealer, Signer, Stage, StageLimits, fold,
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
        let signer = FileSigner::from_seed(&[42; 32]);
        let genesis = Genesis::new([1; 16], "suite.example", 1, signer.public_key())
            .and_then(|genesis| genesis.with_partitions(2));
        let genesis = genesis.expect("the genesis is valid");
        let opening = Opening { boot_id: [7; 16], limits: StageLimits::default() };
        let writer = |partition| {
            let (stage, sealer) =
                Resume::at_genesis(&genesis, partition).open(&genesis, opening).expect("a new log opens");
            (stage, sealer.with_secrets(Box::new(|| Ok([9; 32]))))
        };
        let writers = (0..2).map(writer).collect();
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
    let folded =
        fold(&*store.source(), 0, FoldOptions::default(), |_| ControlFlow::Continue(())).expect("the log verifies");
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
    let refused = |store: &mut Box<dyn EventStore>, given: &[SealedBlock], wanted| {
        let error = store.commit(given).expect_err("must be refused");
        assert!(matches!(error, CommitError::Conflict { expected, .. } if expected == wanted), "{error:?}");
    };
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
}

fn all(source: &dyn FrameSource, partition: u16) -> Vec<Frame> {
    source.frames(FrameKey::first(partition)).expect("frames").map(|frame| frame.expect("frame")).collect()
}

fn frames_of(blocks: &[SealedBlock]) -> Vec<Frame> {
    blocks.iter().flat_map(|block| block.chunks.iter().chain([&block.block])).cloned().collect()
}

fn head_of(block: &SealedBlock) -> Head {
    Head { number: block.number, size: block.size, hash: block.hash, seal: block.seal.clone() }
}
