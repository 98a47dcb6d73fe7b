//! A projection folded anew from the log beside the one that runs, then put in its place.

use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock};
use std::thread;

use actum_log::{APPLICATION_KIND_FIRST, FrameSource, ReadError, StoredRecord, records};
use actum_model::{ActorId, CaseEvent, CaseId, Event, Meta, NetHash, Seq, Time, payload};
use actum_projections::{Projection, RecordedEvent};
use crossbeam_channel::{Receiver, Sender, bounded};
use rustc_hash::FxHashMap;

use crate::engine::Engine;
use crate::error::chain;
use crate::views::{Views, waits};

/// Records that go from the thread that reads to one that folds at once.
const PARCEL_RECORDS: usize = 512;
/// Parcels on their way to each: bounds memory.
const PARCELS_MAX: usize = 8;
/// Threads that fold at most; more wait for the one that reads.
const THREADS_MAX: usize = 8;
/// With so few events behind, feeding is held up for the rest: some milliseconds.
const GAP_MAX: u64 = 4_096;

/// Why a projection was not rebuilt. The one that runs goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RebuildError {
    /// The engine has none of this type.
    #[error("the engine has no such projection")]
    NotFound,
    /// The log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log has several partitions, which a projection cannot be rebuilt from yet.
    #[error("a projection cannot be rebuilt from a log of {0} partitions")]
    Partitions(u16),
    /// The engine is ending.
    #[error("the engine ended")]
    Closed,
}

impl Engine {
    /// Folds a projection anew from the log, while the old one goes on being fed and read, then puts it in the old one's place and
    /// returns it. On several threads if it goes [by stream](Projection::by_stream). Who waits on the old one is let go.
    ///
    /// # Errors
    /// When the engine has no such projection, or the log cannot be read.
    pub async fn rebuild<P: Projection>(&self) -> Result<Arc<P>, RebuildError> {
        if self.partitions() > 1 {
            return Err(RebuildError::Partitions(self.partitions()));
        }
        let running = self.projection::<P>().ok_or(RebuildError::NotFound)?;
        let (source, views) = (self.inner.source.clone(), self.inner.views.clone());
        tokio::task::spawn_blocking(move || rebuild(&*source, &views, running.name()))
            .await
            .unwrap_or(Err(RebuildError::Closed))?;
        self.projection().ok_or(RebuildError::NotFound)
    }
}

fn rebuild(source: &dyn FrameSource, views: &Views, name: &str) -> Result<(), RebuildError> {
    let projections = views.projections();
    let factory = projections.factories().iter().find(|factory| factory.name() == name);
    let new = factory.ok_or(RebuildError::NotFound)?.make();
    let count =
        if new.by_stream() { thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX) } else { 1 };
    let mut folders: Vec<Folder> = (0..count).map(|_| Folder::default()).collect();
    let reached = || projections.named(name).and_then(|running| running.watermark().seq()).map_or(0, |seq| seq.0 + 1);
    let mut next = 0;
    while reached().saturating_sub(next) > GAP_MAX {
        let until = reached();
        fold(source, views, &*new, &mut folders, next, until)?;
        next = until;
    }
    // Nothing is fed meanwhile, so that none is missed and none comes twice.
    let _feeding = views.hold_feeding();
    let until = reached();
    fold(source, views, &*new, &mut folders, next, until)?;
    if let Some(last) = until.checked_sub(1) {
        new.watermark().reach(Seq(last));
    }
    if let Some(old) = projections.replace(new) {
        old.watermark().end();
    }
    Ok(())
}

/// Folds the events from one seq until before another: this thread reads, each folder has one of its own and always the same streams.
fn fold(
    source: &dyn FrameSource,
    views: &Views,
    projection: &dyn Projection,
    folders: &mut [Folder],
    from: u64,
    until: u64,
) -> Result<(), ReadError> {
    if from >= until {
        return Ok(());
    }
    // The first that went wrong.
    let failed: OnceLock<ReadError> = OnceLock::new();
    thread::scope(|scope| {
        let failed = &failed;
        let mut parcels: Vec<Sender<Vec<StoredRecord>>> = Vec::new();
        for folder in folders.iter_mut() {
            let (parcel, arrived) = bounded(PARCELS_MAX);
            parcels.push(parcel);
            scope.spawn(move || {
                if let Err(error) = folder.run(&arrived, views, projection) {
                    failed.set(error).ok();
                }
            });
        }
        let read = distribute(source, &parcels, from, until);
        drop(parcels);
        if let Err(error) = read {
            failed.set(error).ok();
        }
    });
    failed.into_inner().map_or(Ok(()), Err)
}

/// Reads records and gives each to the folder of its stream.
fn distribute(
    source: &dyn FrameSource,
    parcels: &[Sender<Vec<StoredRecord>>],
    from: u64,
    until: u64,
) -> Result<(), ReadError> {
    let mut open: Vec<Vec<StoredRecord>> = parcels.iter().map(|_| Vec::with_capacity(PARCEL_RECORDS)).collect();
    for record in records(source, 0, from)? {
        let record = record?;
        let header = record.header();
        if header.seq >= until {
            break;
        }
        if header.kind < APPLICATION_KIND_FIRST {
            continue;
        }
        let folder = (header.stream % parcels.len() as u64) as usize;
        open[folder].push(record);
        if open[folder].len() == PARCEL_RECORDS {
            let full = std::mem::replace(&mut open[folder], Vec::with_capacity(PARCEL_RECORDS));
            if parcels[folder].send(full).is_err() {
                // It has said why it ended.
                return Ok(());
            }
        }
    }
    for (rest, parcel) in open.into_iter().zip(parcels) {
        parcel.send(rest).ok();
    }
    Ok(())
}

/// Decodes and folds the events of some streams.
#[derive(Default)]
struct Folder {
    /// The net of each open case.
    nets: FxHashMap<CaseId, NetHash>,
}

impl Folder {
    fn run(
        &mut self,
        arrived: &Receiver<Vec<StoredRecord>>,
        views: &Views,
        projection: &dyn Projection,
    ) -> Result<(), ReadError> {
        for parcel in arrived {
            let events: Vec<RecordedEvent> =
                parcel.iter().map(|record| self.decode(record, views)).collect::<Result<_, _>>()?;
            let batch: Vec<_> = events.iter().map(RecordedEvent::recorded).collect();
            projection.apply_all(&batch);
        }
        Ok(())
    }

    fn decode(&mut self, record: &StoredRecord, views: &Views) -> Result<RecordedEvent, ReadError> {
        let header = record.header();
        let at = |what: String| ReadError::Corrupt(format!("event {}: {what}", header.seq));
        let event =
            payload::decode(header.kind, header.schema, record.view().payload()).map_err(|error| at(chain(&error)))?;
        let meta = Meta {
            seq: Seq(header.seq),
            version: header.version,
            time: Time(header.time),
            actor: ActorId(header.actor),
            cause: header.cause.map(Seq),
        };
        let (mut net, mut is_waiting) = (NetHash::default(), false);
        if let Event::Case(event) = &event {
            let case = CaseId(header.stream);
            net = self.net_of(case, event).ok_or_else(|| at(format!("case {case} was not started")))?;
            is_waiting = views.net(net).is_some_and(|net| waits(&net, event));
        }
        let key = record.view().extensions().business_key().map(Into::into);
        Ok(RecordedEvent { stream: header.stream, kind: header.kind, meta, net, key, waits: is_waiting, event })
    }

    fn net_of(&mut self, case: CaseId, event: &CaseEvent) -> Option<NetHash> {
        if let CaseEvent::CaseStarted { net, .. } = event {
            self.nets.insert(case, *net);
            return Some(*net);
        }
        match self.nets.entry(case) {
            Entry::Occupied(net) if event.is_terminal() => Some(net.remove()),
            Entry::Occupied(net) => Some(*net.get()),
            Entry::Vacant(_) => None,
        }
    }
}
