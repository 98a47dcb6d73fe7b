//! The state of a case as it was.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use actum_model::{ActorId, Case, CaseEvent, CaseId, ItemId, Meta, Seq, TaskIx, Time};
use actum_net::Net;

use crate::{Events, LoggedEvent, Names, Numbered, ReplayError};

/// How one names a case: by its number, or by its business key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseRef {
    /// Its number.
    Number(CaseId),
    /// The key it was started with.
    Key(String),
}

impl FromStr for CaseRef {
    type Err = std::convert::Infallible;

    /// A number is a number; everything else is a key.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.parse().map_or_else(|_| CaseRef::Key(text.to_owned()), |number| CaseRef::Number(CaseId(number))))
    }
}

impl fmt::Display for CaseRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CaseRef::Number(case) => case.fmt(f),
            CaseRef::Key(key) => write!(f, "with the key {key}"),
        }
    }
}

impl CaseRef {
    /// Whether an event is the first of the case that is meant.
    #[must_use]
    pub fn begins_with(&self, logged: &LoggedEvent) -> bool {
        match self {
            CaseRef::Number(case) => logged.stream.case() == Some(*case),
            CaseRef::Key(key) => logged.key.as_ref() == Some(key) && logged.stream.case().is_some(),
        }
    }
}

/// A point in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After the event at this position.
    Seq(Seq),
    /// After this many events of the case.
    Version(u64),
    /// After everything up to and with this time.
    Time(Time),
}

impl FromStr for At {
    type Err = NotAPoint;

    fn from_str(text: &str) -> Result<Self, NotAPoint> {
        if let Some(version) = text.strip_prefix("@v") {
            return version.parse().ok().filter(|version| *version > 0).map(At::Version).ok_or(NotAPoint);
        }
        if let Ok(seq) = text.parse() {
            return Ok(At::Seq(Seq(seq)));
        }
        let json = serde_json::json!({ "$time": text });
        match actum_model::json::from_json(&json) {
            Ok(actum_model::Value::Time(time)) => Ok(At::Time(time)),
            _ => Err(NotAPoint),
        }
    }
}

/// The text is no point in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a position in the log (`120`), a version of the case (`@v3`) or a time (`2026-01-05T09:30:00Z`)")]
pub struct NotAPoint;

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Seq(seq) => seq.fmt(f),
            At::Version(version) => write!(f, "@v{version}"),
            At::Time(time) => time.fmt(f),
        }
    }
}

/// Work that was completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// The item.
    pub item: ItemId,
    /// Its task.
    pub task: TaskIx,
    /// Who completed it.
    pub actor: ActorId,
    /// When.
    pub time: Time,
    /// Where in the log.
    pub seq: Seq,
    /// Which event of the case.
    pub version: u64,
}

impl Done {
    /// What an event completed.
    pub(crate) fn of(meta: &Meta, event: &CaseEvent) -> Option<Self> {
        let CaseEvent::WorkCompleted { item, task, .. } = *event else { return None };
        Some(Done { item, task, actor: meta.actor, time: meta.time, seq: meta.seq, version: meta.version })
    }
}

/// A case as it was at a point, with what its ordinals mean.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CaseView {
    /// The state.
    pub case: Case,
    /// Its business key.
    pub key: Option<String>,
    /// Its net.
    pub net: Option<Arc<Net>>,
    /// Why it ended, when it was cancelled or failed.
    pub reason: Option<String>,
    /// Failures of items that are failed now: item, code and message.
    pub failures: Vec<(ItemId, String, String)>,
    /// Work that was completed so far, oldest first.
    pub done: Vec<Done>,
    /// Names as of the end of what was read.
    pub names: Arc<Names>,
}

/// The state of a case at a point; with `None` as of the end of the log. Reads `events` to their end.
///
/// # Errors
/// There is no such case, or it has no state at that point; or an event is an error.
pub fn state_at<I>(events: &mut Events<I>, wanted: &CaseRef, at: Option<At>) -> Result<CaseView, ReplayError>
where
    I: Iterator<Item = Numbered>,
{
    let mut seen = Seen::default();
    let mut found: Option<(Fold, Vec<Done>)> = None;
    let (mut key, mut net) = (None, None);
    while let Some(logged) = events.next() {
        let logged = logged?;
        seen.take(&logged, wanted);
        let Some((id, event)) = logged.of_case().filter(|(id, _)| seen.meant.first() == Some(id)) else { continue };
        seen.last_version = logged.meta.version;
        if at.is_none_or(|at| reaches(at, &logged.meta)) {
            let (fold, done) = found.get_or_insert_with(|| (Fold::unborn(id), Vec::new()));
            if let CaseEvent::CaseStarted { .. } = event {
                key.clone_from(&logged.key);
                net = events.names().net_of(id).cloned();
            }
            fold.apply(&logged.meta, event);
            done.extend(Done::of(&logged.meta, event));
        }
    }
    let case = seen.only(wanted)?;
    let beyond = at.is_some_and(|at| seen.ends_before(at));
    match found.filter(|_| !beyond) {
        Some((Fold { case, reason, failures }, done)) => {
            Ok(CaseView { case, key, net, reason, failures, done, names: Arc::new(events.names().clone()) })
        }
        None => Err(seen.no_state(case, at)),
    }
}

pub(crate) fn reaches(at: At, meta: &Meta) -> bool {
    match at {
        At::Seq(seq) => meta.seq <= seq,
        At::Version(version) => meta.version <= version,
        At::Time(time) => meta.time <= time,
    }
}

/// What a case's events add up to, without what they mean.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    pub(crate) case: Case,
    pub(crate) reason: Option<String>,
    pub(crate) failures: Vec<(ItemId, String, String)>,
}

impl Fold {
    pub(crate) fn unborn(id: CaseId) -> Self {
        Fold { case: Case::unborn(id), reason: None, failures: Vec::new() }
    }

    pub(crate) fn apply(&mut self, meta: &Meta, event: &CaseEvent) {
        self.case.apply(meta, event);
        match event {
            CaseEvent::CaseForced { reason, .. } => self.reason = Some(format!("forced: {reason}")),
            CaseEvent::CaseCancelled { reason } => self.reason = Some(reason.clone()),
            CaseEvent::CaseFailed { code, message } => self.reason = Some(format!("{code}: {message}")),
            CaseEvent::WorkFailed { item, code, message, .. } => {
                self.failures.push((*item, code.clone(), message.clone()));
            }
            _ => {}
        }
        let control = &self.case.control;
        self.failures
            .retain(|(item, ..)| control.item(*item).is_some_and(|item| item.phase == actum_model::Phase::Failed));
    }
}

/// What was seen of the log, for answers that help.
#[derive(Default)]
pub(crate) struct Seen {
    cases: u64,
    first: Option<CaseId>,
    last: Option<CaseId>,
    /// Cases that the question can mean.
    pub(crate) meant: Vec<CaseId>,
    /// First event of the meant case.
    begins: Option<Meta>,
    pub(crate) last_version: u64,
    pub(crate) last_seq: Seq,
}

impl Seen {
    pub(crate) fn take(&mut self, logged: &LoggedEvent, wanted: &CaseRef) {
        self.last_seq = logged.meta.seq;
        let Some((case, CaseEvent::CaseStarted { .. })) = logged.of_case() else { return };
        self.cases += 1;
        self.first = self.first.or(Some(case));
        self.last = Some(case);
        if wanted.begins_with(logged) {
            self.meant.push(case);
            self.begins = self.begins.or(Some(logged.meta));
        }
    }

    pub(crate) fn only(&self, wanted: &CaseRef) -> Result<CaseId, ReplayError> {
        match (self.meant.as_slice(), wanted) {
            ([case], _) => Ok(*case),
            ([_, ..], CaseRef::Key(key)) => Err(ReplayError::Ambiguous { key: key.clone(), cases: self.meant.clone() }),
            _ => Err(ReplayError::NoCase { wanted: wanted.to_string(), there: self.there() }),
        }
    }

    fn there(&self) -> String {
        match (self.first, self.last) {
            (Some(first), Some(last)) if self.cases > 1 => {
                format!("the log has {} cases, {first} to {last}", self.cases)
            }
            (Some(only), _) => format!("the log has only case {only}"),
            _ => "the log has no cases".to_owned(),
        }
    }

    fn ends_before(&self, at: At) -> bool {
        match at {
            At::Seq(seq) => seq > self.last_seq,
            At::Version(version) => version > self.last_version,
            At::Time(_) => false,
        }
    }

    fn no_state(&self, case: CaseId, at: Option<At>) -> ReplayError {
        let why = match (at, &self.begins) {
            (Some(At::Seq(seq)), _) if seq > self.last_seq => format!("the log ends at {}", self.last_seq),
            (Some(At::Version(_)), _) => format!("its newest version is @v{}", self.last_version),
            (_, Some(begins)) => format!("it began at {}, {}", begins.seq, begins.time),
            _ => "it never began".to_owned(),
        };
        ReplayError::NoState { case, at: at.map(|at| at.to_string()).unwrap_or_default(), why }
    }
}
