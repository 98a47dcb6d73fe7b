//! A whole log, read where it lies: any case at any point, all cases at any point.

use std::collections::BTreeMap;
use std::sync::Arc;

use actum_log::{APPLICATION_KIND_FIRST, EventReader, FrameKey, FrameSource, SharedRecord};
use actum_model::{ActorId, Case, CaseId, ItemId, Phase, Seq, Time};
use rustc_hash::FxHashMap;

use super::log_fold::{Ended, Open, Shard, Standing, apply, each_record, gather, on_threads, parsed, shard_of};
use super::{EVENTS_MAX, Story};
use crate::events::decode;
use crate::{At, LoggedEvent, Names, ReplayError, Stream};

/// Events that are decompressed together, by all threads, before they are applied: some ten megabytes.
const BATCH_EVENTS: u64 = 1 << 17;

/// How a timeline is made.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The partition it is of.
    pub partition: u16,
    /// Events between two checkpoints. Each holds what changed since the one before, and 16 bytes for each open case.
    pub checkpoint_every: u64,
    /// Events of one case after which its state is kept besides, so that long cases are reached as fast as short ones.
    pub case_checkpoint_every: u64,
    /// Threads that fold, streams shared out among them.
    pub threads: usize,
    /// Bytes of decoded chunks that are kept.
    pub cache_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            partition: 0,
            checkpoint_every: 1_000_000,
            case_checkpoint_every: 1_024,
            threads: 2,
            cache_bytes: 64 << 20,
        }
    }
}

/// The past of a partition. Any number of threads may ask it.
pub struct Timeline {
    source: Arc<dyn FrameSource>,
    reader: EventReader,
    options: Options,
    names: Arc<Names>,
    /// Ascending; the last is as of the end.
    checkpoints: Vec<Arc<Checkpoint>>,
    /// Part of the cases each, by [`shard_of`].
    ended: Arc<Vec<FxHashMap<CaseId, Ended>>>,
    long: Vec<FxHashMap<CaseId, Vec<Arc<Case>>>>,
}

/// The open cases of a log as they were after its first events, saved somewhere.
pub trait SavedCases {
    /// After how many events.
    fn size(&self) -> u64;

    /// Gives each case that had begun and not ended.
    ///
    /// # Errors
    /// They cannot be read; what was given before is not used.
    fn cases(&self, each: &mut dyn FnMut(Case)) -> Result<(), ReplayError>;
}

/// All open cases after the events before `end`.
#[derive(Debug)]
struct Checkpoint {
    end: u64,
    open: Vec<Open>,
}

impl std::fmt::Debug for Timeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timeline")
            .field("end", &self.end())
            .field("checkpoints", &self.checkpoints.len())
            .finish_non_exhaustive()
    }
}

impl Timeline {
    /// Reads a log once, from its beginning to its end as of now. Nothing is verified.
    ///
    /// # Errors
    /// The log cannot be read, or an event does not decode.
    pub fn open(source: Arc<dyn FrameSource>, options: Options) -> Result<Self, ReplayError> {
        Self::open_with(source, options, &[])
    }

    /// The same, with states that were saved before: up to each of them, only the ends of cases are read. A saved state that lies
    /// further than two checkpoints from the one before it is not used, or a state between would take too long.
    ///
    /// What is saved is believed; that it is the log's own is for the caller to know. Long cases have no states of their own then: such
    /// a case is reached by its events since the saved state.
    ///
    /// # Errors
    /// As of [`Timeline::open`]; and a saved state cannot be read.
    pub fn open_with(
        source: Arc<dyn FrameSource>,
        options: Options,
        saved: &[&dyn SavedCases],
    ) -> Result<Self, ReplayError> {
        let options = Options {
            checkpoint_every: options.checkpoint_every.max(1),
            case_checkpoint_every: options.case_checkpoint_every.max(1),
            threads: options.threads.clamp(1, 64),
            ..options
        };
        let partition = options.partition;
        let end = end_of(&*source, partition)?;
        let mut names = Names::default();
        let mut shards: Vec<Shard> = (0..options.threads).map(|_| Shard::default()).collect();
        let mut checkpoints = Vec::new();
        let mut from = 0;
        while from < end {
            let far = from.saturating_add(options.checkpoint_every.saturating_mul(2));
            let next = saved.iter().filter(|saved| saved.size() > from && saved.size() <= end.min(far));
            let next = next.min_by_key(|saved| saved.size());
            let to = next.map_or(end.min(from.saturating_add(options.checkpoint_every)), |next| next.size());
            let threads = options.threads;
            if next.is_some() {
                on_threads(&mut shards, |index, shard| shard.ends(&*source, partition, from..to, (index, threads)))?;
                // Nets and people are in it all the same.
                let parts = gather(&*source, partition, &(from..to), threads, |_| false)?;
                parts.iter().flat_map(|part| &part.system).try_for_each(|logged| names.learn(logged))?;
            }
            let mut at = if next.is_some() { to } else { from };
            while at < to {
                let batch = at..to.min(at.saturating_add(BATCH_EVENTS));
                let parts = gather(&*source, partition, &batch, threads, |_| true)?;
                parts.iter().flat_map(|part| &part.system).try_for_each(|logged| names.learn(logged))?;
                let long_every = options.case_checkpoint_every;
                on_threads(&mut shards, |index, shard| shard.fold(&parts, (index, threads), long_every))?;
                at = batch.end;
            }
            if let Some(next) = next {
                shards.iter_mut().for_each(|shard| shard.open.clear());
                next.cases(&mut |case| {
                    shards[shard_of(case.id, options.threads)].open.insert(case.id, Arc::new(case));
                })?;
            }
            let open = shards.iter().map(|shard| shard.open.clone()).collect();
            checkpoints.push(Arc::new(Checkpoint { end: to, open }));
            from = to;
        }
        let (ended, long): (Vec<_>, Vec<_>) = shards.into_iter().map(|shard| (shard.ended, shard.long)).unzip();
        let ended = Arc::new(ended);
        let reader = EventReader::new(source.clone(), options.cache_bytes);
        Ok(Timeline { source, reader, options, names: Arc::new(names), checkpoints, ended, long })
    }

    /// Position after its last event.
    #[must_use]
    pub fn end(&self) -> Seq {
        Seq(self.checkpoints.last().map_or(0, |checkpoint| checkpoint.end))
    }

    /// Names as of its end.
    #[must_use]
    pub fn names(&self) -> &Arc<Names> {
        &self.names
    }

    /// The newest event up to and with a time.
    ///
    /// # Errors
    /// Nothing had happened then, or the log cannot be read.
    pub fn seq_at(&self, time: Time) -> Result<Seq, ReplayError> {
        let after = self.reader.seq_at_time(self.options.partition, time.0.saturating_add(1))?;
        after.min(self.end().0).checked_sub(1).map(Seq).ok_or_else(|| {
            let first = self.event(Seq(0)).ok().flatten().map(|event| format!("the log begins at {}", event.meta.time));
            ReplayError::NoPoint { at: time.to_string(), why: first.unwrap_or_else(|| "the log is empty".to_owned()) }
        })
    }

    /// An event; `None` beyond the end.
    ///
    /// # Errors
    /// It cannot be read or does not decode.
    pub fn event(&self, seq: Seq) -> Result<Option<LoggedEvent>, ReplayError> {
        let record = self.reader.event(self.options.partition, seq.0)?;
        record.map(|record| decode(self.options.partition, &record.view())).transpose()
    }

    /// A case as it was at a point. Reads the events of the case since a kept state: a thousand at most, of whatever log.
    ///
    /// # Errors
    /// There is no such case, it had not begun there, or neither log nor case reaches there.
    pub fn case_at(&self, case: CaseId, at: At) -> Result<Arc<Case>, ReplayError> {
        let seq = match at {
            At::Seq(seq) => self.within(case, seq)?,
            At::Time(time) => self.seq_at(time)?,
            At::Version(version) => return self.case_at_version(case, version),
        };
        let shard = shard_of(case, self.options.threads);
        let long = self.long[shard].get(&case).map_or(&[][..], Vec::as_slice);
        let above = self.checkpoints.partition_point(|checkpoint| checkpoint.end <= seq.0);
        let long_above = long.partition_point(|state| state.last_seq <= seq);
        let kept = above.checked_sub(1).and_then(|below| self.checkpoints[below].open[shard].get(&case));
        let kept_long = long_above.checked_sub(1).map(|below| &long[below]);
        let kept = kept.into_iter().chain(kept_long).max_by_key(|state| state.last_seq);
        let tips = [
            self.checkpoints
                .get(above)
                .and_then(|checkpoint| checkpoint.open[shard].get(&case))
                .map(|case| case.last_seq),
            long.get(long_above).map(|state| state.last_seq),
            self.ended[shard].get(&case).map(|ended| ended.last_seq),
        ];
        let Some(tip) = tips.into_iter().flatten().min().or(kept.map(|kept| kept.last_seq)) else {
            return Err(self.no_case(case));
        };
        match kept {
            Some(kept) if kept.last_seq == tip => Ok(kept.clone()),
            kept => self.fold_back(case, tip, seq, kept),
        }
    }

    /// Walks back from one of a case's events to a kept state or to its first event, then forwards again up to `seq`.
    fn fold_back(&self, id: CaseId, tip: Seq, seq: Seq, kept: Option<&Arc<Case>>) -> Result<Arc<Case>, ReplayError> {
        let mut records: Vec<SharedRecord> = Vec::new();
        let mut first = tip;
        for record in self.reader.stream_newest_first(self.options.partition, id.0, tip.0) {
            let record = record?;
            let at = Seq(record.header().seq);
            if kept.is_some_and(|kept| at <= kept.last_seq) {
                break;
            }
            first = at;
            if at <= seq {
                records.push(record);
            }
        }
        if records.is_empty() && kept.is_none() {
            let why = format!("it began at {first}");
            return Err(ReplayError::NoState { case: id, at: seq.to_string(), why });
        }
        let mut case = kept.map_or_else(|| Case::unborn(id), |kept| Case::clone(kept));
        for record in records.iter().rev() {
            apply(&mut case, record.header(), &record.view())?;
        }
        Ok(Arc::new(case))
    }

    fn case_at_version(&self, case: CaseId, version: u64) -> Result<Arc<Case>, ReplayError> {
        let (tip, newest) = self.tip(case)?;
        if version == 0 || version > newest {
            let why = format!("its newest version is @v{newest}");
            return Err(ReplayError::NoState { case, at: At::Version(version).to_string(), why });
        }
        // The kept state above is nearer than the end.
        let long = self.long[shard_of(case, self.options.threads)].get(&case).map_or(&[][..], Vec::as_slice);
        let above = long.partition_point(|state| state.version < version);
        let from = long.get(above).map_or(tip, |state| state.last_seq);
        for record in self.reader.stream_newest_first(self.options.partition, case.0, from.0) {
            let record = record?;
            if record.header().version == version {
                return self.case_at(case, At::Seq(Seq(record.header().seq)));
            }
        }
        Err(self.no_case(case))
    }

    /// A case's newest event, and how many it has.
    fn tip(&self, case: CaseId) -> Result<(Seq, u64), ReplayError> {
        let shard = shard_of(case, self.options.threads);
        if let Some(ended) = self.ended[shard].get(&case) {
            return Ok((ended.last_seq, ended.version));
        }
        let newest = self.checkpoints.last().and_then(|checkpoint| checkpoint.open[shard].get(&case));
        newest.map(|case| (case.last_seq, case.version)).ok_or_else(|| self.no_case(case))
    }

    /// A case's whole past.
    ///
    /// # Errors
    /// There is no such case, it has more than [`EVENTS_MAX`] events, or they cannot be read.
    pub fn story(&self, case: CaseId) -> Result<Story, ReplayError> {
        let (tip, count) = self.tip(case)?;
        if count > EVENTS_MAX as u64 {
            return Err(ReplayError::TooLong { case, most: EVENTS_MAX });
        }
        let partition = self.options.partition;
        let mut events = Vec::new();
        for record in self.reader.stream_newest_first(partition, case.0, tip.0) {
            events.push(decode(partition, &record?.view())?);
        }
        events.reverse();
        let net = events.iter().find_map(|logged| match logged.of_case() {
            Some((_, actum_model::CaseEvent::CaseStarted { net, .. })) => self.names.net(*net).cloned(),
            _ => None,
        });
        Ok(Story::new(case, events, net, self.names.clone(), Seq(self.end().0.saturating_sub(1))))
    }

    /// All cases as they were after the event at a position.
    ///
    /// # Errors
    /// The log does not reach there, or cannot be read.
    pub fn at(&self, seq: Seq) -> Result<LogState, ReplayError> {
        if seq >= self.end() {
            let why = self
                .end()
                .0
                .checked_sub(1)
                .map_or_else(|| "the log is empty".to_owned(), |last| format!("the log ends at {last}"));
            return Err(ReplayError::NoPoint { at: seq.to_string(), why });
        }
        let above = self.checkpoints.partition_point(|checkpoint| checkpoint.end <= seq.0);
        let base = above.checked_sub(1).map(|below| self.checkpoints[below].clone());
        let from = base.as_ref().map_or(0, |base| base.end);
        let threads = self.options.threads;
        let mut changed: Vec<Changed> = (0..threads).map(|_| Changed::default()).collect();
        let around = Around { base, above: self.checkpoints[above].clone(), ended: self.ended.clone(), origin: seq };
        let stretch = from..seq.0 + 1;
        let parts = gather(&*self.source, self.options.partition, &stretch, threads, |case| around.must_fold(case))?;
        on_threads(&mut changed, |index, changed| {
            for (id, bytes) in parts.iter().flat_map(|part| part.of_shard(index, threads)) {
                let case = changed.0.entry(id).or_insert_with(|| Now::Folded(Box::new(around.before(id))));
                let record = parsed(bytes)?;
                if let Now::Folded(case) = case {
                    apply(case, record.header(), &record)?;
                }
            }
            Ok(())
        })?;
        Ok(LogState { seq, around, changed })
    }

    /// Takes in the event after a state, and gives it; `None` at the end.
    ///
    /// # Errors
    /// It cannot be read or does not decode.
    pub fn forward(&self, state: &mut LogState) -> Result<Option<LoggedEvent>, ReplayError> {
        let next = Seq(state.seq.0 + 1);
        if next >= self.end() {
            return Ok(None);
        }
        let Some(record) = self.reader.event(self.options.partition, next.0)? else { return Ok(None) };
        if let Some(id) =
            Stream::of(record.header().stream).case().filter(|_| record.header().kind >= APPLICATION_KIND_FIRST)
        {
            let mut case = match self.standing(state, id) {
                Some(Standing::Open(case)) => Case::clone(&case),
                _ => Case::unborn(id),
            };
            apply(&mut case, record.header(), &record.view())?;
            let now = if record.header().terminal { Now::Gone } else { Now::Folded(Box::new(case)) };
            state.changed[shard_of(id, self.options.threads)].0.insert(id, now);
        }
        state.seq = next;
        decode(self.options.partition, &record.view()).map(Some)
    }

    /// Goes back before the event that led to a state, and gives it; `None` at the beginning.
    ///
    /// # Errors
    /// As of [`Timeline::at`].
    pub fn back(&self, state: &mut LogState) -> Result<Option<LoggedEvent>, ReplayError> {
        let Some(before) = state.seq.0.checked_sub(1) else { return Ok(None) };
        let undone = self.event(state.seq)?;
        // Mostly the same cases are open: only the one that the event is about goes back.
        match undone.as_ref().and_then(|event| event.stream.case()) {
            Some(id) => {
                let now = match self.case_at(id, At::Seq(Seq(before))) {
                    Ok(case) => Now::Kept(case),
                    // It began with that event.
                    Err(_) => Now::Gone,
                };
                state.changed[shard_of(id, self.options.threads)].0.insert(id, now);
                state.seq = Seq(before);
            }
            None => state.seq = Seq(before),
        }
        Ok(undone)
    }

    /// How a case stood in a state; `None` if it had not begun.
    #[must_use]
    pub fn standing(&self, state: &LogState, case: CaseId) -> Option<Standing> {
        let shard = shard_of(case, self.options.threads);
        let open = match state.changed[shard].0.get(&case) {
            Some(Now::Folded(case)) => Some(Arc::new(Case::clone(case))),
            Some(Now::Kept(case)) => Some(case.clone()),
            Some(Now::Gone) => None,
            None => state.around.unchanged(case).cloned(),
        };
        let ended = || self.ended[shard].get(&case).filter(|ended| ended.last_seq <= state.seq);
        open.map(Standing::Open).or_else(|| ended().copied().map(Standing::Ended))
    }

    fn within(&self, case: CaseId, seq: Seq) -> Result<Seq, ReplayError> {
        if seq < self.end() {
            return Ok(seq);
        }
        let why = format!("the log ends at {}", self.end().0.saturating_sub(1));
        Err(ReplayError::NoState { case, at: seq.to_string(), why })
    }

    fn no_case(&self, case: CaseId) -> ReplayError {
        let ended: usize = self.ended.iter().map(FxHashMap::len).sum();
        let open: usize = self.checkpoints.last().map_or(0, |last| last.open.iter().map(FxHashMap::len).sum());
        let there = format!("the log has {} cases, {open} of them open", ended + open);
        ReplayError::NoCase { wanted: case.to_string(), there }
    }
}

/// What is known of all cases around a point, without the events between.
#[derive(Debug, Clone)]
struct Around {
    /// The checkpoint before.
    base: Option<Arc<Checkpoint>>,
    /// The one after.
    above: Arc<Checkpoint>,
    ended: Arc<Vec<FxHashMap<CaseId, Ended>>>,
    /// The point.
    origin: Seq,
}

impl Around {
    fn shard(&self, case: CaseId) -> usize {
        shard_of(case, self.ended.len())
    }

    fn has_ended(&self, case: CaseId) -> bool {
        self.ended[self.shard(case)].get(&case).is_some_and(|ended| ended.last_seq <= self.origin)
    }

    /// The case is at the next checkpoint as it was at the point.
    fn kept(&self, case: CaseId) -> Option<&Arc<Case>> {
        self.above.open[self.shard(case)].get(&case).filter(|above| above.last_seq <= self.origin)
    }

    /// Of cases that ended by then, or that did not change until the next checkpoint, no event need be applied.
    fn must_fold(&self, case: CaseId) -> bool {
        self.kept(case).is_none() && !self.has_ended(case)
    }

    fn before(&self, case: CaseId) -> Case {
        let before = self.base.as_ref().and_then(|base| base.open[self.shard(case)].get(&case));
        before.map_or_else(|| Case::unborn(case), |before| Case::clone(before))
    }

    /// An open case at the point, if no event between is about it.
    fn unchanged(&self, case: CaseId) -> Option<&Arc<Case>> {
        let base = || self.base.as_ref().and_then(|base| base.open[self.shard(case)].get(&case));
        self.kept(case).or_else(|| base().filter(|_| !self.has_ended(case)))
    }
}

/// Cases whose state is not as [`Around::unchanged`] says.
#[derive(Debug, Clone, Default)]
struct Changed(FxHashMap<CaseId, Now>);

#[derive(Debug, Clone)]
enum Now {
    Folded(Box<Case>),
    /// As a kept state has it.
    Kept(Arc<Case>),
    /// It ended, or had not begun.
    Gone,
}

/// All cases of a partition at a point. Shares what it can with the timeline's checkpoints.
#[derive(Debug, Clone)]
pub struct LogState {
    seq: Seq,
    around: Around,
    changed: Vec<Changed>,
}

impl LogState {
    /// The newest event.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Every open case, in no order.
    pub fn open(&self) -> impl Iterator<Item = &Case> {
        let around = &self.around;
        let is_changed = |case: &CaseId| self.changed[around.shard(*case)].0.contains_key(case);
        // Those that are at the next checkpoint as they were, then those that are as they were at the one before.
        let kept = around.above.open.iter().flatten().filter(|(_, case)| case.last_seq <= around.origin);
        let old = around.base.iter().flat_map(|base| base.open.iter().flatten());
        let old = old.filter(|(id, _)| around.must_fold(**id));
        let unchanged = kept.chain(old).filter(move |(id, _)| !is_changed(id)).map(|(_, case)| &**case);
        let changed = self.changed.iter().flat_map(|changed| changed.0.values());
        unchanged.chain(changed.filter_map(|now| match now {
            Now::Folded(case) => Some(&**case),
            Now::Kept(case) => Some(&**case),
            Now::Gone => None,
        }))
    }

    /// Who holds what in all cases.
    #[must_use]
    pub fn holdings(&self) -> BTreeMap<ActorId, Vec<(CaseId, ItemId, Phase)>> {
        let mut all: BTreeMap<ActorId, Vec<(CaseId, ItemId, Phase)>> = BTreeMap::new();
        for case in self.open() {
            for (actor, items) in super::holdings::holdings(case) {
                all.entry(actor).or_default().extend(items.into_iter().map(|(item, phase)| (case.id, item, phase)));
            }
        }
        all.values_mut().for_each(|items| items.sort_unstable());
        all
    }
}

/// Position after the last event of a partition.
fn end_of(source: &dyn FrameSource, partition: u16) -> Result<u64, ReplayError> {
    if let Some(head) = source.head(partition)? {
        return Ok(head.size);
    }
    let Some(last) = source.frame_at_or_before(FrameKey::last(partition))? else { return Ok(0) };
    // The last frame may be a block's or a proof's: its records lie before it.
    let (mut end, from) = (0, last.key.seq);
    each_record(source, partition, from..u64::MAX, |header, _| {
        end = end.max(header.seq.saturating_add(1));
        Ok(())
    })?;
    Ok(end.max(from.saturating_add(1)))
}
