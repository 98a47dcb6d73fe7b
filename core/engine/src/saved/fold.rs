//! Folds records into the deciding state and into projections: to open a log, and to save state of it.

use std::ops::ControlFlow;
use std::sync::Arc;

use actum_log::{
    FoldError, FoldOptions, Folded, FrameSource, ReadError, Record, Resume, SavedFile, fold_from, records_in,
};
use actum_model::{ActorId, CaseEvent, CaseId, Event, Meta, NetHash, Seq, Time, payload, snapshot};
use actum_projections::{Fact, OfCase, Projection, Recorded};

use crate::error::chain;
use crate::partition::stream;
use crate::passive::{Form, Past, RecallError, recall};
use crate::state::State;
use crate::views::waits;

/// Events that projections are fed at once.
const BATCH: usize = 256;
/// Bytes of records that go from the thread that hashes to the one that folds at once.
const PARCEL_BYTES: usize = 256 * 1024;
/// Parcels on their way between the two: so that neither waits for a short hold-up of the other.
const PARCELS_MAX: usize = 16;

/// A fold on its way.
pub(crate) struct Folding<'a> {
    pub(crate) state: State,
    /// Has the cases that `state` leaves out until an event is about them.
    pub(crate) older: Option<&'a SavedFile>,
    /// What is fed beside the state.
    pub(crate) projections: &'a [Arc<dyn Projection>],
    batch: Vec<Taken>,
    /// From where cases that rest come back; without it, they rest as bytes.
    past: Option<Past>,
}

/// An event that waits to be fed.
struct Taken {
    stream: u64,
    kind: u16,
    meta: Meta,
    event: Event,
    key: Option<Box<str>>,
    /// Of a case's event.
    net: NetHash,
    waits: bool,
}

impl Taken {
    fn recorded(&self) -> Recorded<'_> {
        let Taken { stream, kind, meta, event, key, net, waits } = self;
        match event {
            Event::Case(event) => {
                let (case, key) = (CaseId(*stream), key.as_deref());
                Recorded::of_case(*kind, meta, OfCase { case, net: *net, key, waits: *waits, event })
            }
            Event::System(event) => Recorded { stream: *stream, kind: *kind, meta, fact: Fact::System(event) },
        }
    }
}

impl<'a> Folding<'a> {
    pub(crate) fn new(state: State, older: Option<&'a SavedFile>, projections: &'a [Arc<dyn Projection>]) -> Self {
        Folding { state, older, projections, batch: Vec::with_capacity(BATCH), past: None }
    }

    /// Cases rest in the log that is folded.
    pub(crate) fn resting(self, past: Past) -> Self {
        Folding { past: Some(past), ..self }
    }

    /// Takes in the next record of the log.
    fn take(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        let header = record.header();
        if header.kind < actum_log::APPLICATION_KIND_FIRST {
            return Ok(());
        }
        let at = |what: String| ReadError::Corrupt(format!("event {}: {what}", header.seq));
        let event = payload::decode(header.kind, header.schema, record.payload()).map_err(|error| at(chain(&error)))?;
        let meta = Meta {
            seq: Seq(header.seq),
            version: header.version,
            time: Time(header.time),
            actor: ActorId(header.actor),
            cause: header.cause.map(Seq),
        };
        let key = record.extensions().business_key();
        if (header.stream < stream::SYSTEM) != matches!(event, Event::Case(_)) {
            return Err(at("it is in a stream of another kind".to_owned()));
        }
        let (mut net, mut is_waiting) = (NetHash::default(), false);
        let told = record.extensions().remote_cause();
        if let Some(origin) = told {
            self.state.told = Some(Seq(origin.seq));
        }
        if let Event::Case(event) = &event {
            if !self.state.seat.has(CaseId(header.stream)) {
                return Err(at(format!("case {} is another partition's", header.stream)));
            }
            net = self.net_of(CaseId(header.stream), event, &at)?;
            let known = self.state.nets.get(&net).ok_or_else(|| at(format!("the net {net} was not deployed")))?;
            // Signed, yet written by none of ours: everything after this may index the net.
            if !actum_kernel::fits(known, event) || header.terminal != event.is_terminal() {
                return Err(at(format!("it cannot happen in the net {}", known.name)));
            }
            is_waiting = waits(known, event);
        }
        self.state.apply(header.stream, key, &meta, &event).map_err(|error| at(error.to_string()))?;
        self.state.rest(self.past.as_ref().map_or(Form::AsBytes, |_| Form::InLog(header.seq + 1)));
        // What another partition told, projections have from that one.
        if !self.projections.is_empty() && told.is_none() {
            let key = key.map(Into::into);
            let (stream, kind) = (header.stream, header.kind);
            self.batch.push(Taken { stream, kind, meta, event, key, net, waits: is_waiting });
            if self.batch.len() == BATCH {
                self.feed();
            }
        }
        Ok(())
    }

    fn net_of(
        &mut self,
        case: CaseId,
        event: &CaseEvent,
        at: &impl Fn(String) -> ReadError,
    ) -> Result<NetHash, ReadError> {
        if let CaseEvent::CaseStarted { net, .. } = event {
            return Ok(*net);
        }
        recall(&mut self.state.cases, case, &self.state.nets, self.past.as_ref()).map_err(|error| match error {
            RecallError::Unreadable(why) => ReadError::Unavailable(why),
            RecallError::Damaged(why) => at(why),
        })?;
        if let Some(known) = self.state.cases.get(case) {
            return Ok(known.net);
        }
        let not_started = || at(format!("case {case} was not started"));
        let (name, version) = actum_kernel::saved::CASES;
        let saved = self.older.ok_or_else(not_started)?.entry(name, version, case.0);
        let saved = saved.map_err(|error| at(chain(&error)))?.ok_or_else(not_started)?;
        let known = snapshot::decode_case(&saved).map_err(|error| at(chain(&error)))?;
        let net = known.net;
        self.state.cases.insert(known);
        Ok(net)
    }

    fn feed(&mut self) {
        let batch: Vec<Recorded<'_>> = self.batch.iter().map(Taken::recorded).collect();
        self.projections.iter().for_each(|projection| projection.feed(&batch));
        self.batch.clear();
    }
}

/// On how many threads to fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// All on the caller's: beside others that have work to do.
    One,
    /// One hashes and checks, the other decodes and folds.
    Two,
}

/// Re-hashes and checks a partition's blocks from `from` on, to the end or to `until`, and folds their events. `None` when
/// `stop` said so.
pub(crate) fn fold_log<'a>(
    source: &dyn FrameSource,
    from: Resume,
    (options, until): (FoldOptions, Option<u64>),
    folding: Folding<'a>,
    threads: Threads,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<(Folded, Folding<'a>)>, ReadError> {
    match threads {
        Threads::One => fold_here(source, from, (options, until), folding, stop),
        Threads::Two => std::thread::scope(|scope| {
            let (parcels, to_fold) = crossbeam_channel::bounded::<Vec<u8>>(PARCELS_MAX);
            let folder = std::thread::Builder::new().name("actum-fold".to_owned()).spawn_scoped(scope, move || {
                let mut folding = folding;
                for parcel in to_fold {
                    for record in records_in(&parcel) {
                        folding.take(&record.map_err(|error| ReadError::Corrupt(chain(&error)))?)?;
                    }
                }
                folding.feed();
                Ok::<_, ReadError>(folding)
            })?;
            let mut parcel = Vec::with_capacity(PARCEL_BYTES);
            let folded = fold_from(source, from, options, until, |view| {
                parcel.extend_from_slice(view.record.bytes());
                if parcel.len() < PARCEL_BYTES {
                    return ControlFlow::Continue(());
                }
                let full = std::mem::replace(&mut parcel, Vec::with_capacity(PARCEL_BYTES + PARCEL_BYTES / 8));
                // Who folds ended early: it found something.
                if stop() || parcels.send(full).is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            parcels.send(parcel).ok();
            drop(parcels);
            let folding = folder.join().unwrap_or_else(|_| Err(ReadError::Unavailable("a thread ended".to_owned())));
            let folded = folded.map_err(of_fold)?;
            let folding = folding?;
            Ok(folded.resume.is_some().then_some((folded, folding)))
        }),
    }
}

fn fold_here<'a>(
    source: &dyn FrameSource,
    from: Resume,
    (options, until): (FoldOptions, Option<u64>),
    mut folding: Folding<'a>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Option<(Folded, Folding<'a>)>, ReadError> {
    let mut failed = None;
    let folded = fold_from(source, from, options, until, |view| match folding.take(&view.record) {
        Ok(()) if stop() => ControlFlow::Break(()),
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            failed = Some(error);
            ControlFlow::Break(())
        }
    });
    let folded = folded.map_err(of_fold)?;
    if let Some(error) = failed {
        return Err(error);
    }
    folding.feed();
    Ok(folded.resume.is_some().then_some((folded, folding)))
}

fn of_fold(error: FoldError) -> ReadError {
    match error {
        FoldError::Read(error) => error,
        FoldError::Corrupt { .. } => ReadError::Corrupt(chain(&error)),
        _ => ReadError::Tampered(chain(&error)),
    }
}
