//! One case's whole past in memory.

use std::sync::Arc;

use actum_model::{ActorId, Case, CaseEvent, CaseId, Seq, Time};
use actum_net::Net;

use crate::state::{Fold, Seen};
use crate::{At, CaseRef, CaseView, Done, Events, LoggedEvent, Names, Numbered, ReplayError};

/// Most events of one case that are held: some 400 bytes each, beside their data.
pub const EVENTS_MAX: usize = 2_000_000;

/// States that are kept of a case, at most.
const MARKS_MAX: usize = 256;

/// Events between two kept states of a short case.
const SPACING_LEAST: usize = 64;

/// A case's events with all that the log says of them, and its state after any of them.
#[derive(Debug, Clone)]
pub struct Story {
    case: CaseId,
    key: Option<String>,
    net: Option<Arc<Net>>,
    names: Arc<Names>,
    events: Vec<LoggedEvent>,
    done: Vec<Done>,
    /// State after each `spacing` events: entry `i` is after `i * spacing`.
    marks: Vec<Fold>,
    spacing: usize,
    /// Newest event of the log, whosever it is.
    log_end: Seq,
}

/// Reads a log once and gives the story of each case that is asked for, in that order.
///
/// # Errors
/// A case is not there, its key means several, or it has more than [`EVENTS_MAX`] events; or an event is an error.
pub fn stories<I>(events: &mut Events<I>, wanted: &[CaseRef]) -> Result<Vec<Story>, ReplayError>
where
    I: Iterator<Item = Numbered>,
{
    let mut drafts: Vec<Draft> = wanted.iter().map(|_| Draft::default()).collect();
    while let Some(logged) = events.next() {
        let logged = logged?;
        for (draft, wanted) in drafts.iter_mut().zip(wanted) {
            draft.take(&logged, wanted, events.names())?;
        }
    }
    let names = Arc::new(events.names().clone());
    drafts.into_iter().zip(wanted).map(|(draft, wanted)| draft.story(wanted, &names)).collect()
}

#[derive(Default)]
struct Draft {
    seen: Seen,
    net: Option<Arc<Net>>,
    events: Vec<LoggedEvent>,
}

impl Draft {
    fn take(&mut self, logged: &LoggedEvent, wanted: &CaseRef, names: &Names) -> Result<(), ReplayError> {
        self.seen.take(logged, wanted);
        let Some((id, event)) = logged.of_case().filter(|(id, _)| self.seen.meant.first() == Some(id)) else {
            return Ok(());
        };
        if let CaseEvent::CaseStarted { .. } = event {
            self.net = names.net_of(id).cloned();
        }
        if self.events.len() == EVENTS_MAX {
            return Err(ReplayError::TooLong { case: id, most: EVENTS_MAX });
        }
        self.events.push(logged.clone());
        Ok(())
    }

    fn story(self, wanted: &CaseRef, names: &Arc<Names>) -> Result<Story, ReplayError> {
        let case = self.seen.only(wanted)?;
        Ok(Story::new(case, self.events, self.net, names.clone(), self.seen.last_seq))
    }
}

impl Story {
    /// The story of a case whose events are at hand, ascending; those of other streams are left out.
    #[must_use]
    pub fn new(
        case: CaseId,
        mut events: Vec<LoggedEvent>,
        net: Option<Arc<Net>>,
        names: Arc<Names>,
        log_end: Seq,
    ) -> Self {
        events.retain(|event| event.of_case().is_some_and(|(of, _)| of == case));
        let spacing = SPACING_LEAST.max(events.len().div_ceil(MARKS_MAX));
        let mut state = Fold::unborn(case);
        let (mut marks, mut done) = (Vec::with_capacity(events.len() / spacing + 1), Vec::new());
        for (at, logged) in events.iter().enumerate() {
            if at % spacing == 0 {
                marks.push(state.clone());
            }
            let Some((_, event)) = logged.of_case() else { continue };
            state.apply(&logged.meta, event);
            done.extend(Done::of(&logged.meta, event));
        }
        if marks.is_empty() {
            marks.push(state);
        }
        let key = events.iter().find_map(|event| event.key.clone());
        Story { case, key, net, names, events, done, marks, spacing, log_end }
    }

    /// Which case.
    #[must_use]
    pub fn case(&self) -> CaseId {
        self.case
    }

    /// Its business key.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The net it pinned; `None` if the log does not have it.
    #[must_use]
    pub fn net(&self) -> Option<&Arc<Net>> {
        self.net.as_ref()
    }

    /// Names as of the end of the log.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Its events, ascending; event `i` leads from the state after `i` events to that after `i + 1`.
    #[must_use]
    pub fn events(&self) -> &[LoggedEvent] {
        &self.events
    }

    /// Number of its events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// It has no event: no story that was read from a log.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// What happened in the event at an index.
    #[must_use]
    pub fn event(&self, index: usize) -> Option<&CaseEvent> {
        self.events.get(index)?.of_case().map(|(_, event)| event)
    }

    /// Index of the event at a position of the log, if it is the case's.
    #[must_use]
    pub fn index_of(&self, seq: Seq) -> Option<usize> {
        self.events.binary_search_by_key(&seq, |event| event.meta.seq).ok()
    }

    /// How many of its events had happened at a point; never 0. `None` asks for its end.
    ///
    /// # Errors
    /// The case had not begun there, or the log or the case does not reach there.
    pub fn locate(&self, at: Option<At>) -> Result<usize, ReplayError> {
        let Some(at) = at else { return Ok(self.len()) };
        let fail = |why: String| Err(ReplayError::NoState { case: self.case, at: at.to_string(), why });
        let count = match at {
            At::Seq(seq) if seq > self.log_end => return fail(format!("the log ends at {}", self.log_end)),
            At::Seq(seq) => self.events.partition_point(|event| event.meta.seq <= seq),
            At::Time(time) => self.events.partition_point(|event| event.meta.time <= time),
            At::Version(version) => match usize::try_from(version) {
                Ok(version) if version <= self.len() => version,
                _ => return fail(format!("its newest version is @v{}", self.len())),
            },
        };
        match (count, self.events.first()) {
            (0, Some(first)) => fail(format!("it began at {}, {}", first.meta.seq, first.meta.time)),
            (0, None) => fail("it never began".to_owned()),
            (count, _) => Ok(count),
        }
    }

    /// The event at a point exactly; of a time, the newest that had happened.
    ///
    /// # Errors
    /// As of [`Story::locate`]; and the event at that position is another's.
    pub fn event_at(&self, at: At) -> Result<usize, ReplayError> {
        let count = self.locate(Some(at))?;
        let index = count - 1;
        match at {
            At::Seq(seq) if self.events[index].meta.seq != seq => Err(ReplayError::NotItsEvent {
                case: self.case,
                seq,
                before: self.events[index].meta.seq,
                after: self.events.get(count).map(|event| event.meta.seq),
            }),
            _ => Ok(index),
        }
    }

    /// The state after so many events; all of them, if there are not so many. Applies some hundred events at most.
    #[must_use]
    pub fn state(&self, count: usize) -> Case {
        self.fold(count).case
    }

    /// The same, with what its ordinals mean.
    #[must_use]
    pub fn view(&self, count: usize) -> CaseView {
        self.view_of(self.fold(count), true)
    }

    pub(super) fn fold(&self, count: usize) -> Fold {
        let count = count.min(self.len());
        let mark = (count / self.spacing).min(self.marks.len() - 1);
        let mut state = self.marks[mark].clone();
        for logged in &self.events[mark * self.spacing..count] {
            if let Some((_, event)) = logged.of_case() {
                state.apply(&logged.meta, event);
            }
        }
        state
    }

    /// The list of what was done grows with the case; whoever looks at many states asks for it only if it matters.
    pub(super) fn view_of(&self, fold: Fold, with_done: bool) -> CaseView {
        let Fold { case, reason, failures } = fold;
        let done = self.done.partition_point(|done| with_done && done.version <= case.version);
        let (key, net) = (self.key.clone(), self.net.clone());
        CaseView { key, net, reason, failures, done: self.done[..done].to_vec(), names: self.names.clone(), case }
    }

    /// Name of whoever acted.
    #[must_use]
    pub fn actor(&self, actor: ActorId) -> String {
        self.names.actor(actor)
    }

    /// When the case began, and when it last changed.
    #[must_use]
    pub fn span(&self) -> Option<(Time, Time)> {
        Some((self.events.first()?.meta.time, self.events.last()?.meta.time))
    }
}
