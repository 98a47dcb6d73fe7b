//! Lawfulness: whether every recorded transition was allowed, by the net and the semantics that its case pinned.
//!
//! Beyond what hashes and seals can show: a log that an engine with a fault wrote, or somebody with the right key, is whole and
//! signed, and may still say what never can have happened. [`Lawful`] takes the events of a log one by one, and holds each against
//! the state before it: a relation of its own, which never asks the kernel what it would decide. `LAW.md` in this room lists the
//! rules, and what is not looked at.
//!
//! Pure, in one pass; keeps the state of cases that have not ended, and what happened in the newest decision of each.

mod allocation;
mod cause;
mod data;
mod exception;
mod judge;
mod or_join;
mod owed;
mod report;
mod rule;
mod run;
mod stop;
mod system;
#[cfg(test)]
mod tests;
mod time;
mod tokens;
mod view;
mod who;
mod work;

pub use report::{Finding, Report};
pub use rule::Law;

use std::sync::Arc;

use actum_kernel::resource::{Glance, Standing};
use actum_model::{CaseEvent, CaseId, Directory, Event, Meta, NetHash, Seq, SystemEvent, Time};
use actum_net::Net;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{Fact, LoggedEvent, Names, Stream};
use rule::{Broken, must};
use run::{Around, Run};

/// Most findings that are kept unless one says otherwise; all are counted.
pub const FINDINGS_MAX: usize = 100;

/// Judges a log event by event. A copy can be asked for its report while the log goes on.
#[derive(Debug, Clone)]
pub struct Lawful {
    findings_max: usize,
    directory: Directory,
    standing: Standing,
    /// What a decision changes in `standing`: known to the next one.
    staged: Vec<(NetHash, Glance, actum_model::Control, Meta, CaseEvent)>,
    nets: FxHashMap<NetHash, Arc<Net>>,
    cases: FxHashMap<CaseId, Run>,
    /// Cases that are not judged any further: they were unlawful.
    given_up: FxHashSet<CaseId>,
    /// The newest case of each partition: numbers are given once, ascending.
    newest: FxHashMap<u16, CaseId>,
    /// How many events each stream of the system has.
    streams: FxHashMap<(u16, Stream), u64>,
    /// The newest record, and the time of the newest that is no block.
    last: Option<(u16, Seq, Time, Option<Time>)>,
    report: Report,
}

impl Default for Lawful {
    fn default() -> Self {
        Self::new(FINDINGS_MAX)
    }
}

impl Lawful {
    /// Keeps at most so many findings, and counts the others.
    #[must_use]
    pub fn new(findings_max: usize) -> Self {
        Lawful {
            findings_max,
            directory: Directory::default(),
            standing: Standing::default(),
            staged: Vec::new(),
            nets: FxHashMap::default(),
            cases: FxHashMap::default(),
            given_up: FxHashSet::default(),
            newest: FxHashMap::default(),
            streams: FxHashMap::default(),
            last: None,
            report: Report::default(),
        }
    }

    /// Judges the next event of the log. `names` are those as of that event.
    pub fn take(&mut self, logged: LoggedEvent, names: &Names) {
        self.report.events += 1;
        let (seq, meta, stream) = (logged.meta.seq, logged.meta, logged.stream);
        let exact = self.is_exact(&logged);
        let judged = self.in_order(&logged);
        self.note(seq, stream.case(), judged);
        match logged.fact {
            Fact::Event(Event::System(event)) => {
                let judged = self.system(&event, names);
                self.note(seq, None, judged);
                self.directory.apply_at(seq, &event);
            }
            Fact::Event(Event::Case(event)) => {
                if let Stream::Case(case) = stream {
                    self.case(logged.partition, case, meta, event, exact);
                } else {
                    let why = "an event about a case is in a stream of the system".to_owned();
                    self.note(seq, None, Err(Broken(Law::Order, why)));
                }
            }
            Fact::Unknown => self.report.unchecked("an event of the log's own that this version does not know"),
            Fact::Block(_) | Fact::KeyRotated(_) | Fact::KeyRevoked { .. } | Fact::Checkpoint { .. } => {}
        }
    }

    /// A net was deployed whose canonical form is not one, or has another hash. Nothing after it can be read.
    pub fn take_false_net(&mut self, seq: Seq, why: &str) {
        self.report.events += 1;
        self.note(seq, None, Err(Broken(Law::Net, why.to_owned())));
    }

    /// The log is at its end: what cases that have not ended leave undone is looked at, too.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let mut open: Vec<CaseId> = self.cases.keys().copied().collect();
        open.sort_unstable();
        for id in open {
            let Some(mut run) = self.cases.remove(&id) else { continue };
            let (seq, time) = (run.case.last_seq, run.case.changed);
            let actor = actum_model::ActorId::ENGINE;
            let meta = Meta { seq, version: run.case.version, time, actor, cause: None };
            let around = Around { directory: &self.directory, standing: &self.standing, exact: false };
            let judged = run.settle(around, &meta);
            self.looked(seq, id, "", judged);
        }
        self.report
    }

    /// How many cases are not over.
    #[must_use]
    pub fn open_cases(&self) -> usize {
        self.cases.len()
    }

    /// Whether a clock that went back cannot have shown another time than is recorded.
    fn is_exact(&self, logged: &LoggedEvent) -> bool {
        let same_partition = self.last.filter(|(partition, ..)| *partition == logged.partition);
        // A block has the time of its first event, and the clock that it names was read when it was closed.
        same_partition.and_then(|(.., shown)| shown).is_none_or(|shown| logged.meta.time > shown)
    }

    fn in_order(&mut self, logged: &LoggedEvent) -> Result<(), Broken> {
        let (seq, time) = (logged.meta.seq, logged.meta.time);
        let before = self.last.filter(|(partition, ..)| *partition == logged.partition);
        let shown = match &logged.fact {
            Fact::Block(_) => before.and_then(|(.., shown)| shown),
            _ => Some(time),
        };
        self.last = Some((logged.partition, seq, time, shown));
        // Of a case, its own state knows.
        let version = match logged.stream {
            Stream::Case(_) => logged.meta.version,
            stream => self.streams.insert((logged.partition, stream), logged.meta.version).unwrap_or(0) + 1,
        };
        if let Some((_, last, before, _)) = before {
            must(seq > last, Law::Order, || format!("event {seq} comes after event {last}"))?;
            must(time >= before, Law::Time, || format!("it happened at {time}, and the event before it at {before}"))?;
        }
        must(logged.meta.version == version, Law::Order, || {
            format!("it is number {} of its stream, where number {version} comes next", logged.meta.version)
        })?;
        must(logged.meta.cause.is_none_or(|cause| cause < seq), Law::Cause, || "its cause comes later".to_owned())
    }

    fn system(&mut self, event: &SystemEvent, names: &Names) -> Result<(), Broken> {
        match event {
            SystemEvent::NetDeployed { net, name, .. } => {
                let known = names
                    .net(*net)
                    .cloned()
                    .ok_or_else(|| Broken(Law::Net, format!("the net {name} is not what its hash says")))?;
                must(known.name == *name, Law::Net, || format!("the net is called {}, not {name}", known.name))?;
                self.nets.insert(*net, known);
                Ok(())
            }
            SystemEvent::ActorRegistered { .. }
            | SystemEvent::ActorRolesChanged { .. }
            | SystemEvent::Organisation(_) => system::directory(&self.directory, event),
            SystemEvent::SchemaDescribed { .. }
            | SystemEvent::EngineOpened { .. }
            | SystemEvent::LogRestored { .. } => Ok(()),
            SystemEvent::Breaker(_) => self.skip("circuit breakers"),
            SystemEvent::Saved(_) => self.skip("saved states"),
            SystemEvent::Message(_) => self.skip("messages: who was to receive them"),
            SystemEvent::Start(_) => self.skip("starts by the clock that were left out or refused"),
            _ => self.skip("events of the system that this version does not know"),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "one answer for all kinds of events")]
    fn skip(&mut self, what: &'static str) -> Result<(), Broken> {
        self.report.unchecked(what);
        Ok(())
    }

    fn case(&mut self, partition: u16, id: CaseId, meta: Meta, event: CaseEvent, exact: bool) {
        if self.given_up.contains(&id) {
            self.report.passed_over += 1;
            return;
        }
        let mut run = match (self.cases.remove(&id), &event) {
            (Some(run), _) => run,
            (None, CaseEvent::CaseStarted { net, .. }) if meta.version == 1 && self.is_new(partition, id) => {
                match self.nets.get(net) {
                    Some(net) => {
                        self.report.cases += 1;
                        Run::new(id, net.clone())
                    }
                    None => {
                        return self.note(
                            meta.seq,
                            Some(id),
                            Err(Broken(Law::Net, "its net was never deployed".to_owned())),
                        );
                    }
                }
            }
            (None, _) => {
                let why =
                    if meta.version == 1 { "no case begins like this" } else { "the case has ended, or never began" };
                return self.note(meta.seq, Some(id), Err(Broken(Law::Status, why.to_owned())));
            }
        };
        let kind = kind(&event);
        let glance = Glance::at(&run.case.control, &event);
        let moves = moves_people(&glance, &meta, &event).then(|| event.clone());
        let is_terminal = event.is_terminal();
        if follows_nothing(&run, &meta) {
            self.know();
        }
        let around = Around { directory: &self.directory, standing: &self.standing, exact };
        let judged = run.take(around, &meta, event);
        let is_lawful = judged.is_ok();
        self.looked(meta.seq, id, kind, judged);
        if !is_lawful {
            return;
        }
        if let Some(event) = moves {
            self.staged.push((run.case.net, glance, run.case.control.clone(), meta, event));
        }
        if is_terminal {
            let settled = run.settle(Around { directory: &self.directory, standing: &self.standing, exact }, &meta);
            self.looked(meta.seq, id, kind, settled);
        } else {
            self.cases.insert(id, run);
        }
    }

    fn is_new(&mut self, partition: u16, id: CaseId) -> bool {
        self.newest.insert(partition, id).is_none_or(|newest| newest < id)
    }

    /// What people have is known from the next decision on.
    fn know(&mut self) {
        for (net, glance, after, meta, event) in self.staged.drain(..) {
            self.standing.apply(net, &glance, &after, &meta, &event);
        }
    }

    fn looked(&mut self, seq: Seq, case: CaseId, kind: &'static str, judged: work::Looked) {
        match judged {
            Ok(true) => {}
            Ok(false) => self.report.unchecked(unchecked(kind)),
            Err(broken) => self.note(seq, Some(case), Err(broken)),
        }
    }

    fn note(&mut self, seq: Seq, case: Option<CaseId>, judged: Result<(), Broken>) {
        let Err(Broken(law, sentence)) = judged else { return };
        if let Some(case) = case {
            if !self.given_up.insert(case) {
                return;
            }
            self.cases.remove(&case);
        }
        self.report.unlawful += 1;
        if self.report.findings.len() < self.findings_max {
            self.report.findings.push(Finding { seq, case, law, sentence });
        }
    }
}

/// The event begins a decision, as far as its place and time tell.
fn follows_nothing(run: &Run, meta: &Meta) -> bool {
    let is_next = run.case.last_seq.0.checked_add(1) == Some(meta.seq.0);
    !is_next || meta.time != run.case.changed || meta.cause.is_none_or(|cause| cause < run.case.last_seq)
}

/// The event changes what people have or did.
fn moves_people(before: &Glance, meta: &Meta, event: &CaseEvent) -> bool {
    let gives = matches!(event, CaseEvent::WorkAllocated { .. } | CaseEvent::WorkDelegated { .. });
    let done = matches!(event, CaseEvent::WorkCompleted { .. }) && meta.actor != actum_model::ActorId::ENGINE;
    gives || done || *before != Glance::default()
}

fn kind(event: &CaseEvent) -> &'static str {
    match event {
        CaseEvent::WorkRetryScheduled { .. } => "WorkRetryScheduled",
        CaseEvent::WorkDeadLettered { .. } => "WorkDeadLettered",
        CaseEvent::WorkShed { .. } => "WorkShed",
        CaseEvent::CompensationNoted { .. } => "CompensationNoted",
        CaseEvent::CompensationBegun { .. } => "CompensationBegun",
        CaseEvent::WorkCompensating { .. } => "WorkCompensating",
        CaseEvent::SavepointReached { .. } => "SavepointReached",
        CaseEvent::SavepointRestored { .. } => "SavepointRestored",
        _ => "",
    }
}

/// What is said of what was not looked at.
fn unchecked(kind: &'static str) -> &'static str {
    match kind {
        "WorkRetryScheduled" => "WorkRetryScheduled: whether and when policies plan another attempt",
        "WorkDeadLettered" => "WorkDeadLettered: whether policies give an item up",
        "WorkShed" => "WorkShed: whether a limit or a breaker refuses a call",
        "CompensationNoted" => "CompensationNoted: that done work can be undone",
        "CompensationBegun" => "CompensationBegun: what is undone",
        "WorkCompensating" => "WorkCompensating: what is undone next",
        "SavepointReached" => "SavepointReached: what a savepoint keeps",
        "SavepointRestored" => "SavepointRestored: what a savepoint brings back",
        _ => "token games at OR-joins that would take too long, or while work is undone",
    }
}
