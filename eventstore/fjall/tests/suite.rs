//! What every store must do, run on this one.

use std::path::PathBuf;

use actum_fjall::{Options, create, open};
use actum_log::{EventStore, Genesis, suite};

struct Directory(tempfile::TempDir);

impl Directory {
    fn log(&self) -> PathBuf {
        self.0.path().join("log")
    }
}

impl suite::Fixture for Directory {
    fn create(&mut self, genesis: &[u8]) -> Box<dyn EventStore> {
        let partitions = Genesis::parse(genesis).unwrap().partitions();
        Box::new(create(&self.log(), genesis, partitions, &Options::default()).unwrap())
    }

    fn reopen(&mut self) -> Box<dyn EventStore> {
        Box::new(open(&self.log(), &Options::default()).unwrap())
    }
}

#[test]
fn the_store_conforms() {
    suite::run(|| Directory(tempfile::tempdir().unwrap()));
}
