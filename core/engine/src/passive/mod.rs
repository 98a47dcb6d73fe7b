//! Cases that have not ended: the newest touched as they are, the others in fewer bytes, most of them in eight.
//!
//! A case that nothing is under way for may rest. First it is kept as bytes, a third of what it takes otherwise. When there are more
//! of those than shall be resident, those that were touched longest ago leave memory: what stays is where their last event is. Whatever
//! is about such a case brings it back from the log: its events are read from the last to the first, and applied again. So nothing
//! is kept that could differ from the log. Who decides never sees that a case rested.

mod bring_back;
mod index;
mod recall;

use std::collections::VecDeque;

use actum_kernel::{Effect, pending_effects};
use actum_model::snapshot::{SnapshotError, decode_case, encode_case};
use actum_model::{Attempts, Case, CaseId, CaseStatus, Control, Phase, Seq};
use actum_net::Net;
use rustc_hash::FxHashMap;

use crate::timers::Timer;
use index::Index;

pub(crate) use recall::{Past, RecallError, recall};

/// A case with more events is kept as bytes: to bring one back never costs more than reading so many events.
const RECALL_EVENTS_MAX: u64 = 512;
/// Cases that are looked at when one is to rest: so that many with work under way hold nobody up.
const LOOKS_MAX: usize = 32;
/// Numbers of ended cases in the queue are dropped when so many more are there than cases.
const QUEUE_SLACK: usize = 1_024;

/// Cases that are kept as they are, at most: those that come back soon need not be decoded.
const AS_THEY_ARE_MAX: usize = 16_384;

/// How cases rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As bytes; and those beyond what shall be resident as the place of their last event, if that is before this size of the log.
    InLog(u64),
    /// All as bytes, in memory.
    AsBytes,
}

/// What stays of a case that rests.
#[derive(Debug)]
pub(crate) enum Resting {
    /// Its last event.
    At(Seq),
    /// [`encode_case`].
    Bytes(Box<[u8]>),
}

/// Cases that have not ended.
#[derive(Debug)]
pub(crate) struct OpenCases {
    /// As they are.
    resident: FxHashMap<CaseId, Box<Case>>,
    /// Those, each once, with its last event when it was put here; and some that ended. The first was touched longest ago.
    queue: VecDeque<(CaseId, Seq)>,
    /// Those that are in the log only.
    index: Index,
    bytes: FxHashMap<CaseId, (Seq, Box<[u8]>)>,
    /// Of those, each that may leave memory, with its last event; and some that have come back. The first was put here longest ago.
    leaving: VecDeque<(CaseId, Seq)>,
    /// Timers of cases that rest; while a log is folded, when nobody else has them.
    timers: Option<FxHashMap<CaseId, Box<[Timer]>>>,
    resident_max: usize,
}

impl Default for OpenCases {
    fn default() -> Self {
        OpenCases {
            resident: FxHashMap::default(),
            queue: VecDeque::new(),
            index: Index::default(),
            bytes: FxHashMap::default(),
            leaving: VecDeque::new(),
            timers: Some(FxHashMap::default()),
            resident_max: usize::MAX,
        }
    }
}

impl OpenCases {
    /// At most so many are resident, as far as the others may rest.
    pub(crate) fn keep_resident(&mut self, at_most: usize) {
        self.resident_max = at_most;
    }

    /// All, also those that rest.
    pub(crate) fn len(&self) -> usize {
        self.resident.len() + self.index.len() + self.bytes.len()
    }

    /// One that is kept as it is.
    pub(crate) fn get(&self, id: CaseId) -> Option<&Case> {
        self.resident.get(&id).map(|case| &**case)
    }

    /// One that is kept as it is, or a new one. It must not rest.
    pub(crate) fn begin(&mut self, id: CaseId) -> &mut Case {
        debug_assert!(!self.rests(id), "case {id} is to be brought back before an event of it is applied");
        let queue = &mut self.queue;
        self.resident.entry(id).or_insert_with(|| {
            queue.push_back((id, Seq(0)));
            Box::new(Case::unborn(id))
        })
    }

    /// One that was read elsewhere.
    pub(crate) fn insert(&mut self, case: Case) {
        self.queue.push_back((case.id, case.last_seq));
        self.resident.insert(case.id, Box::new(case));
    }

    /// It ended.
    pub(crate) fn remove(&mut self, id: CaseId) {
        self.resident.remove(&id);
        if self.queue.len() > 2 * self.resident.len() + QUEUE_SLACK {
            let resident = &self.resident;
            self.queue.retain(|(id, _)| resident.contains_key(id));
        }
    }

    /// Those that are kept as they are, in no order: all that something is under way for are among them.
    pub(crate) fn residents(&self) -> impl Iterator<Item = &Case> {
        self.resident.values().map(|case| &**case)
    }

    /// Whether it is there, and rests.
    pub(crate) fn rests(&self, id: CaseId) -> bool {
        self.index.get(id).is_some() || self.bytes.contains_key(&id)
    }

    /// What stays of one that rests.
    pub(crate) fn resting(&self, id: CaseId) -> Option<Resting> {
        let bytes = || self.bytes.get(&id).map(|(_, bytes)| Resting::Bytes(bytes.clone()));
        self.index.get(id).map(Resting::At).or_else(bytes)
    }

    /// One that rested is kept as it is again.
    pub(crate) fn come_back(&mut self, case: Case) {
        if self.index.remove(case.id).is_none() {
            self.bytes.remove(&case.id);
        }
        if let Some(timers) = &mut self.timers {
            timers.remove(&case.id);
        }
        self.insert(case);
    }

    /// Lets those rest that were touched longest ago, until no more are kept than should be, or for now none of those that are looked
    /// at may rest.
    pub(crate) fn rest(&mut self, form: Form, may_rest: impl Fn(&Case) -> bool) {
        self.lay_down_some(form, may_rest);
        if let Form::InLog(size) = form {
            self.let_leave(size);
        }
    }

    fn lay_down_some(&mut self, form: Form, may_rest: impl Fn(&Case) -> bool) {
        for _ in 0..LOOKS_MAX {
            if self.resident.len() <= self.resident_max.min(AS_THEY_ARE_MAX) {
                return;
            }
            let Some((id, seen)) = self.queue.pop_front() else { return };
            let Some(case) = self.resident.get(&id) else { continue };
            if case.last_seq != seen || !may_rest(case) {
                self.queue.push_back((id, case.last_seq));
                continue;
            }
            if let Some(case) = self.resident.remove(&id) {
                self.lay_down(&case, form);
            }
        }
    }

    fn lay_down(&mut self, case: &Case, form: Form) {
        if let Some(timers) = &mut self.timers {
            let own: Box<[Timer]> = timers_of(case).collect();
            if !own.is_empty() {
                timers.insert(case.id, own);
            }
        }
        self.bytes.insert(case.id, (case.last_seq, bytes_of(case)));
        if form != Form::AsBytes && case.version <= RECALL_EVENTS_MAX {
            self.leaving.push_back((case.id, case.last_seq));
        }
        if self.leaving.len() > 2 * self.bytes.len() + QUEUE_SLACK {
            let is_there = |(id, last): &(CaseId, Seq)| self.bytes.get(id).is_some_and(|(seq, _)| seq == last);
            self.leaving.retain(is_there);
        }
    }

    /// Of those that are kept as bytes, as many leave memory as are too many.
    fn let_leave(&mut self, size: u64) {
        for _ in 0..LOOKS_MAX {
            if self.resident.len() + self.bytes.len() <= self.resident_max {
                return;
            }
            let Some((id, last)) = self.leaving.pop_front() else { return };
            if self.bytes.get(&id).is_none_or(|(seq, _)| *seq != last) {
                continue;
            }
            if last.0 >= size {
                // It is not durable yet, nor are most of those after it.
                return self.leaving.push_front((id, last));
            }
            if self.index.insert(id, last) {
                self.bytes.remove(&id);
            }
        }
    }

    /// Timers of those that rest, once: then somebody else has them.
    pub(crate) fn take_timers(&mut self) -> impl Iterator<Item = Timer> + use<> {
        let timers = self.timers.take().unwrap_or_default();
        timers.into_values().flat_map(<[Timer]>::into_vec)
    }

    /// All that have their state here, as bytes, ascending. None of those that rest in the log.
    pub(crate) fn encoded(&self) -> impl Iterator<Item = (CaseId, Box<[u8]>)> {
        let mut ids: Vec<CaseId> = self.resident.keys().chain(self.bytes.keys()).copied().collect();
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| {
            let resident = || self.resident.get(&id).map(|case| bytes_of(case));
            Some((id, self.bytes.get(&id).map(|(_, bytes)| bytes.clone()).or_else(resident)?))
        })
    }
}

fn bytes_of(case: &Case) -> Box<[u8]> {
    let mut bytes = Vec::new();
    encode_case(case, &mut bytes);
    bytes.into()
}

/// The case that bytes in memory are of.
pub(crate) fn case_of(bytes: &[u8]) -> Result<Case, SnapshotError> {
    decode_case(bytes)
}

/// All timers that a case has: its own, those of its items, and the ends of rests.
pub(crate) fn timers_of(case: &Case) -> impl Iterator<Item = Timer> {
    let control = &case.control;
    let own = control.items.iter().filter_map(|item| Some((item.id, item.timer?)));
    let retries = control.attempts().into_iter().flat_map(Attempts::items);
    let retries = retries.filter_map(|one| Some((one.item, one.at?)));
    let deadline = control.deadline().map(|at| (Timer::OF_CASE, at));
    let rests = control.rests().iter().map(|rest| (rest.item.unwrap_or(Timer::OF_CASE), rest.until));
    own.chain(retries).chain(deadline).chain(rests).map(|(item, at)| Timer { at, case: case.id, item })
}

/// Whether nothing is under way in a case: no call runs or waits or is planned, and its timers (which stay set) can be told of
/// without looking at it.
pub(crate) fn may_rest(net: &Net, case: &Case) -> bool {
    let Control { status, suspended, items, .. } = &case.control;
    let is_at_rest =
        *status != CaseStatus::Open || *suspended || items.iter().any(|item| item.phase == Phase::Suspended);
    let plans = |control: &Control| {
        let attempts = control.attempts().into_iter().flat_map(Attempts::items);
        attempts.into_iter().any(|one| one.at.is_some())
    };
    let must_be_looked_at = is_at_rest && timers_of(case).next().is_some();
    let is_called = || pending_effects(net, case).any(|effect| matches!(effect, Effect::Invoke { .. }));
    !(must_be_looked_at || plans(&case.control) || is_called())
}

#[cfg(test)]
mod tests {
    use super::*;
    use actum_model::{ActorId, CaseEvent, Meta, NetHash, Time};

    fn started(id: u64, seq: u64) -> Case {
        let mut case = Case::unborn(CaseId(id));
        let meta = Meta { seq: Seq(seq), version: 1, time: Time(seq), actor: ActorId(1), cause: None };
        let event =
            CaseEvent::CaseStarted { net: NetHash::default(), semantics: 1, changes: Vec::new(), produced: Vec::new() };
        case.apply(&meta, &event);
        case
    }

    fn ids(cases: &OpenCases) -> Vec<u64> {
        let mut ids: Vec<u64> = cases.residents().map(|case| case.id.0).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn those_that_were_touched_longest_ago_rest_once_they_are_durable() {
        let mut cases = OpenCases::default();
        cases.keep_resident(2);
        (1..=4).for_each(|id| cases.insert(started(id, id * 10)));
        cases.begin(CaseId(1)).last_seq = Seq(50);
        cases.rest(Form::InLog(10), |case| case.id != CaseId(3));
        assert_eq!(ids(&cases), [1, 3], "one was touched, one has work under way");
        assert!(matches!(cases.resting(CaseId(2)), Some(Resting::Bytes(_))), "none is durable");
        cases.rest(Form::InLog(30), |_| false);
        assert_eq!(cases.len(), 4);
        assert!(matches!(cases.resting(CaseId(2)), Some(Resting::At(Seq(20)))));
        assert!(matches!(cases.resting(CaseId(4)), Some(Resting::Bytes(_))), "it is not durable");
        cases.come_back(started(2, 20));
        assert!(!cases.rests(CaseId(2)) && cases.len() == 4);
    }

    #[test]
    fn one_with_a_long_past_stays_as_bytes() {
        let mut cases = OpenCases::default();
        cases.keep_resident(0);
        let mut long = started(7, 9_000);
        long.version = RECALL_EVENTS_MAX + 1;
        cases.insert(long.clone());
        cases.insert(started(6, 9_001));
        cases.rest(Form::InLog(10_000), |_| true);
        let Some(Resting::Bytes(bytes)) = cases.resting(CaseId(7)) else { panic!("it is kept as bytes") };
        assert_eq!(case_of(&bytes), Ok(long));
        assert_eq!(cases.encoded().map(|(id, _)| id.0).collect::<Vec<_>>(), [7], "the other is in the log");
    }

    #[test]
    fn the_queue_forgets_those_that_ended() {
        let mut cases = OpenCases::default();
        for id in 1..=10 * QUEUE_SLACK as u64 {
            cases.insert(started(id, id));
            cases.remove(CaseId(id));
        }
        assert!(cases.queue.len() <= QUEUE_SLACK + 1);
    }
}
