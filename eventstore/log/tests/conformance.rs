//! The stores of this crate pass their own suite, and an archive reads as the store it was made from.

#![cfg(feature = "suite")]

use actum_log::suite::{self, Blocks, Fixture};
use actum_log::{
    ArchiveSource, EventStore, Fault, FaultyStore, Frame, FrameKey, FrameSource, FrameType, MemoryStore, write_archive,
};

#[derive(Default)]
struct InMemory(Option<MemoryStore>);

impl Fixture for InMemory {
    fn create(&mut self, genesis: &[u8]) -> Box<dyn EventStore> {
        Box::new(self.0.insert(MemoryStore::new(genesis)).clone())
    }

    fn reopen(&mut self) -> Box<dyn EventStore> {
        Box::new(self.0.clone().expect("was created"))
    }
}

#[test]
fn memory_store() {
    suite::run(InMemory::default);
}

/// A device that breaks at the second commit, which `stays_poisoned` makes.
struct Faulty {
    store: Option<MemoryStore>,
    fault: Option<Fault>,
}

impl Fixture for Faulty {
    fn create(&mut self, genesis: &[u8]) -> Box<dyn EventStore> {
        let store = self.store.insert(MemoryStore::new(genesis)).clone();
        let (fails_at, fault) = self.fault.map_or((u64::MAX, Fault::BeforeStoring), |fault| (1, fault));
        Box::new(FaultyStore::new(store, fails_at, fault))
    }

    fn reopen(&mut self) -> Box<dyn EventStore> {
        Box::new(self.store.clone().expect("was created"))
    }

    fn break_device(&mut self) -> bool {
        self.fault.is_some()
    }
}

#[test]
fn faulty_store() {
    suite::run(|| Faulty { store: None, fault: None });
    for fault in [Fault::BeforeStoring, Fault::HalfStored, Fault::AfterStoring] {
        suite::run_stays_poisoned(&mut Faulty { store: None, fault: Some(fault) });
    }
}

#[test]
fn archive_source_reads_like_the_store() -> Result<(), Box<dyn std::error::Error>> {
    let mut blocks = Blocks::new();
    let mut store = MemoryStore::new(blocks.genesis());
    store.commit(&[blocks.next(0, 300), blocks.next(1, 5), blocks.next(0, 9)])?;
    let mut bytes = Vec::new();
    write_archive(&store, &mut bytes)?;
    let archive = ArchiveSource::from_bytes(bytes)?;
    assert_eq!(archive.genesis()?, store.genesis()?);
    let frames = |source: &dyn FrameSource, from| source.frames(from)?.collect::<Result<Vec<Frame>, _>>();
    for partition in 0..3 {
        for seq in 0..330 {
            for kind in [FrameType::Genesis, FrameType::Chunk, FrameType::Block, FrameType::End] {
                let key = FrameKey { partition, seq, kind };
                assert_eq!(archive.frame_at_or_before(key)?, store.frame_at_or_before(key)?, "{key:?}");
                if seq % 20 == 0 {
                    assert_eq!(frames(&archive, key)?, frames(&store, key)?, "{key:?}");
                }
            }
        }
    }
    Ok(())
}
