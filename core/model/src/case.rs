//! Case state and the one function that changes it.

use crate::{CaseEvent, CaseId, Change, Control, FrameId, ItemId, Meta, NetHash, Seq, Time, Value, VariableIx};

/// How a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CaseStatus {
    /// Before its first event.
    Unborn,
    /// It can go on, or waits for somebody or something.
    Open,
    /// It reached its end.
    Completed,
    /// It was stopped on request.
    Cancelled,
    /// It can do nothing more and did not reach its end.
    Deadlocked,
    /// It cannot go on.
    Failed,
}

impl CaseStatus {
    /// The word used in output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CaseStatus::Unborn => "unborn",
            CaseStatus::Open => "open",
            CaseStatus::Completed => "completed",
            CaseStatus::Cancelled => "cancelled",
            CaseStatus::Deadlocked => "deadlocked",
            CaseStatus::Failed => "failed",
        }
    }
}

/// A case's state: a fold of its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Which case.
    pub id: CaseId,
    /// The net it runs.
    pub net: NetHash,
    /// Semantics version it runs under.
    pub semantics: u16,
    /// Number of its events so far.
    pub version: u64,
    /// Its newest event.
    pub last_seq: Seq,
    /// When it began.
    pub started: Time,
    /// When it last changed.
    pub changed: Time,
    /// Tokens and work.
    pub control: Control,
    /// Variables of the root net that were set, ascending.
    pub variables: Vec<(VariableIx, Value)>,
    /// What most cases never have.
    pub(crate) inner: Option<Box<Inner>>,
}

/// Data of running subnets and instances.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Inner {
    /// Variables of frames that were set, each list ascending.
    pub(crate) frames: Vec<(FrameId, Vec<(VariableIx, Value)>)>,
    /// Results of instances that completed before the case went on, in order of completion, by the item of the firing.
    pub(crate) results: Vec<(ItemId, Vec<Value>)>,
}

impl Case {
    /// The state before the first event.
    #[must_use]
    pub fn unborn(id: CaseId) -> Self {
        Case {
            id,
            net: NetHash::default(),
            semantics: 0,
            version: 0,
            last_seq: Seq(0),
            started: Time(0),
            changed: Time(0),
            control: Control::default(),
            variables: Vec::new(),
            inner: None,
        }
    }

    /// The value of a variable of the root net, if it was set.
    #[must_use]
    pub fn variable(&self, variable: VariableIx) -> Option<&Value> {
        self.variable_in(FrameId::ROOT, variable)
    }

    /// The value of a variable of a frame, if it was set.
    #[must_use]
    pub fn variable_in(&self, frame: FrameId, variable: VariableIx) -> Option<&Value> {
        let variables = self.variables_of(frame);
        let index = variables.binary_search_by_key(&variable, |(set, _)| *set).ok()?;
        Some(&variables[index].1)
    }

    /// The variables of a frame that were set, ascending.
    #[must_use]
    pub fn variables_of(&self, frame: FrameId) -> &[(VariableIx, Value)] {
        if frame == FrameId::ROOT {
            return &self.variables;
        }
        let frames = self.inner.as_ref().map_or(&[][..], |inner| &inner.frames);
        frames.iter().find(|(of, _)| *of == frame).map_or(&[], |(_, variables)| variables)
    }

    /// Results of a firing's instances that completed before the case went on, in order of completion.
    #[must_use]
    pub fn results_of(&self, family: ItemId) -> &[Value] {
        let results = self.inner.as_ref().map_or(&[][..], |inner| &inner.results);
        results.iter().find(|(of, _)| *of == family).map_or(&[], |(_, results)| results)
    }

    /// Makes the state what it is after `event`. Total: any event in any state gives a state, and never panics;
    /// whether the event was allowed is for others to judge.
    pub fn apply(&mut self, meta: &Meta, event: &CaseEvent) {
        self.version = meta.version;
        self.last_seq = meta.seq;
        self.changed = meta.time;
        if let CaseEvent::CaseStarted { net, semantics, .. } = event {
            self.net = *net;
            self.semantics = *semantics;
            self.started = meta.time;
        }
        let changes = event.changes();
        if !changes.is_empty() {
            let variables = self.variables_mut(self.control.frame_of(event));
            changes.iter().for_each(|change| set(variables, change));
        }
        self.apply_inner(event);
        self.control.apply(meta, event);
    }

    fn apply_inner(&mut self, event: &CaseEvent) {
        match event {
            CaseEvent::WorkCompleted { item, result, .. } => self.keep_result(*item, result),
            CaseEvent::WorkSkipped { item, .. } => self.keep_result(*item, &Value::Null),
            _ => {}
        }
        let Some(inner) = &mut self.inner else { return };
        match event {
            CaseEvent::SubnetEnded { frame, .. } => inner.frames.retain(|(of, _)| of != frame),
            CaseEvent::WorkCompleted { item, .. }
            | CaseEvent::WorkSkipped { item, .. }
            | CaseEvent::WorkCancelled { item, .. }
            | CaseEvent::WorkWithdrawn { item, .. }
            | CaseEvent::InstancesPassed { item, .. } => inner.results.retain(|(of, _)| of != item),
            ended if ended.is_terminal() => **inner = Inner::default(),
            _ => return,
        }
        if inner.frames.is_empty() && inner.results.is_empty() {
            self.inner = None;
        }
    }

    /// Results count until the case goes on.
    fn keep_result(&mut self, item: ItemId, result: &Value) {
        let Some(family) = self.control.item(item).and_then(crate::WorkItemState::family) else { return };
        if self.control.activation(family).is_none_or(|activation| activation.passed) {
            return;
        }
        let results = &mut self.inner.get_or_insert_default().results;
        match results.iter_mut().find(|(of, _)| *of == family) {
            Some((_, results)) => results.push(result.clone()),
            None => results.push((family, vec![result.clone()])),
        }
    }

    fn variables_mut(&mut self, frame: FrameId) -> &mut Vec<(VariableIx, Value)> {
        if frame == FrameId::ROOT {
            return &mut self.variables;
        }
        let frames = &mut self.inner.get_or_insert_default().frames;
        let index = frames.iter().position(|(of, _)| *of == frame).unwrap_or_else(|| {
            frames.push((frame, Vec::new()));
            frames.len() - 1
        });
        &mut frames[index].1
    }
}

fn set(variables: &mut Vec<(VariableIx, Value)>, change: &Change) {
    match variables.binary_search_by_key(&change.variable, |(set, _)| *set) {
        Ok(index) => variables[index].1 = change.value.clone(),
        Err(index) => {
            // Most cases set few, and keep them long.
            if variables.len() == variables.capacity() {
                variables.reserve_exact(1 + variables.len() / 2);
            }
            variables.insert(index, (change.variable, change.value.clone()));
        }
    }
}
