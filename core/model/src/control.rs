//! What decides where a case can go: tokens, work and running subnets.

mod item;
mod rest;

use std::sync::Arc;

use smallvec::SmallVec;

pub use rest::Rest;

use crate::{
    ActorId, Attempts, CaseEvent, CaseStatus, ConditionIx, FrameId, Instance, ItemId, Marking, Meta, Saga, SubnetIx,
    TaskIx, Time, Value, WorkItemState,
};

/// What an [`CaseEvent::ExceptionRaised`] answers that begins the item anew.
const RESTART: &str = "restart";

/// Tokens, work and running subnets of a case. Small and cheap to clone; values of variables are elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// How the case stands.
    pub status: CaseStatus,
    /// Nothing new begins until it is resumed.
    pub suspended: bool,
    /// Where tokens are.
    pub marking: Marking,
    /// Live work items, ascending by id.
    pub items: SmallVec<[WorkItemState; 1]>,
    /// Number of the next work item.
    pub next_item: ItemId,
    /// Number of the next frame; below 2, none but the root's was there yet.
    pub next_frame: FrameId,
    /// Who did which manual task: each pair once, sorted.
    pub performers: SmallVec<[(TaskIx, ActorId); 2]>,
    /// What most cases never have.
    pub(crate) rare: Option<Box<Rare>>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Rare {
    pub(crate) frames: Vec<FrameState>,
    pub(crate) arrivals: Vec<Arrivals>,
    pub(crate) activations: Vec<Activation>,
    pub(crate) signals: Vec<Arc<KeptSignal>>,
    pub(crate) deadline: Option<Time>,
    pub(crate) awaited: Vec<Arc<Awaited>>,
    pub(crate) restarts: Vec<Restarts>,
    pub(crate) saga: Saga,
    pub(crate) attempts: Attempts,
    pub(crate) rests: Vec<Rest>,
}

impl Rare {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A running subnet. The root net's frame always runs and has no entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameState {
    /// Which frame.
    pub id: FrameId,
    /// The net that runs in it.
    pub subnet: SubnetIx,
    /// The composite item that it does.
    pub item: ItemId,
    /// That item's frame.
    pub parent: FrameId,
}

/// Inputs of a partial join from which tokens arrived since it was as new. It fired, and not all have arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    /// The task's frame.
    pub frame: FrameId,
    /// The task.
    pub task: TaskIx,
    /// Its inputs that arrived; never empty.
    pub inputs: SmallVec<[ConditionIx; 4]>,
}

/// A firing of a task with multiple instances, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activation {
    /// The item of the firing.
    pub item: ItemId,
    /// Instances that were there ever; the next one's index.
    pub created: u32,
    /// Instances that are live.
    pub active: u32,
    /// Instances that completed.
    pub completed: u32,
    /// The case went on already.
    pub passed: bool,
}

/// A signal that came before anybody waited for it.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptSignal {
    /// Its name.
    pub name: String,
    /// What came with it.
    pub data: Value,
}

/// A message that an item waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// The item.
    pub item: ItemId,
    /// The message's name.
    pub name: String,
    /// What it must be about.
    pub key: String,
}

/// How often a task was begun anew because its work failed, since it last completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restarts {
    /// The task's frame.
    pub frame: FrameId,
    /// The task.
    pub task: TaskIx,
    /// How often.
    pub count: u32,
}

impl Default for Control {
    fn default() -> Self {
        Control {
            status: CaseStatus::Unborn,
            suspended: false,
            marking: Marking::default(),
            items: SmallVec::new(),
            next_item: ItemId(0),
            next_frame: FrameId(1),
            performers: SmallVec::new(),
            rare: None,
        }
    }
}

impl Control {
    /// A live item.
    #[must_use]
    pub fn item(&self, id: ItemId) -> Option<&WorkItemState> {
        let index = self.items.binary_search_by_key(&id, |item| item.id).ok()?;
        Some(&self.items[index])
    }

    /// The live item of a task of the root net; there is at most one.
    #[must_use]
    pub fn item_of(&self, task: TaskIx) -> Option<&WorkItemState> {
        self.item_in(FrameId::ROOT, task)
    }

    /// The live item of a task in a frame, instances aside; there is at most one.
    #[must_use]
    pub fn item_in(&self, frame: FrameId, task: TaskIx) -> Option<&WorkItemState> {
        self.items.iter().find(|item| item.task == task && item.frame == frame && item.instance.is_none())
    }

    /// Live instances of a firing, in order.
    pub fn instances_of(&self, family: ItemId) -> impl Iterator<Item = &WorkItemState> {
        self.items.iter().filter(move |item| item.family() == Some(family))
    }

    /// Running subnets, ascending; the root is not among them.
    #[must_use]
    pub fn frames(&self) -> &[FrameState] {
        self.rare.as_ref().map_or(&[], |rare| &rare.frames)
    }

    /// A running subnet; `None` for the root.
    #[must_use]
    pub fn frame(&self, id: FrameId) -> Option<&FrameState> {
        self.frames().iter().find(|frame| frame.id == id)
    }

    /// The running subnet that a composite item does.
    #[must_use]
    pub fn frame_of_item(&self, item: ItemId) -> Option<&FrameState> {
        self.frames().iter().find(|frame| frame.item == item)
    }

    /// The net that runs in a frame; `None` if no such frame runs.
    #[must_use]
    pub fn subnet_of(&self, frame: FrameId) -> Option<SubnetIx> {
        if frame == FrameId::ROOT { Some(SubnetIx::ROOT) } else { self.frame(frame).map(|frame| frame.subnet) }
    }

    /// Frames above a frame, nearest first, ending with the root; at most as many as run.
    pub fn frames_above(&self, frame: FrameId) -> impl Iterator<Item = &FrameState> {
        let mut next = self.frame(frame);
        let mut left = self.frames().len();
        std::iter::from_fn(move || {
            let this = next?;
            left = left.checked_sub(1)?;
            next = self.frame(this.parent);
            Some(this)
        })
    }

    /// Inputs of a partial join that arrived; none when it is as new.
    #[must_use]
    pub fn arrived(&self, frame: FrameId, task: TaskIx) -> &[ConditionIx] {
        let all = self.arrivals();
        all.iter().find(|one| one.frame == frame && one.task == task).map_or(&[], |one| &one.inputs)
    }

    /// Partial joins that fired and were not reset.
    #[must_use]
    pub fn arrivals(&self) -> &[Arrivals] {
        self.rare.as_ref().map_or(&[], |rare| &rare.arrivals)
    }

    /// Firings of tasks with multiple instances.
    #[must_use]
    pub fn activations(&self) -> &[Activation] {
        self.rare.as_ref().map_or(&[], |rare| &rare.activations)
    }

    /// The firing of an item, if it had an instance.
    #[must_use]
    pub fn activation(&self, item: ItemId) -> Option<&Activation> {
        self.activations().iter().find(|activation| activation.item == item)
    }

    /// Signals that wait to be used, oldest first.
    #[must_use]
    pub fn signals(&self) -> &[Arc<KeptSignal>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.signals)
    }

    /// When the case's own timer fires, if one is set.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.rare.as_ref().and_then(|rare| rare.deadline)
    }

    /// Messages that items wait for.
    #[must_use]
    pub fn awaited(&self) -> &[Arc<Awaited>] {
        self.rare.as_ref().map_or(&[], |rare| &rare.awaited)
    }

    /// The message that an item waits for.
    #[must_use]
    pub fn awaited_by(&self, item: ItemId) -> Option<&Awaited> {
        self.awaited().iter().find(|awaited| awaited.item == item).map(|awaited| &**awaited)
    }

    /// How often a task was begun anew because its work failed, since it last completed.
    #[must_use]
    pub fn restarts_of(&self, frame: FrameId, task: TaskIx) -> u32 {
        let all = self.rare.as_ref().map_or(&[][..], |rare| &rare.restarts);
        all.iter().find(|one| one.frame == frame && one.task == task).map_or(0, |one| one.count)
    }

    /// What the case remembers for undoing; nothing if there is nothing.
    #[must_use]
    pub fn saga(&self) -> Option<&Saga> {
        self.rare.as_ref().map(|rare| &rare.saga).filter(|saga| !saga.is_empty())
    }

    /// What policies remember of failed attempts; nothing if there is nothing.
    #[must_use]
    pub fn attempts(&self) -> Option<&Attempts> {
        self.rare.as_ref().map(|rare| &rare.attempts)
    }

    /// When the next attempt of an item begins, if one is planned.
    #[must_use]
    pub fn retry_at(&self, item: ItemId) -> Option<Time> {
        self.attempts().and_then(|attempts| attempts.of(item).at)
    }

    /// The frame whose tokens and variables an event changes, in the state before the event.
    #[must_use]
    pub fn frame_of(&self, event: &CaseEvent) -> FrameId {
        match event {
            CaseEvent::SubnetStarted { frame, .. }
            | CaseEvent::SubnetEnded { frame, .. }
            | CaseEvent::JoinAdvanced { frame, .. }
            | CaseEvent::TokensCancelled { frame, .. }
            | CaseEvent::CompensationNoted { frame, .. }
            | CaseEvent::WorkEnabled { frame, .. } => *frame,
            other => match other.work() {
                Some((item, _)) if self.next_frame > FrameId(1) => {
                    self.item(item).map_or(FrameId::ROOT, |item| item.frame)
                }
                _ => FrameId::ROOT,
            },
        }
    }

    /// The part of [`Case::apply`](crate::Case::apply) that concerns tokens and work.
    pub fn apply(&mut self, meta: &Meta, event: &CaseEvent) {
        let frame = self.frame_of(event);
        event.consumed().iter().for_each(|condition| self.marking.remove(frame, *condition));
        event.produced().iter().for_each(|condition| self.marking.add(frame, *condition));
        match event {
            CaseEvent::CaseStarted { .. } => self.status = CaseStatus::Open,
            CaseEvent::CaseCompleted => self.end(CaseStatus::Completed),
            CaseEvent::CaseCancelled { .. } => self.end(CaseStatus::Cancelled),
            CaseEvent::CaseFailed { .. } => self.end(CaseStatus::Failed),
            CaseEvent::CaseDeadlocked => self.status = CaseStatus::Deadlocked,
            CaseEvent::CaseSuspended => self.suspended = true,
            CaseEvent::CaseResumed => {
                self.suspended = false;
                self.rest_over(None);
            }
            CaseEvent::RestLimited { item, until } => self.rest(*item, *until),
            CaseEvent::SubnetStarted { frame, subnet, item, .. } => self.enter(*frame, *subnet, *item),
            CaseEvent::SubnetEnded { frame, .. } => self.leave(*frame),
            CaseEvent::JoinAdvanced { frame, task, arrived, .. } => self.arrive(*frame, *task, arrived),
            CaseEvent::TokensCancelled { frame, removed, .. } => {
                removed.iter().for_each(|(condition, count)| self.marking.remove_many(*frame, *condition, *count));
            }
            CaseEvent::SignalReceived { name, data, kept: true, item: None } => {
                self.rare().signals.push(Arc::new(KeptSignal { name: name.clone(), data: data.clone() }));
            }
            CaseEvent::SignalReceived { name, kept, item: Some(item), .. } => self.use_signal(name, *kept, *item),
            CaseEvent::ExceptionRaised { item: Some(item), answer, .. } if answer == RESTART => self.restarted(*item),
            CaseEvent::SignalReceived { .. }
            | CaseEvent::ExceptionRaised { .. }
            | CaseEvent::CaseTriggered { .. }
            | CaseEvent::CaseForced { .. }
            | CaseEvent::TimerFiredLate { .. } => {}
            CaseEvent::CaseWaiting { until } => self.rare().deadline = Some(*until),
            CaseEvent::CaseTimedOut => {
                self.rare().deadline = None;
                self.tidy();
            }
            CaseEvent::CompensationBegun { removed, .. } => {
                for (condition, count) in removed {
                    self.marking.remove_many(FrameId::ROOT, *condition, *count);
                }
                self.rare().saga.apply(event);
                self.tidy();
            }
            CaseEvent::CompensationNoted { .. } | CaseEvent::SavepointReached { .. } => {
                self.rare().saga.apply(event);
                self.tidy();
            }
            CaseEvent::SavepointRestored { marked, .. } => {
                self.marking.clear(FrameId::ROOT);
                marked.iter().for_each(|(condition, count)| self.marking.add_many(FrameId::ROOT, *condition, *count));
                self.undo(event);
            }
            work => self.apply_to_item(meta, work),
        }
        if matches!(event, CaseEvent::SubnetEnded { .. }) {
            self.undo(event);
        }
    }

    /// What an event means for what can be undone.
    fn undo(&mut self, event: &CaseEvent) {
        if let Some(rare) = &mut self.rare {
            rare.saga.apply(event);
            self.tidy();
        }
    }

    fn apply_to_item(&mut self, meta: &Meta, event: &CaseEvent) {
        match event {
            CaseEvent::WorkEnabled { item, task, frame, instance } => {
                self.enable(meta, *item, *task, *frame, instance.as_deref());
            }
            CaseEvent::WorkCompleted { item, task, .. } => {
                self.count_off(*item, true);
                self.got_through(*item);
                self.forget(*item);
                self.undo(event);
                self.performed(*task, meta.actor);
            }
            CaseEvent::WorkSkipped { item, .. } => {
                self.count_off(*item, true);
                self.got_through(*item);
                self.forget(*item);
                self.undo(event);
            }
            CaseEvent::WorkWithdrawn { item, .. } | CaseEvent::WorkCancelled { item, .. } => {
                self.count_off(*item, false);
                self.forget(*item);
                self.undo(event);
            }
            CaseEvent::MessageAwaited { item, name, key, .. } => {
                self.touch_item(*item, meta);
                if self.item(*item).is_some() {
                    let awaited = &mut self.rare().awaited;
                    awaited.retain(|one| one.item != *item);
                    awaited.push(Arc::new(Awaited { item: *item, name: name.clone(), key: key.clone() }));
                }
            }
            CaseEvent::MessageReceived { item, .. } => {
                self.touch_item(*item, meta);
                if let Some(rare) = &mut self.rare {
                    rare.awaited.retain(|one| one.item != *item);
                }
                self.tidy();
            }
            CaseEvent::WorkCompensating { item, .. } => {
                self.touch_item(*item, meta);
                self.undo(event);
            }
            CaseEvent::InstancesPassed { item, .. } => {
                if self.item(*item).is_some() {
                    self.activation_mut(*item).passed = true;
                }
            }
            other => {
                let Some((item, _)) = other.work() else { return };
                let Ok(index) = self.items.binary_search_by_key(&item, |item| item.id) else { return };
                self.items[index].event = meta.seq;
                self.items[index].apply(meta.actor, other);
                self.count_attempts(other);
                if let CaseEvent::WorkResumed { .. } | CaseEvent::WorkForced { .. } = other {
                    self.rest_over(Some(item));
                }
            }
        }
    }

    /// What an event means for what policies remember; most cases never have any of it.
    fn count_attempts(&mut self, event: &CaseEvent) {
        if matches!(event, CaseEvent::WorkRetryScheduled { .. } | CaseEvent::WorkDeadLettered { .. }) {
            self.rare().attempts.apply(event);
        } else if let (Some(rare), CaseEvent::WorkRetried { .. }) = (&mut self.rare, event) {
            rare.attempts.apply(event);
            self.tidy();
        }
    }

    fn enable(&mut self, meta: &Meta, id: ItemId, task: TaskIx, frame: FrameId, instance: Option<&Instance>) {
        self.next_item = self.next_item.max(ItemId(id.0.saturating_add(1)));
        if let Some(instance) = instance {
            let activation = self.activation_mut(instance.family);
            activation.created = activation.created.max(instance.index.saturating_add(1));
            activation.active = activation.active.saturating_add(1);
        }
        let item = WorkItemState::enabled(id, task, frame, instance.cloned().map(Box::new), meta.seq);
        match self.items.binary_search_by_key(&id, |item| item.id) {
            Ok(index) => self.items[index] = item,
            Err(index) => self.items.insert(index, item),
        }
    }

    /// An instance is live no more.
    fn count_off(&mut self, id: ItemId, completed: bool) {
        let Some(family) = self.item(id).and_then(WorkItemState::family) else { return };
        let Some(rare) = &mut self.rare else { return };
        if let Some(activation) = rare.activations.iter_mut().find(|activation| activation.item == family) {
            activation.active = activation.active.saturating_sub(1);
            activation.completed = activation.completed.saturating_add(u32::from(completed));
        }
    }

    fn forget(&mut self, id: ItemId) {
        if let Ok(index) = self.items.binary_search_by_key(&id, |item| item.id) {
            self.items.remove(index);
        }
        if let Some(rare) = &mut self.rare {
            rare.activations.retain(|activation| activation.item != id);
            rare.attempts.forget(id);
            rare.awaited.retain(|awaited| awaited.item != id);
            rare.rests.retain(|rest| rest.item != Some(id));
        }
        self.tidy();
    }

    /// Notes the newest event about an item.
    fn touch_item(&mut self, id: ItemId, meta: &Meta) {
        if let Ok(index) = self.items.binary_search_by_key(&id, |item| item.id) {
            self.items[index].event = meta.seq;
        }
    }

    /// A task is begun anew.
    fn restarted(&mut self, item: ItemId) {
        let Some((frame, task)) = self.item(item).map(|item| (item.frame, item.task)) else { return };
        let restarts = &mut self.rare().restarts;
        match restarts.iter_mut().find(|one| one.frame == frame && one.task == task) {
            Some(one) => one.count = one.count.saturating_add(1),
            None => restarts.push(Restarts { frame, task, count: 1 }),
        }
    }

    /// A task got through: how often it was begun anew before does not count any more.
    fn got_through(&mut self, item: ItemId) {
        let Some((frame, task)) = self.item(item).map(|item| (item.frame, item.task)) else { return };
        if let Some(rare) = &mut self.rare {
            rare.restarts.retain(|one| one.frame != frame || one.task != task);
        }
    }

    fn activation_mut(&mut self, item: ItemId) -> &mut Activation {
        let activations = &mut self.rare().activations;
        let index = activations.iter().position(|activation| activation.item == item).unwrap_or_else(|| {
            activations.push(Activation { item, created: 0, active: 0, completed: 0, passed: false });
            activations.len() - 1
        });
        &mut activations[index]
    }

    fn enter(&mut self, id: FrameId, subnet: SubnetIx, item: ItemId) {
        self.next_frame = self.next_frame.max(FrameId(id.0.saturating_add(1)));
        let parent = self.item(item).map_or(FrameId::ROOT, |item| item.frame);
        let frames = &mut self.rare().frames;
        let frame = FrameState { id, subnet, item, parent };
        match frames.binary_search_by_key(&id, |frame| frame.id) {
            Ok(index) => frames[index] = frame,
            Err(index) => frames.insert(index, frame),
        }
    }

    fn leave(&mut self, id: FrameId) {
        self.marking.clear(id);
        // Lawful logs ended them before; here nothing may stay behind that nobody can reach.
        self.items.retain(|item| item.frame != id || id == FrameId::ROOT);
        let items = &self.items;
        if let Some(rare) = &mut self.rare {
            let lives = |rest: &Rest| rest.item.is_none_or(|id| items.iter().any(|item| item.id == id));
            rare.rests.retain(lives);
            rare.frames.retain(|frame| frame.id != id);
            rare.arrivals.retain(|arrivals| arrivals.frame != id);
            rare.restarts.retain(|restarts| restarts.frame != id);
        }
        self.tidy();
    }

    fn arrive(&mut self, frame: FrameId, task: TaskIx, arrived: &[ConditionIx]) {
        let arrivals = &mut self.rare().arrivals;
        arrivals.retain(|one| one.frame != frame || one.task != task);
        if !arrived.is_empty() {
            arrivals.push(Arrivals { frame, task, inputs: arrived.iter().copied().collect() });
        }
        self.tidy();
    }

    fn use_signal(&mut self, name: &str, kept: bool, item: ItemId) {
        if let Ok(index) = self.items.binary_search_by_key(&item, |item| item.id) {
            self.items[index].triggered = true;
        }
        if let Some(rare) = self.rare.as_mut().filter(|_| kept)
            && let Some(index) = rare.signals.iter().position(|signal| signal.name == name)
        {
            rare.signals.remove(index);
        }
        self.tidy();
    }

    fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_with(Box::default)
    }

    /// So that states that mean the same are equal.
    fn tidy(&mut self) {
        if self.rare.as_ref().is_some_and(|rare| rare.is_empty()) {
            self.rare = None;
        }
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
        self.suspended = false;
        self.items.clear();
        self.marking = Marking::default();
        self.rare = None;
    }
}
