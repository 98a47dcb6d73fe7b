//! One case, event by event.

use std::sync::Arc;

use actum_kernel::resource::Standing;
use actum_model::{Case, CaseEvent, CaseId, Directory, Meta};
use actum_net::Net;

use super::owed::{self, Touched};
use super::rule::{Broken, Law, must};
use super::view::{Decision, Past, View};
use super::work::{Looked, elements};
use super::{cause, judge, stop};

/// What is known beside the case.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) directory: &'a Directory,
    pub(super) standing: &'a Standing,
    /// The clock showed the event's time.
    pub(super) exact: bool,
}

/// A case that is judged as it goes.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) net: Arc<Net>,
    pub(super) case: Case,
    decision: Decision,
    touched: Touched,
}

impl Run {
    pub(super) fn new(id: CaseId, net: Arc<Net>) -> Self {
        Run { net, case: Case::unborn(id), decision: Decision::default(), touched: Touched::default() }
    }

    /// Judges an event, and takes it in if it is lawful. False: not all of it was looked at.
    pub(super) fn take(&mut self, around: Around<'_>, meta: &Meta, event: CaseEvent) -> Looked {
        must(meta.version == self.case.version + 1, Law::Order, || {
            format!("event {} of the case follows event {}", meta.version, self.case.version)
        })?;
        must(meta.time >= self.case.changed, Law::Time, || {
            format!("it happened at {}, and the event before it at {}", meta.time, self.case.changed)
        })?;
        let mut all = true;
        // All that a command brings about is recorded in one go: what lies elsewhere in the log is of another.
        let before = &self.decision.past;
        let is_next = before.last().is_some_and(|last| last.seq.0.checked_add(1) == Some(meta.seq.0));
        let place = meta.cause.and_then(|cause| before.iter().rposition(|past| past.seq == cause));
        let follows = place.filter(|_| is_next).filter(|place| {
            let view = self.view(around, meta, None);
            !cause::is_asked(&view, &self.decision.past[*place], &event)
        });
        if follows.is_none() && !(is_next && cause::goes_on(&self.view(around, meta, None), meta, &event)) {
            all &= self.settle(around, meta)?;
            let Meta { actor, time, cause, .. } = *meta;
            self.decision = Decision { actor, time, cause, exact: around.exact, past: Vec::new() };
        }
        let view = self.view(around, meta, follows);
        all &= judge::judge(&view, &event)?;
        self.instances_are_all(&view, &event)?;
        let past = past(&view, meta, follows, event);
        self.take_in(meta, past, around);
        Ok(all)
    }

    /// Nothing is left to happen by itself.
    pub(super) fn settle(&mut self, around: Around<'_>, meta: &Meta) -> Looked {
        if self.case.version == 0 {
            return Ok(true);
        }
        let mut touched = std::mem::take(&mut self.touched);
        let settled = owed::settled(&self.view(around, meta, None), &mut touched);
        self.touched = touched;
        settled
    }

    fn view<'a>(&'a self, around: Around<'a>, meta: &'a Meta, follows: Option<usize>) -> View<'a> {
        let Around { directory, standing, .. } = around;
        let because = follows.map(|place| &self.decision.past[place]);
        View { net: &self.net, case: &self.case, directory, standing, meta, because, decision: &self.decision }
    }

    fn take_in(&mut self, meta: &Meta, past: Past, around: Around<'_>) {
        self.case.apply(meta, &past.event);
        let mut touched = std::mem::take(&mut self.touched);
        touched.note(&self.view(around, meta, None), past.frame, &past.event);
        self.touched = touched;
        self.decision.past.push(past);
    }

    /// Instances of a firing are all there before the first begins.
    fn instances_are_all(&self, view: &View<'_>, event: &CaseEvent) -> Result<(), Broken> {
        let Some(Past { event: CaseEvent::WorkEnabled { instance: Some(last), task, frame, .. }, .. }) =
            self.decision.past.last()
        else {
            return Ok(());
        };
        let first_time = self.case.control.item(last.family).is_some_and(|family| family.attempt <= 1);
        let added = self.decision.past.len() == 1;
        let goes_on =
            matches!(event, CaseEvent::WorkEnabled { instance: Some(next), .. } if next.family == last.family);
        if !first_time || added || goes_on {
            return Ok(());
        }
        let wanted = elements(view, *task, *frame).map_or(0, |(count, _)| count);
        must(last.index + 1 >= wanted, Law::Owed, || {
            format!("{} begins with {wanted} instances, and {} are there", view.label(*task), last.index + 1)
        })
    }
}

/// What is remembered of an event, in the state before it.
fn past(view: &View<'_>, meta: &Meta, follows: Option<usize>, event: CaseEvent) -> Past {
    let control = view.control();
    let frame = control.frame_of(&event);
    let under = follows.and_then(|place| match &view.decision.past[place] {
        Past { event: CaseEvent::ExceptionRaised { .. }, .. } => Some(place),
        past => past.under,
    });
    let kept = match &event {
        CaseEvent::SubnetEnded { frame, completed: true, .. } => stop::variables(view, *frame),
        _ => None,
    };
    let stopped = matches!(event, CaseEvent::WorkWithdrawn { .. } | CaseEvent::WorkCancelled { .. });
    let item = event.work().and_then(|(item, _)| control.item(item));
    let unexplained = stopped && item.is_some_and(|item| !stop::is_explained(view, item));
    let owner = item.and_then(|item| item.resource);
    Past { seq: meta.seq, frame, event, under, kept, unexplained, owner }
}
