//! Folds stretches of a log into the states of its open cases, streams shared out among threads.

use std::sync::Arc;

use actum_log::{APPLICATION_KIND_FIRST, FrameKey, FrameSource, FrameType, Header, ReadError, records_in};
use actum_model::{ActorId, Case, CaseId, CaseStatus, Event, Meta, Seq, Time, payload};
use rustc_hash::FxHashMap;

use crate::events::decode;
use crate::{LoggedEvent, ReplayError, Stream};

/// A case that ended. Its state is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub status: CaseStatus,
    /// Its last event.
    pub last_seq: Seq,
    /// How many events it has.
    pub version: u64,
    /// When it ended.
    pub time: Time,
}

/// How a case stands at a point.
#[derive(Debug, Clone)]
pub enum Standing {
    /// It had begun and not ended.
    Open(Arc<Case>),
    /// It had ended.
    Ended(Ended),
}

pub(super) type Open = FxHashMap<CaseId, Arc<Case>>;

/// Which shard a case belongs to.
pub(super) fn shard_of(case: CaseId, shards: usize) -> usize {
    (case.0 % shards.max(1) as u64) as usize
}

/// Hands out the headers and payloads of a stretch of a partition, in order, decompressing each chunk once.
///
/// # Errors
/// The log cannot be read or does not decode; or whatever `take` says.
pub(super) fn each_record(
    source: &dyn FrameSource,
    partition: u16,
    stretch: std::ops::Range<u64>,
    mut take: impl FnMut(&Header, &actum_log::Record<'_>) -> Result<(), ReplayError>,
) -> Result<(), ReplayError> {
    if stretch.is_empty() {
        return Ok(());
    }
    let wanted = FrameKey { partition, seq: stretch.start, kind: FrameType::Chunk };
    let first = source.frame_at_or_before(wanted)?.filter(|frame| frame.key.kind == FrameType::Chunk);
    let from = FrameKey { seq: first.map_or(stretch.start, |frame| frame.key.seq), ..wanted };
    let (mut bytes, mut after) = (Vec::new(), Seq(stretch.start));
    for frame in source.frames(from)? {
        let frame = frame?;
        if frame.key.kind != FrameType::Chunk {
            continue;
        }
        if frame.key.seq >= stretch.end {
            break;
        }
        bytes.clear();
        let corrupt = |error: &dyn std::fmt::Display| ReadError::Corrupt(format!("at seq {}: {error}", frame.key.seq));
        frame.decode_into(&mut bytes).map_err(|error| corrupt(&error))?;
        for record in records_in(&bytes) {
            let record = record.map_err(|source| ReplayError::Record { after, source })?;
            after = Seq(record.header().seq);
            if stretch.contains(&after.0) {
                take(record.header(), &record)?;
            }
        }
    }
    Ok(())
}

/// Applies one event to a case.
pub(super) fn apply(case: &mut Case, header: &Header, record: &actum_log::Record<'_>) -> Result<(), ReplayError> {
    let seq = Seq(header.seq);
    let event = payload::decode(header.kind, header.schema, record.payload())
        .map_err(|source| ReplayError::Payload { seq, source })?;
    if let Event::Case(event) = event {
        case.apply(&meta(header), &event);
    }
    Ok(())
}

pub(super) fn meta(header: &Header) -> Meta {
    Meta {
        seq: Seq(header.seq),
        version: header.version,
        time: Time(header.time),
        actor: ActorId(header.actor),
        cause: header.cause.map(Seq),
    }
}

/// The case that a record is about, if it is one of a shard.
pub(super) fn case_of(header: &Header, shard: usize, shards: usize) -> Option<CaseId> {
    let case = Stream::of(header.stream).case().filter(|_| header.kind >= APPLICATION_KIND_FIRST)?;
    (shard_of(case, shards) == shard).then_some(case)
}

/// Part of all cases: what is learnt in reading the log once.
#[derive(Debug, Default)]
pub(super) struct Shard {
    pub(super) open: Open,
    pub(super) ended: FxHashMap<CaseId, Ended>,
    /// States of long cases, each after a fixed number of events.
    pub(super) long: FxHashMap<CaseId, Vec<Arc<Case>>>,
}

impl Shard {
    /// Takes in what was gathered of a stretch.
    pub(super) fn fold(
        &mut self,
        parts: &[Part],
        (shard, shards): (usize, usize),
        long_every: u64,
    ) -> Result<(), ReplayError> {
        for (id, bytes) in parts.iter().flat_map(|part| part.of_shard(shard, shards)) {
            let record = parsed(bytes)?;
            let header = record.header();
            let case = self.open.entry(id).or_insert_with(|| Arc::new(Case::unborn(id)));
            // What a checkpoint holds is copied before it changes.
            apply(Arc::make_mut(case), header, &record)?;
            if header.version.is_multiple_of(long_every) {
                self.long.entry(id).or_default().push(case.clone());
            }
            if header.terminal {
                let (status, version) = (case.control.status, case.version);
                let ended = Ended { status, last_seq: Seq(header.seq), version, time: Time(header.time) };
                self.open.remove(&id);
                self.ended.insert(id, ended);
            }
        }
        Ok(())
    }
}

/// Records of cases, gathered from a stretch of a log.
#[derive(Debug, Default)]
pub(super) struct Part {
    bytes: Vec<u8>,
    /// Of each: its case, and where its bytes end.
    records: Vec<(CaseId, usize)>,
    /// What introduces nets and people.
    pub(super) system: Vec<LoggedEvent>,
}

impl Part {
    /// The records of a shard's cases, in order.
    pub(super) fn of_shard(&self, shard: usize, shards: usize) -> impl Iterator<Item = (CaseId, &[u8])> {
        let begins = std::iter::once(0).chain(self.records.iter().map(|(_, end)| *end));
        let records = begins.zip(&self.records).map(|(begin, (case, end))| (*case, &self.bytes[begin..*end]));
        records.filter(move |(case, _)| shard_of(*case, shards) == shard)
    }
}

/// A record that was gathered.
pub(super) fn parsed(bytes: &[u8]) -> Result<actum_log::Record<'_>, ReplayError> {
    let record = actum_log::Record::split_first(bytes).map(|(record, _)| record);
    record.map_err(|source| ReplayError::Record { after: Seq(0), source })
}

/// Gathers the records of some cases from a stretch, each thread from a part of it: every chunk is decompressed once.
pub(super) fn gather(
    source: &dyn FrameSource,
    partition: u16,
    stretch: &std::ops::Range<u64>,
    threads: usize,
    wanted: impl Fn(CaseId) -> bool + Sync,
) -> Result<Vec<Part>, ReplayError> {
    let events = stretch.end.saturating_sub(stretch.start);
    let at = |index: usize| stretch.start + events * index as u64 / threads.max(1) as u64;
    let mut parts: Vec<Part> = (0..threads.max(1)).map(|_| Part::default()).collect();
    on_threads(&mut parts, |index, part| {
        // The few cases of a stretch are asked about once each: the tables behind `wanted` may be large.
        let mut asked: FxHashMap<CaseId, bool> = FxHashMap::default();
        each_record(source, partition, at(index)..at(index + 1), |header, record| {
            match Stream::of(header.stream) {
                Stream::Case(case) if header.kind >= APPLICATION_KIND_FIRST => {
                    if !*asked.entry(case).or_insert_with(|| wanted(case)) {
                        return Ok(());
                    }
                    part.bytes.extend_from_slice(record.bytes());
                    part.records.push((case, part.bytes.len()));
                }
                Stream::Nets | Stream::Directory => part.system.push(decode(partition, record)?),
                _ => {}
            }
            Ok(())
        })
    })?;
    Ok(parts)
}

impl Shard {
    /// Takes in of a stretch only which cases ended: of the others, the state at its end is known.
    pub(super) fn ends(
        &mut self,
        source: &dyn FrameSource,
        partition: u16,
        stretch: std::ops::Range<u64>,
        (shard, shards): (usize, usize),
    ) -> Result<(), ReplayError> {
        each_record(source, partition, stretch, |header, record| {
            let Some(id) = case_of(header, shard, shards).filter(|_| header.terminal) else { return Ok(()) };
            // The last event alone says how a case ended.
            let mut last = Case::unborn(id);
            apply(&mut last, header, record)?;
            let (status, version) = (last.control.status, header.version);
            self.ended.insert(id, Ended { status, last_seq: Seq(header.seq), version, time: Time(header.time) });
            Ok(())
        })
    }
}

/// Runs `work` for each shard, on a thread each.
///
/// # Errors
/// The first that any of them has.
pub(super) fn on_threads<S: Send, T: Send>(
    shards: &mut [S],
    work: impl Fn(usize, &mut S) -> Result<T, ReplayError> + Sync,
) -> Result<Vec<T>, ReplayError> {
    if let [only] = shards {
        return Ok(vec![work(0, only)?]);
    }
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> =
            shards.iter_mut().enumerate().map(|(index, shard)| scope.spawn(move || work(index, shard))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    })
}
