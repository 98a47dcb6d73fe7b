//! Several partitions in one process: each is a machine of its own on its part of one log; what they share is said here.
//!
//! A case lives in one partition, which its id names ([`Seat`]). What concerns all cases (nets, people) is decided in partition 0, which
//! tells the others ([`tell`]); limits of the whole engine are counted together ([`Room`]). Knows nothing of how blocks are stored.

mod ask;
mod backlog;
mod room;
mod seat;
mod tell;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actum_projections::Watermark;
use crossbeam_channel::Sender;
use tokio::sync::watch;

use crate::request::Request;

pub(crate) use backlog::backlog;
pub(crate) use room::{Room, Share};
pub(crate) use seat::{OWNER, Seat, is_limited};
pub(crate) use tell::{Teller, Told};

/// Most partitions that an engine gives a new log: each has threads of its own.
pub(crate) const PARTITIONS_MAX: u16 = 64;

/// The ways to one partition.
pub(crate) struct Shard {
    /// From callers; bounded.
    pub(crate) requests: Sender<Request>,
    /// From handlers and from other partitions.
    pub(crate) inner: Sender<Request>,
    /// Tree size that is durable.
    pub(crate) durable: watch::Receiver<u64>,
    /// Up to where the projections have taken in its events.
    pub(crate) taken_in: Arc<Watermark>,
}

/// The ways to all partitions, in their order.
pub(crate) struct Shards {
    list: Vec<Shard>,
    /// Whose turn it is to get a case that may be anywhere.
    turn: AtomicU64,
}

impl Shards {
    pub(crate) fn new(list: Vec<Shard>) -> Self {
        Shards { list, turn: AtomicU64::new(0) }
    }

    /// Number of partitions.
    pub(crate) fn count(&self) -> u16 {
        self.list.len() as u16
    }

    /// The one that owns what concerns all.
    pub(crate) fn owner(&self) -> &Shard {
        &self.list[usize::from(OWNER)]
    }

    pub(crate) fn get(&self, partition: u16) -> Option<&Shard> {
        self.list.get(usize::from(partition))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Shard> {
        self.list.iter()
    }

    /// The next in turn.
    pub(crate) fn next(&self) -> u16 {
        (self.turn.fetch_add(1, Ordering::Relaxed) % u64::from(self.count())) as u16
    }
}
