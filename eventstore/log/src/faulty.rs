//! Makes any store fail at a chosen commit, so that callers can be tested against it.

use std::io;
use std::sync::Arc;

use crate::store::{CommitError, EventStore, FrameSource, Head, SealedBlock};

/// How a commit fails. The store then refuses all later ones, as a real one does after a failed write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing of the commit is stored.
    BeforeStoring,
    /// Everything is stored, yet the caller is told otherwise: the outcome of a failed sync.
    AfterStoring,
    /// Only the first half of the commit's blocks is stored.
    HalfStored,
}

/// A store that fails at its `n`th commit, counted from 0.
#[derive(Debug)]
pub struct FaultyStore<S> {
    inner: S,
    fails_at: u64,
    fault: Fault,
    commits: u64,
    poisoned: bool,
}

impl<S: EventStore> FaultyStore<S> {
    /// Wraps a store.
    pub fn new(inner: S, fails_at: u64, fault: Fault) -> Self {
        Self { inner, fails_at, fault, commits: 0, poisoned: false }
    }

    /// Commits that were asked for, the failed ones among them.
    pub fn commits(&self) -> u64 {
        self.commits
    }

    /// The store inside, as it would be found when opened again.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn fail(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        self.poisoned = true;
        match self.fault {
            Fault::BeforeStoring => {}
            Fault::AfterStoring => self.inner.commit(blocks)?,
            Fault::HalfStored => self.inner.commit(&blocks[..blocks.len() / 2])?,
        }
        Err(CommitError::Io(io::Error::other("injected fault")))
    }
}

impl<S: EventStore> EventStore for FaultyStore<S> {
    fn commit(&mut self, blocks: &[SealedBlock]) -> Result<(), CommitError> {
        let commit = self.commits;
        self.commits += 1;
        if self.poisoned {
            return Err(CommitError::Poisoned);
        }
        if commit == self.fails_at { self.fail(blocks) } else { self.inner.commit(blocks) }
    }

    fn head(&self, partition: u16) -> Option<Head> {
        self.inner.head(partition)
    }

    fn source(&self) -> Arc<dyn FrameSource> {
        self.inner.source()
    }
}
