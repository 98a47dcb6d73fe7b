//! A decision in the making: the events so far, and the state as if they had happened.

use actum_model::{ActorId, Case, CaseEvent, Change, Control, Meta, Seq, TaskIx, Time, Value, VariableIx};
use actum_net::Net;
use smallvec::SmallVec;

use crate::{data::size, scope::CaseScope};

/// What caused an event of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Nothing in the log.
    Request,
    /// An event that is already in the log.
    Logged(Seq),
    /// The event at this index of the same decision.
    Staged(usize),
}

/// An event that was decided on, with who and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// Who caused it.
    pub actor: ActorId,
    /// What caused it.
    pub cause: Cause,
    /// The event.
    pub event: CaseEvent,
}

/// Grows a decision. The same `apply` that folds the log moves its state.
pub(crate) struct Draft<'a> {
    pub(crate) net: &'a Net,
    case: &'a Case,
    pub(crate) control: Control,
    changes: SmallVec<[Change; 4]>,
    /// Bytes of the changes, about.
    pub(crate) data_bytes: usize,
    events: Vec<Decided>,
    /// Tasks whose enabling may have changed, ascending.
    touched: SmallVec<[TaskIx; 8]>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(net: &'a Net, case: &'a Case) -> Self {
        Draft {
            net,
            case,
            control: case.control.clone(),
            changes: SmallVec::new(),
            data_bytes: 0,
            events: Vec::with_capacity(8),
            touched: SmallVec::new(),
        }
    }

    /// Adds an event and returns its index.
    pub(crate) fn push(&mut self, actor: ActorId, cause: Cause, event: CaseEvent) -> usize {
        let meta = Meta { seq: Seq(0), version: 0, time: Time(0), actor, cause: None };
        self.touch(&event);
        self.control.apply(&meta, &event);
        if let CaseEvent::CaseStarted { changes, .. } | CaseEvent::WorkCompleted { changes, .. } = &event {
            self.data_bytes += changes.iter().map(|change| size(&change.value)).sum::<usize>();
            self.changes.extend(changes.iter().cloned());
        }
        self.events.push(Decided { actor, cause, event });
        self.events.len() - 1
    }

    fn touch(&mut self, event: &CaseEvent) {
        let conditions = match event {
            CaseEvent::CaseStarted { produced, .. } => produced,
            CaseEvent::WorkStarted { consumed, .. } => consumed,
            CaseEvent::WorkCompleted { task, produced, .. } => {
                // No longer busy: tokens that waited may enable it again.
                self.touch_task(*task);
                produced
            }
            _ => return,
        };
        for condition in conditions {
            for task in &self.net.conditions[condition.index()].consumers {
                self.touch_task(*task);
            }
        }
    }

    fn touch_task(&mut self, task: TaskIx) {
        if let Err(index) = self.touched.binary_search(&task) {
            self.touched.insert(index, task);
        }
    }

    /// Takes the first task whose enabling must be looked at again.
    pub(crate) fn next_touched(&mut self) -> Option<TaskIx> {
        (!self.touched.is_empty()).then(|| self.touched.remove(0))
    }

    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn scope<'s>(&'s self, more: &'s [Change], result: Option<&'s Value>) -> CaseScope<'s> {
        CaseScope { case: self.case, staged: &self.changes, more, result }
    }

    pub(crate) fn into_events(self) -> Vec<Decided> {
        self.events
    }
}

/// The newest of the changes to a variable.
pub(crate) fn latest(changes: &[Change], variable: VariableIx) -> Option<&Value> {
    changes.iter().rev().find(|change| change.variable == variable).map(|change| &change.value)
}
