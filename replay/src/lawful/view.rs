//! A case before an event, with what judges ask of it.

use actum_kernel::resource::Standing;
use actum_model::{
    ActorId, Case, CaseEvent, Change, ConditionIx, Control, Directory, FrameId, ItemId, Meta, Phase, Seq, TaskIx, Time,
    Value, VariableIx, WorkItemState,
};
use actum_net::{Given, Net, Scope, Task};

use super::rule::{Broken, Law};

/// What an event is judged by: the state before it and what is known beside the case.
pub(super) struct View<'a> {
    pub(super) net: &'a Net,
    pub(super) case: &'a Case,
    pub(super) directory: &'a Directory,
    pub(super) standing: &'a Standing,
    pub(super) meta: &'a Meta,
    /// The event of the same decision that caused it; nothing if it is what somebody, or the world, asked for.
    pub(super) because: Option<&'a Past>,
    /// What happened before in the same decision.
    pub(super) decision: &'a Decision,
}

/// The events that one command brought about, as far as they were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Decision {
    pub(super) actor: ActorId,
    pub(super) time: Time,
    /// The cause of its first event.
    pub(super) cause: Option<Seq>,
    /// The clock showed its time; otherwise it may have gone back, and showed an earlier one.
    pub(super) exact: bool,
    pub(super) past: Vec<Past>,
}

/// An event of a decision, as a cause of later ones.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) seq: Seq,
    pub(super) frame: FrameId,
    pub(super) event: CaseEvent,
    /// The place of the exception whose answer it is part of.
    pub(super) under: Option<usize>,
    /// The variables of a subnet that ended.
    pub(super) kept: Option<Value>,
    /// It stopped work, and nothing but the end of what is around says why.
    pub(super) unexplained: bool,
    /// Whose the item was before it.
    pub(super) owner: Option<ActorId>,
}

impl Decision {
    pub(super) fn has(&self, is: impl Fn(&CaseEvent) -> bool) -> bool {
        self.past.iter().any(|past| is(&past.event))
    }
}

impl<'a> View<'a> {
    pub(super) fn control(&self) -> &'a Control {
        &self.case.control
    }

    pub(super) fn task(&self, task: TaskIx) -> &'a Task {
        &self.net.tasks[task.index()]
    }

    pub(super) fn cause(&self) -> Option<&'a Past> {
        self.because
    }

    /// The answer to an exception that this event is part of, in the net's words.
    pub(super) fn answer(&self) -> Option<&'a str> {
        self.answer_of(self.because?)
    }

    pub(super) fn answer_of(&self, cause: &'a Past) -> Option<&'a str> {
        let raised = match cause.event {
            CaseEvent::ExceptionRaised { .. } => cause,
            _ => &self.decision.past[cause.under?],
        };
        match &raised.event {
            CaseEvent::ExceptionRaised { answer, .. } => Some(answer),
            _ => None,
        }
    }

    /// The same, to the item or to the case alike.
    pub(super) fn answers(&self, word: &str) -> bool {
        self.answer().is_some_and(|answer| answer.trim_start_matches("case: ").split(' ').next() == Some(word))
    }

    /// Something is being undone.
    pub(super) fn is_undoing(&self) -> bool {
        self.control().saga().is_some_and(|saga| saga.active().is_some())
            || self.decision.has(|event| matches!(event, CaseEvent::CompensationBegun { .. }))
    }

    pub(super) fn label(&self, task: TaskIx) -> String {
        self.net.task_label(task)
    }

    pub(super) fn who(&self, actor: ActorId) -> &'a str {
        self.directory.name(actor)
    }

    /// The live item that an event is about; it must be of the task that the event says.
    pub(super) fn item(&self, item: ItemId, task: TaskIx) -> Result<&'a WorkItemState, Broken> {
        let absent = || Broken(Law::Phase, format!("the task {} has no live item {item}", self.label(task)));
        let state = self.control().item(item).ok_or_else(absent)?;
        if state.task == task {
            return Ok(state);
        }
        let (said, is) = (self.label(task), self.label(state.task));
        Err(Broken(Law::Phase, format!("item {item} is of the task {is}, not of {said}")))
    }

    /// The item, which must be in one of these phases.
    pub(super) fn item_in(&self, item: ItemId, task: TaskIx, phases: &[Phase]) -> Result<&'a WorkItemState, Broken> {
        let state = self.item(item, task)?;
        if phases.contains(&state.phase) {
            return Ok(state);
        }
        let wanted: Vec<_> = phases.iter().map(|phase| phase.name()).collect();
        let (label, is) = (self.label(task), state.phase.name());
        Err(Broken(Law::Phase, format!("item {item} ({label}) is {is}, not {}", wanted.join(" or "))))
    }

    /// The item is the firing of a task with several instances.
    pub(super) fn is_firing(&self, item: &WorkItemState) -> bool {
        self.task(item.task).instances.is_some() && item.instance.is_none()
    }

    pub(super) fn names(&self, conditions: &[ConditionIx]) -> String {
        let names: Vec<&str> = conditions.iter().map(|one| self.net.conditions[one.index()].name.as_str()).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    }

    /// The item or one that it is part of rests.
    pub(super) fn at_rest(&self, item: &WorkItemState) -> bool {
        let control = self.control();
        let rests = |id: ItemId| control.item(id).is_some_and(|item| item.phase == Phase::Suspended);
        let or_firing = |id: ItemId| rests(id) || control.item(id).and_then(WorkItemState::family).is_some_and(rests);
        or_firing(item.id) || control.frames_above(item.frame).any(|frame| or_firing(frame.item))
    }
}

/// What an expression sees.
#[derive(Clone, Copy)]
pub(super) struct Sees<'a> {
    pub(super) case: &'a Case,
    pub(super) frame: FrameId,
    pub(super) changes: &'a [Change],
    pub(super) result: Option<&'a Value>,
    pub(super) givens: &'a [(Given, Value)],
}

impl<'a> Sees<'a> {
    pub(super) fn data(case: &'a Case, frame: FrameId) -> Self {
        Sees { case, frame, changes: &[], result: None, givens: &[] }
    }
}

impl Scope for Sees<'_> {
    fn variable(&self, variable: VariableIx) -> Option<&Value> {
        let changed = self.changes.iter().rev().find(|change| change.variable == variable);
        changed.map(|change| &change.value).or_else(|| self.case.variable_in(self.frame, variable))
    }

    fn result(&self) -> Option<&Value> {
        self.result
    }

    fn given(&self, name: Given) -> Option<&Value> {
        self.givens.iter().find(|(given, _)| *given == name).map(|(_, value)| value)
    }
}

/// What an instance's expressions see beside data.
pub(super) fn givens(item: &WorkItemState) -> Vec<(Given, Value)> {
    let Some(instance) = item.instance.as_deref() else { return Vec::new() };
    let mut givens = vec![(Given::Index, Value::Int(i64::from(instance.index)))];
    givens.extend(instance.each.clone().map(|each| (Given::Each, each)));
    givens
}
