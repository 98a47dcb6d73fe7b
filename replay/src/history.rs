//! A log as a history that projections are tested against.

use std::sync::Arc;

use actum_log::{FrameSource, StoredRecord, records};
use actum_model::{CaseEvent, Event, NetHash, SystemEvent};
use actum_net::Net;
use actum_projections::{History, RecordedEvent};
use rustc_hash::FxHashMap;

use crate::events::decode;
use crate::{Fact, ReplayError};

/// All events of a log (of a data directory's store, or of an archive through `ArchiveSource`) as projections see them. The log's own
/// records (blocks, keys, checkpoints) are left out, as engines leave them out. Checks no hash: verify the log first if it
/// matters. Only of its first partition, as long as engines have no more.
///
/// # Errors
/// When the log cannot be read.
pub fn history(source: &dyn FrameSource) -> Result<History, ReplayError> {
    let mut nets = Nets::default();
    records(source, 0, 0)?.map(|record| nets.recorded(&record?)).filter_map(Result::transpose).collect()
}

/// The nets of a log, and which each case runs.
#[derive(Default)]
struct Nets {
    by_hash: FxHashMap<NetHash, Arc<Net>>,
    by_stream: FxHashMap<u64, NetHash>,
}

impl Nets {
    fn recorded(&mut self, record: &StoredRecord) -> Result<Option<RecordedEvent>, ReplayError> {
        let logged = decode(0, &record.view())?;
        let header = record.header();
        let (stream, kind) = (header.stream, header.kind);
        let Fact::Event(event) = logged.fact else { return Ok(None) };
        let (mut net, mut waits) = (NetHash::default(), false);
        match &event {
            Event::System(SystemEvent::NetDeployed { net, canonical, .. }) => {
                let fail = |reason| ReplayError::Net { seq: logged.meta.seq, net: *net, reason };
                let compiled = Net::from_canonical(canonical).map_err(|error| fail(error.to_string()))?;
                self.by_hash.insert(*net, Arc::new(compiled));
            }
            Event::System(_) => {}
            Event::Case(event) => {
                if let CaseEvent::CaseStarted { net, .. } = event {
                    self.by_stream.insert(stream, *net);
                }
                net = self.by_stream.get(&stream).copied().unwrap_or_default();
                waits = self.by_hash.get(&net).is_some_and(|net| actum_kernel::waits(net, event));
            }
        }
        let key = logged.key.map(Into::into);
        Ok(Some(RecordedEvent { stream, kind, meta: logged.meta, net, key, waits, event }))
    }
}
