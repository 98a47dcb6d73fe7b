//! What a projection is, to who feeds, saves and rebuilds it.

use std::any::Any;

pub use actum_model::snapshot::SnapshotError as RestoreError;

use crate::{Recorded, Watermark};

/// A fold of the log that answers a question.
///
/// One thread feeds it at a time, many read it meanwhile, so it keeps its rows behind locks of its own that neither side holds
/// for long. What it answers depends on nothing but the events: no clock, no randomness, no order of a hash map.
pub trait Projection: Any + Send + Sync {
    /// Its stable name, by which checkpoints know it. Unique among the projections of an engine.
    fn name(&self) -> &'static str;

    /// Version of what it makes of events and of its saved form together: raise it when either changes. What was saved under
    /// another version is never restored; the projection is then folded from the log.
    fn version(&self) -> u32;

    /// Takes in the next event, of a case or of the system. Total: an event that it does not care for, or that makes no sense to
    /// it, changes nothing. The watermark is moved by who feeds it.
    fn apply(&self, recorded: &Recorded<'_>);

    /// Takes in several events, in their order. Overridden where that is faster than one after the other; never different.
    fn apply_all(&self, batch: &[Recorded<'_>]) {
        batch.iter().for_each(|recorded| self.apply(recorded));
    }

    /// All that it holds, as bytes. Canonical: the same history gives the same bytes. Without the watermark.
    fn snapshot(&self) -> Vec<u8>;

    /// Takes over what [`Projection::snapshot`] gave, into a projection that has taken in nothing yet. Total on any bytes: it
    /// reserves no more memory than the bytes pay for.
    ///
    /// # Errors
    /// The bytes are no snapshot of this version. The projection is then of no further use.
    fn restore(&self, bytes: &[u8]) -> Result<(), RestoreError>;

    /// Events of different streams may come in any order, also from several threads at once, as long as those of one stream
    /// come in theirs. Then it can be rebuilt in parallel.
    fn by_stream(&self) -> bool {
        false
    }

    /// Up to where it is true.
    fn watermark(&self) -> &Watermark;
}

impl dyn Projection {
    /// Takes in the next events of the log and moves the watermark past them.
    pub fn feed(&self, batch: &[Recorded<'_>]) {
        let Some(last) = batch.last() else { return };
        self.watermark().begin(last.meta.seq);
        self.apply_all(batch);
        self.watermark().reach(last.meta.seq);
    }
}
