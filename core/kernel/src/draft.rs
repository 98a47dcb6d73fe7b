//! A decision in the making: the events so far, and the state as if they had happened.

mod staged;

use actum_model::{
    ActorId, Case, CaseEvent, Change, ConditionIx, Control, FrameId, ItemId, Seq, TaskIx, Value, VariableIx,
    WorkItemState,
};
use actum_net::{Given, Net};
use smallvec::SmallVec;

use crate::{Context, data::size, scope::FrameScope};
use staged::Staged;

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
    pub(crate) context: &'a Context<'a>,
    case: &'a Case,
    /// The state as of the newest event.
    pub(crate) control: Staged<'a>,
    changes: SmallVec<[(FrameId, Change); 2]>,
    /// Results of instances, by the item of the firing.
    results: Vec<(ItemId, Value)>,
    /// Bytes of the changes, about.
    pub(crate) data_bytes: usize,
    /// Changes of the root's data that the net's own rules have not seen yet.
    pub(crate) data_changed: bool,
    /// Tasks whose enabling may have changed, ascending.
    touched: Touched,
    /// Subnets in whose end a token came.
    ended: SmallVec<[FrameId; 2]>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(net: &'a Net, case: &'a Case, context: &'a Context<'a>) -> Self {
        Draft {
            net,
            context,
            case,
            control: Staged::on(&case.control),
            changes: SmallVec::new(),
            results: Vec::new(),
            data_bytes: 0,
            data_changed: false,
            touched: Touched::default(),
            ended: SmallVec::new(),
        }
    }

    /// Adds an event of the engine that an earlier one of this decision caused, and returns its index.
    pub(crate) fn follow(&mut self, cause: usize, event: CaseEvent) -> usize {
        self.push(ActorId::ENGINE, Cause::Staged(cause), event)
    }

    /// Adds an event and returns its index.
    pub(crate) fn push(&mut self, actor: ActorId, cause: Cause, event: CaseEvent) -> usize {
        let frame = self.control.frame_of(&event);
        let changes = event.changes();
        if !changes.is_empty() {
            self.data_bytes += changes.iter().map(|change| size(&change.value)).sum::<usize>();
            self.changes.extend(changes.iter().map(|change| (frame, change.clone())));
            self.data_changed |= frame == FrameId::ROOT;
        }
        match &event {
            CaseEvent::WorkCompleted { item, result, .. } => self.keep_result(*item, result),
            CaseEvent::WorkSkipped { item, .. } => self.keep_result(*item, &Value::Null),
            _ => {}
        }
        self.control.push(Decided { actor, cause, event });
        self.touch(frame);
        self.newest()
    }

    fn keep_result(&mut self, item: ItemId, result: &Value) {
        if let Some(family) = self.control.item(item).and_then(WorkItemState::family) {
            self.data_bytes += size(result);
            self.results.push((family, result.clone()));
        }
    }

    /// Notes what the newest event, of a frame, may have made possible or impossible.
    fn touch(&mut self, frame: FrameId) {
        let Draft { net, control, touched, ended, .. } = self;
        let Some(Decided { event, .. }) = control.events().last() else { return };
        match event {
            // No longer busy, or as new: tokens that waited may enable it again.
            CaseEvent::WorkCompleted { task, .. }
            | CaseEvent::WorkCancelled { task, .. }
            | CaseEvent::WorkSkipped { task, .. }
            | CaseEvent::JoinAdvanced { task, .. } => touched.add(frame, *task),
            CaseEvent::TokensCancelled { removed, .. } => {
                removed.iter().for_each(|(condition, _)| touched.add_around(net, frame, *condition));
            }
            _ => {}
        }
        event.consumed().iter().for_each(|condition| touched.add_around(net, frame, *condition));
        for condition in event.produced() {
            touched.add_around(net, frame, *condition);
            if frame != FrameId::ROOT && is_end(net, control, frame, *condition) {
                ended.push(frame);
            }
        }
    }

    pub(crate) fn touch_task(&mut self, frame: FrameId, task: TaskIx) {
        self.touched.add(frame, task);
    }

    /// Everything must be looked at again: after a rest, in which nothing was.
    pub(crate) fn touch_all(&mut self) {
        let net = self.net;
        let frames: Vec<_> = self.control.frames().iter().map(|frame| (frame.id, frame.subnet)).collect();
        for (frame, subnet) in std::iter::once((FrameId::ROOT, actum_model::SubnetIx::ROOT)).chain(frames) {
            let subnet = &net.subnets[subnet.index()];
            subnet.tasks.clone().for_each(|task| self.touch_task(frame, TaskIx(task)));
            if frame != FrameId::ROOT
                && !subnet.implicit_termination
                && self.control.marking.count(frame, subnet.end) > 0
            {
                self.ended.push(frame);
            }
        }
    }

    /// Takes the first task whose enabling must be looked at again.
    pub(crate) fn next_touched(&mut self) -> Option<(FrameId, TaskIx)> {
        while let Some((frame, task)) = self.touched.take_first() {
            if frame == FrameId::ROOT || self.control.frame(frame).is_some() {
                return Some((frame, task));
            }
        }
        None
    }

    /// Takes a running subnet that came to its end.
    pub(crate) fn next_ended(&mut self) -> Option<FrameId> {
        while let Some(frame) = self.ended.pop() {
            if self.control.frame(frame).is_some() {
                return Some(frame);
            }
        }
        None
    }

    pub(crate) fn len(&self) -> usize {
        self.events().len()
    }

    /// The events so far.
    pub(crate) fn events(&self) -> &[Decided] {
        self.control.events()
    }

    /// Index of the newest event; 0 when there is none.
    pub(crate) fn newest(&self) -> usize {
        self.len().saturating_sub(1)
    }

    /// Results of a firing's instances so far, in order of completion.
    pub(crate) fn results_of(&self, family: ItemId) -> Vec<Value> {
        let staged = self.results.iter().filter(|(of, _)| *of == family).map(|(_, result)| result);
        self.case.results_of(family).iter().chain(staged).cloned().collect()
    }

    pub(crate) fn scope<'s>(
        &'s self,
        frame: FrameId,
        more: &'s [Change],
        result: Option<&'s Value>,
        givens: &'s [(Given, Value)],
    ) -> FrameScope<'s> {
        FrameScope { case: self.case, frame, staged: &self.changes, more, result, givens }
    }

    /// The version of the semantics that the case runs under.
    pub(crate) fn semantics(&self) -> u16 {
        if self.case.semantics == 0 { crate::SEMANTICS } else { self.case.semantics }
    }

    /// The variables of the root that are set, ascending.
    pub(crate) fn root_variables(&self) -> Vec<Change> {
        let before = self.case.variables.iter().map(|(variable, value)| (*variable, value));
        let staged = self.changes.iter().filter(|(frame, _)| *frame == FrameId::ROOT);
        let staged = staged.map(|(_, change)| (change.variable, &change.value));
        let all: std::collections::BTreeMap<VariableIx, &Value> = before.chain(staged).collect();
        all.into_iter().map(|(variable, value)| Change { variable, value: value.clone() }).collect()
    }

    pub(crate) fn into_events(self) -> Vec<Decided> {
        self.control.into_events()
    }
}

/// Tasks of frames, ascending.
#[derive(Default)]
struct Touched(SmallVec<[(FrameId, TaskIx); 8]>);

impl Touched {
    fn add(&mut self, frame: FrameId, task: TaskIx) {
        if let Err(index) = self.0.binary_search(&(frame, task)) {
            self.0.insert(index, (frame, task));
        }
    }

    /// Adds the tasks that a condition's tokens concern.
    fn add_around(&mut self, net: &Net, frame: FrameId, condition: ConditionIx) {
        let condition = &net.conditions[condition.index()];
        condition.consumers.iter().chain(&condition.readers).for_each(|task| self.add(frame, *task));
    }

    fn take_first(&mut self) -> Option<(FrameId, TaskIx)> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }
}

fn is_end(net: &Net, control: &Control, frame: FrameId, condition: ConditionIx) -> bool {
    let subnet = control.subnet_of(frame).map(|subnet| &net.subnets[subnet.index()]);
    subnet.is_some_and(|subnet| subnet.end == condition && !subnet.implicit_termination)
}

/// The newest of the changes to a variable.
pub(crate) fn latest(changes: &[Change], variable: VariableIx) -> Option<&Value> {
    changes.iter().rev().find(|change| change.variable == variable).map(|change| &change.value)
}
