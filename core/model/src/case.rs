//! Case state and the one function that changes it.

use smallvec::SmallVec;

use crate::{
    ActorId, CaseEvent, CaseId, Change, ConditionIx, ItemId, Meta, NetHash, Phase, Seq, TaskIx, Time, Value,
    VariableIx, WorkItemState,
};

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

/// Tokens on conditions, sorted, without zeros.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct Marking(SmallVec<[(ConditionIx, u32); 4]>);

impl Marking {
    /// Number of tokens on a condition.
    #[must_use]
    pub fn count(&self, condition: ConditionIx) -> u32 {
        self.0.iter().find(|(marked, _)| *marked == condition).map_or(0, |(_, count)| *count)
    }

    /// Marked conditions with their counts, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ConditionIx, u32)> + '_ {
        self.0.iter().copied()
    }

    /// No condition is marked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts one token on a condition.
    pub fn add(&mut self, condition: ConditionIx) {
        match self.0.binary_search_by_key(&condition, |(marked, _)| *marked) {
            Ok(index) => self.0[index].1 = self.0[index].1.saturating_add(1),
            Err(index) => self.0.insert(index, (condition, 1)),
        }
    }

    /// Takes one token off a condition, if there is one.
    pub fn remove(&mut self, condition: ConditionIx) {
        if let Ok(index) = self.0.binary_search_by_key(&condition, |(marked, _)| *marked) {
            self.0[index].1 -= 1;
            if self.0[index].1 == 0 {
                self.0.remove(index);
            }
        }
    }
}

/// What decides where a case can go: tokens and work. Small and cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// How the case stands.
    pub status: CaseStatus,
    /// Where tokens are.
    pub marking: Marking,
    /// Live work items, ascending by id.
    pub items: SmallVec<[WorkItemState; 2]>,
    /// Number of the next work item.
    pub next_item: ItemId,
    /// Who did which manual task: each pair once, sorted.
    pub performers: SmallVec<[(TaskIx, ActorId); 2]>,
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
    /// Variables that were set, ascending.
    pub variables: Vec<(VariableIx, Value)>,
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
            control: Control {
                status: CaseStatus::Unborn,
                marking: Marking::default(),
                items: SmallVec::new(),
                next_item: ItemId(0),
                performers: SmallVec::new(),
            },
            variables: Vec::new(),
        }
    }

    /// The value of a variable, if it was set.
    #[must_use]
    pub fn variable(&self, variable: VariableIx) -> Option<&Value> {
        let index = self.variables.binary_search_by_key(&variable, |(set, _)| *set).ok()?;
        Some(&self.variables[index].1)
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
        if let CaseEvent::CaseStarted { changes, .. } | CaseEvent::WorkCompleted { changes, .. } = event {
            changes.iter().for_each(|change| self.set(change));
        }
        self.control.apply(meta, event);
    }

    fn set(&mut self, change: &Change) {
        match self.variables.binary_search_by_key(&change.variable, |(set, _)| *set) {
            Ok(index) => self.variables[index].1 = change.value.clone(),
            Err(index) => self.variables.insert(index, (change.variable, change.value.clone())),
        }
    }
}

impl Control {
    /// A live item.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&WorkItemState> {
        self.items.iter().find(|item| item.id == id)
    }

    /// The live item of a task; there is at most one.
    #[must_use]
    pub fn item_of(&self, task: TaskIx) -> Option<&WorkItemState> {
        self.items.iter().find(|item| item.task == task)
    }

    /// The part of [`Case::apply`] that concerns tokens and work.
    pub fn apply(&mut self, meta: &Meta, event: &CaseEvent) {
        match event {
            CaseEvent::CaseStarted { produced, .. } => {
                self.status = CaseStatus::Open;
                produced.iter().for_each(|condition| self.marking.add(*condition));
            }
            CaseEvent::CaseCompleted => self.end(CaseStatus::Completed),
            CaseEvent::CaseCancelled { .. } => self.end(CaseStatus::Cancelled),
            CaseEvent::CaseFailed { .. } => self.end(CaseStatus::Failed),
            CaseEvent::CaseDeadlocked => self.status = CaseStatus::Deadlocked,
            CaseEvent::WorkEnabled { item, task } => self.enable(meta, *item, *task),
            CaseEvent::WorkOffered { item, role, to, .. } => self.change(meta, *item, |state| {
                state.phase = Phase::Offered;
                state.role = Some(*role);
                state.offered_to.clone_from(to);
            }),
            CaseEvent::WorkAllocated { item, to, .. } => self.change(meta, *item, |state| {
                state.phase = Phase::Allocated;
                state.resource = Some(*to);
            }),
            CaseEvent::WorkStarted { item, consumed, .. } => {
                consumed.iter().for_each(|condition| self.marking.remove(*condition));
                self.change(meta, *item, |state| {
                    state.phase = Phase::Started;
                    state.attempt = 1;
                    state.consumed = consumed.iter().copied().collect();
                });
            }
            CaseEvent::WorkCompleted { item, task, produced, .. } => {
                produced.iter().for_each(|condition| self.marking.add(*condition));
                self.forget(*item);
                self.performed(*task, meta.actor);
            }
            CaseEvent::WorkFailed { item, .. } => self.change(meta, *item, |state| state.phase = Phase::Failed),
            CaseEvent::WorkRetried { item, attempt, .. } => self.change(meta, *item, |state| {
                state.phase = Phase::Started;
                state.attempt = *attempt;
            }),
            CaseEvent::WorkWithdrawn { item, .. } | CaseEvent::WorkCancelled { item, .. } => self.forget(*item),
        }
    }

    fn enable(&mut self, meta: &Meta, id: ItemId, task: TaskIx) {
        self.next_item = self.next_item.max(ItemId(id.0.saturating_add(1)));
        let item = WorkItemState {
            id,
            task,
            phase: Phase::Enabled,
            attempt: 0,
            role: None,
            offered_to: Vec::new(),
            resource: None,
            consumed: SmallVec::new(),
            event: meta.seq,
        };
        match self.items.binary_search_by_key(&id, |item| item.id) {
            Ok(index) => self.items[index] = item,
            Err(index) => self.items.insert(index, item),
        }
    }

    fn change(&mut self, meta: &Meta, id: ItemId, change: impl FnOnce(&mut WorkItemState)) {
        if let Some(item) = self.items.iter_mut().find(|item| item.id == id) {
            item.event = meta.seq;
            change(item);
        }
    }

    fn forget(&mut self, id: ItemId) {
        self.items.retain(|item| item.id != id);
    }

    /// Rules such as separation of duties need to know who did a task; the engine itself is nobody.
    fn performed(&mut self, task: TaskIx, actor: ActorId) {
        if actor != ActorId::ENGINE
            && let Err(index) = self.performers.binary_search(&(task, actor))
        {
            self.performers.insert(index, (task, actor));
        }
    }

    fn end(&mut self, status: CaseStatus) {
        self.status = status;
        self.items.clear();
        self.marking = Marking::default();
    }
}
