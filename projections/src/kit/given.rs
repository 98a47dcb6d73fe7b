//! Histories by hand: given these events, when somebody decides, then those.

use std::collections::BTreeMap;

use actum_model::{ActorId, Case, CaseEvent, CaseId, Event, Meta, NetHash, Seq, SystemEvent, Time, payload};

use crate::{History, RecordedEvent};

/// Where the clock of a history by hand begins: 2030-01-01, in nanoseconds.
const BEGIN: Time = Time(1_893_456_000_000_000_000);
/// How far the clock goes with each event, unless told otherwise.
const STEP_NS: u64 = 1_000_000_000;

/// Builds a history, event by event: seqs, versions and times are given out as a log would.
#[derive(Debug, Clone)]
pub struct Given {
    net: NetHash,
    actor: ActorId,
    now: Time,
    step_ns: u64,
    waits: bool,
    versions: BTreeMap<u64, u64>,
    cases: BTreeMap<CaseId, Case>,
    nets: BTreeMap<CaseId, NetHash>,
    history: History,
    /// Where the events of the last `when` begin.
    when: usize,
}

impl Given {
    /// An empty history; cases run `net` until [`Given::net`] says otherwise.
    #[must_use]
    pub fn new(net: NetHash) -> Self {
        Given {
            net,
            actor: ActorId::ENGINE,
            now: BEGIN,
            step_ns: STEP_NS,
            waits: false,
            versions: BTreeMap::new(),
            cases: BTreeMap::new(),
            nets: BTreeMap::new(),
            history: History::default(),
            when: 0,
        }
    }

    /// Cases that begin from now on run another net.
    #[must_use]
    pub fn net(mut self, net: NetHash) -> Self {
        self.net = net;
        self
    }

    /// What happens from now on, this actor causes.
    #[must_use]
    pub fn by(mut self, actor: ActorId) -> Self {
        self.actor = actor;
        self
    }

    /// So much time passes, in nanoseconds.
    #[must_use]
    pub fn after(mut self, ns: u64) -> Self {
        self.now = Time(self.now.0.saturating_add(ns));
        self
    }

    /// The clock goes on by so much with each event, instead of by a second.
    #[must_use]
    pub fn step(mut self, ns: u64) -> Self {
        self.step_ns = ns;
        self
    }

    /// The next events leave their items waiting for something outside; see [`OfCase::waits`](crate::OfCase::waits).
    #[must_use]
    pub fn waiting(mut self, waits: bool) -> Self {
        self.waits = waits;
        self
    }

    /// Events that begin a case with a business key.
    #[must_use]
    pub fn case(mut self, case: CaseId, key: &str, events: impl IntoIterator<Item = CaseEvent>) -> Self {
        let mut key = Some(key);
        for event in events {
            self.push_case(case, key.take(), event);
        }
        self
    }

    /// Events of a case.
    #[must_use]
    pub fn given(mut self, case: CaseId, events: impl IntoIterator<Item = CaseEvent>) -> Self {
        events.into_iter().for_each(|event| self.push_case(case, None, event));
        self
    }

    /// An event of the system.
    #[must_use]
    pub fn system(mut self, stream: u64, event: SystemEvent) -> Self {
        self.push(stream, None, Event::System(event));
        self
    }

    /// What somebody decides in a case, from its state as it is now: with the kernel, `decide(&net, case, &command, &context)`.
    #[must_use]
    pub fn when(mut self, case: CaseId, decide: impl FnOnce(&Case) -> Vec<CaseEvent>) -> Self {
        self.when = self.history.events().len();
        let events = decide(self.cases.get(&case).unwrap_or(&Case::unborn(case)));
        events.into_iter().for_each(|event| self.push_case(case, None, event));
        self
    }

    /// Checks what the last [`Given::when`] made happen.
    ///
    /// # Panics
    /// It is something else: this is for tests.
    #[must_use]
    #[track_caller]
    pub fn then(self, expected: &[CaseEvent]) -> Self {
        let is_case = |event: &RecordedEvent| match &event.event {
            Event::Case(event) => Some(event.clone()),
            Event::System(_) => None,
        };
        let happened: Vec<CaseEvent> = self.history.events()[self.when..].iter().filter_map(is_case).collect();
        assert_eq!(happened, expected, "what happened is not what was expected");
        self
    }

    /// All that happened.
    #[must_use]
    pub fn history(self) -> History {
        self.history
    }

    fn push_case(&mut self, case: CaseId, key: Option<&str>, event: CaseEvent) {
        if let CaseEvent::CaseStarted { net, .. } = &event {
            self.nets.insert(case, *net);
        }
        self.push(case.0, key, Event::Case(event));
    }

    fn push(&mut self, stream: u64, key: Option<&str>, event: Event) {
        let version = self.versions.entry(stream).or_default();
        *version += 1;
        let meta = Meta {
            seq: Seq(self.history.events().len() as u64),
            version: *version,
            time: self.now,
            actor: self.actor,
            cause: None,
        };
        if let Event::Case(event) = &event {
            self.cases.entry(CaseId(stream)).or_insert_with(|| Case::unborn(CaseId(stream))).apply(&meta, event);
        }
        let net = self.nets.get(&CaseId(stream)).copied().unwrap_or(self.net);
        let (kind, key) = (payload::encode(&event).kind, key.map(Into::into));
        self.history.push(RecordedEvent { stream, kind, meta, net, key, waits: self.waits, event });
        self.now = Time(self.now.0.saturating_add(self.step_ns));
    }
}
